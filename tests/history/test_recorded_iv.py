"""The `iv` column of a recorded chain: reproduced by the exchange's own formula, and what leads from it to ours."""

import statistics

import pytest

from bench.recorded_chains import SETS, Recorded, read
from bench.recorded_iv import EXCHANGE, by_convention, conventions, forwards, off, ours, shifts_of, size, traded_near
from tests.history.recorded import DATA, needs_data

FILE = SETS["NIFTY August 2026"]


@pytest.fixture(scope="module")
def rows() -> list[Recorded]:
    return read(DATA / FILE)


@needs_data
def test_it_is_black_scholes_on_spot_at_ten_per_cent_by_whole_days_on_the_last_price(rows: list[Recorded]) -> None:
    near = traded_near(rows)
    (residual, best), (runner_up, _), *_ = conventions(near)
    assert best == EXCHANGE
    assert residual < 0.09 < runner_up  # vol points, half of the options


@needs_data
def test_what_is_left_over_is_a_spot_that_stands_still_a_moment_longer(rows: list[Recorded]) -> None:
    """Moved by one amount a snapshot, under two basis points on the median, the spot explains half of the residual."""
    near = traded_near(rows)
    residual = off(near, by_convention(near, EXCHANGE))
    moved = shifts_of(near, residual)
    assert size(off(near, by_convention(near, EXCHANGE, moved))) < 0.5 * size(residual)
    assert statistics.median(abs(s) / r.spot for s, r in zip(moved, near, strict=True)) < 2e-4
    assert abs(statistics.median(residual)) < 0.02  # on neither side


@needs_data
def test_ours_lies_near_it_where_spot_at_ten_per_cent_is_near_the_forward(rows: list[Recorded]) -> None:
    near = traded_near(rows)
    found = off(near, ours(near, forwards(rows)))
    for is_call in (True, False):
        side = [d for r, d in zip(near, found, strict=True) if r.is_call is is_call]
        assert abs(statistics.median(side)) < 0.12
