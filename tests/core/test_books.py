"""Our books: what orders and fills tell of a position, the end of a day, and differences from the broker's."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.books import (
    CASH_TOLERANCE,
    Book,
    Break,
    closing_events,
    compare,
    equity,
    filled,
    our_book,
    report,
    their_book,
    view,
)
from participant.core.order import OPEN, OrderStatus, orders_of
from participant.core.position import Expired, Position, Settled, apply
from participant.core.scrip import PRICE_UNITS, money
from tests.core.desk import CALL, CRORE, DAY, EXPIRY, FUTURE, LOT, NOW, OPENING, position, sent, shown

S = OrderStatus
EMPTY = Position("NIFTY")


@pytest.mark.parametrize("status", S)
def test_a_report_says_what_filled_and_whether_it_is_over(status: S) -> None:
    order = sent(status, cum_quantity=25, cum_value=7, filled_at=NOW + 1)
    told = report(order)
    assert (told.cum_quantity, told.cum_value, told.at, told.is_final) == (25, 7, NOW + 1, status not in OPEN)
    assert filled(told, 3, DAY).charges == 3


def test_a_report_of_nothing_filled_bears_the_time_of_its_decision() -> None:
    assert report(sent(S.REJECTED)).at == NOW


# --- view ---


def test_a_fill_that_is_not_booked_yet_is_seen_and_its_rest_is_working() -> None:
    order = sent(S.PARTIAL, cum_quantity=25, cum_value=25 * 100_00)
    seen = view(EMPTY, [order], DAY)
    assert (seen.short_calls, [w.quantity for w in seen.working]) == (25, [-50])


@given(st.integers(0, LOT), st.integers(0, LOT), st.sampled_from(sorted(S)))
def test_a_fill_counts_once_whether_it_is_booked_or_not(booked: int, known: int, status: S) -> None:
    order = sent(status, cum_quantity=known, cum_value=known * 100)
    before, _ = apply(EMPTY, filled(report(replace(order, cum_quantity=booked, cum_value=booked * 100)), 9, DAY))
    seen = view(before, [order], DAY)
    assert seen.short_calls == max(booked, known)
    assert seen.charges == before.charges
    assert view(seen, [order], DAY) == seen


def test_orders_of_other_scrips_are_not_ours() -> None:
    assert view(EMPTY, [sent(S.PARTIAL, scrip="BANKNIFTY", cum_quantity=25)], DAY) == EMPTY


# --- equity ---


def test_equity_is_cash_and_options_at_their_marks_and_the_gain_of_futures_since_they_were_settled() -> None:
    held = position(cover=1, calls=1)
    marks = {FUTURE: 25_110 * PRICE_UNITS, CALL: 90 * PRICE_UNITS}
    assert equity(Account(CRORE, CRORE), [held], marks.__getitem__) == CRORE + 75 * 10_00 - 75 * 90_00
    assert equity(Account(CRORE, 5), [], marks.__getitem__) == 5


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.integers(1, 10**9))
def test_settling_a_future_moves_worth_into_cash_and_changes_no_equity(bought: int, settled: int, mark: int) -> None:
    order = replace(orders_of(OPENING)[0], cum_quantity=LOT, cum_value=money(bought, LOT))
    held, cash = apply(EMPTY, filled(report(order), 0, DAY))
    after, paid = apply(held, Settled(FUTURE, settled, NOW))
    before = equity(Account(0, cash), [held], lambda _: mark)
    assert equity(Account(0, cash + paid), [after], lambda _: mark) == before


# --- the end of a day ---


def test_at_the_end_of_a_day_futures_settle_and_on_expiry_everything_ends() -> None:
    held = position(cover=1, calls=1)
    official = {"NIFTY": 5, FUTURE.key: 6}
    assert closing_events(held, official, DAY, NOW) == [Settled(FUTURE, 6, NOW)]
    ends = closing_events(held, official, EXPIRY, NOW)
    assert set(ends) == {Expired(FUTURE, 5, NOW), Expired(CALL, 5, NOW)}


@pytest.mark.parametrize(("day", "official"), [(DAY, {"NIFTY": 5}), (EXPIRY, {FUTURE.key: 6})])
def test_a_settlement_price_that_is_missing_is_never_made_up(day: datetime.date, official: dict[str, int]) -> None:
    with pytest.raises(KeyError):
        closing_events(position(cover=1), official, day, NOW)


def test_what_is_settled_twice_is_paid_once() -> None:
    held = position(cover=1)
    events = closing_events(held, {FUTURE.key: 7}, DAY, NOW)
    once, _ = apply(held, events[0])
    assert apply(once, events[0]) == (once, 0)


# --- our book against theirs ---

books = st.builds(
    Book,
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 3), max_size=3),
    st.dictionaries(st.sampled_from("xyz"), st.integers(-3, 3), max_size=3),
    st.integers(0, 300),
)


@given(books)
def test_a_book_agrees_with_itself(book: Book) -> None:
    assert compare(book, book) == []


@given(books, books)
def test_every_difference_is_found_on_either_side(ours: Book, theirs: Book) -> None:
    found = {(b.kind, b.key) for b in compare(ours, theirs)}
    expected = {("order", k) for k in "abc" if ours.orders.get(k, 0) != theirs.orders.get(k, 0)}
    expected |= {("position", k) for k in "xyz" if ours.positions.get(k, 0) != theirs.positions.get(k, 0)}
    expected |= {("cash", "cash")} if abs(ours.cash - theirs.cash) > CASH_TOLERANCE else set()
    assert found == expected
    assert len(found) == len(compare(ours, theirs)) == len(compare(theirs, ours))


def test_a_difference_says_both_sides() -> None:
    assert compare(Book({"a": 5}, {}, 0), Book({}, {"x": -2}, 101)) == [
        Break("order", "a", "5", "0"),
        Break("position", "x", "0", "-2"),
        Break("cash", "cash", "0", "101"),
    ]


def test_cash_may_differ_by_a_rupee_and_no_more() -> None:
    assert compare(Book({}, {}, 0), Book({}, {}, 100)) == []
    assert len(compare(Book({}, {}, 0), Book({}, {}, -101))) == 1


def test_both_sides_tell_an_order_by_the_stem_of_its_tags() -> None:
    order = sent(S.FILLED, sends=2, cum_quantity=LOT)
    ours = our_book([position(cover=1)], [order, sent(S.CANCELLED)], 5)
    views = [shown(order, "cancelled", 25, attempt=1), shown(order, "complete", 50), shown(order, "open", 0)]
    assert ours == their_book(views, {FUTURE.key: LOT, CALL.key: 0}, 5)
    assert ours == Book({order.tag_stem: LOT}, {FUTURE.key: LOT}, 5)


def test_a_fill_that_bears_no_tag_of_ours_is_a_break() -> None:
    stranger = shown(sent(), "complete", LOT, tag="")
    assert compare(our_book([], [], 0), their_book([stranger], {}, 0)) == [Break("order", "", "0", str(LOT))]
