"""Where people are reached: addresses that hold secrets, from a file that only its owner can read, or the environment.

They are never printed: what is said of one names its channel and recipient alone.
"""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from participant.config import BadConfig

CHANNELS = ("push", "slack", "sms", "email", "voice", "telegram", "webhook")
PREFIX = "PARTICIPANT_NOTIFY_"
Addresses = dict[tuple[str, str], str]


def load_addresses(file: str, environ: Mapping[str, str]) -> Addresses:
    """The addresses by (channel, recipient): those of the file `file`, where one is named, and the environment's.

    PARTICIPANT_NOTIFY_PUSH is push to all, PARTICIPANT_NOTIFY_VOICE_PRIMARY voice to primary. Raises BadConfig.
    """
    found = _read(Path(file)) if file else {}
    for name, address in environ.items():
        if name.startswith(PREFIX) and address:
            channel, _, to = name.removeprefix(PREFIX).lower().partition("_")
            found[_known(channel, f"environment {name}"), to or "all"] = address
    return found


def _read(path: Path) -> Addresses:
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & 0o077:
                raise BadConfig(f"{path} is open to others (mode {mode:04o}); say `chmod 600 {path}`")
            tables = tomllib.load(file)
    except OSError as fault:
        raise BadConfig(f"{path} cannot be read: {fault.strerror}; docs/people.md shows what it holds") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        # Its words may be part of an address, so they are not repeated, nor is their cause.
        raise BadConfig(f"{path} is not TOML; docs/people.md shows what it holds") from None
    found: Addresses = {}
    for channel, recipients in tables.items():
        _known(channel, str(path))
        if not isinstance(recipients, dict) or not all(isinstance(a, str) and a for a in recipients.values()):
            raise BadConfig(f'{path}: [{channel}] holds lines like all = "address"; docs/people.md shows them')
        found |= {(channel, to): address for to, address in recipients.items()}
    return found


def _known(channel: str, where: str) -> str:
    if channel not in CHANNELS:
        raise BadConfig(f"{where}: there is no channel {channel[:20]!r}; there are {', '.join(CHANNELS)}")
    return channel
