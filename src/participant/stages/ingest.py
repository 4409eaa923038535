"""Feeds to market states: fold what the providers say, believe one of them, hand on a state a scrip and instant."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import SECOND, Board, Mark, Reference, observe
from participant.core.messages import Message, Write
from participant.core.providers import Arbitration, Belief, arbitrate, ended_instant, feed_status, without_the_silent
from participant.core.snapshot import snapshot
from participant.ports import Clock, Feed, Queue, Store
from participant.wire.json import Told, encode
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
        self.ports, self.scrips, self.rule, self.lockstep_wait_s = ports, scrips, rule, lockstep_wait_s
        self.boards = {name: Board(name) for name in ports.feeds}
        self.belief, self.changes = Belief(), list[Belief]()
        self.published_at, self.told_at, self.last_at, self.waited_s = 0, 0, 0, 0.0

    def step(self, wait_s: float) -> bool:
        """Take in what has arrived and publish what is complete; False when nothing happened."""
        feeds = self.ports.feeds
        events = [e for feed in feeds.values() for e in feed.poll(0.0)] or feeds[self._awaited()].poll(wait_s)
        for event in events:
            board = self.boards[event.provider]
            self.boards[event.provider] = observe(board, event, int(self.rule.silence_max_s * SECOND))
            self.last_at = event.at if isinstance(event, Mark) and event.is_last else self.last_at
        self.waited_s = 0.0 if events else self.waited_s + wait_s
        at = self._ended()
        if at > self.published_at:
            self._publish(at)
        return bool(events)

    def _awaited(self) -> str:
        """Whose word is worth waiting for: in lockstep the slowest's, else the believed one's."""
        slowest = min(self.boards.values(), key=lambda b: b.marked_at).provider
        return slowest if self.lockstep_wait_s or not self.belief.provider else self.belief.provider

    def _ended(self) -> int:
        """The newest instant that is complete: in lockstep for all that stand, else for the believed provider."""
        if self.lockstep_wait_s:
            if self.waited_s > self.lockstep_wait_s:
                self.boards = without_the_silent(self.boards)
            return ended_instant(list(self.boards.values()))
        self._judge(self.ports.clock.now(), self.rule)
        return self.boards[self.belief.provider].marked_at if self.belief.provider else 0

    def _judge(self, now: int, rule: Arbitration) -> None:
        belief = arbitrate(list(self.boards.values()), self.belief, now, rule)
        if belief != self.belief:
            self.belief, self.told_at = belief, 0
            self.changes.append(belief)
        if now - self.told_at >= SECOND:
            status = feed_status(list(self.boards.values()), self.changes, now, rule)
            self.ports.quotes.commit([Write("feeds", "status", encode(status))])
            self.told_at = now

    def _publish(self, at: int) -> None:
        if self.lockstep_wait_s:
            # Whoever ended this instant is well, and it was received at the venue's time: the same in every run.
            self._judge(at, Arbitration(float("inf"), 0.0))
        received_at = at if self.lockstep_wait_s else self.boards[self.belief.provider].received_at
        board = replace(self.boards[self.belief.provider], received_at=received_at)
        states = [state for known in self.scrips if (state := snapshot(board, known)) is not None]
        messages = [Message(s.snapshot_id, s.scrip, tell_state(s)) for s in states]
        self.ports.quotes.commit([Write("quotes", m.key, m.body) for m in messages])
        mark = Mark(board.provider, received_at, at, at == self.last_at)
        self.ports.market.put([*messages, Message(f"mark-{at}", "mark", Told(encode(mark), mark))])
        self.published_at = at
