"""The broker's own evidence into our books: from the stream, from the book, and what a failed read proves: nothing."""

import pytest
from msgspec.structs import replace

from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.order import Order, OrderStatus, OrderView
from participant.core.scrip import Side
from participant.core.sending import Act
from participant.core.tickets import settled, ticket_id
from participant.links.books import Books, Held
from participant.links.evidence import Evidence
from participant.links.faults import Fault, FaultKind, Faults
from participant.wire.json import decode, encode
from tests.stages.floor import DAY, START, Contended, Floor, future

S = OrderStatus
K = FaultKind
DOWN = Faults(books_down=1.0)


@pytest.fixture
def floor() -> Floor:
    made = Floor()
    made.decide(made.leg(future(), Side.BUY))
    return made


def evidence(floor: Floor) -> Evidence:
    return Evidence(Books(floor.books), floor.exchange, poll_every_s=5)


def held(floor: Floor) -> Held:
    (found,) = Books(floor.books).orders(DAY)
    return found


def put(floor: Floor, status: OrderStatus, **changes: object) -> Held:
    """The order as it would stand there after one send."""
    now = held(floor)
    after = replace(now.order, status=status, sends=1, sent_at=START, **changes)
    assert floor.books.commit([Write("orders", now.key, encode(after))])
    return held(floor)


def lost(floor: Floor) -> Held:
    """The order reached the broker, and we do not know it."""
    floor.exchange.place(replace(held(floor).order, sends=1))
    return put(floor, S.UNKNOWN)


def view(order: Order, status: str, filled: int = 0) -> OrderView:
    whole = order.contract.lot * 24_000
    return OrderView(order.tag, "B1", order.contract.key, order.side, order.quantity, filled, whole, status)


def ticketed(floor: Floor, status: OrderStatus) -> Held:
    """The order stands so and has an open ticket."""
    now = put(floor, status)
    assert Books(floor.books).hand_over(now, now.order, START)
    return held(floor)


# --- the stream ---


def test_an_update_is_taken_in_and_nothing_heard_is_said_so(floor: Floor) -> None:
    lost(floor)
    stage = evidence(floor)
    assert stage.hear(DAY, START)
    assert held(floor).order.status is S.FILLED
    assert not stage.hear(DAY, START)


@pytest.mark.parametrize("faults", [Faults(update_duplicate=1.0), Faults(update_reorder=1.0)])
def test_updates_may_repeat_and_reorder(floor: Floor, faults: Faults) -> None:
    lost(floor)
    floor.exchange.fail(faults)
    evidence(floor).hear(DAY, START)
    assert (held(floor).order.status, held(floor).order.cum_quantity) == (S.FILLED, 65)


def test_updates_of_strangers_and_of_orders_without_a_tag_change_nothing(floor: Floor) -> None:
    put(floor, S.WORKING)
    before = held(floor)
    stranger = replace(before.order, order_id="0" * 32, sends=1)
    floor.exchange.place(stranger)
    tagless = floor.exchange.state.orders[0]
    tagless.request = replace(tagless.request, tag="")
    floor.exchange.end("261125000001")
    floor.exchange.place(stranger)
    assert evidence(floor).hear(DAY, START)
    assert held(floor) == before


# --- the book ---


def test_adoption_takes_in_every_order_of_the_day(floor: Floor) -> None:
    lost(floor)
    assert evidence(floor).adopt(DAY)
    assert held(floor).order.status is S.FILLED


def test_adoption_without_the_book_is_none(floor: Floor) -> None:
    before = lost(floor)
    floor.exchange.fail(DOWN)
    assert not evidence(floor).adopt(DAY)
    assert held(floor) == before


def test_absence_from_the_book_proves_nothing(floor: Floor) -> None:
    before = put(floor, S.UNKNOWN)
    assert evidence(floor).adopt(DAY)
    assert not evidence(floor).ask(Act.FIND, before, START, is_end=True)
    assert held(floor) == before


def test_a_failed_read_proves_nothing(floor: Floor) -> None:
    before = lost(floor)
    floor.exchange.fail(DOWN)
    assert not evidence(floor).ask(Act.FIND, before, START, is_end=True)
    assert held(floor) == before


def test_asking_says_whether_it_changed_the_order(floor: Floor) -> None:
    before = lost(floor)
    assert evidence(floor).ask(Act.FIND, before, START, is_end=False)
    assert held(floor).order.status is S.FILLED
    assert not evidence(floor).ask(Act.FIND, held(floor), START, is_end=False)


def test_an_order_is_asked_about_again_only_after_its_time_or_when_forced(floor: Floor) -> None:
    now, stage = put(floor, S.UNKNOWN), evidence(floor)
    reads = []
    for second, is_forced in ((0, False), (4, False), (4, True), (8, False), (9, False)):
        assert not stage.ask(Act.FIND, now, START + second * SECOND, is_end=is_forced)
        reads.append(floor.exchange.state.reads)
    assert reads == [1, 1, 2, 2, 3]


def test_an_order_that_was_accepted_is_working_though_the_book_cannot_be_read(floor: Floor) -> None:
    before, stage = put(floor, S.SENDING), evidence(floor)
    accepted = replace(before.order, status=S.WORKING, broker_order_id="261125000001")
    floor.exchange.fail(DOWN)
    assert stage.conclude(before, accepted, START)
    assert (held(floor).order, stage.is_down) == (accepted, True)


def test_why_the_book_could_not_be_read_is_kept_for_a_person_until_it_can(floor: Floor) -> None:
    now, stage = put(floor, S.UNKNOWN, reason="timed out"), evidence(floor)
    assert stage.doubted(now.order) == now.order
    floor.exchange.fail(DOWN)
    stage.ask(Act.FIND, now, START, is_end=True)
    assert stage.doubted(now.order).reason == "timed out; the last look: the broker's books cannot be read now"
    floor.exchange.fail(Faults())
    stage.ask(Act.FIND, now, START, is_end=True)
    assert stage.doubted(now.order) == now.order


def test_what_the_book_shows_of_an_accepted_order_is_written_down_with_the_answer(floor: Floor) -> None:
    before = put(floor, S.SENDING)
    floor.exchange.place(replace(before.order, sends=1))
    assert evidence(floor).conclude(before, replace(before.order, status=S.WORKING), START)
    assert (held(floor).order.status, held(floor).version) == (S.FILLED, before.version + 1), "one commit for both"


def test_each_order_has_its_own_time(floor: Floor) -> None:
    now, stage = put(floor, S.UNKNOWN), evidence(floor)
    other = Held(replace(now.order, order_id="another"), 1)
    stage.ask(Act.FIND, now, START, is_end=False)
    stage.ask(Act.FIND, other, START, is_end=False)
    assert floor.exchange.state.reads == 2


# --- cancels ---


def resting(floor: Floor) -> Held:
    """The order rests at the broker, and we know it."""
    floor.move_away(future())
    floor.exchange.place(replace(held(floor).order, sends=1))
    floor.exchange.updates()
    return put(floor, S.WORKING)


def test_a_cancel_that_was_taken_is_noted_and_the_book_proves_the_end(floor: Floor) -> None:
    assert evidence(floor).ask(Act.CANCEL, resting(floor), START, is_end=False)
    assert (held(floor).order.status, held(floor).order.is_cancelling) == (S.CANCELLED, True)


def test_a_cancel_that_was_taken_is_noted_though_the_book_cannot_be_read(floor: Floor) -> None:
    now = resting(floor)
    floor.exchange.fail(DOWN)
    assert not evidence(floor).ask(Act.CANCEL, now, START, is_end=False)
    assert (held(floor).order.status, held(floor).order.is_cancelling) == (S.WORKING, True)


@pytest.mark.parametrize("fault", [K.THROTTLE, K.LOSE, K.REFUSE, K.ACCEPT_SILENTLY])
def test_a_cancel_that_was_not_proven_taken_is_not_noted(floor: Floor, fault: FaultKind) -> None:
    now = resting(floor)
    floor.exchange.fail(Faults(plan={1: Fault(fault)}, books_down=1.0))
    assert not evidence(floor).ask(Act.CANCEL, now, START, is_end=False)
    assert held(floor).order == replace(now.order, cancels=1), "asked for once, and not known to be taken"


def test_that_an_end_is_asked_for_is_written_down_before_the_wire(floor: Floor) -> None:
    now, stage = resting(floor), evidence(floor)
    seen: list[int] = []
    floor.exchange.before_cancel = lambda: seen.append(held(floor).order.cancels)
    stage.ask(Act.CANCEL, now, START, is_end=False)
    assert seen == [1]


def test_an_end_that_cannot_be_written_down_is_not_asked_for(floor: Floor) -> None:
    now = resting(floor)
    stale = Held(now.order, now.version - 1)
    assert not evidence(floor).ask(Act.CANCEL, stale, START, is_end=False)
    assert held(floor) == now


# --- tickets ---


@pytest.mark.parametrize(
    ("status", "filled", "after"),
    [("complete", 65, S.FILLED), ("open", 0, S.WORKING), ("open", 30, S.PARTIAL), ("cancelled", 0, S.CANCELLED)],
)
def test_a_ticket_is_settled_in_the_commit_that_finds_its_order(
    floor: Floor, status: str, filled: int, after: OrderStatus
) -> None:
    now = ticketed(floor, S.UNKNOWN)
    assert evidence(floor).take_in(now, [view(now.order, status, filled)])
    assert held(floor).order.status is after
    (ticket,) = floor.tickets()
    assert ticket.closed is not None
    assert (ticket.closed.how, ticket.closed.reason) == ("found", f"the broker's book shows it {after}")


def test_a_ticket_of_an_order_that_was_rejected_after_all_stays_open(floor: Floor) -> None:
    now = ticketed(floor, S.UNKNOWN)
    assert evidence(floor).take_in(now, [view(now.order, "rejected")])
    assert held(floor).order.status is S.REJECTED
    assert [t.is_closed for t in floor.tickets()] == [False]


def test_a_ticket_that_a_person_closed_is_left_as_they_closed_it(floor: Floor) -> None:
    now = ticketed(floor, S.UNKNOWN)
    name = ticket_id("order", now.order.order_id)
    by_hand = settled(floor.tickets()[0], "I looked myself")
    floor.books.commit([Write("tickets", name, encode(by_hand))])
    assert evidence(floor).take_in(now, [view(now.order, "complete", 65)])
    assert held(floor).order.status is S.FILLED
    assert floor.tickets() == [by_hand]


def test_an_order_whose_ticket_was_deleted_is_found_all_the_same(floor: Floor) -> None:
    now = ticketed(floor, S.UNKNOWN)
    floor.books.commit([Write("tickets", ticket_id("order", now.order.order_id), None)])
    assert evidence(floor).take_in(now, [view(now.order, "complete", 65)])
    assert held(floor).order.status is S.FILLED


def test_an_order_that_was_given_up_still_counts_what_it_fills(floor: Floor) -> None:
    now = put(floor, S.DEAD)
    assert evidence(floor).take_in(now, [view(now.order, "complete", 65)])
    assert (held(floor).order.status, held(floor).order.cum_quantity) == (S.FILLED, 65)
    (row,) = floor.books.rows("outbox", "fills/")
    assert row.key.endswith("-65-1")


def test_what_is_known_already_changes_nothing(floor: Floor) -> None:
    now = put(floor, S.UNKNOWN)
    stage = evidence(floor)
    assert stage.take_in(now, [view(now.order, "open", 30)])
    assert not stage.take_in(held(floor), [view(now.order, "open", 30)])


def test_where_another_was_first_nothing_is_taken_in() -> None:
    books = Contended("orders")
    floor = Floor(books)
    floor.decide(floor.leg(future(), Side.BUY))
    now = put(floor, S.UNKNOWN)
    row = Write("orders", now.key, encode(replace(now.order, reason="the other's word")))
    books.others = [lambda: books.commit([row])]
    assert not evidence(floor).take_in(now, [view(now.order, "complete", 65)])
    stored = floor.books.get("orders", now.key)
    assert stored is not None
    assert decode(stored.value, Order).reason == "the other's word"


def test_before_a_ticket_the_book_is_read_once_more_however_lately_it_was(floor: Floor) -> None:
    stage = evidence(floor)
    before = resting(floor)
    stage.ask(Act.FIND, before, START, is_end=True)
    reads = floor.exchange.state.reads

    assert stage.ask(Act.TICKET, held(floor), START, is_end=False), "what comes after the look is the ticket itself"
    assert floor.exchange.state.reads == reads + 1
