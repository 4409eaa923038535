"""Which provider to believe, what state each is in and why, and how the feeds stand."""

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import pairwise
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from participant.core.board import Board, Tally
from participant.core.feed_rules import Arbitration
from participant.core.market import SECOND

CHANGES_KEPT = 100  # the first so many of a day, and the last


class State(StrEnum):
    """A provider is believed, stands by, is at fault or was so of late, or cannot be heard."""

    ACTIVE = "active"
    WARM = "warm"
    QUARANTINED = "quarantined"
    DOWN = "down"


class Belief(Struct, frozen=True):
    """Which provider is believed, since when, and why it was chosen."""

    provider: str = ""
    since: int = 0
    reason: str = "no provider has spoken yet"


class Standing(Struct, frozen=True):
    """The state of one provider, since when, and why."""

    provider: str
    state: State = State.DOWN
    since: int = 0
    reason: str = "has not spoken yet"


class Record(Struct, frozen=True):
    """What the past says of the providers: who is at fault now, until when each was last at fault, the last switches.

    `last` is who was believed last, also while nobody is.
    """

    faults: Mapping[str, str] = {}
    fault_at: Mapping[str, int] = {}
    switched_at: tuple[int, ...] = ()
    last: str = ""


def arbitrate(
    boards: Sequence[Board], belief: Belief, at: int, rule: Arbitration, record: Record | None = None
) -> Belief:
    """Believe the first provider, in order of priority, that can be heard and is not in quarantine.

    Stepping down is immediate; stepping up again waits until the better provider has been well for a while, and the
    last switch is some time ago. Beyond the switches allowed nobody is stepped to: with nobody well, or nobody left to
    step to, the belief is in nobody (`provider` is empty).
    """
    record = record or Record()
    well = [b for b in boards if is_well(b, at, rule) and not in_quarantine(b.provider, at, rule, record)]
    names = [b.provider for b in well]
    is_held = len(_lately(record.switched_at, at, rule)) >= rule.switches_max
    if belief.provider in names:
        better = well[: names.index(belief.provider)]
        is_soon = any(at - then < rule.return_apart_s * SECOND for then in record.switched_at[-1:])
        settled = [b for b in better if at - _well_since(b, record) >= rule.well_before_return_s * SECOND]
        if not settled or is_soon or is_held:
            return belief
        return Belief(settled[0].provider, at, f"{settled[0].provider} is well again")
    chosen = next((n for n in names if n == record.last or not record.last or not is_held), "")
    if chosen:
        return Belief(chosen, at, _why(boards, belief, chosen, record))
    if not belief.provider:
        return belief
    capped = f"{rule.switches_max} switches within {rule.switches_within_s:g} s are the most"
    return Belief("", at, f"{_ill(boards, belief, record)}, and {capped}" if names else "no provider is well")


def _why(boards: Sequence[Board], belief: Belief, chosen: str, record: Record) -> str:
    if belief.provider:
        return _ill(boards, belief, record)
    return f"{chosen} is well again" if belief.since else "the session began"


def _ill(boards: Sequence[Board], belief: Belief, record: Record) -> str:
    """What became of the one that was believed."""
    name = belief.provider
    board = next((b for b in boards if b.provider == name), Board(name))
    if name in record.faults:
        return f"{name} {record.faults[name]}"
    return (
        f"{name} fell silent"
        if board.is_standing or not board.down_reason
        else f"{name} went down: {board.down_reason}"
    )


def is_well(board: Board, at: int, rule: Arbitration) -> bool:
    """Whether a provider's book stands and it has been heard of lately."""
    return board.is_standing and at - board.received_at <= rule.silence_max_s * SECOND


def in_quarantine(provider: str, at: int, rule: Arbitration, record: Record) -> bool:
    """Whether a provider is at fault, or has not yet been well for long enough since it was."""
    if provider in record.faults:
        return True
    fault_at = record.fault_at.get(provider)
    return fault_at is not None and at - fault_at < rule.well_before_return_s * SECOND


def _well_since(board: Board, record: Record) -> int:
    return max(board.healthy_since, record.fault_at.get(board.provider, 0))


def _lately(switched_at: Iterable[int], at: int, rule: Arbitration) -> tuple[int, ...]:
    return tuple(then for then in switched_at if at - then < rule.switches_within_s * SECOND)


def recorded(record: Record, before: Belief, now: Belief, at: int, rule: Arbitration) -> Record:
    """The record after a belief: a step from one provider to another is a switch, also by way of nobody."""
    if now == before or not now.provider:
        return record
    is_switch = bool(record.last) and now.provider != record.last
    switched_at = (*_lately(record.switched_at, at, rule), at) if is_switch else record.switched_at
    return replace(record, switched_at=switched_at, last=now.provider)


def standings(
    boards: Sequence[Board], before: Sequence[Standing], belief: Belief, now: tuple[int, Arbitration, Record]
) -> tuple[Standing, ...]:
    """The state of every provider, in order of priority; one that stays as it is keeps its time."""
    was, found = {s.provider: s for s in before}, []
    for board in boards:
        state, reason = _state(board, belief, *now)
        old = was.get(board.provider, Standing(board.provider))
        since = old.since if state is old.state else now[0]
        same = state is old.state and (reason == old.reason or state is not State.ACTIVE)
        found.append(old if same else Standing(board.provider, state, since, reason))
    return tuple(found)


def _state(board: Board, belief: Belief, at: int, rule: Arbitration, record: Record) -> tuple[State, str]:
    name = board.provider
    if not is_well(board, at, rule):
        silent = f"silent for {rule.silence_max_s:g} s" if board.is_standing else board.down_reason
        return State.DOWN, silent or "has not spoken yet"
    if name == belief.provider:
        return State.ACTIVE, belief.reason
    if in_quarantine(name, at, rule, record):
        return State.QUARANTINED, record.faults.get(name, "was at fault of late")
    return State.WARM, "stands by"


class Provider(Struct, frozen=True):
    """A provider as a person is shown it: its state, what it said, and for how long (ns) it was in each state.

    `dropped` counts by reason what its feed could not read, or had no room for.
    """

    standing: Standing
    tally: Tally = Tally()
    latency: tuple[int, ...] = ()
    spent: Mapping[str, int] = {}
    dropped: Mapping[str, int] = {}


class FeedStatus(Struct, frozen=True):
    """How the feeds stand at `at`: whom we believe, who is well, since when nobody is (0: somebody is), the changes.

    `events` are the changes of each provider's state; `disputed_since` is since when (0: not) too few are left for a
    vote and they differ; `held` counts by scrip the states that were kept back, `hidden` the quotes left out of states.
    """

    at: int
    belief: Belief
    well: tuple[str, ...]
    silent_since: int
    changes: tuple[Belief, ...]
    providers: tuple[Provider, ...] = ()
    events: tuple[Standing, ...] = ()
    disputed_since: int = 0
    held: Mapping[str, int] = {}
    hidden: int = 0


def feed_status(boards: Sequence[Board], changes: Sequence[Belief], at: int, rule: Arbitration) -> FeedStatus:
    """The feeds as a person is shown them; `changes` are all beliefs of the day, the last one holds."""
    well = tuple(b.provider for b in boards if is_well(b, at, rule))
    belief = changes[-1] if changes else Belief()
    return FeedStatus(at, belief, well, 0 if belief.provider else belief.since or at, tuple(kept(changes)))


def remembered(before: FeedStatus) -> Record:
    """The record as another arbiter told it last: who was in quarantine then, who was believed, and the switches."""
    ill = [p.standing.provider for p in before.providers if p.standing.state is State.QUARANTINED]
    believed = [change for change in before.changes if change.provider]
    switched_at = tuple(b.since for a, b in pairwise(believed) if a.provider != b.provider)
    last = believed[-1].provider if believed else ""
    return Record({}, dict.fromkeys(ill, before.at), switched_at, last)


T = TypeVar("T")


def kept(told: Sequence[T]) -> Sequence[T]:
    """The first of a day and the last: what is kept of a list that may grow."""
    return (*told[:CHANGES_KEPT], *told[CHANGES_KEPT:][-CHANGES_KEPT:])


def ended_instant(boards: Sequence[Board]) -> int:
    """The newest instant that every provider has ended, but for those that were given up; 0 while no book stands."""
    if not any(b.is_standing for b in boards):
        return 0
    return min((b.marked_at for b in boards if not b.is_given_up), default=0)


def without_the_silent(boards: Mapping[str, Board]) -> dict[str, Board]:
    """The boards with those given up that lag behind the newest instant: void until they send a whole book again."""
    newest = max(b.marked_at for b in boards.values())
    void = {
        n: Board(n, {}, b.received_at, b.marked_at, is_given_up=True, tally=b.tally, latency=b.latency)
        for n, b in boards.items()
    }
    return {n: b if b.marked_at == newest else void[n] for n, b in boards.items()}
