"""A fill entered by hand once the desk has stopped is booked before the next day compares, and once."""

from participant.core.breaks import Break, BreakKind
from participant.core.matching import OrderRequest
from participant.core.messages import Stamp, Write
from participant.core.order import Order
from participant.core.scrip import Side
from participant.core.session import SECOND
from participant.core.sighting import LiveBook
from participant.core.tickets import HandRule
from participant.links.faults import Fault, FaultKind, Faults
from participant.operate import desk
from participant.operate.adopt import adopt, at_wake
from participant.operate.late import drain
from tests.core.worlds import RULES
from tests.stages.floor import START, Floor, call


def test_a_fill_of_the_evening_is_booked_once_and_marks_stay_for_the_desk() -> None:
    floor = Floor()
    floor.decide()
    floor.exchange.fail(Faults(plan={2: Fault(FaultKind.LOSE)}))
    gateway, book = floor.gateway(), floor.desk()
    for second in (0, 60, 185, 200):
        floor.at(second)
        gateway.step(0.0)
    while book.step(0.0):
        pass
    (ticket,) = floor.tickets()
    stamp, bid = Stamp("asha", START), floor.quotes[call().key].bid

    def look(_: Order) -> LiveBook:
        return LiveBook(tuple(floor.exchange.orders()), has_tags=True)

    desk.take(floor.books, ticket.ticket_id, stamp, look)
    made = floor.exchange.enter(OrderRequest("hand", call().key, Side.SELL, 65, bid))
    hand = desk.Hand(made.broker_order_id, 65, bid, floor.clock.now())
    filling = desk.prepare(floor.books, ticket.ticket_id, hand, stamp, HandRule(10**12, 1.0, 1.0))
    desk.book_fill(floor.books, filling, desk.look_again(floor.books, filling, look))
    floor.mark("fills", floor.clock.now())
    found = at_wake(floor.books, floor.exchange, floor.clock.now() + 60 * SECOND)
    assert found, "without it the positions differ"
    assert "waits to be booked" in adopt(floor.books, floor.market, RULES, found[0], "so it is said")
    for _ in range(2):
        drain(floor.queues["fills"], floor.books, floor.market, RULES)
        assert {h.contract: h.quantity for h in floor.position().holdings}[call()] == -65
    assert at_wake(floor.books, floor.exchange, floor.clock.now() + 90 * SECOND) == []
    assert floor.queues["fills"].depth().waiting == 1, "the mark"


def test_a_contract_of_an_earlier_order_is_adopted_though_no_master_lists_it() -> None:
    floor = Floor()
    floor.decide()
    later = floor.clock.now() + 86_400 * SECOND
    for row in floor.market.rows("reference"):
        floor.market.commit([Write("reference", row.key, None)])
    found = Break(BreakKind.POSITION, call().key, "0", "-65", last_seen=later)
    assert adopt(floor.books, floor.market, RULES, found, "ours of yesterday") == ""
    assert [(h.contract, h.quantity) for h in floor.position().holdings] == [(call(), -65)]
