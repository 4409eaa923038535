"""`participant rules`: the dated rules of the market, and where each is known from."""

import datetime
import os
from argparse import Namespace
from collections.abc import Iterator, Sequence

from msgspec import Struct

from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.commands.rule_words import rule_words
from participant.config import load_config, load_rules
from participant.core.conduct import OperatingRange
from participant.core.in_force import SUBJECTS, InForce, in_force
from participant.core.rulebook import ONE_DAY, OutsideRules, Rulebook
from participant.core.rulerows import Expiry

FRIDAY = 5
TERMS = {table: SUBJECTS[table] for table in ("lots", "freezes", "strike_steps", "ticks", "position_limits")}


class Told(Struct, frozen=True):
    """Every rule in force for a scrip on a day; lots (units) by day of expiry, null where no row covers it.

    `provisional` are the expiries of a year whose holidays are not published: others of them may bring one forward.
    `not_known` is what the exchange has a rule for and these tables have none.
    """

    symbol: str
    day: datetime.date
    is_session: bool
    options_expire: tuple[datetime.date, ...]
    futures_expire: tuple[datetime.date, ...]
    provisional: tuple[datetime.date, ...]
    lots: dict[str, int | None]
    rules: tuple[InForce, ...]
    not_known: tuple[str, ...]


def show(args: Namespace) -> int:
    """Every rule in force for a scrip on a day, with its span, its source and how far that can be trusted."""
    rules, day = load_rules(load_config(args.config, os.environ).desk.span_scans), args.day
    try:
        found = told(rules, args.symbol.upper(), day)
    except OutsideRules as fault:
        known = [symbol for row in rules.indices for symbol in row.symbols]
        others = f"; indices that have rules: {', '.join(known)}, and so has every stock of rules/membership.toml"
        others = "" if rules.class_of(args.symbol.upper()) else others
        raise Refused(f"rules: {fault}{others}") from None
    say(args, "\n".join(_lines(rules, found)), found)
    return DONE


def told(rules: Rulebook, symbol: str, day: datetime.date) -> Told:
    """The rules of a scrip on a day; raises OutsideRules where there are none."""
    options, futures = rules.expiries(symbol, day), rules.future_expiries(symbol, day)
    lots = {str(expiry): _lot(rules, symbol, expiry, day) for expiry in sorted({*options, *futures})}
    unsure = tuple(d for d in sorted({*options, *futures}) if not rules.is_calendar_known(d))
    is_session = rules.session(day) is not None
    found = in_force(rules, (symbol,), day)
    return Told(symbol, day, is_session, options, futures, unsure, lots, found, tuple(_not_known(symbol, found)))


def _not_known(symbol: str, found: Sequence[InForce]) -> Iterator[str]:
    tables = {one.table for one in found}
    yield from (f"{what} of {symbol}" for table, what in TERMS.items() if table not in tables)
    ranges = (one.row for one in found if isinstance(one.row, OperatingRange))
    if not any(kind.is_option for row in ranges for kind in row.kinds):
        yield "an operating range of options"
    expiries = (one.row for one in found if isinstance(one.row, Expiry))
    yield from (f"{row.long_dated} expiries of {symbol} beyond the months" for row in expiries if row.long_dated)


def _lot(rules: Rulebook, symbol: str, expiry: datetime.date, day: datetime.date) -> int | None:
    try:
        return rules.lot(symbol, expiry, day)
    except OutsideRules:
        return None


def _lines(rules: Rulebook, found: Told) -> Iterator[str]:
    yield f"{found.symbol} on {found.day}, {found.day:%A}{_shut(rules, found)}"
    yield f"  options expire  {_days(found.options_expire)}"
    yield f"  futures expire  {_days(found.futures_expire)}"
    if found.provisional:
        yield f"  provisional     {_days(found.provisional)}: the holidays of the year are not published, and one of"
        yield "                  them may bring an expiry forward; national holidays are reckoned with"
    lots = [f"{units or 'not known'} ({expiry})" for expiry, units in found.lots.items()]
    yield f"  lots            {', '.join(lots)}"
    for one in found.rules:
        row = one.row
        yield ": ".join(filter(None, (one.subject, rule_words(row))))
        yield f"    {row.since} to {row.until or 'further notice'}, {row.confidence}: {row.source}"
    if found.not_known:
        why = "for no source by date was found or it is not traded here"
        yield f"not in these tables, {why}: {'; '.join(found.not_known)}"


def _shut(rules: Rulebook, found: Told) -> str:
    """That there is no session on the day, why, and whether what would have expired on it did so before."""
    if found.is_session:
        return ""
    why, before = "a weekend" if found.day.isoweekday() > FRIDAY else "a holiday", found.day - ONE_DAY
    try:
        while rules.session(before) is None:
            before -= ONE_DAY
        is_expiry = rules.is_expiry(found.symbol, before)
    except OutsideRules:  # nothing is known of the days before
        is_expiry = False
    expired = f"; contracts expire on the session before it, {before}" if is_expiry else ""
    return f", no session: {why}{expired}"


def _days(days: tuple[datetime.date, ...]) -> str:
    return ", ".join(map(str, days)) or "none"
