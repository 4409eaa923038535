"""The option-chain strategy of the backtest measurement, written once for both engines: plain values in, legs out.

Of every expiry it is given the deltas of the whole chain, worked out anew at every instant. It holds one call spread at
a time: the call whose delta is nearest SHORT_DELTA is sold and the one nearest WING_DELTA above it bought, of the first
expiry at least DAYS_MIN days away, once a session; it is closed where the delta of the one sold passes STOP_DELTA, and
else carried to its expiry.
"""

import datetime
from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

SHORT_DELTA, WING_DELTA, STOP_DELTA = 0.25, 0.10, 0.45
DAYS_MIN = 2


class Calls(NamedTuple):
    """The calls of one expiry: strikes, lowest first, and the delta of each, nan where its quote has none."""

    expiry: datetime.date
    strikes: Sequence[float]
    deltas: Sequence[float]


class Spread(NamedTuple):
    """A call spread by its expiry and strikes."""

    expiry: datetime.date
    wing: int
    short: int


def chosen(day: datetime.date, chain: Sequence[Calls]) -> Spread | None:
    """The spread to open, or None where the chain shows none."""
    of = next((calls for calls in chain if (calls.expiry - day).days >= DAYS_MIN), None)
    if of is None:
        return None
    short = nearest(of, SHORT_DELTA, 0)
    wing = nearest(of, WING_DELTA, of.strikes[short] + 1) if short is not None else None
    if short is None or wing is None:
        return None
    return Spread(of.expiry, int(of.strikes[wing]), int(of.strikes[short]))


def nearest(calls: Calls, target: float, least: float) -> int | None:
    """Where the call from a strike on lies whose delta is nearest; the lower strike of two equally near."""
    best, place = 1.0, None
    for i, delta in enumerate(calls.deltas):
        if calls.strikes[i] >= least and abs(delta - target) < best:
            best, place = abs(delta - target), i
    return place


def is_to_close(held: Spread, chain: Sequence[Calls]) -> bool:
    """Whether the delta of the call that is sold has passed STOP_DELTA."""
    of = next((calls for calls in chain if calls.expiry == held.expiry), None)
    at = bisect_left(of.strikes, held.short) if of is not None else 0
    return of is not None and at < len(of.strikes) and of.strikes[at] == held.short and of.deltas[at] > STOP_DELTA
