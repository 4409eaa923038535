"""Where providers say different things of a contract: who is outvoted, for how long, and where there is no majority."""

from collections.abc import Iterator, Mapping, Sequence

from msgspec import Struct

from participant.core.board import JUMP_LEAST, NEWER, Board, value_of
from participant.core.feed_contracts import Universe
from participant.core.feed_rules import Arbitration
from participant.core.market import SECOND
from participant.core.wording import counted

INDEX_NEWER = 3 * SECOND
OUTVOTED = "was outvoted"  # how this fault is told


class Apart(Struct, frozen=True):
    """Since when a contract is told differently; what each provider says of it, and what it said before that."""

    since: int
    told: Mapping[str, tuple[int, int]]


class Split(Struct):
    """On what the providers differ; on what each is not to be believed; who was outvoted on what for long.

    On what is `tied` there is no majority.
    """

    apart: dict[str, Apart] = {}
    wrong: dict[str, set[str]] = {}
    lost: dict[str, list[str]] = {}
    tied: list[str] = []


def compare(
    voters: Mapping[str, Sequence[Board]], before: Mapping[str, Apart], at: int, rule: Arbitration, of: Universe
) -> Split:
    """Compare what has changed, and what was told differently before. `voters` are the boards heard, by scrip."""
    split = Split()
    everyone = {b.provider: b for boards in voters.values() for b in boards}
    for key in frozenset[str]().union(*(b.changed for b in everyone.values()), before):
        boards = _contemporary(key, voters.get(of.scrips.get(key, ""), ()))
        told = {b.provider: v for b in boards if (v := value_of(b.ticks.get(key)))}
        low, high = min(told.values(), default=0), max(told.values(), default=0)
        limit = max(rule.apart_ticks * of.ticks.get(key, 0), rule.apart_share * low)
        if high - low <= limit:
            continue
        split.apart[key] = apart = _since(before.get(key), told, limit, at)
        passed = at - apart.since
        is_jump = high - low > max(JUMP_LEAST, rule.jump_share * low)
        is_same_word = is_jump and len({b.ticks[key].exchange_at for b in boards if b.provider in told}) == 1
        if is_same_word or passed >= rule.apart_hold_s * SECOND:
            _judge(key, outvoted(told, limit), split, len(told), is_long=passed >= rule.apart_max_s * SECOND)
    return split


def _contemporary(key: str, boards: Sequence[Board]) -> Sequence[Board]:
    """Those whose word of a contract is of the same time as the newest; an older one may only not have come yet.

    An index does not move by what counts in the few seconds that clocks may be apart: nobody escapes by a wrong clock.
    """
    words = [(b, tick) for b in boards if (tick := b.ticks.get(key)) is not None]
    if not words:
        return []
    newest = max((tick for _, tick in words), key=lambda tick: tick.exchange_at)
    is_index = newest.last and not (newest.bid or newest.ask)
    least = newest.exchange_at - (INDEX_NEWER if is_index else NEWER)
    return [b for b, tick in words if tick.exchange_at >= least]


def _since(before: Apart | None, told: Mapping[str, int], limit: float, at: int) -> Apart:
    """A difference is as old as it is without one of them saying what another said before: that one is only late."""
    if before is None:
        return Apart(at, {p: (v, v) for p, v in told.items()})
    was = {p: before.told.get(p, (v, v)) for p, v in told.items()}
    now = {p: was[p] if was[p][0] == v else (v, was[p][0]) for p, v in told.items()}
    pairs = [(p, q) for p in told for q in told if abs(told[p] - told[q]) > limit]
    late = any(abs(told[p] - now[q][1]) <= limit for p, q in pairs)
    return Apart(at if late else before.since, now)


def _judge(key: str, against: Sequence[str], split: Split, told: int, *, is_long: bool) -> None:
    """Nobody outvoted is believed on the contract; who differs for long has lost it, or nobody has."""
    for provider in against:
        split.wrong.setdefault(provider, set()).add(key)
    if is_long and len(against) == told:
        split.tied.append(key)
    elif is_long:
        for provider in against:
            split.lost.setdefault(provider, []).append(key)


def outvoted(told: Mapping[str, int], limit: float) -> list[str]:
    """Who is farther than `limit` from the middle value that most are near; everybody where most are near nothing."""
    middle = sorted(told.values())[len(told) // 2]
    against = [provider for provider, value in told.items() if abs(value - middle) > limit]
    return against if 2 * len(against) < len(told) else list(told)


def _is_enough(keys: Sequence[str], rule: Arbitration, of: Universe) -> bool:
    """Whether so many contracts make a fault: an underlying alone does."""
    return len(keys) >= rule.apart_min or any(key in of.listed for key in keys)


def lost(split: Split, rule: Arbitration, of: Universe) -> Iterator[tuple[str, str]]:
    """Who was outvoted for long on enough contracts, and what to say of it."""
    for provider, keys in split.lost.items():
        if _is_enough(keys, rule, of):
            yield provider, f"{OUTVOTED} on {counted(len(keys), 'contract')}, {min(keys)} the first"


def is_tied(split: Split, rule: Arbitration, of: Universe) -> bool:
    """Whether there is no majority on enough contracts."""
    return _is_enough(split.tied, rule, of)
