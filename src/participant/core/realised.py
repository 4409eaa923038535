"""What volatility has been, by the range of each day as well as by its close: Parkinson and Yang-Zhang.

Both are annual (252 sessions) over the last `sessions` of what is given, prices in any one unit, `nan` where a figure
cannot be known. Close to close (`volatility.realised`) needs closes alone and is the noisiest; Parkinson knows the
range within the session and nothing of the night, so that it lies below where markets gap; Yang-Zhang has both and is
free of drift. Ranges must be those of every trade: the highest and lowest of some snapshots are too narrow.
"""

from collections.abc import Sequence
from math import fsum, isfinite, log, nan, sqrt

from msgspec import Struct

from participant.core.market import LookBack
from participant.core.volatility import SESSIONS_PER_YEAR, realised

SESSIONS = 20


class Realised(Struct, frozen=True):
    """The same sessions by three estimators."""

    close: float
    parkinson: float
    yang_zhang: float


def realised_by(look_back: LookBack, sessions: int = SESSIONS) -> Realised:
    """What each estimator says of a look-back; `nan` from those whose prices it does not have."""
    ranges = look_back.highs, look_back.lows
    bars = look_back.opens, *ranges, look_back.closes
    return Realised(realised(look_back.closes, sessions), parkinson(*ranges, sessions), yang_zhang(*bars, sessions))


def parkinson(highs: Sequence[int], lows: Sequence[int], sessions: int = SESSIONS) -> float:
    """Root of the mean of ln(high / low)^2 / (4 ln 2), of a year (M. Parkinson, 1980)."""
    days = list(zip(highs[-sessions:], lows[-sessions:], strict=True))
    if len(days) < sessions or any(not 0 < low <= high for high, low in days):
        return nan
    return sqrt(fsum(log(high / low) ** 2 for high, low in days) / (4 * log(2) * sessions) * SESSIONS_PER_YEAR)


def yang_zhang(
    opens: Sequence[int], highs: Sequence[int], lows: Sequence[int], closes: Sequence[int], sessions: int = SESSIONS
) -> float:
    """Variance of the nights + k x that of the days + (1 - k) x Rogers and Satchell's, of a year; one close more.

    k = 0.34 / (1.34 + (n + 1) / (n - 1)) makes it the least noisy (D. Yang and Q. Zhang, 2000).
    """
    last = closes[-sessions - 1 :]
    days = list(zip(opens[-sessions:], highs[-sessions:], lows[-sessions:], last[1:], strict=False))
    if sessions < 2 or len(days) < sessions or min(len(opens), len(highs), len(lows)) < sessions or last[0] <= 0:
        return nan
    if any(not 0 < low <= min(opened, close) <= max(opened, close) <= high for opened, high, low, close in days):
        return nan
    night = _variance([log(day[0] / before) for day, before in zip(days, last[:-1], strict=True)])
    day = _variance([log(close / opened) for opened, _, _, close in days])
    within = fsum(_rogers_satchell(*prices) for prices in days) / sessions
    k = 0.34 / (1.34 + (sessions + 1) / (sessions - 1))
    total = (night + k * day + (1 - k) * within) * SESSIONS_PER_YEAR
    return sqrt(total) if isfinite(total) else nan


def _rogers_satchell(opened: int, high: int, low: int, close: int) -> float:
    return log(high / close) * log(high / opened) + log(low / close) * log(low / opened)


def _variance(values: Sequence[float]) -> float:
    mean = fsum(values) / len(values)
    return fsum((value - mean) ** 2 for value in values) / (len(values) - 1)
