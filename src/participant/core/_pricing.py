# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
# budget: the loops over arrays are vectorised only where all that one option needs is inlined into one body.
"""Black-76 as a compiled kernel; `pricing_plain` is its twin, line by line. Import `pricing`, never this file.

The option out of the money is priced, in units of the smaller of forward and strike: with u = |ln(forward / strike)|,
s = sigma x root(years), h = u / s, t = s / 2, z = (h - t) / root 2 and y = (h + t) / root 2

    p(u, s) = e^(-z^2) (erfcx(z) - erfcx(y)) / 2        what is left of it to its upper bound:
    q(u, s) = e^(-z^2) (erfcx(-z) + erfcx(y)) / 2 = 1 - p(u, s)

p serves up to a half and q beyond, so that no digit cancels. Only + - x / and roots are used, which IEEE 754 rounds the
same way everywhere; exponential, logarithm and erfcx are ours, as a C library's differ from machine to machine. No step
depends on a branch, so that a compiler works on several options at once, with the same bits for each of them.
"""

import cython
from cython import (
    Py_ssize_t,
    address,
    bint,
    cast,
    ccall,
    cfunc,
    double,
    inline,
    p_double,
    p_uchar,
    p_ulonglong,
    ulonglong,
)
from cython.cimports.cpython.buffer import Py_buffer, PyBUF_SIMPLE, PyBUF_WRITABLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.libc.math import floor, log10, sqrt

IS_COMPILED = bool(cython.compiled)

ROOT_HALF = cython.declare(double, 0.7071067811865476)
ROOT_TWO = cython.declare(double, 1.4142135623730951)
ROOT_HALF_PI = cython.declare(double, 1.2533141373155001)
ROOT_TWO_BY_PI = cython.declare(double, 0.7978845608028654)
TWO_BY_ROOT_PI = cython.declare(double, 1.1283791670955126)
NAN = cython.declare(double, float("nan"))
SMALLEST = cython.declare(double, 1e-100)
LARGEST = cython.declare(double, 1e100)
PRICE_MIN = cython.declare(double, 1e-300)
LOG2_E = cython.declare(double, 1.4426950408889634)
LN2_HIGH = cython.declare(double, 0.6931471803691238)
LN2_LOW = cython.declare(double, 1.9082149292705877e-10)
ROUNDER = cython.declare(double, 6755399441055744.0)
TWO_52 = cython.declare(double, 4503599627370496.0)
TWO_64 = cython.declare(double, 18446744073709551616.0)
EXPONENT_MAX = cython.declare(double, 707.0)
Z_MAX = cython.declare(double, 40.0)
ERFCX_FROM = cython.declare(double, 0.75)
ERFCX_TO = cython.declare(double, 1e12)
P_FORM_FROM = cython.declare(double, -0.48)
SERIES_BELOW = cython.declare(double, 0.03125)
SLOPE_BELOW = cython.declare(double, 1e-4)
MANTISSA_BITS = cython.declare(ulonglong, 0x000FFFFFFFFFFFFF)
COUNT_BITS = cython.declare(ulonglong, 0x0007FFFFFFFFFFFF)
HALF_BITS = cython.declare(ulonglong, 0x3FE0000000000000)
ONE_BITS = cython.declare(ulonglong, 0x3FF0000000000000)
TWO_52_BITS = cython.declare(ulonglong, 0x4330000000000000)

# Powers of ten, all exact as doubles.
POWERS = cython.declare(double[23])
for _power in range(23):
    POWERS[_power] = float(10**_power)


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _mantissa(a: double) -> double:
    """The m in [1/2, 1) with a = m x 2^e, of a normal a > 0."""
    bits: ulonglong = cast(p_ulonglong, address(a))[0]
    bits = (bits & MANTISSA_BITS) | HALF_BITS
    return cast(p_double, address(bits))[0]


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _exponent(a: double) -> double:
    """The e with a = m x 2^e."""
    bits: ulonglong = cast(p_ulonglong, address(a))[0]
    bits = (bits >> 52) | TWO_52_BITS
    return cast(p_double, address(bits))[0] - TWO_52 - 1022.0


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _halved(a: double, rounded: double) -> double:
    """a / 2^n, where `rounded` is n + ROUNDER and 0 <= n <= 1020."""
    bits: ulonglong = cast(p_ulonglong, address(rounded))[0]
    bits = ONE_BITS - ((bits & COUNT_BITS) << 52)
    return a * cast(p_double, address(bits))[0]


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _log_ratio(a: double, b: double) -> double:
    """ln(a / b) to full relative precision, also for a near b: 2 artanh((a - b) / (a + b)) of the mantissas."""
    m: double = _mantissa(a)
    k: double = _mantissa(b)
    e: double = _exponent(a) - _exponent(b)
    is_over: double = 1.0 if m > ROOT_TWO * k else 0.0
    is_under: double = 1.0 if k > ROOT_TWO * m else 0.0
    k = k + is_over * k
    m = m + is_under * m
    e = e + is_over - is_under
    z: double = (m - k) / (m + k)
    v: double = z * z
    x: double = v * v
    odd: double = (((1 / 21.0 * x + 1 / 17.0) * x + 1 / 13.0) * x + 1 / 9.0) * x + 1 / 5.0
    even: double = (((1 / 19.0 * x + 1 / 15.0) * x + 1 / 11.0) * x + 1 / 7.0) * x + 1 / 3.0
    tail: double = odd * v + even
    return e * LN2_HIGH + (2.0 * z + (2.0 * z * v * tail + e * LN2_LOW))


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _exp_minus(y: double) -> double:
    """e^-y for y >= 0; 0 from 707 on, where it leaves the normal numbers."""
    x: double = y if y < EXPONENT_MAX else EXPONENT_MAX
    rounded: double = x * LOG2_E + ROUNDER
    n: double = rounded - ROUNDER
    r: double = (n * LN2_HIGH - x) + n * LN2_LOW
    v: double = r * r
    odd: double = ((1 / 6227020800.0 * v + 1 / 39916800.0) * v + 1 / 362880.0) * v + 1 / 5040.0
    odd = ((odd * v + 1 / 120.0) * v + 1 / 6.0) * v + 1.0
    even: double = ((1 / 479001600.0 * v + 1 / 3628800.0) * v + 1 / 40320.0) * v + 1 / 720.0
    even = ((even * v + 1 / 24.0) * v + 0.5) * v + 1.0
    e: double = odd * r + even
    e = _halved(e, rounded)
    return e if y < EXPONENT_MAX else 0.0


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _erfcx(z: double, y: double, of_z: p_double, of_y: p_double) -> cython.void:
    """e^(z^2) erfc(z) of two numbers >= -0.75 with one division: minimax of degrees 11 / 12 to 2e-17.

    Every coefficient is positive, and so are v and w: nothing cancels.
    """
    v: double = z + ERFCX_FROM
    v = v if v > 0.0 else 0.0
    v = v if v < ERFCX_TO else ERFCX_TO
    w: double = y + ERFCX_FROM
    w = w if w < ERFCX_TO else ERFCX_TO
    by_both: double = 1.0 / (_under(v) * _under(w))
    of_z[0] = _over(v) * _under(w) * by_both
    of_y[0] = _over(w) * _under(v) * by_both


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _over(w: double) -> double:
    x: double = w * w
    odd: double = (3.8438871021244064e-05 * x + 0.0070230240568701415) * x + 0.21227688262164132
    odd = ((odd * x + 2.0837096393183) * x + 7.236263597641746) * x + 6.991954733997118
    even: double = (0.0007233684771531639 * x + 0.04524975849549746) * x + 0.7563496539987281
    even = ((even * x + 4.44503132750689) * x + 8.658640784720722) * x + 3.003171663627452
    return odd * w + even


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _under(w: double) -> double:
    x: double = w * w
    odd: double = (0.001231038899229233 * x + 0.07153373696511374) * x + 1.1028334281983094
    odd = ((odd * x + 5.89094761280993) * x + 10.429884658529714) * x + 4.203919326171409
    even: double = (
        (6.813112496606449e-05 * x + 0.011520448664870347) * x + 0.3227885373500851
    ) * x + 2.9021207260005943
    even = ((even * x + 9.110966299360328) * x + 8.361782648302814) * x + 1.0
    return odd * w + even


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _fall(z: double, w: double, head: double) -> double:
    """erfcx(z) - erfcx(z + w) for w < 1/32 by its series, where subtracting would cancel; `head` is erfcx(z).

    The derivatives of erfcx follow from d1 = 2 z erfcx - 2 / root pi by d(n+1) = 2 z dn + 2 n d(n-1).
    """
    two_z: double = 2.0 * z
    d1: double = two_z * head - TWO_BY_ROOT_PI
    d2: double = two_z * d1 + 2.0 * head
    d3: double = two_z * d2 + 4.0 * d1
    d4: double = two_z * d3 + 6.0 * d2
    d5: double = two_z * d4 + 8.0 * d3
    d6: double = two_z * d5 + 10.0 * d4
    d7: double = two_z * d6 + 12.0 * d5
    d8: double = two_z * d7 + 14.0 * d6
    rest: double = d8 / 40320.0
    rest = rest * w + d7 / 5040.0
    rest = rest * w + d6 / 720.0
    rest = rest * w + d5 / 120.0
    rest = rest * w + d4 / 24.0
    rest = rest * w + d3 / 6.0
    rest = rest * w + d2 / 2.0
    return -w * (rest * w + d1)


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _guess(u: double, distance: double, p: double, is_p: double, y: double) -> double:
    """s to within 12 %, where y = -ln(p or q): from p by the normal model, beyond p = 1/2 from q by its quantile.

    `distance` is |forward - strike| in units of the smaller. The normal model knows h by ln(1 + distance / p) alone.
    """
    least: double = 1e-6 * p
    gap: double = distance if distance > least else least
    x: double = u if u > least else least
    size: double = _log_ratio(p + gap, p)
    share: double = x / size
    share = share if share < 1.0 else 1.0
    r: double = sqrt(size)
    over: double = 0.4002037 + r * (0.05779561 + r * 0.05996372)
    under: double = 1.0 + r * (0.18570828 + r * (0.07311991 + r * 0.0415466))
    low: double = 2.0 * share * under / (over * (1.0 + sqrt(1.0 - share)))
    m: double = sqrt(2.0 * y + 1.3862943611198906 / (1.0 + u))
    d: double = m - (2.515517 + m * (0.802853 + m * 0.010328)) / (1.0 + m * (1.432788 + m * (0.189269 + m * 0.001308)))
    high: double = d + sqrt(d * d + 2.0 * u)
    return low if is_p > 0.0 else high


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _step(s: double, u: double, is_p: double, target: double, is_last: bint) -> double:
    """Householder's third-order step on 1 / ln(p or q), whose target is given as -ln; `is_p` is 1 for p, -1 for q.

    Slopes are in units of s, so that nothing overflows where s is tiny.
    """
    by_s: double = 1.0 / s
    h: double = u * by_s
    t: double = 0.5 * s
    z: double = (h - t) * ROOT_HALF
    w: double = s * ROOT_HALF
    signed: double = is_p * z
    head: double
    tail: double
    _erfcx(signed, (h + t) * ROOT_HALF, address(head), address(tail))
    gap: double = head - is_p * tail
    fall: double = _fall(signed, w, head) if is_last else w * (TWO_BY_ROOT_PI - 2.0 * signed * head)
    short: double = w if is_p > 0.0 else 1.0
    gap = fall if short < (SERIES_BELOW if is_last else SLOPE_BELOW) else gap
    y: double = z * z + _log_ratio(2.0, gap)
    by_both: double = 1.0 / (gap * y)
    g: double = is_p * ROOT_TWO_BY_PI * (s * y) * by_both
    el: double = -g * gap * by_both
    n: double = is_p * ROOT_HALF_PI * (gap * by_s) * y * (y - target) / target
    hh: double = h * h
    tt: double = t * t
    c2: double = hh - tt
    c3: double = c2 * c2 - 3.0 * hh - tt
    r2: double = c2 - g
    r3: double = c3 - 3.0 * g * c2 + 2.0 * g * g
    f2: double = r2 - 2.0 * el
    f3: double = 6.0 * el * (el - r2) + r3
    return s + s * (n * (1.0 + 0.5 * f2 * n) / (1.0 + n * (f2 + f3 * n * (1 / 6.0))))


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _time_value(is_call: bint, price: double, forward: double, strike: double) -> double:
    """Price less intrinsic value, of which the bits that a subtraction loses are kept."""
    a: double = forward if is_call else strike
    b: double = strike if is_call else forward
    gain: double = a - b
    back: double = a - gain
    lost: double = (a - (gain + back)) + (back - b)
    return (price - gain) - lost if gain > 0.0 else price


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _is_priced(forward: double, strike: double, years: double) -> bint:
    """Whether the inputs are positive, finite and of magnitudes that cannot overflow or vanish."""
    is_forward: bint = (forward > SMALLEST) & (forward < LARGEST)
    is_strike: bint = (strike > SMALLEST) & (strike < LARGEST)
    return is_forward & is_strike & (years >= 0.0) & (years < LARGEST)


@ccall
@cython.nogil
@cython.exceptval(check=False)
def fault(
    is_call: bint,
    price: double,
    forward: double,
    strike: double,
    years: double,
) -> cython.int:
    """Why `price` has no implied volatility, as an index of `pricing.FAULTS`; 0 where it has one."""
    if not (_is_priced(forward, strike, years) and -LARGEST < price < LARGEST):
        return 1
    if years == 0.0:
        return 2
    value: double = _time_value(is_call, price, forward, strike)
    if value < 0.0:
        return 3
    if price >= (forward if is_call else strike):
        return 4
    return 5 if 0.0 < value < PRICE_MIN * forward or 0.0 < value < PRICE_MIN * strike else 0


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _prepare(
    value: double, left: double, forward: double, strike: double, out: p_double, apart: Py_ssize_t
) -> cython.void:
    """Of a time value, of which `left` is left to the upper bound: s guessed, u, which of p and q, and its -ln."""
    low: double = forward if forward < strike else strike
    high: double = strike if forward < strike else forward
    by_low: double = 1.0 / low
    p: double = value * by_low
    q: double = left * by_low
    is_p: double = 1.0 if p <= 0.5 else -1.0
    near: double = p if p <= 0.5 else q
    target: double = _log_ratio(TWO_64, near * TWO_64)
    u: double = _log_ratio(high, low)
    out[0] = _guess(u, (high - low) * by_low, p, is_p, target)
    out[apart] = u
    out[2 * apart] = is_p
    out[3 * apart] = target


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _reach(
    forward: double, strike: double, years: double, sigma: double, out: p_double, apart: Py_ssize_t
) -> cython.void:
    """s, u and the root of the time into the last three of eight."""
    root: double = sqrt(years)
    out[5 * apart] = sigma * root
    out[6 * apart] = _log_ratio(
        strike if forward < strike else forward,
        forward if forward < strike else strike,
    )
    out[7 * apart] = root


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _shape(forward: double, strike: double, out: p_double, apart: Py_ssize_t) -> cython.void:
    """From these what the values are made of: z^2, p or q less its e^(-z^2) / 2, the chance likewise, and more."""
    low: double = forward if forward < strike else strike
    s: double = out[5 * apart]
    u: double = out[6 * apart]
    is_alive: double = 1.0 if s > SMALLEST else 0.0
    s = s if s > SMALLEST else SMALLEST
    by_both: double = 1.0 / (forward * s)
    by_s: double = forward * by_both
    by_f: double = s * by_both
    h: double = u * by_s
    t: double = 0.5 * s
    z: double = (h - t) * ROOT_HALF
    z = z if z < Z_MAX else Z_MAX
    w: double = s * ROOT_HALF
    is_p: double = 1.0 if z > P_FORM_FROM else -1.0
    head: double
    tail: double
    _erfcx(is_p * z, (h + t) * ROOT_HALF, address(head), address(tail))
    fall: double = _fall(is_p * z, w, head)
    short: double = w if is_p > 0.0 else 1.0
    out[0] = z * z
    out[apart] = low * (fall if short < SERIES_BELOW else head - is_p * tail)
    out[2 * apart] = head if forward <= strike else tail * (strike * by_f)
    out[3 * apart] = is_p
    out[4 * apart] = low * ROOT_TWO_BY_PI * is_alive
    out[5 * apart] = by_s
    out[6 * apart] = by_f


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _values(
    call: double, forward: double, strike: double, years: double, sigma: double, out: p_double, apart: Py_ssize_t
) -> cython.void:
    """From the shape in `out` price, delta, gamma, vega, theta and rho into `out`, `apart` from one to the next."""
    half: double = 0.5 * _exp_minus(out[0])
    part: double = half * out[apart]
    chance: double = half * out[2 * apart]
    is_p: double = out[3 * apart]
    density: double = half * out[4 * apart]
    by_s: double = out[5 * apart]
    by_f: double = out[6 * apart]
    root: double = out[7 * apart]
    gain: double = forward - strike if call > 0.0 else strike - forward
    gain = gain if gain > 0.0 else 0.0
    most: double = forward if call > 0.0 else strike
    price: double = gain + part if is_p > 0.0 else most - part
    is_rest: double = is_p if forward <= strike else -1.0
    up: double = chance if is_rest > 0.0 else 1.0 - chance
    down: double = 1.0 - chance if is_rest > 0.0 else chance
    out[0] = price
    out[apart] = up if call > 0.0 else -down
    out[2 * apart] = density * by_s * by_f * by_f
    out[3 * apart] = density * root
    out[4 * apart] = -0.5 * density * sigma * sigma * by_s
    out[5 * apart] = -years * price


@ccall
def implied_volatility(
    is_call: bint,
    price: double,
    forward: double,
    strike: double,
    years: double,
) -> double:
    """The sigma that gives `price`; nan where `fault` says why there is none."""
    if fault(is_call, price, forward, strike, years):
        return NAN
    value: double = _time_value(is_call, price, forward, strike)
    left: double = (forward if is_call else strike) - price
    if not value > 0.0:
        return 0.0
    now: double[4]
    _prepare(value, left, forward, strike, now, 1)
    now[0] = _step(now[0], now[1], now[2], now[3], False)
    return _step(now[0], now[1], now[2], now[3], True) / sqrt(years)


@ccall
def values(
    is_call: bint,
    forward: double,
    strike: double,
    years: double,
    sigma: double,
) -> tuple[float, float, float, float, float, float]:
    """Undiscounted price, delta, gamma, vega, theta, rho; nan for inputs that are negative or endless."""
    if not (_is_priced(forward, strike, years) and 0.0 <= sigma < LARGEST):
        return NAN, NAN, NAN, NAN, NAN, NAN
    out: double[8]
    _reach(forward, strike, years, sigma, out, 1)
    _shape(forward, strike, out, 1)
    _values(is_call, forward, strike, years, sigma, out, 1)
    return out[0], out[1], out[2], out[3], out[4], out[5]


@ccall
def price(is_call: bint, forward: double, strike: double, years: double, sigma: double) -> double:
    """Undiscounted Black-76 price; nan for inputs that are negative or endless."""
    if not (_is_priced(forward, strike, years) and 0.0 <= sigma < LARGEST):
        return NAN
    out: double[8]
    _reach(forward, strike, years, sigma, out, 1)
    _shape(forward, strike, out, 1)
    _values(is_call, forward, strike, years, sigma, out, 1)
    return out[0]


def prices(is_call: bint, strike: double, years: double, cases: tuple) -> tuple:
    """`price` in each case of a forward and a sigma."""
    found: list = []
    forward: double
    sigma: double
    for forward, sigma in cases:
        found.append(price(is_call, forward, strike, years, sigma))
    return tuple(found)


def worst_loss(quantities: tuple, worths: tuple, covers: tuple) -> double:
    """The worst of what quantities lose in the cases of `covers` (`pricing.worst_loss`)."""
    worst: double = 0.0
    loss: double
    at: Py_ssize_t
    cases: Py_ssize_t = len(covers)
    if len(quantities) != len(worths):
        raise ValueError("worths are not those of these quantities in these cases")
    for of in worths:
        if len(of) != cases + 1:
            raise ValueError("worths are not those of these quantities in these cases")
    now: double = _worth(quantities, worths, 0)
    for at in range(cases):
        loss = cast(double, covers[at]) * (now - _worth(quantities, worths, at + 1))
        worst = loss if loss > worst else worst
    return worst


@cfunc
@cython.exceptval(-1.0, check=True)
def _worth(quantities: tuple, worths: tuple, at: Py_ssize_t) -> double:
    """What quantities are worth in one case; what there is none of plays no part, whatever its worth."""
    total: double = 0.0
    units: double
    i: Py_ssize_t
    for i in range(len(quantities)):
        units = quantities[i]
        if units != 0.0:
            of: tuple = worths[i]
            total += units * cast(double, of[at])
    return total


@ccall
def rounded(value: double) -> double:
    """A float at 10 significant digits. In a table of powers, the digits are counted in a whole number.

    Ten digits and a power of ten are exact, so that their quotient or product, rounded once, is what reading the
    decimal gives. Where the next digits are too near a half to tell, and beyond all measure, it is written and read.
    """
    size: double = value if value >= 0.0 else -value
    if not 1e-12 <= size < 1e15:
        return value if size - size != 0.0 or size == 0.0 else float(f"{value:.10g}")
    places: cython.int = 9 - cast(cython.int, floor(log10(size)))
    digits: double = size * POWERS[places] if places >= 0 else size / POWERS[-places]
    if digits < 1e9:
        places += 1
    elif digits >= 1e10:
        places -= 1
    digits = size * POWERS[places] if places >= 0 else size / POWERS[-places]
    whole: double = floor(digits)
    rest: double = digits - whole
    if not 1e9 <= digits < 1e10 or 0.4999 < rest < 0.5001:
        return float(f"{value:.10g}")
    whole = whole + 1.0 if rest > 0.5 else whole
    whole = whole / POWERS[places] if places >= 0 else whole * POWERS[-places]
    return whole if value >= 0.0 else -whole


def all_rounded(figures: dict) -> dict:
    """Figures by name with their floats rounded, None for what is no number or endless."""
    found: dict = {}
    for name, figure in figures.items():
        if isinstance(figure, float):
            value: double = figure
            found[name] = rounded(value) if value - value == 0.0 else None
        else:
            found[name] = figure
    return found


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _solve_block(
    is_call: p_uchar,
    price: p_double,
    forward: p_double,
    strike: p_double,
    years: p_double,
    sigmas: p_double,
    faults: p_uchar,
    size: Py_ssize_t,
) -> cython.void:
    """At most 256 options, stage by stage: one long loop would wait for each option's chain of steps in turn."""
    f: double[256]
    k: double[256]
    value: double[256]
    left: double[256]
    root: double[256]
    known: double[256]
    now: double[1024]
    i: Py_ssize_t
    for i in range(size):
        faults[i] = fault(is_call[i], price[i], forward[i], strike[i], years[i])
        f[i] = forward[i]
        k[i] = strike[i]
        root[i] = years[i]
        value[i] = _time_value(is_call[i], price[i], f[i], k[i])
        left[i] = (f[i] if is_call[i] else k[i]) - price[i]
        known[i] = 1.0
        if faults[i] or not value[i] > 0.0:
            f[i] = k[i] = root[i] = 1.0
            value[i] = left[i] = 0.5
            known[i] = NAN if faults[i] else 0.0
    for i in range(size):
        _prepare(value[i], left[i], f[i], k[i], address(now[i]), 256)
    for i in range(size):
        now[i] = _step(now[i], now[256 + i], now[512 + i], now[768 + i], False)
    for i in range(size):
        now[i] = _step(now[i], now[256 + i], now[512 + i], now[768 + i], True)
    for i in range(size):
        sigmas[i] = known[i] * now[i] / sqrt(root[i])


@cfunc
@inline
@cython.nogil
@cython.exceptval(check=False)
def _value_block(
    is_call: p_uchar,
    forward: p_double,
    strike: p_double,
    years: p_double,
    sigma: p_double,
    out: p_double,
    apart: Py_ssize_t,
    size: Py_ssize_t,
) -> cython.void:
    call: double[256]
    f: double[256]
    k: double[256]
    time: double[256]
    v: double[256]
    known: double[256]
    of: double[2048]
    i: Py_ssize_t
    row: Py_ssize_t
    for i in range(size):
        is_good: bint = _is_priced(forward[i], strike[i], years[i]) & (sigma[i] >= 0.0) & (sigma[i] < LARGEST)
        call[i] = 1.0 if is_call[i] else 0.0
        f[i] = forward[i] if is_good else 1.0
        k[i] = strike[i] if is_good else 1.0
        time[i] = years[i] if is_good else 1.0
        v[i] = sigma[i] if is_good else 1.0
        known[i] = 1.0 if is_good else NAN
    for i in range(size):
        _reach(f[i], k[i], time[i], v[i], address(of[i]), 256)
    for i in range(size):
        _shape(f[i], k[i], address(of[i]), 256)
    for i in range(size):
        _values(call[i], f[i], k[i], time[i], v[i], address(of[i]), 256)
    for row in range(6):
        for i in range(size):
            out[row * apart + i] = of[row * 256 + i] * known[i]


def implied_volatilities(options, prices, sigmas, faults):  # type: ignore[no-untyped-def] # Cython's types
    """`implied_volatility` and `fault` of every option into `sigmas` and `faults`; ValueError if lengths differ."""
    view: Py_buffer[7]
    held: cython.int = 0
    j: Py_ssize_t
    try:
        for column in (*options, prices, sigmas, faults):
            PyObject_GetBuffer(column, address(view[held]), PyBUF_WRITABLE if held > 4 else PyBUF_SIMPLE)
            held += 1
        count: Py_ssize_t = view[0].len
        for j in range(1, 7):
            if view[j].len != (count if j == 6 else 8 * count):
                raise ValueError("the columns of options differ in length")
        for j in range(0, count, 256):
            _solve_block(
                cast(p_uchar, view[0].buf) + j,
                cast(p_double, view[4].buf) + j,
                cast(p_double, view[1].buf) + j,
                cast(p_double, view[2].buf) + j,
                cast(p_double, view[3].buf) + j,
                cast(p_double, view[5].buf) + j,
                cast(p_uchar, view[6].buf) + j,
                min(256, count - j),
            )
    finally:
        while held > 0:
            held -= 1
            PyBuffer_Release(address(view[held]))


def values_of(options, sigmas, out):  # type: ignore[no-untyped-def] # Cython's types
    """`values` of every option into `out`: all prices, then all deltas, gammas, vegas, thetas, rhos."""
    view: Py_buffer[6]
    held: cython.int = 0
    j: Py_ssize_t
    try:
        for column in (*options, sigmas, out):
            PyObject_GetBuffer(column, address(view[held]), PyBUF_WRITABLE if held > 4 else PyBUF_SIMPLE)
            held += 1
        count: Py_ssize_t = view[0].len
        for j in range(1, 6):
            if view[j].len != (48 if j == 5 else 8) * count:
                raise ValueError("the columns of options differ in length")
        for j in range(0, count, 256):
            _value_block(
                cast(p_uchar, view[0].buf) + j,
                cast(p_double, view[1].buf) + j,
                cast(p_double, view[2].buf) + j,
                cast(p_double, view[3].buf) + j,
                cast(p_double, view[4].buf) + j,
                cast(p_double, view[5].buf) + j,
                count,
                min(256, count - j),
            )
    finally:
        while held > 0:
            held -= 1
            PyBuffer_Release(address(view[held]))
