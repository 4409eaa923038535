"""Which rows of the rulebook are in force on a day, and which of them may well be otherwise."""

import datetime
from collections.abc import Sequence

from msgspec import Struct

from participant.core.rulebook import Rulebook
from participant.core.rulerows import Confidence, Dated, Lot, MarginRow, Members

SUBJECTS = {
    "holidays": "the holidays",
    "hours": "the hours",
    "special_sessions": "the hours of this special session",
    "settlements": "final settlement",
    "indices": "the indices",
    "stocks": "the stocks",
    "deliveries": "delivery or cash",
    "memberships": "the members",
    "sectors": "the sector",
    "betas": "the beta",
    "expiry_rules": "the expiries",
    "lots": "a lot",
    "freezes": "the freeze quantity",
    "strike_steps": "the strike step",
    "ticks": "a tick",
    "price_ranges": "the price range",
    "charges": "the charges",
    "margins": "the margins",
    "calendar_spreads": "calendar spreads on expiry day",
    "delivery_margins": "the margin before delivery",
    "halts": "a market-wide halt",
    "position_limits": "a position limit",
    "operating_ranges": "the operating range",
    "algo_rules": "orders by program",
    "event_days": "days of events",
    "scans": "the published scan ranges",
}


# What no order's terms rest on: what there is, and what a person's own settings begin with.
BESIDE = frozenset({"indices", "stocks", "memberships", "sectors", "betas"})


class InForce(Struct, frozen=True):
    """A row that holds, the table it stands in, and what it is about (with the scrip's name where it is of one)."""

    table: str
    subject: str
    row: Dated


def in_force(rules: Rulebook, symbols: Sequence[str], day: datetime.date) -> tuple[InForce, ...]:
    """Every row in force on a day that concerns all scrips or one of these, table by table."""
    found = []
    for table, what in SUBJECTS.items():
        for row in getattr(rules, table):
            named = _concerns(rules, row, symbols, day)
            if named is not None and _applies(rules, row, day):
                found.append(InForce(table, f"{what}{' of ' if named else ''}{named}", row))
    return tuple(found)


def _concerns(rules: Rulebook, row: Dated, symbols: Sequence[str], day: datetime.date) -> str | None:
    """Which of these scrips a row is about by their names, "" where it is of all, None where it is of none of them.

    A row of a class is about those of it that have no row of their own on the day.
    """
    if isinstance(row, Members):
        return row.index if row.index in symbols else None
    names: tuple[str, ...] = getattr(row, "symbols", (getattr(row, "symbol", ""),))
    if isinstance(row, MarginRow) and not row.symbol:
        return None if all(any(one.holds(day) for one in rules.rows_of(rules.margins, s)) for s in symbols) else ""
    if names == ("",):
        return ""
    about = [
        one for one in symbols if one in names or (rules.class_of(one) in names and not _own(rules, row, one, day))
    ]
    return ", ".join(about) or None


def _own(rules: Rulebook, row: Dated, symbol: str, day: datetime.date) -> bool:
    """Whether a row of the same kind names a scrip itself on a day."""
    rows = (one for table in SUBJECTS for one in getattr(rules, table) if type(one) is type(row) and one.holds(day))
    return any(symbol in getattr(one, "symbols", (getattr(one, "symbol", ""),)) for one in rows)


def doubtful(rules: Rulebook, symbols: Sequence[str], day: datetime.date) -> tuple[str, ...]:
    """What is of low confidence among the rows that a day's orders rest on: what it is about, and its source."""
    rows = (one for one in in_force(rules, symbols, day) if one.table not in BESIDE)
    low = (one for one in rows if one.row.confidence is Confidence.LOW)
    return tuple(dict.fromkeys(f"{one.subject}: {one.row.source}" for one in low))


def doubts(rules: Rulebook, symbol: str, day: datetime.date) -> int:
    """How many rows of low confidence a scrip's orders rest on; counted once for each day."""
    if (symbol, day) not in rules.doubts:
        rules.doubts[symbol, day] = len(doubtful(rules, (symbol,), day))
    return rules.doubts[symbol, day]


def _applies(rules: Rulebook, row: Dated, day: datetime.date) -> bool:
    """Whether a row is in force: that of a lot where something listed that day expires in its span."""
    if not isinstance(row, Lot):
        return row.holds(day)
    if row.traded_until is not None and day > row.traded_until:
        return False
    is_listed = any(rule.holds(day) for rule in rules.rows_of(rules.expiry_rules, row.symbol))
    return is_listed and any(row.holds(expiry) for expiry in rules.expiries(row.symbol, day))
