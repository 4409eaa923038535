"""One expiry's implied volatilities as a curve: level, skew and curvature at the money, and how far off the curve is.

The model: sigma^2 = a + b x + c x^2 with x = ln(strike / forward) / (at-the-money IV x root years), the distance of the
strike in standard deviations, over REACH of them on either side. A parabola in variance is what every smooth smile is
near the money, and linear in its parameters: one solution, by the normal equations of weighted least squares.

Options out of the money alone, by the middle of their quotes. Half a spread is the doubt of a price and over vega that
of its IV, so each weighs (vega / spread)^2.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import fsum, isfinite, log, sqrt
from typing import NamedTuple

from msgspec import Struct

from participant.core.market import Chain
from participant.core.pricing import greeks, rounded
from participant.core.volatility import atm_iv, middle, strike_iv

REACH = 2.0
STRIKES_MIN = 5
# A quote wider than this share of its middle says little of a volatility.
SPREAD_MAX = 0.5
GRID = tuple(i / 8 for i in range(-16, 17))


class NoSmile(StrEnum):
    """Why a chain shows no smile."""

    MONEY = "no IV at the money"
    STRIKES = "fewer than 5 strikes within two standard deviations are quoted tightly enough"
    SHAPE = "the quotes determine no curve of positive variance"


class Point(NamedTuple):
    """One strike's distance from the forward in standard deviations, its IV and its weight."""

    x: float
    iv: float
    weight: float


class Smile(Struct, frozen=True):
    """The fitted curve; volatilities are annual fractions, slopes a standard deviation of the strike's distance.

    `rms` and `worst` are its distance from the IVs of the quotes, every strike alike. It is free of butterflies where
    the density that it implies is nowhere below 0 within reach (Durrleman's condition; J. Gatheral, A. Jacquier, 2014).
    """

    parabola: tuple[float, float, float]
    level: float
    skew: float
    curvature: float
    rms: float
    worst: float
    strikes: int
    is_butterfly_free: bool

    def at(self, x: float) -> float:
        """The volatility at a distance in standard deviations, within REACH."""
        return sqrt(_variance(self.parabola, x))


def smile(chain: Chain, forward: float, years: float) -> Smile | NoSmile:
    """Fit one expiry's smile, its figures at 10 significant digits."""
    deviation = atm_iv(chain, forward, years) * sqrt(years)
    if not (isfinite(deviation) and deviation > 0):
        return NoSmile.MONEY
    points = _points(chain, forward, years, deviation)
    return fitted(points, deviation) if len(points) >= STRIKES_MIN else NoSmile.STRIKES


def _points(chain: Chain, forward: float, years: float, deviation: float) -> list[Point]:
    points = []
    for row in chain.strikes:
        x = log(row.strike / forward) / deviation
        is_call = row.strike >= forward
        quote = row.call if is_call else row.put
        if abs(x) > REACH or quote is None or not quote.is_valid:
            continue
        spread, iv = quote.ask - quote.bid, strike_iv(is_call, quote, forward, row.strike, years)
        if iv > 0 and spread <= SPREAD_MAX * middle(quote):
            vega = greeks(is_call, forward, row.strike, years, iv).vega
            points.append(Point(x, iv, (vega / spread) ** 2))
    return points


def fitted(points: Sequence[Point], deviation: float) -> Smile | NoSmile:
    """The curve through points; `deviation` is the at-the-money IV x root years by which x was made."""
    parabola = _solved(points)
    if parabola is None or min(_variance(parabola, x) for x in (*GRID, *(p.x for p in points))) <= 0:
        return NoSmile.SHAPE
    a, b, c = parabola
    level = sqrt(a)
    off = [sqrt(_variance(parabola, p.x)) - p.iv for p in points]
    return Smile(
        parabola=(rounded(a), rounded(b), rounded(c)),
        level=rounded(level),
        skew=rounded(b / (2 * level)),
        curvature=rounded(c / level - b * b / (4 * level**3)),
        rms=rounded(sqrt(fsum(d * d for d in off) / len(off))),
        worst=rounded(max(map(abs, off))),
        strikes=len(points),
        is_butterfly_free=all(rounded(_density(parabola, x, deviation)) >= 0 for x in GRID),
    )


def _variance(parabola: tuple[float, float, float], x: float) -> float:
    a, b, c = parabola
    return a + x * (b + x * c)


def _solved(points: Sequence[Point]) -> tuple[float, float, float] | None:
    """The parabola in variance of least weighted squares; None where the points do not determine one.

    An error of the IV is one of 2 IV in the variance, so weights are divided by 4 IV^2 on the way.
    """
    weights = [p.weight / (4 * p.iv * p.iv) for p in points]
    whole = fsum(weights)
    if not 0 < whole < float("inf"):
        return None
    m0, m1, m2, m3, m4 = (fsum(w / whole * p.x**n for p, w in zip(points, weights, strict=True)) for n in range(5))
    r0, r1, r2 = (fsum(w / whole * p.iv**2 * p.x**n for p, w in zip(points, weights, strict=True)) for n in range(3))
    q0, q1, q2 = m2 * m4 - m3 * m3, m2 * m3 - m1 * m4, m1 * m3 - m2 * m2  # cofactors of the symmetric system
    q3, q4, q5 = m0 * m4 - m2 * m2, m1 * m2 - m0 * m3, m0 * m2 - m1 * m1
    determinant = m0 * q0 + m1 * q1 + m2 * q2
    if not determinant > 1e-9 * m4 * m2 * m0:
        return None
    a, b, c = q0 * r0 + q1 * r1 + q2 * r2, q1 * r0 + q3 * r1 + q4 * r2, q2 * r0 + q4 * r1 + q5 * r2
    return a / determinant, b / determinant, c / determinant


def _density(parabola: tuple[float, float, float], x: float, deviation: float) -> float:
    """Durrleman's g(k), of the sign of the density, with k = x deviation and the total variance of the parabola.

    The variance is in units of the at-the-money one: w = v / level^2 x deviation^2, up to how well the curve meets it.
    """
    a, b, c = parabola
    scale = deviation * deviation / a
    w, slope, bend = scale * _variance(parabola, x), scale * (b + 2 * c * x) / deviation, scale * 2 * c / deviation**2
    half = 1 - x * deviation * slope / (2 * w)
    return half * half - slope * slope / 4 * (1 / w + 0.25) + bend / 2
