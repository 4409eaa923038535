"""`participant process`: one process of a running desk."""

import signal
import sys
from argparse import Namespace

from participant.app import process as be
from participant.commands.errors import DONE, Refused


def process(args: Namespace) -> int:
    """Be that process until its desk ends."""
    if not (args.home / "run.json").exists():
        raise Refused(f"home {args.home} has no run; `participant trade` starts the processes by itself")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    be(args.name, args.home)
    return DONE
