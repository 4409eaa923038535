"""What is over here and open at the broker: it is ended, and a person is told, however late it was taken."""

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.core.breaker import Level
from participant.core.breaks import BreakKind, ReconcileRule, oldest_cycles
from participant.core.limits import Limits
from participant.core.market import SECOND
from participant.core.matching import OrderRequest
from participant.core.messages import Stamp
from participant.core.order import OrderStatus, OrderView
from participant.core.scrip import Side
from participant.core.sighting import LiveBook
from participant.core.tickets import HandRule
from participant.links.alive import ALIVE, CANCELS_MAX
from participant.links.breaks import standing
from participant.links.faults import Fault, FaultKind, Faults
from participant.operate import desk
from participant.ports import BrokerDown
from participant.stages.reconcile import Reconcile, ReconcilePorts
from tests.core.worlds import RULES
from tests.stages.floor import START, Floor, call, future

S = OrderStatus
ASHA = Stamp("asha", START)


class Late:
    """A call to sell whose send was lost; the broker takes it `late_s` later, into a market where it rests."""

    def __init__(self, late_s: int = 600) -> None:
        self.floor = Floor()
        self.floor.decide()
        self.floor.exchange.fail(Faults(plan={2: Fault(FaultKind.ACCEPT_LATE, late_s=late_s)}))
        self.gateway, self.book = self.floor.gateway(), self.floor.desk()
        ports = ReconcilePorts(self.floor.books, self.floor.market, self.floor.exchange, self.floor.queues["fills"])
        self.reconcile = Reconcile(ports, ReconcileRule(), RULES)
        for second in (0, 60, 185, 200):
            self.at(second)
        (self.ticket,) = self.floor.tickets()

    def at(self, second: int, *, reconciles: bool = False) -> None:
        """Everybody takes a step so many seconds after the start."""
        self.floor.at(second)
        self.floor.breaker(Level.CLOSED, self.floor.clock.now())
        self.gateway.step(0.0)
        if reconciles:
            self.reconcile.step(self.floor.clock.now())
        while self.book.step(0.0):
            pass

    def rests(self) -> None:
        """The market has left the call's limit behind."""
        quote, away = self.floor.quotes[call().key], 20 * call().tick
        self.floor.move_away(call())
        self.floor.quotes[call().key] = replace(quote, bid=quote.bid - away, ask=quote.ask + away)

    def by_hand(self) -> None:
        """A person claims it, sells it at the broker, and enters it."""
        floor = self.floor

        def look(_: object) -> LiveBook:
            return LiveBook(tuple(floor.exchange.orders()), True)

        limit = floor.quotes[call().key].bid
        desk.take(floor.books, self.ticket.ticket_id, ASHA, look)
        answer = floor.exchange.enter(OrderRequest("hand", call().key, Side.SELL, 65, limit))
        hand = desk.Hand(answer.broker_order_id, 65, limit, floor.clock.now())
        filled = desk.prepare(floor.books, self.ticket.ticket_id, hand, ASHA, HandRule(10**12, 1.0, 1.0))
        desk.book_fill(floor.books, filled, desk.look_again(floor.books, filled, look))

    @property
    def theirs(self) -> OrderView:
        (order,) = [v for v in self.floor.exchange.orders() if v.tag == self.floor.orders()[1].tag]
        return order


@pytest.mark.parametrize("is_done_by_hand", [False, True])
@pytest.mark.parametrize("is_told_by_stream", [False, True])
def test_a_send_that_a_person_has_ended_is_cancelled_when_the_broker_takes_it_after_all(
    is_done_by_hand: bool, is_told_by_stream: bool
) -> None:
    late = Late()
    if is_done_by_hand:
        late.by_hand()
    else:
        desk.end(late.floor.books, late.ticket.ticket_id, "rejected", ASHA, "expired")
    assert late.floor.orders()[1].status in (S.DEAD, S.FILLED)
    if not is_told_by_stream:
        late.floor.exchange.fail(replace(late.floor.exchange.faults, update_drop=1.0))
    late.rests()
    for second in (601, 606, 635, 640, 645):
        late.at(second, reconciles=True)
    assert (late.theirs.status, late.theirs.cum_quantity) == ("cancelled", 0)
    (told,) = [t for t in late.floor.tickets() if t.title.startswith("open at the broker, over here")]
    assert not told.is_closed
    assert late.floor.books.rows(ALIVE) == []
    assert sum(h.quantity for h in late.floor.position().holdings if h.contract == call()) == -65 * is_done_by_hand


def test_what_cannot_be_ended_is_a_break_that_opens_the_breaker_and_is_asked_for_so_often_at_most() -> None:
    late = Late()
    desk.end(late.floor.books, late.ticket.ticket_id, "rejected", ASHA, "expired")
    late.rests()
    late.floor.exchange.fail(Faults(refuse=1.0))
    asked: list[int] = []
    late.floor.exchange.before_cancel = lambda: asked.append(late.floor.clock.now())
    for second in range(600, 800, 5):
        late.at(second, reconciles=True)
    assert len(asked) == CANCELS_MAX
    assert {b.kind for b in standing(late.floor.books)} >= {BreakKind.ALIVE}
    assert oldest_cycles(standing(late.floor.books)) >= 5
    assert late.theirs.status == "open"


def test_an_old_word_of_the_stream_about_what_has_filled_ends_nothing_and_calls_nobody() -> None:
    floor = Floor()
    floor.decide()
    gateway = floor.gateway()
    gateway.step(0.0)
    assert floor.statuses() == [S.FILLED, S.FILLED]
    old = [replace(v, status="open", cum_quantity=0, cum_value=0) for v in floor.exchange.orders()]
    floor.exchange._book.told.extend(old)
    asked: list[int] = []
    floor.exchange.before_cancel = lambda: asked.append(1)
    gateway.step(0.0)
    gateway.step(0.0)
    assert (asked, floor.tickets(), floor.books.rows(ALIVE)) == ([], [], [])


def test_a_suspicion_waits_while_the_book_cannot_be_read() -> None:
    late = Late()
    desk.end(late.floor.books, late.ticket.ticket_id, "rejected", ASHA, "expired")
    late.rests()
    late.at(600)
    late.floor.exchange.fail(Faults(books_down=1.0))
    late.at(606)
    assert len(late.floor.books.rows(ALIVE)) == 1
    late.floor.exchange.fail(Faults())
    late.at(612)
    late.at(618)
    assert late.theirs.status == "cancelled"


# --- the rate -----------------------------------------------------------------------------------------------------


def test_the_end_of_many_orders_is_asked_for_at_the_rate_of_messages() -> None:
    floor = Floor()
    floor.steady = VirtualClock(10**15)
    contracts = (future(), future("BANKNIFTY"), call("BANKNIFTY"))
    for contract in contracts:
        floor.move_away(contract)
    for contract in contracts[:2]:
        floor.decide(floor.leg(contract, Side.BUY))
    when: list[int] = []
    floor.exchange.before_cancel = lambda: when.append(floor.steady.now())
    gateway = floor.gateway(limits=Limits(messages_second_max=1, messages_kept_for_cancels=0))
    for _ in range(6):
        floor.steady.advance(SECOND)
        gateway.step(0.0)
    assert floor.statuses() == [S.WORKING, S.WORKING]
    floor.clock.advance(10 * SECOND)
    floor.halt(Level.OPEN)
    for _ in range(6):
        gateway.step(0.0)
        gateway.step(0.0)
        floor.steady.advance(SECOND)
    assert len(when) == 2
    assert when[1] - when[0] >= SECOND


def test_after_a_throttle_nothing_goes_before_a_second_is_over() -> None:
    floor = Floor()
    floor.steady = VirtualClock(10**15)
    floor.decide()
    floor.exchange.plan(FaultKind.THROTTLE)
    gateway = floor.gateway()
    floor.steady.advance(120 * SECOND)
    gateway.step(0.0)
    assert [o.sends for o in floor.orders()] == [1, 0]
    gateway.step(0.0)
    assert [o.sends for o in floor.orders()] == [1, 0]
    for _ in range(4):
        floor.steady.advance(SECOND)
        gateway.step(0.0)
    assert [(o.status, o.sends) for o in floor.orders()] == [(S.FILLED, 2), (S.FILLED, 1)]


def test_a_gateway_that_starts_anew_counts_what_has_gone_today() -> None:
    floor = Floor()
    floor.decide()
    floor.gateway().step(0.0)
    again = floor.gateway()
    again.step(0.0)
    assert again.pace.bucket.today == 2


def test_what_the_book_shows_live_is_not_given_up_and_a_book_that_cannot_be_read_is_noted() -> None:
    late = Late(late_s=300)
    late.floor.exchange.fail(replace(late.floor.exchange.faults, update_drop=1.0))
    late.rests()
    late.floor.at(301)

    def live(_: object) -> LiveBook:
        return LiveBook(tuple(late.floor.exchange.orders()), True)

    def down(_: object) -> LiveBook:
        raise BrokerDown("no answer")

    with pytest.raises(desk.No, match="the desk takes that in by itself"):
        desk.look_before_end(late.floor.books, late.ticket.ticket_id, ASHA, live)
    desk.look_before_end(late.floor.books, late.ticket.ticket_id, ASHA, down)
    ended = desk.end(late.floor.books, late.ticket.ticket_id, "rejected", ASHA, "expired")
    assert [look.is_checked for look in ended.looks] == [False]
    late.at(306)
    late.at(312)
    late.at(318)
    assert late.theirs.status in ("open", "cancelled"), "it is the reconciliation that finds it"
    late.at(340, reconciles=True)
    late.at(346)
    late.at(352)
    assert late.theirs.status == "cancelled"
