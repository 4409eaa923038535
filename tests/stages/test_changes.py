"""Orders that rest follow the market: by the schedule, inside every control, and whatever happens meanwhile."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from participant.core.breaker import Level
from participant.core.limits import Limits
from participant.core.messages import Write
from participant.core.order import Order, OrderStatus
from participant.core.risk import Refusal
from participant.core.scrip import PRICE_UNITS, Side
from participant.links.faults import FaultKind
from participant.stages.execute import Gateway
from participant.wire.json import decode, encode
from tests.stages.floor import DAY, Contended, Crash, Floor, call, future, quoted

S = OrderStatus
TICK = future().tick
FIRST = quoted(future()).ask


class Resting:
    """A future to buy that rests at its limit, and what the broker was asked to change since."""

    def __init__(self, floor: Floor | None = None, lots: int = 1, limits: Limits | None = None) -> None:
        self.floor, self.limits = floor or Floor(), limits
        self.asked: list[int] = []
        self.floor.exchange.before_change = self.note
        self.floor.move_away(future())
        self.floor.decide(self.floor.leg(future(), Side.BUY, lots))
        self.gateway: Gateway = self.floor.gateway(limits=limits)
        self.gateway.step(0.0)
        assert (self.order.status, self.order.limit) == (S.WORKING, FIRST)

    def note(self, order: Order) -> None:
        self.asked.append(order.limit)

    @property
    def order(self) -> Order:
        (found,) = self.floor.orders()
        return found

    def market(self, seconds: float, ticks: int) -> None:
        """The market stands so many ticks above where it was decided on, and the gateway looks."""
        quote = self.floor.quotes[future().key]
        self.floor.quotes[future().key] = replace(quote, bid=FIRST + (ticks - 2) * TICK, ask=FIRST + ticks * TICK)
        self.floor.at(seconds)
        self.gateway.step(0.0)


@pytest.fixture
def resting() -> Resting:
    return Resting()


# --- the schedule -----------------------------------------------------------------------------------------------------


def test_an_order_that_rests_follows_the_market_after_a_while_and_fills_once(resting: Resting) -> None:
    resting.market(14, 10)
    assert resting.asked == []
    resting.market(20, 12)
    assert resting.asked == [FIRST + 12 * TICK]
    assert (resting.order.status, resting.order.cum_quantity, resting.order.changes) == (S.FILLED, 65, 1)
    assert resting.floor.sent() == [resting.order.tag]


def test_it_follows_once_each_time_of_the_schedule_and_is_then_cancelled(resting: Resting) -> None:
    def flee(order: Order) -> None:
        resting.note(order)
        resting.floor.move_away(future())

    resting.floor.exchange.before_change = flee
    for seconds in range(5, 120, 5):
        resting.market(seconds, seconds)
    assert resting.asked == [FIRST + s * TICK for s in (15, 30, 60)]
    resting.market(125, 125)
    assert (resting.order.status, resting.order.changes, resting.order.cancels) == (S.CANCELLED, 3, 1)


def test_it_stays_where_the_market_is_no_nearer(resting: Resting) -> None:
    for seconds in (20, 40, 70):
        resting.floor.exchange.see({future().key: resting.floor.quotes[future().key]})
        resting.gateway.step(0.0)
        resting.floor.clock.advance(seconds)
    assert resting.asked == []
    assert resting.order.changes == 0


def test_what_has_been_asked_to_end_or_rests_under_a_halt_is_not_changed(resting: Resting) -> None:
    resting.floor.halt(Level.OPEN)
    resting.market(20, 12)
    assert resting.asked == []
    assert resting.order.status is S.CANCELLED


# --- controls ---------------------------------------------------------------------------------------------------------


def test_a_change_passes_the_controls_or_is_refused_with_figures_and_the_order_rests_on(resting: Resting) -> None:
    far = FIRST // (50 * TICK)  # two per cent
    resting.market(20, far)
    assert resting.asked == []
    assert (resting.order.status, resting.order.limit, resting.order.changes) == (S.WORKING, FIRST, 1)
    (row,) = resting.floor.books.rows("refusals")
    refusal = decode(row.value, Refusal)
    assert (row.key, refusal.control, refusal.check) == (f"{DAY}/{resting.order.order_id}/1.1", "PT-16", "drift")


def test_a_change_under_reduce_only_of_what_opens_is_refused(resting: Resting) -> None:
    resting.floor.breaker(Level.REDUCE_ONLY)
    resting.market(20, 12)
    assert resting.asked == []
    assert decode(resting.floor.books.rows("refusals")[0].value, Refusal).control == "PT-17"


def test_a_change_waits_for_room_in_the_rate() -> None:
    limits = replace(Limits(), messages_day_max=4, messages_kept_for_cancels=2)
    resting = Resting(limits=limits)
    resting.gateway.pace.spend()
    resting.market(20, 12)
    assert resting.asked == []
    assert (resting.order.limit, resting.order.changes) == (FIRST, 0)


def test_the_commit_before_the_wire_tells_on_what_the_change_passed(resting: Resting) -> None:
    resting.market(20, 12)
    keys = [row.key for row in resting.floor.books.rows("checks")]
    assert keys == [f"{DAY}/{resting.order.order_id}/1", f"{DAY}/{resting.order.order_id}/1.1"]


# --- whatever happens meanwhile ---------------------------------------------------------------------------------------


def fills_first(resting: Resting, size: int) -> Callable[[Order], None]:
    """Just before the change arrives, the order fills at the limit that it had."""

    def do(order: Order) -> None:
        resting.note(order)
        now = resting.floor.quotes[future().key]
        at_ours = replace(now, bid=FIRST - TICK, ask=FIRST, ask_size=size)
        resting.floor.exchange.on_quotes(resting.floor.clock.now(), {future().key: at_ours})
        resting.floor.exchange.see({future().key: now})

    return do


@pytest.mark.parametrize("kind", [FaultKind.NONE, FaultKind.LOSE, FaultKind.ACCEPT_SILENTLY, FaultKind.THROTTLE])
@pytest.mark.parametrize("lots", [1, 2])
def test_s13_a_fill_while_a_change_is_under_way_counts_once(kind: FaultKind, lots: int) -> None:
    resting = Resting(lots=lots)
    resting.floor.exchange.before_change = fills_first(resting, 65)
    resting.floor.exchange.plan(kind, update_duplicate=1.0)
    resting.market(20, 12)
    assert resting.asked == [FIRST + 12 * TICK]
    for seconds in range(25, 300, 5):
        resting.market(seconds, 12)
        assert resting.order.cum_quantity <= lots * 65
    order, (theirs,) = resting.order, resting.floor.exchange.orders()
    assert order.status is (S.FILLED if theirs.status == "complete" else S.CANCELLED)
    assert (order.cum_quantity, order.cum_value) == (theirs.cum_quantity, theirs.cum_value)
    desk = resting.floor.desk()
    while desk.step(0.0):
        pass
    assert [h.quantity for h in resting.floor.position().holdings] == [order.cum_quantity]
    assert order.cum_quantity == (65 if lots == 1 or kind is FaultKind.LOSE else 130)


def test_only_a_proven_refusal_restores_the_limit(resting: Resting) -> None:
    resting.floor.exchange.plan(FaultKind.REFUSE)
    resting.market(20, 12)
    assert (resting.order.status, resting.order.limit, resting.order.changes) == (S.WORKING, FIRST, 1)
    resting.floor.exchange.plan(FaultKind.LOSE)
    resting.market(31, 14)
    assert (resting.order.status, resting.order.limit, resting.order.changes) == (S.WORKING, FIRST + 14 * TICK, 2)
    resting.market(40, 16)
    assert len(resting.asked) == 2, "what may have been changed is not asked for again"


@pytest.mark.parametrize("when", ["before_change", "after_change"])
def test_a_gateway_that_dies_at_a_change_asks_for_it_no_second_time(resting: Resting, when: str) -> None:
    def die(order: Order) -> None:
        resting.note(order)
        raise Crash

    resting.floor.exchange.before_change = None
    setattr(resting.floor.exchange, when, die)
    with pytest.raises(Crash):
        resting.market(20, 12)
    assert (resting.order.limit, resting.order.changes) == (FIRST + 12 * TICK, 1)
    resting.floor.exchange.before_change, resting.floor.exchange.after_change = resting.note, None
    resting.gateway = resting.floor.gateway()
    resting.floor.breaker(Level.CLOSED)
    for seconds in range(21, 30):
        resting.market(seconds, 12)
    assert len(resting.asked) == 1
    assert resting.order.cum_quantity == (65 if when == "after_change" else 0)
    assert len(resting.floor.sent()) == 1


def test_a_change_whose_order_another_wrote_first_is_not_asked_for() -> None:
    books = Contended("checks")
    resting = Resting(Floor(books))

    def touch() -> None:
        (row,) = books.rows("orders")
        books.commit([Write("orders", row.key, encode(replace(decode(row.value, Order), reason="seen")))])

    books.others = [touch]
    resting.market(20, 12)
    assert resting.asked == []
    resting.market(26, 12)
    assert resting.asked == [FIRST + 12 * TICK], "the next look finds it as it stands and asks once"
    assert resting.order.changes == 1


# --- legs together ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"bid": 140 * PRICE_UNITS}, "went from"),
        ({"bid": 0, "bid_size": 0}, "no fresh, valid quote"),
    ],
)
def test_a_cover_is_not_bought_once_the_calls_bid_has_left(changes: dict[str, int], said: str) -> None:
    floor = Floor()
    floor.decide()
    floor.reprice(call(), **changes)
    floor.gateway().step(0.0)
    assert floor.sent() == []
    assert floor.statuses() == [S.DENIED, S.DENIED]
    refusal = decode(floor.books.rows("refusals")[0].value, Refusal)
    assert (refusal.control, refusal.check) == ("PT-16", "together")
    assert said in refusal.said
