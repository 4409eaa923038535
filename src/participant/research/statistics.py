"""Statistics of a series of daily worths, each with its formula and where it is from, and how sure they are.

A return is simple: r[t] = W[t] / W[t-1] - 1. A year has 252 sessions. The rate that could be earned without risk is
taken as 0: the cash of a backtest earns nothing either.
"""

import itertools
import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec import Struct

A_YEAR = 252
RETURNS_MIN = 20  # of fewer, no interval is given: a block or two say nothing
RESAMPLES, LEVEL, SEED = 2_000, 0.90, 1
TAIL = 0.05

Statistic = Callable[[Sequence[float]], float | None]


class Interval(Struct, frozen=True):
    """Between what two values a statistic lies in `LEVEL` of the resamples."""

    low: float
    high: float


class Drawdown(Struct, frozen=True):
    """The deepest fall from a peak, as a share of it, and the places of the peak, of the trough and of the recovery.

    `recovered` is None where the peak has not been reached again.
    """

    depth: float
    peak: int
    trough: int
    recovered: int | None


def returns(worths: Sequence[float]) -> list[float]:
    """r[t] = W[t] / W[t-1] - 1."""
    return [after / before - 1 for before, after in itertools.pairwise(worths)]


def total_return(rs: Sequence[float]) -> float:
    """W[n] / W[0] - 1, which is the product of all 1 + r, less 1."""
    return math.prod(1 + r for r in rs) - 1


def volatility(rs: Sequence[float]) -> float | None:
    """The standard deviation of a year: sqrt(252 * sum((r - mean)^2) / (n - 1)). Hull, Options, Futures, and Other
    Derivatives, "Estimating volatility from historical data"."""
    if len(rs) < 2:
        return None
    mean = math.fsum(rs) / len(rs)
    return math.sqrt(A_YEAR * math.fsum((r - mean) ** 2 for r in rs) / (len(rs) - 1))


def sharpe(rs: Sequence[float]) -> float | None:
    """mean / standard deviation * sqrt(252), over a rate of 0. Sharpe, "The Sharpe Ratio", 1994."""
    deviation = volatility(rs)
    return A_YEAR * math.fsum(rs) / len(rs) / deviation if deviation else None


def sortino(rs: Sequence[float]) -> float | None:
    """mean / sqrt(sum(min(r, 0)^2) / n) * sqrt(252), the target being 0. Sortino and Price, 1994."""
    if not rs:
        return None
    down = math.sqrt(math.fsum(min(r, 0.0) ** 2 for r in rs) / len(rs))
    return math.fsum(rs) / len(rs) / down * math.sqrt(A_YEAR) if down else None


def drawdown(worths: Sequence[float]) -> Drawdown:
    """max over t of 1 - W[t] / max over s <= t of W[s]. Magdon-Ismail and Atiya, "Maximum Drawdown", 2004."""
    peak, found = 0, Drawdown(0.0, 0, 0, 0)
    for i, worth in enumerate(worths):
        peak = i if worth >= worths[peak] else peak
        if worths[peak] > 0 and (depth := 1 - worth / worths[peak]) > found.depth:
            found = Drawdown(depth, peak, i, None)
    after = (i for i in range(found.trough, len(worths)) if worths[i] >= worths[found.peak])
    return Drawdown(found.depth, found.peak, found.trough, next(after, None))


def deepest(rs: Sequence[float]) -> float:
    """The same depth, of returns."""
    return drawdown(list(itertools.accumulate(rs, lambda worth, r: worth * (1 + r), initial=1.0))).depth


def shortfall(rs: Sequence[float]) -> float | None:
    """The mean of the worst 5 % of the returns (at least one). Acerbi and Tasche, "Expected Shortfall", 2002."""
    worst = sorted(rs)[: max(1, math.floor(TAIL * len(rs)))]
    return math.fsum(worst) / len(worst) if worst else None


def skewness(rs: Sequence[float]) -> float | None:
    """m3 / m2^1.5 of the central moments: below 0 where large losses outdo large gains, as writing calls makes them.
    Joanes and Gill, "Comparing measures of sample skewness and kurtosis", 1998 (their g1)."""
    mean = math.fsum(rs) / len(rs) if rs else 0.0
    second = math.fsum((r - mean) ** 2 for r in rs) / len(rs) if rs else 0.0
    return math.fsum((r - mean) ** 3 for r in rs) / len(rs) / second**1.5 if second else None


def beta(rs: Sequence[float], others: Sequence[float]) -> float | None:
    """cov(r, o) / var(o). Sharpe, "Capital Asset Prices", 1964."""
    if len(rs) < 2:
        return None
    mean, other = math.fsum(rs) / len(rs), math.fsum(others) / len(others)
    spread = math.fsum((o - other) ** 2 for o in others)
    return math.fsum((r - mean) * (o - other) for r, o in zip(rs, others, strict=True)) / spread if spread else None


def capture(rs: Sequence[float], others: Sequence[float], sign: int) -> float | None:
    """The mean return on the days on which the other rose (sign 1) or fell (-1), over the other's own mean on them.
    Morningstar's up and down capture ratio, of days and arithmetic."""
    mine = [(r, o) for r, o in zip(rs, others, strict=True) if o * sign > 0]
    other = math.fsum(o for _, o in mine)
    return math.fsum(r for r, _ in mine) / other if other else None


ALONE: Mapping[str, Statistic] = {
    "return": total_return,
    "volatility a year": volatility,
    "Sharpe ratio": sharpe,
    "Sortino ratio": sortino,
    "deepest drawdown": deepest,
    "worst 5 % of days, mean": shortfall,
    "skewness": skewness,
}


def block_length(count: int) -> int:
    """n^(1/3), rounded: the order that Hall, Horowitz and Jing find best for bias and variance ("On blocking rules for
    the bootstrap with dependent data", 1995)."""
    return max(1, round(math.cbrt(count)))


def places(count: int, rng: random.Random) -> list[int]:
    """One resample of a series' places: whole blocks of neighbours, that may run over the end to the beginning.
    The circular block bootstrap of Politis and Romano, 1992: blocks keep what follows what."""
    length, found = block_length(count), list[int]()
    while len(found) < count:
        first = rng.randrange(count)
        found += [(first + i) % count for i in range(length)]
    return found[:count]


def intervals(series: Sequence[Sequence[float]], of: Mapping[str, Callable[..., float | None]]) -> dict[str, Interval]:
    """The percentile intervals (Efron, 1979) of statistics of one series, or of several drawn at the same places.

    Empty of fewer than RETURNS_MIN returns; a statistic that is not defined in a resample is left out of it.
    """
    count = len(series[0])
    if count < RETURNS_MIN:
        return {}
    rng, drawn = random.Random(SEED), {name: list[float]() for name in of}
    for _ in range(RESAMPLES):
        at = places(count, rng)
        resampled = [[one[i] for i in at] for one in series]
        for name, statistic in of.items():
            value = statistic(*resampled)
            drawn[name] += [value] if value is not None else []
    return {name: _between(values) for name, values in drawn.items() if values}


def _between(values: list[float]) -> Interval:
    values.sort()
    cut = (1 - LEVEL) / 2
    return Interval(_quantile(values, cut), _quantile(values, 1 - cut))


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Linear between neighbours (Hyndman and Fan, 1996, type 7)."""
    place = share * (len(ordered) - 1)
    low = math.floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])


BESIDE: Mapping[str, Callable[..., float | None]] = {
    "return less the other's": lambda rs, others: total_return(rs) - total_return(others),
    "beta to the other": beta,
    "up capture": partial(capture, sign=1),
    "down capture": partial(capture, sign=-1),
}
