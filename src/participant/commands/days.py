"""Which days a `participant trade` is to trade: the calendar's sessions, what the home has closed, what is recorded."""

import datetime
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant import app
from participant.commands.errors import Refused
from participant.config import Config, Run
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.session import Session
from participant.history.pages import BadData
from participant.history.recordings import Recordings, days_in, days_settled, open_recordings
from participant.operate.wake import closed_days, unfinished

ONE_DAY = datetime.timedelta(days=1)


class Asked(Struct, frozen=True):
    """A trading day to play; `is_recorded` says that --data has something of it."""

    day: datetime.date
    session: Session
    is_recorded: bool = False


def days_asked(args: Namespace, config: Config, home: Path, rules: Rulebook) -> Iterator[Asked]:
    """The sessions asked for and, of recorded days, there; without --date the one after the last that was closed."""
    if args.mapping and not args.data:
        raise Refused(f"--mapping {args.mapping} says what the columns of --data mean: give that too")
    if args.data and (args.seed is not None or args.step is not None or args.venue):
        raise Refused("--data plays recorded days: leave out --seed, --step and --venue, which are of other markets")
    recordings = _opened(args)
    store = app.books(Run(str(home), datetime.date.min, "", "", 0, 0.0, config))
    closed, begun = closed_days(store), unfinished(store)
    store.close()
    try:
        if args.date:
            first, last = _span_left(args, home, closed, begun)
        else:
            first = last = rules.next_session(closed[-1]) if closed else datetime.date.fromisoformat(config.venue.day)
        days = (first + i * ONE_DAY for i in range((last - first).days + 1))
        found = [Asked(day, session) for day in days if (session := rules.session(day))]
    except OutsideRules as fault:
        raise Refused(str(fault)) from fault
    if not found:
        raise Refused(f"--date {_said(first, last)}: no trading day; the next one is {rules.next_session(last)}")
    yield from _recorded(args, recordings, found) if recordings else found


def _span_left(
    args: Namespace, home: Path, closed: Sequence[datetime.date], begun: datetime.date | None
) -> tuple[datetime.date, datetime.date]:
    """What of --date is still to be traded: a range of which days are closed goes on after the last of them."""
    first, last = args.date
    if begun and first > begun:
        raise Refused(
            f"--date {first}: home {home} has begun {begun} and not closed it; go on with --date {begun} first"
        )
    if not closed or first > closed[-1]:
        return first, last
    if last <= closed[-1] or not any(first <= day for day in closed):
        raise Refused(
            f"--date {_said(first, last)}: home {home} has closed {closed[-1]} already; go on after it or use another "
            "--home"
        )
    if not args.quiet:
        sys.stderr.write(f"participant: home {home} has closed {closed[-1]} already: going on after it\n")
    return closed[-1] + ONE_DAY, last


def _said(first: datetime.date, last: datetime.date) -> str:
    return str(first) if first == last else f"{first}..{last}"


def _opened(args: Namespace) -> Recordings | None:
    """What --data names; Refused where it cannot be read, and where no day of it is asked for."""
    if not args.data:
        return None
    try:
        recordings = open_recordings(args.data, args.mapping)
        if not args.date:
            raise Refused(f"--data needs a --date: {_held(days_in(recordings))}; name a day of these, or A..B")
    except BadData as fault:
        raise Refused(str(fault)) from fault
    return recordings


def _held(days: set[datetime.date]) -> str:
    return f"it holds {_said(min(days), max(days))}" if days else "it holds no day at all"


def _recorded(args: Namespace, recordings: Recordings, sessions: list[Asked]) -> Iterator[Asked]:
    """Those sessions of which something is recorded, or on which what is held can settle; the rest is said."""
    try:
        days, settled = days_in(recordings), days_settled(recordings)
    except BadData as fault:
        raise Refused(str(fault)) from fault
    if not any(asked.day in days for asked in sessions):
        span = _said(sessions[0].day, sessions[-1].day)
        raise Refused(f"--date {span}: --data has nothing of that; {_held(days)}")
    for asked in sessions:
        day = asked.day
        if day not in days and not args.quiet:
            what = "only settled" if day in settled else "skipped"
            sys.stderr.write(f"participant: {day} is {what}: it is a trading day, but no chain of it is in --data\n")
        if day in days | settled:
            yield replace(asked, is_recorded=day in days)
