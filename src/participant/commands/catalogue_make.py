"""`participant catalogue make`: days of the made market, to try a backtest on where nothing is recorded."""

import sys
from argparse import Namespace

from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.history.making import Making, make_days
from participant.history.pages import BadData


def make(args: Namespace) -> int:
    """Make the days and say where they lie."""
    first, last = args.date
    making = Making(args.seed, tuple(args.symbols), first, last, args.step)
    days = make_days(args.into, making, load_rules())
    try:
        if args.quiet or args.json or not sys.stderr.isatty():
            made = sum(1 for _ in days)
        else:
            from rich.console import Console
            from rich.progress import track

            made = sum(1 for _ in track(days, "making", total=(last - first).days * 5 // 7 + 1,
                                        console=Console(stderr=True), transient=True))  # fmt: skip
    except BadData as fault:
        raise Refused(f"catalogue: {fault}") from fault
    except OSError as fault:
        raise Refused(f"catalogue: {args.into} cannot be written: {fault.strerror}; choose another --into") from fault
    told = {"into": str(args.into), "days": made, "symbols": making.symbols, "seed": making.seed}
    say(args, f"{args.into}: {made} made days of {', '.join(making.symbols)}, seed {making.seed}", told)
    return DONE
