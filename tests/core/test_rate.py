"""The rate of messages: never more than the windows allow, whatever the clock does, and a halt's cancels go first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.limits import Limits
from participant.core.market import SECOND
from participant.core.rate import MINUTE, Bucket, spend, started, wait

LIMITS = Limits()
MS = 1_000_000
FRESH = Bucket((), 0, 0)


def gone(readings: list[int], bucket: Bucket, *, is_halt: bool = False, limits: Limits = LIMITS) -> list[int]:
    """The readings at which a message went, of those at which one was wanted."""
    sent = []
    for now in readings:
        if wait(bucket, now, limits, is_halt=is_halt) == 0:
            bucket = spend(bucket, now)
            sent.append(bucket.sent[-1])
    return sent


def most_within(sent: list[int], window: int) -> int:
    return max((sum(1 for at in sent if start <= at < start + window) for start in sent), default=0)


def test_of_a_burst_of_a_thousand_only_so_many_go_at_once() -> None:
    assert len(gone([SECOND] * 1_000, FRESH)) == 6
    assert len(gone([SECOND] * 1_000, FRESH, is_halt=True)) == 8


@given(st.lists(st.integers(-2 * SECOND, 2 * SECOND), min_size=20, max_size=400), st.booleans())
def test_no_sliding_second_or_minute_holds_more_than_its_limit_even_where_the_clock_steps_back(
    steps: list[int], is_halt: bool
) -> None:
    readings, now = [], 10 * SECOND
    for step in steps:
        now += step
        readings.append(now)
    sent = gone(readings, FRESH, is_halt=is_halt)
    assert sent == sorted(sent)
    assert most_within(sent, SECOND) <= (8 if is_halt else 6)
    assert most_within(sent, MINUTE) <= (120 if is_halt else 118)


@given(st.lists(st.tuples(st.integers(0, SECOND // 2), st.booleans()), max_size=300))
def test_orders_and_cancels_together_stay_within_the_second(wanted: list[tuple[int, bool]]) -> None:
    bucket, now, sent = FRESH, 0, []
    for step, is_halt in wanted:
        now += step
        if wait(bucket, now, LIMITS, is_halt=is_halt) == 0:
            bucket = spend(bucket, now)
            sent.append(now)
    assert most_within(sent, SECOND) <= 8


@pytest.mark.parametrize(("after", "goes"), [(SECOND - 1, False), (SECOND, True)])
def test_room_comes_back_when_the_second_is_over_to_the_nanosecond(after: int, goes: bool) -> None:
    bucket = FRESH
    for _ in range(8):
        bucket = spend(bucket, 0)
    assert (wait(bucket, after, LIMITS) == 0) is goes
    assert wait(bucket, 0, LIMITS) == SECOND


def test_a_halts_cancel_finds_room_where_orders_have_used_up_theirs() -> None:
    bucket = FRESH
    for _ in range(6):
        bucket = spend(bucket, 0)
    assert wait(bucket, 0, LIMITS) == SECOND
    assert wait(bucket, 0, LIMITS, is_halt=True) == 0


def test_the_minute_binds_where_the_second_does_not() -> None:
    sent = gone([i * 250 * MS for i in range(4 * 90)], FRESH)
    assert sum(at < MINUTE for at in sent) == 118
    assert wait(Bucket(tuple(range(118)), 118, 117), 30 * SECOND, LIMITS) == 30 * SECOND


def test_a_used_up_day_does_not_come_back_and_does_not_stop_a_halt() -> None:
    bucket = Bucket((), 1_998, 0)
    assert wait(bucket, 0, LIMITS) is None
    assert wait(bucket, 0, LIMITS, is_halt=True) == 0
    assert wait(Bucket((), 1_997, 0), 0, LIMITS) == 0


def test_after_a_start_the_last_second_counts_as_full() -> None:
    bucket = started(5 * SECOND, LIMITS, 40)
    assert (wait(bucket, 5 * SECOND, LIMITS), bucket.today) == (SECOND, 40)
    assert wait(bucket, 5 * SECOND, LIMITS, is_halt=True) == SECOND
    assert wait(bucket, 6 * SECOND, LIMITS) == 0


def test_a_clock_that_went_back_frees_nothing() -> None:
    bucket = FRESH
    for _ in range(8):
        bucket = spend(bucket, 10 * SECOND)
    assert wait(bucket, 0, LIMITS) == SECOND
    assert spend(bucket, 0).at == 10 * SECOND
