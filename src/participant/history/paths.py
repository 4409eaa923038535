"""The made market's one long path per seed: spot, variance and what options charge above it, session by session.

Log variance reverts to its mean and moves against the spot (leverage); both jump now and then. The premium of implied
over expected volatility wanders as well, so that there are calm, rich and cheap months. All underlyings share most of
their shocks. The path begins LOOK_BACK sessions before ORIGIN, and a day's open follows from the close before.
"""

import datetime
from collections.abc import Iterator, Sequence
from math import exp, log, sqrt
from random import Random

from msgspec import Struct

ORIGIN = datetime.date(2026, 1, 1)
LOOK_BACK = 250
STEPS = 26
SESSIONS_PER_YEAR = 252
FULL_SESSION_S = 22_500

# Measured: NIFTY closes 2012-19 and India VIX 2012-25 for what goes by the day, NIFTY minutes of 2024 within one.
INTRADAY_SHARE = 0.7  # of a session's variance; the rest comes over night
OPENING, OPENING_STEPS, CLOSING, CLOSING_STEPS = 3.5, 1.5, 0.2, 2.5  # a fifth of it falls into the first half hour
BURST = 0.5  # deviation of the log of the pace from moment to moment: minutes have fat tails
PULL = 0.004  # towards the underlying's level, per session: years of made days stay in sight of today's levels
REVERSION = 0.035  # of log variance, per session
DEVIATION = 0.40  # of log variance, in the long run, but for jumps
LOG_VARIANCE_MAX = 2.0
LEVERAGE = -0.7
SHARED = 0.9  # correlation of the underlyings' shocks
JUMPS_PER_SESSION = 0.012
JUMP_MEAN, JUMP_DEVIATION, JUMP_TO_VARIANCE = -0.010, 0.022, 0.75
PREMIUM_MEAN, PREMIUM_REVERSION, PREMIUM_DEVIATION = log(1.16), 0.06, 0.07


class Profile(Struct, frozen=True):
    """An underlying as it is made: the level (rupees) that its path begins at and stays around, its mean volatility."""

    level: float
    volatility: float


PROFILES = {
    "NIFTY": Profile(25_000.0, 0.125),
    "BANKNIFTY": Profile(56_000.0, 0.145),
}


class Point(Struct, frozen=True):
    """The path at one moment: log spot (rupees), log of variance over its mean, log premium of implied volatility."""

    spot: float
    variance: float
    premium: float


class Leg(Struct, frozen=True):
    """From one point to the next: the variance of log spot in between, a jump and the share of the leg before it."""

    variance: float
    jump: float
    jump_after: float


class Walk(Struct, frozen=True):
    """One session of the path: STEPS + 1 points from open to close and the legs between them."""

    points: tuple[Point, ...]
    legs: tuple[Leg, ...]


def profile_of(symbol: str) -> Profile:
    """The profile of an underlying; ValueError where none is made."""
    if symbol not in PROFILES:
        raise ValueError(f"no made market has {symbol}: choose from {', '.join(PROFILES)}")
    return PROFILES[symbol]


def walks(seed: int, symbol: str, sessions_s: Sequence[int]) -> Iterator[Walk]:
    """The path of an underlying through LOOK_BACK sessions and then those of these lengths (seconds)."""
    shocks = _Shocks(seed, symbol)
    profile = profile_of(symbol)
    at = Point(log(profile.level), 0.0, PREMIUM_MEAN)
    for length_s in (*[FULL_SESSION_S] * LOOK_BACK, *sessions_s):
        at, _ = _step(at, profile, 1.0 - INTRADAY_SHARE, shocks)
        points, legs = [at], []
        share = INTRADAY_SHARE * min(1.0, length_s / FULL_SESSION_S)
        for weight in WEIGHTS:
            at, leg = _step(at, profile, share * weight, shocks)
            points.append(at)
            legs.append(leg)
        yield Walk(tuple(points), tuple(legs))


def variance_of(base: float, point: Point) -> float:
    """The variance of a year at a point."""
    return base * base * exp(point.variance - DEVIATION * DEVIATION / 2)


def total_variance(base: float, point: Point, sessions: float) -> float:
    """The variance until `sessions` from now that at-the-money options charge."""
    if sessions <= 0.0:
        return 0.0
    mean, now = base * base, variance_of(base, point)
    fading = (1.0 - exp(-REVERSION * sessions)) / (REVERSION * sessions)
    return (mean + (now - mean) * fading) * sessions / SESSIONS_PER_YEAR * exp(2.0 * point.premium)


def between(walk: Walk, at: float) -> Point:
    """The point at a moment (0 the open, STEPS the close) on straight lines, good for what is slow."""
    i = min(int(at), STEPS - 1)
    a, b, part = walk.points[i], walk.points[i + 1], at - i
    mixed = ((1.0 - part) * x + part * y for x, y in zip(_values(a), _values(b), strict=True))
    return Point(*mixed)


def fine(walk: Walk, times: Sequence[float], rng: Random) -> Iterator[float]:
    """Log spot at rising moments (0 the open, STEPS the close): a bridge from point to point, with its jumps."""
    leg, here, now = -1, 0.0, 0.0
    for at in times:
        i = min(int(at), STEPS - 1)
        if i != leg:
            leg, here, now = i, walk.points[i].spot, float(i)
        part = walk.legs[i]
        goal = walk.points[i + 1].spot - part.jump
        left = i + 1 - now
        if left > 0.0:
            width = sqrt(max(0.0, part.variance * (at - now) * (i + 1 - at) / left))
            pace = exp(BURST * rng.gauss(0.0, 1.0) - BURST * BURST)  # its square is 1 on average
            here += (goal - here) * (at - now) / left + width * pace * rng.gauss(0.0, 1.0)
        now = at
        yield here + (part.jump if at - i >= part.jump_after else 0.0)


def _values(point: Point) -> tuple[float, float, float]:
    return point.spot, point.variance, point.premium


def _weights() -> tuple[float, ...]:
    """How a session's variance spreads over its steps: busy at the open, a little so at the close."""
    last = STEPS - 1
    raw = [1.0 + OPENING * exp(-i / OPENING_STEPS) + CLOSING * exp(-(last - i) / CLOSING_STEPS) for i in range(STEPS)]
    return tuple(r / sum(raw) for r in raw)


WEIGHTS = _weights()


class _Shocks:
    """Two streams of normal numbers, the market's and the underlying's own, in a fixed order."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._market = Random(f"{seed}/market")
        self._own = Random(f"{seed}/{symbol}")

    def normal(self) -> float:
        return SHARED * self._market.gauss(0.0, 1.0) + sqrt(1 - SHARED * SHARED) * self._own.gauss(0.0, 1.0)

    def jump(self, share: float) -> tuple[float, float]:
        """The market's jump in this share of a session, mostly 0, and the part of it that passes before."""
        drawn, size, part = self._market.random(), self._market.gauss(0.0, 1.0), self._market.random()
        is_jump = drawn < JUMPS_PER_SESSION * share
        return (JUMP_MEAN + JUMP_DEVIATION * size if is_jump else 0.0), part


def _step(at: Point, profile: Profile, share: float, shocks: _Shocks) -> tuple[Point, Leg]:
    """On by a share of a session."""
    z, own, third = shocks.normal(), shocks.normal(), shocks.normal()
    jump, part = shocks.jump(share)
    variance = variance_of(profile.volatility, at) / SESSIONS_PER_YEAR * share
    pulled = at.spot + PULL * share * (log(profile.level) - at.spot)
    spot = pulled - variance / 2 + sqrt(variance) * z + jump
    pull = LEVERAGE * z + sqrt(1 - LEVERAGE * LEVERAGE) * own
    log_variance = at.variance * (1 - REVERSION * share) + DEVIATION * sqrt(2 * REVERSION * share) * pull
    log_variance += JUMP_TO_VARIANCE if jump < 0 else 0.0
    bounded = min(LOG_VARIANCE_MAX, max(-LOG_VARIANCE_MAX, log_variance))
    premium = at.premium + (PREMIUM_MEAN - at.premium) * PREMIUM_REVERSION * share
    premium += PREMIUM_DEVIATION * sqrt(2 * PREMIUM_REVERSION * share) * third
    return Point(spot, bounded, premium), Leg(variance, jump, part)
