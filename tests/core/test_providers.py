"""Which provider is believed, and how the feeds stand."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.board import Board, observe
from participant.core.feed_rules import Arbitration
from participant.core.market import SECOND, Down, FeedEvent, Held, Mark, Tick, Ticks
from participant.core.providers import (
    Belief,
    FeedStatus,
    arbitrate,
    ended_instant,
    feed_status,
    without_the_silent,
)
from tests.core.desk import NOW

RULE = Arbitration(silence_max_s=3.0, well_before_return_s=20.0)


# --- belief ---


def tick_of(contract: str) -> Tick:
    return Tick(contract, 100, 110, 75, 75, 0, 1)


def board(name: str, received_s: float, healthy_s: float = 1.0, *, is_standing: bool = True) -> Board:
    return Board(name, {}, int(received_s * SECOND), 0, int(healthy_s * SECOND), is_standing)


def believed(belief: Belief, at_s: float, *boards: Board) -> Belief:
    return arbitrate(boards, belief, int(at_s * SECOND), RULE)


def test_the_first_in_priority_is_believed_first() -> None:
    assert believed(Belief(), 2, board("one", 2), board("two", 2)).provider == "one"
    assert believed(Belief(), 2, board("one", 2, is_standing=False), board("two", 2)).provider == "two"


def test_a_silent_provider_is_left_at_once() -> None:
    belief = Belief("one", 1, "")
    assert believed(belief, 5, board("one", 2), board("two", 5)) is belief
    after = believed(belief, 5.001, board("one", 2), board("two", 5))
    assert after == Belief("two", int(5.001 * SECOND), "one fell silent")


def test_a_better_provider_is_believed_again_once_it_has_been_well_long_enough() -> None:
    belief = Belief("two", 1, "")
    assert believed(belief, 29.999, board("one", 29, 10), board("two", 29)) is belief
    after = believed(belief, 30, board("one", 29, 10), board("two", 29))
    assert after == Belief("one", 30 * SECOND, "one is well again")


def test_the_best_of_those_that_are_settled_is_believed() -> None:
    belief, two, three = Belief("three", 1, ""), board("two", 29, 5), board("three", 29)
    assert believed(belief, 30, board("one", 29, 15), two, three).provider == "two"
    assert believed(belief, 30, board("one", 29, 10), two, three).provider == "one"


def test_with_nobody_well_the_belief_is_in_nobody_until_somebody_is() -> None:
    nobody = believed(Belief("one", 1, ""), 9, board("one", 2), board("two", 2))
    assert (nobody.provider, nobody.reason) == ("", "no provider is well")
    assert believed(nobody, 10, board("one", 2), board("two", 2)) is nobody
    assert believed(nobody, 10, board("one", 2), board("two", 10)).reason == "two is well again"


def test_before_anybody_spoke_there_is_nothing_to_change() -> None:
    assert believed(Belief(), 9, board("one", 9, is_standing=False)) == Belief()


@st.composite
def days(draw: st.DrawFn) -> list[list[FeedEvent]]:
    """Two minutes of three providers, second by second: each speaks, is silent, or loses its link and comes back."""
    moods = [draw(st.lists(st.sampled_from("tttttttt-!"), min_size=120, max_size=120)) for _ in range(3)]
    seconds = []
    for i in range(120):
        events: list[FeedEvent] = []
        at = NOW + i * SECOND
        for name, mood in zip(("one", "two", "three"), moods, strict=True):
            if mood[i] == "!":
                events.append(Down(name, at, "cut"))
            elif mood[i] == "t":
                is_first = i == 0 or mood[i - 1] == "!"
                events.append(Ticks(name, at, (), is_snapshot=is_first) if is_first else Held(name, at))
        seconds.append(events)
    return seconds


@given(days())
def test_belief_steps_down_at_once_and_never_flaps_up(seconds: list[list[FeedEvent]]) -> None:
    names = ["one", "two", "three"]
    boards, belief, rises = {n: Board(n) for n in names}, Belief(), {n: list[int]() for n in names}
    for i, events in enumerate(seconds):
        at = NOW + i * SECOND
        for event in events:
            boards[event.provider] = observe(boards[event.provider], event, RULE)
        before, belief = belief, arbitrate([boards[n] for n in names], belief, at, RULE)
        well = [n for n in names if boards[n].is_standing and at - boards[n].received_at <= 3 * SECOND]
        assert (belief.provider in well) if well else not belief.provider
        if before.provider and belief.provider and names.index(belief.provider) < names.index(before.provider):
            assert before.provider not in well or at - boards[belief.provider].healthy_since >= 20 * SECOND
            if before.provider in well:
                rises[belief.provider].append(at)
    for times in rises.values():
        assert all(later - earlier >= 20 * SECOND for earlier, later in pairwise(times))


# --- how the feeds stand ---


def status(at_s: float, *boards: Board, changes: tuple[Belief, ...] = ()) -> FeedStatus:
    return feed_status(boards, changes, int(at_s * SECOND), RULE)


def test_the_feeds_show_who_is_believed_who_is_well_and_every_change() -> None:
    changes = (Belief("one", 1, "the session began"), Belief("two", 5, "one fell silent"))
    said = status(9, board("one", 2), board("two", 8), board("three", 9), changes=changes)
    assert (said.at, said.belief, said.well, said.changes) == (9 * SECOND, changes[1], ("two", "three"), changes)
    assert said.silent_since == 0


def test_with_nobody_believed_the_feeds_show_since_when() -> None:
    assert (
        status(9, board("one", 2), changes=(Belief("", 6 * SECOND, "no provider is well"),)).silent_since == 6 * SECOND
    )


def test_before_anybody_was_believed_the_silence_begins_now() -> None:
    said = status(9, board("one", 9, is_standing=False))
    assert (said.belief, said.well, said.silent_since) == (Belief(), (), 9 * SECOND)


# --- the end of an instant, in lockstep ---


def marked(name: str, at: int, *, is_given_up: bool = False) -> Board:
    return Board(name, {}, at, at, 0, is_standing=True, is_given_up=is_given_up)


def test_an_instant_has_ended_when_the_slowest_provider_has_ended_it() -> None:
    assert ended_instant([marked("one", 7), marked("two", 5), marked("three", 6)]) == 5
    assert ended_instant([marked("one", 7), marked("two", 0)]) == 0
    assert ended_instant([]) == 0


def test_nobody_waits_for_a_provider_that_was_given_up() -> None:
    assert ended_instant([marked("one", 7), marked("two", 5, is_given_up=True)]) == 7
    assert ended_instant([marked("two", 5, is_given_up=True)]) == 0


def test_while_no_book_stands_no_instant_has_ended() -> None:
    lost = [replace(marked(n, 7), is_standing=False) for n in ("one", "two")]
    assert ended_instant(lost) == 0
    assert ended_instant([*lost, marked("three", 7)]) == 7


def test_those_who_lag_behind_the_newest_instant_are_given_up_and_void() -> None:
    late = replace(marked("two", 5), ticks={"a": tick_of("a")}, received_at=4)
    after = without_the_silent({"one": marked("one", 7), "two": late, "three": marked("three", 7)})
    assert after["one"] == marked("one", 7)
    assert after["three"] == marked("three", 7)
    assert after["two"] == Board("two", {}, 4, 5, is_given_up=True)
    assert ended_instant(list(after.values())) == 7


def test_where_all_stand_at_the_same_instant_nobody_is_given_up() -> None:
    boards = {"one": marked("one", 7), "two": marked("two", 7)}
    assert without_the_silent(boards) == boards


def test_a_provider_that_was_given_up_counts_again_from_its_next_whole_book_on() -> None:
    lost = without_the_silent({"one": marked("one", 7), "two": marked("two", 5)})["two"]
    marks = observe(observe(lost, Ticks("two", 8, (tick_of("a"),))), Mark("two", 8, 8))
    assert (marks.is_given_up, marks.is_standing, marks.marked_at) == (True, False, 8)
    cut = observe(marks, Down("two", 9, "cut"))
    assert cut.is_given_up
    back = observe(cut, Ticks("two", 10, (tick_of("a"),), is_snapshot=True))
    assert (back.is_given_up, back.is_standing) == (False, True)
