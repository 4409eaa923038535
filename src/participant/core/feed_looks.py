"""What the providers' boards say of each other: who stands still, who stands alone, who talks nonsense."""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from math import exp, log

from msgspec import Struct

from participant.core.board import CROSSED, NEWER, Board, Tally, is_as_new, value_of
from participant.core.feed_contracts import Listed, Universe
from participant.core.feed_rules import NEVER_S, Arbitration
from participant.core.feed_votes import Apart, compare, is_tied, lost
from participant.core.market import SECOND
from participant.core.wording import percent

SPOT, NEAR, FAR = "spot", "near", "far"
BUCKETS = 3
STILL, SILENT = "stood still", "fell silent"  # how these faults are told
LAG_S = 0.5  # whoever has not moved for so long while others did has no vote
FROZEN_MARKS = 3  # an underlying is not called frozen before it has missed so many instants
Class = tuple[str, str, str]  # provider, scrip, class of contract


class Still(Struct, frozen=True):
    """An underlying's value at one provider, since when it stands, when it last said anything, and its options since.

    A stock may quote without a trade: its value stands, and yet it is not frozen.
    """

    value: int
    since: int
    spoke_at: int
    options: int = 0
    marks: int = 0
    marked_at: int = 0


class Looks(Struct, frozen=True):
    """What was seen of all boards at `at`, and what is remembered for the next look.

    `idle` says since when a class of contracts stands still at a provider while it moves elsewhere, `apart` since when
    the providers differ on a contract, `odd` since when one talks more nonsense than another, `late` since when one's
    instants are behind another's. On `wrong` contracts a provider is outvoted, or no majority is left; of `frozen`
    scrips options trade while the underlying stands still.
    """

    at: int = 0
    idle: Mapping[Class, int] = {}
    apart: Mapping[str, Apart] = {}
    still: Mapping[tuple[str, str], Still] = {}
    odd: Mapping[str, int] = {}
    late: Mapping[str, int] = {}
    recent: Mapping[str, tuple[tuple[int, Tally], ...]] = {}
    faults: Mapping[str, str] = {}
    wrong: Mapping[str, frozenset[str]] = {}
    frozen: Mapping[str, tuple[str, ...]] = {}
    is_disputed: bool = False


class Now(Struct, frozen=True):
    """What every part of a look needs: the moment, the rule, the contracts, and what the look before remembers."""

    at: int
    rule: Arbitration
    of: Universe
    before: Looks


def look(boards: Sequence[Board], before: Looks, at: int, rule: Arbitration, of: Universe) -> Looks:
    """One look at all boards that stand and are not silent."""
    now = Now(at, rule, of, before)
    heard = [b for b in boards if b.is_standing and at - b.received_at <= rule.silence_max_s * SECOND]
    is_timed = rule.index_still_max_s < NEVER_S
    if not is_timed and len(heard) < 2:
        return Looks(at)
    still = {(b.provider, s): _still(b, s, now) for b in heard for s in of.listed} if is_timed else {}
    idle = _idle(heard, still, now) if is_timed and len(heard) > 1 else {}
    recent = {b.provider: _recent(b, now) for b in heard}
    odd = {p: before.odd.get(p, at) for p in _odd(recent, now)}
    late = _late(heard, now) if is_timed else {}  # in lockstep the market waits for all
    voters = {s: [b for b in heard if not _lags(b.provider, s, idle, at)] for s in of.listed}
    split = compare(voters, before.apart, at, rule, of)
    found = (
        _nonsense(odd, now),
        lost(split, rule, of),
        _crossed(heard, now),
        _untimely(recent, rule),
        _behind(late, now),
        _stale(idle, heard, now),
    )
    faults = {provider: fault for faults in found for provider, fault in faults}
    frozen = {
        b.provider: tuple(s for s in of.listed if is_timed and _is_frozen(still[b.provider, s], now)) for b in heard
    }
    wrong = {p: frozenset(keys) for p, keys in split.wrong.items()}
    return Looks(at, idle, split.apart, still, odd, late, recent, faults, wrong, frozen, is_tied(split, rule, of))


# --- who stands still -------------------------------------------------------------------------------------------------


def _still(board: Board, scrip: str, now: Now) -> Still:
    value, was, scrips = value_of(board.ticks.get(scrip)), now.before.still.get((board.provider, scrip)), now.of.scrips
    if was is None or was.value != value:
        return Still(value, now.at, now.at, marked_at=board.marked_at)
    if not board.changed:
        return was
    if scrip in board.changed:
        return Still(value, was.since, now.at, marked_at=board.marked_at)
    moved = sum(scrips.get(key) == scrip for key in board.changed)
    marks = was.marks + (board.marked_at != was.marked_at and was.options + moved > 0)
    return Still(value, was.since, was.spoke_at, was.options + moved, marks, board.marked_at)


def _is_frozen(still: Still, now: Now) -> bool:
    is_long = now.at - still.spoke_at >= now.rule.frozen_max_s * SECOND
    return is_long and still.options >= now.rule.frozen_ticks_min and still.marks >= FROZEN_MARKS


def _idle(heard: Sequence[Board], still: Mapping[tuple[str, str], Still], now: Now) -> dict[Class, int]:
    """Since when each class stands still at a provider while another one has newer word of it."""
    idle: dict[Class, int] = {}
    # A whole book said anew is no news: only what comes from one whose book stood at the look before.
    tellers = [b for b in heard if b.healthy_since <= now.before.at]
    for scrip, listed in now.of.listed.items():
        spot = max(still[b.provider, scrip].value for b in heard)
        if spot <= 0:
            continue
        share = now.rule.near_share
        classes = _near(listed, int(log(spot) * BUCKETS / share), share)
        for board in heard:
            others = [b for b in tellers if b is not board]
            found = {SPOT: _is_spot_idle(board.provider, scrip, others, still, now)}
            for name, keys in zip((NEAR, FAR), classes, strict=True):
                is_kept = (board.provider, scrip, name) in now.before.idle
                found[name] = keys.isdisjoint(board.changed) and (is_kept or _has_news(others, board, keys))
            for name in (n for n in found if found[n]):
                idle[board.provider, scrip, name] = now.before.idle.get((board.provider, scrip, name), now.at)
    return idle


def _is_spot_idle(
    provider: str, scrip: str, others: Sequence[Board], still: Mapping[tuple[str, str], Still], now: Now
) -> bool:
    """Whether an underlying stands still here since another moved on, which did not only catch up with this one."""
    mine, theirs = still[provider, scrip], [still[b.provider, scrip] for b in others]
    if mine.since == now.at or not theirs:
        return False
    if (provider, scrip, SPOT) in now.before.idle:
        return True
    is_caught_up_with = any(other.value == mine.value for other in theirs) or now.at - mine.since <= LAG_S * SECOND
    return not is_caught_up_with and any(other.since == now.at for other in theirs)


def _has_news(others: Sequence[Board], board: Board, keys: frozenset[str]) -> bool:
    """Whether another provider has just said what is newer than what this one holds, not only caught up with it."""
    return any(
        not is_as_new(board.ticks.get(key), other.ticks[key]) for other in others for key in keys & other.changed
    )


@lru_cache(maxsize=256)
def _near(listed: Listed, bucket: int, share: float) -> tuple[frozenset[str], frozenset[str]]:
    """The contracts near the money, futures among them, and the others; a spot belongs to a bucket a third as wide."""
    spot = exp((bucket + 0.5) * share / BUCKETS)
    near = frozenset(key for key, strike in listed.contracts if not strike or abs(strike - spot) <= share * spot)
    return near, frozenset(key for key, _ in listed.contracts) - near


def _stale(idle: Mapping[Class, int], heard: Sequence[Board], now: Now) -> Iterator[tuple[str, str]]:
    """Who stands still for longer than the class may."""
    of, rule = {b.provider: b for b in heard}, now.rule
    for (provider, scrip, name), since in idle.items():
        spot = of[provider].ticks.get(scrip)
        spot_s = rule.stock_still_max_s if spot is not None and spot.bid else rule.index_still_max_s
        most_s = {SPOT: spot_s, NEAR: rule.near_still_max_s, FAR: rule.far_still_max_s}[name]
        if now.at - since >= most_s * SECOND:
            what = scrip if name == SPOT else f"{scrip}'s {name} contracts"
            is_silent = now.at - of[provider].received_at >= 0.75 * most_s * SECOND
            yield provider, SILENT if is_silent else f"{STILL}: {what} for {most_s:g} s while another moved"


def _lags(provider: str, scrip: str, idle: Mapping[Class, int], at: int) -> bool:
    return any(at - idle.get((provider, scrip, name), at) > LAG_S * SECOND for name in (SPOT, NEAR))


# --- who is crossed, or talks nonsense --------------------------------------------------------------------------------


def _crossed(heard: Sequence[Board], now: Now) -> Iterator[tuple[str, str]]:
    for board in heard:
        for key, doubt in board.doubts.items():
            is_long = doubt.kind == CROSSED and now.at - doubt.since >= now.rule.crossed_max_s * SECOND
            if is_long and is_refuted(key, board, heard):
                yield board.provider, f"was crossed: {key} for {now.rule.crossed_max_s:g} s, and not at another"


def is_refuted(key: str, board: Board, heard: Sequence[Board]) -> bool:
    """Whether another provider quotes properly, at the same time, what this one has crossed or locked."""
    return any(
        key not in b.doubts and value_of(tick := b.ticks.get(key)) and is_as_new(tick, board.ticks[key])
        for b in heard
        if b is not board
    )


def _recent(board: Board, now: Now) -> tuple[tuple[int, Tally], ...]:
    """The counts at the looks of late; the first is the one that the rest is compared with."""
    least = now.at - now.rule.odd_within_s * SECOND
    kept = [look for look in now.before.recent.get(board.provider, ()) if look[0] >= least]
    return (*kept, (now.at, board.tally))


def _odd(recent: Mapping[str, tuple[tuple[int, Tally], ...]], now: Now) -> Iterator[str]:
    """Of whom much is refused or in doubt, and more than of another; silence and old words are no measure of sense."""
    found = {p: (looks[0][1], looks[-1][1]) for p, looks in recent.items()}
    shares = {p: (last.odd - first.odd) / max(1, last.ticks - first.ticks) for p, (first, last) in found.items()}
    sensible = [p for p, (first, last) in found.items() if last.ticks > first.ticks and p not in now.before.faults]
    for provider, (first, last) in found.items():
        most = max(now.rule.odd_share_max, 3 * min((shares[p] for p in sensible if p != provider), default=0.0))
        if last.odd - first.odd >= now.rule.odd_min and shares[provider] > most:
            yield provider


def _nonsense(odd: Mapping[str, int], now: Now) -> Iterator[tuple[str, str]]:
    for provider, since in odd.items():
        if now.at - since >= now.rule.apart_max_s * SECOND:
            least = percent(now.rule.odd_share_max)
            yield provider, f"talked nonsense: more than {least} of it was refused or in doubt"


def _untimely(recent: Mapping[str, tuple[tuple[int, Tally], ...]], rule: Arbitration) -> Iterator[tuple[str, str]]:
    """Whose times run back, or ahead of our clock."""
    for provider, looks in recent.items():
        first, last = looks[0][1], looks[-1][1]
        if last.backwards > first.backwards:
            yield provider, f"went back in time by more than {rule.backwards_max_s:g} s"
        if last.ahead > first.ahead:
            yield provider, f"is ahead of our clock by more than {rule.ahead_max_s:g} s"


def _late(heard: Sequence[Board], now: Now) -> dict[str, int]:
    """Since when each one's last instant is behind that of another by more than two clocks may be apart.

    What one says late was true once and moves as it should, and words of other times are no vote against it. Who says
    nothing new has no new instant to end.
    """
    newest, most = max((b.marked_at for b in heard), default=0), now.rule.ahead_max_s * SECOND + NEWER
    behind, was = [b for b in heard if newest - b.marked_at > most], now.before
    return {
        b.provider: was.late.get(b.provider, now.at)
        for b in behind
        if b.provider in was.late or (b.changed and b.healthy_since <= was.at)
    }


def _behind(late: Mapping[str, int], now: Now) -> Iterator[tuple[str, str]]:
    for provider, since in late.items():
        if now.at - since >= now.rule.apart_max_s * SECOND:
            least = now.rule.ahead_max_s + NEWER / SECOND
            yield provider, f"runs late: its last instant is over {least:g} s behind another's"
