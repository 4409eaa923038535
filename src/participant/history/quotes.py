"""How a made option chain is quoted: a smile without arbitrage, put-call parity, spreads and sizes by moneyness.

The smile is Gatheral and Jacquier's SSVI surface, total variance over log moneyness, with a skew that grows with the
variance left (Hendriks and Martini), within the bounds of no butterfly and no calendar arbitrage. Prices here are
floats in units of 1/10,000 rupee until they are put on ticks; the middle of a quote is the fair price rounded to half a
tick, so that middles fall with the strike as fair prices do. docs/synthetic.md measures all of it against real days.
"""

from collections.abc import Iterator, Sequence
from math import exp, log, sqrt
from random import Random

from msgspec import Struct

from participant.core.market import Tick
from participant.core.pricing import price
from participant.core.scrip import Contract

# Smile: fitted to NIFTY, two sessions to six weeks before expiry, of 2018-19, June 2019 and Oct-Nov 2025.
SKEW_MAX = -0.5  # at most 1 / 2: it grows no faster than the root of the variance, so that no calendar spread is free
SKEW_VARIANCE = 0.0028  # at which the skew is SKEW_MAX / root 2; a month at 14 % has 0.0016
CURVATURE = 0.8  # below 2 / (1 + |SKEW_MAX|), which is the bound of no butterfly
# Spread of a liquid expiry, a share of the premium: between those of 2018-19 and those of 2025.
SPREAD_AT_MONEY, SPREAD_GROWTH, SPREAD_MAX = 0.003, 0.8, 0.03
FUTURE_SPREAD = 0.00006
# Days to expiry up to which a weekly and a monthly are quoted as well as the best, and those in which it gets twice as
# wide from there (NIFTY, Oct-Nov 2025; June 2019 was thinner still).
WEEKLY_LIQUID_DAYS, WEEKLY_DOUBLING_DAYS = 13.5, 4.5
MONTHLY_LIQUID_DAYS, MONTHLY_DOUBLING_DAYS = 20.0, 20.0
THIN_MAX = 8.0
# Sizes at the touch, lots: the typical one at the money is LOT_DAYS / days to expiry, e times more one deviation out,
# and log-normal around it (the geometric mean of NIFTY 2018-19 and 2025).
LOT_DAYS, LOT_DEVIATION, FAR_MAX = 30.0, 1.0, 2.5
FUTURE_LOTS = 9.0  # an assumption: no recorded set quotes a future
SIZE_CHANGES = 0.3  # of the sizes, from instant to instant: an assumption, as pages are minutes apart

Quoted = tuple[int, int, int, int]
NOTHING: Quoted = (0, 0, 0, 0)


class Liquidity(Struct, frozen=True):
    """How well an expiry is quoted: how many times wider than the liquid ones, and the typical lots at the money."""

    thinness: float
    lots: float


def liquidity_of(days: float, is_monthly: bool) -> Liquidity:
    """The liquidity of an expiry so many days away: far weeklies are hardly quoted, monthlies long before."""
    if is_monthly:
        doublings = (days - MONTHLY_LIQUID_DAYS) / MONTHLY_DOUBLING_DAYS
    else:
        doublings = (days - WEEKLY_LIQUID_DAYS) / WEEKLY_DOUBLING_DAYS
    thinness = min(THIN_MAX, 2.0 ** max(0.0, doublings))
    return Liquidity(thinness, LOT_DAYS / max(1.0, days) / sqrt(thinness))


class Smile:
    """Total variance over log moneyness, from the variance that is left at the money."""

    def __init__(self, variance: float) -> None:
        self._variance = variance
        self._curve = CURVATURE / sqrt(variance * (1.0 + variance)) if variance > 0.0 else 0.0
        self._skew = SKEW_MAX * sqrt(variance / (variance + SKEW_VARIANCE))

    def total(self, k: float) -> float:
        """The total variance at a log moneyness."""
        skew = self._skew
        bend = self._curve * k + skew
        return self._variance / 2 * (1.0 + skew * self._curve * k + sqrt(bend * bend + 1.0 - skew * skew))


class Quoting:
    """Quotes a set of contracts over and over and says what changed."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._said: dict[str, Quoted] = {}
        self._lots: dict[str, tuple[int, int]] = {}

    def future(self, contract: Contract, fair: float, at: int) -> Iterator[Tick]:
        """The tick of a future at its fair price, if anything changed."""
        yield from self._say(contract, self._around(contract, fair, FUTURE_SPREAD * fair, FUTURE_LOTS), at)

    def chain(
        self,
        rows: Sequence[tuple[Contract, Contract]],
        forward: float,
        variance: float,
        liquidity: Liquidity,
        at: int,
    ) -> Iterator[Tick]:
        """The ticks that changed of one expiry's (call, put) rows, at a forward and the variance left at the money."""
        smile, thin = Smile(variance), liquidity.thinness
        for call, put in rows:
            strike = float(call.strike)
            k = log(strike / forward)
            width = sqrt(smile.total(k))
            outside = price(k > 0.0, forward, strike, 1.0, width)
            inside = outside + abs(forward - strike)
            far = min(FAR_MAX, abs(k) / width) if width > 0.0 else FAR_MAX
            # What is thin is thinner still in the wings.
            wide = SPREAD_AT_MONEY * thin * (1.0 + SPREAD_GROWTH * thin * far * far)
            share, lots = min(SPREAD_MAX * thin * thin, wide), liquidity.lots * exp(far)
            fairs = ((call, outside), (put, inside)) if k > 0.0 else ((put, outside), (call, inside))
            for contract, fair in fairs:
                yield from self._say(contract, self._around(contract, fair, share * fair, lots), at)

    def close(self, contracts: Sequence[Contract], at: int) -> Iterator[Tick]:
        """The ticks by which contracts that trade no longer go dark."""
        for contract in contracts:
            yield from self._say(contract, NOTHING, at)

    def _say(self, contract: Contract, quoted: Quoted, at: int) -> Iterator[Tick]:
        key = contract.key
        if self._said.get(key) != quoted:
            self._said[key] = quoted
            yield Tick(key, *quoted, 0, at)

    def _around(self, contract: Contract, fair: float, spread: float, lots: float) -> Quoted:
        """A bid and an ask on ticks around a fair price, some `spread` apart, at least a tick, and their sizes."""
        rng, tick = self._rng, contract.tick
        halves = max(1, round(2.0 * fair / tick))
        wide = min(halves, max(1, round(spread * (0.7 + 0.6 * rng.random()) / tick)))
        wide += (halves - wide) % 2
        bid, ask = max(0, (halves - wide) // 2) * tick, (halves + wide) // 2 * tick
        bid_lots, ask_lots = self._sizes(contract.key, lots)
        return bid, ask, bid_lots * contract.lot if bid else 0, ask_lots * contract.lot

    def _sizes(self, key: str, lots: float) -> tuple[int, int]:
        held = self._lots.get(key)
        if held is None or self._rng.random() < SIZE_CHANGES:
            held = (self._size(lots), self._size(lots))
            self._lots[key] = held
        return held

    def _size(self, lots: float) -> int:
        return max(1, round(lots * exp(LOT_DEVIATION * self._rng.gauss(0.0, 1.0))))
