"""`participant feeds report`: how good a closed day's feeds were, and who was believed when."""

from argparse import Namespace

from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.commands.people import open_books
from participant.operate.feeds import feeds_of, lines
from participant.operate.wake import closed_days


def report(args: Namespace) -> int:
    """Show the feed-quality report of a day, the latest closed one by default."""
    store = open_books(args.home)
    day = args.day or next(iter(closed_days(store)[-1:]), None)
    found = feeds_of(store, day) if day else None
    if day is None or found is None:
        raise Refused(
            f"feeds: no feeds of {day or 'any day'} were kept in {args.home}; `participant trade` closes a day"
        )
    say(args, "\n".join([f"Feed quality of {day}", *lines(found)]), found)
    return DONE
