"""Realised volatility, rank, term structure and at-the-money IV."""

import datetime
from math import exp, isnan, nan, sqrt

import pytest
from msgspec.structs import replace

from participant.core.market import MarketState
from participant.core.volatility import (
    atm_iv,
    constant_maturity,
    forward_of,
    iv30,
    percentile,
    rank,
    realised,
    strike_iv,
    years_left,
)
from tests.core.worlds import DAY, RULES, SIGMA, SPOT, chain_state, forward_at, with_quote

NEXT_WEEK = datetime.date(2026, 9, 22)


def test_a_derived_future_is_no_forward() -> None:
    state = chain_state()
    chain = next(c for c in state.chains if any(f.contract.expiry == c.expiry for f in state.futures))
    wrong = tuple(replace(f, quote=replace(f.quote, bid=1, ask=3), is_derived=True) for f in state.futures)
    trusted = tuple(replace(f, is_derived=False) for f in wrong)
    assert forward_of(replace(state, futures=trusted), chain) == 2.0
    assert forward_of(replace(state, futures=wrong), chain) == pytest.approx(forward_of(state, chain), rel=1e-4)


def test_realised_volatility_is_the_sample_deviation_of_log_returns_by_root_252() -> None:
    closes = [round(250_000_000 * exp(0.01 * (i % 2))) for i in range(21)]
    assert realised(closes) == pytest.approx(0.01 * sqrt(20 / 19) * sqrt(252), rel=1e-6)


def test_a_steady_drift_is_no_volatility() -> None:
    assert realised([round(10**12 * 1.001**i) for i in range(30)]) == pytest.approx(0.0, abs=1e-9)


def test_only_the_last_sessions_count() -> None:
    wild = [100_000_000, 250_000_000] * 5
    calm = [250_000_000] * 21
    assert realised(wild + calm) == 0.0


def test_too_few_closes_or_a_close_of_nothing_leave_realised_unknown() -> None:
    assert isnan(realised([250_000_000] * 20))
    assert isnan(realised([0] * 21))
    assert isnan(realised([]))


def test_rank_runs_from_the_lowest_to_the_highest() -> None:
    history = [0.10, 0.20, 0.12]
    assert rank(history, 0.10) == 0.0
    assert rank(history, 0.15) == pytest.approx(0.5)
    assert rank(history, 0.30) == 1.0
    assert rank(history, 0.05) == 0.0


def test_a_history_that_never_moved_has_no_rank() -> None:
    assert isnan(rank([0.1, 0.1], 0.1))
    assert isnan(rank([], 0.1))
    assert isnan(rank([0.1, 0.2], nan)) or rank([0.1, 0.2], nan) in {0.0, 1.0}


def test_percentile_is_the_share_that_lies_below() -> None:
    assert percentile([0.1, 0.2, 0.3, 0.4], 0.3) == 0.5
    assert isnan(percentile([], 0.3))


def test_constant_maturity_is_linear_in_total_variance() -> None:
    expected = sqrt((20 * 0.2**2 + (40 * 0.1**2 - 20 * 0.2**2) * 0.5) / 30)
    assert constant_maturity([(40, 0.1), (20, 0.2)]) == pytest.approx(expected)
    assert constant_maturity([(20, 0.15), (40, 0.15)]) == pytest.approx(0.15)
    assert constant_maturity([(30, 0.12), (60, 0.5)]) == 0.12


def test_only_the_nearest_neighbours_count() -> None:
    near = constant_maturity([(20, 0.2), (40, 0.1)])
    assert constant_maturity([(6, 0.9), (20, 0.2), (40, 0.1), (90, 0.9), (25, nan)]) == near


def test_the_nearest_expiry_stands_alone_only_when_it_is_near() -> None:
    assert constant_maturity([(6, 0.2), (12, 0.3)]) == 0.3
    assert constant_maturity([(50, 0.2), (80, 0.3)]) == 0.2
    assert isnan(constant_maturity([(4.9, 0.2)]))
    assert isnan(constant_maturity([(55.1, 0.2)]))
    assert isnan(constant_maturity([]))


def test_the_forward_is_the_future_of_the_expiry_then_parity_then_spot() -> None:
    state = chain_state()
    month = next(c for c in state.chains if c.expiry == state.futures[0].contract.expiry)
    assert forward_of(state, month) == state.futures[0].quote.mid
    week = state.chains[0]
    assert forward_of(state, week) == pytest.approx(forward_at(state.exchange_at, week.expiry, SPOT), rel=1e-5)
    quoteless = replace(week, strikes=tuple(replace(row, put=None) for row in week.strikes))
    assert forward_of(state, quoteless) == SPOT


def test_a_future_without_a_valid_quote_gives_way_to_parity() -> None:
    state = chain_state()
    future = state.futures[0].contract
    broken = with_quote(state, future.key, bid=state.futures[0].quote.ask + 1_000_000)
    month = next(c for c in broken.chains if c.expiry == future.expiry)
    assert forward_of(broken, month) == pytest.approx(forward_at(state.exchange_at, future.expiry, SPOT), rel=1e-5)


def test_at_the_money_iv_is_that_of_the_chain() -> None:
    state = chain_state()
    for chain in state.chains:
        years = years_left(state, chain, RULES)
        assert atm_iv(chain, forward_of(state, chain), years) == pytest.approx(SIGMA, rel=2e-3)


def test_at_the_money_iv_is_interpolated_between_the_strikes_round_the_forward() -> None:
    state = chain_state(spread=0.0001)
    chain = state.chains[2]
    years, forward = years_left(state, chain, RULES), forward_of(state, chain)
    below = max(r.strike for r in chain.strikes if r.strike <= forward)
    above = min(r.strike for r in chain.strikes if r.strike > forward)
    pair = [r for r in chain.strikes if r.strike in {below, above}]
    ivs = [
        (strike_iv(True, r.call, forward, r.strike, years) + strike_iv(False, r.put, forward, r.strike, years)) / 2
        for r in pair
    ]
    weight = (forward - below) / (above - below)
    assert atm_iv(chain, forward, years) == pytest.approx(ivs[0] * (1 - weight) + ivs[1] * weight, rel=1e-12)


def test_invalid_quotes_are_passed_over_and_one_side_stands_alone() -> None:
    state = chain_state()
    chain = state.chains[2]
    years, forward = years_left(state, chain, RULES), forward_of(state, chain)
    only_calls_below = replace(
        chain,
        strikes=tuple(
            replace(r, put=None) if r.strike <= forward else replace(r, call=None, put=None) for r in chain.strikes
        ),
    )
    assert atm_iv(only_calls_below, forward, years) == pytest.approx(SIGMA, rel=1e-2)
    assert isnan(atm_iv(replace(chain, strikes=()), forward, years))


def test_strikes_far_from_the_forward_are_not_at_the_money() -> None:
    state = chain_state()
    chain = state.chains[2]
    years, forward = years_left(state, chain, RULES), forward_of(state, chain)
    wings = replace(chain, strikes=tuple(r for r in chain.strikes if abs(r.strike - forward) > 0.021 * forward))
    assert isnan(atm_iv(wings, forward, years))


def test_thirty_day_iv_of_a_flat_world_is_its_volatility() -> None:
    assert iv30(chain_state(), RULES) == pytest.approx(SIGMA, rel=1e-3)


def test_thirty_day_iv_has_ten_significant_digits() -> None:
    value = iv30(chain_state(), RULES)
    assert value == float(f"{value:.10g}")


def test_a_chain_in_its_last_day_is_left_out() -> None:
    state = chain_state()
    assert isnan(iv30(_only(state, state.chains[0].expiry, at_close_of=NEXT_WEEK), RULES))
    assert isnan(iv30(replace(state, chains=()), RULES))


def _only(state: MarketState, expiry: datetime.date, at_close_of: datetime.date) -> MarketState:
    chains = tuple(c for c in state.chains if c.expiry == expiry)
    return replace(state, chains=chains, exchange_at=RULES.expiry_at(at_close_of) - 3_600 * 1_000_000_000)


def test_the_world_is_where_it_says_it_is() -> None:
    assert chain_state().chains[0].expiry == NEXT_WEEK
    assert DAY < NEXT_WEEK
