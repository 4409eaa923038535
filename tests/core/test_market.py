"""What feeds say becomes boards, and a board a market state."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.board import Board, observe
from participant.core.feed_rules import NEVER_S, Arbitration
from participant.core.market import (
    SECOND,
    Down,
    FeedEvent,
    Held,
    LookBack,
    Mark,
    Provenance,
    Quote,
    Reference,
    Tick,
    Ticks,
)
from participant.core.scrip import Contract
from participant.core.snapshot import snapshot
from tests.core.desk import CALL, FAR_CALL, FUTURE, NOW, PUT, SPOT

CONTRACTS = [FAR_CALL, PUT, CALL, FUTURE]
RULE = Arbitration(silence_max_s=3.0, ahead_max_s=NEVER_S)
EMPTY = Board("one")


def tick(contract: str, bid: int = 100, at: int = NOW) -> Tick:
    return Tick(contract, bid, bid + 10, 75, 150, 0, at)


def spot(last: int = SPOT, at: int = NOW) -> Tick:
    return Tick("NIFTY", 0, 0, 0, 0, last, at)


def whole(at: int, *ticks: Tick, provider: str = "one") -> Ticks:
    return Ticks(provider, at, ticks, is_snapshot=True)


def fold(events: list[FeedEvent], board: Board = EMPTY) -> Board:
    for event in events:
        board = observe(board, event, RULE)
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
    assert (board.ticks, board.is_standing, board.healthy_since, board.marked_at) == ({}, False, 0, 0)
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


# --- where a state comes from ---


def test_what_no_exchange_quoted_is_marked() -> None:
    provenance = Provenance(("covers derived",), (FUTURE.key,))
    known = Reference("NIFTY", tuple(CONTRACTS), LookBack(), provenance)
    state, plain = (snapshot(fold([whole(NOW, *TICKS)]), r) for r in (known, replace(known, provenance=Provenance())))
    assert state is not None
    assert plain is not None
    assert (state.marks, [f.is_derived for f in state.futures]) == (("covers derived",), [True])
    assert (plain.marks, [f.is_derived for f in plain.futures]) == ((), [False])
    assert state.snapshot_id != plain.snapshot_id


def test_a_stock_has_a_quote_of_its_own_and_an_index_none() -> None:
    known = Reference("NIFTY", tuple(CONTRACTS), LookBack())
    stock = replace(spot(), bid=SPOT - 500, ask=SPOT + 500, bid_size=10, ask_size=20)
    states = [snapshot(fold([whole(NOW, *TICKS, said)]), known) for said in (spot(), stock)]
    quotes = [state.underlying for state in states if state is not None]
    assert quotes == [None, Quote(SPOT - 500, SPOT + 500, 10, 20, NOW)]
