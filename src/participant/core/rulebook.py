"""The dated rules of the market as one value: ask it for sessions, expiries, lots, ticks, charges, margins on a date.

Its rows (`core/rulerows.py`) carry their source and how far they can be trusted; one without `until` holds until a
newer one is known. Asking for what no row covers raises OutsideRules. Nothing is guessed, with one exception that says
so: expiries in a year whose holidays are not published yet stand on their plain weekday, but for holidays that are
certain before that (`is_calendar_known`).
`core/in_force.py` lists the rows in force on a day.
"""

import datetime
from collections.abc import Sequence

from msgspec.structs import asdict

from participant.core import rulerows
from participant.core.charges import ChargeRates
from participant.core.conduct import Conduct
from participant.core.ids import digest
from participant.core.margin import DayRates
from participant.core.once import kept, once
from participant.core.outside import ONE_DAY, OutsideRules, row_on
from participant.core.scrip import Kind
from participant.core.session import Session, at_time

__all__ = ["ONE_DAY", "OutsideRules", "Rulebook", "Session"]

SHUT_DAYS_MAX = 15  # the longest run of days without a session that is searched
# National holidays (month, day): the only ones of a year to come that are certain before its list is published.
FIXED_HOLIDAYS = ((1, 26), (5, 1), (8, 15), (10, 2), (12, 25))

Expiries = Sequence[rulerows.Expiry]


class Rulebook(Conduct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True, omit_defaults=True):
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
    price_ranges: tuple[rulerows.PriceRange, ...]
    charges: tuple[rulerows.ChargeRow, ...]
    margins: tuple[rulerows.MarginRow, ...]
    event_days: tuple[rulerows.EventDays, ...] = ()
    scans: tuple[rulerows.ScanRow, ...] = ()  # only where someone named a file of them; without, no digest has them

    @kept
    def content_hash(self) -> str:
        """The digest of every row; it is logged with each decision."""
        return digest(self)

    # --- days ----------------------------------------------------------------------------------------------------

    def is_calendar_known(self, day: datetime.date) -> bool:
        """Whether the holidays around this day are published."""
        return any(row.holds(day) for row in self.holidays)

    @once
    def session(self, day: datetime.date) -> Session | None:
        """The session of a day, `None` on holidays and weekends. Raises OutsideRules outside the known calendar."""
        shut = row_on(self.holidays, day, "the trading calendar", "calendar.toml")
        special = [row for row in self.special_sessions if row.holds(day)]
        if special:
            return _session(special[0], day)
        if day.isoweekday() > 5 or day in shut.days:
            return None
        return _session(row_on(self.hours, day, "trading hours", "calendar.toml"), day)

    @once
    def events(self, symbol: str, first: datetime.date, last: datetime.date) -> tuple[rulerows.Event, ...]:
        """The known events of all and of a scrip from one day to another, both included, in their order."""
        rows = [row for row in self.event_days if row.symbol in ("", symbol)]
        found = (rulerows.Event(d, r.name, r.source, r.confidence) for r in rows for d in r.days if first <= d <= last)
        return tuple(sorted(found, key=lambda event: (event.day, event.name)))

    def next_session(self, day: datetime.date) -> datetime.date:
        """The first day with a session after this one."""
        after = day
        for _ in range(SHUT_DAYS_MAX):
            after += ONE_DAY
            if self.session(after) is not None:
                return after
        raise OutsideRules(f"no session within {SHUT_DAYS_MAX} days of {day}: check rules/calendar.toml")

    # --- contracts -----------------------------------------------------------------------------------------------

    def expiries(self, symbol: str, on: datetime.date) -> tuple[datetime.date, ...]:
        """The days on which the options listed on a day expire, nearest first: the weeklies and the monthlies."""
        rule, rows = self._expiry_rule(symbol, on), self.rows_of(self.expiry_rules, symbol)
        return tuple(sorted({*self._weeklies(rule, rows, on), *self._monthlies(rule, rows, on)}))

    @once
    def future_expiries(self, symbol: str, on: datetime.date) -> tuple[datetime.date, ...]:
        """The days on which the futures listed on a day expire, nearest first: serial months."""
        return self._monthlies(self._expiry_rule(symbol, on), self.rows_of(self.expiry_rules, symbol), on)

    def is_expiry(self, symbol: str, day: datetime.date) -> bool:
        """Whether contracts may be listed that expire on a day: one of a week or of a month, however far ahead.

        Those far ahead bear their plain weekday until the year's holidays are published, and are then brought forward;
        a holiday that is certain before that shifts them at once.
        """
        rows = self.rows_of(self.expiry_rules, symbol)
        row_on(rows, day, f"expiries of {symbol}", "contracts.toml")
        if day == _month_day(rows, day):
            return True
        ahead = [day + i * ONE_DAY for i in range(SHUT_DAYS_MAX)]
        planned = [d for d in ahead if d in (_month_day(rows, d), _week_day(rows, d))]
        return any(day in (self._shifted(d), self._shifted(self._off_fixed(d))) for d in planned)

    @once
    def expiry_at(self, expiry: datetime.date) -> int:
        """The instant (ns UTC) at which contracts that expire on a day stop trading, known calendar or not."""
        return _at(expiry, row_on(self.hours, expiry, "trading hours", "calendar.toml").expiring_close)

    @once
    def ends_of(self, expiries: tuple[datetime.date, ...]) -> tuple[int, ...]:
        """`expiry_at` of each."""
        return tuple([self.expiry_at(expiry) for expiry in expiries])

    @once
    def lot(self, symbol: str, expiry: datetime.date, on: datetime.date | None = None) -> int:
        """Units in a lot of the contracts that expire on a day, as traded on a day; without one, as on their last."""
        rows = self.rows_of(self.lots, symbol)
        before = [row for row in rows if on and row.traded_until and on <= row.traded_until and row.holds(expiry)]
        at_last = [row for row in rows if row.traded_until is None]
        return row_on(before or at_last, expiry, f"the lot of {symbol}", "contracts.toml").units

    @once
    def freeze(self, symbol: str, on: datetime.date) -> int:
        """The most units that one order may have on a day; orders stay within it in whole lots."""
        return row_on(
            self.rows_of(self.freezes, symbol), on, f"the freeze quantity of {symbol}", "contracts.toml"
        ).units

    def strike_step(self, symbol: str, on: datetime.date) -> int:
        """The distance between strikes near the money (price) on a day."""
        return row_on(
            self.rows_of(self.strike_steps, symbol), on, f"the strike step of {symbol}", "contracts.toml"
        ).step

    @once
    def tick(self, symbol: str, kind: Kind, price: int, on: datetime.date) -> int:
        """The price step of a contract on a day, by the level of its underlying (price).

        The exchange fixes it month by month. For index options the level plays no part.
        """
        rows = [row for row in self.rows_of(self.ticks, symbol) if kind in row.kinds]
        whose = row_on(rows, on, f"the tick of {symbol} {kind}", "contracts.toml").symbol
        bands = (row for row in rows if row.symbol == whose and row.holds(on) and max(price, 1) > row.above)
        return max(bands, key=lambda row: row.above).tick

    @once
    def price_range(self, kind: Kind, on: datetime.date) -> rulerows.PriceRange:
        """How far from its reference the limit of a kind of contract may lie on a day."""
        rows = [row for row in self.price_ranges if kind in row.kinds]
        return row_on(rows, on, f"the price range of {kind}", "contracts.toml")

    # --- money ---------------------------------------------------------------------------------------------------

    @once
    def charge_rates(self, on: datetime.date) -> ChargeRates:
        """The rates of charges on a day."""
        return row_on(self.charges, on, "charges", "charges.toml").rates

    @once
    def margin_rates(self, symbol: str, on: datetime.date) -> DayRates:
        """The parameters of an underlying's margin on a day, by the published scan ranges where there are any.

        What expires on the day is set off against later expiries as `calendar_spreads` has it; of an underlying of no
        known class it is not.
        """
        rows = [*self.rows_of(self.margins, symbol), *self._margins_of_all]
        rates, scan = row_on(rows, on, "margins", "margin.toml").rates, self.scan(symbol, on)
        is_offset = bool(self.class_of(symbol)) and self.calendar_offset(symbol, on)
        return DayRates(**asdict(scan.over(rates) if scan else rates), is_offset_on_last_day=is_offset)

    @kept
    def _margins_of_all(self) -> tuple[rulerows.MarginRow, ...]:
        return tuple(row for row in self.margins if not row.symbol)

    def scan(self, symbol: str, on: datetime.date) -> rulerows.ScanRow | None:
        """The scan ranges that were published for an underlying's day; None where no file that was named has them."""
        return self._scans.get((symbol, on))

    @kept
    def _scans(self) -> dict[tuple[str, datetime.date], rulerows.ScanRow]:
        return {(row.symbol, row.since): row for row in self.scans}

    def settlement_method(self, on: datetime.date) -> str:
        """How the final settlement price of index contracts that expire on a day is found."""
        return row_on(self.settlements, on, "final settlement", "calendar.toml").method

    # --- expiries, worked out ------------------------------------------------------------------------------------

    def _expiry_rule(self, symbol: str, on: datetime.date) -> rulerows.Expiry:
        return row_on(self.rows_of(self.expiry_rules, symbol), on, f"expiries of {symbol}", "contracts.toml")

    def _weeklies(self, rule: rulerows.Expiry, rows: Expiries, on: datetime.date) -> tuple[datetime.date, ...]:
        week = datetime.timedelta(weeks=1)
        # Two weeks more than are listed: the first may have passed, or been brought forward to before `on`.
        planned = (_week_day(rows, on + i * week) for i in range(rule.weeklies + 2))
        days = (self._shifted(self._off_fixed(day)) for day in planned if day is not None)
        return tuple(day for day in days if day >= on)[: rule.weeklies]

    def _monthlies(self, rule: rulerows.Expiry, rows: Expiries, on: datetime.date) -> tuple[datetime.date, ...]:
        planned = (_month_day(rows, on, i) for i in range(rule.monthlies + 1))
        days = (self._shifted(self._off_fixed(day)) for day in planned if day is not None)
        return tuple(day for day in days if day >= on)[: rule.monthlies]

    def _off_fixed(self, day: datetime.date) -> datetime.date:
        """The day before, where this one is a certain holiday of a year whose list is not published."""
        is_shut = not self.is_calendar_known(day) and (day.month, day.day) in FIXED_HOLIDAYS
        return day - ONE_DAY if is_shut else day

    def _shifted(self, day: datetime.date) -> datetime.date:
        """The day, or the last trading day before it; as it is where its calendar is not known yet."""
        for _ in range(SHUT_DAYS_MAX):
            if day.isoweekday() <= 5 and day not in self._shut:
                break
            day -= ONE_DAY
        return day

    @kept
    def _shut(self) -> frozenset[datetime.date]:
        return frozenset(holiday for row in self.holidays for holiday in row.days)


def _session(hours: rulerows.Hours, day: datetime.date) -> Session:
    times = hours.open, hours.close, hours.expiring_close, hours.post_close_until
    open_at, close_at, expiring_close_at, post_close_until = (_at(day, time) for time in times)
    pre_open_at = _at(day, hours.pre_open) if hours.pre_open is not None else 0
    return Session(day, open_at, close_at, expiring_close_at, hours.source, pre_open_at, post_close_until)


def _at(day: datetime.date, time: datetime.time) -> int:
    return at_time(day, time.hour, time.minute, time.second)


def _week_day(rows: Sequence[rulerows.Expiry], on: datetime.date) -> datetime.date | None:
    """The day of a week on which contracts expire by plan: the month's where it lies in that week."""
    monday = on - (on.isoweekday() - 1) * ONE_DAY
    of_month = _month_day(rows, monday), _month_day(rows, monday + 6 * ONE_DAY)
    for row in (row for row in rows if row.weeklies):
        day = monday + (row.weekday - 1) * ONE_DAY
        if row.holds(day):
            return next((end for end in of_month if end and monday <= end <= monday + 6 * ONE_DAY), day)
    return None


def _month_day(rows: Sequence[rulerows.Expiry], on: datetime.date, months: int = 0) -> datetime.date | None:
    """The day on which the contracts of a month expire by plan, so many months after that of `on`."""
    for row in rows:
        day = _last_weekday(on, months, row.monthly_weekday or row.weekday)
        if row.holds(day):
            return day
    return None


def _last_weekday(on: datetime.date, months: int, weekday: int) -> datetime.date:
    """The last such weekday of the month that lies so many months after that of `on`."""
    year, month = divmod(on.year * 12 + on.month + months, 12)
    last = datetime.date(year, month + 1, 1) - ONE_DAY
    return last - datetime.timedelta(days=(last.isoweekday() - weekday) % 7)
