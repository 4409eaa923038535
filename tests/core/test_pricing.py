"""Black-76 against oracles of its own kind: integration, parity, textbooks; and the kernel against its plain twin."""

import importlib
import sys
from collections.abc import Sequence
from math import exp, inf, isfinite, isnan, log, nan, pi, sqrt
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import participant.core
from participant.core import pricing, pricing_plain
from participant.core.pricing import Greeks, greeks, implied_volatilities, implied_volatility, price, rounded, years_to
from tests.twins import is_compiled, plain

KERNEL = "participant.core._pricing"
KERNELS = [pricing_plain, plain(KERNEL), *([importlib.import_module(KERNEL)] if is_compiled(KERNEL) else [])]

forwards = st.floats(1.0, 1e9)
moneyness = st.floats(-0.7, 0.7)
times = st.floats(1e-4, 5.0)
sigmas = st.floats(0.01, 2.0)
any_floats = st.floats(allow_nan=True, allow_infinity=True)


def integrated(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> float:
    """The expected payoff under the lognormal law, by Simpson's rule over the side that pays."""
    s = sigma * sqrt(years)
    edge = (log(strike / forward) + s * s / 2) / s
    low, high, steps = (max(edge, -14.0), 14.0 + s, 4000) if is_call else (-14.0, min(edge, 14.0), 4000)
    width = (high - low) / steps

    def payoff(z: float) -> float:
        at_expiry = forward * exp(s * z - s * s / 2)
        return abs(at_expiry - strike) * exp(-z * z / 2) / sqrt(2 * pi)

    inner = sum((4 if i % 2 else 2) * payoff(low + i * width) for i in range(1, steps))
    return width / 3 * (payoff(low) + inner + payoff(high))


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [18_000.0, 24_000.0, 25_000.0, 26_500.0, 40_000.0])
@pytest.mark.parametrize(("years", "sigma"), [(0.08, 0.14), (1.0, 0.3), (0.02, 0.6)])
def test_a_price_is_the_expected_payoff(is_call: bool, strike: float, years: float, sigma: float) -> None:
    expected = integrated(is_call, 25_000.0, strike, years, sigma)
    assert price(is_call, 25_000.0, strike, years, sigma) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_prices_are_those_of_the_textbook() -> None:
    """Hull: the put on a crude oil future (1.12), and the stock option at 42 (call 4.76, put 0.81)."""
    assert exp(-0.09 * 4 / 12) * price(False, 20, 20, 4 / 12, 0.25) == pytest.approx(1.12, abs=0.005)
    forward, discount = 42 * exp(0.1 * 0.5), exp(-0.1 * 0.5)
    assert discount * price(True, forward, 40, 0.5, 0.2) == pytest.approx(4.76, abs=0.005)
    assert discount * price(False, forward, 40, 0.5, 0.2) == pytest.approx(0.81, abs=0.005)


@given(forwards, moneyness, times, sigmas)
def test_call_less_put_is_forward_less_strike(forward: float, x: float, years: float, sigma: float) -> None:
    strike = forward * exp(x)
    call, put = price(True, forward, strike, years, sigma), price(False, forward, strike, years, sigma)
    assert call - put == pytest.approx(forward - strike, rel=1e-12, abs=1e-12 * forward)


@given(st.booleans(), forwards, moneyness, times, sigmas)
def test_implied_volatility_undoes_the_price(
    is_call: bool, forward: float, x: float, years: float, sigma: float
) -> None:
    strike = forward * exp(x)
    worth = price(is_call, forward, strike, years, sigma)
    found = implied_volatility(is_call, worth, forward, strike, years)
    if greeks(is_call, forward, strike, years, sigma).vega * sigma > 1e-5 * forward:
        assert found == pytest.approx(sigma, rel=1e-10)
    elif isfinite(found):  # where the price hardly depends on sigma, the price at least must be met
        assert price(is_call, forward, strike, years, found) == pytest.approx(worth, rel=1e-8, abs=1e-14 * forward)


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("strike", [26_000.0, 28_000.0, 33_000.0])
def test_implied_volatility_holds_in_the_far_wing(strike: float, sigma: float) -> None:
    worth = price(True, 25_000, strike, 0.08, sigma)
    if worth > 1e-290:
        assert implied_volatility(True, worth, 25_000, strike, 0.08) == pytest.approx(sigma, rel=1e-10)


@pytest.mark.parametrize(
    ("is_call", "paid", "forward", "strike", "years"),
    [
        (True, 999.9, 25_000, 24_000, 0.1),  # under the intrinsic value
        (True, 25_000, 25_000, 24_000, 0.1),  # as dear as the forward
        (False, 24_000, 25_000, 24_000, 0.1),  # a put as dear as its strike
        (True, -0.05, 25_000, 26_000, 0.1),
        (True, 100, 25_000, 25_000, 0.0),  # expired
        (True, nan, 25_000, 25_000, 0.1),
        (True, 100, -25_000, 25_000, 0.1),
        (True, 100, 25_000, 0, 0.1),
        (True, 100, inf, 25_000, 0.1),
        (True, 24_999.999999999996, 25_000, 26_950, 0.1),  # within a bit of its bound
    ],
)
def test_a_price_outside_the_bounds_has_no_implied_volatility(
    is_call: bool, paid: float, forward: float, strike: float, years: float
) -> None:
    assert isnan(implied_volatility(is_call, paid, forward, strike, years))


def test_a_price_at_the_intrinsic_value_implies_no_volatility_at_all() -> None:
    assert implied_volatility(True, 1_000, 25_000, 24_000, 0.1) == 0.0
    assert implied_volatility(True, 0, 25_000, 26_000, 0.1) == 0.0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: str(kernel.__file__).rsplit("/", 1)[-1])
@given(st.booleans(), any_floats, any_floats, any_floats, any_floats)
@example(True, 1e-320, 5e-324, 1e-320, 1e308)
@example(True, 1e-300, 1.0, 1e99, 1e-9)
def test_no_input_raises(kernel: ModuleType, is_call: bool, a: float, b: float, c: float, d: float) -> None:
    assert isinstance(kernel.price(is_call, a, b, c, d), float)
    assert isinstance(kernel.implied_volatility(is_call, a, b, c, d), float)
    assert all(isinstance(g, float) for g in kernel.greeks(is_call, a, b, c, d))


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [24_000.0, 25_000.0, 26_500.0])
def test_greeks_are_the_slopes_of_the_price(is_call: bool, strike: float) -> None:
    f, t, v = 25_000.0, 0.08, 0.14

    def slope(up: float, down: float, width: float) -> float:
        return (up - down) / (2 * width)

    g = greeks(is_call, f, strike, t, v)
    assert g.delta == pytest.approx(
        slope(price(is_call, f + 1, strike, t, v), price(is_call, f - 1, strike, t, v), 1.0), abs=1e-6
    )
    assert g.gamma == pytest.approx(
        slope(greeks(is_call, f + 1, strike, t, v).delta, greeks(is_call, f - 1, strike, t, v).delta, 1.0), rel=1e-5
    )
    assert g.vega == pytest.approx(
        slope(price(is_call, f, strike, t, v + 1e-5), price(is_call, f, strike, t, v - 1e-5), 1e-5), rel=1e-6
    )
    assert g.theta == pytest.approx(
        slope(price(is_call, f, strike, t - 1e-6, v), price(is_call, f, strike, t + 1e-6, v), 1e-6), rel=1e-6
    )
    assert g.rho == pytest.approx(-t * price(is_call, f, strike, t, v))


def test_at_expiry_an_option_is_its_intrinsic_value() -> None:
    assert price(True, 25_000, 24_000, 0, 0.14) == 1_000
    assert price(False, 25_000, 24_000, 0.1, 0) == 0
    assert greeks(True, 25_000, 24_000, 0, 0.14) == Greeks(1.0, 0.0, 0.0, 0.0, 0.0)
    assert greeks(False, 25_000, 24_000, 0, 0.14).delta == 0.0
    assert greeks(False, 25_000, 25_000, 0, 0.14).delta == -0.5
    assert all(isnan(g) for g in greeks(True, 25_000, 24_000, -1, 0.14))


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: str(kernel.__file__).rsplit("/", 1)[-1])
@given(st.booleans(), forwards, moneyness, times, sigmas)
def test_the_kernel_and_its_plain_twin_give_the_same_bits(
    kernel: ModuleType, is_call: bool, forward: float, x: float, years: float, sigma: float
) -> None:
    strike = forward * exp(x)
    worth = pricing_plain.price(is_call, forward, strike, years, sigma)
    assert kernel.price(is_call, forward, strike, years, sigma) == worth
    assert kernel.greeks(is_call, forward, strike, years, sigma) == pricing_plain.greeks(
        is_call, forward, strike, years, sigma
    )
    ours = kernel.implied_volatilities(is_call, [worth, -1.0], forward, [strike, strike], years)
    theirs = pricing_plain.implied_volatilities(is_call, [worth, -1.0], forward, [strike, strike], years)
    assert repr(ours) == repr(theirs)


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert ("compiled" if is_compiled(KERNEL) else "plain") == pricing.KERNEL


def test_without_a_kernel_that_can_be_imported_its_twin_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_pricing", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert pricing._choose() is pricing_plain


def test_a_whole_expiry_is_inverted_at_once() -> None:
    strikes: Sequence[float] = [24_000.0, 25_000.0, 26_000.0]
    prices = [price(True, 25_000, k, 0.08, 0.14) for k in strikes]
    assert implied_volatilities(True, prices, 25_000, strikes, 0.08) == pytest.approx([0.14] * 3, rel=1e-10)


def test_time_to_expiry_is_counted_in_calendar_years_of_365_days() -> None:
    day = 86_400 * 1_000_000_000
    assert years_to(73 * day, 0) == pytest.approx(0.2)
    assert years_to(day, 2 * day) == 0.0


def test_floats_are_rounded_to_ten_significant_digits() -> None:
    assert rounded(0.123456789012345) == 0.1234567890
    assert rounded(-12345678901.2345) == -12345678900.0
    assert rounded(rounded(1 / 3)) == rounded(1 / 3)
    assert isnan(rounded(nan))
