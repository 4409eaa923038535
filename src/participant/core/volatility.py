"""How volatile a scrip has been and is priced to be: realised volatility, at-the-money IV, its term and its rank.

Volatilities are annual fractions (0.14 is 14 %); `nan` says that a figure cannot be known from what is given.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from math import fsum, isfinite, log, nan, sqrt

from participant.core.market import Chain, MarketState, Quote, Strike
from participant.core.pricing import implied_volatility, rounded, years_to
from participant.core.rulebook import Rulebook

SESSIONS_PER_YEAR = 252
DAYS_PER_YEAR = 365
CONSTANT_MATURITY_DAYS = 30.0
# With no expiry on the other side of 30 days the nearest stands alone only if it is about a month away as well.
ALONE_WITHIN_DAYS = 25.0
# In its last hours an expiry's IV says more about minutes and ticks than about a month.
EXPIRY_DAYS_MIN = 1.0
# Strikes further from the forward than this are not at the money.
ATM_REACH = 0.02


def realised(closes: Sequence[int], sessions: int = 20) -> float:
    """Annual volatility of the last `sessions` log returns (sample deviation x root 252); needs one close more."""
    last = closes[-sessions - 1 :]
    if len(last) <= sessions or min(last) <= 0:
        return nan
    returns = [log(after / before) for before, after in pairwise(last)]
    mean = fsum(returns) / sessions
    return sqrt(fsum((r - mean) ** 2 for r in returns) / (sessions - 1) * SESSIONS_PER_YEAR)


def rank(history: Sequence[float], value: float) -> float:
    """Where `value` lies between the lowest (0) and the highest (1) of its history."""
    if not history or min(history) >= max(history):
        return nan
    low, high = min(history), max(history)
    return min(1.0, max(0.0, (value - low) / (high - low)))


def percentile(history: Sequence[float], value: float) -> float:
    """The share of its history that lies below `value`."""
    return sum(h < value for h in history) / len(history) if history else nan


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


def forward_of(state: MarketState, chain: Chain) -> float:
    """The forward to a chain's expiry: its future's middle, else parity at the strike nearest spot, else spot.

    A derived future knows nothing that the chain does not: parity is read from the chain itself.
    """
    for future in state.futures:
        if future.contract.expiry == chain.expiry and future.quote.is_valid and not future.is_derived:
            return middle(future.quote)
    for row in sorted(chain.strikes, key=lambda r: abs(r.strike - state.spot)):
        if row.call is not None and row.put is not None and row.call.is_valid and row.put.is_valid:
            return row.strike + middle(row.call) - middle(row.put)
    return float(state.spot)


def atm_iv(chain: Chain, forward: float, years: float) -> float:
    """IV at the forward: of the nearest strikes on either side, each the mean of call and put, by distance."""
    near = [r for r in chain.strikes if abs(r.strike - forward) <= ATM_REACH * forward]
    below = _first_iv((r for r in reversed(near) if r.strike <= forward), forward, years)
    above = _first_iv((r for r in near if r.strike > forward), forward, years)
    if below is None or above is None:
        alone = below or above
        return alone[1] if alone else nan
    weight = (forward - below[0]) / (above[0] - below[0])
    return below[1] + weight * (above[1] - below[1])


def _first_iv(rows: Iterable[Strike], forward: float, years: float) -> tuple[int, float] | None:
    for row in rows:
        quotes = ((True, row.call), (False, row.put))
        ivs = [strike_iv(is_call, quote, forward, row.strike, years) for is_call, quote in quotes]
        known = [iv for iv in ivs if isfinite(iv)]
        if known:
            return row.strike, sum(known) / len(known)
    return None


def strike_iv(is_call: bool, quote: Quote | None, forward: float, strike: int, years: float) -> float:
    """IV of the middle of one option's quote; `nan` without a valid quote or outside the no-arbitrage bounds."""
    if quote is None or not quote.is_valid:
        return nan
    return implied_volatility(is_call, middle(quote), forward, strike, years)


def years_left(state: MarketState, chain: Chain, rules: Rulebook) -> float:
    """Time from the state's instant to the end of the chain's trading, in years (actual/365)."""
    return years_to(rules.expiry_at(chain.expiry), state.exchange_at)


def iv30(state: MarketState, rules: Rulebook) -> float:
    """The constant-maturity 30-day at-the-money IV of a market state, at 10 significant digits."""
    points = []
    for chain in state.chains:
        years = years_left(state, chain, rules)
        days = years * DAYS_PER_YEAR
        if days >= EXPIRY_DAYS_MIN:
            points.append((days, atm_iv(chain, forward_of(state, chain), years)))
    return rounded(constant_maturity(points))
