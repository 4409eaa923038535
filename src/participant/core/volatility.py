"""How volatile a scrip has been and is priced to be: realised volatility, at-the-money IV, its term and its rank.

Volatilities are annual fractions (0.14 is 14 %); `nan` says that a figure cannot be known from what is given.
"""

import datetime
from bisect import bisect_left
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate, pairwise
from math import fsum, inf, isfinite, log, nan, sqrt
from typing import NamedTuple

from participant.core.chain_columns import parities
from participant.core.market import Chain, MarketState, Quote
from participant.core.once import once
from participant.core.pricing import Spot, implied_volatility, rounded, years_to
from participant.core.pricing import forward_of as carried
from participant.core.rows import at_the_money
from participant.core.rulebook import Rulebook

SESSIONS_PER_YEAR = 252
DAYS_PER_YEAR = 365
CONSTANT_MATURITY_DAYS = 30.0
# With no expiry on the other side of 30 days the nearest stands alone only if it is about a month away as well.
ALONE_WITHIN_DAYS = 25.0
# In its last hours an expiry's IV says more about minutes and ticks than about a month.
EXPIRY_DAYS_MIN = 1.0
SLOPE_DAYS_MIN, SLOPE_DAYS_MAX = 7.0, 120.0
# Strikes further from the forward than this are not at the money.
ATM_REACH = 0.02
# Parity is read from so many strikes at most, and so near to spot: deep in the money quotes are wide.
PARITY_STRIKES = 8
PARITY_REACH = 0.05
ALMOST = 0.999  # what is less cannot be rounded to 1
# Continuous, a year, net of dividends: NIFTY and BANKNIFTY futures of 10 to 70 days stood 5.4 % above spot (the median
# of 6,896 official closes of 2012-2019, 2022 and 2025; the medians of single years lie between 2.3 and 7.9 %).
CARRY_RATE = 0.055


def realised(closes: Sequence[int], sessions: int = 20) -> float:
    """Annual volatility of the last `sessions` log returns (sample deviation x root 252); needs one close more."""
    last = closes[-sessions - 1 :]
    if len(last) <= sessions or min(last) <= 0:
        return nan
    returns = [log(after / before) for before, after in pairwise(last)]
    mean = fsum(returns) / sessions
    return sqrt(fsum([(r - mean) ** 2 for r in returns]) / (sessions - 1) * SESSIONS_PER_YEAR)


def rank(history: Sequence[float], value: float) -> float:
    """Where `value` lies between the lowest (0) and the highest (1) of its history."""
    if not history:
        return nan
    low, high = min(history), max(history)
    if low >= high:
        return nan
    return min(1.0, max(0.0, (value - low) / (high - low)))


def percentile(history: Sequence[float], value: float) -> float:
    """The share of its history that lies below `value`."""
    return sum(map(value.__gt__, history)) / len(history) if history else nan


def constant_maturity(points: Sequence[tuple[float, float]], days: float = CONSTANT_MATURITY_DAYS) -> float:
    """The volatility at `days` from (days to expiry, volatility): linear in total variance between its two neighbours.

    Without neighbours on both sides the nearest stands alone, if it is within 25 days of `days`.
    """
    known = sorted(p for p in points if isfinite(p[1]))
    shorter, longer = [p for p in known if p[0] <= days], [p for p in known if p[0] >= days]
    if not shorter or not longer:
        near = min(known, key=lambda p: abs(p[0] - days), default=(nan, nan))
        return near[1] if abs(near[0] - days) <= ALONE_WITHIN_DAYS else nan
    (day_0, iv_0), (day_1, iv_1) = shorter[-1], longer[0]
    if day_0 == day_1:
        return iv_0
    variance_0, variance_1 = day_0 * iv_0**2, day_1 * iv_1**2
    variance = variance_0 + (variance_1 - variance_0) * (days - day_0) / (day_1 - day_0)
    return sqrt(variance / days)


def middle(quote: Quote) -> float:
    """The middle of bid and ask, half a price unit kept."""
    return (quote.bid + quote.ask) / 2


class ForwardSource(StrEnum):
    """What a forward was read from, the best first."""

    FUTURE = "future"
    PARITY = "parity"
    CARRY = "carry"


class Forward(NamedTuple):
    """What the underlying costs at an expiry (price), and what says so."""

    level: float
    source: ForwardSource


def forward_to(state: MarketState, chain: Chain, years: float) -> Forward:
    """The forward to a chain's expiry: its future's middle, else parity across the chain, else spot and carry.

    A derived future knows nothing that the chain does not: parity is read from the chain itself.
    """
    traded = _traded(state).get(chain.expiry)
    if traded is not None:
        return Forward(traded, ForwardSource.FUTURE)
    level = parity(chain, state.spot)
    if isfinite(level) and level > 0:  # a put quoted above its strike leaves nothing
        return Forward(level, ForwardSource.PARITY)
    return Forward(carried(Spot(float(state.spot), CARRY_RATE, 0.0), years), ForwardSource.CARRY)


@once
def _traded(state: MarketState) -> dict[datetime.date, float]:
    """The middles of the futures by their expiry; of two of one expiry the first counts."""
    futures = [f for f in reversed(state.futures) if f.quote.is_valid and not f.is_derived]
    return {future.contract.expiry: middle(future.quote) for future in futures}


@once
def parity(chain: Chain, spot: int) -> float:
    """The weighted median of strike + call - put over the quoted strikes nearest spot; `nan` where there are none.

    The middles of at most PARITY_STRIKES strikes whose call and put are both validly quoted, within PARITY_REACH of
    spot; each weighs 1 / (spread of the call + spread of the put). Where half of the weight lies on either side of a
    gap, its middle. A wrong quote moves the median by a neighbour at most, a mean by all that it is off.
    """
    found = sorted(parities(chain, spot, PARITY_REACH * spot, PARITY_STRIKES))
    weights = [weight for _, weight in found]
    half, below = fsum(weights) / 2, list(accumulate(weights))
    for i in range(bisect_left(below, ALMOST * half), len(found)):
        share = rounded(below[i] / half)
        if share == 1 and i + 1 < len(found):
            return (found[i][0] + found[i + 1][0]) / 2
        if share >= 1:
            return found[i][0]
    return nan


@once
def atm_iv(chain: Chain, forward: float, years: float) -> float:
    """IV at the forward: of the nearest strikes on either side, each the mean of call and put, by distance."""
    below, above = at_the_money(chain.strikes, forward, ATM_REACH * forward, years, implied_volatility)
    if below is None or above is None:
        alone = below or above
        return alone[1] if alone else nan
    weight = (forward - below[0]) / (above[0] - below[0])
    return below[1] + weight * (above[1] - below[1])


def strike_iv(is_call: bool, quote: Quote | None, forward: float, strike: int, years: float) -> float:
    """IV of the middle of one option's quote; `nan` without a valid quote or outside the no-arbitrage bounds."""
    if quote is None or not quote.is_valid:
        return nan
    return implied_volatility(is_call, middle(quote), forward, strike, years)


def years_left(state: MarketState, chain: Chain, rules: Rulebook) -> float:
    """Time from the state's instant to the end of the chain's trading, in years (actual/365)."""
    return years_to(rules.expiry_at(chain.expiry), state.exchange_at)


def term(state: MarketState, rules: Rulebook) -> list[tuple[float, float]]:
    """Days to expiry (calendar) and at-the-money IV of each expiry that has more than a day left, nearest first."""
    points = []
    for chain in state.chains:
        years = years_left(state, chain, rules)
        days = years * DAYS_PER_YEAR
        if days >= EXPIRY_DAYS_MIN:
            points.append((days, atm_iv(chain, forward_to(state, chain, years).level, years)))
    return points


def term_slope(points: Sequence[tuple[float, float]]) -> float:
    """How much IV rises over 30 days of maturity, from the first expiry a week away to the last within 120 days.

    Below 0 where the near months are dearer, as in a storm; `nan` where those two are no week apart.
    """
    known = sorted(p for p in points if isfinite(p[1]) and SLOPE_DAYS_MIN <= p[0] <= SLOPE_DAYS_MAX)
    if not known or known[-1][0] - known[0][0] < SLOPE_DAYS_MIN:
        return nan
    (day_0, iv_0), (day_1, iv_1) = known[0], known[-1]
    return (iv_1 - iv_0) / (day_1 - day_0) * CONSTANT_MATURITY_DAYS


def iv30(state: MarketState, rules: Rulebook) -> float:
    """The constant-maturity 30-day at-the-money IV of a market state, at 10 significant digits."""
    return rounded(constant_maturity(term_ends(state, rules)))


def term_ends(state: MarketState, rules: Rulebook) -> list[tuple[float, float]]:
    """The points of `term` that `constant_maturity` and `term_slope` go by, and no others: far fewer to be solved.

    The nearest that has an IV on either side of 30 days, and the first and the last that bear the slope.
    """
    ends = rules.ends_of(tuple([chain.expiry for chain in state.chains]))
    alive = [years_to(end, state.exchange_at) for end in ends]
    lives = sorted([(years * DAYS_PER_YEAR, i) for i, years in enumerate(alive)])
    lives = lives[bisect_left(lives, (EXPIRY_DAYS_MIN,)) :]
    sloped = lives[bisect_left(lives, (SLOPE_DAYS_MIN,)) : bisect_left(lives, (SLOPE_DAYS_MAX, inf))]
    below = lives[: bisect_left(lives, (CONSTANT_MATURITY_DAYS, inf))][::-1]
    above = lives[bisect_left(lives, (CONSTANT_MATURITY_DAYS,)) :]
    ivs: dict[int, float] = {}
    for side in (below, above, sloped, sloped[::-1]):
        for _, i in side:
            if i not in ivs:
                chain, years = state.chains[i], alive[i]
                ivs[i] = atm_iv(chain, forward_to(state, chain, years).level, years)
            if isfinite(ivs[i]):
                break
    return [(days, ivs[i]) for days, i in lives if i in ivs]
