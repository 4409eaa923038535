"""One suite for Broker and BrokerBooks: in memory, and over HTTP against a venue and vendors' servers on loopback."""

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Protocol

import pytest
from msgspec.structs import replace

from participant.adapters.brokers.http import HttpBroker
from participant.adapters.brokers.kite import KiteAccount, KiteBroker
from participant.adapters.brokers.memory import MemoryBroker
from participant.adapters.brokers.openalgo import OpenAlgoAccount, OpenAlgoBroker
from participant.adapters.brokers.shadow import ShadowBroker
from participant.adapters.clocks.virtual import VirtualClock
from participant.core.clearing import Ledger
from participant.core.guarantees import Dedup, Finding, Guarantees
from participant.core.market import SECOND
from participant.core.messages import BrokerPosition
from participant.core.order import Order, OrderView, Verdict
from participant.core.scrip import Contract, Side, money
from participant.links.broker_book import BrokerState
from participant.links.faults import Fault, FaultKind, Faults, fault_of
from participant.links.secrets import Key
from participant.ports import Broker, BrokerBooks, BrokerDown
from participant.wire.broker import classify
from tests.vendors import kite as kite_server
from tests.vendors import openalgo as openalgo_server
from tests.vendors.serving import Served, serving
from tests.venue.made import (
    CALL,
    CASH,
    CONTRACTS,
    DAY,
    FUTURE,
    MINUTE,
    OPENS_AT,
    RULES,
    SETTLEMENTS,
    TODAYS_CALL,
    WAIT_S,
    MadeMarket,
    Running,
    quotes,
    running,
)

BUY, SELL = Side.BUY, Side.SELL
ASK = 3_010_000


class Both(Broker, BrokerBooks, Protocol):
    """A broker with its books and its guarantees."""

    guarantees: Guarantees

    def close(self) -> None: ...


class InMemory(MemoryBroker):
    """The broker in memory, with the end that every connection has."""

    def close(self) -> None:
        """Nothing to end."""


class Desk:
    """A broker under test, and the exchange behind it."""

    def __init__(self, broker: Both, exchange: MemoryBroker, do: Callable[[Callable[[], None]], None]) -> None:
        self.broker = broker
        self.exchange = exchange
        self.steady = VirtualClock(0)
        self._act = do
        # What an answer says of an order that the exchange refuses (some brokers say it in the book alone), and of a
        # change or an end that cannot be.
        self.refused, self.unchanged = Verdict.REJECTED, Verdict.REJECTED

    def _do(self, action: Callable[[], None]) -> None:
        """Something happens at the exchange, and a second passes: whoever looks now looks anew."""
        self._act(action)
        self.steady.advance(SECOND)

    def placed(self, order: Order) -> Order:
        """The order, with the id that the broker gave it."""
        return replace(order, broker_order_id=self.broker.place(order).broker_order_id)

    def show(self, minutes: int, size: int = 650) -> None:
        at = OPENS_AT + minutes * MINUTE
        self._do(lambda: self.exchange.on_quotes(at, quotes(at, minutes, size)))

    def pass_to(self, seconds: int) -> None:
        self._do(lambda: self.exchange.on_quotes(OPENS_AT + seconds * SECOND, {}))

    def fail(self, faults: Faults) -> None:
        self._do(lambda: self.exchange.fail(faults))

    def close_day(self) -> None:
        self._do(lambda: self.exchange.close_day(OPENS_AT + 400 * MINUTE, SETTLEMENTS))

    def hear(self, wanted: Callable[[list[OrderView]], bool]) -> list[OrderView]:
        """Updates until they are as wanted, within the limit of a wait."""
        heard: list[OrderView] = []
        ticking = threading.Event()
        for _ in range(int(WAIT_S / 0.01)):
            heard += self.broker.updates()
            if wanted(heard):
                return heard
            ticking.wait(0.01)
        pytest.fail(f"not heard, but {heard}")


def in_memory(_: Running) -> Iterator[Desk]:
    broker = InMemory(CONTRACTS, RULES, DAY, CASH)
    broker.on_quotes(OPENS_AT, quotes(OPENS_AT))
    yield Desk(broker, broker, lambda action: action())


def over_http(venue: Running) -> Iterator[Desk]:
    exchange = venue.venue.exchange.broker

    def begin() -> None:
        exchange.fail(Faults())
        exchange.restore(BrokerState(DAY, Ledger(CASH)))
        exchange.on_quotes(OPENS_AT, quotes(OPENS_AT))

    venue.do(begin)
    broker = HttpBroker(venue.url, WAIT_S)
    try:
        broker.login()
        yield Desk(broker, exchange, venue.do)
    finally:
        broker.close()


def on_kite(served: Served) -> Iterator[Desk]:
    served.begin()
    key = Key("live", kite_server.API_KEY, kite_server.SECRET, kite_server.TOKEN, str(DAY))
    account = KiteAccount(DAY, served.url, served.url.replace("http", "ws", 1), listed_min=3)
    steady = VirtualClock(0)
    for desk in at_vendor(KiteBroker(account, lambda: key, WAIT_S, steady.now), served):
        desk.steady = steady
        yield desk


def on_openalgo(served: Served) -> Iterator[Desk]:
    served.begin()
    account = OpenAlgoAccount(DAY, False, served.url, served.url.replace("http", "ws", 1), listed_min=3)
    key = Key("live", openalgo_server.API_KEY)
    yield from at_vendor(OpenAlgoBroker(account, lambda: key, list, lambda: OPENS_AT, WAIT_S), served)


def at_vendor(broker: KiteBroker | OpenAlgoBroker, served: Served) -> Iterator[Desk]:
    try:
        broker.login()
        desk = Desk(broker, served.vendor.exchange, served.do)
        desk.refused, desk.unchanged = Verdict.ACCEPTED, Verdict.UNKNOWN
        yield desk
    finally:
        broker.close()


@pytest.fixture(scope="module")
def venue() -> Iterator[Running]:
    """One venue for all; its broker begins anew for each test."""
    with running(MadeMarket()) as made:
        yield made


@pytest.fixture(scope="module")
def kite() -> Iterator[Served]:
    """One Kite for all."""
    with serving(kite_server.KiteServer()) as served:
        yield served


@pytest.fixture(scope="module")
def openalgo() -> Iterator[Served]:
    """One OpenAlgo for all."""
    with serving(openalgo_server.OpenAlgoServer()) as served:
        yield served


# broker -> how a desk begins with it, and the fixture that plays what is behind it
WAYS: dict[str, tuple[Callable[..., Iterator[Desk]], str]] = {
    "MemoryBroker": (in_memory, "venue"),
    "HttpBroker": (over_http, "venue"),
    "KiteBroker": (on_kite, "kite"),
    "OpenAlgoBroker": (on_openalgo, "openalgo"),
}


@pytest.fixture(params=WAYS.values(), ids=list(WAYS))
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    begin, behind = request.param
    yield from begin(request.getfixturevalue(behind))


def order(name: str, contract: Contract = CALL, side: Side = BUY, quantity: int = 65, limit: int = ASK) -> Order:
    return Order(name * 16, "decision", "NIFTY", 0, contract, side, quantity, limit, 0, 0, 0, sends=1)


def planned(**fault: object) -> Faults:
    return Faults(plan={1: Fault(**fault)})  # type: ignore[arg-type]  # the fields of a Fault


# --- orders -----------------------------------------------------------------------------------------------------------


def test_an_order_that_can_trade_is_accepted_and_stands_complete_in_the_book(desk: Desk) -> None:
    answer = desk.broker.place(order("a", limit=ASK + 5_000))
    assert (answer.verdict, answer.reason) == (Verdict.ACCEPTED, "")
    (view,) = desk.broker.find("a" * 16)
    assert view.broker_order_id == answer.broker_order_id
    assert (view.tag, view.contract, view.side, view.quantity) == ("a" * 16 + "1", CALL.key, BUY, 65)
    assert (view.status, view.cum_quantity, view.cum_value) == ("complete", 65, money(ASK, 65))
    assert view.updated_at == OPENS_AT


def test_an_order_that_cannot_trade_rests_and_fills_at_its_own_limit_later(desk: Desk) -> None:
    desk.broker.place(order("a", side=SELL, limit=3_020_000))
    assert desk.broker.find("a")[0].status == "open"
    desk.show(3)
    (view,) = desk.broker.orders()
    assert (view.status, view.cum_value, view.updated_at) == (
        "complete",
        money(3_020_000, 65),
        OPENS_AT + 3 * MINUTE,
    )


def test_updates_tell_of_an_order_from_its_beginning_to_its_end(desk: Desk) -> None:
    desk.broker.place(order("a", side=SELL, limit=3_020_000))
    desk.show(3)
    heard = desk.hear(lambda views: any(v.status == "complete" for v in views))
    assert [v.status for v in heard] == ["open", "complete"]
    assert replace(heard[-1], updated_at=OPENS_AT + 3 * MINUTE) == desk.broker.orders()[0]
    assert desk.broker.updates() == []


def test_only_the_displayed_size_fills_and_the_rest_goes_on_resting(desk: Desk) -> None:
    desk.broker.place(order("a", quantity=1300, limit=3_050_000))
    assert (desk.broker.find("a")[0].status, desk.broker.find("a")[0].cum_quantity) == ("open", 650)
    desk.show(1, size=130)
    assert desk.broker.find("a")[0].cum_quantity == 780
    assert desk.broker.find("a")[0].cum_value == money(ASK, 650) + money(3_050_000, 130)


# --- guarantees -------------------------------------------------------------------------------------------------------


def test_a_tag_as_long_as_is_guaranteed_comes_back_as_it_was_sent(desk: Desk) -> None:
    most = desk.broker.guarantees.tag_length_max
    longest = replace(order("a"), sends=10 ** max(0, most - 17))
    assert len(longest.tag) == (most or 17)
    assert desk.broker.place(longest).verdict is Verdict.ACCEPTED
    if desk.broker.guarantees.found_by is Finding.TAG:
        assert [v.tag for v in desk.broker.orders()] == [longest.tag]


def test_only_limit_orders_of_the_day_are_guaranteed_and_sent(desk: Desk) -> None:
    stated = desk.broker.guarantees
    assert (stated.order_types, stated.validities, stated.has_market_orders) == (("LIMIT",), ("DAY",), False)
    desk.broker.place(order("a", limit=2_000_000))
    assert desk.broker.find("a")[0].status == "open", "an order far from the market rests: it is no market order"


def test_no_broker_is_said_to_take_a_tag_once_and_none_is_found_to(desk: Desk) -> None:
    assert desk.broker.guarantees.dedup_by_tag is not Dedup.YES


def test_the_same_tag_sent_twice_is_two_orders(desk: Desk) -> None:
    desk.broker.place(order("a"))
    desk.broker.place(order("a"))
    assert len(desk.broker.find("a" * 16)) == 2
    assert len({v.broker_order_id for v in desk.broker.orders()}) == 2


def test_find_takes_the_tags_that_begin_so_and_no_others(desk: Desk) -> None:
    desk.broker.place(order("a"))
    desk.broker.place(order("b"))
    assert [v.tag for v in desk.broker.find("b" * 16)] == ["b" * 16 + "1"]
    assert desk.broker.find("c") == []


def test_a_cancelled_order_ends_and_one_that_is_over_cannot_be_cancelled(desk: Desk) -> None:
    resting = desk.placed(order("a", limit=2_000_000))
    assert desk.broker.cancel(resting).verdict is Verdict.ACCEPTED
    assert desk.broker.find("a")[0].status == "cancelled"
    assert desk.broker.cancel(resting).verdict is desk.unchanged
    desk.show(3)
    assert desk.broker.find("a")[0].cum_quantity == 0


def test_a_modified_order_has_the_new_limit_and_trades_on_it(desk: Desk) -> None:
    resting = desk.placed(order("a", limit=2_000_000))
    answer = desk.broker.modify(replace(resting, limit=ASK))
    (view,) = desk.broker.find("a")
    if not desk.broker.guarantees.changes_limit_alone:
        assert (answer.verdict, view.status, view.quantity) == (Verdict.REJECTED, "open", 65)
        return
    assert answer.verdict is Verdict.ACCEPTED
    assert (view.quantity, view.status, view.cum_value) == (65, "complete", money(ASK, 65))
    assert desk.broker.modify(replace(resting, limit=ASK)).verdict is desk.unchanged


def test_a_change_of_an_order_that_has_filled_in_part_orders_none_of_it_again(desk: Desk) -> None:
    resting = desk.placed(order("a", quantity=1300, limit=3_050_000))
    assert desk.broker.find("a")[0].cum_quantity == 650
    desk.broker.modify(replace(resting, limit=3_060_000))
    desk.show(1, size=1300)
    (view,) = desk.broker.find("a")
    assert (view.quantity, view.cum_quantity) == (1300, 1300)


def test_a_modification_that_is_no_proper_order_changes_nothing(desk: Desk) -> None:
    resting = desk.placed(order("a", limit=2_000_000))
    for bad in (ASK + 1, 0):
        assert desk.broker.modify(replace(resting, limit=bad)).verdict is not Verdict.ACCEPTED
    assert (desk.broker.find("a")[0].quantity, desk.broker.find("a")[0].status) == (65, "open")


# --- rejections -------------------------------------------------------------------------------------------------------

STRANGE = Contract("NIFTY", CALL.expiry, CALL.kind, 270_000_000, 65, 500, 1755)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (order("a", limit=ASK + 1), "tick"),
        (order("a", limit=0), "price"),
        (order("a", quantity=64), "lot"),
        (order("a", quantity=1820), "freeze"),
        (order("a", contract=STRANGE), "unknown contract|not in the broker's list"),
        (order("a", contract=FUTURE, side=SELL, quantity=1755, limit=251_000_000), "margin"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_exchange_refuses_is_a_proven_rejection(desk: Desk, bad: Order, reason: str) -> None:
    answer = desk.broker.place(bad)
    views = desk.broker.orders()
    assert answer.verdict in (desk.refused, Verdict.REJECTED)
    assert not answer.is_retriable
    if answer.reason:
        assert re.search(reason, answer.reason)
    if not answer.reason.startswith("not sent"):
        assert [(v.status, v.cum_quantity) for v in views] == [("rejected", 0)]
        assert not desk.broker.guarantees.has_reasons or re.search(reason, views[0].reason)


def test_after_the_day_is_closed_nothing_is_taken_and_day_orders_are_gone(desk: Desk) -> None:
    desk.broker.place(order("a", limit=2_000_000))
    desk.close_day()
    assert desk.broker.find("a")[0].status == "cancelled"
    assert desk.broker.place(order("b")).verdict is desk.refused
    (view,) = desk.broker.find("b")
    assert (view.status, "closed" in view.reason) == ("rejected", desk.broker.guarantees.has_reasons)


def test_an_order_that_lowers_the_margin_is_taken_whatever_the_cash(desk: Desk) -> None:
    desk.broker.place(order("a", contract=FUTURE, quantity=650, limit=251_010_000))
    ledger = desk.exchange.state.ledger
    desk.exchange.state.ledger = replace(ledger, opening=ledger.opening - ledger.cash)
    assert desk.broker.place(order("b", contract=FUTURE, limit=251_010_000)).verdict in (desk.refused, Verdict.REJECTED)
    assert [v.status for v in desk.broker.find("b")] == ["rejected"]
    closing = order("c", contract=FUTURE, side=SELL, limit=251_000_000)
    assert desk.broker.place(closing).verdict is Verdict.ACCEPTED


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_refused_order_is_rejected_for_good(desk: Desk) -> None:
    desk.fail(planned(kind=FaultKind.REFUSE))
    answer = desk.broker.place(order("a"))
    assert (answer.verdict, answer.is_retriable) == (desk.refused, False)
    assert [v.status for v in desk.broker.find("a")] == ["rejected"]
    assert desk.broker.place(order("b")).verdict is Verdict.ACCEPTED


def test_a_throttled_order_may_be_sent_again_and_never_was_in_the_book(desk: Desk) -> None:
    desk.fail(planned(kind=FaultKind.THROTTLE))
    answer = desk.broker.place(order("a"))
    assert (answer.verdict, answer.is_retriable) == (Verdict.REJECTED, True)
    assert desk.broker.orders() == []


def test_a_lost_order_is_unknown_and_never_comes(desk: Desk) -> None:
    desk.fail(planned(kind=FaultKind.LOSE))
    assert desk.broker.place(order("a")).verdict is Verdict.UNKNOWN
    desk.pass_to(600)
    assert desk.broker.orders() == []


def test_an_order_that_timed_out_after_it_was_accepted_is_unknown_and_in_the_book(desk: Desk) -> None:
    desk.fail(planned(kind=FaultKind.ACCEPT_SILENTLY))
    assert desk.broker.place(order("a")).verdict is Verdict.UNKNOWN
    assert [v.status for v in desk.broker.orders()] == ["complete"]


def test_an_order_that_is_accepted_late_is_not_in_the_book_until_then(desk: Desk) -> None:
    desk.fail(planned(kind=FaultKind.ACCEPT_LATE, late_s=170))
    assert desk.broker.place(order("a")).verdict is Verdict.UNKNOWN
    desk.pass_to(169)
    assert desk.broker.orders() == []
    desk.pass_to(170)
    assert [v.status for v in desk.broker.orders()] == ["complete"]
    if desk.broker.guarantees.found_by is Finding.TAG:
        assert [v.status for v in desk.broker.find("a" * 16)] == ["complete"]
        return
    with pytest.raises(BrokerDown, match=f"may be order {'a' * 16}1"):
        desk.broker.find("a" * 16)


def test_a_planned_partial_fill_goes_on_with_the_next_quotes(desk: Desk) -> None:
    desk.fail(planned(fill_lots_max=1))
    desk.broker.place(order("a", quantity=195, limit=3_100_000))
    filled = [desk.broker.orders()[0].cum_quantity]
    for minutes in (1, 2, 3):
        desk.show(minutes)
        filled.append(desk.broker.orders()[0].cum_quantity)
    assert filled == [65, 130, 195, 195]


def test_a_cancel_that_timed_out_may_have_been_done_or_not(desk: Desk) -> None:
    for kind, status in ((FaultKind.LOSE, "open"), (FaultKind.ACCEPT_SILENTLY, "cancelled")):
        resting = desk.placed(order(kind.name[0].lower(), limit=2_000_000))
        desk.fail(planned(kind=kind))
        assert desk.broker.cancel(resting).verdict is Verdict.UNKNOWN
        assert desk.broker.find(resting.tag_stem)[0].status == status


def test_updates_can_be_dropped_doubled_and_turned_round(desk: Desk) -> None:
    desk.fail(Faults(update_drop=1.0))
    desk.broker.place(order("a"))
    desk.exchange.updates()
    desk.fail(Faults(update_duplicate=1.0, update_reorder=1.0))
    desk.broker.place(order("b"))
    heard = desk.hear(lambda views: len(views) >= 4)
    assert [(v.tag[0], v.status) for v in heard] == [("b", "complete")] * 2 + [("b", "open")] * 2


def test_books_that_cannot_be_read_are_never_empty_books(desk: Desk) -> None:
    broker = desk.broker
    broker.place(order("a"))
    desk.fail(Faults(books_down=1.0))
    reads: list[Callable[[], object]] = [
        broker.orders,
        broker.positions,
        broker.funds,
        *([broker.settlements] if broker.guarantees.has_settlements else []),
        broker.login,
        lambda: broker.find("a"),
        lambda: broker.quote(CALL.key),
        lambda: broker.margin([order("b")]),
    ]
    for read in reads:
        with pytest.raises(BrokerDown):
            read()


def test_the_same_seed_brings_the_same_faults_at_their_shares_and_never_later_than_said() -> None:
    faults = Faults(seed=3, refuse=0.1, throttle=0.1, lose=0.1, accept_silently=0.1, accept_late=0.2, partial=0.5)
    drawn = [fault_of(faults, n) for n in range(2000)]
    assert drawn == [fault_of(faults, n) for n in range(2000)]
    assert drawn != [fault_of(replace(faults, seed=4), n) for n in range(2000)]
    kinds = [fault.kind for fault in drawn]
    for kind, share in ((FaultKind.NONE, 0.4), (FaultKind.REFUSE, 0.1), (FaultKind.ACCEPT_LATE, 0.2)):
        assert abs(kinds.count(kind) / 2000 - share) < 0.04
    assert {fault.late_s > 0 for fault in drawn if fault.kind is FaultKind.ACCEPT_LATE} == {True}
    assert 160 < max(fault.late_s for fault in drawn) <= 170
    assert abs(sum(fault.fill_lots_max for fault in drawn) / 2000 - 0.5) < 0.05


# --- books ------------------------------------------------------------------------------------------------------------


def test_positions_and_cash_follow_the_fills(desk: Desk) -> None:
    assert desk.broker.funds().cash == CASH
    desk.broker.place(order("a", contract=FUTURE, limit=251_010_000))
    desk.broker.place(order("b", side=SELL, limit=3_000_000))
    assert desk.broker.positions() == [
        BrokerPosition(CALL.key, -65, -money(3_000_000, 65)),
        BrokerPosition(FUTURE.key, 65, money(251_010_000, 65)),
    ]
    funds = desk.broker.funds()
    charged = CASH + money(3_000_000, 65) - funds.cash
    assert 0 < charged < 200_00
    assert 0 < funds.margin_used < CASH


def test_margin_is_what_orders_add_and_a_hedge_needs_less_than_its_parts(desk: Desk) -> None:
    future = order("a", contract=FUTURE, limit=251_010_000)
    call = order("b", side=SELL, limit=3_000_000)
    alone = desk.broker.margin([future]), desk.broker.margin([call])
    together = desk.broker.margin([future, call])
    assert 0 < together < sum(alone)
    desk.broker.place(future)
    assert desk.broker.margin([call]) == together - alone[0]


def test_the_margin_of_an_unknown_contract_is_not_known(desk: Desk) -> None:
    with pytest.raises(BrokerDown):
        desk.broker.margin([order("a", contract=STRANGE)])


def test_the_brokers_quote_is_that_of_the_exchange(desk: Desk) -> None:
    at = OPENS_AT if desk.broker.guarantees.has_quote_times else 0
    assert desk.broker.quote(CALL.key) == replace(quotes(OPENS_AT)[CALL.key], exchange_at=at)
    assert desk.broker.quote("NOBODY-20261229-FUT") is None


def test_the_close_marks_futures_pays_what_expires_and_keeps_the_rest(desk: Desk) -> None:
    assert desk.broker.settlements() is None
    desk.broker.place(order("a", contract=FUTURE, limit=251_010_000))
    desk.broker.place(order("b", side=SELL, limit=3_000_000))
    desk.broker.place(order("c", contract=TODAYS_CALL, limit=1_010_000))
    before = desk.broker.funds().cash
    desk.close_day()
    assert desk.broker.settlements() == (SETTLEMENTS if desk.broker.guarantees.has_settlements else None)
    assert desk.broker.positions() == [
        BrokerPosition(CALL.key, -65, -money(3_000_000, 65)),
        BrokerPosition(FUTURE.key, 65, money(251_500_000, 65)),
    ]
    assert desk.broker.funds().cash == before + money(490_000, 65) + money(1_000_000, 65)


# --- over HTTP: what answers prove ------------------------------------------------------------------------------------

GOOD = b'{"status":"success","data":{"order_id":"7"}}'


@pytest.mark.parametrize(
    ("status", "body", "verdict", "is_retriable"),
    [
        (200, GOOD, Verdict.ACCEPTED, False),
        (200, b'{"status":"success","data":{}}', Verdict.UNKNOWN, False),
        (200, b'{"status":"success","data":{"order_id":""}}', Verdict.UNKNOWN, False),
        (200, b"<html>well done</html>", Verdict.UNKNOWN, False),
        (200, b"", Verdict.UNKNOWN, False),
        (500, GOOD, Verdict.UNKNOWN, False),
        (502, b"bad gateway", Verdict.UNKNOWN, False),
        (400, b'{"status":"error","error_type":"OrderException","message":"lot"}', Verdict.REJECTED, False),
        (400, b'{"status":"error","error_type":"InputException","message":"?"}', Verdict.REJECTED, False),
        (429, b'{"status":"error","error_type":"RateException","message":"slow"}', Verdict.REJECTED, True),
        (400, b'{"status":"error","error_type":"NetworkException","message":"timed out"}', Verdict.UNKNOWN, False),
        (429, b'{"status":"error","error_type":"OrderException","message":"?"}', Verdict.UNKNOWN, False),
        (400, b'{"status":"error"}', Verdict.UNKNOWN, False),
        (404, b"", Verdict.UNKNOWN, False),
        (200, b'{"status":"error","error_type":"OrderException"}', Verdict.UNKNOWN, False),
    ],
)
def test_only_listed_answers_prove_anything(status: int, body: bytes, verdict: Verdict, is_retriable: bool) -> None:
    answer = classify(status, body)
    assert (answer.verdict, answer.is_retriable) == (verdict, is_retriable)


class RawServer:
    """Answers every connection with the same bytes (None: never), and keeps what it was sent."""

    def __init__(self, reply: bytes | None, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port))
        self._reply = reply
        self._held: list[socket.socket] = []
        self.orders: list[bytes] = []
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while True:
            link, _ = self._socket.accept()
            asked = link.recv(65_536)
            if asked == b"end":
                link.close()
                return
            if asked.startswith(b"POST"):
                self.orders.append(asked)
            if self._reply is None:
                self._held.append(link)
                continue
            link.sendall(self._reply)
            link.close()

    def close(self) -> None:
        with socket.create_connection(self._socket.getsockname()) as link:
            link.sendall(b"end")
            self._thread.join(WAIT_S)
        for link in [*self._held, self._socket]:
            link.close()


def http(status: str, body: bytes, length: int | None = None) -> bytes:
    return f"HTTP/1.1 {status}\r\ncontent-length: {length or len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"garbage\r\n\r\n",
        http("200 OK", GOOD[:10], 44),
        http("504 Gateway Timeout", b""),
        http("200 OK", b"<html>a page, not an answer</html>"),
        None,
    ],
    ids=["closes", "no HTTP", "cut short", "gateway", "a page", "never answers"],
)
def test_an_order_whose_answer_is_lost_is_unknown_and_was_sent_once(reply: bytes | None) -> None:
    server = RawServer(reply)
    broker = HttpBroker(server.url, 0.3)
    try:
        assert broker.place(order("a")).verdict is Verdict.UNKNOWN
        with pytest.raises(BrokerDown):
            broker.orders()
    finally:
        broker.close()
        server.close()
    assert len(server.orders) == 1


def test_a_book_that_is_a_page_is_no_empty_book() -> None:
    server = RawServer(http("200 OK", b"<html>a page, not an answer</html>"))
    broker = HttpBroker(server.url, WAIT_S)  # its first request: no connection of an earlier one can be closing
    try:
        with pytest.raises(BrokerDown, match="Malformed"):
            broker.orders()
    finally:
        broker.close()
        server.close()


def test_an_order_that_found_no_broker_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    broker = HttpBroker(f"http://127.0.0.1:{port}", 0.3)
    try:
        assert broker.place(order("a")).verdict is Verdict.NOT_SENT
        with pytest.raises(BrokerDown):
            broker.find("a")
        with pytest.raises(BrokerDown):
            broker.login()
    finally:
        broker.close()


def test_an_order_waits_for_a_broker_that_is_coming_back_and_is_sent_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    servers: list[RawServer] = []
    coming = threading.Timer(0.2, lambda: servers.append(RawServer(http("200 OK", GOOD), port)))
    broker = HttpBroker(f"http://127.0.0.1:{port}", WAIT_S, connect_wait_s=WAIT_S)
    coming.start()
    try:
        assert broker.place(order("a")).verdict is Verdict.ACCEPTED
    finally:
        coming.join()
        broker.close()
        servers[0].close()
    assert len(servers[0].orders) == 1


def test_a_broker_that_hangs_longer_than_we_wait_leaves_the_order_unknown_and_alive(venue: Running) -> None:
    impatient = HttpBroker(venue.url, 0.2)
    for desk in over_http(venue):
        try:
            desk.fail(Faults(hang_s=0.4, plan={1: Fault(FaultKind.ACCEPT_SILENTLY)}))
            answer = impatient.place(order("a"))
            assert (answer.verdict, "Timeout" in answer.reason) == (Verdict.UNKNOWN, True)
            assert [v.status for v in desk.broker.find("a")] == ["complete"]
        finally:
            impatient.close()


# --- a shadow of any of them ------------------------------------------------------------------------------------------


def test_a_shadow_reads_what_its_broker_shows_and_takes_no_order_there_for_its_own(desk: Desk) -> None:
    desk.broker.place(order("a", limit=ASK + 5_000))
    shadow = ShadowBroker(desk.broker, desk.broker.settlements)
    shadow.login()
    shown = [replace(view, tag="") for view in desk.broker.orders()]
    assert shadow.orders() == shadow.find("") == shown
    assert shadow.find("a" * 16) == []
    assert (shadow.positions(), shadow.funds()) == (desk.broker.positions(), desk.broker.funds())
    assert shadow.quote(CALL.key) == desk.broker.quote(CALL.key)
    assert shadow.margin([order("b")]) == desk.broker.margin([order("b")])
    assert shadow.settlements() is None
    assert shadow.guarantees is desk.broker.guarantees
    desk.broker.place(order("c", side=SELL, limit=3_020_000))
    heard = Desk(shadow, desk.exchange, desk._do).hear(lambda views: len({v.broker_order_id for v in views}) == 2)
    assert {v.tag for v in heard} == {""}


def test_nothing_that_a_shadow_is_asked_to_send_changes_anything_at_its_broker(desk: Desk) -> None:
    resting = desk.placed(order("a", side=SELL, limit=3_020_000))
    (view,) = desk.broker.orders()
    before, requests = desk.broker.orders(), desk.exchange.state.requests
    shadow = ShadowBroker(desk.broker, desk.broker.settlements)
    answers = [shadow.place(order("b")), shadow.modify(resting), shadow.cancel(resting), shadow.cancel(view)]
    assert {(a.verdict, a.is_retriable, a.reason) for a in answers} == {
        (Verdict.REJECTED, False, "not sent: a shadow day sends nothing"),
    }  # fmt: skip
    assert (desk.broker.orders(), desk.exchange.state.requests) == (before, requests)


@pytest.mark.parametrize("ask", ["login", "orders", "positions", "funds"])
def test_a_shadow_of_a_broker_that_is_down_shows_no_empty_book(desk: Desk, ask: str) -> None:
    desk.fail(Faults(books_down=1.0))
    with pytest.raises(BrokerDown):
        getattr(ShadowBroker(desk.broker, desk.broker.settlements), ask)()
