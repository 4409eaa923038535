"""`participant decisions`: what many logged decisions say, asked in SQL."""

import datetime
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager

from participant.analysis.log_days import LogFolder
from participant.analysis.log_query import EVERYTHING, BadQuestion, LogTable, Wanted
from participant.analysis.questions import QUESTIONS, ask, wanted_by
from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.commands.tabled import write_rows

Span = tuple[datetime.date, datetime.date]


def query(args: Namespace) -> int:
    """Answer one SELECT over the views `decisions` and `orders`."""
    question = sys.stdin.read() if args.sql == "-" else args.sql
    with opened(args, "query", EVERYTHING, is_of_orders="orders" in question.lower()) as log:
        answer = log.ask(question)
        write_rows(args, answer.columns, answer.rows)
    return DONE


def named(args: Namespace) -> int:
    """Answer a question by its name, or list those that there are."""
    if args.name is None:
        found = list(QUESTIONS.values())
        say(args, "\n".join(f"{one.name:14} {one.asks}" for one in found), found)
        return DONE
    question = QUESTIONS.get(args.name)
    if question is None:
        raise Refused(f"decisions ask: no question {args.name!r}; there are: {', '.join(QUESTIONS)}")
    if question.of_orders and args.log:
        raise Refused(f"decisions ask: {args.name} is of orders, which the books of a home hold: use --home, not --log")
    with opened(args, "ask", wanted_by(question), is_of_orders=question.of_orders) as log:
        answer = ask(log, args.name, args.scrip or "")
        if not (args.json or args.csv or args.quiet):
            sys.stdout.write(f"{question.asks}\n{question.says}\n\n")
        write_rows(args, answer.columns, answer.rows)
    return DONE


def seal(args: Namespace) -> int:
    """Seal the days that no desk has sealed, or that went on since; what is sealed already stays as it is."""
    from participant.adapters.archives.jsonl import JsonlArchive

    first, last = span_of(args, "seal")
    folder = args.home / "decisions"
    days = [day for day in LogFolder(str(folder)).days(first, last) if day.grows or day.sealed or day.older]
    if not days:
        raise Refused(f"decisions seal: {folder} has no day that was asked for; `participant trade` writes one")
    archive = JsonlArchive(folder)
    for one in days:
        is_new = bool(one.grows) or not one.sealed
        where = archive.seal(str(one.day)) if is_new else one.sealed
        say(args, f"{one.day}: {'sealed' if is_new else 'was sealed'}, {where}", {"day": one.day, "new": is_new})
    return DONE


@contextmanager
def opened(args: Namespace, command: str, wanted: Wanted, *, is_of_orders: bool) -> Iterator[LogTable]:
    """The log that is asked for, with the orders where these are, to be asked.

    Raises Refused where it has no day of the span, and where a question of it cannot be asked.
    """
    where = args.log or str(args.home / "decisions")
    first, last = span_of(args, command)
    books = args.home / "books.sqlite" if is_of_orders and not args.log else None
    with closing(LogTable(where, (first, last), books, wanted)) as log:
        if not log.days:
            held = LogFolder(where).days(datetime.date.min, datetime.date.max)
            what = (
                f"it holds {held[0].day}..{held[-1].day}" if held else "it holds no day; `participant trade` writes one"
            )
            raise Refused(f"decisions {command}: decision log {where} has no day that was asked for: {what}")
        try:
            yield log
        except BadQuestion as fault:
            raise Refused(f"decisions {command}: {fault}") from None


def span_of(args: Namespace, command: str) -> Span:
    """The days that are asked for, both included."""
    if args.day and (args.first or args.last):
        raise Refused(f"decisions {command}: --day is one day alone: leave out --from and --to")
    first, last = args.day or args.first or datetime.date.min, args.day or args.last or datetime.date.max
    if first > last:
        raise Refused(f"decisions {command}: --from {first} is after --to {last}")
    return first, last
