"""`participant brain`: one process that a running desk hands its brain jobs to. It imports little, to start soon."""

import signal
from argparse import Namespace

from participant.commands.errors import DONE, Refused
from participant.config import Run
from participant.operate.brains import brain as serve
from participant.wire.json import decode


def brain(args: Namespace) -> int:
    """Serve jobs on stdin and stdout until the desk ends."""
    file = args.home / "run.json"
    if not file.exists():
        raise Refused(f"home {args.home} has no run; `participant trade` starts the processes by itself")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(decode(file.read_bytes(), Run))
    return DONE
