"""What speaks for selling a call now: signals, each from 0 (against) to 1 (for), and the score that they add up to.

A signal's part in the score is `weight x value / sum of all weights`, so the score lies between 0 and 1 as well. What
cannot be known counts as 0 and is named: nothing is sold for what nobody knows. Before a call is chosen, because an
earlier gate is shut, depth and liquidity are those of the calls near the money and of their cover alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite, isnan, log, nan, sqrt

from msgspec import Struct

from participant.core.blackout import next_event
from participant.core.gates import Richness
from participant.core.market import Chain, Future, Quote
from participant.core.once import kept, once
from participant.core.pricing import rounded
from participant.core.rows import calls_near
from participant.core.scrip import SIGNALS
from participant.core.selection import Candidate, chains_of, cover_of
from participant.core.strategy import Case, Figures, Gate
from participant.core.volatility import ATM_REACH, SESSIONS_PER_YEAR, middle
from participant.core.wording import apart

RATIO_FULL = 1.5  # implied half as much again as realised speaks fully for selling; equal to it not at all
LOTS_FULL = 10  # as many lots displayed at the touch speak fully for selling
TREND_SESSIONS = 20  # those that volatility is realised over
TREND_SIGMAS = 2.0  # a fall of so many deviations over these speaks fully against, a rise fully for selling


# The names under which a signal's value, its weight and its part are logged.
LOGGED = {name: (f"signal_{name}", f"weight_{name}", f"part_{name}") for name in SIGNALS}


class Signal(Struct, frozen=True):
    """A signal's value (`nan` where it cannot be known), its weight, and its part in the score."""

    name: str
    value: float
    weight: float
    part: float


class Score(Struct, frozen=True, dict=True):
    """The signals of a case, and what they add up to."""

    signals: tuple[Signal, ...]
    value: float

    @property
    def told(self) -> str:
        """The parts in words, the largest first."""
        parts = sorted(self.signals, key=lambda one: (-one.part, one.name))
        return ", ".join(f"{one.name} {one.part:.2f}" + ("" if isfinite(one.value) else " (unknown)") for one in parts)

    @kept
    def figures(self) -> Figures:
        """Value, weight and part of each signal by name, the score, and the names of what is not known."""
        figures: Figures = {"score": self.value}
        for one in self.signals:
            value, weight, part = LOGGED[one.name]
            figures[value], figures[weight], figures[part] = one.value, one.weight, one.part
        unknown = ", ".join([one.name for one in self.signals if not isfinite(one.value)])
        return figures | ({"signals_unknown": unknown} if unknown else {})


def score(case: Case, rich: Richness, candidate: Candidate | None = None) -> Score:
    """The signals of a case with their parts, before a call is chosen or with the one that is."""
    market = near_the_money(case, candidate)
    values = {
        "richness": richness(rich),
        "depth": depth(market),
        "liquidity": liquidity(market, case.weights.spread_max),
        "trend": trend(case.market.look_back.closes, case.market.spot, rich.realised),
        "event": calm(case),
    }
    weights = case.weights.signal_weights
    total = sum(weights[name] for name in values)
    signals = []
    for name, value in values.items():
        part = weights[name] * value / total if isfinite(value) and total > 0 else 0.0
        signals.append(Signal(name, rounded(value), weights[name], rounded(part)))
    return Score(tuple(signals), rounded(sum(one.part for one in signals)))


def score_gate(case: Case, found: Score) -> Gate:
    """Whether all signals together speak for selling."""
    least, said = case.weights.score_min, ""
    if found.value < least:
        value, under = apart(found.value, least, 2, is_share=False)
        said = f"the score {value} is under {under}: {found.told}"
    return Gate("score", said, found.value, least, found.figures)


def richness(rich: Richness) -> float:
    """The mean of the IV rank and of how far implied is over realised volatility, on the way to RATIO_FULL."""
    return (rich.iv_rank + _held((rich.iv_over_realised - 1) / (RATIO_FULL - 1))) / 2


def trend(closes: Sequence[int], spot: int, realised: float) -> float:
    """The return of the last sessions up to spot, in deviations of what was realised: a steady market is 0.5.

    A covered call is long its underlying: a falling one speaks against it.
    """
    if len(closes) < TREND_SESSIONS or min(closes[-TREND_SESSIONS], spot) <= 0 or not realised > 0:
        return nan
    deviation = realised * sqrt(TREND_SESSIONS / SESSIONS_PER_YEAR)
    return _held(0.5 + log(spot / closes[-TREND_SESSIONS]) / deviation / (2 * TREND_SIGMAS))


def calm(case: Case) -> float:
    """The calendar days to the next known event, for the longest that a call may run: today is 0, beyond it 1.

    Where no event ahead is known at all the table has ended: that is not known either.
    """
    event = next_event(case)
    if event is None:
        return nan
    return _held((event.day - case.day).days / max(1, case.weights.days_to_expiry_max))


class Near(Struct, frozen=True):
    """The valid quotes near the money of the nearest chain that a call could be sold of, the cover's, the call's."""

    lot: int
    calls: tuple[Quote, ...] = ()
    cover: Future | None = None
    call: Quote | None = None


def near_the_money(case: Case, candidate: Candidate | None = None) -> Near:
    """The quotes that depth and liquidity are read from."""
    chain: Chain | None = next(iter(chains_of(case)), None)
    if chain is None:
        return Near(1)
    calls = _calls_near(chain, case.market.spot)
    cover = candidate.cover if candidate else cover_of(chain, case.market.futures)
    return Near(chain.lot, calls, cover, candidate.quote if candidate else None)


@once
def _calls_near(chain: Chain, spot: int) -> tuple[Quote, ...]:
    return calls_near(chain.strikes, spot, ATM_REACH * spot)


def depth(near: Near) -> float:
    """How far those who bid outweigh those who ask: for the calls near the money, the call itself and its cover.

    The mean of their imbalances `(bid - ask) / (bid + ask)`, from -1 to 1, brought to 0 to 1.
    """
    sides = list(_sides(near))
    imbalances = [(bid - ask) / (bid + ask) for bid, ask in sides if bid + ask > 0]
    return (1 + sum(imbalances) / len(imbalances)) / 2 if imbalances else nan


def _sides(near: Near) -> Iterator[tuple[int, int]]:
    yield sum(quote.bid_size for quote in near.calls), sum(quote.ask_size for quote in near.calls)
    if near.cover is not None and near.cover.quote.is_valid and not near.cover.is_derived:
        yield near.cover.quote.bid_size, near.cover.quote.ask_size
    if near.call is not None:
        yield near.call.bid_size, near.call.ask_size


def liquidity(near: Near, spread_max: float) -> float:
    """The mean of how narrow the spread is for its limit, and of how many lots are displayed, up to LOTS_FULL.

    Of the call where one is chosen, else the medians of the calls near the money.
    """
    quotes = (near.call,) if near.call is not None else near.calls
    if not quotes or near.lot <= 0:
        return nan
    spread = _median((quote.ask - quote.bid) / middle(quote) for quote in quotes)
    lots = _median(quote.bid_size // near.lot for quote in quotes)
    narrow = _held(1 - spread / spread_max) if spread_max > 0 else 0.0
    return (narrow + _held(lots / LOTS_FULL)) / 2


def _median(values: Iterable[float]) -> float:
    """The middle one of them, of two the lower."""
    ordered = sorted(values)
    return ordered[(len(ordered) - 1) // 2]


def _held(value: float) -> float:
    """Between 0 and 1; what is no number stays none."""
    return value if isnan(value) else min(1.0, max(0.0, value))
