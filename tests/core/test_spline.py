"""The natural spline: through its points, straight where they are, smooth, and unbent at its ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.spline import natural_spline

XS = [0.0, 1.0, 2.5, 3.0, 5.0]
ys = st.lists(st.floats(-10, 10), min_size=5, max_size=5)


@given(ys)
def test_it_runs_through_its_points(values: list[float]) -> None:
    assert natural_spline(XS, values, XS) == pytest.approx(values)


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 5))
def test_a_straight_line_stays_one(slope: float, level: float, x: float) -> None:
    values = [level + slope * at for at in XS]
    assert natural_spline(XS, values, [x]) == pytest.approx([level + slope * x], abs=1e-12)
    assert natural_spline(XS[:2], values[:2], [x / 5]) == pytest.approx([level + slope * x / 5], abs=1e-12)


@given(ys)
def test_slopes_and_bends_meet_at_the_points_and_the_ends_are_unbent(values: list[float]) -> None:
    h = 1e-3

    def bend(x: float) -> float:
        low, mid, high = natural_spline(XS, values, [x - h, x, x + h])
        return (low - 2 * mid + high) / h**2

    scale = 1 + max(map(abs, values))
    for x in XS[1:-1]:
        below, here, above = natural_spline(XS, values, [x - h, x, x + h])
        assert here - below == pytest.approx(above - here, abs=1e-3 * scale * h * 100)
        assert bend(x - 2 * h) == pytest.approx(bend(x + 2 * h), abs=0.5 * scale)
    assert bend(XS[0] + 2 * h) == pytest.approx(0, abs=0.2 * scale)
    assert bend(XS[-1] - 2 * h) == pytest.approx(0, abs=0.2 * scale)


def test_worked_by_hand() -> None:
    """Through (0, 0), (1, 1), (2, 0) the middle bend is -3, so at 0.5 it is 0.5 + (0.125 - 0.5) x -3 / 6."""
    assert natural_spline([0.0, 1.0, 2.0], [0.0, 1.0, 0.0], [0.5]) == pytest.approx([0.6875])
