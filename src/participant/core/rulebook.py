"""The dated rules of the market as one value: ask it for sessions, expiries, lots, ticks, charges, margins on a date.

Its rows (`core/rulerows.py`) carry their source and how far they can be trusted; one without `until` holds until a
newer one is known. Asking for what no row covers raises OutsideRules. Nothing is guessed, with one exception that says
so: expiries in a year whose holidays are not published yet stand on their plain weekday (`is_calendar_known`).
"""

import datetime
from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

from msgspec import Struct

from participant.core import rulerows
from participant.core.charges import ChargeRates
from participant.core.ids import digest
from participant.core.margin import MarginRates
from participant.core.scrip import Kind
from participant.core.session import Session, at_time

__all__ = ["OutsideRules", "Rulebook", "Session"]

ONE_DAY = datetime.timedelta(days=1)
SHUT_DAYS_MAX = 15  # the longest run of days without a session that is searched


class OutsideRules(LookupError):
    """Asked beyond what the rules know: what was asked, what is known, and how to mend it."""


Row = TypeVar("Row", bound=rulerows.Dated)


class Rulebook(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True):
    """The rules of one market; days are IST trading days, prices 1/10,000 rupee."""

    holidays: tuple[rulerows.Holidays, ...]
    hours: tuple[rulerows.Hours, ...]
    special_sessions: tuple[rulerows.Hours, ...]
    settlements: tuple[rulerows.Settlement, ...]
    expiry_rules: tuple[rulerows.Expiry, ...]
    lots: tuple[rulerows.Lot, ...]
    freezes: tuple[rulerows.Freeze, ...]
    strike_steps: tuple[rulerows.StrikeStep, ...]
    ticks: tuple[rulerows.TickSize, ...]
    charges: tuple[rulerows.ChargeRow, ...]
    margins: tuple[rulerows.MarginRow, ...]

    @cached_property
    def content_hash(self) -> str:
        """The digest of every row; it is logged with each decision."""
        return digest(self)

    # --- days ----------------------------------------------------------------------------------------------------

    def is_calendar_known(self, day: datetime.date) -> bool:
        """Whether the holidays around this day are published."""
        return any(row.holds(day) for row in self.holidays)

    def session(self, day: datetime.date) -> Session | None:
        """The session of a day, `None` on holidays and weekends. Raises OutsideRules outside the known calendar."""
        shut = _row(self.holidays, day, "the trading calendar", "calendar.toml")
        special = [row for row in self.special_sessions if row.holds(day)]
        if special:
            return _session(special[0], day)
        if day.isoweekday() > 5 or day in shut.days:
            return None
        return _session(_row(self.hours, day, "trading hours", "calendar.toml"), day)

    def next_session(self, day: datetime.date) -> datetime.date:
        """The first day with a session after this one."""
        return self._search(day, ONE_DAY)

    def previous_session(self, day: datetime.date) -> datetime.date:
        """The last day with a session before this one."""
        return self._search(day, -ONE_DAY)

    def _search(self, day: datetime.date, step: datetime.timedelta) -> datetime.date:
        candidate = day
        for _ in range(SHUT_DAYS_MAX):
            candidate += step
            if self.session(candidate) is not None:
                return candidate
        raise OutsideRules(f"no session within {SHUT_DAYS_MAX} days of {day}: check rules/calendar.toml")

    # --- contracts -----------------------------------------------------------------------------------------------

    def expiries(self, symbol: str, on: datetime.date) -> tuple[datetime.date, ...]:
        """The days on which the options listed on a day expire, nearest first: the weeklies and the monthlies."""
        rule = self._expiry_rule(symbol, on)
        return tuple(sorted({*self._weeklies(rule, on), *self._monthlies(rule, on)}))

    def future_expiries(self, symbol: str, on: datetime.date) -> tuple[datetime.date, ...]:
        """The days on which the futures listed on a day expire, nearest first: serial months."""
        return self._monthlies(self._expiry_rule(symbol, on), on)

    def expiry_at(self, expiry: datetime.date) -> int:
        """The instant (ns UTC) at which contracts that expire on a day stop trading, known calendar or not."""
        return _at(expiry, _row(self.hours, expiry, "trading hours", "calendar.toml").expiring_close)

    def lot(self, symbol: str, expiry: datetime.date) -> int:
        """Units in a lot of the contracts that expire on a day."""
        return _row(_of(self.lots, symbol), expiry, f"the lot of {symbol}", "contracts.toml").units

    def freeze(self, symbol: str, on: datetime.date) -> int:
        """The most units that one order may have on a day; orders stay within it in whole lots."""
        return _row(_of(self.freezes, symbol), on, f"the freeze quantity of {symbol}", "contracts.toml").units

    def strike_step(self, symbol: str) -> int:
        """The distance between strikes near the money (price), by the row without an end."""
        return _present(_of(self.strike_steps, symbol), f"the strike step of {symbol}")[0].step

    def tick(self, symbol: str, kind: Kind, price: int) -> int:
        """The price step of a contract, by the rows without an end.

        An index future's step goes by the level of its underlying, fixed month by month: hand in that level. For
        options the price plays no part.
        """
        bands = [row for row in _of(self.ticks, symbol) if kind in row.kinds and max(price, 1) > row.above]
        return max(_present(bands, f"the tick of {symbol} {kind}"), key=lambda row: row.above).tick

    # --- money ---------------------------------------------------------------------------------------------------

    def charge_rates(self, on: datetime.date) -> ChargeRates:
        """The rates of charges on a day."""
        return _row(self.charges, on, "charges", "charges.toml").rates

    def margin_rates(self, on: datetime.date) -> MarginRates:
        """The parameters of margins on a day."""
        return _row(self.margins, on, "margins", "margin.toml").rates

    def settlement_method(self, on: datetime.date) -> str:
        """How the final settlement price of index contracts that expire on a day is found."""
        return _row(self.settlements, on, "final settlement", "calendar.toml").method

    # --- expiries, worked out ------------------------------------------------------------------------------------

    def _expiry_rule(self, symbol: str, on: datetime.date) -> rulerows.Expiry:
        return _row(_of(self.expiry_rules, symbol), on, f"expiries of {symbol}", "contracts.toml")

    def _weeklies(self, rule: rulerows.Expiry, on: datetime.date) -> tuple[datetime.date, ...]:
        first = on + datetime.timedelta(days=(rule.weekday - on.isoweekday()) % 7)
        # One week more than is listed: the first may have been brought forward to before `on`.
        weeks = (self._shifted(first + datetime.timedelta(weeks=i)) for i in range(rule.weeklies + 1))
        return tuple(day for day in weeks if day >= on)[: rule.weeklies]

    def _monthlies(self, rule: rulerows.Expiry, on: datetime.date) -> tuple[datetime.date, ...]:
        months = (self._shifted(_last_weekday(on, i, rule.weekday)) for i in range(rule.monthlies + 1))
        return tuple(day for day in months if day >= on)[: rule.monthlies]

    def _shifted(self, day: datetime.date) -> datetime.date:
        """The day, or the last trading day before it; as it is where its calendar is not known yet."""
        shut = {holiday for row in self.holidays for holiday in row.days}
        for _ in range(SHUT_DAYS_MAX):
            if day.isoweekday() <= 5 and day not in shut:
                break
            day -= ONE_DAY
        return day


def _session(hours: rulerows.Hours, day: datetime.date) -> Session:
    times = hours.open, hours.close, hours.expiring_close, hours.pre_open, hours.post_close_until
    open_at, close_at, expiring_close_at, pre_open_at, post_close_until = (_at(day, time) for time in times)
    return Session(day, open_at, close_at, expiring_close_at, hours.source, pre_open_at, post_close_until)


def _at(day: datetime.date, time: datetime.time) -> int:
    return at_time(day, time.hour, time.minute, time.second)


def _last_weekday(on: datetime.date, months: int, weekday: int) -> datetime.date:
    """The last such weekday of the month that lies so many months after that of `on`."""
    year, month = divmod(on.year * 12 + on.month + months, 12)
    last = datetime.date(year, month + 1, 1) - ONE_DAY
    return last - datetime.timedelta(days=(last.isoweekday() - weekday) % 7)


Named = TypeVar("Named", rulerows.Expiry, rulerows.Lot, rulerows.Freeze, rulerows.StrikeStep, rulerows.TickSize)


def _of(rows: Sequence[Named], symbol: str) -> list[Named]:
    return [row for row in rows if row.symbol == symbol]


def _row(rows: Sequence[Row], day: datetime.date, what: str, file: str) -> Row:
    for row in rows:
        if row.holds(day):
            return row
    if not rows:
        raise OutsideRules(f"no rule for {what}: add a row to rules/{file}")
    known = ", ".join(f"{row.since} to {row.until or 'further notice'}" for row in rows)
    raise OutsideRules(f"no rule for {what} on {day}; known: {known}: add a row to rules/{file}")


def _present(rows: Sequence[Row], what: str) -> list[Row]:
    present = [row for row in rows if row.until is None]
    if not present:
        raise OutsideRules(f"no rule for {what} at present: add a row without until to rules/contracts.toml")
    return present
