"""The exchange's official daily series as one value: index closes and ranges, futures closes by expiry, India VIX.

`official_files.py` reads them. Prices are 1/10,000 rupee, days IST trading days. Whatever
is asked for "before" a day comes from earlier days alone. The series have holes of months and years: a step of more
than GAP_DAYS_MAX calendar days back ends what is known, so that no look-back spans one.
"""

import datetime
from collections.abc import Mapping
from itertools import takewhile

from msgspec import Struct

from participant.core.once import once
from participant.core.scrip import Kind, contract_key

GAP_DAYS_MAX = 7  # no run of holidays in India shuts the market for longer
ONE_DAY = datetime.timedelta(days=1)

Board = Mapping[datetime.date, int]
Range = tuple[int, int, int]  # open, high and low of a session (prices)


class Basis(Struct, frozen=True):
    """A future's official close and its underlying's on one day (prices)."""

    day: datetime.date
    future: int
    spot: int

    @property
    def points(self) -> int:
        """What the future costs above its underlying (a price, below 0 where it costs less)."""
        return self.future - self.spot


class Official(Struct, frozen=True, dict=True):
    """What was published, by symbol and day: `closes`, `ranges`, `boards` (each a day's futures), `volatilities`."""

    closes: Mapping[str, Mapping[datetime.date, int]] = {}
    boards: Mapping[str, Mapping[datetime.date, Board]] = {}
    volatilities: Mapping[datetime.date, float] = {}
    ranges: Mapping[str, Mapping[datetime.date, Range]] = {}

    def days(self, symbol: str) -> tuple[datetime.date, ...]:
        """The days of which the official close is known, oldest first."""
        return tuple(self.closes.get(symbol, {}))

    def close(self, symbol: str, day: datetime.date) -> int | None:
        """The official close of an index: the average of the last half hour."""
        return self.closes.get(symbol, {}).get(day)

    @once
    def closes_before(self, symbol: str, day: datetime.date, sessions: int) -> tuple[int, ...]:
        """At most this many official closes of the sessions just before a day, oldest first; fewer after a hole."""
        known = self.closes.get(symbol, {})
        return tuple(known[d] for d in run_before(known, day, sessions))

    def ranges_before(self, symbol: str, day: datetime.date, sessions: int) -> tuple[Range, ...]:
        """The ranges of the same sessions as `closes_before`, back from the last one to the first that is not known."""
        days = run_before(self.closes.get(symbol, {}), day, sessions)
        known = takewhile(lambda of: of is not None, (self.ranges.get(symbol, {}).get(d) for d in reversed(days)))
        return tuple(of for of in known if of is not None)[::-1]

    def prices(self, day: datetime.date) -> dict[str, int]:
        """What settles on a day: its official closes by underlying and by future's key."""
        closes = {symbol: self.close(symbol, day) for symbol in self.closes}
        prices = {symbol: close for symbol, close in closes.items() if close is not None}
        for symbol in self.boards:
            futures = self.futures(symbol, day)
            prices |= {contract_key(symbol, expiry, Kind.FUTURE): price for expiry, price in futures.items()}
        return prices

    def futures(self, symbol: str, day: datetime.date) -> Board:
        """The official close of each future on a day, by expiry; none where the day is not known."""
        return self.boards.get(symbol, {}).get(day, {})

    def listed(self, symbol: str, day: datetime.date) -> tuple[datetime.date, ...]:
        """The expiries of the futures that are sure to trade on a day, nearest first: those listed on the one before.

        A month listed on the day itself (after an expiry) is not known before its close.
        """
        boards = self.boards.get(symbol, {})
        last = _last_before(boards, day)
        return tuple(sorted(e for e in boards[last] if e >= day)) if last is not None else ()

    @once
    def basis_before(self, symbol: str, expiry: datetime.date, day: datetime.date) -> Basis | None:
        """A future's basis at the last close before a day."""
        last = _last_before(self.boards.get(symbol, {}), day)
        if last is None:
            return None
        future, spot = self.futures(symbol, last).get(expiry), self.close(symbol, last)
        return Basis(last, future, spot) if future is not None and spot is not None else None

    def volatility_before(self, day: datetime.date, sessions: int) -> tuple[tuple[datetime.date, float], ...]:
        """At most this many published closes of India VIX before a day, as fractions, oldest first."""
        return tuple((d, self.volatilities[d]) for d in run_before(self.volatilities, day, sessions))


NOTHING = Official()  # where no official series is at hand


def _last_before(known: Mapping[datetime.date, object], day: datetime.date) -> datetime.date | None:
    earlier = (day - i * ONE_DAY for i in range(1, GAP_DAYS_MAX + 1))
    return next((d for d in earlier if d in known), None)


def run_before(known: Mapping[datetime.date, object], day: datetime.date, sessions: int) -> list[datetime.date]:
    """At most this many of the known days just before a day, oldest first, back to the last hole at most."""
    found: list[datetime.date] = []
    last = _last_before(known, day)
    while last is not None and len(found) < sessions:
        found.append(last)
        last = _last_before(known, last)
    return found[::-1]
