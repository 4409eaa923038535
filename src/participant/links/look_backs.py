"""The desk's own look-back: each scrip's close and 30-day IV, kept when a day ends, for data that bring none.

The close is the official one where the day's settlement prices name it, else the last spot that the desk saw; the IV is
that of its last market state, and a day whose last chain showed none keeps its close alone. No range is kept: the
highest and the lowest of what was seen are too narrow.
"""

import datetime
from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import isfinite, nan

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import LookBack, MarketState, Reference
from participant.core.messages import Write
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.session import day_of
from participant.core.volatility import iv30
from participant.ports import Store
from participant.wire.json import decode, encode

TABLE = "closings"
SESSIONS_MAX = 250
GAP_DAYS_MAX = 7  # a desk that has slept longer than the longest run of holidays begins anew


class Closing(Struct, frozen=True):
    """How a scrip closed: a price, and the 30-day at-the-money IV, None where its chain showed none."""

    close: int
    iv30: float | None


def closing_rows(quotes: Store, rules: Rulebook, day: datetime.date, settlements: Mapping[str, int]) -> list[Write]:
    """A row for each scrip of which a market state of the day was seen; `settlements` are the day's official prices."""
    states = [decode(row.value, MarketState) for row in quotes.rows("quotes")]
    seen = [state for state in states if day_of(state.exchange_at) == day]
    return [_row(s, rules, day, settlements.get(s.scrip, s.spot)) for s in seen]


def _row(state: MarketState, rules: Rulebook, day: datetime.date, close: int) -> Write:
    try:
        level = iv30(state, rules)
    except OutsideRules:  # an expiry beyond the rules has no time to it; the day is closed all the same
        level = nan
    return Write(TABLE, f"{state.scrip}/{day}", encode(Closing(close, level if isfinite(level) else None)))


def kept(books: Store, symbol: str, day: datetime.date) -> LookBack:
    """What the desk has kept of the sessions just before a day, back to a hole of more than GAP_DAYS_MAX days."""
    rows = books.rows(TABLE, prefix=f"{symbol}/")
    by_day = {datetime.date.fromisoformat(r.key.rpartition("/")[2]): decode(r.value, Closing) for r in rows}
    found: list[Closing] = []
    earlier = sorted((d for d in by_day if d < day), reverse=True)
    for after, before in pairwise([day, *earlier]):
        if (after - before).days > GAP_DAYS_MAX or len(found) == SESSIONS_MAX:
            break
        found.append(by_day[before])
    found.reverse()
    return LookBack(tuple(c.close for c in found), tuple(c.iv30 for c in found if c.iv30 is not None))


def with_kept(books: Store, references: Iterable[Reference], day: datetime.date) -> tuple[Reference, ...]:
    """The references of a day, with what was kept in the place of a look-back that says nothing; others as they are."""
    return tuple(_with_kept(books, known, day) for known in references)


def _with_kept(books: Store, known: Reference, day: datetime.date) -> Reference:
    if known.look_back.closes or known.look_back.iv30:
        return known
    own = kept(books, known.scrip, day)
    return replace(known, look_back=own) if own.closes else known
