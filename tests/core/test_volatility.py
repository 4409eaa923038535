"""Realised volatility, rank, term structure and at-the-money IV."""

import datetime
from math import exp, isnan, nan, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.market import Chain, MarketState, Quote, Strike
from participant.core.volatility import (
    CARRY_RATE,
    PARITY_REACH,
    ForwardSource,
    atm_iv,
    constant_maturity,
    forward_to,
    iv30,
    middle,
    parity,
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
    assert forward_to(replace(state, futures=trusted), chain, 0.1) == (2.0, ForwardSource.FUTURE)
    level, source = forward_to(replace(state, futures=wrong), chain, 0.1)
    assert source is ForwardSource.PARITY
    assert level == pytest.approx(forward_to(state, chain, 0.1).level, rel=1e-4)


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


def test_the_forward_is_the_future_of_the_expiry_then_parity_then_spot_and_carry() -> None:
    state = chain_state()
    month = next(c for c in state.chains if c.expiry == state.futures[0].contract.expiry)
    assert forward_to(state, month, 0.1) == (state.futures[0].quote.mid, ForwardSource.FUTURE)
    week = state.chains[0]
    level, source = forward_to(state, week, years_left(state, week, RULES))
    assert source is ForwardSource.PARITY
    assert level == pytest.approx(forward_at(state.exchange_at, week.expiry, SPOT), rel=1e-5)
    quoteless = replace(week, strikes=tuple(replace(row, put=None) for row in week.strikes))
    assert forward_to(state, quoteless, 0.5) == (SPOT * exp(CARRY_RATE * 0.5), ForwardSource.CARRY)


def test_a_future_without_a_valid_quote_gives_way_to_parity() -> None:
    state = chain_state()
    future = state.futures[0].contract
    broken = with_quote(state, future.key, bid=state.futures[0].quote.ask + 1_000_000)
    month = next(c for c in broken.chains if c.expiry == future.expiry)
    level, source = forward_to(broken, month, 0.1)
    assert source is ForwardSource.PARITY
    assert level == pytest.approx(forward_at(state.exchange_at, future.expiry, SPOT), rel=1e-5)


def parity_chain(*rows: tuple[int, int, int, int]) -> Chain:
    """A chain of (strike, middle of the call, middle of the put, width of each quote)."""
    strikes = tuple(
        Strike(k, *(Quote(mid - width // 2, mid + width // 2, 75, 75, 0) for mid in (call, put)))
        for k, call, put, width in rows
    )
    return Chain(NEXT_WEEK, 75, 5, 1800, strikes)


def test_parity_is_the_weighted_median_over_strikes_and_tight_quotes_weigh_more() -> None:
    three = parity_chain((9_900, 210, 90, 20), (10_000, 150, 130, 20), (10_100, 100, 175, 20))
    assert parity(three, 10_000) == 10_020.0  # of 10,020, 10,020 and 10,025
    wide = parity_chain((9_900, 240, 90, 20), (10_000, 150, 130, 4), (10_100, 100, 175, 20))
    assert parity(wide, 10_000) == 10_020.0  # of 10,050, 10,020 and 10,025 the tight one outweighs both
    even = parity_chain((9_900, 210, 90, 20), (10_000, 154, 130, 20))
    assert parity(even, 10_000) == 10_022.0  # half of the weight on either side


def test_one_wrong_quote_hardly_moves_parity() -> None:
    state = chain_state()
    chain, spot = state.chains[2], state.spot
    at = min(range(len(chain.strikes)), key=lambda i: abs(chain.strikes[i].strike - spot))
    row = chain.strikes[at]
    assert row.call is not None
    assert row.put is not None
    stale = replace(row, put=replace(row.put, bid=row.put.bid * 3, ask=row.put.ask * 3))
    wrong = replace(chain, strikes=(*chain.strikes[:at], stale, *chain.strikes[at + 1 :]))
    assert parity(wrong, spot) == pytest.approx(parity(chain, spot), rel=1e-5)
    assert stale.put is not None
    assert stale.strike + middle(row.call) - middle(stale.put) < 0.985 * spot  # by that strike alone


def test_parity_asks_the_quoted_strikes_nearest_spot_and_none_beyond_its_reach() -> None:
    rows = [(10_000 + 50 * i, 600 - 25 * i, 600 + 25 * i, 20) for i in range(-12, 13)]
    skewed = [(k, call + (900 if abs(k - 10_000) > 250 else 0), put, w) for k, call, put, w in rows]
    assert parity(parity_chain(*skewed), 10_001) == parity(parity_chain(*rows), 10_001) == 10_000.0
    assert isnan(parity(parity_chain((9_400, 700, 100, 20), (10_600, 100, 700, 20)), 10_000))
    assert isnan(parity(parity_chain(), 10_000))


@given(st.integers(9_600, 10_400), st.lists(st.tuples(st.integers(-9, 9), st.integers(1, 40)), min_size=1, max_size=8))
def test_parity_lies_between_the_strikes_that_make_it(spot: int, noise: list[tuple[int, int]]) -> None:
    rows = [(9_700 + 50 * i, 1000 - 25 * i + off, 700 + 25 * i, 2 * half) for i, (off, half) in enumerate(noise)]
    quoted = [k + call - put for k, call, put, _ in rows if abs(k - spot) <= PARITY_REACH * spot]
    level = parity(parity_chain(*rows), spot)
    assert isnan(level) if not quoted else min(quoted) <= level <= max(quoted)


def test_at_the_money_iv_is_that_of_the_chain() -> None:
    state = chain_state()
    for chain in state.chains:
        years = years_left(state, chain, RULES)
        assert atm_iv(chain, forward_to(state, chain, years).level, years) == pytest.approx(SIGMA, rel=2e-3)


def test_at_the_money_iv_is_interpolated_between_the_strikes_round_the_forward() -> None:
    state = chain_state(spread=0.0001)
    chain = state.chains[2]
    years = years_left(state, chain, RULES)
    forward = forward_to(state, chain, years).level
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
    years = years_left(state, chain, RULES)
    forward = forward_to(state, chain, years).level
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
    years = years_left(state, chain, RULES)
    forward = forward_to(state, chain, years).level
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
