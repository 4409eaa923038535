"""Which call is chosen: what is looked at closely first must never change what every call looked at closely gives."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import MarketState, Quote
from participant.core.pricing import greeks, rounded
from participant.core.scrip import PRICE_UNITS, Contract, Scrip, Weights
from participant.core.selection import Candidate, _is_tight, choose, days_to
from participant.core.strategy import Case
from participant.core.volatility import forward_to, strike_iv, years_left
from tests.core.worlds import RULES, account, chain_state, position, with_quote


def closely(case: Case) -> Contract | None:
    """The call that is nearest the target delta by one exact look at each, the tight ones first."""
    weights, found = case.weights, []
    for chain in case.market.chains:
        if not max(1, weights.days_to_expiry_min) <= days_to(case, chain.expiry) <= weights.days_to_expiry_max:
            continue
        years = years_left(case.market, chain, case.rules)
        forward = forward_to(case.market, chain, years).level
        for row in chain.strikes:
            iv = rounded(strike_iv(True, row.call, forward, row.strike, years))
            if row.call is None or not isfinite(iv):
                continue
            delta = rounded(greeks(True, forward, row.strike, years, iv).delta)
            spread = rounded((row.call.ask - row.call.bid) / ((row.call.bid + row.call.ask) / 2))
            key = next(c for c, q in case.market.options() if q is row.call)
            found.append((spread > weights.spread_max, rounded(abs(delta - weights.target_delta)), key))
    if not found:
        return None
    is_wide = all(wide for wide, _, _ in found)
    return min((off, key) for wide, off, key in found if is_wide or not wide)[1]


def case_of(state: MarketState, weights: Weights) -> Case:
    return Case(Scrip("NIFTY", weights=weights), state, position(), account(), RULES)


@given(
    target=st.floats(0.05, 0.95),
    spread_max=st.sampled_from([0.0, 0.01, 0.03, 0.2]),
    spread=st.sampled_from([0.005, 0.01, 0.02]),
    sigma=st.sampled_from([0.0801, 0.14, 0.45]),
    dead=st.lists(st.integers(24_000, 26_000), max_size=6),
)
def test_the_call_chosen_is_the_one_that_an_exact_look_at_each_gives(
    target: float, spread_max: float, spread: float, sigma: float, dead: list[int]
) -> None:
    state = chain_state(sigma=sigma, spread=spread)
    for strike in {round(s / 50) * 50 * PRICE_UNITS for s in dead}:
        for contract in [c for c, _ in state.options() if c.strike == strike]:
            state = with_quote(state, contract.key, bid=0)
    case = case_of(state, Weights(target_delta=target, delta_error_max=1.0, spread_max=spread_max))
    chosen = choose(case, state.futures)
    assert isinstance(chosen, Candidate)
    assert chosen.call == closely(case)


@pytest.mark.parametrize(("limit", "is_tight"), [(0.2857142857, True), (0.2857142856, False), (0.3, True)])
def test_a_spread_is_compared_as_it_is_rounded(limit: float, is_tight: bool) -> None:
    """2 / 7 is over 0.2857142857 by its last bits alone, which decide nothing."""
    assert _is_tight(Quote(6, 8, 65, 65, 0), limit) == is_tight
