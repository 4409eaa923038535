"""`participant limits`: the signed limits: read and verify them, sign them after a change."""

import os
from argparse import Namespace
from collections.abc import Collection
from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import config_file, load_config
from participant.core.wording import counted
from participant.links.keys import public_of
from participant.links.limits import (
    FILE,
    KEY,
    SIGNATURE,
    SignedLimits,
    add_signature,
    own_limits,
    read_limits,
    verified,
)
from participant.wire.json import encode
from participant.wire.limits import BadLimits, parse_limits


class Signed(Struct, frozen=True):
    """Who has signed limits, by their public keys, and how many signatures are missing still."""

    signed_by: tuple[str, ...]
    missing: int


def check(args: Namespace) -> int:
    """Read and verify what the next day would have in force, and say who has signed it."""
    config = load_config(args.config, os.environ)
    folder = config_file(args.config, os.environ).parent
    signed = read_limits(folder, config.terms)
    limits = verified(signed, config.terms)
    text = [f"{folder / FILE}, {config.terms.required} of {counted(len(config.desk.keys), 'signature')} required"]
    text += [_line(key, signed.signatures(config.desk.keys)) for key in config.desk.keys]
    if signed.origin != "own":
        text = ["the paper limits that ship; there is no limits.toml here"]
    say(args, "\n".join([*text, f"hash {signed.hash}", msgspec.json.format(encode(limits)).decode()]), limits)
    return DONE


def _line(key: str, by: Collection[str]) -> str:
    return f"{'signed' if key in by else 'not signed'} by {key[:16]}..."


def sign(args: Namespace) -> int:
    """Add a signature to those of limits.toml, once it is whole, by a key that the configuration trusts."""
    config, folder = load_config(args.config, os.environ), config_file(args.config, os.environ).parent
    file, key = folder / FILE, args.key or folder / KEY
    try:
        body = file.read_bytes()
    except OSError as fault:
        raise BadLimits(f"{file} cannot be read: {fault.strerror}; `participant init` writes one") from fault
    why_not = config.terms.fault(parse_limits(str(file), body))
    if why_not:
        raise BadLimits(f"{file}: {why_not}")
    public, keys = public_of(key), config.desk.keys
    if public not in keys:
        raise Refused(f'key {key} is not one that is trusted; set [desk] signed_by = "{public}" to trust it')
    before = own_limits(folder) if (folder / SIGNATURE).exists() else SignedLimits("own", body.decode(), "")
    after = replace(before, signature=add_signature(before, keys, key))
    written, by = _replace(folder / SIGNATURE, after.signature), tuple(after.signatures(keys))
    missing = max(0, config.terms.required - len(by))
    then = f"{counted(missing, 'more signature')} must follow" if missing else "the next day begins with it"
    text = [f"signed {file} into {written.name}; {then}", *([_line(k, by) for k in keys] if len(keys) > 1 else [])]
    say(args, "\n".join(text), Signed(by, missing))
    return NEEDS_A_PERSON if missing else DONE


def _replace(path: Path, text: str) -> Path:
    part = path.with_suffix(".part")
    try:
        part.write_text(text, encoding="ascii")
        part.replace(path)
    except OSError as fault:
        raise Refused(f"{path} cannot be written: {fault.strerror}") from fault
    return path
