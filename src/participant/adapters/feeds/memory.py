"""Feed in memory: what is published is what is polled. The simulation's provider, and the first in the port's suite."""

import datetime
from collections import Counter, deque

from participant.core.market import Chain, Down, FeedEvent, Held, Mark, Sheets, Tick, Ticks
from participant.history.synthetic import Instant
from participant.ports import Clock

EVENTS_MAX = 20_000


class MemoryFeed:
    """Implements Feed for the provider `name`, without a link: it never waits. At most EVENTS_MAX events wait."""

    def __init__(self, name: str, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._events: deque[FeedEvent] = deque()
        self._book: dict[str, Tick] = {}
        self._chains: dict[str, dict[datetime.date, Chain]] = {}
        self._counts: Counter[str] = Counter()
        self._is_up = False
        self._is_closed = False

    @property
    def counts(self) -> Counter[str]:
        """What was dropped so far, by reason."""
        return self._counts

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What was published, oldest first; `wait_s` plays no part."""
        events = list(self._events)
        self._events.clear()
        return events

    def close(self) -> None:
        """Say nothing more."""
        self._events.clear()
        self._is_closed = True

    def publish(self, instant: Instant) -> None:
        """An instant, as a snapshot where the last link was lost, and its mark."""
        now = self._clock.now()
        self._book.update({t.contract: t for t in instant.ticks})
        for scrip, chains in instant.chains.items():
            self._chains.setdefault(scrip, {}).update(chains)
        ticks = instant.ticks if self._is_up else tuple(self._book.values())
        if self._chains:
            whole = instant.chains if self._is_up else {s: dict(mine) for s, mine in self._chains.items()}
            self.say(Sheets(self._name, now, ticks, is_snapshot=not self._is_up, chains=whole))
        else:
            self.say(Ticks(self._name, now, ticks, is_snapshot=not self._is_up))
        self.say(Mark(self._name, now, instant.at, instant.is_last))
        self._is_up = True

    def hold(self) -> None:
        """The book stands as it is."""
        if self._is_up:
            self.say(Held(self._name, self._clock.now()))

    def cut(self, reason: str) -> None:
        """Lose the link; the next instant published begins anew with a snapshot."""
        self._is_up = False
        self.say(Down(self._name, self._clock.now(), reason))

    def say(self, event: FeedEvent) -> None:
        """Any event whatever, as it is: for the simulation's faults."""
        if self._is_closed:
            return
        if len(self._events) >= EVENTS_MAX:
            self._counts["overflow"] += 1
            self._events.clear()
            self._is_up = False
            event = Down(self._name, event.received_at, f"{EVENTS_MAX} events waited to be read")
        self._events.append(event)
