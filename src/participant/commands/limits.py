"""`participant limits`: the signed limits: read and verify them, sign them after a change."""

import os
from argparse import Namespace
from pathlib import Path

import msgspec

from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.config import config_file, load_config
from participant.links.keys import LIMITS, public_of
from participant.links.keys import sign as signature_of
from participant.links.limits import FILE, KEY, SIGNATURE, read_limits, verified
from participant.wire.json import encode
from participant.wire.limits import BadLimits, parse_limits


def check(args: Namespace) -> int:
    """Read and verify what the next day would have in force."""
    config = load_config(args.config, os.environ)
    folder = config_file(args.config, os.environ).parent
    is_paper = config.broker.profile == "paper"
    signed = read_limits(folder, config.desk.signed_by, is_paper=is_paper)
    limits = verified(signed, config.desk.signed_by, is_paper=is_paper)
    whose = f"{folder / FILE}, signed by {config.desk.signed_by[:16]}..."
    text = whose if signed.origin == "own" else "the paper limits that ship; there is no limits.toml here"
    say(args, f"{text}\nhash {signed.hash}\n{msgspec.json.format(encode(limits)).decode()}", limits)
    return DONE


def sign(args: Namespace) -> int:
    """Sign limits.toml, once it is whole, with the key that the configuration trusts; it holds from the next day on."""
    config, folder = load_config(args.config, os.environ), config_file(args.config, os.environ).parent
    file, key = folder / FILE, args.key or folder / KEY
    try:
        body = file.read_bytes()
    except OSError as fault:
        raise BadLimits(f"{file} cannot be read: {fault.strerror}; `participant init` writes one") from fault
    parse_limits(str(file), body)
    public = public_of(key)
    if public != config.desk.signed_by:
        raise Refused(f'key {key} is not the one that is trusted; set [desk] signed_by = "{public}" to trust it')
    written = _replace(folder / SIGNATURE, signature_of(key, LIMITS, body) + "\n")
    say(args, f"signed {file}; {written.name} holds the signature, and the next day begins with it", {"key": public})
    return DONE


def _replace(path: Path, text: str) -> Path:
    part = path.with_suffix(".part")
    try:
        part.write_text(text, encoding="ascii")
        part.replace(path)
    except OSError as fault:
        raise Refused(f"{path} cannot be written: {fault.strerror}") from fault
    return path
