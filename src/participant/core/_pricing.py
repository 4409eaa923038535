# cython: language_level=3, cdivision=True
"""Black-76 as a compiled kernel; `pricing_plain` is its twin, line by line. Import `pricing`, never this file.

Everything is computed on the out-of-the-money option, normalised by the root of forward x strike: with
x = -|ln(forward / strike)| and s = sigma x root(years), b(x, s) = e^(x/2) N(x/s + s/2) - e^(-x/2) N(x/s - s/2).
"""

import cython
from cython.cimports.libc.math import erfc, exp, fabs, log, sqrt

IS_COMPILED = bool(cython.compiled)
STEPS_MAX: cython.int = 100

ROOT_HALF: cython.double = 0.7071067811865476
ROOT_TWO_PI: cython.double = 2.5066282746310002
NAN: cython.double = float("nan")
SMALLEST: cython.double = 1e-100
LARGEST: cython.double = 1e100
STEP_MIN: cython.double = 4e-16
S_REACH: cython.double = 80.0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _is_priced(forward: cython.double, strike: cython.double, years: cython.double) -> cython.bint:
    """Whether the inputs are positive, finite and of magnitudes that cannot overflow or vanish."""
    return SMALLEST < forward < LARGEST and SMALLEST < strike < LARGEST and 0.0 <= years < LARGEST


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _intrinsic(is_call: cython.bint, forward: cython.double, strike: cython.double) -> cython.double:
    inside: cython.double = forward - strike if is_call else strike - forward
    return inside if inside > 0.0 else 0.0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _normal(x: cython.double) -> cython.double:
    return 0.5 * erfc(-x * ROOT_HALF)


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _black(x: cython.double, s: cython.double) -> cython.double:
    """b(x, s) for x <= 0 and s > 0."""
    h: cython.double = x / s
    t: cython.double = 0.5 * s
    b: cython.double = exp(0.5 * x) * _normal(h + t) - exp(-0.5 * x) * _normal(h - t)
    return b if b > 0.0 else 0.0


@cython.cfunc
@cython.inline
@cython.exceptval(check=False)
def _slope(x: cython.double, s: cython.double) -> cython.double:
    """db/ds."""
    h: cython.double = x / s
    t: cython.double = 0.5 * s
    return exp(-0.5 * (h * h + t * t)) / ROOT_TWO_PI


@cython.cfunc
@cython.exceptval(check=False)
def _inverse(x: cython.double, beta: cython.double) -> cython.double:
    """The s with b(x, s) = beta, for x <= 0 < beta < e^(x/2): Newton inside a bracket that only shrinks.

    b bends the other way at s = root(-2x). Above it b is concave and Newton climbs from the bend. Below it Newton works
    on ln b and climbs from x / root(-2 ln 2beta), which lies below the root because there b <= e^(-h^2/2) / 2.
    """
    bend: cython.double = sqrt(-2.0 * x)
    is_low: cython.bint = x < 0.0 and beta < _black(x, bend)
    low: cython.double = -x / sqrt(-2.0 * log(2.0 * beta)) if is_low else bend
    high: cython.double = bend if is_low else bend + S_REACH
    s: cython.double = low if low > 0.0 else beta * ROOT_TWO_PI
    _step: cython.int
    for _step in range(STEPS_MAX):
        b: cython.double = _black(x, s)
        slope: cython.double = _slope(x, s)
        if b < beta:
            low = s
        else:
            high = s
        after: cython.double = 0.5 * (low + high)
        if slope > 0.0 and b > 0.0:
            newton: cython.double = s + (b * log(beta / b) if is_low else beta - b) / slope
            if low <= newton <= high:
                after = newton
        if fabs(after - s) <= STEP_MIN * s:
            return after
        s = after
    return s


@cython.ccall
def price(
    is_call: cython.bint,
    forward: cython.double,
    strike: cython.double,
    years: cython.double,
    sigma: cython.double,
) -> cython.double:
    """Undiscounted Black-76 price."""
    if not (_is_priced(forward, strike, years) and 0.0 <= sigma < LARGEST):
        return NAN
    value: cython.double = _intrinsic(is_call, forward, strike)
    s: cython.double = sigma * sqrt(years)
    if s > SMALLEST:
        value += sqrt(forward) * sqrt(strike) * _black(-fabs(log(forward / strike)), s)
    return value


@cython.ccall
def implied_volatility(
    is_call: cython.bint,
    price: cython.double,
    forward: cython.double,
    strike: cython.double,
    years: cython.double,
) -> cython.double:
    """The sigma that gives `price`, or nan outside the no-arbitrage bounds."""
    if not (_is_priced(forward, strike, years) and years > 0.0):
        return NAN
    inside: cython.double = _intrinsic(is_call, forward, strike)
    if not inside <= price < (forward if is_call else strike):
        return NAN
    x: cython.double = -fabs(log(forward / strike))
    beta: cython.double = (price - inside) / (sqrt(forward) * sqrt(strike))
    if beta == 0.0:
        return 0.0
    if beta >= exp(0.5 * x):
        return NAN
    return _inverse(x, beta) / sqrt(years)


def implied_volatilities(is_call, prices, forward, strikes, years):  # type: ignore[no-untyped-def] # Cython's types
    """`implied_volatility` at every strike of one expiry."""
    return [implied_volatility(is_call, p, forward, k, years) for p, k in zip(prices, strikes, strict=True)]


@cython.ccall
def greeks(
    is_call: cython.bint,
    forward: cython.double,
    strike: cython.double,
    years: cython.double,
    sigma: cython.double,
) -> tuple[float, float, float, float, float]:
    """Delta, gamma, vega, theta, rho."""
    worth: cython.double = price(is_call, forward, strike, years, sigma)
    if not worth >= 0.0:
        return NAN, NAN, NAN, NAN, NAN
    sign: cython.double = 1.0 if is_call else -1.0
    s: cython.double = sigma * sqrt(years)
    if not s > SMALLEST:
        share: cython.double = 0.5 if forward == strike else (1.0 if sign * (forward - strike) > 0.0 else 0.0)
        return sign * share, 0.0, 0.0, 0.0, -years * worth
    d: cython.double = log(forward / strike) / s + 0.5 * s
    density: cython.double = exp(-0.5 * d * d) / ROOT_TWO_PI
    vega: cython.double = forward * density * sqrt(years)
    theta: cython.double = -0.5 * forward * density * sigma / sqrt(years)
    return sign * _normal(sign * d), density / (forward * s), vega, theta, -years * worth
