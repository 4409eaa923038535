"""Every statistic against a value worked out by hand, and what the bootstrap draws."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.research import statistics as s

WORTHS = [100.0, 110.0, 99.0, 108.9, 103.455]  # +10 %, -10 %, +10 %, -5 %
RETURNS = [0.10, -0.10, 0.10, -0.05]
OTHERS = [0.05, -0.05, 0.10, -0.10]


def test_returns_are_simple_and_their_product_is_the_whole() -> None:
    assert s.returns(WORTHS) == pytest.approx(RETURNS)
    assert s.total_return(RETURNS) == pytest.approx(0.03455)
    assert s.returns([100.0]) == []


def test_volatility_is_the_standard_deviation_of_a_year() -> None:
    """mean 0.0125, squares 0.00765625 + 0.01265625 + 0.00765625 + 0.00390625 = 0.031875, over 3: 0.010625."""
    assert s.volatility(RETURNS) == pytest.approx(math.sqrt(252 * 0.010625))
    assert s.volatility([0.1]) is None


def test_the_sharpe_ratio_is_the_mean_over_the_standard_deviation() -> None:
    assert s.sharpe(RETURNS) == pytest.approx(0.0125 / math.sqrt(0.010625) * math.sqrt(252))
    assert s.sharpe([0.01, 0.01]) is None


def test_the_sortino_ratio_counts_losses_alone() -> None:
    """Losses 0.1 and 0.05: (0.01 + 0.0025) / 4 = 0.003125."""
    assert s.sortino(RETURNS) == pytest.approx(0.0125 / math.sqrt(0.003125) * math.sqrt(252))
    assert s.sortino([0.1, 0.2]) is None


def test_the_deepest_drawdown_is_from_110_to_99_and_was_not_made_good() -> None:
    found = s.drawdown(WORTHS)
    assert (found.peak, found.trough, found.recovered) == (1, 2, None)
    assert found.depth == s.deepest(RETURNS) == pytest.approx(0.1)
    assert s.drawdown([100.0, 75.0, 100.0]) == s.Drawdown(0.25, 0, 1, 2)
    assert s.drawdown([100.0, 101.0]).depth == 0


def test_the_shortfall_is_the_mean_of_the_worst_twentieth() -> None:
    assert s.shortfall(RETURNS) == -0.10
    assert s.shortfall([i / 1000 for i in range(-20, 20)]) == pytest.approx((-0.020 - 0.019) / 2)
    assert s.shortfall([]) is None


def test_skewness_is_the_third_moment_over_the_second() -> None:
    """Of 0, 0, 0, 4: mean 1, m2 = (1 + 1 + 1 + 9) / 4 = 3, m3 = (-1 - 1 - 1 + 27) / 4 = 6."""
    assert s.skewness([0.0, 0.0, 0.0, 4.0]) == pytest.approx(6 / 3**1.5)
    assert s.skewness([0.1, 0.1]) is None


def test_beta_is_the_covariance_over_the_others_variance() -> None:
    """The other's mean is 0 and its squares 0.025; products 0.005 + 0.005 + 0.01 + 0.005 = 0.025."""
    assert s.beta(RETURNS, OTHERS) == pytest.approx(1.0)
    assert s.beta(RETURNS, [0.01] * 4) is None


def test_capture_is_the_sum_on_the_days_on_which_the_other_went_one_way() -> None:
    assert s.capture(RETURNS, OTHERS, 1) == pytest.approx(0.20 / 0.15)
    assert s.capture(RETURNS, OTHERS, -1) == pytest.approx(0.15 / 0.15)
    assert s.capture(RETURNS, [0.1] * 4, -1) is None


@given(st.integers(1, 400), st.integers(0, 1000))
def test_a_resample_has_as_many_places_in_blocks_of_neighbours(count: int, seed: int) -> None:
    drawn, length = s.places(count, random.Random(seed)), s.block_length(count)
    assert len(drawn) == count
    inside = [i for i in range(1, count) if i % length]
    assert all(drawn[i] == (drawn[i - 1] + 1) % count for i in inside)


def test_a_block_is_the_cube_root_long() -> None:
    assert [s.block_length(count) for count in (1, 27, 125, 252)] == [1, 3, 5, 6]


def test_intervals_are_the_same_each_time_hold_the_value_and_narrow_with_more_days() -> None:
    rng = random.Random(7)
    few, many = ([rng.gauss(0.0005, 0.01) for _ in range(count)] for count in (60, 960))
    widths = []
    for rs in (few, many):
        found = s.intervals([rs], s.ALONE)
        assert found == s.intervals([rs], s.ALONE)
        for name in ("return", "volatility a year", "Sharpe ratio"):
            value = s.ALONE[name](rs)
            assert value is not None
            assert found[name].low < value < found[name].high
        widths.append(found["volatility a year"].high - found["volatility a year"].low)
    assert widths[1] < widths[0] / 2


def test_a_pair_is_drawn_at_the_same_places() -> None:
    rng = random.Random(3)
    rs = [rng.gauss(0, 0.01) for _ in range(50)]
    found = s.intervals([[2 * r for r in rs], rs], {"beta": s.beta})
    assert [found["beta"].low, found["beta"].high] == pytest.approx([2, 2])


def test_of_fewer_than_twenty_returns_no_interval_is_given() -> None:
    assert s.intervals([[0.01] * 19], s.ALONE) == {}
