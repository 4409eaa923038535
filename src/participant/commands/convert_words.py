"""The options of `participant convert` for sessions and for the queue."""

import argparse
from pathlib import Path

from participant.commands.words import address, most, pair, seconds


def add(convert: argparse.ArgumentParser) -> None:
    """Where messages come from beside files, and where lines go beside the output."""
    where = "HOST:PORT"
    convert.add_argument("--connect", type=address, metavar=where, help="hold a FIX session with who listens there")
    convert.add_argument("--listen", type=address, metavar=where, help="hold one with who connects there")
    names = "CompIDs of a session (default DESK:VENUE)"
    convert.add_argument("--names", type=pair, default=("DESK", "VENUE"), metavar="OURS:THEIRS", help=names)
    convert.add_argument("--ask", action="store_true", help="ask for all market data")
    convert.add_argument("--seconds", type=seconds, metavar="N", help="end the session then")
    convert.add_argument("--queue", type=Path, metavar="FILE", help="put each line on the queue in this SQLite file")
    waiting = "lines that may wait there (default 1,000,000)"
    convert.add_argument("--queue-max", type=most, default=1_000_000, metavar="N", help=waiting)
