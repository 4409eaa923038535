"""`participant decisions`: what many logged decisions say, asked in SQL."""

import datetime
import sys
from argparse import Namespace

from participant.analysis.log_query import BadQuestion, LogTable
from participant.commands.errors import DONE, Refused
from participant.commands.tabled import write_rows

Span = tuple[datetime.date, datetime.date]


def query(args: Namespace) -> int:
    """Answer one SELECT over the views `decisions` and `orders`."""
    question = sys.stdin.read() if args.sql == "-" else args.sql
    log = open_log(args, "query")
    try:
        answer = log.ask(question)
        write_rows(args, answer.columns, answer.rows)
    except BadQuestion as fault:
        raise Refused(f"decisions query: {fault}") from None
    finally:
        log.close()
    return DONE


def open_log(args: Namespace, command: str) -> LogTable:
    """The log that is asked for; Refused where it has no day of the span."""
    where = args.log or str(args.home / "decisions")
    first, last = span_of(args, command)
    log = LogTable(where, (first, last), None if args.log else args.home / "books.sqlite")
    if not log.days:
        held = LogTable(where).days
        what = f"it holds {held[0].day}..{held[-1].day}" if held else "it holds no day; `participant trade` writes one"
        raise Refused(f"decisions {command}: decision log {where} has no day that was asked for: {what}")
    return log


def span_of(args: Namespace, command: str) -> Span:
    """The days that are asked for, both included."""
    if args.day and (args.first or args.last):
        raise Refused(f"decisions {command}: --day is one day alone: leave out --from and --to")
    first, last = args.day or args.first or datetime.date.min, args.day or args.last or datetime.date.max
    if first > last:
        raise Refused(f"decisions {command}: --from {first} is after --to {last}")
    return first, last
