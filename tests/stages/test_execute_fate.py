"""The gateway: second sends, orders whose fate is not known, cancels, and what is handed to a person."""

import pytest

from participant.core.market import SECOND
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Side
from participant.links.faults import Fault, FaultKind, Faults
from tests.stages.floor import LAKH, START, Crash, Floor, call, future

S = OrderStatus
K = FaultKind


@pytest.fixture
def floor() -> Floor:
    """A floor on which one future is to be bought."""
    made = Floor()
    made.decide(made.leg(future(), Side.BUY))
    return made


def die(order: Order) -> None:
    raise Crash


def only(floor: Floor) -> Order:
    (order,) = floor.orders()
    return order


# --- the second send ---


def test_a_proven_retriable_reject_is_followed_by_a_second_send(floor: Floor) -> None:
    floor.exchange.plan(K.THROTTLE)
    floor.gateway().step(0.0)
    assert (only(floor).status, only(floor).sends) == (S.FILLED, 2)
    assert floor.sent() == [f"{only(floor).tag_stem}2"]
    assert floor.tickets() == []


def test_where_no_byte_left_it_is_sent_again(floor: Floor) -> None:
    def up_again(order: Order) -> None:
        floor.exchange.is_unreachable = order.sends == 1

    floor.exchange.before_place = up_again
    floor.gateway().step(0.0)
    assert (only(floor).status, only(floor).sends) == (S.FILLED, 2)


def test_it_is_sent_twice_at_most_and_then_handed_to_a_person(floor: Floor) -> None:
    floor.exchange.plan(K.THROTTLE, K.THROTTLE)
    gateway = floor.gateway()
    for second in range(0, 400, 50):
        floor.at(second)
        gateway.step(0.0)
    assert (only(floor).status, only(floor).sends, floor.exchange.state.requests) == (S.DEAD, 2, 2)
    assert len(floor.tickets()) == 1
    assert "sent 2 times" in floor.tickets()[0].detail
    assert floor.account().reserved == {only(floor).order_id: 2 * LAKH}, "the books release it with the report"
    (report,) = floor.queues["fills"].take(10, 0.0)
    assert report.id == f"{only(floor).order_id}-0-1"


@pytest.mark.parametrize("fault", [K.REFUSE, K.LOSE, K.ACCEPT_SILENTLY, K.ACCEPT_LATE])
def test_nothing_else_is_ever_sent_a_second_time(floor: Floor, fault: FaultKind) -> None:
    floor.exchange.fail(Faults(plan={1: Fault(fault, late_s=170)}))
    for second in range(0, 400, 20):
        floor.at(second)
        floor.gateway().step(0.0)
    assert only(floor).sends == 1
    assert len([t for t in floor.sent() if t.startswith(only(floor).tag_stem)]) <= 1


# --- UNKNOWN ---


def test_the_brokers_book_resolves_what_was_not_known(floor: Floor) -> None:
    floor.exchange.plan(K.ACCEPT_SILENTLY, update_drop=1.0)
    floor.gateway().step(0.0)
    assert (only(floor).status, only(floor).cum_quantity) == (S.FILLED, 65)


def test_the_update_stream_resolves_it_while_the_book_cannot_be_read(floor: Floor) -> None:
    gateway = Floor.gateway(floor)
    gateway.is_recovered = True  # the book was read before it went down
    floor.exchange.plan(K.ACCEPT_SILENTLY, books_down=1.0)
    gateway.step(0.0)
    assert only(floor).status is S.UNKNOWN
    gateway.step(0.0)
    assert only(floor).status is S.FILLED


def test_an_unknown_order_blocks_its_contract_and_its_later_legs() -> None:
    floor = Floor()
    floor.exchange.plan(K.LOSE)
    gateway = floor.gateway()
    first = floor.decide()
    gateway.step(0.0)
    assert floor.statuses(first) == [S.UNKNOWN, S.CLAIMED]
    floor.at(60)
    second = floor.decide(floor.leg(future(), Side.BUY))
    gateway.step(0.0)
    assert floor.orders(second)[0].reason == "alone: another order in this contract is not settled yet"
    assert floor.exchange.state.requests == 1


def test_the_book_is_asked_no_oftener_than_its_time(floor: Floor) -> None:
    floor.exchange.plan(K.LOSE)
    gateway = floor.gateway()
    reads = []
    for second in (0, 1, 4, 5, 6, 10):
        floor.at(second)
        gateway.step(0.0)
        reads.append(floor.exchange.state.reads)
    assert [b - reads[0] for b in reads] == [0, 0, 0, 1, 1, 2]


def test_an_order_that_stays_absent_becomes_exactly_one_ticket(floor: Floor) -> None:
    floor.exchange.plan(K.LOSE)
    gateway = floor.gateway()
    for second in (0, 100, 179):
        floor.at(second)
        gateway.step(0.0)
    assert floor.tickets() == []
    for second in (180, 181, 190, 400):
        floor.at(second)
        gateway.step(0.0)
        gateway = floor.gateway()
        gateway.step(0.0)
    (ticket,) = floor.tickets()
    assert (ticket.order_id, ticket.at, ticket.is_closed) == (only(floor).order_id, START + 180 * SECOND, False)
    assert ticket.detail.startswith("MAY ALREADY BE LIVE: check the broker's book first. ")
    assert (only(floor).status, only(floor).unfilled) == (S.UNKNOWN, 65), "it counts in full until it is proven"


def test_what_has_become_a_persons_holds_nothing_back_for_its_later_legs() -> None:
    floor = Floor()
    floor.exchange.plan(K.LOSE)
    floor.decide()
    gateway = floor.gateway()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
    assert floor.statuses() == [S.UNKNOWN, S.DENIED]
    assert [o.reason for o in floor.orders()] == ["timed out, check the order book", "an earlier leg did not fill"]


def test_the_ticket_is_settled_when_the_book_shows_the_order_later(floor: Floor) -> None:
    floor.exchange.fail(Faults(plan={1: Fault(K.ACCEPT_LATE, late_s=200)}, update_drop=1.0))
    gateway = floor.gateway()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
    assert [t.is_closed for t in floor.tickets()] == [False]
    floor.at(200)
    gateway.step(0.0)
    (ticket,) = floor.tickets()
    assert ticket.closed is not None
    assert (ticket.closed.by, ticket.closed.reason) == ("", "the broker's book shows it filled")
    assert (only(floor).status, only(floor).sends) == (S.FILLED, 1)


def test_the_stream_settles_a_ticket_too(floor: Floor) -> None:
    floor.exchange.fail(Faults(plan={1: Fault(K.ACCEPT_LATE, late_s=200)}))
    gateway = floor.gateway()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
    floor.exchange.fail(Faults(books_down=1.0))
    floor.at(200)
    gateway.step(0.0)
    assert [t.is_closed for t in floor.tickets()] == [True]
    assert only(floor).status is S.FILLED


def test_what_was_shown_rejected_after_all_stays_with_the_person(floor: Floor) -> None:
    floor.exchange.fail(Faults(plan={1: Fault(K.ACCEPT_LATE, late_s=200)}))
    gateway = floor.gateway()
    for second in (0, 180):
        floor.at(second)
        gateway.step(0.0)
    floor.exchange.state.is_over = True  # what arrives now is refused: the session is closed
    floor.at(200)
    gateway.step(0.0)
    assert (only(floor).status, only(floor).reason) == (S.DEAD, "the session is closed")
    assert [t.is_closed for t in floor.tickets()] == [False]


# --- crashes ---


def test_a_crash_before_the_wire_leaves_an_unknown_order_that_is_not_sent_again(floor: Floor) -> None:
    floor.exchange.before_place = die
    with pytest.raises(Crash):
        floor.gateway().step(0.0)
    assert only(floor).status is S.SENDING
    floor.exchange.before_place = None
    gateway = floor.gateway()
    gateway.step(0.0)
    assert (only(floor).status, only(floor).reason) == (S.UNKNOWN, "the gateway stopped while sending it")
    for second in (60, 180, 300):
        floor.at(second)
        gateway.step(0.0)
    assert (floor.sent(), only(floor).sends, len(floor.tickets())) == ([], 1, 1)


def test_a_crash_after_the_wire_is_resolved_by_the_book(floor: Floor) -> None:
    floor.exchange.after_place = die
    with pytest.raises(Crash):
        floor.gateway().step(0.0)
    floor.exchange.after_place = None
    floor.gateway().step(0.0)
    assert (only(floor).status, only(floor).sends, len(floor.sent())) == (S.FILLED, 1, 1)
    assert floor.tickets() == []


def test_after_a_crash_while_sending_nothing_is_resolved_as_long_as_the_book_is_down(floor: Floor) -> None:
    floor.exchange.after_place = die
    with pytest.raises(Crash):
        floor.gateway().step(0.0)
    floor.exchange.after_place = None
    floor.exchange.updates()
    floor.exchange.fail(Faults(books_down=1.0))
    gateway = floor.gateway()
    for second in (60, 300):
        floor.at(second)
        gateway.step(0.0)
    assert (only(floor).status, floor.tickets()) == (S.SENDING, [])
    floor.exchange.fail(Faults())
    gateway.step(0.0)
    assert only(floor).status is S.FILLED


# --- resting orders ---


def resting() -> Floor:
    """A future to be bought that the market has just left behind, and a call to be sold against it."""
    floor = Floor()
    floor.move_away(future())
    floor.decide()
    return floor


def rest(floor: Floor, seconds: float) -> None:
    """Time passes while our order stays behind the market."""
    floor.clock.set(START + int(seconds * SECOND))
    floor.exchange.on_quotes(floor.clock.now(), {})


def cancels(floor: Floor) -> int:
    return floor.exchange.state.requests - 1


def test_an_order_that_rests_too_long_is_cancelled_and_the_rest_is_denied() -> None:
    floor = resting()
    gateway = floor.gateway()
    for second in (0, 60, 119):
        rest(floor, second)
        gateway.step(0.0)
    assert (floor.statuses(), cancels(floor)) == ([S.WORKING, S.CLAIMED], 0)
    for second in (120, 130):
        rest(floor, second)
        gateway.step(0.0)
    assert (floor.statuses(), cancels(floor)) == ([S.CANCELLED, S.DENIED], 1)
    assert floor.tickets() == []


def test_what_filled_before_the_cancel_counts() -> None:
    floor = Floor()
    floor.reprice(future(), ask_size=65)
    floor.decide(floor.leg(future(), Side.BUY, lots=2), floor.leg(call(), Side.SELL, lots=2))
    gateway = floor.gateway()
    for second in (0, 120):
        rest(floor, second)
        gateway.step(0.0)
    assert [(o.status, o.cum_quantity) for o in floor.orders()] == [(S.CANCELLED, 65), (S.DENIED, 0)]
    assert [m.id.split("-", 1)[1] for m in floor.queues["fills"].take(10, 0.0)] == ["65-0", "65-1", "0-1"]


def test_a_throttled_cancel_is_asked_for_again() -> None:
    floor = resting()
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.exchange.plan(K.THROTTLE, K.LOSE)
    for second in (120, 121, 125, 130):
        rest(floor, second)
        gateway.step(0.0)
    assert floor.exchange.state.requests == 3, "throttled, lost, and carried out; not at 121, within the time to wait"
    assert floor.statuses() == [S.CANCELLED, S.DENIED]


def test_a_cancel_that_the_broker_took_is_asked_for_once_and_only_the_book_proves_the_end() -> None:
    floor = resting()
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.exchange.fail(Faults(books_down=1.0, update_drop=1.0))
    for second in (120, 130, 140):
        rest(floor, second)
        gateway.step(0.0)
    assert floor.exchange.state.requests == 1
    assert (floor.statuses()[0], floor.orders()[0].is_cancelling) == (S.WORKING, True)
    floor.exchange.fail(Faults())
    rest(floor, 150)
    gateway.step(0.0)
    assert floor.statuses() == [S.CANCELLED, S.DENIED]


def test_a_cancelled_order_that_never_ends_becomes_one_ticket_and_is_settled_by_the_book() -> None:
    floor = resting()
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.exchange.fail(Faults(books_down=1.0, update_drop=1.0))
    for second in (120, 299, 300, 310, 320):
        rest(floor, second)
        gateway.step(0.0)
        assert len(floor.tickets()) == (second >= 300)
    floor.exchange.fail(Faults())
    rest(floor, 330)
    gateway.step(0.0)
    assert [t.is_closed for t in floor.tickets()] == [True]
    assert floor.statuses() == [S.CANCELLED, S.DENIED]


def test_a_cancel_that_comes_after_the_fill_finds_the_fill() -> None:
    floor = resting()
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.at(120)
    floor.exchange.updates()  # the stream loses the fill
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]


# --- instants ---


def test_at_a_mark_the_book_is_asked_at_once_and_afterwards_in_its_own_time_again(floor: Floor) -> None:
    floor.exchange.plan(K.LOSE)
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.mark("orders", START)
    reads = []
    for _ in range(3):
        reads.append(floor.exchange.state.reads)
        gateway.step(0.0)
    assert [b - reads[0] for b in reads] == [0, 1, 1]


def test_at_the_last_mark_what_is_unknown_becomes_a_ticket_at_once(floor: Floor) -> None:
    floor.exchange.plan(K.LOSE)
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.mark("orders", START, is_last=True)
    gateway.step(0.0)
    assert [t.order_id for t in floor.tickets()] == [only(floor).order_id]
    assert [m.key for m in floor.queues["fills"].take(10, 0.0)] == ["mark"]


def test_at_the_last_mark_what_rests_is_cancelled() -> None:
    floor = resting()
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.mark("orders", START, is_last=True)
    gateway.step(0.0)
    assert floor.statuses() == [S.CANCELLED, S.DENIED]
    assert [m.key for m in floor.queues["fills"].take(10, 0.0)] == ["NIFTY", "NIFTY", "mark"]


def test_at_the_last_mark_an_order_is_judged_by_the_markets_time_and_sent(floor: Floor) -> None:
    """The quote that it was decided on is no older than at any other instant, though every wait is over."""
    floor.mark("orders", START, is_last=True)
    floor.gateway().step(0.0)
    assert (only(floor).status, len(floor.sent()), only(floor).sent_at) == (S.FILLED, 1, floor.clock.now())
