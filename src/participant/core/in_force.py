"""Which rows of the rulebook are in force on a day, and which of them may well be otherwise."""

import datetime
from collections.abc import Sequence

from msgspec import Struct

from participant.core.rulebook import Rulebook
from participant.core.rulerows import Confidence, Dated, Delivery, Lot, Underlyings

SUBJECTS = {
    "holidays": "the holidays",
    "hours": "the hours",
    "special_sessions": "the hours of this special session",
    "settlements": "final settlement",
    "indices": "the indices",
    "stocks": "the stocks",
    "deliveries": "delivery or cash",
    "expiry_rules": "the expiries",
    "lots": "a lot",
    "freezes": "the freeze quantity",
    "strike_steps": "the strike step",
    "ticks": "a tick",
    "price_ranges": "the price range",
    "charges": "the charges",
    "margins": "the margins",
    "event_days": "days of events",
    "scans": "the published scan ranges",
}


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
            named = _concerns(rules, row, symbols)
            if named is not None and _applies(rules, row, day):
                found.append(InForce(table, f"{what}{' of ' if named else ''}{named}", row))
    return tuple(found)


def _concerns(rules: Rulebook, row: Dated, symbols: Sequence[str]) -> str | None:
    """Which of these scrips a row is about by its name, "" where it is of all, None where it is of none of them."""
    if isinstance(row, Underlyings | Delivery):
        return ", ".join(one for one in symbols if one in row.symbols or rules.class_of(one) in row.symbols) or None
    symbol: str = getattr(row, "symbol", "")
    return symbol if symbol in (*symbols, "") else None


def doubtful(rules: Rulebook, symbols: Sequence[str], day: datetime.date) -> tuple[str, ...]:
    """What is of low confidence among the rows in force on a day: what it is about, and its source."""
    low = (one for one in in_force(rules, symbols, day) if one.row.confidence is Confidence.LOW)
    return tuple(dict.fromkeys(f"{one.subject}: {one.row.source}" for one in low))


def _applies(rules: Rulebook, row: Dated, day: datetime.date) -> bool:
    """Whether a row is in force: that of a lot where something listed that day expires in its span."""
    if not isinstance(row, Lot):
        return row.holds(day)
    if row.traded_until is not None and day > row.traded_until:
        return False
    is_listed = any(rule.holds(day) for rule in rules.expiry_rules if rule.symbol == row.symbol)
    return is_listed and any(row.holds(expiry) for expiry in rules.expiries(row.symbol, day))
