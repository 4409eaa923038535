"""A market of many scrips, made of one of a few: the same again and again under other names, at a pace of one's own."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import SECOND, LookBack, Provenance, Tick
from participant.core.scrip import Contract
from participant.history.synthetic import Instant
from participant.venue.exchange import Market


class Pace(Struct, frozen=True):
    """When instants come: the first `instants` of the market, `every_s` apart, `lead_s` after a quiet beginning.

    The quiet instant names one contract that nobody quotes: who listens then has a book that stands, and no scrip's
    spot, so that nothing is decided before the opening burst. Without `lead_s` the burst comes first; without
    `every_s` instants keep their own times; without `instants` all are played.
    """

    lead_s: float = 0.0
    every_s: float = 0.0
    instants: int = 0


AS_IT_IS = Pace()


class _Copy(Struct, frozen=True):
    """One scrip under another name."""

    name: str
    origin: str

    def key(self, key: str) -> str:
        """A contract's key, or the scrip's own symbol, under the other name."""
        return self.name + key.removeprefix(self.origin)


class RepeatedMarket:
    """Implements the venue's Market: `count` scrips named NIFTY01, BANKNIFTY01, NIFTY02 ... after those of `market`.

    Every instant is made beforehand, so that a measurement measures none of that.
    """

    def __init__(self, market: Market, count: int, pace: Pace = AS_IT_IS) -> None:
        self._market, self._pace = market, pace
        origins = market.symbols
        self._copies = [_Copy(f"{origins[i % len(origins)]}{i // len(origins) + 1:02d}", origins[i % len(origins)])
                        for i in range(count)]  # fmt: skip
        self._of = {copy.name: copy for copy in self._copies}
        self.day: datetime.date = market.day
        self.seed: int = market.seed
        self.step_s: int = market.step_s
        self.symbols: Sequence[str] = tuple(copy.name for copy in self._copies)

    def contracts(self) -> Sequence[Contract]:
        """The master of every copy."""
        mine = self._contracts
        return tuple(replace(c, underlying=copy.name) for copy in self._copies for c in mine[copy.origin])

    def look_back(self, symbol: str) -> LookBack:
        """That of the scrip that is repeated."""
        return self._market.look_back(self._of[symbol].origin)

    def provenance(self, symbol: str) -> Provenance:
        """That of the scrip that is repeated, under the other name."""
        copy = self._of[symbol]
        known = self._market.provenance(copy.origin)
        return replace(
            known, marks=(*known.marks, f"repeats {copy.origin}"), derived=tuple(map(copy.key, known.derived))
        )

    def notes(self) -> Sequence[str]:
        """Those of the market that is repeated."""
        return self._market.notes()

    def instants(self) -> Iterator[Instant]:
        """The day at its pace; the last instant that is played is the day's last."""
        yield from self._instants

    def settlements(self) -> Mapping[str, int]:
        """The official prices, under every name."""
        prices = self._market.settlements()
        origin = {key: c.underlying for c in self._market.contracts() for key in (c.key, c.underlying)}
        return {copy.key(key): price for copy in self._copies for key, price in prices.items()
                if origin.get(key) == copy.origin}  # fmt: skip

    @cached_property
    def _contracts(self) -> dict[str, list[Contract]]:
        found: dict[str, list[Contract]] = {symbol: [] for symbol in self._market.symbols}
        for contract in self._market.contracts():
            found[contract.underlying].append(contract)
        return found

    @cached_property
    def _instants(self) -> list[Instant]:
        pace = self._pace
        played = list(islice(self._market.instants(), pace.instants or None))
        first, step = played[0].at, round(pace.every_s * SECOND)
        shown = [
            replace(p, at=first + i * step if step else p.at, is_last=p is played[-1]) for i, p in enumerate(played)
        ]
        lead = [self._quiet(first - round(pace.lead_s * SECOND))] if pace.lead_s else []
        return [*lead, *(self._repeat(instant, moved=bool(step)) for instant in shown)]

    def _quiet(self, at: int) -> Instant:
        return Instant(at, (Tick(self.contracts()[0].key, 0, 0, 0, 0, 0, at),), is_last=False)

    def _repeat(self, instant: Instant, *, moved: bool) -> Instant:
        """An instant of every copy; where it was moved in time, so are its ticks."""
        by_origin: dict[str, list[Tick]] = {symbol: [] for symbol in self._market.symbols}
        origin = {c.key: symbol for symbol, contracts in self._contracts.items() for c in contracts}
        for tick in instant.ticks:
            mine = replace(tick, exchange_at=instant.at) if moved else tick
            by_origin[origin.get(tick.contract, tick.contract)].append(mine)
        ticks = (replace(t, contract=copy.key(t.contract)) for copy in self._copies for t in by_origin[copy.origin])
        return replace(instant, ticks=tuple(ticks))
