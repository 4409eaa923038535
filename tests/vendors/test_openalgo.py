"""OpenAlgoBroker against a server in OpenAlgo's published shapes: whose is what, which mode, and what goes wrong."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from msgspec import Struct
from msgspec.structs import replace

from participant.adapters.brokers.openalgo import OpenAlgoAccount, OpenAlgoBroker
from participant.core.order import Order, OrderStatus, Verdict
from participant.core.scrip import money
from participant.links.faults import FaultKind
from participant.links.secrets import BadSecret, Key
from participant.ports import BrokerDown
from participant.wire.json import decode, encode
from participant.wire.openalgo import Update
from tests.ports.test_broker import ASK, BUY, STRANGE, order, planned
from tests.vendors.openalgo import API_KEY, SYMBOLS, OpenAlgoServer
from tests.vendors.serving import Served, Way, serving, until
from tests.venue.made import CALL, DAY, OPENS_AT, WAIT_S, quotes

KEY = Key("live", API_KEY)
UNKNOWN, REJECTED = Verdict.UNKNOWN, Verdict.REJECTED


class Seat(Struct):
    """A broker under test, its server, and the orders that our books hold."""

    broker: OpenAlgoBroker
    served: Served
    server: OpenAlgoServer
    books: list[Order]


@pytest.fixture(scope="module")
def openalgo() -> Iterator[Served]:
    with serving(OpenAlgoServer()) as served:
        yield served


@contextmanager
def seated(served: Served, *, is_sandbox: bool = False, key: Key = KEY, timeout_s: float = WAIT_S) -> Iterator[Seat]:
    served.begin()
    server = served.vendor
    assert isinstance(server, OpenAlgoServer)
    account = OpenAlgoAccount(DAY, is_sandbox, served.url, served.url.replace("http", "ws", 1), listed_min=3)
    books: list[Order] = []
    broker = OpenAlgoBroker(account, lambda: key, lambda: books, lambda: OPENS_AT, timeout_s)
    try:
        yield Seat(broker, served, server, books)
    finally:
        broker.close()


@pytest.fixture
def seat(openalgo: Served) -> Iterator[Seat]:
    with seated(openalgo) as made:
        made.broker.login()
        openalgo.asked.clear()
        yield made


def said(message: str) -> bytes:
    return encode({"status": "error", "message": message})


def placed(served: Served) -> list[str]:
    return [path for _, path in served.asked if path.endswith(("placeorder", "modifyorder", "cancelorder"))]


# --- what its answers prove -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "body", "verdict", "is_retriable"),
    [
        (403, said("Invalid openalgo apikey"), REJECTED, False),
        (429, said("Rate limit exceeded. Please try again later."), REJECTED, True),
        (400, said("Order request timed out. Please check the order book."), UNKNOWN, False),
        (400, said("Insufficient funds."), UNKNOWN, False),
        (400, encode({"status": "error", "message": {"quantity": ["Invalid"]}}), UNKNOWN, False),
        (403, said("Session expired"), UNKNOWN, False),
        (404, said("Broker-specific module not found"), UNKNOWN, False),
        (429, said("too many"), UNKNOWN, False),
        (500, said("Failed to place order due to internal error"), UNKNOWN, False),
        (502, b"<html>", UNKNOWN, False),
        (200, b"", UNKNOWN, False),
        (200, b"{]", UNKNOWN, False),
        (200, encode({"status": "success", "orderid": None}), UNKNOWN, False),
        (200, encode({"status": "success", "message": "Order queued for approval"}), UNKNOWN, False),
    ],
)
def test_every_documented_error_proves_what_is_listed_and_no_more(
    seat: Seat, status: int, body: bytes, verdict: Verdict, is_retriable: bool
) -> None:
    seat.served.ways["/api/v1/placeorder"] = Way(status, body)
    answer = seat.broker.place(order("a"))
    assert (answer.verdict, answer.is_retriable) == (verdict, is_retriable)
    assert placed(seat.served) == ["/api/v1/placeorder"]


def test_success_without_an_order_at_the_broker_is_unknown(seat: Seat) -> None:
    seat.server.is_lying = True
    answer = seat.broker.place(order("a"))
    assert (answer.verdict, answer.reason) == (Verdict.UNKNOWN, "no order id")


@pytest.mark.parametrize("way", [Way(500, b"<html>"), Way(200, b""), Way(200, b"{"), Way(200, b"null"), Way(429, b"")])
def test_a_book_that_was_not_read_whole_is_no_empty_book(seat: Seat, way: Way) -> None:
    seat.served.ways["/api/v1"] = way
    broker = seat.broker
    reads: list[Callable[[], object]] = [
        broker.orders,
        broker.positions,
        broker.funds,
        broker.login,
        lambda: broker.find("a"),
        lambda: broker.quote(CALL.key),
        lambda: broker.margin([order("a")]),
    ]
    for read in reads:
        with pytest.raises(BrokerDown):
            read()


def test_s18_a_book_that_hangs_is_given_up_in_time_and_is_not_empty(openalgo: Served) -> None:
    with seated(openalgo, timeout_s=0.3) as seat:
        seat.served.ways["/api/v1/orderbook"] = Way(hang_s=1.0)
        with pytest.raises(BrokerDown, match="Timeout"):
            seat.broker.orders()


def test_a_book_that_lacks_an_order_it_had_shown_was_not_read_in_full(seat: Seat) -> None:
    seat.broker.place(order("a"))
    seat.broker.orders()
    seat.served.ways["/api/v1/orderbook"] = Way(200, b'{"status":"success","data":{"orders":[]}}')
    with pytest.raises(BrokerDown, match="lacks 1 orders"):
        seat.broker.find("")


# --- whose is what ----------------------------------------------------------------------------------------------------


def lost(seat: Seat, kind: FaultKind = FaultKind.ACCEPT_SILENTLY) -> Order:
    """An order whose answer timed out."""
    seat.served.do(lambda: seat.server.exchange.fail(planned(kind=kind)))
    sent = order("a")
    assert seat.broker.place(sent).verdict is Verdict.UNKNOWN
    return sent


def test_what_we_were_told_the_id_of_is_ours_and_of_nothing_else_is_anything_claimed(seat: Seat) -> None:
    seat.broker.place(order("a"))
    seat.served.do(lambda: seat.server.exchange.place(replace(order("f"), quantity=130)))
    assert [(v.tag, v.quantity) for v in seat.broker.orders()] == [("a" * 16 + "1", 65), ("", 130)]
    assert [v.tag for v in seat.broker.find("a")] == ["a" * 16 + "1"]


def test_an_order_whose_answer_was_lost_is_absent_while_nothing_is_like_it(seat: Seat) -> None:
    sent = lost(seat, FaultKind.LOSE)
    assert seat.broker.find(sent.tag_stem) == []


def test_an_order_whose_answer_was_lost_and_that_has_its_like_is_a_persons_and_never_a_guess(seat: Seat) -> None:
    sent = lost(seat)
    with pytest.raises(BrokerDown, match=f"may be order {sent.tag}: .* a person must say"):
        seat.broker.find(sent.tag_stem)
    (view,) = seat.broker.find("")
    assert (view.tag, view.status) == ("", "complete")


def test_what_stood_in_the_book_before_the_order_was_sent_is_not_its_like(seat: Seat) -> None:
    seat.served.do(lambda: seat.server.exchange.place(order("f")))
    seat.broker.orders()
    sent = lost(seat, FaultKind.LOSE)
    assert seat.broker.find(sent.tag_stem) == []


def test_after_a_restart_the_books_say_which_ids_are_ours_and_which_were_never_told(seat: Seat) -> None:
    first = seat.broker.place(order("a"))
    sent = replace(lost(seat), order_id="b" * 16, status=OrderStatus.UNKNOWN)
    older = replace(order("c"), sends=2, status=OrderStatus.SENDING, shown={"0": (0, 0)})
    known = replace(order("a"), broker_order_id=first.broker_order_id, status=OrderStatus.WORKING)
    seat.books += [known, sent, older]
    account = seat.broker._account
    again = OpenAlgoBroker(account, lambda: KEY, lambda: seat.books, lambda: OPENS_AT, WAIT_S)
    try:
        assert [v.tag for v in again.find("a")] == [known.tag]
        with pytest.raises(BrokerDown, match=f"may be order {sent.tag}"):
            again.find(sent.tag_stem)
        told = replace(sent, broker_order_id=next(v.broker_order_id for v in again.orders() if not v.tag))
        seat.books[1] = told
        assert [v.tag for v in again.find(sent.tag_stem)] == [sent.tag], "a person has said whose it is"
        assert again._known()["0"] == "c" * 16 + "0"
    finally:
        again.close()


def test_a_fill_that_the_trade_book_does_not_account_for_is_not_booked(seat: Seat) -> None:
    seat.broker.place(order("a"))
    for row in seat.server.trades:
        row["quantity"] = 0.0
    with pytest.raises(BrokerDown, match="complete with 65, 0 in the trade book"):
        seat.broker.find("a")


def test_what_filled_at_several_prices_is_known_to_the_paisa(seat: Seat) -> None:
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT, quotes(OPENS_AT, 0, 130)))
    seat.broker.place(order("a", quantity=195, limit=3_050_000))
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT + 1, quotes(OPENS_AT + 1, 1, 130)))
    (view,) = seat.broker.find("a")
    assert (view.cum_quantity, view.cum_value) == (195, money(ASK, 130) + money(3_050_000, 65))
    assert all(v.cum_value == money(ASK, v.cum_quantity) for v in seat.broker.updates())


def test_an_update_that_cannot_be_read_is_passed_over(seat: Seat) -> None:
    seat.broker._stream._heard.append(replace(update(), quantity=update().average_price / 3))
    seat.broker._stream._heard.append(update())
    seat.served.ways["/api/v1/instruments"] = Way(500, b"")
    assert seat.broker.updates() == []


def update() -> Update:
    row = {"type": "order_update", "orderid": 7, "symbol": SYMBOLS[CALL.key], "exchange": "NFO", "quantity": 65}
    return decode(encode({**row, "filled_quantity": 65, "average_price": 301, "order_status": "complete"}), Update)


# --- which mode -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_a_desk_in_the_wrong_mode_sends_nothing(openalgo: Served, is_sandbox: bool) -> None:
    with seated(openalgo, is_sandbox=is_sandbox) as seat:
        seat.server.is_sandbox = not is_sandbox
        answer = seat.broker.place(order("a"))
        assert (answer.verdict, answer.is_retriable) == (Verdict.REJECTED, False)
        assert "this desk is for" in answer.reason
        assert placed(openalgo) == []
        with pytest.raises(BrokerDown, match="this desk is for"):
            seat.broker.login()


def test_a_paper_desk_that_was_switched_to_live_knows_the_order_and_sends_no_other(openalgo: Served) -> None:
    with seated(openalgo, is_sandbox=True) as seat:
        seat.server.is_sandbox = True
        assert seat.broker.place(order("a")).verdict is Verdict.ACCEPTED
        seat.server.is_sandbox = False
        assert seat.broker.place(order("b")).verdict is Verdict.ACCEPTED, "it is there, and must be known"
        assert "not sent" in seat.broker.place(order("c")).reason
        assert len(placed(openalgo)) == 2


def test_a_live_order_that_went_into_the_sandbox_is_unknown_and_none_follows(seat: Seat) -> None:
    seat.server.is_sandbox = True
    answer = seat.broker.place(order("a"))
    assert (answer.verdict, "analyze mode" in answer.reason) == (Verdict.UNKNOWN, True)
    assert "not sent" in seat.broker.place(order("b")).reason


# --- the session ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plane", ["ping", "orderbook", "quotes", "instruments", "analyzer", "feed"])
def test_s23_a_key_that_is_refused_on_one_plane_is_not_good(openalgo: Served, plane: str) -> None:
    with seated(openalgo) as seat:
        openalgo.do(lambda: seat.server.refused.add(plane))
        if plane == "feed":
            again = OpenAlgoBroker(seat.broker._account, lambda: KEY, list, lambda: OPENS_AT, 3.0)
            with pytest.raises(BrokerDown, match="does not let us in"):
                again.login()
            again.close()
            return
        with pytest.raises(BrokerDown, match="Invalid openalgo apikey"):
            seat.broker.login()


def test_a_key_that_cannot_be_read_sends_nothing(openalgo: Served) -> None:
    def unreadable() -> Key:
        raise BadSecret("chmod 600 it")

    openalgo.begin()
    account = OpenAlgoAccount(DAY, False, openalgo.url, openalgo.url.replace("http", "ws", 1))
    broker = OpenAlgoBroker(account, unreadable, list, lambda: OPENS_AT, WAIT_S)
    try:
        with pytest.raises(BrokerDown, match="chmod 600"):
            broker.orders()
        assert broker.place(order("a")).verdict is Verdict.REJECTED
        assert not broker._stream.is_up(0.2)
        assert openalgo.asked == []
    finally:
        broker.close()


def test_what_is_not_listed_or_too_much_at_once_or_without_an_id_is_not_sent(seat: Seat) -> None:
    strange, many = order("a", contract=STRANGE), order("a", quantity=1820)
    for bad in (seat.broker.place(strange), seat.broker.place(many), seat.broker.modify(strange)):
        assert bad.reason.startswith("not sent")
    assert "is not known" in seat.broker.cancel(order("a")).reason
    with pytest.raises(BrokerDown, match="not in the broker's list"):
        seat.broker.margin([strange])
    assert seat.broker.quote("NOBODY-20261229-FUT") is None
    assert placed(seat.served) == []


def test_a_list_that_is_not_todays_sends_nothing(openalgo: Served) -> None:
    with seated(openalgo) as seat:
        seat.served.ways["/api/v1/instruments"] = Way(200, b'{"status":"success","data":[]}')
        assert "at least 3 are expected" in seat.broker.place(order("a")).reason
        assert placed(openalgo) == []


def test_each_call_about_an_order_is_one_request_at_most_and_always_a_limit(seat: Seat) -> None:
    answer = seat.broker.place(order("a", limit=2_000_000))
    resting = replace(order("a", limit=2_000_000), broker_order_id=answer.broker_order_id)
    assert "without naming a quantity" in seat.broker.modify(replace(resting, limit=2_000_500)).reason
    seat.broker.cancel(resting)
    assert [path for _, path in seat.served.asked] == [f"/api/v1/{n}order" for n in ("place", "cancel")]


@pytest.mark.parametrize(
    ("path", "row", "read"),
    [
        ("orderbook", '{"orders":[{"orderid":7,"symbol":"X","exchange":"NSE","action":"BUY","quantity":"1.5",'
         '"order_status":"open"}]}', "orders"),
        ("tradebook", '[{"orderid":7,"quantity":1,"average_price":"NaN"}]', "orders"),
        ("positionbook", '[{"symbol":"X","exchange":"NSE","quantity":"1e99","average_price":"1"}]', "positions"),
        ("positionbook", '[{"symbol":"X","exchange":"NSE","quantity":"1","average_price":"Infinity"}]', "positions"),
        ("funds", '{"availablecash":"NaN","utiliseddebits":"0"}', "funds"),
    ],
)  # fmt: skip
def test_a_figure_that_is_none_is_told_of(seat: Seat, path: str, row: str, read: str) -> None:
    seat.served.ways[f"/api/v1/{path}"] = Way(200, f'{{"status":"success","data":{row}}}'.encode())
    with pytest.raises(BrokerDown):
        getattr(seat.broker, read)()


def test_a_quote_that_is_none_is_told_of(seat: Seat) -> None:
    depth = '{"bids":[{"price":1.00001,"quantity":1}],"asks":[]}'
    seat.served.ways["/api/v1/depth"] = Way(200, f'{{"status":"success","data":{depth}}}'.encode())
    with pytest.raises(BrokerDown, match="the quote of"):
        seat.broker.quote(CALL.key)


def test_no_error_ever_tells_the_key(seat: Seat) -> None:
    told = []
    for way in (Way(503, b"<html>"), Way(200, b"{"), Way(403, b"no")):
        seat.served.ways["/api/v1"] = way
        told.append(seat.broker.place(order("a", side=BUY)).reason)
        for read in (seat.broker.orders, seat.broker.funds, seat.broker._link.listed):
            with pytest.raises(BrokerDown) as down:
                read()
            told.append(f"{down.value!r} {down.value.__cause__!r}")
    assert not [text for text in told if API_KEY in text]


def test_the_stream_that_dies_comes_back(seat: Seat) -> None:
    stream = seat.broker._stream
    first = stream._link
    assert first is not None
    first.close()
    until(lambda: stream._link is not first and stream.is_up(0.0))
    until(lambda: bool(seat.server._listeners))
    seat.broker.place(order("a"))
    until(lambda: any(v.status == "complete" for v in seat.broker.updates()))


def test_a_stream_that_does_not_answer_the_greeting_is_not_up(openalgo: Served) -> None:
    with seated(openalgo, timeout_s=0.3) as seat:
        seat.server.is_babbling = True
        again = OpenAlgoBroker(seat.broker._account, lambda: KEY, list, lambda: OPENS_AT, 0.3)
        assert not again._stream.is_up(0.3)
        again.close()
