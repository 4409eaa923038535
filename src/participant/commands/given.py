"""The input of one brain job, from where a person or a platform puts it: a file, stdin, or the environment."""

import os
import sys
from argparse import Namespace
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from participant.commands.errors import Refused
from participant.links.frames import FRAME_MAX_BYTES

VARIABLE = "PARTICIPANT_INPUT"
INPUT_MAX_BYTES = FRAME_MAX_BYTES  # as much as a worker is handed
VARIABLE_MAX_BYTES = 100_000  # Linux gives one variable 128 KiB, and a platform often less


def is_given(args: Namespace) -> bool:
    """Whether an input was named: `--input`, or else the environment's PARTICIPANT_INPUT."""
    return bool(args.input or os.environ.get(VARIABLE))


def given_input(args: Namespace) -> bytes:
    """The bytes of the input; raises Refused, with what to mend, where they cannot be had or are too many."""
    if args.input is None:
        return _from_variable(os.environb.get(VARIABLE.encode(), b""))
    if str(args.input) == "-":
        return _read(sys.stdin.buffer, "stdin")
    return _from_file(args.input, str(args.input))


def _from_variable(said: bytes) -> bytes:
    if len(said) > VARIABLE_MAX_BYTES:
        raise Refused(
            f"decide: {VARIABLE} has {len(said):,} bytes, over {VARIABLE_MAX_BYTES:,}: name a file, {VARIABLE}=file:///..."
        )
    if said.lstrip().startswith(b"{"):
        return said
    where = urlsplit(said.decode(errors="replace"))
    if where.scheme != "file" or where.netloc not in {"", "localhost"} or not where.path.startswith("/"):
        shown = said[:60].decode(errors="replace")
        raise Refused(
            f"decide: {VARIABLE} must be a job's input, JSON that begins with {{, or file:///PATH; not {shown!r}"
        )
    return _from_file(Path(unquote(where.path)), f"{VARIABLE}: {unquote(where.path)}")


def _from_file(file: Path, name: str) -> bytes:
    try:
        with file.open("rb") as opened:
            return _read(opened, name)
    except (OSError, ValueError) as fault:
        raise Refused(f"decide: {name} cannot be read: {getattr(fault, 'strerror', None) or fault}") from fault


def _read(source: BinaryIO, name: str) -> bytes:
    given = source.read(INPUT_MAX_BYTES + 1)
    if len(given) > INPUT_MAX_BYTES:
        raise Refused(f"decide: {name} has more than {INPUT_MAX_BYTES:,} bytes, the most that a job is given")
    return given
