"""Our books: what orders and fills tell of a position, the end of a day, and differences from the broker's."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.books import (
    External,
    closing_events,
    equity,
    external_id,
    external_report,
    fill_of,
    filled,
    held_units,
    in_motion,
    our_lines,
    report,
    their_lines,
    unsettled,
    view,
)
from participant.core.breaks import Book, compare
from participant.core.order import OPEN, OrderStatus, orders_of
from participant.core.position import Expired, Position, Settled, apply
from participant.core.scrip import PRICE_UNITS, money
from tests.core.desk import CALL, CRORE, DAY, EXPIRY, FUTURE, LOT, NOW, OPENING, position, sent, shown
from tests.core.worlds import RULES

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
    assert closing_events(held, official, RULES, DAY, NOW) == [Settled(FUTURE, 6, NOW)]
    ends = closing_events(held, official, RULES, EXPIRY, NOW)
    assert set(ends) == {Expired(FUTURE, 5, NOW), Expired(CALL, 5, NOW)}


@pytest.mark.parametrize(("day", "official"), [(DAY, {"NIFTY": 5}), (EXPIRY, {FUTURE.key: 6})])
def test_a_settlement_price_that_is_missing_is_never_made_up(day: datetime.date, official: dict[str, int]) -> None:
    assert closing_events(position(cover=1), official, RULES, day, NOW) == []


def test_what_expired_before_a_day_is_not_settled_at_the_price_of_that_day() -> None:
    held, official = position(cover=1, calls=1), {"NIFTY": 5, FUTURE.key: 6}
    assert closing_events(held, official, RULES, EXPIRY + datetime.timedelta(1), NOW) == []


def test_what_has_expired_and_is_held_still_is_named() -> None:
    assert {h.contract for h in unsettled([position(cover=1, calls=1)], EXPIRY)} == {FUTURE, CALL}
    assert unsettled([position(cover=1, calls=1)], DAY) == []


def test_what_is_settled_twice_is_paid_once() -> None:
    held = position(cover=1)
    events = closing_events(held, {FUTURE.key: 7}, RULES, DAY, NOW)
    once, _ = apply(held, events[0])
    assert apply(once, events[0]) == (once, 0)


# --- both sides of a comparison ---


def test_an_order_is_called_the_same_on_both_sides_and_all_its_attempts_are_one() -> None:
    order = sent(S.FILLED, sends=2, cum_quantity=LOT, cum_value=LOT * 100_00)
    booked = fill_of(report(order), 0)
    views = [shown(order, "cancelled", 25, attempt=1), shown(order, "complete", 50, attempt=2)]
    ours, theirs = our_lines([order], [booked], []), their_lines(views, {order.tag_stem})
    assert set(ours) == set(theirs) == {order.tag_stem}
    assert ours[order.tag_stem].quantity == theirs[order.tag_stem].quantity == LOT
    assert compare(Book(ours), Book(theirs)) == []


def test_an_order_under_no_tag_of_ours_has_a_name_of_its_own() -> None:
    order = sent(S.FILLED)
    stranger = shown(order, "complete", LOT, tag="", broker_order_id="B9")
    assert set(their_lines([stranger], {order.tag_stem})) == {external_id("B9")}
    told = external_report(stranger, CALL, NOW)
    assert (told.decision_id, told.scrip, told.cum_quantity, told.is_final) == ("EXTERNAL", "NIFTY", LOT, True)
    taken = our_lines([], [fill_of(told, 7)], [External(told.order_id, stranger, NOW)])
    assert compare(Book(taken), Book(their_lines([stranger], set()))) == []


def test_an_order_that_never_reached_the_wire_needs_no_counterpart() -> None:
    assert our_lines([sent(S.DENIED, sends=0)], [], []) == {}
    assert held_units([position(cover=1), position(calls=2)]) == {FUTURE.key: LOT, CALL.key: -2 * LOT}


def test_what_was_sent_or_changed_of_late_is_in_motion_and_what_is_being_sent_always() -> None:
    old = sent(S.FILLED)
    assert in_motion([old], [shown(old, "complete", LOT)], NOW + 2) == frozenset()
    assert in_motion([old], [], NOW) == {CALL.key}
    assert in_motion([], [shown(old, "complete", LOT)], NOW + 1) == {CALL.key}
    assert in_motion([sent(S.SENDING)], [], NOW + 10**12) == {CALL.key}
