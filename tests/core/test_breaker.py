"""The breaker: every trigger at both levels, what latches, and what cannot be read."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.breaker import BreakerState, Level, Readings, Triggers, effective, evaluate

CLOSED, REDUCE_ONLY, OPEN = Level.CLOSED, Level.REDUCE_ONLY, Level.OPEN
QUIET = Readings(at=1, checked_at=2, providers_well=3)
SECOND = 1_000_000_000


def after(**changes: Any) -> BreakerState:
    return evaluate(None, replace(QUIET, **changes), Triggers())


def test_nothing_trips_on_a_quiet_day() -> None:
    assert after() == BreakerState(CLOSED, (), 1, 2)


@pytest.mark.parametrize(
    ("reading", "value", "level"),
    [
        ("spot_move", 0.0399, CLOSED),
        ("spot_move", 0.04, REDUCE_ONLY),
        ("spot_move", -0.04, REDUCE_ONLY),
        ("spot_move", 0.0699, REDUCE_ONLY),
        ("spot_move", -0.07, OPEN),
        ("day_loss", 0.0199, CLOSED),
        ("day_loss", 0.02, REDUCE_ONLY),
        ("day_loss", 0.0299, REDUCE_ONLY),
        ("day_loss", 0.03, OPEN),
        ("day_loss", -1.0, CLOSED),
        ("break_cycles", 1, CLOSED),
        ("break_cycles", 2, REDUCE_ONLY),
        ("break_cycles", 4, REDUCE_ONLY),
        ("break_cycles", 5, OPEN),
        ("foreign_orders", 0, CLOSED),
        ("foreign_orders", 1, REDUCE_ONLY),
        ("providers_silent_s", 9.9, CLOSED),
        ("providers_silent_s", 10.0, REDUCE_ONLY),
        ("providers_silent_s", 59.9, REDUCE_ONLY),
        ("providers_silent_s", 60.0, OPEN),
        ("halted", REDUCE_ONLY, REDUCE_ONLY),
        ("halted", OPEN, OPEN),
        ("overfilled", ("o1",), OPEN),
    ],
)
def test_each_trigger_trips_from_its_figure_on(reading: str, value: object, level: Level) -> None:
    state = after(**{reading: value})
    assert state.level is level
    assert bool(state.reasons) is (level is not CLOSED)


@pytest.mark.parametrize("reading", ["spot_move", "day_loss", "providers_silent_s"])
def test_a_figure_that_is_no_number_opens_the_breaker(reading: str) -> None:
    assert after(**{reading: math.nan}).level is OPEN


@pytest.mark.parametrize(
    ("count", "oldest_s", "level"), [(1, 999.0, CLOSED), (2, 179.9, CLOSED), (2, 180.0, OPEN), (3, 181.0, OPEN)]
)
def test_several_orders_unknown_for_long_open_it(count: int, oldest_s: float, level: Level) -> None:
    assert after(unknown_count=count, unknown_oldest_s=oldest_s).level is level


def test_a_halt_says_who_asked() -> None:
    assert after(halted=OPEN, halted_why="Asha").reasons == ("halted: Asha",)


def test_the_highest_level_rules_and_every_reason_is_told() -> None:
    state = after(spot_move=0.05, providers_silent_s=61.0)
    assert state.level is OPEN
    assert len(state.reasons) == 2


@pytest.mark.parametrize("cause", [{"spot_move": 0.08}, {"providers_silent_s": 99.0}, {"halted": OPEN}])
def test_what_has_passed_closes_it_again(cause: dict[str, Any]) -> None:
    assert evaluate(after(**cause), QUIET, Triggers()).level is CLOSED


@pytest.mark.parametrize(
    ("cause", "level"),
    [({"day_loss": 0.025}, REDUCE_ONLY), ({"day_loss": 0.04}, OPEN), ({"overfilled": ("o1",)}, OPEN)],
)
def test_a_loss_or_an_overfill_latches_until_a_person_resumes(cause: dict[str, Any], level: Level) -> None:
    state = after(**cause)
    for _ in range(3):
        state = evaluate(state, QUIET, Triggers())
        assert (state.level, len(state.reasons)) == (level, 1)
    assert evaluate(None, QUIET, Triggers()).level is CLOSED


def test_a_cause_that_lasts_is_told_once() -> None:
    state = after(day_loss=0.04)
    assert evaluate(state, replace(QUIET, day_loss=0.05), Triggers()) == state


readings = st.builds(
    Readings,
    at=st.just(1),
    checked_at=st.just(2),
    halted=st.sampled_from(Level),
    spot_move=st.floats(-0.2, 0.2),
    day_loss=st.floats(-0.1, 0.1),
    providers_silent_s=st.floats(0, 100),
    unknown_count=st.integers(0, 4),
    unknown_oldest_s=st.floats(0, 400),
    overfilled=st.lists(st.sampled_from("ab"), unique=True, max_size=2).map(tuple),
)


@given(st.lists(readings, min_size=1, max_size=6))
def test_a_latched_level_never_falls_and_reasons_never_pile_up(seen: list[Readings]) -> None:
    state, floor = None, CLOSED
    for now in seen:
        state = evaluate(state, now, Triggers())
        latched = max((Level(int(mark[0])) for mark in state.latched), default=CLOSED)
        assert state.level >= latched >= floor
        assert (state.level is CLOSED) == (not state.reasons)
        floor = latched
    assert state is not None
    assert len(set(state.latched)) == len(state.latched) <= 4


# --- what the gateway must obey ---


def test_a_breaker_that_was_never_evaluated_is_open() -> None:
    assert effective(None, 0, Triggers()) == (OPEN, "the breaker has never been evaluated")


@pytest.mark.parametrize(
    ("age_ns", "level"), [(0, CLOSED), (5 * SECOND, CLOSED), (5 * SECOND + 1, OPEN), (-5 * SECOND - 1, OPEN)]
)
def test_a_breaker_that_was_not_evaluated_of_late_is_open(age_ns: int, level: Level) -> None:
    state = BreakerState(CLOSED, (), 1, 100 * SECOND)
    assert effective(state, 100 * SECOND + age_ns, Triggers())[0] is level


def test_a_fresh_breaker_is_obeyed_with_its_reasons() -> None:
    state = BreakerState(REDUCE_ONLY, ("a", "b"), 1, 0)
    assert effective(state, 0, Triggers()) == (REDUCE_ONLY, "a; b")
