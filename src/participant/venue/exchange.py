"""A day of a made or recorded market as an exchange plays it, instant by instant; what must outlive a crash is kept.

The order of things at an instant: our resting orders meet its quotes, the broker's state and the instant reached are
written down, and only then do the providers say it. So a venue that is killed comes back where everybody saw it last.
"""

import datetime
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from participant.adapters.brokers.memory import MemoryBroker
from participant.core.market import SECOND, LookBack, Provenance, Quote, Tick
from participant.core.scrip import Contract, Kind
from participant.history.synthetic import Instant
from participant.links.broker_book import BrokerState
from participant.wire.json import decode, encode

CLOSE_AFTER_S = 60


class Market(Protocol):
    """A day that can be played."""

    @property
    def day(self) -> datetime.date:
        """The trading day."""

    @property
    def seed(self) -> int:
        """What it was made from; 0 where it was recorded."""

    @property
    def symbols(self) -> Sequence[str]:
        """The underlyings."""

    @property
    def step_s(self) -> int:
        """How far apart its instants were made (seconds); 0 where they were recorded."""

    def contracts(self) -> Sequence[Contract]:
        """Today's master."""

    def look_back(self, symbol: str) -> LookBack:
        """The sessions before."""

    def provenance(self, symbol: str) -> Provenance:
        """What of it no exchange quoted."""

    def notes(self) -> Sequence[str]:
        """What a person should know of the day's data: for the summary, never for the brain."""

    def instants(self) -> Iterator[Instant]:
        """The day, from its first instant, the same each time."""

    def settlements(self) -> Mapping[str, int]:
        """The official prices at its end, by underlying and by future's key."""


class Publisher(Protocol):
    """Whoever tells the world of an instant."""

    def publish(self, instant: Instant) -> None:
        """Say what is new, and that the instant ends with it."""


class Kept(Struct):
    """What is written down at every change. `started_at` is the machine's monotonic clock (ns) at the start, or 0."""

    broker: BrokerState
    instant_at: int = 0
    started_at: int = 0
    seed: int = 0
    symbols: tuple[str, ...] = ()
    step_s: int = 0


class OtherMarket(Exception):
    """A day that was begun on one market cannot go on with another: what was kept, and how to mend it."""


class Exchange:
    """Plays `market`: its clock is the instant reached (lockstep), or what the caller says has passed."""

    def __init__(self, market: Market, broker: MemoryBroker, publisher: Publisher, state_path: Path | None) -> None:
        self.market = market
        self.broker = broker
        self._publisher = publisher
        self._state_path = state_path
        self._instants = market.instants()
        self._next = next(self._instants, None)
        self.opens_at = self._next.at if self._next else 0
        self.instant_at = 0
        self.started_at = 0

    @property
    def is_over(self) -> bool:
        """Whether the day is closed and settled."""
        return self.broker.state.is_over

    @property
    def now(self) -> int:
        """The time that the exchange has reached (ns)."""
        return self.broker.state.at or self.opens_at

    @property
    def next_at(self) -> int | None:
        """When the next instant is due; None after the last."""
        return self._next.at if self._next else None

    def resume(self) -> None:
        """Begin the day, or go on where a kept state of the same day stopped."""
        if self._state_path is None or not self._state_path.exists():
            return
        kept = decode(self._state_path.read_bytes(), Kept)
        is_same_day = kept.broker.day == self.market.day
        if not is_same_day:
            self._check_held(kept.broker)
        self.broker.restore(kept.broker)
        if is_same_day and kept.instant_at:
            if (kept.seed, kept.symbols) != (self.market.seed, tuple(self.market.symbols)):
                raise OtherMarket(
                    f"{self._state_path} holds {kept.broker.day} of seed {kept.seed} with {', '.join(kept.symbols)}; "
                    "go on with these, or begin anew in another --home"
                )
            if kept.step_s != self.market.step_s:
                raise OtherMarket(
                    f"{self._state_path} holds {kept.broker.day} with an instant every {kept.step_s} s, not every "
                    f"{self.market.step_s} s; go on with the same --step, or begin anew in another --home"
                )
            self.started_at = kept.started_at
            self._replay(kept.instant_at)

    def _check_held(self, before: BrokerState) -> None:
        """Whatever is held must have an end: on a day of its own expiry, and at official prices tonight."""
        prices, today = self.market.settlements(), self.market.day
        for line in before.ledger.lines.values():
            contract = line.contract
            if contract.expiry < today:
                raise OtherMarket(
                    f"{contract.key} is held and expired on {contract.expiry}: trade that day before {today}"
                )
            name = contract.underlying if contract.expiry == today else contract.key
            if (contract.expiry == today or contract.kind is Kind.FUTURE) and name not in prices:
                raise OtherMarket(
                    f"{contract.key} is held and has no official price on {today}: add a series that has one to --data"
                )

    def step(self) -> None:
        """Show the next instant."""
        instant, self._next = self._next, next(self._instants, None)
        if instant is None:
            raise ValueError("there is no instant after the last")
        self.instant_at = instant.at
        self.broker.on_quotes(instant.at, _quotes(instant.ticks))
        self.keep()
        self._publisher.publish(instant)

    def release(self, at: int) -> bool:
        """Instant `at` is closed: show the next, or end the day; said again it does nothing. False: never shown."""
        if at == self.instant_at and not self.is_over:
            self.step() if self._next else self.close()
        return at <= self.instant_at

    def pass_to(self, at: int) -> bool:
        """Let time pass to `at` (ns): late orders arrive, the day ends. Returns whether an instant was shown."""
        shown = self.instant_at
        while self._next and self._next.at <= at:
            self.step()
        if not self._next and at >= self.instant_at + CLOSE_AFTER_S * SECOND and not self.is_over:
            self.close()
        elif not self.is_over:
            is_awaited = bool(self.broker.state.late)
            self.broker.on_quotes(at, {})
            if is_awaited:
                self.keep()
        return self.instant_at != shown

    def close(self) -> None:
        """End the day: settle, and give out the official prices; what is held and has none is said on stderr."""
        self.broker.close_day(self.now, self.market.settlements())
        sys.stderr.writelines(f"participant: venue: {one.said}\n" for one in self.broker.state.unpriced)
        self.keep()

    def keep(self) -> None:
        """Write down what must not be forgotten, all of it or nothing (it outlives the process, not a power cut)."""
        if self._state_path is None:
            return
        beside = self._state_path.with_suffix(".new")
        market = (self.market.seed, tuple(self.market.symbols), self.market.step_s)
        beside.write_bytes(encode(Kept(self.broker.state, self.instant_at, self.started_at, *market)))
        os.replace(beside, self._state_path)

    def _replay(self, until: int) -> None:
        """Come to the instant reached before: its whole book is shown at once, and nothing trades on it again."""
        ticks: dict[str, Tick] = {}
        reached: Instant | None = None
        while self._next and self._next.at <= until:
            reached, self._next = self._next, next(self._instants, None)
            ticks.update({t.contract: t for t in reached.ticks})
        if reached is None or reached.at != until:
            raise OtherMarket(
                f"{self._state_path} has reached an instant that this day does not have; begin anew in another --home"
            )
        self.instant_at = until
        self.broker.see(_quotes(tuple(ticks.values())))
        self._publisher.publish(replace(reached, ticks=tuple(ticks.values())))


def _quotes(ticks: Sequence[Tick]) -> dict[str, Quote]:
    """Ticks as quotes; an underlying's value is both its bid and its ask."""
    return {
        t.contract: Quote(t.bid, t.ask, t.bid_size, t.ask_size, t.exchange_at)
        if t.bid or t.ask
        else Quote(t.last, t.last, 0, 0, t.exchange_at)
        for t in ticks
    }
