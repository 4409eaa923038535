"""The whole surface of a market state, and what is left open where it is not known."""

from math import sqrt

import pytest
from msgspec.structs import replace

from participant.core.day_count import business_years
from participant.core.smile import NoSmile
from participant.core.surface import surface
from participant.core.volatility import DAYS_PER_YEAR, ForwardSource, iv30, term, term_slope
from participant.core.volatility_index import NoIndex, volatility_index
from tests.core.worlds import NOON, RULES, SIGMA, chain_state, look_back


def test_each_expiry_says_its_forward_its_iv_by_both_clocks_and_its_smile() -> None:
    state = chain_state()
    found = surface(state, RULES)
    assert [e.expiry for e in found.expiries] == [c.expiry for c in state.chains]
    months = {f.contract.expiry for f in state.futures}
    for expiry in found.expiries:
        assert (expiry.forward_source is ForwardSource.FUTURE) == (expiry.expiry in months)
        assert expiry.smile is not None
        assert expiry.iv == pytest.approx(SIGMA, rel=2e-3)
        if expiry.iv is not None and expiry.iv_business is not None:
            business = business_years(RULES, NOON, RULES.expiry_at(expiry.expiry))
            total = expiry.iv**2 * expiry.days / DAYS_PER_YEAR
            assert expiry.iv_business == pytest.approx(sqrt(total / business), rel=1e-8)
    assert any(e.iv_business is not None for e in found.expiries)


def test_its_figures_are_those_of_the_single_functions() -> None:
    state = chain_state()
    found = surface(state, RULES)
    assert found.iv30 == iv30(state, RULES)
    assert found.index == volatility_index(state, RULES)
    assert found.term_slope == pytest.approx(term_slope(term(state, RULES)), abs=1e-9)
    assert found.realised.close == pytest.approx(0.11, rel=0.01)


def test_what_is_not_known_is_left_open_with_its_reason() -> None:
    state = chain_state(history=look_back(sessions=5))
    bare = replace(state, chains=tuple(replace(c, strikes=()) for c in state.chains[:1]), futures=())
    found = surface(bare, RULES)
    assert (found.iv30, found.term_slope, found.index, found.no_index) == (None, None, None, NoIndex.MONTHS)
    (only,) = found.expiries
    assert (only.iv, only.iv_business, only.smile, only.no_smile) == (None, None, None, NoSmile.MONEY)
    assert only.forward_source is ForwardSource.CARRY


def test_business_time_is_left_open_where_next_years_holidays_are_not_published() -> None:
    far = surface(chain_state(), RULES).expiries
    unknown = [e for e in far if not RULES.is_calendar_known(e.expiry)]
    assert all(e.iv_business is None for e in unknown)
    assert all(e.iv_business is not None for e in far if e not in unknown)


def test_the_term_slopes_down_where_the_near_months_are_dearer() -> None:
    assert term_slope([(8, 0.20), (38, 0.15), (98, 0.14)]) == pytest.approx(-0.02)
    assert term_slope([(3, 0.5), (8, 0.10), (38, 0.11), (400, 0.9)]) == pytest.approx(0.01)
    for unknown in ([], [(8, 0.2)], [(8, 0.2), (14, 0.3)], [(8, float("nan")), (60, 0.2)]):
        assert term_slope(unknown) != term_slope(unknown)  # not a number
