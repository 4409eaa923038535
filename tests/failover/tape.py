"""What really happened: a market as beats (ns, what was new), and what was true of a contract at any moment."""

import datetime
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice, pairwise

from msgspec import Struct
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.market import SECOND, Reference, Tick
from participant.history.recorded import RecordedMarket
from participant.history.synthetic import Instant, SyntheticMarket

DAY = datetime.date(2026, 11, 26)
BEATS = 5  # a second
Said = tuple[int, int, int, int, int]


class Tape(Struct, frozen=True):
    """A stretch of a market: its contracts, its beats, and how far apart they are at most (s)."""

    references: tuple[Reference, ...]
    beats: tuple[Instant, ...]
    apart_s: float


def said(tick: Tick) -> Said:
    """What a tick says, without its time."""
    return tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.last


class Truth:
    """What the exchange said of each contract, and when."""

    def __init__(self, beats: Iterable[Instant]) -> None:
        self._at: dict[str, list[int]] = {}
        self._said: dict[str, list[Said]] = {}
        for beat in beats:
            for tick in beat.ticks:
                self._at.setdefault(tick.contract, []).append(beat.at)
                self._said.setdefault(tick.contract, []).append(said(tick))

    def was(self, contract: str, what: Said, since: int, until: int) -> bool:
        """Whether the exchange's last word was this at any moment of the span."""
        times = self._at.get(contract, [])
        first = max(0, bisect_right(times, since) - 1)
        return what in self._said.get(contract, [])[first : bisect_left(times, until + 1)]


@cache
def made(seed: int, seconds: int) -> Tape:
    """A made NIFTY at tick cadence: what is new in a second comes in five beats, the index in the first."""
    market = SyntheticMarket(seed, DAY, load_rules(), ("NIFTY",), 1)
    known = Reference("NIFTY", market.contracts(), market.look_back("NIFTY"), market.provenance("NIFTY"))
    beats = [beat for instant in islice(market.instants(), seconds) for beat in _spread(instant)]
    return Tape((known,), tuple(beats), 1 / BEATS)


def _spread(instant: Instant) -> Iterable[Instant]:
    ticks: Sequence[Tick] = instant.ticks
    step = SECOND // BEATS
    for n in range(BEATS):
        at = instant.at + n * step
        yield Instant(at, tuple(replace(t, exchange_at=at) for t in ticks[n::BEATS]), is_last=False)


def recorded(market: RecordedMarket) -> Tape:
    """A recorded day at its own cadence."""
    known = tuple(
        Reference(
            s, tuple(c for c in market.contracts() if c.underlying == s), market.look_back(s), market.provenance(s)
        )
        for s in market.symbols
    )
    beats = tuple(market.instants())
    return Tape(known, beats, max((b.at - a.at) / SECOND for a, b in pairwise(beats)))
