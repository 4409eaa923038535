"""The rulebook against itself and against another calendar: every difference once, with its reason where it has one.

A difference that nothing explains is for a person: one of the two is wrong.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import inf

from msgspec import Struct

from participant.core import rulerows
from participant.core.conduct import Halt
from participant.core.in_force import SUBJECTS
from participant.core.rulebook import ONE_DAY, Rulebook
from participant.core.scrip import Kind
from participant.core.session import Session

EVENTS = ("special_sessions", "event_days", "scans")  # tables of single days: what lies between is no gap
COME_AND_GO = ("memberships",)  # what is about a stock for as long as it belongs to something
Hours = tuple[int, int]


class Difference(Struct, frozen=True):
    """What differs, how often; `explained` says why that is no fault, and is empty where nobody can."""

    subject: str
    said: str
    count: int = 1
    explained: str = ""


class Year(Struct, frozen=True):
    """A calendar year compared: sessions that only we have, only the other has, and both with other hours."""

    year: int
    sessions: int
    only_ours: int
    only_theirs: int
    other_hours: int


# --- the tables themselves --------------------------------------------------------------------------------------------


def faults(rules: Rulebook) -> list[Difference]:
    """Gaps between rows of one subject, rows that hold at once, and rows that contradict each other."""
    found = [one for table in SUBJECTS if table not in EVENTS for one in _spans(rules, table)]
    return [*found, *_double_days(rules), *_contradictions(rules), *_universe(rules), *_conduct(rules)]


def coverage(rules: Rulebook) -> Iterator[tuple[str, datetime.date, datetime.date | None]]:
    """Of each table that is not of single days: from when until when it has rows (None is further notice)."""
    for table in SUBJECTS:
        rows: Sequence[rulerows.Dated] = getattr(rules, table)
        if rows and table not in EVENTS:
            ends = [row.until for row in rows]
            yield table, min(row.since for row in rows), None if None in ends else max(e for e in ends if e)


def _spans(rules: Rulebook, table: str) -> Iterator[Difference]:
    """Two rows at once, or none between two: the same of several scrips is one difference."""
    by_subject: dict[tuple[object, ...], list[rulerows.Dated]] = {}
    for row in getattr(rules, table):
        for subject in rulerows.subjects(row):
            by_subject.setdefault(subject, []).append(row)
    doubled, holes = dict[str, set[str]](), dict[str, set[str]]()
    for subject, rows in by_subject.items():
        rows.sort(key=lambda row: row.since)
        for before, after in pairwise(rows):
            if before.until is None or before.until >= after.since:
                doubled.setdefault(f"two rows hold on {after.since}: end the older one", set()).add(str(subject[0]))
            elif before.until + ONE_DAY < after.since and table not in COME_AND_GO:
                hole = f"no row from {before.until + ONE_DAY} to {after.since - ONE_DAY}"
                holes.setdefault(hole, set()).add(str(subject[0]))
    for said, symbols in doubled.items():
        yield Difference(_named(table, symbols), said, len(symbols))
    for said, symbols in holes.items():
        # Without a row that all scrips need there is no day at all; a scrip's own can only not be traded.
        why = (
            ""
            if "" in symbols
            else "nothing is guessed: a scrip cannot be traded on a day that none of its rows covers"
        )
        yield Difference(_named(table, symbols), said, len(symbols), why)


def _named(table: str, symbols: set[str]) -> str:
    of = ", ".join(sorted(filter(None, symbols)))
    return f"{SUBJECTS[table]}{f' of {of}' if of else ''}"


def _double_days(rules: Rulebook) -> Iterator[Difference]:
    """Holidays that are none: on a weekend, or named twice."""
    for row in rules.holidays:
        for day in sorted({day for day in row.days if day.isoweekday() > 5 or row.days.count(day) > 1}):
            yield Difference("the holidays", f"{day} is a weekend or stands twice: leave it out")
    for special in rules.special_sessions:
        if special.until != special.since or not rules.is_calendar_known(special.since):
            yield Difference("special sessions", f"{special.since} to {special.until} is no single day of the calendar")


def _contradictions(rules: Rulebook) -> Iterator[Difference]:
    """Rows that cannot hold together, asked for on each day from which one of them holds."""
    for symbol in sorted({row.symbol for row in rules.lots}):
        mine = [
            r for t in (rules.lots, rules.freezes, rules.strike_steps, rules.ticks) for r in t if r.symbol == symbol
        ]
        for day in sorted({row.since for row in mine}):
            lots = [row.units for row in rules.lots if row.symbol == symbol and row.holds(day)]
            freezes = [row.units for row in rules.freezes if row.symbol == symbol and row.holds(day)]
            if lots and freezes and min(freezes) < max(lots):
                yield Difference(symbol, f"on {day} an order may have {min(freezes):,} units, a lot has {max(lots):,}")
            steps = [row.step for row in rules.strike_steps if row.symbol == symbol and row.holds(day)]
            options = [row for row in rules.rows_of(rules.ticks, symbol) if row.holds(day) and Kind.CALL in row.kinds]
            ticks = [row.tick for row in options if row.symbol == options[0].symbol]
            if steps and any(step % tick for step in steps for tick in ticks):
                yield Difference(symbol, f"on {day} the strike step is no multiple of the options' tick")


def _universe(rules: Rulebook) -> Iterator[Difference]:
    """Members without a sector, and shares that go back to cash."""
    lacking = {s for row in rules.memberships for s in row.symbols if not rules.naming(rules.sectors, s)}
    if lacking:
        yield Difference(
            "the sectors", f"no row for {', '.join(sorted(lacking))}, of which an index is made", len(lacking)
        )
    for symbol in sorted({symbol for row in rules.deliveries for symbol in row.symbols}):
        rows = sorted(rules.naming(rules.deliveries, symbol), key=lambda row: row.since)
        if any(before.is_physical and not after.is_physical for before, after in pairwise(rows)):
            yield Difference(f"delivery or cash of {symbol}", "from delivery back to cash: look at the older row")


def _conduct(rules: Rulebook) -> Iterator[Difference]:
    """Halts that leave a time of day out or last shorter for a wider move, limits that cannot be, shares that fall."""
    for since in sorted({row.since for row in rules.halts}):
        yield from _halts(sorted((r for r in rules.halts if r.holds(since)), key=lambda r: (r.move, r.begins)), since)
    for limit in rules.position_limits:
        if limit.net_crore > limit.gross_crore:
            yield Difference("a position limit", f"since {limit.since} the net limit is over the gross one")
    for row in rules.delivery_margins:
        if any(after < before for before, after in pairwise(row.shares)):
            yield Difference("the margin before delivery", f"since {row.since} it falls towards expiry")


def _halts(rows: Sequence[Halt], since: datetime.date) -> Iterator[Difference]:
    for before, after in pairwise(rows):
        if before.move == after.move and before.ends != after.begins:
            yield Difference("a market-wide halt", f"since {since} one of {before.move:.0%} leaves out {before.ends}")
    for row in rows:
        wider = [r for r in rows if r.move > row.move and r.is_at(row.begins)]
        if any(_minutes(r) < _minutes(row) for r in wider):
            yield Difference(
                "a market-wide halt", f"since {since} a wider move than {row.move:.0%} shuts for less time"
            )


def _minutes(row: Halt) -> float:
    return inf if row.halt_minutes is None else row.halt_minutes


# --- another calendar -------------------------------------------------------------------------------------------------


def compare_calendar(rules: Rulebook, theirs: Mapping[datetime.date, Hours]) -> tuple[list[Year], list[Difference]]:
    """Our sessions and their opens and closes beside another calendar's (ns UTC), over all days that both know."""
    first, last = min(theirs), max(theirs)
    days = [day for i in range((last - first).days + 1) if rules.is_calendar_known(day := first + i * ONE_DAY)]
    has_weekends = any(day.isoweekday() > 5 for day in theirs)
    years: dict[int, list[int]] = {}
    found: list[Difference] = []
    both: list[tuple[Session, bool]] = []
    for day in days:
        session, their = rules.session(day), theirs.get(day)
        counts = years.setdefault(day.year, [0, 0, 0, 0])
        counts[0] += session is not None
        if session is None and their is not None:
            counts[2] += 1
            found.append(Difference(str(day), f"a session of theirs on a {day:%A}, none of ours"))
        elif session is not None and their is None:
            counts[1] += 1
            found.append(_only_ours(session, has_weekends))
        elif session is not None:
            both.append((session, their != (session.open_at, session.close_at)))
            counts[3] += both[-1][1]
    return [Year(year, *counts) for year, counts in sorted(years.items())], [*found, *_hours(rules, both)]


def _only_ours(session: Session, has_weekends: bool) -> Difference:
    """A session that the other calendar lacks; one on a weekend is explained where that one knows of none at all."""
    day, why = session.day, ""
    if day.isoweekday() > 5 and not has_weekends:
        why = f"theirs has no session on any weekend, special ones and Muhurat are missing; ours by: {session.source}"
    return Difference(str(day), f"a session of ours on a {day:%A}, none of theirs", 1, why)


def _hours(rules: Rulebook, both: Sequence[tuple[Session, bool]]) -> Iterator[Difference]:
    """Sessions of both, and whether their hours differ: special ones by their day, usual ones by our row."""
    special = {row.since for row in rules.special_sessions}
    for session, is_other in both:
        if is_other and session.day in special:
            yield Difference(str(session.day), f"other hours of a special session; ours by: {session.source}")
    for row in sorted(rules.hours, key=lambda row: row.since):
        usual = [is_other for session, is_other in both if row.holds(session.day) and session.day not in special]
        if any(usual):
            # All of a later row and nothing before it: the exchange changed its hours, and theirs did not follow.
            is_change = all(usual) and row.since > both[0][0].day
            why = "on every day since that change, so theirs keep the hours of before" if is_change else ""
            yield Difference(
                f"hours since {row.since}", f"other opens or closes; ours by: {row.source}", sum(usual), why
            )
