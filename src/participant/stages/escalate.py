"""Telling people: what stands in the books reaches them, step by step, until one of them has answered.

Each attempt is written down before it is made and again with what became of it, so that a crash repeats at most one
message on a channel and loses none. Nothing here waits for a channel.
"""

from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from participant.core.decision import Action, Decision
from participant.core.escalation import LOST, Attempt, Call, Patience, Relay, Rung, due, overdue, rungs_of
from participant.core.market import SECOND
from participant.core.messages import Ticket, Write
from participant.core.notices import Notice, clock, form_of, lines_words, ticket_words
from participant.core.tickets import DO_NOT_EXECUTE
from participant.ports import Clock, Notifier, Store
from participant.wire.json import decode, encode

T = TypeVar("T")
LINES_MAX = 9
RELAY_TRIES_MAX = 3
NEWS_FOR_S = 900  # what is not about a ticket is no news any more after this
TITLES = {"test": "Test of this channel", "decisions": "Decisions", "over": "Nothing to do any more"}


class PeoplePorts(Struct, frozen=True):
    """What telling people needs of the world: channels by name and recipient, and the machine's clock."""

    books: Store
    channels: Mapping[tuple[str, str], Notifier]
    wall: Clock


class PeopleRule(Struct, frozen=True):
    """The ladder of tickets, the rungs by which other news go, how patient to be, and which decisions are told."""

    ladder: tuple[Rung, ...]
    relay_to: tuple[Rung, ...] = ()
    patience: Patience = Patience()
    relay: Relay = "none"
    relay_every_s: float = 30.0


class _Logged(Struct, rename="camel"):
    decision_info: Decision


class Rows(Generic[T]):
    """A table as it stands, by key; asks the store only for what has changed."""

    def __init__(self, store: Store, table: str, kind: type[T]) -> None:
        self._store, self._table, self._kind, self._read_to = store, table, kind, 0
        self.now: dict[str, T] = {}
        self._of: dict[str, dict[str, T]] = {}

    def read(self) -> dict[str, T]:
        """The rows of now."""
        for row in self._store.rows(self._table, since=self._read_to):
            self.now[row.key], self._read_to = decode(row.value, self._kind), row.seq
            self._of.setdefault(row.key.partition("/")[0], {})[row.key] = self.now[row.key]
        return self.now

    def of(self, name: str) -> list[T]:
        """Those of now whose key begins with this name."""
        self.read()
        return list(self._of.get(name, {}).values())


class Escalate:
    """Calls people about every open ticket, tests the channels, and relays decisions."""

    def __init__(self, ports: PeoplePorts, rule: PeopleRule) -> None:
        """Begins with whatever stands in the books."""
        self.ports, self.rule = ports, rule
        self.tickets = Rows(ports.books, "tickets", Ticket)
        self.calls = Rows(ports.books, "calls", Call)
        self.attempts = Rows(ports.books, "attempts", Attempt)
        # What was under way when the desk stopped last has no answer any more.
        self.lost = [a for a in self.attempts.read().values() if a.failure is None]
        self.under_way: set[str] = set()

    def step(self) -> bool:
        """Hear what became of what was sent, and send what is due; False when there was nothing to tell."""
        now = self.ports.wall.now()
        self._hear(now)
        self._see(now)
        self._relay(now)
        made = [a for call in self.calls.read().values() for a in self._due(call, now)]
        for attempt in made:
            self._send(attempt)
        self._hear(now)
        return bool(made)

    # --- what became of what was sent ---

    def _hear(self, now: int) -> None:
        attempts = self.attempts.read()
        for notifier in self.ports.channels.values():
            for told in notifier.delivered():
                self._conclude(attempts[told.notice_id], told.failure, now)
        while self.lost:
            attempt = self.lost.pop()
            if self.attempts.read()[attempt.key].failure is None:
                self._conclude(attempt, LOST, now)
        for attempt in overdue([attempts[key] for key in self.under_way], self.rule.patience, now):
            self._conclude(attempt, f"no answer within {self.rule.patience.answer_within_s:g} s", now)

    def _conclude(self, attempt: Attempt, failure: str, now: int) -> None:
        after = replace(attempt, failure=failure, ended_at=now)
        self.ports.books.commit([Write("attempts", attempt.key, encode(after))])
        self.under_way.discard(attempt.key)

    # --- what there is to tell ---

    def _see(self, now: int) -> None:
        """A ticket is told from when it is first seen; one whose order the broker's book shows is called off."""
        calls = self.calls.read()
        for ticket in list(self.tickets.read().values()):
            if not ticket.is_closed and ticket.ticket_id not in calls:
                self._open(Call(ticket.ticket_id, "ticket", now))
            over = f"over-{ticket.ticket_id}"
            is_found = ticket.closed is not None and ticket.closed.how == "found"
            if is_found and ticket.ticket_id in calls and over not in calls:
                said = ticket.closed.reason if ticket.closed else ""
                line = f"Ticket {ticket.ticket_id[:8]} {ticket.title}: {said}."
                self._open(Call(over, "over", now, (DO_NOT_EXECUTE.partition(":")[0] + ".", line)))

    def _open(self, call: Call, *with_it: Write) -> None:
        self.ports.books.commit([Write("calls", call.call_id, encode(call), 0), *with_it])

    def _relay(self, now: int) -> None:
        """Put what was decided since the last time into one call, once what went before has been told."""
        row = self.ports.books.get("relayed", "cursor")
        last = decode(row.value, Call) if row else Call("0", "decisions", 0)
        is_soon = now < last.since + int(self.rule.relay_every_s * SECOND)
        if self.rule.relay == "none" or not self.rule.relay_to or is_soon or self._is_open(last):
            return
        rows = self.ports.books.rows("log", since=int(last.call_id.removeprefix("decisions-")))
        if not rows:
            return
        lines = [_line(d) for r in rows if _is_told(d := decode(r.value, _Logged).decision_info, self.rule.relay)]
        more = [f"and {len(lines) - LINES_MAX} more"] if len(lines) > LINES_MAX else []
        call = Call(f"decisions-{rows[-1].seq}", "decisions", now, (*lines[:LINES_MAX], *more))
        cursor = Write("relayed", "cursor", encode(replace(call, lines=())), row.version if row else 0)
        if lines:
            self._open(call, cursor)
        else:
            self.ports.books.commit([replace(cursor, value=encode(replace(call, since=last.since, lines=())))])

    def _is_open(self, last: Call) -> bool:
        """Whether the last batch of decisions still waits for a channel."""
        call = self.calls.read().get(last.call_id)
        mine = self.attempts.of(last.call_id)
        if call is None:
            return False
        is_told = {(a.channel, a.to) for a in mine if a.failure == "" or a.number >= RELAY_TRIES_MAX}
        return any((r.channel, r.to) not in is_told for r in self._reached(self.rule.relay_to))

    # --- sending ---

    def _due(self, call: Call, now: int) -> list[Attempt]:
        if call.kind != "ticket" and now - call.since > NEWS_FOR_S * SECOND:
            return []
        ladder = self._reached(self.rule.ladder)
        everywhere = [Rung(0.0, channel, to) for channel, to in self.ports.channels if channel != "console"]
        others = everywhere if call.kind == "test" else self._reached(self.rule.relay_to)
        patience = self.rule.patience
        if call.kind != "ticket":
            patience = replace(patience, tries_max=min(patience.tries_max, RELAY_TRIES_MAX))
        rungs = rungs_of(call, self.tickets.now.get(call.call_id), ladder, others)
        if not rungs:
            return []
        return due(call, rungs, self.attempts.of(call.call_id), patience, now)

    def _reached(self, rungs: Sequence[Rung]) -> list[Rung]:
        """Those rungs for which there is an address."""
        return [r for r in rungs if (r.channel, r.to) in self.ports.channels]

    def _send(self, attempt: Attempt) -> None:
        """Written down first: should we die before the answer, it is made once more."""
        if self.ports.books.commit([Write("attempts", attempt.key, encode(attempt), 0)]):
            self.under_way.add(attempt.key)
            self.ports.channels[attempt.channel, attempt.to].send(self._notice(attempt))

    def _notice(self, attempt: Attempt) -> Notice:
        call, form = self.calls.now[attempt.call_id], form_of(attempt.channel)
        if call.kind == "ticket":
            return Notice(attempt.key, *ticket_words(self.tickets.now[attempt.call_id], form))
        return Notice(attempt.key, *lines_words(TITLES[call.kind], call.lines, form))


def _line(decision: Decision) -> str:
    return f"{clock(decision.decided_for)} {decision.scrip} {decision.action}: {decision.reason}"


def _is_told(decision: Decision, level: Relay) -> bool:
    return level == "all" or (decision.action is not Action.MAINTAIN and bool(decision.legs))
