"""What a command says: text for people, JSON with --json, nothing with --quiet."""

import sys
from argparse import Namespace

from participant.wire.json import encode


def say(args: Namespace, text: str, value: object) -> None:
    """Write a result as the options ask for it."""
    if args.json:
        sys.stdout.write(encode(value).decode() + "\n")
    elif not args.quiet:
        sys.stdout.write(text.rstrip("\n") + "\n")
    sys.stdout.flush()
