"""Exponential, logarithm and erfcx of + - x / alone, which IEEE 754 rounds the same way on every machine.

A C library's own differ in the last bit from machine to machine. The kernel `_pricing` has the same, inlined.
"""

from math import frexp, ldexp

ROOT_TWO = 1.4142135623730951
TWO_BY_ROOT_PI = 1.1283791670955126
LOG2_E = 1.4426950408889634
LN2_HIGH = 0.6931471803691238
LN2_LOW = 1.9082149292705877e-10
ROUNDER = 6755399441055744.0
EXPONENT_MAX = 707.0
ERFCX_FROM = 0.75
ERFCX_TO = 1e12


def _halved(a: float, rounded: float) -> float:
    """a / 2^n, where `rounded` is n + ROUNDER and 0 <= n <= 1020."""
    return ldexp(a, -int(rounded - ROUNDER))


def log_ratio(a: float, b: float) -> float:
    """ln(a / b) to full relative precision, also for a near b: 2 artanh((a - b) / (a + b)) of the mantissas."""
    m, e_a = frexp(a)
    k, e_b = frexp(b)
    e = float(e_a) - float(e_b)
    is_over = 1.0 if m > ROOT_TWO * k else 0.0
    is_under = 1.0 if k > ROOT_TWO * m else 0.0
    k = k + is_over * k
    m = m + is_under * m
    e = e + is_over - is_under
    z = (m - k) / (m + k)
    v = z * z
    x = v * v
    odd = (((1 / 21.0 * x + 1 / 17.0) * x + 1 / 13.0) * x + 1 / 9.0) * x + 1 / 5.0
    even = (((1 / 19.0 * x + 1 / 15.0) * x + 1 / 11.0) * x + 1 / 7.0) * x + 1 / 3.0
    tail = odd * v + even
    return e * LN2_HIGH + (2.0 * z + (2.0 * z * v * tail + e * LN2_LOW))


def exp_minus(y: float) -> float:
    """e^-y for y >= 0; 0 from 707 on, where it leaves the normal numbers."""
    x = y if y < EXPONENT_MAX else EXPONENT_MAX
    rounded = x * LOG2_E + ROUNDER
    n = rounded - ROUNDER
    r = (n * LN2_HIGH - x) + n * LN2_LOW
    v = r * r
    odd = ((1 / 6227020800.0 * v + 1 / 39916800.0) * v + 1 / 362880.0) * v + 1 / 5040.0
    odd = ((odd * v + 1 / 120.0) * v + 1 / 6.0) * v + 1.0
    even = ((1 / 479001600.0 * v + 1 / 3628800.0) * v + 1 / 40320.0) * v + 1 / 720.0
    even = ((even * v + 1 / 24.0) * v + 0.5) * v + 1.0
    e = odd * r + even
    e = _halved(e, rounded)
    return e if y < EXPONENT_MAX else 0.0


def erfcx_of_two(z: float, y: float) -> tuple[float, float]:
    """e^(z^2) erfc(z) of two numbers >= -0.75 with one division: minimax of degrees 11 / 12 to 2e-17.

    Every coefficient is positive, and so are v and w: nothing cancels.
    """
    v = z + ERFCX_FROM
    v = v if v > 0.0 else 0.0
    v = v if v < ERFCX_TO else ERFCX_TO
    w = y + ERFCX_FROM
    w = w if w < ERFCX_TO else ERFCX_TO
    by_both = 1.0 / (_under(v) * _under(w))
    return _over(v) * _under(w) * by_both, _over(w) * _under(v) * by_both


def _over(w: float) -> float:
    x = w * w
    odd = (3.8438871021244064e-05 * x + 0.0070230240568701415) * x + 0.21227688262164132
    odd = ((odd * x + 2.0837096393183) * x + 7.236263597641746) * x + 6.991954733997118
    even = (0.0007233684771531639 * x + 0.04524975849549746) * x + 0.7563496539987281
    even = ((even * x + 4.44503132750689) * x + 8.658640784720722) * x + 3.003171663627452
    return odd * w + even


def _under(w: float) -> float:
    x = w * w
    odd = (0.001231038899229233 * x + 0.07153373696511374) * x + 1.1028334281983094
    odd = ((odd * x + 5.89094761280993) * x + 10.429884658529714) * x + 4.203919326171409
    even = ((6.813112496606449e-05 * x + 0.011520448664870347) * x + 0.3227885373500851) * x + 2.9021207260005943
    even = ((even * x + 9.110966299360328) * x + 8.361782648302814) * x + 1.0
    return odd * w + even


def fall_of_erfcx(z: float, w: float, head: float) -> float:
    """erfcx(z) - erfcx(z + w) for w < 1/32 by its series, where subtracting would cancel; `head` is erfcx(z).

    The derivatives of erfcx follow from d1 = 2 z erfcx - 2 / root pi by d(n+1) = 2 z dn + 2 n d(n-1).
    """
    two_z = 2.0 * z
    d1 = two_z * head - TWO_BY_ROOT_PI
    d2 = two_z * d1 + 2.0 * head
    d3 = two_z * d2 + 4.0 * d1
    d4 = two_z * d3 + 6.0 * d2
    d5 = two_z * d4 + 8.0 * d3
    d6 = two_z * d5 + 10.0 * d4
    d7 = two_z * d6 + 12.0 * d5
    d8 = two_z * d7 + 14.0 * d6
    rest = d8 / 40320.0
    rest = rest * w + d7 / 5040.0
    rest = rest * w + d6 / 720.0
    rest = rest * w + d5 / 120.0
    rest = rest * w + d4 / 24.0
    rest = rest * w + d3 / 6.0
    rest = rest * w + d2 / 2.0
    return -w * (rest * w + d1)
