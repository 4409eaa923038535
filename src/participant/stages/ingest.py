"""Feeds to market states: fold what the providers say, believe one of them, hand on a state a scrip and instant."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import (
    SECOND,
    Arbitration,
    Belief,
    Board,
    Down,
    LookBack,
    Mark,
    MarketState,
    arbitrate,
    observe,
    snapshot,
)
from participant.core.scrip import Contract
from participant.ports import Clock, Feed, Message, Queue, Store, Write
from participant.wire.json import encode


class Reference(Struct, frozen=True):
    """What is known of a scrip before the day begins: its contracts and its look-back."""

    scrip: str
    contracts: tuple[Contract, ...]
    look_back: LookBack


class FeedStatus(Struct, frozen=True):
    """How the feeds stand: whom we believe, who is well, and every change of belief today."""

    at: int
    belief: Belief
    well: tuple[str, ...]
    silent_since: int
    changes: tuple[Belief, ...]


class IngestPorts(Struct, frozen=True):
    """What ingest needs of the world. `feeds` stand in order of priority."""

    feeds: Sequence[Feed]
    market: Queue
    quotes: Store
    clock: Clock


class Ingest:
    """Folds events into one board a provider, and publishes each instant that the believed provider has ended."""

    def __init__(
        self,
        ports: IngestPorts,
        names: Sequence[str],
        scrips: Sequence[Reference],
        rule: Arbitration,
        lockstep_wait_s: float = 0.0,
    ) -> None:
        """`lockstep_wait_s` > 0 makes an instant wait for every provider, though no longer than that (wall time)."""
        self.ports, self.scrips, self.rule, self.lockstep_wait_s = ports, scrips, rule, lockstep_wait_s
        self.boards = {name: Board(name) for name in names}
        self.belief, self.changes = Belief(), list[Belief]()
        self.published_at = self.silent_since = self.status_at = 0
        self.is_last = False
        self.waited_s = 0.0
        self.given_up = set[str]()

    def step(self, wait_s: float) -> bool:
        """Take in what has arrived and publish what is complete; False when nothing happened."""
        events = [e for feed in self.ports.feeds for e in feed.poll(0.0)] or self._slowest().poll(wait_s)
        for event in events:
            self.boards[event.provider] = observe(
                self.boards[event.provider], event, int(self.rule.silence_max_s * SECOND)
            )
            self.is_last = self.is_last or (isinstance(event, Mark) and event.is_last)
        self.waited_s = 0.0 if events else self.waited_s + wait_s
        if not self.lockstep_wait_s:
            self._judge()
        return self._publish() or bool(events)

    def _slowest(self) -> Feed:
        """The feed worth waiting for: in lockstep the one that is furthest behind, else the believed one."""
        boards = list(self.boards.values())
        if self.lockstep_wait_s:
            index = min(range(len(boards)), key=lambda i: boards[i].marked_at)
        else:
            index = next((i for i, b in enumerate(boards) if b.provider == self.belief.provider), 0)
        return self.ports.feeds[index]

    def _judge(self) -> None:
        now = self.ports.clock.now()
        rule = Arbitration(1e12, 0.0) if self.lockstep_wait_s else self.rule
        belief = arbitrate(tuple(self.boards.values()), self.belief, now, rule)
        if belief != self.belief:
            self.changes.append(belief)
            self.belief = belief
        self.silent_since = 0 if belief.provider else self.silent_since or now
        if now - self.status_at >= SECOND or belief.since == now:
            self._tell(now)

    def _tell(self, now: int) -> None:
        silence = self.rule.silence_max_s * SECOND
        well = tuple(b.provider for b in self.boards.values() if b.is_standing and now - b.received_at <= silence)
        status = FeedStatus(now, self.belief, well, self.silent_since, tuple(self.changes))
        self.ports.quotes.commit([Write("feeds", "status", encode(status))])
        self.status_at = now

    def _publish(self) -> bool:
        at = self._ended()
        if at <= self.published_at:
            return False
        if self.lockstep_wait_s:
            self._judge()
        board = self.boards[self.belief.provider]
        if self.lockstep_wait_s:
            board = replace(board, received_at=at)
        states = [s for r in self.scrips if (s := snapshot(board, r.scrip, r.contracts, r.look_back)) is not None]
        self._tell(self.ports.clock.now())
        self.ports.quotes.commit([Write("quotes", s.scrip, encode(s)) for s in states])
        mark = Mark(board.provider, board.received_at, at, self.is_last)
        self.ports.market.put([*map(_message, states), Message(f"mark-{at}", "mark", encode(mark))])
        self.published_at = at
        return True

    def _ended(self) -> int:
        """The newest instant that is complete: by the believed provider, in lockstep by all that stand."""
        if not self.lockstep_wait_s:
            return self.boards[self.belief.provider].marked_at if self.belief.provider else 0
        if self.waited_s > self.lockstep_wait_s:
            self._give_up_on_the_silent()
        awaited = [b for b in self.boards.values() if b.is_standing or b.provider not in self.given_up]
        return min((b.marked_at for b in awaited), default=0)

    def _give_up_on_the_silent(self) -> None:
        newest = max(b.marked_at for b in self.boards.values())
        for name, board in self.boards.items():
            if board.marked_at < newest:
                self.boards[name] = observe(board, Down(name, board.received_at, "silent in lockstep"))
                self.given_up.add(name)


def _message(state: MarketState) -> Message:
    return Message(state.snapshot_id, state.scrip, encode(state))
