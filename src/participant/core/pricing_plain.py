"""Black-76 in plain Python: the twin of the kernel `_pricing`, for machines without a compiler and as its oracle.

Everything is computed on the out-of-the-money option, normalised by the root of forward x strike: with
x = -|ln(forward / strike)| and s = sigma x root(years), b(x, s) = e^(x/2) N(x/s + s/2) - e^(-x/2) N(x/s - s/2).
"""

from collections.abc import Sequence
from math import erfc, exp, log, sqrt

STEPS_MAX = 100

ROOT_HALF = 0.7071067811865476
ROOT_TWO_PI = 2.5066282746310002
NAN = float("nan")
SMALLEST = 1e-100
LARGEST = 1e100
STEP_MIN = 4e-16
S_REACH = 80.0


def _is_priced(forward: float, strike: float, years: float) -> bool:
    """Whether the inputs are positive, finite and of magnitudes that cannot overflow or vanish."""
    return SMALLEST < forward < LARGEST and SMALLEST < strike < LARGEST and 0.0 <= years < LARGEST


def _intrinsic(is_call: bool, forward: float, strike: float) -> float:
    inside = forward - strike if is_call else strike - forward
    return inside if inside > 0.0 else 0.0


def _normal(x: float) -> float:
    return 0.5 * erfc(-x * ROOT_HALF)


def _black(x: float, s: float) -> float:
    """b(x, s) for x <= 0 and s > 0."""
    h = x / s
    t = 0.5 * s
    b = exp(0.5 * x) * _normal(h + t) - exp(-0.5 * x) * _normal(h - t)
    return b if b > 0.0 else 0.0


def _slope(x: float, s: float) -> float:
    """db/ds."""
    h = x / s
    t = 0.5 * s
    return exp(-0.5 * (h * h + t * t)) / ROOT_TWO_PI


def _inverse(x: float, beta: float) -> float:
    """The s with b(x, s) = beta, for x <= 0 < beta < e^(x/2): Newton inside a bracket that only shrinks.

    b bends the other way at s = root(-2x). Above it b is concave and Newton climbs from the bend. Below it Newton works
    on ln b and climbs from x / root(-2 ln 2beta), which lies below the root because there b <= e^(-h^2/2) / 2.
    """
    bend = sqrt(-2.0 * x)
    is_low = x < 0.0 and beta < _black(x, bend)
    low = -x / sqrt(-2.0 * log(2.0 * beta)) if is_low else bend
    high = bend if is_low else bend + S_REACH
    s = low if low > 0.0 else beta * ROOT_TWO_PI
    for _ in range(STEPS_MAX):
        b = _black(x, s)
        slope = _slope(x, s)
        if b < beta:
            low = s
        else:
            high = s
        after = 0.5 * (low + high)
        if slope > 0.0 and b > 0.0:
            newton = s + (b * log(beta / b) if is_low else beta - b) / slope
            if low <= newton <= high:
                after = newton
        if abs(after - s) <= STEP_MIN * s:
            return after
        s = after
    return s


def price(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> float:
    """Undiscounted Black-76 price."""
    if not (_is_priced(forward, strike, years) and 0.0 <= sigma < LARGEST):
        return NAN
    value = _intrinsic(is_call, forward, strike)
    s = sigma * sqrt(years)
    if s > SMALLEST:
        value += sqrt(forward) * sqrt(strike) * _black(-abs(log(forward / strike)), s)
    return value


def implied_volatility(is_call: bool, price: float, forward: float, strike: float, years: float) -> float:
    """The sigma that gives `price`, or nan outside the no-arbitrage bounds."""
    if not (_is_priced(forward, strike, years) and years > 0.0):
        return NAN
    inside = _intrinsic(is_call, forward, strike)
    if not inside <= price < (forward if is_call else strike):
        return NAN
    x = -abs(log(forward / strike))
    beta = (price - inside) / (sqrt(forward) * sqrt(strike))
    if beta == 0.0:
        return 0.0
    if beta >= exp(0.5 * x):
        return NAN
    return _inverse(x, beta) / sqrt(years)


def implied_volatilities(
    is_call: bool, prices: Sequence[float], forward: float, strikes: Sequence[float], years: float
) -> list[float]:
    """`implied_volatility` at every strike of one expiry."""
    return [implied_volatility(is_call, p, forward, k, years) for p, k in zip(prices, strikes, strict=True)]


def greeks(
    is_call: bool, forward: float, strike: float, years: float, sigma: float
) -> tuple[float, float, float, float, float]:
    """Delta, gamma, vega, theta, rho."""
    worth = price(is_call, forward, strike, years, sigma)
    if not worth >= 0.0:
        return NAN, NAN, NAN, NAN, NAN
    sign = 1.0 if is_call else -1.0
    s = sigma * sqrt(years)
    if not s > SMALLEST:
        share = 0.5 if forward == strike else (1.0 if sign * (forward - strike) > 0.0 else 0.0)
        return sign * share, 0.0, 0.0, 0.0, -years * worth
    d = log(forward / strike) / s + 0.5 * s
    density = exp(-0.5 * d * d) / ROOT_TWO_PI
    vega = forward * density * sqrt(years)
    theta = -0.5 * forward * density * sigma / sqrt(years)
    return sign * _normal(sign * d), density / (forward * s), vega, theta, -years * worth
