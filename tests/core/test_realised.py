"""Realised volatility by the range: worked by hand, held to a path whose volatility is known, and to properties."""

from math import exp, isnan, log, sqrt
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import LookBack
from participant.core.realised import parkinson, realised_by, yang_zhang
from participant.core.volatility import realised

Bars = tuple[list[int], list[int], list[int], list[int]]


def test_parkinson_worked_by_hand() -> None:
    """ln(1.02) = 0.01980263 and ln(1.01) = 0.00995033: root of (0.000392144 + 0.000099009) / 2 / 2.7725887 x 252."""
    assert parkinson([10_200, 10_100], [10_000, 10_000], 2) == pytest.approx(0.149400, abs=1e-6)


def test_yang_zhang_worked_by_hand() -> None:
    """Of closes 100, 102, 101, 103 and three bars, n = 3: k = 0.34 / 3.34 = 0.1017964.

    nights  ln(101/100), ln(101/102), ln(102/101): variance 0.000130071
    days    ln(102/101), ln(101/101), ln(103/102): variance 0.0000320433
    within  ln(103/102) ln(103/101) + ln(100/102) ln(100/101) = 0.000388346; ln(103/101)^2 + ln(100/101)^2 =
            0.000483501; ln(104/103) ln(104/102) + ln(101/103) ln(101/102) = 0.000380804; mean 0.000417551
    root of (0.000130071 + k x 0.0000320433 + (1 - k) x 0.000417551) x 252 = 0.357926
    """
    opens, highs, lows = [1010, 1010, 1020], [1030, 1030, 1040], [1000, 1000, 1010]
    assert yang_zhang(opens, highs, lows, [1000, 1020, 1010, 1030], 3) == pytest.approx(0.357926, abs=1e-6)


def path(sigma: float, night_share: float, sessions: int, seed: int, steps: int = 200) -> Bars:
    """Bars of a path of Gaussian steps with this annual volatility, of whose variance a share comes overnight."""
    random, day = Random(seed), sigma**2 / 252
    spot = log(25_000_0000)
    bars: Bars = ([], [], [], [])
    for _ in range(sessions):
        spot += random.gauss(0, sqrt(day * night_share))
        walk = [spot]
        for _ in range(steps):
            walk.append(walk[-1] + random.gauss(0, sqrt(day * (1 - night_share) / steps)))
        spot = walk[-1]
        for column, value in zip(bars, (walk[0], max(walk), min(walk), spot), strict=True):
            column.append(round(exp(value)))
    return bars


def test_on_a_path_of_known_volatility_yang_zhang_is_right_and_parkinson_lacks_the_night() -> None:
    """Two hundred steps a session miss the very highs and lows, which costs some 3 % of a range."""
    opens, highs, lows, closes = path(0.20, 0.30, 1001, seed=5)
    assert realised(closes, 1000) == pytest.approx(0.20, rel=0.05)
    assert yang_zhang(opens, highs, lows, closes, 1000) == pytest.approx(0.20, rel=0.05)
    assert parkinson(highs, lows, 1000) == pytest.approx(0.20 * sqrt(0.7), rel=0.06)


def test_over_twenty_sessions_yang_zhang_is_far_less_noisy_than_closes() -> None:
    opens, highs, lows, closes = path(0.20, 0.30, 2001, seed=6, steps=100)
    blocks = [(i, i + 21) for i in range(0, 1980, 20)]
    of_closes = [realised(closes[a:b]) for a, b in blocks]
    of_bars = [yang_zhang(opens[a:b], highs[a:b], lows[a:b], closes[a:b]) for a, b in blocks]

    def noise(values: list[float]) -> float:
        mean = sum(values) / len(values)
        return sqrt(sum((v / mean - 1) ** 2 for v in values) / len(values))

    assert noise(of_bars) < 0.8 * noise(of_closes)


def test_snapshots_of_a_path_underestimate_its_range() -> None:
    random = Random(3)
    walk = [0.0]
    for _ in range(2_000):
        walk.append(walk[-1] + random.gauss(0, 0.0002))
    seen = walk[::100]
    assert max(seen) - min(seen) < max(walk) - min(walk)


prices = st.integers(1_000_000, 2_000_000)


@given(st.lists(st.tuples(prices, prices, prices, prices), min_size=5, max_size=30), st.integers(2, 50))
def test_a_scale_changes_nothing_and_no_range_is_negative(rows: list[tuple[int, ...]], scale: int) -> None:
    opens, closes = [r[0] for r in rows], [r[3] for r in rows]
    highs, lows = [max(r) for r in rows], [min(r) for r in rows]
    n = len(rows) - 1
    found = yang_zhang(opens, highs, lows, closes, n), parkinson(highs, lows, n)
    o, h, w, c = ([scale * p for p in column] for column in (opens, highs, lows, closes))
    assert all(value >= 0 for value in found)
    assert found == pytest.approx((yang_zhang(o, h, w, c, n), parkinson(h, w, n)), rel=1e-9)


@pytest.mark.parametrize(
    "bars",
    [
        ([], [], [], [100] * 21),
        ([100] * 19, [101] * 19, [99] * 19, [100] * 21),
        ([100] * 20, [101] * 20, [99] * 20, [100] * 20),  # no close before the first session
        ([100] * 20, [101] * 19 + [98], [99] * 20, [100] * 21),  # a high below the low
        ([102] * 20, [101] * 20, [99] * 20, [100] * 21),  # an open above the high
        ([100] * 20, [101] * 20, [0] * 20, [100] * 21),
        ([100] * 20, [101] * 20, [99] * 20, [0] * 21),
    ],
)
def test_bars_that_are_missing_or_cannot_be_leave_it_unknown(bars: Bars) -> None:
    assert isnan(yang_zhang(*bars))


def test_a_range_that_is_missing_or_cannot_be_leaves_parkinson_unknown() -> None:
    assert isnan(parkinson([], []))
    assert isnan(parkinson([101] * 19, [99] * 19))
    assert isnan(parkinson([98] * 20, [99] * 20))


def test_each_estimator_speaks_as_far_as_the_look_back_has_its_prices() -> None:
    opens, highs, lows, closes = (tuple(column) for column in path(0.2, 0.3, 30, seed=1, steps=50))
    bare = realised_by(LookBack(closes))
    assert bare.close == realised(closes)
    assert isnan(bare.parkinson)
    assert isnan(bare.yang_zhang)
    whole = realised_by(LookBack(closes, opens=opens[-20:], highs=highs[-20:], lows=lows[-20:]))
    assert (whole.close, whole.parkinson) == (bare.close, parkinson(highs, lows))
    assert whole.yang_zhang == yang_zhang(opens, highs, lows, closes)
