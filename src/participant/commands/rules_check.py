"""`participant rules check`: the rules against themselves, a maintained calendar, and a contract master."""

import datetime
import os
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_config, load_rules
from participant.core.mastercheck import compare_master
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.rulecheck import Difference, Year, compare_calendar, coverage, faults
from participant.history.calendars import NAME, NoCalendar, sessions
from participant.wire.json import Malformed
from participant.wire.masters import parse_master

Span = tuple[str, datetime.date, datetime.date | None]


class Part(Struct, frozen=True):
    """One comparison: with what, what it covered in lines, and the differences."""

    name: str
    lines: tuple[str, ...]
    differences: tuple[Difference, ...]
    years: tuple[Year, ...] = ()


class Checked(Struct, frozen=True):
    """Every comparison that was made, and how many differences nothing explains."""

    parts: tuple[Part, ...]
    unexplained: int


def check(args: Namespace) -> int:
    """Compare and list every difference; status 1 where one of them is not explained."""
    if bool(args.master) != bool(args.on):
        raise Refused(
            "rules check: --master FILE and --on DAY go together: a master is of one day, and does not say it"
        )
    rules = load_rules(load_config(args.config, os.environ).desk.span_scans)
    parts = [_tables(rules), _calendar(rules)]
    if args.master:
        parts.append(_master(rules, args.master, args.on))
    unexplained = sum(not one.explained for part in parts for one in part.differences)
    told = Checked(tuple(parts), unexplained)
    say(args, "\n".join(_text(told)), told)
    return NEEDS_A_PERSON if unexplained else DONE


def _tables(rules: Rulebook) -> Part:
    lines = (f"{table} {since} to {until or 'further notice'}" for table, since, until in coverage(rules))
    return Part("the tables themselves", tuple(lines), tuple(faults(rules)))


def _calendar(rules: Rulebook) -> Part:
    spans = [row for row in rules.holidays if row.until]
    first, last = min(row.since for row in spans), max(row.until for row in spans if row.until)
    try:
        theirs = sessions(first, last)
    except NoCalendar as why:
        return Part("a calendar library", (str(why),), ())
    years, found = compare_calendar(rules, theirs.sessions)
    lines = (
        f"{y.year}: {y.sessions} sessions of ours, {y.only_ours} of them ours alone, {y.only_theirs} theirs alone, "
        f"{y.other_hours} with other hours"
        for y in years
    )
    return Part(f"pandas_market_calendars {theirs.version}, {NAME}", tuple(lines), tuple(found), tuple(years))


def _master(rules: Rulebook, path: Path, day: datetime.date) -> Part:
    try:
        master = parse_master(path.read_bytes())
        found = compare_master(rules, master.listings, master.freezes, day)
    except OSError as fault:
        raise Refused(f"rules check: --master {path} cannot be read: {fault.strerror}") from fault
    except (Malformed, OutsideRules) as fault:
        raise Refused(f"rules check: --master {path}: {fault}") from fault
    names = sorted({one.underlying for one in master.listings})
    shown = f"{', '.join(names[:8])}{' ...' if len(names) > 8 else ''}"
    lines = [f"{len(master.listings):,} futures and options of {len(names)} underlyings: {shown}"]
    lines += ["it tells no freeze quantity"] * (not master.freezes)
    return Part(f"the master of {master.broker} on {day}", tuple(lines), tuple(found))


def _text(told: Checked) -> Iterator[str]:
    for part in told.parts:
        open_ones = sum(not one.explained for one in part.differences)
        yield f"{part.name}: {len(part.differences)} differences, {open_ones} not explained"
        yield from (f"  {line}" for line in part.lines)
        for one in part.differences:
            times = f" ({one.count:,} times)" if one.count > 1 else ""
            yield f"  {'  ' if one.explained else '! '}{one.subject}: {one.said}{times}"
            if one.explained:
                yield f"      explained: {one.explained}"
