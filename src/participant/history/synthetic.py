"""Made days of an index, its futures and option chain, by the rules of the day: the same for the same seed, for ever.

It makes a market to try the desk on, not a forecast. A day's master, its look-back and its course all follow from one
long path per seed (`history/paths.py`), so that days join; quotes come from `history/quotes.py`.
"""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from math import exp, sqrt
from random import Random

from msgspec import Struct

from participant.core.in_force import doubtful
from participant.core.market import SECOND, Chain, LookBack, Provenance, Tick
from participant.core.pricing import rounded, years_to
from participant.core.rulebook import Rulebook, Session
from participant.core.scrip import PRICE_UNITS, Contract, Kind
from participant.history import paths
from participant.history.quotes import Quoting, liquidity_of

EXPIRY_DAYS_MAX = 45
EXPIRY_DAYS_COVERED = 30  # at least one expiry lies beyond, for the constant 30-day volatility
FAR_DAYS = 21
LISTED_MAX = 45  # sessions: longer than any expiry is listed before its own
INDEX_TICK = 500
SETTLE_POINTS = 3  # the last half hour, more or less
CARRY, CARRY_DEVIATION = 0.06, 0.003
DAYS_PER_YEAR = 365


class Instant(Struct, frozen=True):
    """What became new at one moment (ns UTC); the first instant of a day holds everything.

    `chains` are options as whole chains, by scrip and expiry, that stand in no tick.
    """

    at: int
    ticks: tuple[Tick, ...]
    is_last: bool
    chains: Mapping[str, Mapping[datetime.date, Chain]] = {}


class SyntheticMarket:
    """One made day of some underlyings, an instant every `step_s` seconds from open to close.

    ValueError where the day cannot be made: no session, before ORIGIN, or an underlying without a profile.
    """

    def __init__(
        self, seed: int, day: datetime.date, rules: Rulebook, symbols: Sequence[str] = ("NIFTY",), step_s: int = 60
    ) -> None:
        if day < paths.ORIGIN:
            raise ValueError(f"made days begin on {paths.ORIGIN}: {day} is before")
        session = rules.session(day)
        if session is None:
            raise ValueError(f"{day} is no trading day: the next one is {rules.next_session(day)}")
        self.seed, self.day, self.symbols = seed, day, tuple(symbols)
        self.step_s = step_s
        self._made = [_Made(seed, symbol, rules, session) for symbol in self.symbols]

    def contracts(self) -> tuple[Contract, ...]:
        """The master of the day: futures first, then options by expiry and strike, call before put."""
        return tuple(c for made in self._made for c in made.contracts)

    def look_back(self, symbol: str) -> LookBack:
        """The LOOK_BACK sessions before: official closes, and 30-day at-the-money volatility at each close."""
        return self._of(symbol).look_back()

    def provenance(self, symbol: str) -> Provenance:
        """Made by a model, and quoted by it: nothing is derived."""
        return Provenance()

    def notes(self) -> tuple[str, ...]:
        """That the market is made, and from what; and which rules of the day may well be otherwise."""
        doubts = doubtful(self._made[0].rules, self.symbols, self.day)
        made = f"the market is made, from seed {self.seed}: see docs/synthetic.md"
        return (made, *(f"rule of low confidence: {doubt}" for doubt in doubts))

    def instants(self) -> Iterator[Instant]:
        """The day, instant by instant; the last one is at the close, whatever the step."""
        session = self._made[0].session
        times = [*range(session.open_at, session.close_at, self.step_s * SECOND), session.close_at]
        courses = [made.course(times, f"{self.seed}/{self.day}/{made.symbol}/{self.step_s}") for made in self._made]
        for at, *ticks in zip(times, *courses, strict=True):
            yield Instant(at, tuple(t for some in ticks for t in some), at == times[-1])

    def settlements(self) -> dict[str, int]:
        """The official prices: each index's close, at which what expires settles, and each future's by its key."""
        return {name: value for made in self._made for name, value in made.settlements().items()}

    def _of(self, symbol: str) -> "_Made":
        for made in self._made:
            if made.symbol == symbol:
                return made
        raise ValueError(f"{symbol} is not among {', '.join(self.symbols)}")


class _Made:
    """One underlying on one day."""

    def __init__(self, seed: int, symbol: str, rules: Rulebook, session: Session) -> None:
        self.symbol, self.rules, self.session = symbol, rules, session
        self._base = paths.profile_of(symbol).volatility
        self._sessions = _sessions(rules, session.day)
        lengths = [(one.close_at - one.open_at) // SECOND for one in self._sessions]
        walks = list(paths.walks(seed, symbol, lengths))
        self._before, self._walk = walks[-paths.LOOK_BACK - 1 : -1], walks[-1]
        self._carry = CARRY + CARRY_DEVIATION * Random(f"{seed}/{session.day}/carry").gauss(0.0, 1.0)

    @cached_property
    def contracts(self) -> tuple[Contract, ...]:
        """Futures, then options."""
        day, rules = self.session.day, self.rules
        spot = _index(self._before[-1].points[-1].spot)
        shape = (rules.tick(self.symbol, Kind.FUTURE, spot, day), rules.freeze(self.symbol, day))
        futures = [
            Contract(self.symbol, expiry, Kind.FUTURE, 0, rules.lot(self.symbol, expiry, day), *shape)
            for expiry in rules.future_expiries(self.symbol, day)
        ]
        shape = (rules.tick(self.symbol, Kind.CALL, spot, day), shape[1])
        options = [
            Contract(self.symbol, expiry, kind, strike, rules.lot(self.symbol, expiry, day), *shape)
            for expiry, strikes in self._listed().items()
            for strike in strikes
            for kind in (Kind.CALL, Kind.PUT)
        ]
        return (*futures, *options)

    def _listed(self) -> dict[datetime.date, list[int]]:
        """The strikes of each expiry: those of today and of every session since it was listed, for they may be held."""
        found: dict[datetime.date, set[int]] = {}
        for session, before in zip(self._sessions[:-LISTED_MAX:-1], self._before[::-1], strict=False):
            day, spot = session.day, _index(before.points[-1].spot)
            for expiry in _expiries(self.rules.expiries(self.symbol, day), day):
                if expiry >= self.session.day:
                    step = self.rules.strike_step(self.symbol, day)
                    found.setdefault(expiry, set()).update(_strikes(spot, step, (expiry - day).days))
        return {expiry: sorted(found[expiry]) for expiry in sorted(found)}

    def look_back(self) -> LookBack:
        closes = tuple(_official(walk) for walk in self._before)
        year = EXPIRY_DAYS_COVERED / 365
        sessions = year * paths.SESSIONS_PER_YEAR
        ends = (paths.total_variance(self._base, walk.points[-1], sessions) for walk in self._before)
        return LookBack(closes, tuple(rounded(sqrt(variance / year)) for variance in ends))

    def course(self, times: Sequence[int], name: str) -> Iterator[list[Tick]]:
        """What changed at each of the times."""
        moments = [self._moment(at) for at in times]
        quoting = Quoting(Random(f"{name}/quotes"))
        spots = paths.fine(self._walk, moments, Random(f"{name}/spot"))
        said = 0
        for at, moment, log_spot in zip(times, moments, spots, strict=True):
            spot = _index(log_spot)
            ticks = [Tick(self.symbol, 0, 0, 0, 0, spot, at)] if spot != said else []
            said = spot
            ticks += self._quotes(quoting, spot, moment, at)
            yield ticks

    def settlements(self) -> dict[str, int]:
        """The official close, and each future's settlement price: the official close where it expires."""
        official, spot = _official(self._walk), _index(self._walk.points[-1].spot)
        prices = {self.symbol: official}
        for future in self.contracts:
            if future.kind is Kind.FUTURE:
                fair = self._forward(spot, future.expiry, self.session.close_at)
                on_tick = round(fair / future.tick) * future.tick
                prices[future.key] = official if future.expiry == self.session.day else on_tick
        return prices

    def _quotes(self, quoting: Quoting, spot: int, moment: float, at: int) -> Iterator[Tick]:
        point = paths.between(self._walk, moment)
        for expiry, (futures, rows) in self._by_expiry.items():
            if at > self.rules.expiry_at(expiry):
                yield from quoting.close([*futures, *(c for row in rows for c in row)], at)
                continue
            forward = self._forward(spot, expiry, at)
            for future in futures:
                yield from quoting.future(future, forward, at)
            left = self._sessions_after[expiry] + self._left_today(expiry, at)
            variance = paths.total_variance(self._base, point, left)
            days = years_to(self.rules.expiry_at(expiry), at) * DAYS_PER_YEAR
            yield from quoting.chain(rows, forward, variance, liquidity_of(days, bool(futures)), at)

    @cached_property
    def _by_expiry(self) -> dict[datetime.date, tuple[list[Contract], list[tuple[Contract, Contract]]]]:
        """The futures and the (call, put) rows of each expiry."""
        days = sorted({c.expiry for c in self.contracts})
        futures = {day: [c for c in self.contracts if c.expiry == day and c.kind is Kind.FUTURE] for day in days}
        calls = {day: [c for c in self.contracts if c.expiry == day and c.kind is Kind.CALL] for day in days}
        puts = {day: [c for c in self.contracts if c.expiry == day and c.kind is Kind.PUT] for day in days}
        return {day: (futures[day], list(zip(calls[day], puts[day], strict=True))) for day in days}

    @cached_property
    def _sessions_after(self) -> dict[datetime.date, int]:
        """How many sessions follow today up to each expiry; beyond the published calendar every weekday counts."""
        day, count, found = self.session.day, 0, {}
        for _ in range((max(self._by_expiry) - day).days + 1):
            found[day] = count
            day += datetime.timedelta(days=1)
            is_known = self.rules.is_calendar_known(day)
            count += self.rules.session(day) is not None if is_known else day.isoweekday() <= 5
        return found

    def _left_today(self, expiry: datetime.date, at: int) -> float:
        """The share of a session's variance that is still to come today."""
        until = self.rules.expiry_at(expiry) if expiry == self.session.day else self.session.close_at
        return paths.INTRADAY_SHARE * max(0, until - at) / (self.session.close_at - self.session.open_at)

    def _forward(self, spot: int, expiry: datetime.date, at: int) -> float:
        return spot * exp(self._carry * years_to(self.rules.expiry_at(expiry), at))

    def _moment(self, at: int) -> float:
        """A time of the session on the path's scale: 0 the open, STEPS the close."""
        return (at - self.session.open_at) / (self.session.close_at - self.session.open_at) * paths.STEPS


def _sessions(rules: Rulebook, day: datetime.date) -> list[Session]:
    """Every session from ORIGIN to this day."""
    days = (paths.ORIGIN + datetime.timedelta(days=i) for i in range((day - paths.ORIGIN).days + 1))
    return [session for d in days if (session := rules.session(d)) is not None]


def _expiries(listed: Sequence[datetime.date], day: datetime.date) -> list[datetime.date]:
    """Those within EXPIRY_DAYS_MAX, and one beyond where none would lie EXPIRY_DAYS_COVERED away."""
    near = [e for e in listed if (e - day).days <= EXPIRY_DAYS_MAX]
    is_covered = any((e - day).days >= EXPIRY_DAYS_COVERED for e in near)
    return near if is_covered else list(listed[: len(near) + 1])


@cache
def _strikes(spot: int, step: int, days: int) -> tuple[int, ...]:
    """Strikes from about -4 % to +9 %: every one near the money, every even one further out; half of those far ahead.

    Which are even does not depend on the spot, so that the next session's are mostly the same ones.
    """
    if days > FAR_DAYS:
        step *= 2
    middle = round(spot / step)
    low, high = -round(0.04 * spot / step), round(0.09 * spot / step)
    dense_low, dense_high = -round(0.015 * spot / step), round(0.03 * spot / step)
    offsets = (i for i in range(low, high + 1) if dense_low <= i <= dense_high or (middle + i) % 2 == 0)
    return tuple((middle + i) * step for i in offsets)


def _index(log_spot: float) -> int:
    """An index value (1/10,000 rupee), to 0.05 rupee."""
    return round(exp(log_spot) * PRICE_UNITS / INDEX_TICK) * INDEX_TICK


def _official(walk: paths.Walk) -> int:
    """The official close of a session: the average of its last points, never its last value alone."""
    last = [exp(point.spot) for point in walk.points[-SETTLE_POINTS:]]
    return round(sum(last) / len(last) * PRICE_UNITS / INDEX_TICK) * INDEX_TICK
