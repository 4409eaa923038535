"""`participant report`: a closed day for a person to read, as text, JSON or a page, and to sign off."""

import datetime
from argparse import Namespace
from pathlib import Path

from participant.adapters.clocks.system import SystemClock
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.people import open_books, run_of
from participant.config import load_rules
from participant.core.feed_report import FeedReport
from participant.operate.feeds import feeds_of
from participant.operate.late import book_late
from participant.operate.report import Report, Signature, hash_of, report_of, sign, signatures
from participant.operate.report_page import page
from participant.operate.report_text import lines
from participant.operate.wake import closed_days
from participant.ports import Store
from participant.wire.json import encode

SIGN = "sign"


def show(args: Namespace) -> int:
    """Show a day's report, or sign it: `report [DAY]`, `report sign DAY --by NAME`."""
    words = [word for word in args.what if word != SIGN]
    if len(words) > 1 or (SIGN in args.what and args.what[0] != SIGN):
        raise Refused(
            f"report: {' '.join(args.what)!r} is no day; write `report 2026-11-26` or `report sign 2026-11-26`"
        )
    run = run_of(args.home)
    store = open_books(args.home)
    book_late(run, store)
    day = _day(words[0]) if words else next(iter(closed_days(store)[-1:]), None)
    report = report_of(store, load_rules(run.config.desk.span_scans), day) if day else None
    if day is None or report is None:
        raise Refused(f"report: {day or 'no day'} is not closed in {args.home}; `participant trade` closes a day")
    if args.what[:1] == [SIGN]:
        return _sign(args, store, report, day)
    signed = signatures(store, day)
    if args.html:
        say(args, str(write(args.home, report, signed, feeds_of(store, day))), report)
    else:
        say(args, "\n".join(lines(report, signed)), report)
    return NEEDS_A_PERSON if report.needs_a_person else DONE


def _day(word: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(word)
    except ValueError:
        raise Refused(f"report: {word!r} is no day; write 2026-11-26") from None


def _sign(args: Namespace, store: Store, report: Report, day: datetime.date) -> int:
    if not (args.by or "").strip():
        raise Refused("report: --by NAME says who signs")
    signed = Signature(str(day), args.by.strip(), args.note, hash_of(report), SystemClock().now())
    why_not = sign(store, report, signed)
    if why_not:
        raise Refused(f"report: {day} cannot be signed: {why_not}")
    write(args.home, report, signatures(store, day), feeds_of(store, day))
    say(args, f"signed {day} by {signed.by}, hash {signed.hash}", signed)
    return DONE


def write(home: Path, report: Report, signed: list[Signature], feeds: FeedReport | None) -> Path:
    """Write the page and the JSON of a day; returns where the page lies."""
    folder = home / "reports"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{report.day}.json").write_bytes(encode(report) + b"\n")
        file = folder / f"{report.day}.html"
        file.write_text(page(report, signed, feeds), encoding="utf-8")
    except OSError as fault:
        raise Refused(f"report: {folder} cannot be written: {fault.strerror}") from fault
    return file


def write_day(home: Path, store: Store, day: datetime.date) -> None:
    """The report that a day leaves when it has ended."""
    report = report_of(store, load_rules(), day)
    if report is not None:
        write(home, report, signatures(store, day), feeds_of(store, day))
