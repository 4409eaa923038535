"""Shares through the gateway, the exchange and the books, to the delivery that a call in the money asks for."""

import datetime

import pytest
from msgspec.structs import replace

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.leases.memory import MemoryLease
from participant.core.breaker import Triggers
from participant.core.decision import Action, Decision, Leg
from participant.core.market import SECOND, Mark, MarketState, Quote, Reference, quoted
from participant.core.messages import Message, Write
from participant.core.order import OrderStatus, orders_of
from participant.core.position import Position
from participant.core.risk import Limits
from participant.core.scrip import PRICE_UNITS, Contract, Side, money
from participant.core.sending import SendRule
from participant.links.books import Books
from participant.links.outbox import promise, relay
from participant.operate.wake import open_day
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.reconcile import Closed, ReconcilePorts, close_day
from participant.wire.json import encode
from tests.core import stocks
from tests.core.stocks import DAY, EXPIRY, LOT, NAME, SHARES, stock_state
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, Exchange, Floor

CALL = stocks.call(1_440)
CONTRACTS = (SHARES, stocks.FUTURE, CALL)


class StockFloor(Floor):
    """The floor on one day of a stock."""

    def __init__(self, day: datetime.date = DAY) -> None:
        super().__init__()
        self.day, self.exchange, self.clock = day, Exchange(CONTRACTS, RULES, day, CAPITAL), VirtualClock(0)
        self.show(stock_state(day))
        references = (Reference(NAME, CONTRACTS, self.state.look_back),)
        open_day(self.books, self.market, day, references)
        self.show(self.state)

    def show(self, state: MarketState) -> None:
        """An instant of the stock's market, at the exchange and at the gateway."""
        self.state = state
        self.clock.set(state.exchange_at)
        self.market.commit([Write("quotes", NAME, encode(state))])
        shown = {c.key: quoted(state, c) for c in (stocks.FUTURE, CALL)} | {NAME: state.underlying}
        self.exchange.on_quotes(state.exchange_at, {key: quote for key, quote in shown.items() if quote is not None})

    def touch(self, contract: Contract, side: Side) -> int:
        quote = quoted(self.state, contract)
        assert quote is not None
        return quote.touch(side)

    def want(self, *legs: tuple[Contract, Side, int], action: Action = Action.OPEN) -> Decision:
        now = self.clock.now()
        made = tuple(
            Leg(c, side, units, self.touch(c, side), money(self.touch(c, side), units)) for c, side, units in legs
        )
        name = f"d{now}-{len(legs)}-{legs[0][1]}"
        decision = Decision(name, NAME, action, "because", {}, made, "s", now, now + 600 * SECOND, "rules", "build")
        log = [Write("log", f"{self.day}/{name}", encode({"decisionInfo": decision}))]
        orders = [Write("orders", f"{self.day}/{o.order_id}", encode(o), 0) for o in orders_of(decision)]
        assert self.books.commit([*log, *orders, promise("orders", Message(name, NAME, b""))])
        relay(self.books, "orders", self.queues["orders"])
        return decision

    def worked(self, limits: Limits | None = None) -> None:
        """The gateway and the books do what there is to do."""
        lease, stores = MemoryLease({}), (self.books, self.market, self.books)
        queues = self.queues["orders"], self.queues["fills"]
        ports = GatewayPorts(*queues, *stores, self.exchange, self.clock, self.wall, lease, self.steady)
        rule = GatewayRule(RULES, limits or Limits(), SendRule(), Triggers(), False, frozenset((NAME,)))
        gateway, desk = Gateway(ports, rule), self.desk()
        for _ in range(3):
            gateway.step(0.0)
            desk.step(0.0)

    def next_day(self, day: datetime.date) -> None:
        state = self.exchange.state
        self.exchange = Exchange(CONTRACTS, RULES, day, CAPITAL)
        self.exchange.restore(state)
        self.day = day
        self.show(stock_state(day))
        open_day(self.books, self.market, day, (Reference(NAME, CONTRACTS, self.state.look_back),))
        self.show(self.state)

    def ended(self, official: dict[str, int]) -> Closed:
        at = self.clock.now()
        self.books.commit([Write("ended", str(self.day), encode(Mark("one", at, at, True)))])
        self.exchange.close_day(at, official)
        ports = ReconcilePorts(self.books, self.market, self.exchange, self.queues["fills"])
        closed = close_day(ports, RULES, self.day)
        assert closed is not None
        return closed

    @property
    def held(self) -> Position:
        return Books(self.books).position(NAME)[0]


@pytest.fixture
def floor() -> StockFloor:
    """A day on which the shares were bought and the call was sold."""
    floor = StockFloor()
    floor.want((SHARES, Side.BUY, LOT), (CALL, Side.SELL, LOT))
    floor.worked()
    assert [o.status for o in floor.orders()] == [OrderStatus.FILLED] * 2, [o.reason for o in floor.orders()]
    return floor


def test_the_shares_are_bought_and_paid_and_then_the_call_is_sold(floor: StockFloor) -> None:
    assert {h.contract: h.quantity for h in floor.held.holdings} == {SHARES: LOT, CALL: -LOT}
    assert floor.account().cash == floor.exchange.funds().cash
    assert CAPITAL - floor.account().cash > money(stocks.SPOT, LOT) - money(30 * PRICE_UNITS, LOT)
    assert floor.account().reserved == {}


def test_a_day_with_shares_closes_without_a_break(floor: StockFloor) -> None:
    closed = floor.ended({NAME: stocks.SPOT})
    assert (closed.breaks, closed.unknown) == ((), ())
    assert {p.contract: p.quantity for p in floor.exchange.positions()} == {SHARES.key: LOT, CALL.key: -LOT}


@pytest.mark.parametrize(("rupees", "left"), [(1_460, {}), (1_440, {SHARES.key: LOT}), (1_300, {SHARES.key: LOT})])
def test_at_expiry_the_shares_go_where_the_call_is_in_the_money_and_stay_where_not(
    floor: StockFloor, rupees: int, left: dict[str, int]
) -> None:
    floor.ended({NAME: stocks.SPOT})
    floor.next_day(EXPIRY)
    before = floor.account().cash
    closed = floor.ended({NAME: rupees * PRICE_UNITS})
    assert (closed.breaks, closed.unknown) == ((), ())
    assert {h.contract.key: h.quantity for h in floor.held.holdings} == left
    assert {p.contract: p.quantity for p in floor.exchange.positions()} == left
    assert floor.account().cash == floor.exchange.funds().cash
    assert floor.account().cash - before == (0 if left else 72_000_000 - 2_844_00)
    assert floor.account().committed == 0


def test_the_account_must_be_able_to_pay_for_the_shares() -> None:
    floor = StockFloor()
    poor = replace(floor.account(), cash=money(stocks.SPOT, LOT) - 1)
    floor.books.commit([Write("account", "account", encode(poor))])
    floor.want((SHARES, Side.BUY, LOT), (CALL, Side.SELL, LOT))
    floor.worked()
    assert [o.status for o in floor.orders()] == [OrderStatus.DENIED] * 2
    assert "paise of margin are needed" in floor.orders()[0].reason


def test_the_gateway_sells_no_call_before_its_shares_and_no_share_from_under_a_call(floor: StockFloor) -> None:
    floor.want((SHARES, Side.SELL, LOT), action=Action.CLOSE)
    floor.worked()
    last = next(o for o in floor.orders() if o.side is Side.SELL and o.contract == SHARES)
    assert last.status is OrderStatus.DENIED
    assert "500 units of calls would stand against 0 of cover" in last.reason
    fresh = StockFloor()
    fresh.want((CALL, Side.SELL, LOT))
    fresh.worked()
    assert [o.status for o in fresh.orders()] == [OrderStatus.DENIED]


def test_the_limits_of_lots_go_by_the_lot_of_the_call() -> None:
    limits = replace(Limits(), lots_max=2, order_lots_max=2)
    for lots, status in ((2, OrderStatus.FILLED), (3, OrderStatus.DENIED)):
        floor = StockFloor()
        floor.want((SHARES, Side.BUY, lots * LOT), (CALL, Side.SELL, lots * LOT))
        floor.worked(limits)
        assert floor.orders()[0].status is status, floor.orders()[0].reason
    alone = StockFloor()
    alone.want((SHARES, Side.BUY, 1))
    alone.worked(limits)
    assert [o.status for o in alone.orders()] == [OrderStatus.DENIED]  # no call says what a lot is


def test_the_exchange_sells_nobody_shares_short() -> None:
    floor = StockFloor()
    floor.want((SHARES, Side.BUY, LOT))
    order = replace(orders_of(floor.want((SHARES, Side.SELL, LOT), action=Action.CLOSE))[0], sends=1)
    answer = floor.exchange.place(order)
    assert (answer.verdict, answer.reason) == ("rejected", "there are no 500 shares to sell")


def test_shares_that_rest_fill_when_the_underlying_comes_to_them() -> None:
    floor = StockFloor()
    (order,) = orders_of(floor.want((SHARES, Side.BUY, LOT)))
    below = replace(order, sends=1, limit=order.limit - 5_000)
    assert floor.exchange.place(below).verdict == "accepted"
    assert floor.exchange.orders()[0].cum_quantity == 0
    there = Quote(below.limit - 1_000, below.limit, LOT, LOT, floor.clock.now() + SECOND)
    floor.exchange.on_quotes(there.exchange_at, {NAME: there})
    assert floor.exchange.orders()[0].cum_value == money(below.limit, LOT)
    assert floor.exchange.quote(SHARES.key) == there
