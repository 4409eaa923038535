"""What the broker's book shows of an order that a person is about to do by hand."""

import pytest
from msgspec.structs import replace

from participant.core.order import Order, OrderStatus, OrderView
from participant.core.scrip import Side
from participant.core.sighting import LiveBook, Sighting, sighted, told, unlike
from tests.core.desk import CALL, FUTURE, LOT, sent, shown

ORDER = sent(OrderStatus.UNKNOWN)
OTHER = replace(ORDER, order_id="cd" * 16, broker_order_id="B5", shown={"B6": (0, 0)}, entered={"B8": (LOT, 1)})


def seen(view: OrderView, *, has_tags: bool = True, order: Order = ORDER) -> Sighting:
    return sighted(order, [order, OTHER], LiveBook((view,), has_tags))


@pytest.mark.parametrize(
    ("status", "filled", "is_seen"),
    [
        ("open", 0, True), ("open", LOT, True), ("complete", LOT, True), ("cancelled", LOT, True),
        ("cancelled", 0, False), ("rejected", 0, False), ("a new word", 0, True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("has_tags", [True, False])
def test_a_send_of_ours_counts_that_lives_or_has_filled(
    status: str, filled: int, is_seen: bool, has_tags: bool
) -> None:
    view = shown(ORDER, status, filled)
    assert seen(view, has_tags=has_tags).own == ((view,) if is_seen else ())


def test_what_our_books_know_of_an_ended_send_leaves_the_rest_to_be_done_by_hand() -> None:
    view = shown(ORDER, "cancelled", LOT)
    known = replace(ORDER, shown={view.broker_order_id: (LOT, view.cum_value)})
    assert seen(view, order=known) == Sighting()


def test_what_was_done_by_hand_is_no_send_of_ours() -> None:
    view = replace(shown(ORDER, "complete", LOT), tag="")
    assert seen(view, order=replace(ORDER, entered={view.broker_order_id: (LOT, 1)})) == Sighting()


@pytest.mark.parametrize(
    ("changes", "is_alike"),
    [
        ({}, True), ({"side": Side.BUY}, False), ({"quantity": 2 * LOT}, False), ({"contract": FUTURE.key}, False),
        ({"status": "cancelled"}, False), ({"status": "complete", "cum_quantity": LOT}, True),
        ({"broker_order_id": "B5"}, False), ({"broker_order_id": "B6"}, False), ({"broker_order_id": "B8"}, False),
        ({"tag": OTHER.tag}, False),
    ],
)  # fmt: skip
def test_without_tags_an_order_of_nobody_that_is_like_ours_may_be_it(
    changes: dict[str, object], is_alike: bool
) -> None:
    view = replace(shown(ORDER, "open"), **{"tag": "", "broker_order_id": "B1", **changes})
    assert seen(view, has_tags=False).alike == ((view,) if is_alike else ())
    assert seen(view).alike == (), "where ours bear tags it is somebody else's"


def test_both_are_told_in_words() -> None:
    view = shown(ORDER, "open", LOT)
    assert told(view) == f"the broker's order B1 (sell {LOT} {CALL.key}) is open, {LOT} units filled"
    assert Sighting((view,), (view,)).said == f"{told(view)}; {told(view)}"
    assert unlike(replace(view, side=Side.BUY, quantity=1), ORDER) == (
        f"its side is buy, not sell; its quantity is 1, not {LOT}"
    )
