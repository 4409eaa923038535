"""The breaker: our kill switch. It is evaluated every second, and what it cannot read it treats as OPEN."""

from enum import IntEnum

from msgspec import Struct


class Level(IntEnum):
    """CLOSED lets everything pass, REDUCE_ONLY what lowers the risk, OPEN nothing."""

    CLOSED = 0
    REDUCE_ONLY = 1
    OPEN = 2


class Halt(Struct, frozen=True):
    """What a person asked of the breaker, why and when (the machine's time); `is_severed` takes the broker away too."""

    level: Level
    why: str
    at: int
    is_severed: bool = False


NO_HALT = Halt(Level.CLOSED, "", 0)


class BreakerState(Struct, frozen=True):
    """Where the breaker stands and why. `at` is market time, `checked_at` the machine's time of the evaluation."""

    level: Level
    reasons: tuple[str, ...]
    at: int
    checked_at: int
    latched: tuple[str, ...] = ()


class Readings(Struct, frozen=True):
    """What the triggers look at. Moves and losses are fractions; `halted` is what a person asked for."""

    at: int
    checked_at: int
    halted: Level = Level.CLOSED
    halted_why: str = ""
    spot_move: float = 0.0
    day_loss: float = 0.0
    providers_well: int = 0
    providers_silent_s: float = 0.0
    is_disputed: bool = False
    unknown_count: int = 0
    unknown_oldest_s: float = 0.0
    overfilled: tuple[str, ...] = ()
    ticket_unanswered_s: float = 0.0
    break_cycles: int = 0
    foreign_orders: int = 0


class Triggers(Struct, frozen=True, forbid_unknown_fields=True):
    """When the breaker trips: the first figure of each pair is for REDUCE_ONLY, the second for OPEN."""

    spot_move: tuple[float, float] = (0.04, 0.07)
    day_loss: tuple[float, float] = (0.02, 0.03)
    providers_silent_s: tuple[float, float] = (10.0, 60.0)
    unknown_open_count: int = 2
    unknown_open_after_s: float = 180.0
    break_cycles: tuple[int, int] = (2, 5)
    stale_after_s: float = 5.0
    ticket_unanswered_s: float = 600.0


def evaluate(before: BreakerState | None, now: Readings, triggers: Triggers) -> BreakerState:
    """The breaker's new state. A loss or an overfill latches until a person resumes; the rest follows its cause."""
    found: list[tuple[Level, str]] = []
    if now.halted is not Level.CLOSED:
        found.append((now.halted, f"halted: {now.halted_why}"))
    found += _pair("index move", abs(now.spot_move), triggers.spot_move)
    found += _pair("seconds without a provider", now.providers_silent_s, triggers.providers_silent_s)
    if now.is_disputed:
        found.append((Level.REDUCE_ONLY, "providers differ, and too few are left for a vote"))
    if now.unknown_count >= triggers.unknown_open_count and now.unknown_oldest_s >= triggers.unknown_open_after_s:
        found.append((Level.OPEN, f"{now.unknown_count} orders unknown for {now.unknown_oldest_s:.0f} s"))
    if not now.ticket_unanswered_s < triggers.ticket_unanswered_s:
        found.append((Level.REDUCE_ONLY, f"a ticket unanswered for {triggers.ticket_unanswered_s:g} s"))
    found += _pair("cycles of a break with the broker", now.break_cycles, triggers.break_cycles)
    if now.foreign_orders:
        found.append((Level.REDUCE_ONLY, f"{now.foreign_orders} orders at the broker that are not ours"))
    latching = _pair("loss of the day", now.day_loss, triggers.day_loss)
    latching += [(Level.OPEN, f"order {o} filled beyond its quantity") for o in now.overfilled]
    kept = [(Level(int(text[0])), text[2:]) for text in (before.latched if before else ())]
    latched = _unique([*kept, *latching])
    found = _unique([*found, *latched])
    level = max((lv for lv, _ in found), default=Level.CLOSED)
    marks = tuple(f"{int(lv)} {why}" for lv, why in latched)
    return BreakerState(level, tuple(why for _, why in found), now.at, now.checked_at, marks)


def _pair(what: str, value: float, limits: tuple[float, float]) -> list[tuple[Level, str]]:
    reduce_only, opened = limits
    # A figure that is no number is below nothing, so it opens the breaker.
    if not value < opened:
        return [(Level.OPEN, f"{what} at least {opened:g}")]
    return [] if value < reduce_only else [(Level.REDUCE_ONLY, f"{what} at least {reduce_only:g}")]


def _unique(found: list[tuple[Level, str]]) -> list[tuple[Level, str]]:
    return list(dict.fromkeys(found))


def is_evaluated_since(state: BreakerState | None, at: int) -> bool:
    """Whether the breaker was evaluated at `at` (the machine's time) or later."""
    return state is not None and state.checked_at >= at


def effective(
    state: BreakerState | None, checked_by: int, triggers: Triggers, halt: Halt = NO_HALT
) -> tuple[Level, str]:
    """The level that the gateway must obey: OPEN where the state is missing or was not evaluated of late.

    What a person asked for holds at once, whether or not the evaluator lives to see it.
    """
    if halt.level is Level.OPEN or (state is not None and halt.level > state.level):
        return halt.level, f"halted: {halt.why}"
    if state is None:
        return Level.OPEN, "the breaker has never been evaluated"
    # A state from the future is none of this machine's clock: it would never grow old.
    if abs(checked_by - state.checked_at) > triggers.stale_after_s * 1_000_000_000:
        return Level.OPEN, f"the breaker was not evaluated for {triggers.stale_after_s:g} s"
    return state.level, "; ".join(state.reasons)
