"""The ladder: who is to be told of what, by which channel, and when. Pure: calls, attempts and the time in, sends out.

Its clock is the machine's, not the market's: it waits for people, who live by the wall. A recorded day that is played
a thousand times as fast would be at the top of the ladder before anybody could have read the first message.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.messages import Ticket

CONSOLE = "console"
Relay = Literal["none", "orders", "all"]
LOST = "the desk stopped before the answer came"


class Rung(Struct, frozen=True, forbid_unknown_fields=True):
    """One step: so many seconds after a ticket was seen, this channel to this recipient."""

    after_s: float
    channel: str
    to: str = "all"


LADDER = (
    Rung(0.0, "push"),
    Rung(0.0, "slack"),
    Rung(120.0, "sms"),
    Rung(120.0, "email"),
    Rung(240.0, "voice", "primary"),
    Rung(420.0, "voice", "secondary"),
)


class Patience(Struct, frozen=True):
    """How often a delivery that failed is tried, and how long between: doubling from `retry_after_s` to the most."""

    tries_max: int = 20
    retry_after_s: float = 5.0
    retry_after_max_s: float = 60.0
    answer_within_s: float = 30.0


class Call(Struct, frozen=True):
    """Something that people are told, from `since` (the machine's time): a ticket, a test, or news, line by line."""

    call_id: str
    kind: Literal["ticket", "test", "decisions", "over"]
    since: int
    lines: tuple[str, ...] = ()


class Attempt(Struct, frozen=True):
    """One try to deliver. `failure` is None while it is under way, empty when it was delivered, else why not."""

    call_id: str
    channel: str
    to: str
    number: int
    at: int
    failure: str | None = None
    ended_at: int = 0

    @property
    def key(self) -> str:
        """Its row in the books."""
        return f"{self.call_id}/{self.channel}/{self.to}/{self.number}"


def wake_test(day: str, now: int) -> Call:
    """The test that every channel gets when a day wakes; `now` is the machine's time."""
    return Call(f"test-{day}", "test", now, (f"The desk wakes for {day}. Nothing is to be done.",))


def rungs_of(call: Call, ticket: Ticket | None, ladder: Sequence[Rung], others: Sequence[Rung]) -> Sequence[Rung]:
    """The steps of a call: the ladder for a ticket until a person has answered; for the rest the rungs given."""
    if call.kind != "ticket":
        return others
    return () if ticket is None or ticket.is_answered else ladder


def due(call: Call, rungs: Sequence[Rung], attempts: Sequence[Attempt], patience: Patience, now: int) -> list[Attempt]:
    """The attempts to make now, one at most for each channel and recipient; what waits on one holds up no other."""
    found = []
    for rung in rungs:
        tried = [a for a in attempts if (a.call_id, a.channel, a.to) == (call.call_id, rung.channel, rung.to)]
        if now >= call.since + int(rung.after_s * SECOND) and _is_due(tried, patience, now):
            found.append(Attempt(call.call_id, rung.channel, rung.to, len(tried) + 1, now))
    return found


def _is_due(tried: Sequence[Attempt], patience: Patience, now: int) -> bool:
    """Whether there is to be another try after these: not while one is under way, nor after one arrived."""
    if any(not a.failure for a in tried) or len(tried) >= patience.tries_max:
        return False
    if not tried:
        return True
    wait_s = min(patience.retry_after_max_s, patience.retry_after_s * 2 ** (len(tried) - 1))
    return now >= max(a.ended_at for a in tried) + int(wait_s * SECOND)


def overdue(attempts: Sequence[Attempt], patience: Patience, now: int) -> list[Attempt]:
    """The attempts whose answer is awaited for too long: they count as failed."""
    latest = now - int(patience.answer_within_s * SECOND)
    return [a for a in attempts if a.failure is None and a.at <= latest]


def unanswered_s(calls: Sequence[Call], tickets: Mapping[str, Ticket], now: int) -> float:
    """For how long (s) the oldest ticket that nobody has answered has been told to people."""
    waiting = [c.since for c in calls if c.call_id in tickets and not tickets[c.call_id].is_answered]
    return max(((now - since) / SECOND for since in waiting), default=0.0)


def quiet(attempts: Sequence[Attempt]) -> dict[str, str]:
    """The channels of a test (`voice to primary`) by which nothing has arrived so far, and the last reason why."""
    by_name: dict[str, list[Attempt]] = {}
    for attempt in sorted(attempts, key=lambda a: a.number):
        by_name.setdefault(f"{attempt.channel} to {attempt.to}", []).append(attempt)
    ended = {n: [a for a in of if a.failure is not None] for n, of in by_name.items()}
    failed = {n: of for n, of in ended.items() if of and all(a.failure for a in of)}
    return {name: of[-1].failure or "" for name, of in sorted(failed.items())}
