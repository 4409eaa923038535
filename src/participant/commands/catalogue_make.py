"""`participant catalogue make`: days of the made market, to try a backtest on where nothing is recorded."""

import datetime
from argparse import Namespace

from participant.commands.bar import bar
from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.history.making import Making, make_days
from participant.history.pages import BadData


def make(args: Namespace) -> int:
    """Make the days and say where they lie."""
    first, last = args.date
    making = Making(args.seed, tuple(args.symbols), first, last, args.step)
    try:
        with bar(args, "making", (last - first).days + 1) as advance:
            made = list[datetime.date]()
            for day in make_days(args.into, making, load_rules()):
                advance((day - (made[-1] if made else first)).days + (not made))
                made.append(day)
    except BadData as fault:
        raise Refused(f"catalogue: {fault}") from fault
    except OSError as fault:
        raise Refused(f"catalogue: {args.into} cannot be written: {fault.strerror}; choose another --into") from fault
    told = {"into": str(args.into), "days": len(made), "symbols": making.symbols, "seed": making.seed}
    say(args, f"{args.into}: {len(made)} made days of {', '.join(making.symbols)}, seed {making.seed}", told)
    return DONE
