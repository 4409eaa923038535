"""What feeds say becomes boards, the boards a belief, and the believed board a market state."""

import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.market import (
    SECOND,
    Arbitration,
    Belief,
    Board,
    Down,
    FeedEvent,
    Held,
    LookBack,
    Mark,
    Quote,
    Tick,
    Ticks,
    arbitrate,
    observe,
    snapshot,
)
from participant.core.scrip import Contract
from tests.core.desk import CALL, FAR_CALL, FUTURE, NOW, PUT, SPOT

CONTRACTS = [FAR_CALL, PUT, CALL, FUTURE]
RULE = Arbitration(silence_max_s=3.0, well_before_return_s=20.0)
EMPTY = Board("one")


def tick(contract: str, bid: int = 100, at: int = NOW) -> Tick:
    return Tick(contract, bid, bid + 10, 75, 150, 0, at)


def spot(last: int = SPOT, at: int = NOW) -> Tick:
    return Tick("NIFTY", 0, 0, 0, 0, last, at)


def whole(at: int, *ticks: Tick, provider: str = "one") -> Ticks:
    return Ticks(provider, at, ticks, is_snapshot=True)


def fold(events: list[FeedEvent], board: Board = EMPTY) -> Board:
    for event in events:
        board = observe(board, event, 3 * SECOND)
    return board


# --- quotes ---


@pytest.mark.parametrize(
    ("quote", "is_valid"),
    [
        (Quote(1, 2, 1, 1, 0), True),
        (Quote(0, 2, 1, 1, 0), False),
        (Quote(2, 2, 1, 1, 0), False),
        (Quote(3, 2, 1, 1, 0), False),
        (Quote(1, 2, 0, 1, 0), False),
        (Quote(1, 2, 1, 0, 0), False),
    ],
)
def test_a_quote_is_valid_when_two_sided_and_neither_crossed_nor_locked(quote: Quote, is_valid: bool) -> None:
    assert quote.is_valid is is_valid


def test_the_middle_is_rounded_down() -> None:
    assert Quote(1, 4, 1, 1, 0).mid == 2


# --- observe ---


def test_a_tick_older_than_the_one_held_is_dropped() -> None:
    board = fold([whole(1, tick("a", 100, at=5)), Ticks("one", 2, (tick("a", 90, at=4), tick("b", 7, at=1)))])
    assert (board.ticks["a"].bid, board.ticks["b"].bid) == (100, 7)


def test_of_two_ticks_at_one_instant_the_later_word_stands() -> None:
    board = fold([whole(1, tick("a", 100, at=5)), Ticks("one", 2, (tick("a", 90, at=5),))])
    assert board.ticks["a"].bid == 90


def test_an_older_tick_later_in_the_same_message_is_dropped_too() -> None:
    assert fold([whole(1, tick("a", 100, at=5), tick("a", 90, at=4))]).ticks["a"].bid == 100


def test_a_snapshot_replaces_the_whole_book() -> None:
    board = fold([whole(1, tick("a", at=9), tick("b")), whole(2, tick("a", 50, at=3))])
    assert board.ticks == {"a": tick("a", 50, at=3)}


def test_a_book_stands_from_its_first_snapshot_on() -> None:
    assert not fold([Ticks("one", 1, (tick("a"),)), Held("one", 2), Mark("one", 3, 3)]).is_standing
    assert fold([whole(1, tick("a")), Ticks("one", 2, (tick("b"),))]).is_standing


def test_a_lost_link_voids_the_book_until_a_new_snapshot() -> None:
    board = fold([whole(1, tick("a")), Mark("one", 2, 7), Down("one", 3, "cut")])
    assert (board.ticks, board.is_standing, board.healthy_since, board.marked_at) == ({}, False, 0, 7)
    later = fold([Ticks("one", 4, (tick("b"),))], board)
    assert not later.is_standing
    assert fold([whole(5, tick("c"))], later).ticks == {"c": tick("c")}


def test_what_a_provider_held_stands_and_it_is_alive() -> None:
    board = fold([whole(SECOND, tick("a")), Held("one", 2 * SECOND)])
    assert (board.ticks, board.received_at) == ({"a": tick("a")}, 2 * SECOND)


def test_marks_and_times_never_go_back() -> None:
    board = fold([whole(9, tick("a")), Mark("one", 9, 9), Mark("one", 8, 8)])
    assert (board.marked_at, board.received_at) == (9, 9)


def test_a_provider_is_healthy_since_it_last_came_back() -> None:
    start: list[FeedEvent] = [whole(10 * SECOND, tick("a")), Held("one", 12 * SECOND), Held("one", 15 * SECOND)]
    assert fold(start).healthy_since == 10 * SECOND
    assert fold([*start, Held("one", 18 * SECOND + 1)]).healthy_since == 18 * SECOND + 1
    lost: list[FeedEvent] = [*start, Down("one", 16 * SECOND, "cut"), Held("one", 17 * SECOND), whole(18 * SECOND)]
    assert fold([*lost, Held("one", 19 * SECOND)]).healthy_since == 18 * SECOND


# --- arbitrate ---


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
            boards[event.provider] = observe(boards[event.provider], event, int(RULE.silence_max_s * SECOND))
        before, belief = belief, arbitrate([boards[n] for n in names], belief, at, RULE)
        well = [n for n in names if boards[n].is_standing and at - boards[n].received_at <= 3 * SECOND]
        assert (belief.provider in well) if well else not belief.provider
        if before.provider and belief.provider and names.index(belief.provider) < names.index(before.provider):
            assert before.provider not in well or at - boards[belief.provider].healthy_since >= 20 * SECOND
            if before.provider in well:
                rises[belief.provider].append(at)
    for times in rises.values():
        assert all(later - earlier >= 20 * SECOND for earlier, later in pairwise(times))


# --- states ---

TICKS = (spot(), tick(FUTURE.key, 2_000), tick(CALL.key, 300), tick(PUT.key, 400), tick(FAR_CALL.key, 50))


def test_a_state_holds_futures_and_chains_in_order() -> None:
    state = snapshot(fold([whole(NOW + 5, *TICKS)]), Reference("NIFTY", tuple(CONTRACTS), LookBack((1,))))
    assert state is not None
    assert (state.scrip, state.spot, state.provider, state.received_at) == ("NIFTY", SPOT, "one", NOW + 5)
    assert [f.contract for f in state.futures] == [FUTURE]
    assert [row.strike for row in state.chains[0].strikes] == [PUT.strike, CALL.strike, FAR_CALL.strike]
    assert [(c, q.bid) for c, q in state.options()] == [(PUT, 400), (CALL, 300), (FAR_CALL, 50)]


def test_a_quote_is_found_by_the_key_of_its_contract() -> None:
    state = snapshot(fold([whole(NOW, *TICKS[:3])]), Reference("NIFTY", tuple(CONTRACTS), LookBack()))
    assert state is not None
    assert state.quote(FUTURE.key) == Quote(2_000, 2_010, 75, 150, NOW)
    assert state.quote(CALL.key) == Quote(300, 310, 75, 150, NOW)
    assert state.quote(PUT.key) is None


@pytest.mark.parametrize("ticks", [(), (tick(CALL.key),), (spot(0),)])
def test_without_a_spot_there_is_no_state(ticks: tuple[Tick, ...]) -> None:
    assert snapshot(fold([whole(NOW, *ticks)]), Reference("NIFTY", tuple(CONTRACTS), LookBack())) is None


@given(st.permutations(TICKS), st.permutations(CONTRACTS), st.integers(0, 10**9))
def test_the_id_of_a_snapshot_covers_the_content_alone(
    ticks: list[Tick], contracts: list[Contract], delay: int
) -> None:
    one = fold([whole(NOW, *TICKS), Mark("one", NOW, NOW)])
    other = fold([whole(NOW + delay, *ticks), Mark("two", NOW + delay, NOW)], Board("two"))
    states = [snapshot(b, Reference("NIFTY", tuple(c), LookBack())) for b, c in ((one, CONTRACTS), (other, contracts))]
    assert states[0] is not None
    assert states[1] is not None
    assert states[0].snapshot_id == states[1].snapshot_id
    assert states[1] == replace(states[0], provider="two", received_at=NOW + delay)


@pytest.mark.parametrize(
    "event",
    [
        Ticks("one", NOW, (tick(CALL.key, 301),)),
        Ticks("one", NOW, (spot(SPOT + 1),)),
        Mark("one", NOW, NOW + 1),
    ],
)
def test_other_content_has_another_id(event: FeedEvent) -> None:
    boards = fold([whole(NOW, *TICKS)]), fold([whole(NOW, *TICKS), event])
    one, other = (snapshot(b, Reference("NIFTY", tuple(CONTRACTS), LookBack())) for b in boards)
    assert one is not None
    assert other is not None
    assert one.snapshot_id != other.snapshot_id


def test_a_state_bears_the_later_of_its_mark_and_its_spot() -> None:
    state = snapshot(
        fold([whole(NOW, *TICKS), Mark("one", NOW, NOW + 7)]), Reference("NIFTY", tuple(CONTRACTS), LookBack())
    )
    assert state is not None
    assert state.exchange_at == NOW + 7


def test_expiries_stand_in_order() -> None:
    later = replace(CALL, expiry=CALL.expiry + datetime.timedelta(days=7))
    ticks = (spot(), tick(later.key), tick(CALL.key))
    state = snapshot(fold([whole(NOW, *ticks)]), Reference("NIFTY", (later, CALL), LookBack()))
    assert state is not None
    assert [chain.expiry for chain in state.chains] == [CALL.expiry, later.expiry]
