"""One judgement of all providers: look at their boards, say who is at fault, whom to believe and what to keep back."""

from collections import Counter
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.board import CROSSED, OUTLIER, Board, Doubt, is_as_new, is_near, value_of
from participant.core.feed_contracts import Universe
from participant.core.feed_looks import Looks, is_refuted, look
from participant.core.feed_rules import NEVER_S, Arbitration
from participant.core.market import SECOND, Tick
from participant.core.providers import (
    Belief,
    FeedStatus,
    Provider,
    Record,
    Standing,
    State,
    arbitrate,
    feed_status,
    is_well,
    kept,
    recorded,
    standings,
)

LOOK_EVERY_S, JUDGE_EVERY_S = 0.25, 0.02
REASONS_MAX, OTHER_REASONS = 20, "other reasons"


class Judgement(Struct, frozen=True):
    """What was judged last, and all that the next judgement remembers. `spent` is ns by provider and state.

    `held` counts by scrip the states that were kept back, `hidden` the quotes that were left out of states.
    """

    at: int = 0
    heard: tuple[bool, ...] = ()
    belief: Belief = Belief()
    changes: tuple[Belief, ...] = ()
    events: tuple[Standing, ...] = ()
    standings: tuple[Standing, ...] = ()
    record: Record = Record()
    looks: Looks = Looks()
    spent: Mapping[str, Mapping[str, int]] = {}
    disputed_since: int = 0
    held: Mapping[str, int] = {}
    hidden: int = 0


def judge(told: Mapping[str, Board], before: Judgement, at: int, rule: Arbitration, of: Universe) -> Judgement:
    """The judgement at `at` on the boards, in order of priority, made every JUDGE_EVERY_S.

    The boards are looked at every LOOK_EVERY_S. Both are done at once where a provider comes to stand or falls. When
    `looks.at` is new, what moved on the boards was looked at, and is to be forgotten.
    """
    boards = list(told.values())
    heard = tuple([is_well(b, at, rule) for b in boards])
    if heard == before.heard and 0 < at - before.at < JUDGE_EVERY_S * SECOND:
        return before
    is_due = at - before.looks.at >= LOOK_EVERY_S * SECOND or heard != before.heard
    looks = look(boards, before.looks, at, rule, of) if is_due else before.looks
    fault_at = {**before.record.fault_at, **dict.fromkeys(looks.faults, looks.at)}
    record = replace(before.record, faults=looks.faults, fault_at=fault_at)
    belief = arbitrate(boards, before.belief, at, rule, record)
    record = recorded(record, before.belief, belief, at, rule)
    found = standings(boards, before.standings, belief, (at, rule, record))
    return replace(
        before,
        at=at,
        heard=heard,
        belief=belief,
        changes=before.changes if belief == before.belief else tuple(kept((*before.changes, belief))),
        events=tuple(kept((*before.events, *(s for s in found if s not in before.standings)))),
        standings=found,
        record=record,
        looks=looks,
        spent=_spent(before, at),
        disputed_since=(before.disputed_since or at) if looks.is_disputed else 0,
    )


def _spent(before: Judgement, at: int) -> Mapping[str, Mapping[str, int]]:
    """For how long each provider was in each state until now."""
    passed = at - before.at if before.at else 0
    if not passed:
        return before.spent
    of = {s.provider: Counter(before.spent.get(s.provider, {})) for s in before.standings}
    for standing in before.standings:
        of[standing.provider][standing.state.value] += passed
    return of


def status(
    told: Mapping[str, Board], found: Judgement, rule: Arbitration, dropped: Mapping[str, Mapping[str, int]]
) -> FeedStatus:
    """The feeds as a person is shown them, with all that was counted; `dropped` unread by provider and reason."""
    shown = feed_status(list(told.values()), found.changes, found.at, rule)
    ill = {s.provider for s in found.standings if s.state is State.QUARANTINED}
    return replace(
        shown,
        well=tuple(name for name in shown.well if name not in ill),
        providers=tuple(_shown(s, told[s.provider], found, dropped) for s in found.standings),
        events=found.events,
        disputed_since=found.disputed_since,
        held=found.held,
        hidden=found.hidden,
    )


def _shown(standing: Standing, board: Board, found: Judgement, dropped: Mapping[str, Mapping[str, int]]) -> Provider:
    name = standing.provider
    spent, counts = found.spent.get(name, {}), dict(dropped.get(name, {}))  # a copy: its feed goes on counting
    mine = Counter({reason: count for reason, count in counts.items() if count})
    most = dict(mine.most_common(REASONS_MAX))
    rest = {OTHER_REASONS: sum(mine.values()) - sum(most.values())} if len(mine) > REASONS_MAX else {}
    return Provider(standing, board.tally, tuple(board.latency), spent, most | rest)


def trusted(
    told: Mapping[str, Board], found: Judgement, rule: Arbitration, of: Universe
) -> tuple[Board, frozenset[str], Judgement]:
    """The believed board without the quotes in doubt; the scrips that nobody should decide on now; what was counted.

    A scrip is kept back whose underlying is in doubt, or stands still while its options trade.
    """
    believed = found.belief.provider
    hidden = _in_doubt(list(told.values()), found, rule)
    held = frozenset(s for s in of.listed if s in hidden or s in found.looks.frozen.get(believed, ()))
    board = told[believed]
    if hidden:
        board = replace(board, ticks={k: t for k, t in board.ticks.items() if k not in hidden})
    counted = {**found.held, **{s: found.held.get(s, 0) + 1 for s in held}}
    return board, held, replace(found, held=counted, hidden=found.hidden + len(hidden))


def _in_doubt(boards: Sequence[Board], found: Judgement, rule: Arbitration) -> frozenset[str]:
    """The contracts of the believed provider that nobody should decide on now.

    Crossed is what another quotes properly. What jumped waits until another says so too or, where nobody says
    otherwise, until it is said again; or, where it came long after the word before, for a moment. What is quoted off
    its contract's steps waits for another that says the same.
    """
    board = next(b for b in boards if b.provider == found.belief.provider)
    others = [b for b in boards if b is not board and is_well(b, found.at, rule)]
    young = found.at - rule.confirm_after_s * SECOND
    doubts = {key: replace(d, is_soon=True) if others and d.since > young else d for key, d in board.doubts.items()}
    doubted = {key for key, doubt in doubts.items() if _stands(key, doubt, board, others, rule)}
    doubted |= {key for key in board.off if (t := board.ticks.get(key)) is not None and _is_alone(t, others, rule)}
    return found.looks.wrong.get(board.provider, frozenset()) | doubted


def _is_alone(tick: Tick, others: Sequence[Board], rule: Arbitration) -> bool:
    """Whether no other says the same: prices off the steps of a contract may be the exchange's own all the same."""
    told = [word for b in others if (word := b.ticks.get(tick.contract)) is not None and is_as_new(word, tick)]
    if any((word.bid, word.ask) == (tick.bid, tick.ask) for word in told):
        return False
    return bool(told) or rule.ahead_max_s < NEVER_S


def _stands(key: str, doubt: Doubt, board: Board, others: Sequence[Board], rule: Arbitration) -> bool:
    if doubt.kind == CROSSED:
        return is_refuted(key, board, others)
    words = [b.ticks.get(key) for b in others]
    told = [v for tick in words if is_as_new(tick, board.ticks[key]) and (v := value_of(tick))]
    if any(is_near(doubt.value, other, rule.jump_share) for other in told):
        return False
    return bool(told) or (doubt.kind == OUTLIER and doubt.is_soon and rule.ahead_max_s < NEVER_S)


def is_unsettled(told: Mapping[str, Board], found: Judgement, at: int, rule: Arbitration) -> bool:
    """Whether something jumped a moment ago at the believed provider, and nobody else has said anything of it since."""
    board = told[found.belief.provider]
    others = [b for b in told.values() if b is not board and is_well(b, at, rule)]
    young = at - rule.confirm_after_s * SECOND
    return any(
        doubt.kind == OUTLIER
        and doubt.since > young
        and (doubt.is_soon or others)
        and not any(key in b.ticks and b.ticks[key].exchange_at >= board.ticks[key].exchange_at for b in others)
        for key, doubt in board.doubts.items()
    )
