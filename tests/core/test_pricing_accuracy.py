"""Prices, greeks and implied volatility against mpmath at 50 digits, over the whole plane and its edges.

The reference answers the question as it is put: sigma of exactly the doubles that the kernel is given.
"""

from collections.abc import Iterator
from itertools import product
from math import exp, inf, sqrt
from typing import Any

import pytest
from mpmath import mp, mpf

from participant.core.pricing import Greeks, fault, greeks, implied_volatility, price

MINUTE = 1 / (365 * 24 * 60)
TIMES = (MINUTE, 1 / 365, 0.08, 1.0, 5.0)
SIGMAS = (0.005, 0.14, 0.8, 5.0)
# Moneyness in units of sigma x root(years).
AWAY = (0.0, 1e-9, 1e-4, 0.3, 1.0, 3.0, 7.0, 12.0)

Case = tuple[bool, float, float, float, float]


def plane() -> Iterator[Case]:
    """Side, forward, strike, years and sigma."""
    for years, sigma, h, sign, is_call in product(TIMES, SIGMAS, AWAY, (-1, 1), (False, True)):
        yield is_call, 25_000.0, 25_000.0 * exp(sign * h * sigma * sqrt(years)), years, sigma


def normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def exact(forward: float, strike: float, s: Any) -> tuple[Any, Any, Any]:
    """Of the option out of the money: its price, what that leaves to the upper bound, and the slope to s."""
    low, high = sorted((mpf(forward), mpf(strike)))
    d = s / 2 - mp.log(high / low) / s
    left = low * normal(-d) + high * normal(d - s)
    return low * normal(d) - high * normal(d - s), left, low * mp.exp(-d * d / 2) / mp.sqrt(2 * mp.pi)


def intrinsic(is_call: bool, forward: float, strike: float) -> Any:
    return max(mpf(0), mpf(forward) - mpf(strike) if is_call else mpf(strike) - mpf(forward))


def exact_volatility(is_call: bool, paid: float, forward: float, strike: float, s: Any) -> Any:
    """sigma x root(years) of a price, by Newton from near by on the logarithm of price or of what is left."""
    value, low = mpf(paid) - intrinsic(is_call, forward, strike), min(mpf(forward), mpf(strike))
    for _ in range(200):
        worth, left, slope = exact(forward, strike, s)
        by = worth * mp.log(value / worth) if 2 * value < low else -left * mp.log((low - value) / left)
        s += by / slope
        if abs(by / slope) < s * mpf(10) ** -30:
            return s
    pytest.fail("the reference did not converge")


@pytest.fixture(autouse=True)
def _fifty_digits() -> Iterator[None]:
    with mp.workdps(50):
        yield


def test_implied_volatility_is_exact_to_1e13_over_the_whole_plane() -> None:
    worst, solved = 0.0, 0
    for is_call, forward, strike, years, sigma in plane():
        s = mpf(sigma) * mp.sqrt(mpf(years))
        inside = intrinsic(is_call, forward, strike)
        paid = float(exact(forward, strike, s)[0] + inside)
        if mpf(paid) < inside or paid >= (forward if is_call else strike):  # of the time value no digit is left
            assert fault(is_call, paid, forward, strike, years) is not None
            continue
        if mpf(paid) == inside:
            assert implied_volatility(is_call, paid, forward, strike, years) == 0.0
            continue
        found = implied_volatility(is_call, paid, forward, strike, years)
        root = mp.sqrt(mpf(years))
        reference = exact_volatility(is_call, paid, forward, strike, mpf(found) * root) / root
        worst, solved = max(worst, float(abs(found / reference - 1))), solved + 1
    assert worst < 1e-13
    assert solved > 450


def test_prices_out_of_the_money_are_exact_to_1e12_over_the_whole_plane() -> None:
    for is_call, forward, strike, years, sigma in plane():
        if (forward < strike) == is_call:
            expected = exact(forward, strike, mpf(sigma) * mp.sqrt(mpf(years)))[0]
            assert float(abs(price(is_call, forward, strike, years, sigma) / expected - 1)) < 1e-12


def test_greeks_are_exact_to_1e12_over_the_whole_plane() -> None:
    for is_call, forward, strike, years, sigma in plane():
        f, t = mpf(forward), mpf(years)
        s = mpf(sigma) * mp.sqrt(t)
        d = mp.log(f / mpf(strike)) / s + s / 2
        density = mp.exp(-d * d / 2) / mp.sqrt(2 * mp.pi)
        worth = exact(forward, strike, s)[0] + intrinsic(is_call, forward, strike)
        expected = (
            normal(d) if is_call else -normal(-d),
            density / (f * s),
            f * density * mp.sqrt(t),
            -f * density * sigma / (2 * mp.sqrt(t)),
            -t * worth,
        )
        found = greeks(is_call, forward, strike, years, sigma)
        for name, ours, theirs in zip(Greeks._fields, found, expected, strict=True):
            assert float(abs(ours / theirs - 1)) < 1e-12, (name, is_call, strike, years, sigma)


def test_whatever_the_price_the_answer_is_as_exact_beyond_the_plane() -> None:
    """From 1e-290 of the forward up to the last double below the bound, and strikes a thousand times off."""
    for paid in (1e-290, 1e-150, 1e-30, 1e-3, 0.4, 0.5, 0.6, 0.99, 1 - 2**-53):
        for strike in (1.0, 1 + 2**-52, 1.0001, 2.0, 1000.0):
            found = implied_volatility(True, paid, 1.0, strike, 1.0)
            assert 0 < found < inf
            with mp.workdps(400):  # the formula's two terms have 300 digits in common
                assert float(abs(found / exact_volatility(True, paid, 1.0, strike, mpf(found)) - 1)) < 1e-13
