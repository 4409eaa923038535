"""What went wrong at others, replayed on our own floor: each scenario of the bank (S..) that concerns the gateway."""

import pytest
from msgspec.structs import replace

from participant.adapters.brokers.memory import MemoryBroker
from participant.core.breaker import Level, Triggers
from participant.core.market import SECOND
from participant.core.messages import Message, Write
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Side
from participant.links.faults import Fault, FaultKind, Faults
from participant.operate.breaker import Watch, judge
from participant.wire.json import encode
from tests.stages.floor import DAY, START, Crash, Floor, future

S, K = OrderStatus, FaultKind


@pytest.fixture
def floor() -> Floor:
    return Floor()


def only(floor: Floor) -> Order:
    (order,) = floor.orders()
    return order


def buy(floor: Floor) -> None:
    floor.decide(floor.leg(future(), Side.BUY))


def test_s01_a_send_whose_answer_was_lost_is_found_in_the_book_and_sent_once(floor: Floor) -> None:
    """S01: sent, read timeout, the order lives."""
    floor.exchange.plan(K.ACCEPT_SILENTLY)
    buy(floor)
    gateway = floor.gateway()
    gateway.step(0.0)
    floor.at(10)
    gateway.step(0.0)
    assert (only(floor).status, only(floor).sends, len(floor.sent())) == (S.FILLED, 1, 1)


@pytest.mark.parametrize("late_s", [8, 95, 170])
def test_s02_s03_an_order_that_is_accepted_late_is_waited_for_and_never_sent_again(floor: Floor, late_s: int) -> None:
    """S02 (8 s after a 400 that said 'timed out') and S03 (95 s, the book empty until then)."""
    floor.exchange.fail(Faults(plan={1: Fault(K.ACCEPT_LATE, late_s=late_s)}))
    buy(floor)
    gateway = floor.gateway()
    for second in range(0, late_s, 5):
        floor.at(second)
        gateway.step(0.0)
        assert only(floor).status is S.UNKNOWN
        assert floor.sent() == []
    floor.at(late_s)
    gateway.step(0.0)
    floor.at(late_s + 6)
    gateway.step(0.0)
    assert (only(floor).status, only(floor).sends, len(floor.sent())) == (S.FILLED, 1, 1)
    assert floor.tickets() == []


def test_s04_evidence_that_comes_before_a_second_send_cancels_it(floor: Floor) -> None:
    """S04: a reject allowed another try, and before it the stream shows the order alive after all."""
    floor.exchange.plan(K.THROTTLE)
    buy(floor)
    first = floor.gateway()
    floor.exchange.after_place = _die
    with pytest.raises(Crash):
        first.step(0.0)
    floor.exchange.after_place = None
    rejected = replace(only(floor), status=S.REJECTED, is_retriable=True)
    floor.books.commit([Write("orders", f"{DAY}/{rejected.order_id}", encode(rejected))])
    MemoryBroker.place(floor.exchange, rejected)  # it was taken after all
    floor.gateway().step(0.0)
    assert (only(floor).status, only(floor).sends, len(floor.sent())) == (S.FILLED, 1, 1)


def _die(_: Order) -> None:
    raise Crash


def test_s05_an_order_that_no_query_finds_stays_unknown_and_becomes_one_ticket(floor: Floor) -> None:
    """S05: the query cannot find it (wrong endpoint, throttled, only another id): never taken for rejected."""
    floor.exchange.fail(Faults(plan={1: Fault(K.ACCEPT_SILENTLY)}, books_down=1.0, update_drop=1.0))
    buy(floor)
    gateway = floor.gateway()
    gateway.is_recovered = True  # the book was read at the start; since then it cannot be
    for second in range(0, 600, 20):
        floor.at(second)
        gateway.step(0.0)
        assert only(floor).status in (S.CLAIMED, S.UNKNOWN)
    assert (only(floor).status, only(floor).sends) == (S.UNKNOWN, 1)
    (ticket,) = floor.tickets()
    assert "the last look: the broker's books cannot be read now" in ticket.detail, "and the person knows why"


def test_s09_fourteen_working_orders_are_all_kept_over_a_kill(floor: Floor) -> None:
    """S09: killed with fourteen orders working."""
    floor.move_away(future())
    for lots in range(14):
        order = Order(f"{lots:032x}", f"d{lots}", "NIFTY", 0, future(), Side.BUY, 65, 1_000, 0, START, START)
        working = replace(order, status=S.WORKING, sends=1, sent_at=START)
        floor.exchange.place(replace(working, limit=floor.quotes[future().key].bid))
        floor.books.commit([Write("orders", f"{DAY}/{order.order_id}", encode(working))])
    floor.gateway().step(0.0)
    again = floor.gateway()
    again.step(0.0)
    assert floor.statuses() == [S.WORKING] * 14
    assert len(floor.sent()) == 14, "none was sent again"


def test_s17_an_order_without_an_id_from_the_broker_is_found_by_our_tag(floor: Floor) -> None:
    """S17: placing timed out, so no id came back."""
    floor.exchange.plan(K.ACCEPT_SILENTLY)
    floor.move_away(future())
    buy(floor)
    gateway = floor.gateway()
    gateway.step(0.0)
    assert (only(floor).status, only(floor).broker_order_id) == (
        S.WORKING,
        floor.exchange.state.orders[0].view().broker_order_id,
    )


def test_s20_a_breaker_whose_evaluation_fails_lets_nothing_pass(floor: Floor) -> None:
    """S20: what the evaluator cannot read counts as OPEN, and where it dies its state grows old and counts as OPEN."""
    floor.wall.advance(6 * SECOND)
    buy(floor)
    gateway = floor.gateway()
    gateway.is_recovered = True
    gateway.step(0.0)
    assert (only(floor).status, floor.sent()) == (S.DENIED, [])
    assert "the breaker was not evaluated for 5 s" in only(floor).reason


def test_s20_a_day_without_a_trade_trips_nothing(floor: Floor) -> None:
    """S20: no false trip where there is nothing to measure."""
    assert judge(Watch(floor.books, floor.market, floor.books, floor.wall, Triggers())).level is Level.CLOSED


def test_s26_a_message_that_outlives_its_hiding_and_comes_again_sends_nothing_twice(floor: Floor) -> None:
    """S26: the work took longer than the queue hid it, so another took the message as well."""
    floor.exchange.after_place = lambda _: floor.queues["orders"].put([Message("again", "NIFTY", b"")])
    buy(floor)
    gateway = floor.gateway()
    for _ in range(3):
        gateway.step(0.0)
        floor.queues["orders"].restart()
    assert (only(floor).status, len(floor.sent())) == (S.FILLED, 1)
