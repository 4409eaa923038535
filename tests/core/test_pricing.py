"""Black-76 against oracles of its own kind: integration, parity, textbooks; and the kernel against its plain twin."""

import importlib
import sys
from array import array
from math import copysign, exp, inf, isnan, log, nan, pi, sqrt, ulp
from types import ModuleType

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import participant.core
from participant.core import pricing, pricing_plain
from participant.core.kernels import choose
from participant.core.pricing import (
    Greeks,
    NoVolatility,
    Options,
    Spot,
    fault,
    forward_of,
    greeks,
    implied_volatilities,
    implied_volatility,
    price,
    rounded,
    spot_greeks,
    spot_implied_volatility,
    spot_price,
    values,
    wide,
    years_to,
)
from tests.twins import is_compiled

KERNEL = "participant.core._pricing"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [pricing_plain, *COMPILED]

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
    stock = Spot(42, 0.1, 0.0)
    assert spot_price(True, stock, 40, 0.5, 0.2) == pytest.approx(4.76, abs=0.005)
    assert spot_price(False, stock, 40, 0.5, 0.2) == pytest.approx(0.81, abs=0.005)


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
    # A price is known to half a unit in its last place, so sigma is known to this much and no better.
    doubt = 2 * ulp(worth) / max(greeks(is_call, forward, strike, years, sigma).vega, 1e-300)
    if doubt < 0.01 * sigma and worth > 1e-290 * forward:
        assert abs(found - sigma) <= 1e-12 * sigma + doubt


@given(st.booleans(), forwards, moneyness, times, sigmas, st.floats(1e-6, 1.0))
def test_a_price_rises_with_volatility_and_implied_volatility_with_the_price(
    is_call: bool, forward: float, x: float, years: float, sigma: float, more: float
) -> None:
    strike = forward * exp(x)
    low, high = (price(is_call, forward, strike, years, v) for v in (sigma, sigma * (1 + more)))
    assert low <= high * (1 + 1e-12)
    if high > low * (1 + 1e-10):
        less, much = (implied_volatility(is_call, p, forward, strike, years) for p in (low, high))
        assert less < much or isnan(much)  # the dearer one may be as dear as its bound


@given(st.booleans(), forwards, moneyness, times, sigmas, st.floats(1e-6, 0.5))
def test_a_call_falls_with_its_strike_and_a_put_rises(
    is_call: bool, forward: float, x: float, years: float, sigma: float, more: float
) -> None:
    near, far = (price(is_call, forward, forward * exp(v), years, sigma) for v in (x, x + more))
    cheap, dear = (far, near) if is_call else (near, far)
    assert cheap <= dear * (1 + 1e-11)


@given(st.booleans(), forwards, moneyness, times, sigmas, st.floats(1e-6, 1.0))
def test_a_price_on_the_forward_rises_with_the_time_left(
    is_call: bool, forward: float, x: float, years: float, sigma: float, more: float
) -> None:
    soon, later = (price(is_call, forward, forward * exp(x), t, sigma) for t in (years, years * (1 + more)))
    assert soon <= later * (1 + 1e-12)


@given(st.booleans(), forwards, moneyness, times, sigmas, st.floats(1e-3, 0.3))
def test_a_price_is_convex_in_its_strike_and_falls_no_faster_than_that(
    is_call: bool, forward: float, x: float, years: float, sigma: float, width: float
) -> None:
    """Butterflies cost nothing or more, and a spread is worth no more than its strikes are apart."""
    middle = forward * exp(x)
    step = middle * width
    low, mid, high = (price(is_call, forward, middle + i * step, years, sigma) for i in (-1, 0, 1))
    slack = 1e-11 * (low + mid + high)
    assert low + high - 2 * mid >= -slack
    assert abs(high - low) <= 2 * step + slack


@given(st.booleans(), forwards, moneyness, times, sigmas)
def test_a_price_lies_between_its_intrinsic_value_and_its_bound(
    is_call: bool, forward: float, x: float, years: float, sigma: float
) -> None:
    strike = forward * exp(x)
    inside, most = (max(forward - strike, 0.0), forward) if is_call else (max(strike - forward, 0.0), strike)
    assert inside <= price(is_call, forward, strike, years, sigma) <= most


@given(st.booleans(), forwards, st.floats(-12, 12), st.floats(1 / 525_600, 5.0), st.floats(0.005, 5.0))
def test_implied_volatility_undoes_the_price_of_what_is_out_of_the_money_over_the_whole_plane(
    is_call: bool, forward: float, h: float, years: float, sigma: float
) -> None:
    """Up to 12 sigma x root of the time away, a minute to five years, 0.5 to 500 %: no price is rounded away there."""
    deviation = sigma * sqrt(years)
    strike = forward * exp(abs(h) * deviation if is_call else -abs(h) * deviation)
    worth = price(is_call, forward, strike, years, sigma)
    doubt = 2 * ulp(worth) / max(greeks(is_call, forward, strike, years, sigma).vega, 1e-300)
    assert abs(implied_volatility(is_call, worth, forward, strike, years) - sigma) <= 1e-11 * sigma + doubt


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("strike", [26_000.0, 28_000.0, 33_000.0])
def test_implied_volatility_holds_in_the_far_wing(strike: float, sigma: float) -> None:
    worth = price(True, 25_000, strike, 0.08, sigma)
    if worth > 1e-290:
        assert implied_volatility(True, worth, 25_000, strike, 0.08) == pytest.approx(sigma, rel=1e-10)


@pytest.mark.parametrize(
    ("is_call", "paid", "forward", "strike", "years", "why"),
    [
        (True, 999.9, 25_000, 24_000, 0.1, NoVolatility.BELOW_INTRINSIC),
        (True, 25_000, 25_000, 24_000, 0.1, NoVolatility.ABOVE_BOUND),  # as dear as the forward
        (False, 24_000, 25_000, 24_000, 0.1, NoVolatility.ABOVE_BOUND),  # a put as dear as its strike
        (True, -0.05, 25_000, 26_000, 0.1, NoVolatility.BELOW_INTRINSIC),
        (True, 100, 25_000, 25_000, 0.0, NoVolatility.EXPIRED),
        (True, 100, 25_000, 25_000, -0.1, NoVolatility.INPUTS),
        (True, nan, 25_000, 25_000, 0.1, NoVolatility.INPUTS),
        (True, 100, -25_000, 25_000, 0.1, NoVolatility.INPUTS),
        (True, 100, 25_000, 0, 0.1, NoVolatility.INPUTS),
        (True, 100, inf, 25_000, 0.1, NoVolatility.INPUTS),
        (True, 1e-300, 25_000, 26_000, 0.1, NoVolatility.TOO_SMALL),
    ],
)
def test_a_price_outside_the_bounds_has_no_implied_volatility_and_a_reason(
    is_call: bool, paid: float, forward: float, strike: float, years: float, why: NoVolatility
) -> None:
    assert isnan(implied_volatility(is_call, paid, forward, strike, years))
    assert fault(is_call, paid, forward, strike, years) is why


def test_the_last_price_below_its_bound_still_has_an_implied_volatility() -> None:
    sigma = implied_volatility(True, 24_999.999999999996, 25_000, 26_950, 0.1)
    assert 50 < sigma < 55
    assert fault(True, 24_999.999999999996, 25_000, 26_950, 0.1) is None
    assert price(True, 25_000, 26_950, 0.1, sigma) == 24_999.999999999996


def test_a_price_at_the_intrinsic_value_implies_no_volatility_at_all() -> None:
    assert implied_volatility(True, 1_000, 25_000, 24_000, 0.1) == 0.0
    assert implied_volatility(True, 0, 25_000, 26_000, 0.1) == 0.0


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
@given(st.booleans(), any_floats, any_floats, any_floats, any_floats)
@example(True, 1e-320, 5e-324, 1e-320, 1e308)
@example(True, 1e-300, 1.0, 1e99, 1e-9)
def test_no_input_raises(kernel: ModuleType, is_call: bool, a: float, b: float, c: float, d: float) -> None:
    assert isinstance(kernel.price(is_call, a, b, c, d), float)
    sigma = kernel.implied_volatility(is_call, a, b, c, d)
    assert isnan(sigma) == (kernel.fault(is_call, a, b, c, d) > 0)
    assert all(isinstance(g, float) for g in kernel.values(is_call, a, b, c, d))


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
    assert greeks(False, 25_000, 25_000, 0, 0.14).delta == pytest.approx(-0.5, rel=1e-15)
    assert all(isnan(g) for g in greeks(True, 25_000, 24_000, -1, 0.14))


@pytest.mark.parametrize("kernel", COMPILED, ids=lambda kernel: kernel.__name__)
@given(st.booleans(), st.floats(1e-3, 1e9), st.floats(-14, 14), st.floats(1e-6, 5.0), st.floats(0.005, 5.0))
def test_the_kernel_and_its_plain_twin_give_the_same_bits(
    kernel: ModuleType, is_call: bool, forward: float, h: float, years: float, sigma: float
) -> None:
    strike = forward * exp(h * sigma * sqrt(years))
    worth = pricing_plain.price(is_call, forward, strike, years, sigma)
    assert kernel.price(is_call, forward, strike, years, sigma) == worth
    assert kernel.values(is_call, forward, strike, years, sigma) == pricing_plain.values(
        is_call, forward, strike, years, sigma
    )
    for paid in (worth, worth * (1 - 1e-9), 0.3 * forward, -1.0):
        ours = kernel.implied_volatility(is_call, paid, forward, strike, years)
        assert repr(ours) == repr(pricing_plain.implied_volatility(is_call, paid, forward, strike, years))
        assert kernel.fault(is_call, paid, forward, strike, years) == pricing_plain.fault(
            is_call, paid, forward, strike, years
        )


@pytest.mark.parametrize("kernel", COMPILED, ids=lambda kernel: kernel.__name__)
@given(
    any_floats
    | st.builds(lambda digits, power: float(f"{digits}e{power}"), st.integers(-(10**12), 10**12), st.integers(-24, 9))
    | st.builds(lambda digits, power: float(f"{digits}5e{power}"), st.integers(10**9, 10**10), st.integers(-20, 5))
)
def test_the_kernel_rounds_to_ten_digits_as_writing_and_reading_does(kernel: ModuleType, value: float) -> None:
    ours, theirs = kernel.rounded(value), pricing_plain.rounded(value)
    assert (ours, copysign(1.0, ours)) == (theirs, copysign(1.0, theirs)) or isnan(ours) == isnan(theirs) is True


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_figures_are_rounded_by_name_and_what_is_no_number_is_none(kernel: ModuleType) -> None:
    figures = {"a": 1 / 3, "b": nan, "c": -inf, "d": 7, "e": "word", "f": None, "g": 0.0}
    rounded_ones = {"a": 0.3333333333, "b": None, "c": None, "d": 7, "e": "word", "f": None, "g": 0.0}
    assert list(kernel.all_rounded(figures).items()) == list(rounded_ones.items())


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert ("compiled" if is_compiled(KERNEL) else "plain") == pricing.KERNEL


def test_without_a_kernel_that_can_be_imported_its_twin_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_pricing", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert choose(pricing._load, pricing_plain) is pricing_plain


def test_without_a_wide_build_the_deciding_one_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_pricing_wide", raising=False)
    monkeypatch.setitem(sys.modules, "participant.core._pricing_wide", None)  # importing it now fails
    assert pricing.wide() is pricing._kernel


def chain(size: int) -> tuple[Options, "array[float]"]:
    """Calls and puts in turn from deep in to far out of the money, the seventh of them with a strike of nothing."""
    strikes = array("d", [12_000.0 + 23.0 * i for i in range(size)])
    if size > 7:
        strikes[7] = -1.0
    columns = Options(
        array("B", [i % 2 for i in range(size)]),
        array("d", [25_000.0] * size),
        strikes,
        array("d", [0.08 + 0.001 * (i % 3) for i in range(size)]),
    )
    return columns, array("d", [0.1 + 0.0001 * i for i in range(size)])


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 1000])
@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_columns_give_the_bits_that_each_option_gives_alone(kernel: ModuleType, size: int) -> None:
    options, sigmas = chain(size)
    out, found, faults = array("d", bytes(48 * size)), array("d", bytes(8 * size)), array("B", bytes(size))
    values(options, sigmas, out, kernel)
    implied_volatilities(options, out[:size], found, faults, kernel)
    for i, (is_call, forward, strike, years) in enumerate(zip(*options, strict=True)):
        alone = pricing_plain.values(bool(is_call), forward, strike, years, sigmas[i])
        assert repr(alone) == repr(tuple(out[i::size]))
        assert repr(found[i]) == repr(pricing_plain.implied_volatility(bool(is_call), out[i], forward, strike, years))
        assert faults[i] == (1 if i == 7 else faults[i] and 3)


def test_the_wide_build_agrees_with_the_one_that_decides() -> None:
    options, sigmas = chain(1000)
    ours, theirs = array("d", bytes(48_000)), array("d", bytes(48_000))
    values(options, sigmas, ours)
    values(options, sigmas, theirs, wide())
    assert list(theirs) == pytest.approx(list(ours), rel=1e-11, abs=1e-300, nan_ok=True)
    found, wider, faults = array("d", bytes(8000)), array("d", bytes(8000)), array("B", bytes(1000))
    implied_volatilities(options, ours[:1000], found, faults)
    implied_volatilities(options, ours[:1000], wider, faults, wide())
    assert list(wider) == pytest.approx(list(found), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)
def test_columns_of_another_length_or_kind_are_refused(kernel: ModuleType) -> None:
    options, sigmas = chain(10)
    out, faults = array("d", bytes(480)), array("B", bytes(10))
    with pytest.raises(ValueError, match="10 numbers"):
        implied_volatilities(options, sigmas[:9], out[:10], faults, kernel)
    with pytest.raises(ValueError, match="'f'"):
        implied_volatilities(options, array("f", sigmas), out[:10], faults, kernel)
    with pytest.raises(ValueError, match="59 numbers"):
        values(options, sigmas, out[:59], kernel)
    with pytest.raises(ValueError, match="differ"):
        kernel.implied_volatilities(options, sigmas[:9], out[:10], faults)
    with pytest.raises(ValueError, match="differ"):
        kernel.values_of(options, sigmas, out[:59])


carries = st.floats(-0.05, 0.15)


@given(st.booleans(), st.builds(Spot, forwards, carries, carries), moneyness, times, sigmas)
def test_the_same_kernel_prices_on_the_spot(is_call: bool, spot: Spot, x: float, years: float, sigma: float) -> None:
    price_of, rate, dividend = spot.price, spot.rate, spot.dividend
    strike = price_of * exp(x)
    call, put = (spot_price(side, spot, strike, years, sigma) for side in (True, False))
    parity = price_of * exp(-dividend * years) - strike * exp(-rate * years)
    assert call - put == pytest.approx(parity, rel=1e-11, abs=1e-11 * price_of)
    paid = call if is_call else put
    if spot_greeks(is_call, spot, strike, years, sigma).vega * sigma > 1e-4 * price_of:
        assert spot_implied_volatility(is_call, paid, spot, strike, years) == pytest.approx(sigma, rel=1e-10)


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize("strike", [23_000.0, 25_000.0, 27_500.0])
def test_greeks_on_the_spot_are_the_slopes_of_the_price_paid_today(is_call: bool, strike: float) -> None:
    def at(move: float = 0.0, v: float = 0.2, t: float = 0.4, rate: float = 0.07) -> float:
        return spot_price(is_call, Spot(25_000.0 + move, rate, 0.012), strike, t, v)

    found = spot_greeks(is_call, Spot(25_000.0, 0.07, 0.012), strike, 0.4, 0.2)
    assert found.delta == pytest.approx((at(1) - at(-1)) / 2, rel=1e-6)
    assert found.gamma == pytest.approx((at(5) - 2 * at() + at(-5)) / 25, rel=1e-4)
    assert found.vega == pytest.approx((at(v=0.20001) - at(v=0.19999)) / 2e-5, rel=1e-6)
    assert found.theta == pytest.approx((at(t=0.39999) - at(t=0.40001)) / 2e-5, rel=1e-6)
    assert found.rho == pytest.approx((at(rate=0.07001) - at(rate=0.06999)) / 2e-5, rel=1e-6)
    assert forward_of(Spot(25_000.0, 0.07, 0.012), 0.0) == 25_000.0


def test_time_to_expiry_is_counted_in_calendar_years_of_365_days() -> None:
    day = 86_400 * 1_000_000_000
    assert years_to(73 * day, 0) == pytest.approx(0.2)
    assert years_to(day, 2 * day) == 0.0


def test_floats_are_rounded_to_ten_significant_digits() -> None:
    assert rounded(0.123456789012345) == 0.1234567890
    assert rounded(-12345678901.2345) == -12345678900.0
    assert rounded(rounded(1 / 3)) == rounded(1 / 3)
    assert isnan(rounded(nan))
