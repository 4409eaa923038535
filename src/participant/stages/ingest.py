"""Feeds to market states: fold what the providers say, believe one of them, hand on a state a scrip and instant."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.arbiter import Arbiter
from participant.core.board import Board
from participant.core.feed_rules import Arbitration, in_lockstep
from participant.core.market import SECOND, Mark, MarketState, Reference
from participant.core.messages import Message, Write
from participant.core.providers import FeedStatus
from participant.core.snapshot import snapshot
from participant.ports import Clock, Feed, Queue, Store
from participant.wire.json import Told, decode, encode
from participant.wire.told import tell_state


class IngestPorts(Struct, frozen=True):
    """What ingest needs of the world. `feeds` stand by name, in order of priority."""

    feeds: dict[str, Feed]
    market: Queue
    quotes: Store
    clock: Clock


class Ingest:
    """Folds events into one board a provider, and publishes each instant that the believed provider has ended."""

    def __init__(
        self, ports: IngestPorts, scrips: Sequence[Reference], rule: Arbitration, lockstep_wait_s: float = 0.0
    ) -> None:
        """`lockstep_wait_s` > 0 makes an instant wait for every provider, though no longer than that (wall time)."""
        self.ports, self.scrips, self.lockstep_wait_s = ports, scrips, lockstep_wait_s
        row = None if lockstep_wait_s else ports.quotes.get("feeds", "status")
        before = decode(row.value, FeedStatus) if row else None
        self.arbiter = Arbiter(ports.feeds, scrips, in_lockstep(rule) if lockstep_wait_s else rule, before)
        self.published_at, self.told_at, self.waited_s = 0, 0, 0.0

    def step(self, wait_s: float) -> bool:
        """Take in what has arrived and publish what is complete; False when nothing happened."""
        told = {name: events for name, feed in self.ports.feeds.items() if (events := feed.poll(0.0))}
        # Whose word is worth waiting for: in lockstep the slowest's, else the believed one's.
        awaited = self.arbiter.slowest if self.lockstep_wait_s else self.arbiter.believed or self.arbiter.slowest
        told = told or {awaited: self.ports.feeds[awaited].poll(self.arbiter.patience_s(wait_s))}
        for name, events in told.items():
            while events := self.arbiter.take(name, events):
                self._hand_on()
        self.waited_s = 0.0 if any(told.values()) else self.waited_s + wait_s
        self._hand_on()
        return any(told.values())

    def _hand_on(self) -> None:
        if (at := self._ended()) > self.published_at:
            self._publish(at)

    def _ended(self) -> int:
        """The newest instant that is complete: in lockstep for all that stand, else for the believed provider."""
        if self.lockstep_wait_s:
            return self.arbiter.ended_by_all(is_given_up=self.waited_s > self.lockstep_wait_s)
        self._judge(now := self.ports.clock.now())
        return self.arbiter.ended(now)

    def _judge(self, now: int) -> None:
        if self.arbiter.judge(now) or now - self.told_at >= SECOND:
            status = self.arbiter.status({name: feed.counts for name, feed in self.ports.feeds.items()})
            self.ports.quotes.commit([Write("feeds", "status", encode(status))])
            self.told_at = now

    def _publish(self, at: int) -> None:
        if self.lockstep_wait_s:
            # Whoever ended this instant is well, and it was received at the venue's time: the same in every run.
            self._judge(at)
        believed, states = self._states(at)
        messages = [Message(s.snapshot_id, s.scrip, tell_state(s)) for s in states]
        self.ports.quotes.commit([Write("quotes", m.key, m.body) for m in messages])
        mark = Mark(believed.provider, believed.received_at, at, at == self.arbiter.last_at)
        self.ports.market.put([*messages, Message(f"mark-{at}", "mark", Told(encode(mark), mark))])
        self.published_at = at

    def _states(self, at: int) -> tuple[Board, list[MarketState]]:
        """The board that is believed, and what it says; nothing where all are at fault: in lockstep the day goes on."""
        if not self.arbiter.believed:
            return Board("", received_at=at), []
        board, doubted = self.arbiter.trusted()
        board = replace(board, received_at=at) if self.lockstep_wait_s else board
        scrips = [known for known in self.scrips if known.scrip not in doubted]
        return board, [state for known in scrips if (state := snapshot(board, known)) is not None]
