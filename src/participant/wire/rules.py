"""The rules' TOML files to a Rulebook, and every fault in them named by file, table and key."""

import datetime
import re
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from participant.core import conduct, rulerows
from participant.core.rulebook import Rulebook


class BadRules(ValueError):
    """A rules file that cannot be used: which file, where in it, what is wrong and how to mend it."""


class CalendarFile(Struct, frozen=True, forbid_unknown_fields=True):
    """calendar.toml: days, hours and settlement."""

    holidays: tuple[rulerows.Holidays, ...]
    hours: tuple[rulerows.Hours, ...]
    special_sessions: tuple[rulerows.Hours, ...]
    settlements: tuple[rulerows.Settlement, ...]


class ContractsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """contracts.toml: what is listed, and in which steps."""

    expiry_rules: tuple[rulerows.Expiry, ...]
    lots: tuple[rulerows.Lot, ...]
    freezes: tuple[rulerows.Freeze, ...]
    strike_steps: tuple[rulerows.StrikeStep, ...]
    ticks: tuple[rulerows.TickSize, ...]
    price_ranges: tuple[rulerows.PriceRange, ...]


class ChargesFile(Struct, frozen=True, forbid_unknown_fields=True):
    """charges.toml: rates of charges."""

    charges: tuple[rulerows.ChargeRow, ...]


class MarginFile(Struct, frozen=True, forbid_unknown_fields=True):
    """margin.toml: parameters of margins."""

    margins: tuple[rulerows.MarginRow, ...]


class UnderlyingsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """underlyings.toml: what futures and options are on, and how they are settled."""

    indices: tuple[rulerows.Underlyings, ...]
    stocks: tuple[rulerows.Underlyings, ...]
    deliveries: tuple[rulerows.Delivery, ...]


class EventsFile(Struct, frozen=True, forbid_unknown_fields=True):
    """events.toml: days that may move the market."""

    event_days: tuple[rulerows.EventDays, ...]


class MembershipFile(Struct, frozen=True, forbid_unknown_fields=True):
    """membership.toml: what the indices are made of."""

    memberships: tuple[rulerows.Members, ...]
    sectors: tuple[rulerows.Sector, ...]
    betas: tuple[rulerows.Beta, ...]


class ConductFile(Struct, frozen=True, forbid_unknown_fields=True):
    """conduct.toml: what is asked of everybody who trades."""

    halts: tuple[conduct.Halt, ...]
    position_limits: tuple[conduct.PositionLimit, ...]
    algo_rules: tuple[conduct.AlgoRule, ...]
    calendar_spreads: tuple[conduct.CalendarSpread, ...]
    delivery_margins: tuple[conduct.DeliveryMargin, ...]
    operating_ranges: tuple[conduct.OperatingRange, ...]


FILES: dict[str, type[Struct]] = {
    "calendar.toml": CalendarFile,
    "contracts.toml": ContractsFile,
    "charges.toml": ChargesFile,
    "margin.toml": MarginFile,
    "underlyings.toml": UnderlyingsFile,
    "events.toml": EventsFile,
    "membership.toml": MembershipFile,
    "conduct.toml": ConductFile,
}


def parse_rules(files: Mapping[str, bytes]) -> Rulebook:
    """The rulebook in these files (name -> bytes): exactly those of FILES. Raises BadRules."""
    if files.keys() != FILES.keys():
        odd = ", ".join(sorted(files.keys() ^ FILES.keys()))
        raise BadRules(f"rules: missing or unknown file {odd}; there must be {', '.join(FILES)}")
    tables: dict[str, Any] = {}
    for name, kind in FILES.items():
        parsed = _parse(name, files[name], kind)
        for table in kind.__struct_fields__:
            rows = getattr(parsed, table)
            _check(name, table, rows)
            tables[table] = rows
    return Rulebook(**tables)


def _parse(name: str, body: bytes, kind: type[Struct]) -> Struct:
    try:
        return msgspec.toml.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        what, _, where = str(fault).partition(" - at `")
        place = where.removeprefix("$.").removesuffix("`")
        raise BadRules(f"rules/{name}: {place + ': ' if place else ''}{_plain(what)}") from fault


def _plain(fault: str) -> str:
    """What msgspec says, with TOML's word for its own."""
    return re.sub(r"\b[Oo]bject\b", "table", fault)


def _check(name: str, table: str, rows: tuple[rulerows.Dated, ...]) -> None:
    """No row ends before it begins, and no two rows of the same thing hold on the same day."""
    of_subject: dict[tuple[object, ...], list[int]] = {}
    for i, row in enumerate(rows):
        if _end(row) < row.since:
            raise BadRules(f"rules/{name}: {table}[{i}].until: {row.until} lies before since = {row.since}")
        if isinstance(row, rulerows.Hours) and not _is_in_order(row):
            raise BadRules(
                f"rules/{name}: {table}[{i}].open: pre_open, open, expiring_close, close must follow in time"
            )
        if isinstance(row, rulerows.Holidays | rulerows.EventDays) and not all(row.holds(day) for day in row.days):
            raise BadRules(f"rules/{name}: {table}[{i}].days: a day lies outside {row.since} to {row.until}")
        older = [j for subject in rulerows.subjects(row) for j in of_subject.get(subject, ())]
        for j in older:
            if row.since <= _end(rows[j]) and rows[j].since <= _end(row):
                raise BadRules(f"rules/{name}: {table}[{i}].since: overlaps {table}[{j}]: end the older row with until")
        for subject in rulerows.subjects(row):
            of_subject.setdefault(subject, []).append(i)


def _is_in_order(hours: rulerows.Hours) -> bool:
    is_after = hours.pre_open is None or hours.pre_open < hours.open
    return is_after and hours.open < hours.expiring_close <= hours.close


def _end(row: rulerows.Dated) -> datetime.date:
    return row.until or datetime.date.max
