"""The volatility index: what it must be where volatility is known, by hand on a few strikes, and its refusals."""

import datetime
from math import exp, sqrt

import pytest
from msgspec.structs import replace

from participant.core.market import Chain, Future, MarketState, Quote, Strike
from participant.core.scrip import PRICE_UNITS
from participant.core.session import at_time
from participant.core.volatility_index import (
    RATE,
    Index,
    NoIndex,
    is_appropriate,
    month,
    out_of_the_money,
    volatility_index,
)
from tests.core.worlds import DAY, RULES, SIGMA, chain_state


def index_of(state: MarketState) -> Index:
    found = volatility_index(state, RULES)
    assert isinstance(found, Index)
    return found


def quote(middle: int, width: int = 2) -> Quote:
    return Quote(middle - width // 2, middle + width // 2, 75, 75, 0)


def test_where_all_options_have_one_volatility_the_index_is_that_volatility() -> None:
    """Strikes end a tenth from spot, which is 1.7 deviations of the second month: what lies beyond is not counted."""
    found = index_of(chain_state())
    assert found.level == pytest.approx(SIGMA, rel=0.05)
    assert found.level < SIGMA * exp(RATE / 2 * 60 / 365)
    calm = index_of(chain_state(sigma=0.08))
    assert calm.level == pytest.approx(0.08, rel=0.01)


def test_it_rises_with_the_volatility_of_the_chain() -> None:
    levels = [index_of(chain_state(sigma=sigma)).level for sigma in (0.06, 0.08, 0.10, 0.14, 0.20)]
    assert levels == sorted(levels)


def test_a_month_worked_by_hand() -> None:
    """The forward stands at 101 (rupees); out of the money cost puts at 80 and 90 0.5 and 1, calls at 110 and 120 1 and
    0.5, and at 100 the call 4 and the put 3. Steps are 10 throughout:

    10 x (0.5/80^2 + 1/90^2 + 3.5/100^2 + 1/110^2 + 0.5/120^2) = 0.006688 of variance, of which 0.0001 are taken off.
    """
    rows = (
        Strike(80 * PRICE_UNITS, None, quote(5_000)),
        Strike(90 * PRICE_UNITS, None, quote(10_000)),
        Strike(100 * PRICE_UNITS, quote(40_000), quote(30_000)),
        Strike(110 * PRICE_UNITS, quote(10_000), None),
        Strike(120 * PRICE_UNITS, quote(5_000), None),
    )
    prices = out_of_the_money(rows, 100 * PRICE_UNITS)
    assert prices == [(r.strike, p) for r, p in zip(rows, (5_000, 10_000, 35_000, 10_000, 5_000), strict=True)]
    state = chain_state()
    chain = replace(state.chains[0], strikes=rows)
    future = replace(state.futures[0].contract, expiry=chain.expiry)
    known = replace(state, futures=(Future(future, quote(101 * PRICE_UNITS)),))
    found = month(known, chain, 0.1)
    assert found is not None
    total = 10 * (0.5 / 6_400 + 1 / 8_100 + 3.5 / 10_000 + 1 / 12_100 + 0.5 / 14_400)
    assert total == pytest.approx(0.006689, abs=1e-6)
    assert found.variance == pytest.approx((2 * exp(0.1 * RATE) * total - 0.01**2) / 0.1, rel=1e-9)
    assert (found.below, found.strikes) == (100 * PRICE_UNITS, 5)


def test_the_index_is_linear_in_total_variance_between_its_months() -> None:
    found = index_of(chain_state())
    near, after = found.near, found.next
    share = (30 - near.days) / (after.days - near.days)
    total = (1 - share) * near.days * near.variance + share * after.days * after.variance
    assert found.level == pytest.approx(sqrt(total / 30), rel=1e-9)
    assert near.days < 30 < after.days or near.days < after.days


def test_a_strike_without_an_appropriate_quote_gets_its_price_from_its_neighbours() -> None:
    state = chain_state()
    whole, nearest = index_of(state), RULES.future_expiries("NIFTY", DAY)[0]
    chain = next(c for c in state.chains if c.expiry == nearest)
    gone = [r.strike for r in chain.strikes][40]
    for hole in (None, Quote(100, 100_000_000, 75, 75, 0)):
        rows = tuple(replace(r, put=hole) if r.strike == gone else r for r in chain.strikes)
        held = replace(state, chains=tuple(replace(c, strikes=rows) if c is chain else c for c in state.chains))
        found = index_of(held)
        assert found.level == pytest.approx(whole.level, rel=2e-4)
        assert found.near.strikes == whole.near.strikes


def test_a_quote_is_appropriate_up_to_thirty_per_cent_of_its_middle() -> None:
    assert is_appropriate(Quote(85, 115, 1, 1, 0))
    assert not is_appropriate(Quote(84, 116, 1, 1, 0))
    assert not is_appropriate(Quote(0, 100, 0, 1, 0))


def test_within_three_sessions_of_its_end_the_near_month_gives_way() -> None:
    months = RULES.future_expiries("NIFTY", DAY)  # the first is Tuesday, 29 September 2026
    assert months[0] == datetime.date(2026, 9, 29)
    for day, first in ((datetime.date(2026, 9, 24), 0), (datetime.date(2026, 9, 25), 1), (months[0], 1)):
        state = chain_state(at_time(day, 12, 0), day=day)
        expiry_days = (months[first] - day).days
        assert index_of(state).near.days == pytest.approx(expiry_days, abs=0.5)


def test_without_two_months_of_quotes_there_is_no_index() -> None:
    state, months = chain_state(), RULES.future_expiries("NIFTY", DAY)
    only_near = tuple(c for c in state.chains if c.expiry == months[0])
    assert volatility_index(replace(state, chains=only_near), RULES) is NoIndex.MONTHS

    def thinned(chain: Chain, keep: int) -> Chain:
        return replace(chain, strikes=chain.strikes[50 : 50 + keep]) if chain.expiry == months[1] else chain

    for keep in (0, 1, 3):
        thin = replace(state, chains=tuple(thinned(c, keep) for c in state.chains))
        assert volatility_index(thin, RULES) is NoIndex.STRIKES
