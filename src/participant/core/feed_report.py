"""How good a day's feeds were: of each provider its coverage, faults, counts and delays, and who was believed when."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from msgspec import Struct

from participant.core.board import MICROSECOND, STEPS_PER_DOUBLING, Tally
from participant.core.feed_looks import SILENT, STILL
from participant.core.feed_votes import OUTVOTED
from participant.core.providers import FeedStatus, Provider, Standing, State

PERCENTILES = (0.5, 0.99, 1.0)


class Span(Struct, frozen=True):
    """From when until when (ns) something held, what, and why."""

    begin: int
    end: int
    what: str
    reason: str


class Quality(Struct, frozen=True):
    """One provider's day. `coverage` is the share of it in which its book stood and was heard; times are s and ms.

    `still` and `outvoted` count how often it was at fault so; latency is from an instant's own time to its arrival,
    the median, the 99th percentile and the longest, each to a fifth. `dropped` counts by reason what was not read.
    """

    provider: str
    coverage: float
    active_s: float
    quarantined_s: float
    down_s: float
    counted: Tally
    quarantines: int
    still: int
    outvoted: int
    latency_ms: tuple[float, ...]
    states: tuple[Span, ...]
    dropped: dict[str, int] = {}


class FeedReport(Struct, frozen=True):
    """The feeds of a day: its providers in order of priority, who was believed, and what was kept from the brain.

    `switches` are the steps from one provider to another; `held` states of scrips were kept back, `hidden` quotes left
    out of states.
    """

    begin: int
    end: int
    providers: tuple[Quality, ...]
    believed: tuple[Span, ...]
    switches: int
    nobody_s: float
    held: dict[str, int]
    hidden: int


def feed_report(status: FeedStatus) -> FeedReport:
    """The report of what was counted by the end of the day."""
    beliefs = [b for b in status.changes if b.since]
    begin = min([b.since for b in beliefs] + [s.since for s in status.events if s.since], default=status.at)
    named = [b.provider for b in beliefs if b.provider]
    believed = _spans([(b.since, b.provider or "nobody", b.reason) for b in beliefs], status.at)
    return FeedReport(
        begin=begin,
        end=status.at,
        providers=tuple(_quality(p, status) for p in status.providers),
        believed=believed,
        switches=sum(one != other for one, other in pairwise(named)),
        nobody_s=_seconds(sum(span.end - span.begin for span in believed if span.what == "nobody")),
        held=dict(status.held),
        hidden=status.hidden,
    )


def _quality(of: Provider, status: FeedStatus) -> Quality:
    mine = [e for e in status.events if e.provider == of.standing.provider]
    total = sum(of.spent.values())
    ill = [e.reason for e in _faults(mine)]
    return Quality(
        provider=of.standing.provider,
        coverage=(total - of.spent.get(State.DOWN, 0)) / total if total else 0.0,
        active_s=_seconds(of.spent.get(State.ACTIVE, 0)),
        quarantined_s=_seconds(of.spent.get(State.QUARANTINED, 0)),
        down_s=_seconds(of.spent.get(State.DOWN, 0)),
        counted=of.tally,
        quarantines=len(ill),
        still=sum(reason.startswith((STILL, SILENT)) for reason in ill),
        outvoted=sum(reason.startswith(OUTVOTED) for reason in ill),
        latency_ms=tuple(percentile_ms(of.latency, share) for share in PERCENTILES),
        states=_spans([(e.since, e.state.value, e.reason) for e in mine if e.since], status.at),
        dropped=dict(of.dropped),
    )


def _faults(events: Sequence[Standing]) -> Iterable[Standing]:
    """Each time that a provider went into quarantine."""
    return [
        e for i, e in enumerate(events) if e.state is State.QUARANTINED and (not i or events[i - 1].state != e.state)
    ]


def percentile_ms(latency: Sequence[int], share: float) -> float:
    """The delay (ms) below which `share` of the instants were, as the upper end of its bucket; 0 where none came."""
    left = share * sum(latency)
    for step, count in enumerate(latency):
        left -= count
        if count and left <= 0:
            return round(MICROSECOND * 2 ** ((step + 1) / STEPS_PER_DOUBLING) / 1e6, 3)
    return 0.0


def _spans(changes: Sequence[tuple[int, str, str]], end: int) -> tuple[Span, ...]:
    ends = [*(at for at, _, _ in changes[1:]), end]  # one too many where nothing changed
    return tuple(Span(at, until, what, why) for (at, what, why), until in zip(changes, ends, strict=False))


def _seconds(ns: int) -> float:
    return round(ns / 1e9, 3)
