"""The at-the-money overwrite: the index held, a call sold at the money each cycle and kept to its expiry, no charges.

One sale serves the study (each cycle in points: docs/overwrite.md) and the benchmark of a backtest (the growth of a
rupee, compounded as Cboe does for its BuyWrite index BXM: "Cboe S&P 500 BuyWrite Index Methodology").
"""

import datetime
from collections.abc import Sequence
from itertools import groupby

from msgspec import Struct

from participant.core.rulebook import Rulebook
from participant.core.scrip import Kind
from participant.core.session import at_time, day_of
from participant.history.official import Official
from participant.history.pages import BadData, Page
from participant.history.recordings import Recordings, screened

Span = tuple[datetime.date, datetime.date]
FIRST_SALE = (9, 45)  # IST: half an hour after the open, when the chain is quoted
ONE_DAY = datetime.timedelta(days=1)


class Cycle(Struct, frozen=True):
    """A call that was sold at `sold_at` (ns UTC) and held to its expiry. Prices in 1/10,000 rupee.

    `close` is the official close of the underlying on the day of expiry; None where it is not known: then the cycle
    is not settled, and has no result.
    """

    symbol: str
    sold_at: int
    expiry: datetime.date
    spot: int
    strike: int
    bid: int
    is_modelled: bool
    close: int | None

    @property
    def index(self) -> int | None:
        """What the underlying made from the sale to the official close (a price)."""
        return None if self.close is None else self.close - self.spot

    @property
    def call(self) -> int | None:
        """What the call made: its bid, less what it was worth at the official close (a price)."""
        return None if self.close is None else self.bid - max(0, self.close - self.strike)

    @property
    def covered(self) -> int | None:
        """Both: bid + min(close, strike) - spot (a price)."""
        return None if self.close is None else self.bid + min(self.close, self.strike) - self.spot


class Overwrite:
    """The walk over one underlying's days, oldest first: sells, holds, settles, sells again in the next session.

    It sells the nearest monthly expiry on days that record one, and the nearest recorded one on others. `growth` is
    what a rupee at the first sale has become: the index alone between a settlement and the next sale, the index less
    the call (valued at the middle of its last quote) within a cycle; the premium buys more of the index, as in BXM:
    growth = (S - C) / (S0 - bid). On a day without a page the call keeps its last time value. It is None before the
    first sale, and for good after an expiry without an official close.
    """

    def __init__(self, symbol: str, official: Official, rules: Rulebook) -> None:
        self.symbol, self.official, self.rules = symbol, official, rules
        self.cycles: list[Cycle] = []
        self.growth: float | None = None
        self._held = self._is_lost = False  # whether a call is out; whether what one settled at is not known
        self._start = 1.0, 0.0  # what a rupee was, and the price that it stood in, at the last sale or settlement
        self._spot, self._time_value = 0, 0.0

    def see(self, day: datetime.date, pages: Sequence[Page]) -> None:
        """A day's screened pages of this underlying, in any order; none on a day of which only closes are known."""
        mine = sorted((page for page in pages if page.symbol == self.symbol), key=lambda page: (page.at, page.expiry))
        if self._held and self.cycles[-1].expiry < day:
            self._end()
        if not self._held and not self._is_lost:
            self._sell(day, mine)
        if not self.cycles or self._is_lost:
            return
        self._spot = self.official.close(self.symbol, day) or (mine[-1].spot if mine else self._spot)
        self.growth = self._worth(day, mine)
        if self._held and self.cycles[-1].expiry <= day:
            self._end()

    def _end(self) -> None:
        cycle, (worth, price) = self.cycles[-1], self._start
        self._held = False
        if cycle.close is None:
            self.growth, self._is_lost = None, True
        else:
            self._start = worth * min(cycle.close, cycle.strike) / price, float(cycle.close)

    def _sell(self, day: datetime.date, pages: Sequence[Page]) -> None:
        if not pages:
            return
        monthly = self.rules.future_expiries(self.symbol, day)
        mine = [page for page in pages if page.expiry in monthly] or list(pages)
        cycle = sale(day, mine, self.official)
        if cycle is None:
            return
        worth, price = self._start
        self._start = worth * cycle.spot / price if price else worth, float(cycle.spot - cycle.bid)
        self._held, self._time_value = True, float(cycle.bid)
        self.cycles.append(cycle)

    def _worth(self, day: datetime.date, pages: Sequence[Page]) -> float:
        worth, price = self._start
        if not self._held:
            return worth * self._spot / price
        cycle = self.cycles[-1]
        intrinsic = max(0, self._spot - cycle.strike)
        if cycle.expiry == day and cycle.close is not None:
            return worth * min(cycle.close, cycle.strike) / price
        for page in reversed(pages):
            cell = next((c for c in page.cells if (c.kind, c.strike) == (Kind.CALL, cycle.strike)), None)
            if page.expiry == cycle.expiry and cell is not None and cell.bid and cell.ask:
                self._time_value = max(0.0, (cell.bid + cell.ask) / 2 - max(0, page.spot - cycle.strike))
                break
        return worth * (self._spot - intrinsic - self._time_value) / price


def sale(day: datetime.date, pages: Sequence[Page], official: Official) -> Cycle | None:
    """The call of a day's nearest expiry among these pages, sold at its bid; None where none can be.

    It is the call of the first strike at or above spot, at the first moment from 09:45 at which that one is bid.
    """
    nearest = min((page.expiry for page in pages), default=None)
    for page in sorted(pages, key=lambda page: page.at):
        if page.expiry != nearest or page.at < at_time(day, *FIRST_SALE):
            continue
        calls = (cell for cell in page.cells if cell.kind is Kind.CALL and cell.strike >= page.spot)
        call = min(calls, key=lambda cell: cell.strike, default=None)
        if call is not None and call.bid:
            close = official.close(page.symbol, page.expiry)
            return Cycle(page.symbol, page.at, page.expiry, page.spot, call.strike, call.bid, page.is_modelled, close)
    return None


def study(recordings: Recordings, symbols: Sequence[str], span: Span, rules: Rulebook) -> list[Cycle]:
    """Every cycle of these underlyings that begins within the span, both days included.

    A cycle is an expiry, from the first day on which it is the nearest one recorded: two may overlap where a collector
    went over from monthly to weekly expiries. Raises BadData where an underlying has none, or the span is none.
    """
    if span[0] > span[1]:
        raise BadData(f"the first day, {span[0]}, lies after the last, {span[1]}")
    pages, found = screened(recordings, span, rules), list[Cycle]()
    for symbol in symbols:
        sold = dict[datetime.date, Cycle]()
        mine = sorted(pages.get(symbol, ()), key=lambda page: page.at)
        for day, of in groupby(mine, key=lambda page: day_of(page.at)):
            today = list(of)
            if min(page.expiry for page in today) not in sold:
                cycle = sale(day, today, recordings.official)
                sold |= {cycle.expiry: cycle} if cycle is not None else {}
        if not sold:
            raise BadData(f"no call of {symbol} is recorded from {span[0]} to {span[1]}: name its chains with --data")
        found += sold.values()
    return found
