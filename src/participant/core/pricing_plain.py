"""Black-76 in plain Python: the twin of the kernel `_pricing`, for machines without a compiler and as its oracle.

The option out of the money is priced, in units of the smaller of forward and strike: with u = |ln(forward / strike)|,
s = sigma x root(years), h = u / s, t = s / 2, z = (h - t) / root 2 and y = (h + t) / root 2

    p(u, s) = e^(-z^2) (erfcx(z) - erfcx(y)) / 2        what is left of it to its upper bound:
    q(u, s) = e^(-z^2) (erfcx(-z) + erfcx(y)) / 2 = 1 - p(u, s)

p serves up to a half and q beyond, so that no digit cancels. Only + - x / and roots are used, which IEEE 754 rounds the
same way everywhere; exponential, logarithm and erfcx are ours, as a C library's differ from machine to machine. No step
depends on a branch, so that a compiler works on several options at once, with the same bits for each of them.
"""

from collections.abc import MutableSequence, Sequence
from math import isfinite, sqrt
from typing import Any

from participant.core.functions_plain import TWO_BY_ROOT_PI, erfcx_of_two, exp_minus, fall_of_erfcx, log_ratio

Columns = tuple[Sequence[int], Sequence[float], Sequence[float], Sequence[float]]
Values = tuple[float, float, float, float, float, float]

ROOT_HALF = 0.7071067811865476
ROOT_HALF_PI = 1.2533141373155001
ROOT_TWO_BY_PI = 0.7978845608028654
NAN = float("nan")
SMALLEST = 1e-100
LARGEST = 1e100
PRICE_MIN = 1e-300
TWO_64 = 18446744073709551616.0
Z_MAX = 40.0
P_FORM_FROM = -0.48
SERIES_BELOW = 0.03125
SLOPE_BELOW = 1e-4


def _guess(u: float, distance: float, p: float, is_p: float, y: float) -> float:
    """s to within 12 %, where y = -ln(p or q): from p by the normal model, beyond p = 1/2 from q by its quantile.

    `distance` is |forward - strike| in units of the smaller. The normal model knows h by ln(1 + distance / p) alone.
    """
    least = 1e-6 * p
    gap = distance if distance > least else least
    x = u if u > least else least
    size = log_ratio(p + gap, p)
    share = x / size
    share = share if share < 1.0 else 1.0
    r = sqrt(size)
    over = 0.4002037 + r * (0.05779561 + r * 0.05996372)
    under = 1.0 + r * (0.18570828 + r * (0.07311991 + r * 0.0415466))
    low = 2.0 * share * under / (over * (1.0 + sqrt(1.0 - share)))
    m = sqrt(2.0 * y + 1.3862943611198906 / (1.0 + u))
    d = m - (2.515517 + m * (0.802853 + m * 0.010328)) / (1.0 + m * (1.432788 + m * (0.189269 + m * 0.001308)))
    high = d + sqrt(d * d + 2.0 * u)
    return low if is_p > 0.0 else high


def _step(s: float, u: float, is_p: float, target: float, is_last: bool) -> float:
    """Householder's third-order step on 1 / ln(p or q), whose target is given as -ln; `is_p` is 1 for p, -1 for q.

    Slopes are in units of s, so that nothing overflows where s is tiny.
    """
    by_s = 1.0 / s
    h = u * by_s
    t = 0.5 * s
    z = (h - t) * ROOT_HALF
    w = s * ROOT_HALF
    signed = is_p * z
    head, tail = erfcx_of_two(signed, (h + t) * ROOT_HALF)
    gap = head - is_p * tail
    fall = fall_of_erfcx(signed, w, head) if is_last else w * (TWO_BY_ROOT_PI - 2.0 * signed * head)
    short = w if is_p > 0.0 else 1.0
    gap = fall if short < (SERIES_BELOW if is_last else SLOPE_BELOW) else gap
    y = z * z + log_ratio(2.0, gap)
    by_both = 1.0 / (gap * y)
    g = is_p * ROOT_TWO_BY_PI * (s * y) * by_both
    el = -g * gap * by_both
    n = is_p * ROOT_HALF_PI * (gap * by_s) * y * (y - target) / target
    hh = h * h
    tt = t * t
    c2 = hh - tt
    c3 = c2 * c2 - 3.0 * hh - tt
    r2 = c2 - g
    r3 = c3 - 3.0 * g * c2 + 2.0 * g * g
    f2 = r2 - 2.0 * el
    f3 = 6.0 * el * (el - r2) + r3
    return s + s * (n * (1.0 + 0.5 * f2 * n) / (1.0 + n * (f2 + f3 * n * (1 / 6.0))))


def _time_value(is_call: bool, price: float, forward: float, strike: float) -> float:
    """Price less intrinsic value, of which the bits that a subtraction loses are kept."""
    a = forward if is_call else strike
    b = strike if is_call else forward
    gain = a - b
    back = a - gain
    lost = (a - (gain + back)) + (back - b)
    return (price - gain) - lost if gain > 0.0 else price


def _is_priced(forward: float, strike: float, years: float) -> bool:
    """Whether the inputs are positive, finite and of magnitudes that cannot overflow or vanish."""
    is_forward = (forward > SMALLEST) & (forward < LARGEST)
    is_strike = (strike > SMALLEST) & (strike < LARGEST)
    return is_forward & is_strike & (years >= 0.0) & (years < LARGEST)


def fault(
    is_call: bool,
    price: float,
    forward: float,
    strike: float,
    years: float,
) -> int:
    """Why `price` has no implied volatility, as an index of `pricing.FAULTS`; 0 where it has one."""
    if not (_is_priced(forward, strike, years) and -LARGEST < price < LARGEST):
        return 1
    if years == 0.0:
        return 2
    value = _time_value(is_call, price, forward, strike)
    if value < 0.0:
        return 3
    if price >= (forward if is_call else strike):
        return 4
    return 5 if 0.0 < value < PRICE_MIN * forward or 0.0 < value < PRICE_MIN * strike else 0


def _prepare(value: float, left: float, forward: float, strike: float) -> tuple[float, float, float, float]:
    """Of a time value, of which `left` is left to the upper bound: s guessed, u, which of p and q, and its -ln."""
    low = forward if forward < strike else strike
    high = strike if forward < strike else forward
    by_low = 1.0 / low
    p = value * by_low
    q = left * by_low
    is_p = 1.0 if p <= 0.5 else -1.0
    near = p if p <= 0.5 else q
    target = log_ratio(TWO_64, near * TWO_64)
    u = log_ratio(high, low)
    return _guess(u, (high - low) * by_low, p, is_p, target), u, is_p, target


def _shape(forward: float, strike: float, years: float, sigma: float) -> tuple[float, ...]:
    """What price and greeks are made of: z^2, p or q less its e^(-z^2) / 2, the chance likewise, and more."""
    low = forward if forward < strike else strike
    high = strike if forward < strike else forward
    u = log_ratio(high, low)
    root = sqrt(years)
    s = sigma * root
    is_alive = 1.0 if s > SMALLEST else 0.0
    s = s if s > SMALLEST else SMALLEST
    by_both = 1.0 / (forward * s)
    by_s = forward * by_both
    by_f = s * by_both
    h = u * by_s
    t = 0.5 * s
    z = (h - t) * ROOT_HALF
    z = z if z < Z_MAX else Z_MAX
    w = s * ROOT_HALF
    is_p = 1.0 if z > P_FORM_FROM else -1.0
    head, tail = erfcx_of_two(is_p * z, (h + t) * ROOT_HALF)
    fall = fall_of_erfcx(is_p * z, w, head)
    short = w if is_p > 0.0 else 1.0
    gap = low * (fall if short < SERIES_BELOW else head - is_p * tail)
    near = head if forward <= strike else tail * (strike * by_f)
    return z * z, gap, near, is_p, low * ROOT_TWO_BY_PI * is_alive, by_s, by_f, root


def _values(call: float, forward: float, strike: float, years: float, sigma: float) -> Values:
    """Price, delta, gamma, vega, theta and rho."""
    square, gap, near, is_p, scale, by_s, by_f, root = _shape(forward, strike, years, sigma)
    half = 0.5 * exp_minus(square)
    part = half * gap
    chance = half * near
    density = half * scale
    gain = forward - strike if call > 0.0 else strike - forward
    gain = gain if gain > 0.0 else 0.0
    most = forward if call > 0.0 else strike
    price = gain + part if is_p > 0.0 else most - part
    is_rest = is_p if forward <= strike else -1.0
    up = chance if is_rest > 0.0 else 1.0 - chance
    down = 1.0 - chance if is_rest > 0.0 else chance
    delta = up if call > 0.0 else -down
    gamma = density * by_s * by_f * by_f
    theta = -0.5 * density * sigma * sigma * by_s
    return price, delta, gamma, density * root, theta, -years * price


def implied_volatility(
    is_call: bool,
    price: float,
    forward: float,
    strike: float,
    years: float,
) -> float:
    """The sigma that gives `price`; nan where `fault` says why there is none."""
    if fault(is_call, price, forward, strike, years):
        return NAN
    value = _time_value(is_call, price, forward, strike)
    left = (forward if is_call else strike) - price
    if not value > 0.0:
        return 0.0
    s, u, is_p, target = _prepare(value, left, forward, strike)
    s = _step(s, u, is_p, target, False)
    return _step(s, u, is_p, target, True) / sqrt(years)


def values(
    is_call: bool,
    forward: float,
    strike: float,
    years: float,
    sigma: float,
) -> Values:
    """Undiscounted price, delta, gamma, vega, theta, rho; nan for inputs that are negative or endless."""
    if not (_is_priced(forward, strike, years) and 0.0 <= sigma < LARGEST):
        return NAN, NAN, NAN, NAN, NAN, NAN
    return _values(1.0 if is_call else 0.0, forward, strike, years, sigma)


def price(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> float:
    """Undiscounted Black-76 price; nan for inputs that are negative or endless."""
    return values(is_call, forward, strike, years, sigma)[0]


def prices(is_call: bool, strike: float, years: float, cases: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """`price` in each case of a forward and a sigma."""
    return tuple(price(is_call, forward, strike, years, sigma) for forward, sigma in cases)


def worst_loss(quantities: tuple[int, ...], worths: tuple[tuple[float, ...], ...], covers: tuple[float, ...]) -> float:
    """The worst of what quantities lose in the cases of `covers` (`pricing.worst_loss`)."""
    if len(quantities) != len(worths) or any(len(of) != len(covers) + 1 for of in worths):
        raise ValueError("worths are not those of these quantities in these cases")
    now, *then = (_worth(quantities, worths, at) for at in range(len(covers) + 1))
    return max([0.0, *(cover * (now - worth) for cover, worth in zip(covers, then, strict=True))])


def _worth(quantities: tuple[int, ...], worths: tuple[tuple[float, ...], ...], at: int) -> float:
    """What quantities are worth in one case; what there is none of plays no part, whatever its worth."""
    total = 0.0
    for quantity, of in zip(quantities, worths, strict=True):
        total += quantity * of[at] if quantity else 0.0
    return total


def rounded(value: float) -> float:
    """A float at 10 significant digits."""
    return float(f"{value:.10g}") if isfinite(value) else value


def all_rounded(figures: dict[str, Any]) -> dict[str, Any]:
    """Figures by name with their floats at 10 significant digits, None for what is no number or endless."""
    return {
        name: figure if not isinstance(figure, float) else rounded(figure) if isfinite(figure) else None
        for name, figure in figures.items()
    }


def implied_volatilities(
    options: Columns, prices: Sequence[float], sigmas: MutableSequence[float], faults: MutableSequence[int]
) -> None:
    """`implied_volatility` and `fault` of every option into `sigmas` and `faults`."""
    if len({*map(len, (*options, prices, sigmas, faults))}) > 1:
        raise ValueError("the columns of options differ in length")
    for i, (is_call, forward, strike, years) in enumerate(zip(*options, strict=True)):
        option = bool(is_call), prices[i], forward, strike, years
        sigmas[i], faults[i] = implied_volatility(*option), fault(*option)


def values_of(options: Columns, sigmas: Sequence[float], out: MutableSequence[float]) -> None:
    """`values` of every option into `out`: all prices, then all deltas, gammas, vegas, thetas, rhos."""
    if len({*(6 * len(column) for column in (*options, sigmas)), len(out)}) > 1:
        raise ValueError("the columns of options differ in length")
    for i, (is_call, forward, strike, years) in enumerate(zip(*options, strict=True)):
        for row, value in enumerate(values(bool(is_call), forward, strike, years, sigmas[i])):
            out[row * len(sigmas) + i] = value
