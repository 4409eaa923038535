"""What a person did by hand: counted once, whatever the broker shows of it, in whatever order things come."""

import datetime
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.books import filled, report, view
from participant.core.order import Happening, Order, OrderStatus, OrderView, advance, enter, evidenced
from participant.core.position import Position, apply
from participant.core.scrip import Contract, Kind, Side

S = OrderStatus
DAY = datetime.date(2026, 11, 25)
CALL = Contract("NIFTY", datetime.date(2026, 12, 29), Kind.CALL, 250_000_000, 65, 500, 1_300)
ORDER = Order("ab" * 16, "d", "NIFTY", 0, CALL, Side.SELL, 130, 1_500_000, 0, 1, 9, 0, S.UNKNOWN, 2)


def shows(broker_id: str, units: int, paise: int, status: str = "open", tag: str = "") -> OrderView:
    return OrderView(tag, broker_id, CALL.key, Side.SELL, 130, units, paise, status, updated_at=5)


def test_what_was_entered_counts_until_the_broker_shows_it() -> None:
    told = enter(ORDER, "H1", (65, 9_750_00), 7)
    assert (told.cum_quantity, told.cum_value, told.filled_at, told.status) == (65, 9_750_00, 7, S.UNKNOWN)
    after = evidenced(told, [shows("H1", 65, 9_800_00, "complete")])
    assert (after.cum_quantity, after.cum_value, after.revision) == (65, 9_800_00, 1)


def test_a_person_who_entered_too_much_is_put_right_by_the_broker() -> None:
    told = enter(ORDER, "H1", (130, 19_500_00), 7)
    after = evidenced(told, [shows("H1", 65, 9_750_00, "complete")])
    assert (after.cum_quantity, after.cum_value) == (65, 9_750_00)


def test_a_persons_word_moves_no_status_and_leaves_our_own_send_in_doubt_in_full() -> None:
    told = enter(ORDER, "H1", (130, 19_500_00), 7)
    assert (told.status, told.unfilled) == (S.UNKNOWN, -130)
    shown = evidenced(told, [shows("H1", 130, 19_500_00, "complete")])
    assert (shown.status, shown.unfilled) == (S.UNKNOWN, -130), "it may fill, too"


def test_when_the_order_was_given_up_the_broker_proves_it_filled_by_hand() -> None:
    told = advance(enter(ORDER, "H1", (130, 19_500_00), 7), Happening.GIVE_UP)
    assert (told.status, told.unfilled) == (S.DEAD, 0)
    assert evidenced(told, [shows("H1", 130, 19_500_00, "complete")]).status is S.FILLED


def test_a_late_accept_beside_the_hand_is_seen_as_too_much() -> None:
    told = advance(enter(ORDER, "H1", (130, 19_500_00), 7), Happening.GIVE_UP)
    after = evidenced(told, [shows("B7", 130, 19_400_00, "complete", ORDER.tag)])
    assert (after.cum_quantity, after.cum_value) == (260, 38_900_00)


def test_an_order_has_its_own_tags_and_what_was_done_by_hand_if_it_is_alike() -> None:
    told = enter(ORDER, "H1", (65, 9_750_00), 7)
    assert told.has(shows("H1", 65, 0))
    assert told.has(shows("B7", 65, 0, tag=ORDER.tag_stem + "1"))
    assert not told.has(shows("H2", 65, 0))
    assert not told.has(replace(shows("H1", 65, 0), side=Side.BUY))
    assert not told.has(replace(shows("H1", 65, 0), contract="another"))


# --- every order of events --------------------------------------------------------------------------------------------

PERSON = [("H1", 65, 9_750_00), ("H2", 130, 19_000_00)]
BROKER = [
    shows("H1", 0, 0), shows("H1", 65, 9_800_00, "complete"), shows("H2", 65, 9_600_00),
    shows("H2", 65, 9_600_00, "cancelled"), shows("B7", 65, 9_700_00, "open", ORDER.tag),
    shows("B7", 130, 19_400_00, "complete", ORDER.tag),
]  # fmt: skip
Step = OrderView | tuple[str, int, int]
STEPS: list[Step] = [*PERSON, *BROKER]


def taken(steps: Sequence[Step]) -> list[Order]:
    """The order after each step."""
    orders = [ORDER]
    for step in steps:
        order = orders[-1]
        if isinstance(step, tuple):
            orders.append(enter(order, step[0], step[1:], 7))
        elif order.has(step):
            orders.append(evidenced(order, [step]))
    return orders


def booked(orders: Sequence[Order]) -> tuple[Position, int]:
    position, cash = Position("NIFTY"), 0
    for before, after in pairwise(orders):
        if (before.cum_quantity, before.revision) != (after.cum_quantity, after.revision):
            position, moved = apply(position, filled(report(after), after.cum_quantity, DAY))
            cash += moved
    return position, cash


@given(st.permutations(STEPS), st.lists(st.sampled_from(STEPS), max_size=6))
def test_in_every_order_and_repeated_nothing_is_counted_twice_and_the_books_follow(
    steps: list[Step], again: list[Step]
) -> None:
    # What the broker shows before a person has entered it is nobody's yet; its book is read again and again.
    orders = taken([*steps, *again, *BROKER])
    last = orders[-1]
    assert (last.cum_quantity, last.cum_value) == (65 + 65 + 130, 9_800_00 + 9_600_00 + 19_400_00)
    assert last.shown == {"B7": (130, 19_400_00), "H1": (65, 9_800_00), "H2": (65, 9_600_00)}
    assert evidenced(last, [v for v in BROKER if last.has(v)]) == last
    position, cash = booked(orders)
    assert [(h.quantity, h.cost) for h in position.holdings] == [(-last.cum_quantity, -last.cum_value)]
    assert (position.charges, cash) == (last.cum_quantity, last.cum_value - last.cum_quantity)


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.FUTURE])
def test_a_correction_to_nothing_takes_back_all_that_was_booked(kind: Kind) -> None:
    order = replace(ORDER, contract=replace(CALL, kind=kind))
    told = enter(order, "H1", (65, 9_750_00), 7)
    position, paid = apply(Position("NIFTY"), filled(report(told), 20_00, DAY))
    none = evidenced(told, [replace(shows("H1", 0, 0, "rejected"), contract=order.contract.key)])
    after, back = apply(position, filled(report(none), 0, DAY))
    assert (after.is_flat, after.charges, after.realised, paid + back) == (True, 0, 0, 0)
    assert view(position, [none], DAY).is_flat, "as the gateway sees it before it is booked"
    assert apply(after, filled(report(none), 0, DAY)) == (after, 0)


def test_a_correction_of_what_closed_a_position_changes_what_it_realised() -> None:
    short = replace(ORDER, order_id="cd" * 16, quantity=65, status=S.WORKING)
    position, cash = apply(Position("NIFTY"), filled(report(evidenced(short, [shows("S", 65, 9_000_00)])), 0, DAY))
    buy = enter(replace(ORDER, side=Side.BUY, quantity=65), "H1", (65, 4_000_00), 7)
    position, paid = apply(position, filled(report(buy), 0, DAY))
    cash += paid
    right = evidenced(buy, [replace(shows("H1", 65, 4_100_00, "complete"), side=Side.BUY)])
    position, paid = apply(position, filled(report(right), 0, DAY))
    assert (position.is_flat, position.realised, cash + paid) == (True, 4_900_00, 4_900_00)
