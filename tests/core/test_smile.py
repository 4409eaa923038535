"""The smile of an expiry: recovered where it is known, its figures the slopes of it, its density that of prices."""

from math import exp, isclose, log, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.market import Chain, Quote, Strike
from participant.core.pricing import price
from participant.core.smile import GRID, NoSmile, Point, Smile, fitted, smile
from participant.core.volatility import forward_to, years_left
from tests.core.worlds import RULES, SIGMA, TICK, chain_state

Parabola = tuple[float, float, float]
# Level, skew and curvature of a curve whose variance is positive within two deviations.
parabolas = st.builds(
    lambda level, b, c: (level**2, b * level**2, c * level**2),
    st.floats(0.05, 1.0), st.floats(-0.3, 0.3), st.floats(0.0, 0.5),
)  # fmt: skip


def points_of(parabola: Parabola, weight: float = 1.0) -> list[Point]:
    a, b, c = parabola
    return [Point(x, sqrt(a + b * x + c * x * x), weight) for x in (-1.9, -1.2, -0.6, -0.1, 0.3, 0.9, 1.7)]


def found(points: list[Point], deviation: float = 0.05) -> Smile:
    curve = fitted(points, deviation)
    assert isinstance(curve, Smile)
    return curve


@given(parabolas)
def test_a_parabola_is_recovered_and_leaves_no_error(parabola: Parabola) -> None:
    curve = found(points_of(parabola))
    assert curve.parabola == pytest.approx(parabola, rel=1e-6, abs=1e-8 * parabola[0])
    assert curve.rms < 1e-8
    assert curve.worst < 1e-8
    assert curve.strikes == 7


@given(parabolas)
def test_skew_and_curvature_are_the_slopes_of_the_curve_at_the_money(parabola: Parabola) -> None:
    curve, h = found(points_of(parabola)), 1e-3
    up, mid, down = curve.at(h), curve.at(0.0), curve.at(-h)
    assert curve.level == pytest.approx(mid)
    assert curve.skew == pytest.approx((up - down) / (2 * h), rel=1e-4, abs=1e-6)
    assert curve.curvature == pytest.approx((up - 2 * mid + down) / h**2, rel=1e-3, abs=1e-3 * mid)


def test_the_fit_error_is_the_distance_of_every_strike_alike() -> None:
    """Two points of great weight and one that is off by a vol point at almost none."""
    points = points_of((0.04, 0.0, 0.0), weight=1e6)
    curve = found([*points, Point(0.5, 0.21, 1e-6)])
    assert curve.level == pytest.approx(0.2, abs=1e-6)
    assert curve.worst == pytest.approx(0.01, rel=1e-3)
    assert curve.rms == pytest.approx(0.01 / sqrt(8), rel=1e-3)


@given(st.lists(st.floats(-0.01, 0.01), min_size=7, max_size=7))
def test_no_other_parabola_near_by_is_closer(noise: list[float]) -> None:
    points = [Point(p.x, p.iv + e, 1.0) for p, e in zip(points_of((0.04, -0.005, 0.006)), noise, strict=True)]
    curve = found(points)

    def cost(parabola: Parabola) -> float:
        a, b, c = parabola
        return sum((a + b * p.x + c * p.x**2 - p.iv**2) ** 2 / (4 * p.iv**2) for p in points)

    best = cost(curve.parabola)
    for i in range(3):
        for step in (-1e-4, 1e-4):
            moved = list(curve.parabola)
            moved[i] += step
            assert cost((moved[0], moved[1], moved[2])) >= best - 1e-12


def density(parabola: Parabola, x: float, deviation: float) -> float:
    """The second difference of call prices in the strike, in units of its forward."""
    a, b, c = parabola

    def call(strike: float, at: float) -> float:
        return price(True, 1.0, strike, 1.0, sqrt(a + b * at + c * at * at) * deviation / sqrt(a))

    h = 1e-3 * deviation
    strikes = [exp(x * deviation) + i * h for i in (-1, 0, 1)]
    low, mid, high = (call(k, log(k) / deviation) for k in strikes)
    return (low - 2 * mid + high) / h**2


@given(parabolas, st.floats(0.02, 0.6))
def test_it_is_free_of_butterflies_where_the_density_of_its_prices_is_nowhere_below_zero(
    parabola: Parabola, deviation: float
) -> None:
    curve = found(points_of(parabola), deviation)
    densities = [density(curve.parabola, x, deviation) for x in GRID]
    if min(densities) > 1e-3 or min(densities) < -1e-3:  # what lies between is the rounding of the differences
        assert curve.is_butterfly_free == (min(densities) > 0)


def test_a_skew_that_no_density_can_have_is_told() -> None:
    steep = (0.04, 2.1 * 0.04, 1.2 * 0.04)
    assert min(density(steep, x, 0.5) for x in GRID) < 0
    assert not found(points_of(steep), 0.5).is_butterfly_free
    assert found(points_of((0.04, 0.0, 0.0)), 0.5).is_butterfly_free


def test_in_a_flat_world_the_smile_is_flat() -> None:
    state = chain_state()
    for chain in state.chains:
        years = years_left(state, chain, RULES)
        curve = smile(chain, forward_to(state, chain, years).level, years)
        assert isinstance(curve, Smile)
        assert curve.level == pytest.approx(SIGMA, rel=5e-3)
        assert abs(curve.skew) < 0.002
        assert curve.rms < 0.002
        assert curve.strikes >= 5
        assert curve.is_butterfly_free


def test_a_chain_without_a_smile_says_why() -> None:
    state = chain_state()
    chain = state.chains[1]
    years = years_left(state, chain, RULES)
    forward = forward_to(state, chain, years).level
    at_the_money = tuple(r for r in chain.strikes if abs(r.strike - forward) < 0.003 * forward)
    assert smile(replace(chain, strikes=()), forward, years) is NoSmile.MONEY
    assert smile(replace(chain, strikes=at_the_money), forward, years) is NoSmile.STRIKES
    assert smile(chain, forward, 0.0) is NoSmile.MONEY
    wide = replace(chain, strikes=tuple(map(_widened, chain.strikes)))
    assert smile(wide, forward, years) is NoSmile.STRIKES
    assert fitted([Point(0.1, 0.2, 1.0)] * 6, 0.05) is NoSmile.SHAPE  # one strike makes no curve
    assert fitted([Point(x, 0.2, 0.0) for x in (-1, -0.5, 0, 0.5, 1)], 0.05) is NoSmile.SHAPE
    bent = [Point(x, sqrt(v), 1.0) for x, v in ((-1.9, 1e-9), (-1, 0.03), (0, 0.04), (1, 0.03), (1.9, 1e-9))]
    assert fitted(bent, 0.05) is NoSmile.SHAPE  # below zero beyond its last strikes


def _widened(row: Strike) -> Strike:
    def wide(quote: Quote | None) -> Quote | None:
        return quote and replace(quote, bid=max(TICK, quote.bid // 2), ask=quote.ask * 2)

    return Strike(row.strike, wide(row.call), wide(row.put))


def test_its_figures_have_ten_digits_and_its_level_is_the_curve_at_the_money() -> None:
    state = chain_state()
    chain: Chain = state.chains[2]
    years = years_left(state, chain, RULES)
    curve = smile(chain, forward_to(state, chain, years).level, years)
    assert isinstance(curve, Smile)
    for value in (*curve.parabola, curve.level, curve.skew, curve.curvature, curve.rms, curve.worst):
        assert value == float(f"{value:.10g}")
    assert isclose(curve.at(0.0), curve.level, rel_tol=1e-9)
