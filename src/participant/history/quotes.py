"""How a made option chain is quoted: a smile without arbitrage, put-call parity, spreads and sizes by moneyness.

The smile is Gatheral and Jacquier's SSVI surface, total variance over log moneyness, whose power law keeps it free of
butterfly and calendar arbitrage. Prices here are floats in units of 1/10,000 rupee until they are put on ticks; the
middle of a quote is the fair price rounded to half a tick, so that middles fall with the strike as fair prices do.
"""

from collections.abc import Iterator, Sequence
from math import log, sqrt
from random import Random

from participant.core.market import Tick
from participant.core.pricing import price
from participant.core.scrip import Contract

SKEW = -0.45
CURVATURE = 0.9  # below 2 / (1 + |SKEW|), which is the bound of no arbitrage
SPREAD_AT_MONEY, SPREAD_GROWTH, SPREAD_MAX = 0.003, 0.8, 0.03
FUTURE_SPREAD = 0.00006
LOTS_LEAST, LOTS_MORE = 2, 30
SIZE_CHANGES = 0.3  # of the sizes, from instant to instant

Quoted = tuple[int, int, int, int]
NOTHING: Quoted = (0, 0, 0, 0)


class Quoting:
    """Quotes a set of contracts over and over and says what changed."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._said: dict[str, Quoted] = {}
        self._lots: dict[str, tuple[int, int]] = {}

    def future(self, contract: Contract, fair: float, at: int) -> Iterator[Tick]:
        """The tick of a future at its fair price, if anything changed."""
        yield from self._say(contract, self._around(contract, fair, FUTURE_SPREAD * fair), at)

    def chain(
        self, rows: Sequence[tuple[Contract, Contract]], forward: float, variance: float, at: int
    ) -> Iterator[Tick]:
        """The ticks that changed of one expiry's (call, put) rows, at a forward and the variance left at the money."""
        curve = CURVATURE / sqrt(variance * (1.0 + variance)) if variance > 0.0 else 0.0
        for call, put in rows:
            strike = float(call.strike)
            k = log(strike / forward)
            bend = curve * k + SKEW
            total = variance / 2 * (1.0 + SKEW * curve * k + sqrt(bend * bend + 1.0 - SKEW * SKEW))
            width = sqrt(total)
            outside = price(k > 0.0, forward, strike, 1.0, width)
            inside = outside + abs(forward - strike)
            far = abs(k) / width if width > 0.0 else SPREAD_MAX
            share = min(SPREAD_MAX, SPREAD_AT_MONEY * (1.0 + SPREAD_GROWTH * far * far))
            fairs = ((call, outside), (put, inside)) if k > 0.0 else ((put, outside), (call, inside))
            for contract, fair in fairs:
                yield from self._say(contract, self._around(contract, fair, share * fair), at)

    def close(self, contracts: Sequence[Contract], at: int) -> Iterator[Tick]:
        """The ticks by which contracts that trade no longer go dark."""
        for contract in contracts:
            yield from self._say(contract, NOTHING, at)

    def _say(self, contract: Contract, quoted: Quoted, at: int) -> Iterator[Tick]:
        key = contract.key
        if self._said.get(key) != quoted:
            self._said[key] = quoted
            yield Tick(key, *quoted, 0, at)

    def _around(self, contract: Contract, fair: float, spread: float) -> Quoted:
        """A bid and an ask on ticks around a fair price, some `spread` apart, at least a tick, and their sizes."""
        rng, tick = self._rng, contract.tick
        halves = max(1, round(2.0 * fair / tick))
        wide = min(halves, max(1, round(spread * (0.7 + 0.6 * rng.random()) / tick)))
        wide += (halves - wide) % 2
        bid, ask = max(0, (halves - wide) // 2) * tick, (halves + wide) // 2 * tick
        bid_lots, ask_lots = self._sizes(contract.key)
        return bid, ask, bid_lots * contract.lot if bid else 0, ask_lots * contract.lot

    def _sizes(self, key: str) -> tuple[int, int]:
        held = self._lots.get(key)
        if held is None or self._rng.random() < SIZE_CHANGES:
            first, second = self._rng.random(), self._rng.random()
            held = (LOTS_LEAST + int(LOTS_MORE * first * first), LOTS_LEAST + int(LOTS_MORE * second * second))
            self._lots[key] = held
        return held
