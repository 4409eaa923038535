"""What one provider says, folded into its board: its newest word on every contract, what of it is odd, and counts."""

import datetime
from collections.abc import Iterable, Mapping, Sequence, Set
from math import log2

from msgspec import Struct
from msgspec.structs import asdict, replace

from participant.core.feed_rules import Arbitration
from participant.core.market import SECOND, Chain, Down, FeedEvent, Mark, Sheets, Tick, Ticks

CROSSED, OUTLIER, REPEATED = "crossed", "outlier", "repeated outlier"
JUMP_LEAST = 1_000  # two ticks: what moves by less is left to the comparison with the other providers
NEWER = SECOND  # clocks of providers may be as coarse as a second
MICROSECOND = 1_000
CONTRACTS_MAX = 100_000  # of one provider: a market has tens of thousands, and names may be made up without end
STEPS_PER_DOUBLING = 4
STEPS = 30 * STEPS_PER_DOUBLING  # up to a quarter of an hour
SHIPPED = Arbitration()


class Doubt(Struct, frozen=True, array_like=True, gc=False):
    """Why a contract's newest word is in doubt, since when (received, ns), what it says, and what was said before.

    A jump that did not come soon after what was said before may well be none.
    """

    kind: str
    since: int
    value: int
    anchor: int
    is_soon: bool = True


class Tally(Struct, frozen=True):
    """What a provider said so far, counted.

    `odd` are words that were refused or came in doubt; `ahead` are those dated later than our clock allows.
    """

    ticks: int = 0
    marks: int = 0
    duplicates: int = 0
    late: int = 0
    backwards: int = 0
    odd: int = 0
    ahead: int = 0
    gaps: int = 0


class Board(Struct, frozen=True):
    """One provider's latest word on every contract, when it last spoke, and what moved since it was looked at.

    `latency` counts instants by `latency_step` of their age on arrival. `off` are the contracts whose newest word was
    not in the steps of their prices when it was sifted, with that word. `dark` are those that have no value now, with
    what they were worth last and when (exchange time): what comes after that is held against it.
    """

    provider: str
    ticks: Mapping[str, Tick] = {}
    received_at: int = 0
    marked_at: int = 0
    healthy_since: int = 0
    is_standing: bool = False
    is_given_up: bool = False
    chains: Mapping[str, Mapping[datetime.date, Chain]] = {}
    doubts: Mapping[str, Doubt] = {}
    off: Mapping[str, Tick] = {}
    dark: Mapping[str, tuple[int, int]] = {}
    changed: Set[str] = frozenset()
    tally: Tally = Tally()
    latency: Sequence[int] = ()
    down_reason: str = ""


def value_of(tick: Tick | None) -> int:
    """What a tick says the contract is worth: an underlying's last, a two-sided quote's middle; 0 for anything else."""
    if tick is None:
        return 0
    return tick.last or (tick.bid + tick.ask >> 1 if 0 < tick.bid < tick.ask else 0)


def is_as_new(other: Tick | None, mine: Tick) -> bool:
    """Whether another provider's word is of the same time, so that the two can be compared; or it is newer."""
    return other is not None and other.exchange_at >= mine.exchange_at - NEWER


def is_near(one: int, other: int, share: float) -> bool:
    """Whether two values lie within a jump of each other."""
    apart = abs(one - other)
    return apart <= JUMP_LEAST or apart <= share * max(one, other) / (1 + share)


def latency_step(age_ns: int) -> int:
    """The bucket of an age: STEPS_PER_DOUBLING to a doubling, from a microsecond on."""
    return min(STEPS - 1, int(log2(age_ns / MICROSECOND) * STEPS_PER_DOUBLING)) if age_ns > MICROSECOND else 0


def observe(board: Board, event: FeedEvent, rule: Arbitration = SHIPPED) -> Board:
    """The board after one event of its provider."""
    fold = Fold(board, rule)
    fold.take((event,))
    return fold.board()


class Fold:
    """A board while events are folded into it: its tables are the fold's own, and change with the next event.

    What is older than what is held, or said again, is dropped and counted. A provider that comes back from silence or
    from a lost link is healthy only from when its book stands again. `quoted` are the contracts that are worth what
    they are quoted at: a last trade of theirs, which may be hours old, is passed over.
    """

    def __init__(self, board: Board, rule: Arbitration = SHIPPED, quoted: Set[str] = frozenset()) -> None:
        self.rule, self.base, self.quoted = rule, board, quoted
        self.silence_max = int(rule.silence_max_s * SECOND)
        self.ticks, self.doubts, self.changed = dict(board.ticks), dict(board.doubts), set(board.changed)
        self.off, self.dark = dict(board.off), dict(board.dark)
        self.count = asdict(board.tally)
        self.latency = list(board.latency)

    def board(self) -> Board:
        """The board as it is now; its tables are good until the next event."""
        said = Tally(**self.count)
        tables = {"ticks": self.ticks, "doubts": self.doubts, "off": self.off, "changed": self.changed}
        return replace(self.base, **tables, dark=self.dark, tally=said, latency=self.latency)

    def take(self, events: Iterable[FeedEvent]) -> None:
        """Fold events into it, oldest first."""
        for event in events:
            self._take(event)

    def sift(self, steps: Mapping[str, int]) -> None:
        """Look whether what moved since the last look is quoted in the steps of its contract (prices), and count."""
        held, changed, off = self.ticks, self.changed, self.off
        found = {
            key: tick
            for key, tick, step in zip(changed, map(held.get, changed), map(steps.get, changed), strict=True)
            if step and tick is not None and (tick.bid % step or tick.ask % step)
        }
        if found or off:
            self.count["odd"] += sum(off.get(key) is not tick for key, tick in found.items())
            self.off = {key: tick for key, tick in off.items() if key not in changed} | found

    def _take(self, event: FeedEvent) -> None:
        at, base = event.received_at, self.base
        if isinstance(event, Down):
            self.count["gaps"] += base.is_standing
            self.ticks, self.doubts, self.off, self.dark, self.changed = {}, {}, {}, {}, set()
            self.base = replace(
                base, chains={}, marked_at=0, healthy_since=0, is_standing=False, down_reason=event.reason
            )
            return
        back = not base.is_standing or at - base.received_at > self.silence_max
        healthy = at if back else base.healthy_since
        self.base = base = replace(base, received_at=max(at, base.received_at), healthy_since=healthy)
        if isinstance(event, Mark):
            self._mark(event)
        elif isinstance(event, Ticks):
            stands, was = base.is_standing or event.is_snapshot, dict[str, Tick]()
            if event.is_snapshot:
                # A whole book may be said again and again: what it says is news, or odd, beside the one before.
                was = self.ticks if base.is_standing else was
                self.doubts, self.dark = (self.doubts, self.dark) if base.is_standing else ({}, {})
                self.ticks, base = {}, replace(base, chains={})
            self.base = replace(base, is_standing=stands, is_given_up=base.is_given_up and not stands)
            self._ticks(event, was)
            if was:
                self.doubts = {key: doubt for key, doubt in self.doubts.items() if key in self.ticks}
                self._leave_out(was)
            if isinstance(event, Sheets):
                self._sheets(event)

    def _leave_out(self, was: Mapping[str, Tick]) -> None:
        """What a whole book no longer shows has no value; names may be made up without end."""
        gone = {key: (worth, tick.exchange_at) for key, tick in was.items() if (worth := value_of(tick))}
        self.dark = self.dark | {key: gone[key] for key in gone.keys() - self.ticks.keys()}
        if len(self.dark) > CONTRACTS_MAX:
            self.dark = {}

    def _mark(self, event: Mark) -> None:
        age = event.received_at - event.at
        if -age > self.rule.ahead_max_s * SECOND:
            self.count["ahead"] += 1
            return
        self.count["marks"] += 1
        self.latency = self.latency or [0] * STEPS
        self.latency[latency_step(age)] += 1
        self.base = replace(self.base, marked_at=max(event.at, self.base.marked_at))

    def _sheets(self, event: Sheets) -> None:
        chains = self.base.chains
        self.base = replace(
            self.base, chains={**chains, **{s: {**chains.get(s, {}), **mine} for s, mine in event.chains.items()}}
        )

    def _ticks(self, event: Ticks, was: Mapping[str, Tick]) -> None:
        """The hot path: tens of thousands of ticks a second come through this loop, so its state is in locals.

        `was` is the whole book that this one replaces.
        """
        held, doubts, dark, changed = self.ticks, self.doubts, self.dark, self.changed
        at, share = event.received_at, self.rule.jump_share
        newest, quoted = at + int(self.rule.ahead_max_s * SECOND), self.quoted
        for tick in event.ticks:
            key, when, bid, ask = tick.contract, tick.exchange_at, tick.bid, tick.ask
            before = held.get(key)
            if tick.last > 0 and key in quoted:
                tick = replace(tick, last=0)  # noqa: PLW2901 - what is held is the word without it
            if before is not None and when <= before.exchange_at and self._is_old(tick, before):
                continue
            if when > newest:
                self.count["ahead"] += 1
                continue
            is_beyond = before is None and len(held) >= CONTRACTS_MAX
            if is_beyond or (bid | ask | tick.bid_size | tick.ask_size | tick.last) < 0:
                self.count["odd"] += 1
                continue
            held[key], before = tick, before or was.get(key)
            value = tick.last or bid + ask >> 1
            if before is None:
                changed.add(key)
                old = value
            else:
                old = before.last or before.bid + before.ask >> 1
                if value != old or bid != before.bid or _differ(tick, before):
                    changed.add(key)
            if bid >= ask > 0 or abs(value - old) > share * old or key in doubts or key in dark:
                self._doubt(tick, before, at)
        self.count["ticks"] += len(event.ticks)

    def _is_old(self, tick: Tick, before: Tick) -> bool:
        """Whether a tick is older than the one held, or the same again; both are counted."""
        behind = before.exchange_at - tick.exchange_at
        if not behind:
            self.count["duplicates"] += tick == before
            return tick == before
        self.count["late"] += 1
        self.count["backwards"] += behind > self.rule.backwards_max_s * SECOND
        return True

    def _doubt(self, tick: Tick, before: Tick | None, at: int) -> None:
        """A word that is crossed, or far from the one before, waits for another that says so too."""
        key, value, doubt = tick.contract, value_of(tick), self.doubts.get(tick.contract)
        worth, then = self.dark.pop(key, (0, before.exchange_at if before is not None else 0))
        anchor = doubt.anchor if doubt is not None else value_of(before) or worth
        if not value and anchor:
            self.dark[key] = (anchor, then)
        if tick.bid >= tick.ask > 0:
            if doubt is None or doubt.kind != CROSSED:
                self.count["odd"] += before is not None  # a whole book may well have some that the exchange shows so
                self.doubts[key] = Doubt(CROSSED, at, 0, anchor)
        elif not value or not anchor or is_near(value, anchor, self.rule.jump_share):  # most that come here are near
            self.doubts.pop(key, None)
        elif doubt is not None and doubt.kind != CROSSED and is_near(value, doubt.value, self.rule.jump_share):
            self._again(key, doubt, at)
        else:
            within = self.rule.jump_within_s * SECOND
            is_soon = tick.exchange_at - then <= within
            self.count["odd"] += is_soon
            self.doubts[key] = Doubt(OUTLIER, at, value, anchor, is_soon)

    def _again(self, key: str, doubt: Doubt, at: int) -> None:
        """A jump that is said again counts, unless another provider says otherwise; in the end the vote decides."""
        passed = at - doubt.since
        if passed >= (self.rule.confirm_after_s + self.rule.apart_max_s) * SECOND:
            del self.doubts[key]
        elif passed >= self.rule.confirm_after_s * SECOND:
            self.doubts[key] = Doubt(REPEATED, doubt.since, doubt.value, doubt.anchor)


def _differ(tick: Tick, before: Tick) -> bool:
    """Whether a tick with the same prices says something else than the one before."""
    return (tick.last, tick.bid_size, tick.ask_size) != (before.last, before.bid_size, before.ask_size)
