"""A provider's words folded into its board: what is dropped and counted, what comes in doubt and how it leaves it."""

import pytest
from msgspec.structs import replace

from participant.core.board import CONTRACTS_MAX, CROSSED, OUTLIER, REPEATED, Board, Fold, latency_step, value_of
from participant.core.feed_report import percentile_ms
from participant.core.feed_rules import Arbitration, in_lockstep
from participant.core.market import SECOND, Down, Mark, Tick, Ticks

T0 = 1_795_580_000 * SECOND
RULE = Arbitration()
QUOTE = Tick("a", 100_000, 101_000, 75, 75, 0, T0)


def at(second: float, **other: int) -> Tick:
    """The quote at a second, with other figures."""
    return replace(QUOTE, exchange_at=T0 + int(second * SECOND), **other)


def scaled(second: float, up: float) -> Tick:
    return at(second, bid=round(QUOTE.bid * up), ask=round(QUOTE.ask * up))


def fold(*ticks: Tick, rule: Arbitration = RULE) -> Fold:
    """A board that was told the quote as its whole book, and then each tick as it was made."""
    made = Fold(Board("one"), rule)
    made.take([Ticks("one", T0, (QUOTE,), is_snapshot=True)])
    for tick in ticks:
        made.take([Ticks("one", max(T0, tick.exchange_at), (tick,))])
    return made


def test_duplicates_and_late_words_are_dropped_and_counted() -> None:
    board = fold(at(1, bid=99_000), at(1, bid=99_000), at(0.5, bid=98_000)).board()
    assert board.ticks["a"].bid == 99_000
    assert (board.tally.duplicates, board.tally.late, board.tally.ticks) == (1, 1, 4)
    assert board.tally.backwards == 0


def test_a_word_from_more_than_a_minute_before_is_counted_apart() -> None:
    assert fold(at(61), at(0.5)).board().tally.backwards == 1


@pytest.mark.parametrize("wrong", [{"bid": -1}, {"ask_size": -75}, {"last": -1}])
def test_a_negative_figure_is_refused(wrong: dict[str, int]) -> None:
    board = fold(at(1, **wrong)).board()
    assert (board.ticks["a"], board.tally.odd) == (QUOTE, 1)


def test_what_is_dated_later_than_our_clock_allows_is_refused() -> None:
    made = fold()
    made.take([Ticks("one", T0, (at(1.9), at(2.1))), Mark("one", T0, T0 + 3 * SECOND)])
    board = made.board()
    assert (board.ticks["a"].exchange_at, board.tally.ahead, board.marked_at) == (T0 + 1.9 * SECOND, 2, 0)


def test_the_same_prices_again_are_no_move() -> None:
    made = fold()
    made.changed.clear()
    made.take([Ticks("one", T0 + SECOND, (at(1),))])
    assert made.board().changed == set()
    made.take([Ticks("one", T0 + 2 * SECOND, (at(2, ask_size=150),))])
    assert made.board().changed == {"a"}


def test_a_crossed_quote_is_in_doubt_until_it_is_not() -> None:
    made = fold(at(1, ask=QUOTE.bid))
    assert made.board().doubts["a"].kind == CROSSED
    made.take([Ticks("one", T0 + 2 * SECOND, (at(2),))])
    assert (made.board().doubts, made.board().tally.odd) == ({}, 1)


def test_an_outlier_is_in_doubt_and_forgotten_once_the_old_value_is_back() -> None:
    assert fold(scaled(1, 10)).board().doubts["a"].kind == OUTLIER
    assert fold(scaled(1, 10), at(1.1)).board().doubts == {}


DARK = {"bid": 0, "ask": 0, "bid_size": 0, "ask_size": 0}


@pytest.mark.parametrize("dark", [DARK, {"ask": 0, "ask_size": 0}, {"bid": 0, "bid_size": 0}])
def test_a_word_without_a_value_between_does_not_hide_an_outlier(dark: dict[str, int]) -> None:
    """A refused row voids its contract: what came next was believed at once, whatever it said."""
    for up in (10, 0.4):
        doubt = fold(at(1, **dark), at(2, **dark), scaled(3, up)).board().doubts["a"]
        assert (doubt.kind, doubt.anchor, doubt.is_soon) == (OUTLIER, value_of(QUOTE), True)
    assert not fold(at(1, **dark), at(20, **dark), scaled(21, 10)).board().doubts["a"].is_soon
    board = fold(at(1, **dark), at(2)).board()
    assert (board.doubts, board.dark) == ({}, {})
    made = fold(at(1, **dark))
    made.take([Down("one", T0 + SECOND, "cut")])
    assert made.board().dark == {}


def test_what_a_whole_book_left_out_is_held_against_its_last_worth() -> None:
    made, other = fold(), replace(QUOTE, contract="b")
    for second, ticks in ((1, (other,)), (2, (other,)), (3, (other, scaled(3, 10)))):
        made.take([Ticks("one", T0 + second * SECOND, ticks, is_snapshot=True)])
    assert (made.doubts["a"].kind, made.doubts["a"].anchor, made.doubts["a"].is_soon) == (
        OUTLIER,
        value_of(QUOTE),
        True,
    )


def test_an_outlier_said_again_later_counts_and_in_the_end_is_the_value() -> None:
    assert fold(scaled(1, 10), scaled(1.2, 10)).board().doubts["a"].kind == OUTLIER
    assert fold(scaled(1, 10), scaled(1.3, 10)).board().doubts["a"].kind == REPEATED
    assert fold(scaled(1, 10), scaled(1.3, 10), scaled(3.3, 10)).board().doubts == {}
    assert fold(scaled(1, 10), scaled(1.3, 10), rule=in_lockstep(RULE)).board().doubts == {}


def test_another_jump_begins_anew() -> None:
    board = fold(scaled(1, 10), scaled(1.3, 100)).board()
    assert (board.doubts["a"].kind, board.doubts["a"].anchor, board.tally.odd) == (OUTLIER, value_of(QUOTE), 2)


def test_a_move_by_two_ticks_or_a_fifth_is_no_jump() -> None:
    assert fold(at(1, bid=118_000, ask=119_000)).board().doubts == {}
    cheap = Tick("b", 500, 1_000, 75, 75, 0, T0)
    made = Fold(Board("one"), RULE)
    made.take([Ticks("one", T0, (cheap,), is_snapshot=True)])
    made.take([Ticks("one", T0, (replace(cheap, bid=1_000, ask=1_500, exchange_at=T0 + 1),))])
    assert made.board().doubts == {}


def test_a_jump_long_after_the_last_word_is_not_counted_as_odd() -> None:
    board = fold(scaled(60, 10)).board()
    assert (board.doubts["a"].is_soon, board.tally.odd) == (False, 0)


def test_a_whole_book_after_another_is_compared_with_it_and_still_replaces_it() -> None:
    made = fold()
    made.take([Ticks("one", T0, (QUOTE, replace(QUOTE, contract="b")), is_snapshot=True)])
    made.changed.clear()
    for second, up in ((1, 1), (2, 10), (2.1, 10)):
        made.take([Ticks("one", T0 + int(second * SECOND), (scaled(second, up),), is_snapshot=True)])
        assert made.changed == (set() if up == 1 else {"a"})
        assert list(made.board().ticks) == ["a"]
    assert (made.doubts["a"].kind, made.board().tally.odd) == (OUTLIER, 1)
    made.take([Ticks("one", T0 + 3 * SECOND, (scaled(3, 10),), is_snapshot=True)])
    assert made.doubts["a"].kind == REPEATED
    made.take([Ticks("one", T0 + 4 * SECOND, (), is_snapshot=True)])
    assert (made.doubts, made.board().ticks) == ({}, {})


def test_a_board_holds_no_more_contracts_than_a_market_has() -> None:
    made = fold(at(1, bid=99_000))
    made.take([Ticks("one", T0, tuple(replace(QUOTE, contract=str(n)) for n in range(CONTRACTS_MAX)))])
    made.take([Ticks("one", T0 + 2 * SECOND, (at(2, bid=98_000),))])
    board = made.board()
    assert (len(board.ticks), board.ticks["a"].bid, board.tally.odd) == (CONTRACTS_MAX, 98_000, 1)


def test_a_lost_link_voids_the_doubts_too_and_is_counted() -> None:
    made = fold(scaled(1, 10))
    made.take([Down("one", T0 + SECOND, "cut"), Down("one", T0 + SECOND, "cut")])
    board = made.board()
    assert (board.ticks, board.doubts, board.changed, board.tally.gaps) == ({}, {}, set(), 1)
    assert board.down_reason == "cut"


def test_delays_are_told_to_a_fifth() -> None:
    made = fold()
    for ms in (1, 1, 1, 40):
        made.take([Mark("one", T0 + ms * 1_000_000, T0)])
    latency = made.board().latency
    assert 1.0 <= percentile_ms(latency, 0.5) <= 1.2
    assert 40 <= percentile_ms(latency, 1.0) <= 48
    assert (latency_step(0), percentile_ms((), 0.5)) == (0, 0.0)
