"""A shadow day on the floor: every order is judged and none is sent, the books follow the account, nobody is called."""

import pytest
from msgspec.structs import replace

from participant.adapters.brokers.shadow import ShadowBroker
from participant.core.breaker import Level
from participant.core.breaks import ReconcileRule
from participant.core.clearing import Ledger, Line
from participant.core.decision import Decision
from participant.core.limits import Limits
from participant.core.market import SECOND
from participant.core.matching import OrderRequest
from participant.core.messages import Write
from participant.core.order import OrderStatus, order_id
from participant.core.risk import Refusal
from participant.core.scrip import PRICE_UNITS, Side, money
from participant.links.books import Shadowed, worth
from participant.links.breaks import looks
from participant.links.broker_book import BrokerState
from participant.links.faults import Faults
from participant.links.shadow import Seen, account_orders, follow, outside, worth_at_wake
from participant.stages.execute import Gateway
from participant.stages.reconcile import Closed, Reconcile, ReconcilePorts, close_day
from participant.wire.json import decode, encode
from tests.core.worlds import RULES
from tests.stages.floor import CAPITAL, CONTRACTS, DAY, SPOTS, START, Exchange, Floor, call, future


class Account(Exchange):
    """The account's broker, with the end that every connection has."""

    def close(self) -> None:
        """Nothing to end."""


class Shadow(Floor):
    """A floor whose desk only watches the account at its exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.books.commit([Write("mode", "shadow", encode(Shadowed("venue", "paper")))])
        self.exchange: Account = Account([c for of in CONTRACTS.values() for c in of], RULES, DAY, CAPITAL)
        self.at(0)
        self.prices: dict[str, int] | None = None
        self.broker = ShadowBroker(self.exchange, lambda: self.prices)
        self.ports = ReconcilePorts(self.books, self.market, self.broker, self.queues["fills"])
        self.seen = Seen(self.books, self.market, RULES, self.broker)
        self.booking = self.desk()

    def watching(self, limits: Limits | None = None) -> Gateway:
        made = self.gateway(limits=limits)
        self.leases.clear()
        return Gateway(replace(made.ports, broker=self.broker), made.rule)

    def follow(self) -> bool:
        return follow(self.seen, self.clock.now())

    def reconcile(self) -> bool:
        return Reconcile(self.ports, ReconcileRule(), RULES).step(self.clock.now())

    def trades(self, side: Side = Side.BUY, tag: str = "") -> None:
        """The account's own desk trades a lot of the future."""
        quote = self.quotes[future().key]
        limit = quote.ask if side is Side.BUY else quote.bid
        self.exchange.enter(OrderRequest(tag, future().key, side, future().lot, limit))

    def refusal(self, decision: Decision) -> Refusal:
        row = self.books.get("refusals", f"{DAY}/{order_id(decision.decision_id, 0)}")
        assert row is not None
        return decode(row.value, Refusal)


@pytest.fixture
def floor() -> Shadow:
    return Shadow()


# --- the gateway ------------------------------------------------------------------------------------------------------


def test_an_order_that_passes_every_control_ends_there_with_its_limit_and_quote_and_nobody_is_called(
    floor: Shadow,
) -> None:
    decision = floor.decide()
    floor.watching().step(0.0)
    first, second = floor.orders()
    assert (first.status, first.denied_by, first.sends, first.sent_at) == (OrderStatus.DENIED, "PT-23", 0, 0)
    assert (second.status, second.denied_by, second.reason) == (
        OrderStatus.DENIED, "", "an earlier leg did not fill",
    )  # fmt: skip
    quote = floor.quotes[future().key]
    told = {"limit": quote.ask, "bid": quote.bid, "ask": quote.ask, "quoted_at": START, "now": START}
    assert dict(floor.refusal(decision).figures) == told
    assert (floor.exchange.state.requests, floor.sent(), floor.tickets()) == (0, [], [])


def test_an_order_that_a_control_refuses_is_refused_by_that_control(floor: Shadow) -> None:
    decision = floor.decide(floor.leg(future(), Side.BUY, lots=11))
    floor.watching().step(0.0)
    assert floor.refusal(decision).control == "PT-06"
    assert floor.orders()[0].denied_by == "PT-06"


def test_what_is_asked_for_at_every_instant_is_no_loop_and_no_duplicate_for_nothing_was_sent(floor: Shadow) -> None:
    gateway = floor.watching()
    for minute in range(10):
        floor.at(60 * minute)
        floor.breaker(Level.CLOSED, floor.clock.now())
        floor.decide()
        gateway.step(0.0)
    assert {o.denied_by for o in floor.orders() if o.leg == 0} == {"PT-23"}
    assert floor.books.rows("disabled") == []
    floor.booking.step(0.0)
    assert floor.account().reserved == {}


def test_a_gateway_whose_broker_could_send_sends_nothing_from_a_shadows_books(floor: Shadow) -> None:
    """The two walls hold alone: here the control without the wrapper, in the suite of brokers the wrapper alone."""
    floor.decide()
    floor.gateway().step(0.0)
    assert floor.exchange.state.requests == 0
    assert floor.orders()[0].denied_by == "PT-23"


def test_an_order_of_the_accounts_own_desk_is_never_taken_for_ours_though_it_bears_our_tag(floor: Shadow) -> None:
    decision = floor.decide()
    gateway = floor.watching()
    gateway.step(0.0)
    floor.trades(tag=f"{order_id(decision.decision_id, 0)[:16]}1")
    gateway.step(0.0)
    assert [(o.status, o.cum_quantity) for o in floor.orders()] == [(OrderStatus.DENIED, 0)] * 2
    assert floor.broker.find(order_id(decision.decision_id, 0)[:16]) == []


# --- the books --------------------------------------------------------------------------------------------------------


def test_the_books_follow_what_the_account_holds_and_has(floor: Shadow) -> None:
    floor.trades()
    assert floor.follow()
    (held,) = floor.position().holdings
    (line,) = floor.exchange.positions()
    assert (held.contract, held.quantity, held.cost) == (future(), 65, line.cost)
    assert floor.account().cash == floor.exchange.funds().cash
    assert floor.account().used["NIFTY"] > 0
    (view,) = account_orders(floor.books, DAY)
    assert (view.status, view.cum_quantity, view.tag) == ("complete", 65, "")
    floor.trades(Side.SELL)
    floor.at(60)
    assert floor.follow()
    assert (floor.position().holdings, len(account_orders(floor.books, DAY))) == ((), 2)
    assert floor.account().cash == floor.exchange.funds().cash


def test_following_again_changes_nothing(floor: Shadow) -> None:
    floor.trades()
    floor.follow()
    tables = ("positions", "account", "account_orders", "events", "flows")
    before = [(r.table, r.key, r.value) for t in tables for r in floor.books.rows(t)]
    floor.follow()
    assert [(r.table, r.key, r.value) for t in tables for r in floor.books.rows(t)] == before


def test_what_the_exchange_settled_overnight_is_a_new_cost_and_no_units_that_came_in(floor: Shadow) -> None:
    floor.trades()
    floor.follow()
    flows = [r.key for r in floor.books.rows("flows")]
    floor.at(60)
    floor.exchange.close_day(floor.clock.now(), {"NIFTY": SPOTS["NIFTY"], future().key: SPOTS["NIFTY"] + PRICE_UNITS})
    floor.follow()
    assert floor.position().holdings[0].cost == money(SPOTS["NIFTY"] + PRICE_UNITS, 65)
    assert floor.account().cash == floor.exchange.funds().cash
    assert [r.key for r in floor.books.rows("flows")] == flows


def test_what_is_held_of_no_contract_of_this_market_is_named_and_kept_out_of_every_decision(floor: Shadow) -> None:
    other = replace(call(), strike=call().strike + 50 * PRICE_UNITS)
    floor.exchange.restore(BrokerState(DAY, Ledger(CAPITAL, lines={other.key: Line(other, -65, -100_000)})))
    floor.exchange._book.contracts[other.key] = other
    floor.at(0)
    assert floor.follow()
    assert (outside(floor.books, DAY), floor.position().holdings) == ({other.key: -65}, ())


def test_a_broker_that_does_not_show_its_books_changes_nothing_and_the_failure_is_counted(floor: Shadow) -> None:
    floor.trades()
    floor.exchange.fail(Faults(books_down=1.0))
    assert not floor.follow()
    assert not floor.reconcile()
    assert floor.position().holdings == ()
    assert (looks(floor.books, DAY).compared, looks(floor.books, DAY).failed) == (0, 1)


def test_the_running_comparison_follows_and_finds_no_break_and_no_stranger(floor: Shadow) -> None:
    floor.trades()
    floor.at(30)
    assert not floor.reconcile()
    assert floor.position().holdings[0].quantity == 65
    assert (floor.tickets(), floor.books.rows("breaks"), floor.books.rows("external")) == ([], [], [])
    assert looks(floor.books, DAY).compared == 1


def test_a_shadows_day_ends_with_the_account_as_it_is_without_settling_or_comparing_anything(floor: Shadow) -> None:
    floor.trades()
    floor.decide()
    floor.mark("fills", START + 360 * SECOND, is_last=True)
    floor.booking.step(0.0)
    assert close_day(floor.ports, RULES, DAY) is None, "the exchange has not ended its day"
    prices = {"NIFTY": 24_100 * PRICE_UNITS, future().key: 24_200 * PRICE_UNITS}
    floor.exchange.close_day(floor.clock.now(), prices)
    floor.prices = prices
    assert close_day(floor.ports, RULES, DAY) is None, "what was never judged is denied first"
    floor.booking.step(0.0)
    floor.exchange.fail(Faults(books_down=1.0))
    assert close_day(floor.ports, RULES, DAY) is None, "a failed read is no empty book"
    floor.exchange.fail(Faults())
    closed = close_day(floor.ports, RULES, DAY)
    assert isinstance(closed, Closed)
    assert (closed.breaks, closed.unknown, floor.tickets()) == ((), (), [])
    assert floor.position().holdings[0].cost == money(prices[future().key], 65), "as the account's exchange settled it"
    assert {o.reason for o in floor.orders()} == {"the day is over"}
    assert closed.worth == worth(floor.books, floor.market, at_cost=True)


def test_a_day_begins_at_the_last_marks_and_what_is_new_since_at_its_cost(floor: Shadow) -> None:
    floor.trades()
    floor.follow()
    cash, (held,) = floor.account().cash, floor.position().holdings
    assert worth_at_wake(floor.books) == pytest.approx(cash, abs=1)
    floor.mark("fills", START + 360 * SECOND, is_last=True)
    floor.booking.step(0.0)
    floor.prices = {}
    assert close_day(floor.ports, RULES, DAY) is not None
    middle = floor.quotes[future().key].mid
    assert worth_at_wake(floor.books) == cash + money(middle, held.quantity) - held.cost
