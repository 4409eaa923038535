"""Where in the trading day an instant lies. Instants are ns UTC; days are IST trading days."""

import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

from msgspec import Struct

SECOND = 1_000_000_000
DAY_S = 86_400
# India keeps one time zone and no summer time, so IST is a constant and needs no zone database.
IST_S = 5 * 3_600 + 30 * 60
EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


class Session(Struct, frozen=True):
    """One session of equity derivatives, in ns UTC: contracts that expire on `day` stop at `expiring_close_at`.

    The pre-open call auction (futures only) runs from `pre_open_at`, the post-close until `post_close_until`;
    0 where there is none.
    """

    day: datetime.date
    open_at: int
    close_at: int
    expiring_close_at: int
    source: str
    pre_open_at: int = 0
    post_close_until: int = 0


class Calendar(Protocol):
    """What a rulebook knows of days. Raises OutsideRules for days that it knows nothing of."""

    def session(self, day: datetime.date) -> Session | None:
        """The session of a day, `None` where the market stays shut."""


class Phase(StrEnum):
    """What the market is doing."""

    CLOSED = "closed"
    PRE_OPEN = "pre-open"
    OPEN = "open"
    POST_CLOSE = "post-close"


@lru_cache(maxsize=4_096)  # of one instant it is asked some twenty times
def day_of(at: int) -> datetime.date:
    """The IST day of an instant (ns UTC)."""
    return datetime.date.fromordinal(EPOCH_ORDINAL + (at // SECOND + IST_S) // DAY_S)


def time_of(at: int) -> datetime.time:
    """The IST wall time of an instant (ns UTC), to the second."""
    minutes, second = divmod((at // SECOND + IST_S) % DAY_S, 60)
    return datetime.time(minutes // 60, minutes % 60, second)


def at_time(day: datetime.date, hour: int, minute: int, second: int = 0) -> int:
    """The instant (ns UTC) of an IST wall time."""
    days = day.toordinal() - EPOCH_ORDINAL
    return (days * DAY_S + hour * 3_600 + minute * 60 + second - IST_S) * SECOND


def usual_close(day: datetime.date) -> int:
    """The instant (ns UTC) at which contracts stop trading on a usual day, for figures of risk and reports.

    On a day of other hours it is off by these. Whatever decides or sends asks the rulebook instead.
    """
    return at_time(day, 15, 30)


def phase(rules: Calendar, at: int) -> Phase:
    """What the market does at an instant: open from the very instant of `open_at`, no longer at that of `close_at`."""
    session = rules.session(day_of(at))
    if session is None:
        return Phase.CLOSED
    if session.open_at <= at < session.close_at:
        return Phase.OPEN
    if session.pre_open_at and session.pre_open_at <= at < session.open_at:
        return Phase.PRE_OPEN
    if session.close_at <= at < session.post_close_until:
        return Phase.POST_CLOSE
    return Phase.CLOSED


def session_seconds_since(rules: Calendar, since: int, at: int) -> int:
    """Whole seconds of open session between two instants; 0 where `at` is not after `since`.

    The days between are bounded by the rulebook: it raises OutsideRules for the first day that it does not know.
    """
    first, last = day_of(since).toordinal(), day_of(at).toordinal()
    open_ns = 0
    for ordinal in range(first, last + 1):
        session = rules.session(datetime.date.fromordinal(ordinal))
        if session is not None:
            open_ns += max(0, min(at, session.close_at) - max(since, session.open_at))
    return open_ns // SECOND
