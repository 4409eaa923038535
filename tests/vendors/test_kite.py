"""KiteBroker against a server in Kite's published shapes: its documented errors, the traps met in the wild."""

import hashlib
import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import pytest
from msgspec import Struct
from msgspec.structs import replace

from participant.adapters.brokers.kite import BOOK_FOR_S, KiteAccount, KiteBroker
from participant.adapters.clocks.virtual import VirtualClock
from participant.core.market import SECOND
from participant.core.order import Verdict
from participant.core.scrip import money
from participant.links import http_link, update_stream
from participant.links.faults import Fault, FaultKind, Faults
from participant.links.secrets import BadSecret, Key
from participant.ports import BrokerDown
from participant.wire.json import encode
from tests.ports.test_broker import ASK, STRANGE, order, planned
from tests.vendors.kite import API_KEY, SECRET, SYMBOLS, TOKEN, KiteServer, instruments
from tests.vendors.serving import Served, Way, serving, until
from tests.venue.made import CALL, DAY, OPENS_AT, WAIT_S, quotes

KEY = Key("live", API_KEY, SECRET, TOKEN, str(DAY))


class Seat(Struct):
    """A broker under test, its server, and the key that it reads before each request."""

    broker: KiteBroker
    served: Served
    server: KiteServer
    keys: list[Key]


@pytest.fixture(scope="module")
def kite() -> Iterator[Served]:
    with serving(KiteServer()) as served:
        yield served


@contextmanager
def seated(kite: Served, key: Key = KEY, timeout_s: float = WAIT_S, **changes: object) -> Iterator[Seat]:
    kite.begin()
    account = KiteAccount(DAY, kite.url, kite.url.replace("http", "ws", 1), listed_min=3)
    keys = [key]
    # Seconds pass between two looks, so that each reads the book.
    broker = KiteBroker(replace(account, **changes), lambda: keys[-1], timeout_s, count(0, SECOND).__next__)
    server = kite.vendor
    assert isinstance(server, KiteServer)
    try:
        yield Seat(broker, kite, server, keys)
    finally:
        broker.close()


@pytest.fixture
def seat(kite: Served) -> Iterator[Seat]:
    with seated(kite) as made:
        made.broker.login()
        kite.asked.clear()
        yield made


def said(kind: str, message: str) -> bytes:
    return encode({"status": "error", "message": message, "error_type": kind, "data": None})


# --- what its errors prove --------------------------------------------------------------------------------------------

TIMED_OUT = "Order request timed out. Please check the order book and confirm before placing again."
UNKNOWN, REJECTED = Verdict.UNKNOWN, Verdict.REJECTED


@pytest.mark.parametrize(
    ("status", "body", "verdict", "is_retriable"),
    [
        (403, said("TokenException", "Incorrect `api_key` or `access_token`."), REJECTED, False),
        (403, said("TokenException", "something new"), UNKNOWN, False),
        (403, said("UserException", "account is blocked"), UNKNOWN, False),
        (403, said("PermissionException", "That API call is not allowed for the authenticated user"), REJECTED, False),
        (403, said("PermissionException", "No IPs configured for this app."), UNKNOWN, False),
        (400, said("InputException", "Missing `quantity`"), REJECTED, False),
        (400, said("InputException", "Invalid `price`"), UNKNOWN, False),
        (400, said("InputException", TIMED_OUT), UNKNOWN, False),
        (400, said("OrderException", TIMED_OUT), UNKNOWN, False),
        (400, said("OrderException", "Markets are closed right now."), UNKNOWN, False),
        (400, said("NetworkException", TIMED_OUT), UNKNOWN, False),
        (400, said("MarginException", "Insufficient funds. Required margin is 2."), REJECTED, False),
        (400, said("HoldingException", "Insufficient holdings."), UNKNOWN, False),
        (404, said("GeneralException", "Route not found"), UNKNOWN, False),
        (405, said("GeneralException", "Method not allowed"), UNKNOWN, False),
        (410, said("GeneralException", "The resource is gone"), UNKNOWN, False),
        (429, said("NetworkException", "Too many requests"), REJECTED, True),
        (429, said("OrderException", "Maximum allowed order requests exceeded."), UNKNOWN, False),
        (500, said("GeneralException", "Something went wrong"), UNKNOWN, False),
        (200, said("GeneralException", "Something went wrong"), UNKNOWN, False),
        (502, said("DataException", "Unable to understand the OMS"), UNKNOWN, False),
        (503, said("NetworkException", "Request failed (kitetrade-oms)"), UNKNOWN, False),
        (504, said("NetworkException", "Gateway timed out"), UNKNOWN, False),
        (502, b"<html><body>bad gateway</body></html>", UNKNOWN, False),
        (200, b"", UNKNOWN, False),
        (200, b"{]", UNKNOWN, False),
        (200, b'{"status":"success","data":[]}', UNKNOWN, False),
        (200, b'{"status":"success","data":{"order_id":""}}', UNKNOWN, False),
        (200, b'{"status":"success","data":{"order_id":7}}', UNKNOWN, False),
        (299, b'{"status":"perhaps","data":{"order_id":"7"}}', UNKNOWN, False),
        (302, b"", UNKNOWN, False),
    ],
)  # fmt: skip
def test_every_documented_error_proves_what_is_listed_and_no_more(
    seat: Seat, status: int, body: bytes, verdict: Verdict, is_retriable: bool
) -> None:
    seat.served.ways["/orders/regular"] = Way(status, body)
    answer = seat.broker.place(order("a"))
    assert (answer.verdict, answer.is_retriable) == (verdict, is_retriable)
    assert seat.served.sent() == [("POST", "/orders/regular")]


@pytest.mark.parametrize(
    "way", [Way(503, b"<html>"), Way(200, b""), Way(200, b"{"), Way(200, b"null"), Way(429, b"{}")]
)
def test_a_book_that_was_not_read_whole_is_no_empty_book(seat: Seat, way: Way) -> None:
    seat.served.ways.update({"/orders": way, "/portfolio": way, "/user": way, "/quote": way, "/margins": way})
    broker = seat.broker
    for read in (broker.orders, broker.positions, broker.funds, broker.login, lambda: broker.find("a"),
                 lambda: broker.quote(CALL.key), lambda: broker.margin([order("a")])):  # fmt: skip
        with pytest.raises(BrokerDown):
            read()


def test_an_answer_without_end_is_no_answer(seat: Seat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_link, "BODY_MAX_BYTES", 1_000)
    seat.served.ways["/orders"] = Way(200, b" " * 10_000)
    assert seat.broker.place(order("a")).verdict is Verdict.UNKNOWN
    with pytest.raises(BrokerDown, match="too long"):
        seat.broker.orders()


def test_a_status_that_nobody_knows_leaves_the_order_as_it_is(seat: Seat) -> None:
    row = {"order_id": "7", "status": "FROZEN", "exchange": "NFO", "tradingsymbol": SYMBOLS[CALL.key],
           "transaction_type": "BUY", "quantity": 65, "tag": "a" * 16 + "1"}  # fmt: skip
    seat.served.ways["/orders"] = Way(200, encode({"status": "success", "data": [row]}))
    assert [v.status for v in seat.broker.find("a")] == ["frozen"]


@pytest.mark.parametrize(
    "change", [{"average_price": "NaN", "filled_quantity": 65}, {"average_price": "1e999999", "filled_quantity": 65},
               {"order_timestamp": "soon"}, {"quantity": "many"}, {"transaction_type": "HOLD"}],
)  # fmt: skip
def test_a_row_that_is_no_order_is_told_of_and_never_booked(seat: Seat, change: dict[str, object]) -> None:
    row = {"order_id": "7", "status": "COMPLETE", "exchange": "NFO", "tradingsymbol": "OTHER",
           "transaction_type": "BUY", "quantity": 65, **change}  # fmt: skip
    seat.served.ways["/orders"] = Way(200, encode({"status": "success", "data": [row]}))
    with pytest.raises(BrokerDown):
        seat.broker.orders()


# --- the scenarios of real cases --------------------------------------------------------------------------------------


@pytest.mark.parametrize("late_s", [8, 95])
def test_s02_s03_a_400_that_says_timed_out_and_lives_later_is_unknown_until_the_book_shows_it(
    seat: Seat, late_s: int
) -> None:
    seat.served.do(lambda: seat.server.exchange.fail(planned(kind=FaultKind.ACCEPT_LATE, late_s=late_s)))
    answer = seat.broker.place(order("a"))
    assert (answer.verdict, "timed out" in answer.reason) == (Verdict.UNKNOWN, True)
    assert seat.broker.find("a") == []
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT + late_s * 1_000_000_000, {}))
    assert [v.status for v in seat.broker.find("a" * 16)] == ["complete"]
    assert seat.served.sent() == [("POST", "/orders/regular")]


def test_s01_s17_an_order_whose_answer_never_came_is_found_by_its_tag(kite: Served) -> None:
    with seated(kite) as seat:
        seat.broker.login()
        impatient = KiteBroker(seat.broker._account, lambda: KEY, 1.0)
        impatient._master = seat.broker._master
        seat.served.do(
            lambda: seat.server.exchange.fail(Faults(hang_s=2.0, plan={1: Fault(FaultKind.ACCEPT_SILENTLY)}))
        )
        answer = impatient.place(order("a"))
        impatient.close()
        assert (answer.verdict, "Timeout" in answer.reason) == (Verdict.UNKNOWN, True)
        (view,) = seat.broker.find("a" * 16)
        assert (view.tag, view.status) == ("a" * 16 + "1", "complete")


def test_s11_fills_while_the_link_is_down_are_in_the_book_when_it_is_back(seat: Seat) -> None:
    seat.broker.place(order("a", quantity=1300, limit=3_050_000))
    seat.served.ways["/orders"] = Way(503, b"<html>")
    for minute in (1, 2):
        seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT + 1, quotes(OPENS_AT + minute, minute, 130)))  # noqa: B023 - done at once
        with pytest.raises(BrokerDown):
            seat.broker.find("a")
    seat.served.ways.clear()
    (view,) = seat.broker.find("a")
    assert (view.cum_quantity, view.status) == (910, "open")


def test_s12_what_the_stream_never_says_the_book_does(seat: Seat) -> None:
    seat.server.is_mute = True
    seat.broker.place(order("a"))
    assert seat.broker.updates() == []
    assert [v.status for v in seat.broker.find("a")] == ["complete"]


def test_a_stream_that_fell_silent_is_given_up_for_another(kite: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("participant.adapters.brokers.kite.SILENCE_MAX_S", 0.3)
    with seated(kite) as seat:
        seat.broker.login()
        seat.server.is_mute = True
        until(lambda: len(seat.server.knocks) > 1)


def test_s18_a_book_that_hangs_is_given_up_in_time_and_is_not_empty(kite: Served) -> None:
    with seated(kite, timeout_s=0.3) as seat:
        seat.served.ways["/orders"] = Way(hang_s=1.0)
        with pytest.raises(BrokerDown, match="Timeout"):
            seat.broker.orders()


def test_s19_each_attempt_has_a_tag_of_its_own(seat: Seat) -> None:
    first, second = order("a"), replace(order("a"), sends=2)
    seat.broker.place(first)
    seat.broker.place(second)
    assert sorted(v.tag for v in seat.broker.find("a" * 16)) == [first.tag, second.tag]


def test_a_book_that_lacks_an_order_it_had_shown_was_not_read_in_full(seat: Seat) -> None:
    seat.broker.place(order("a"))
    assert len(seat.broker.orders()) == 1
    seat.served.ways["/orders"] = Way(200, b'{"status":"success","data":[]}')
    with pytest.raises(BrokerDown, match="lacks 1 orders that it had shown"):
        seat.broker.find("")


# --- the session ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("plane", ["orders", "data", "profile", "feed"])
def test_s23_a_token_that_is_dead_on_one_plane_is_not_good(kite: Served, plane: str) -> None:
    with seated(kite) as seat:
        until(lambda: bool(seat.server.knocks))
        kite.do(lambda: seat.server.refused.add(plane))
        if plane == "feed":
            seat.broker.close()
            with seated_again(seat) as again, pytest.raises(BrokerDown, match="does not let us in"):
                again.login()
            return
        with pytest.raises(BrokerDown, match=r"TokenException|answered 403"):
            seat.broker.login()


@contextmanager
def seated_again(seat: Seat) -> Iterator[KiteBroker]:
    broker = KiteBroker(seat.broker._account, lambda: KEY, 3.0)
    try:
        yield broker
    finally:
        broker.close()


def test_s23_a_dead_token_is_not_knocked_with_again_and_a_new_one_is_taken_at_once(seat: Seat) -> None:
    seat.server.refused.add("orders")
    with pytest.raises(BrokerDown, match="TokenException"):
        seat.broker.orders()
    seat.served.asked.clear()
    for _ in range(20):
        with pytest.raises(BrokerDown, match="participant login"):
            seat.broker.orders()
        assert "not sent" in seat.broker.place(order("a")).reason
    assert seat.served.asked == []
    seat.server.refused.clear()
    seat.keys.append(replace(KEY, access_token="another"))
    with pytest.raises(BrokerDown, match="TokenException"):
        seat.broker.orders()
    assert seat.served.asked == [("GET", "/orders")]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (replace(KEY, issued="2026-11-24"), "is of 2026-11-24, not of 2026-11-25"),
        (replace(KEY, access_token=""), "is missing"),
    ],
)
def test_a_token_that_is_not_of_today_sends_nothing_at_all(kite: Served, key: Key, told: str) -> None:
    with seated(kite, key) as seat:
        with pytest.raises(BrokerDown, match=told):
            seat.broker.login()
        answer = seat.broker.place(order("a"))
        assert (answer.verdict, answer.is_retriable) == (Verdict.REJECTED, False)
        assert (kite.asked, seat.server.knocks) == ([], [])


def test_a_key_that_cannot_be_read_sends_nothing(kite: Served) -> None:
    def unreadable() -> Key:
        raise BadSecret("chmod 600 it")

    broker = KiteBroker(KiteAccount(DAY, kite.url, kite.url.replace("http", "ws", 1)), unreadable, WAIT_S)
    kite.begin()
    try:
        with pytest.raises(BrokerDown, match="chmod 600"):
            broker.orders()
        assert broker.place(order("a")).verdict is Verdict.REJECTED
        assert kite.asked == []
    finally:
        broker.close()


def test_a_stream_that_refused_us_is_not_knocked_at_again(kite: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_stream, "RECONNECT_WAIT_S", (0.01, 0.01))
    kite.begin()
    server = kite.vendor
    assert isinstance(server, KiteServer)
    server.refused.add("feed")
    account = KiteAccount(DAY, kite.url, kite.url.replace("http", "ws", 1), listed_min=3)
    broker = KiteBroker(account, lambda: KEY, WAIT_S)
    try:
        until(lambda: bool(server.knocks))
        assert not broker._stream.is_up(0.3)
        assert len(server.knocks) == 1
    finally:
        broker.close()


# --- contracts, money, guarantees -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (instruments().replace(",65,CE", ",75,CE"), "lot 75"),
        (instruments().replace(",0.05,65,CE", ",0.1,65,CE"), "tick 1000"),
        (instruments().replace("2026-11-25", "2026-11-24"), "expired on 2026-11-24"),
        (instruments().partition("\n")[0], "at least 3 are expected"),
        ("<html>", "has no exchange"),
    ],
    ids=["lot", "tick", "yesterday's", "short", "no list"],
)
def test_a_contract_that_is_not_listed_as_we_know_it_is_not_sent(kite: Served, body: str, told: str) -> None:
    with seated(kite) as seat:
        kite.ways["/instruments"] = Way(200, body.encode(), media_type="text/csv")
        answer = seat.broker.place(order("a"))
        assert (answer.verdict, answer.is_retriable) == (Verdict.REJECTED, False)
        assert told in answer.reason
        assert kite.sent() == []


@pytest.mark.parametrize("way", [Way(403, b"no"), Way(200, b"\xff\xfe")])
def test_a_list_that_cannot_be_had_sends_nothing(kite: Served, way: Way) -> None:
    with seated(kite) as seat:
        kite.ways["/instruments"] = way
        assert "not sent" in seat.broker.place(order("a")).reason
        with pytest.raises(BrokerDown):
            seat.broker.margin([order("a")])
        assert kite.sent() == []


def test_what_is_not_known_by_kite_or_too_much_at_once_is_not_sent(seat: Seat) -> None:
    for bad in (order("a", contract=STRANGE), order("a", quantity=1820), order("#")):
        assert seat.broker.place(bad).reason.startswith("not sent")
    for unknown in (seat.broker.modify(order("a")), seat.broker.cancel(order("a"))):
        assert "find it first" in unknown.reason
    assert seat.broker.quote("NOBODY-20261229-FUT") is None
    assert seat.served.sent() == []


def test_each_call_about_an_order_is_one_request_and_always_a_limit(seat: Seat) -> None:
    placed = seat.broker.place(order("a", limit=2_000_000))
    resting = replace(order("a", limit=2_000_000), broker_order_id=placed.broker_order_id)
    seat.broker.modify(replace(resting, limit=2_000_500))
    seat.broker.cancel(resting)
    name = f"/orders/regular/{placed.broker_order_id}"
    assert seat.served.asked == [("POST", "/orders/regular"), ("PUT", name), ("DELETE", name)]


def test_what_filled_at_several_prices_is_known_to_the_paisa(seat: Seat) -> None:
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT, quotes(OPENS_AT, 0, 130)))
    seat.broker.place(order("a", quantity=195, limit=3_050_000))
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT + 1, quotes(OPENS_AT + 1, 1, 130)))
    (view,) = seat.broker.find("a")
    assert (view.cum_quantity, view.cum_value) == (195, money(ASK, 130) + money(3_050_000, 65))
    seat.broker.updates()
    seat.server.trades.pop()
    with pytest.raises(BrokerDown, match="195 filled, 130 in the trade book"):
        seat.broker.find("a")


def test_an_update_that_is_not_known_to_the_paisa_is_passed_over(seat: Seat) -> None:
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT, quotes(OPENS_AT, 0, 130)))
    seat.served.ways["/trades"] = Way(503, b"")
    seat.broker.place(order("a", quantity=195, limit=3_050_000))
    seat.served.do(lambda: seat.server.exchange.on_quotes(OPENS_AT + 1, quotes(OPENS_AT + 1, 1, 130)))
    until(lambda: len(seat.broker._stream._heard) >= 3)
    assert seat.broker.updates() == []


def test_positions_of_other_exchanges_keep_kites_own_names(seat: Seat) -> None:
    row = {"exchange": "NSE", "tradingsymbol": "SBIN", "quantity": 2, "average_price": 470.05}
    seat.served.ways["/portfolio"] = Way(200, encode({"status": "success", "data": {"net": [row, row], "day": []}}))
    (line,) = seat.broker.positions()
    assert (line.contract, line.quantity, line.cost) == ("NSE:SBIN", 4, 188_020)


@pytest.mark.parametrize("amount", ['"NaN"', "1e999999", '"Infinity"'])
def test_an_amount_that_is_none_is_told_of(seat: Seat, amount: str) -> None:
    body = f'{{"status":"success","data":{{"equity":{{"available":{{"cash":{amount}}},"utilised":{{"debits":1}}}}}}}}'
    seat.served.ways["/user/margins"] = Way(200, body.encode())
    with pytest.raises(BrokerDown, match="an amount that is none"):
        seat.broker.funds()


def test_a_quote_that_is_none_is_told_of(seat: Seat) -> None:
    level = '{"price":"x1","quantity":1}'
    body = f'{{"status":"success","data":{{"NFO:{SYMBOLS[CALL.key]}":{{"depth":{{"buy":[{level}],"sell":[]}}}}}}}}'
    seat.served.ways["/quote"] = Way(200, body.encode())
    with pytest.raises(BrokerDown):
        seat.broker.quote(CALL.key)
    seat.served.ways["/quote"] = Way(200, body.replace('"x1"', "1.00001").encode())
    with pytest.raises(BrokerDown, match="the quote of NFO"):
        seat.broker.quote(CALL.key)


def test_a_postback_that_is_proven_is_an_update_and_another_is_none(kite: Served) -> None:
    with serving(KiteServer()) as spare:
        port = int(spare.url.rpartition(":")[2])
    with seated(kite, postback_port=port) as seat:
        seat.broker.login()
        row = {"order_id": "7", "status": "COMPLETE", "exchange": "NFO", "tradingsymbol": SYMBOLS[CALL.key],
               "transaction_type": "BUY", "quantity": 65, "filled_quantity": 65, "average_price": 301.0,
               "order_timestamp": "2026-11-25 09:15:00", "tag": "a" * 16 + "1"}  # fmt: skip
        good = hashlib.sha256(f"72026-11-25 09:15:00{SECRET}".encode()).hexdigest()
        assert post(port, encode({**row, "checksum": "0" * 64})) == 403
        assert post(port, b"x" * 100_000) == 403
        assert post(port, encode({**row, "checksum": good})) == 200
        (view,) = seat.broker.updates()
        assert (view.tag, view.status, view.cum_value) == ("a" * 16 + "1", "complete", money(ASK, 65))


def post(port: int, body: bytes) -> int:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        link.request("POST", "/", body)
        return link.getresponse().status
    except ConnectionError:
        return 403  # it hung up on a body that was too long
    finally:
        link.close()


def test_no_error_ever_tells_a_secret(seat: Seat) -> None:
    told = []
    for way in (Way(503, b"<html>"), Way(200, b"{"), Way(403, b"no"), Way(200, b"", hang_s=0.0)):
        for path in ("/orders", "/quote", "/margins", "/user"):
            seat.served.ways[path] = way
        told.append(seat.broker.place(order("a")).reason)
        for read in (seat.broker.orders, seat.broker.funds, lambda: seat.broker.quote(CALL.key)):
            with pytest.raises(BrokerDown) as down:
                read()
            told.append(f"{down.value!r} {down.value.__cause__!r}")
    assert not [text for text in told if any(secret in text for secret in (API_KEY, SECRET, TOKEN))]


# --- one reading of the book for all looks of a step ------------------------------------------------------------------


@contextmanager
def stepping(kite: Served) -> Iterator[tuple[KiteBroker, VirtualClock]]:
    """A broker whose steady clock stands until it is moved."""
    kite.begin()
    clock = VirtualClock(0)
    account = KiteAccount(DAY, kite.url, kite.url.replace("http", "ws", 1), listed_min=3)
    broker = KiteBroker(account, lambda: KEY, WAIT_S, clock.now)
    try:
        broker.login()
        kite.asked.clear()
        yield broker, clock
    finally:
        broker.close()


def reads(kite: Served) -> int:
    return kite.asked.count(("GET", "/orders"))


def test_twenty_looks_within_a_step_are_one_request(kite: Served) -> None:
    with stepping(kite) as (broker, clock):
        placed = [broker.place(order(name)) for name in "abcdef"]
        for name in 3 * "abcdef":
            assert [v.broker_order_id for v in broker.find(name)] == [placed["abcdef".index(name)].broker_order_id]
        clock.advance(round(BOOK_FOR_S * SECOND) - 1)
        broker.find("")
        assert reads(kite) == 1
        clock.advance(1)
        broker.find("")
        assert reads(kite) == 2, "it serves for less than a second"


def test_what_we_change_is_looked_up_anew_and_so_is_everything_in_the_next_step(kite: Served) -> None:
    with stepping(kite) as (broker, _):
        assert broker.find("a") == []
        answer = broker.place(order("a", limit=2_000_000))
        resting = replace(order("a", limit=2_000_000), broker_order_id=answer.broker_order_id)
        assert [v.status for v in broker.find("a")] == ["open"]
        broker.modify(replace(resting, limit=2_000_500))
        assert [v.status for v in broker.find("a")] == ["open"]
        broker.cancel(resting)
        assert [v.status for v in broker.find("a")] == ["cancelled"]
        assert reads(kite) == 4
        broker.updates()
        broker.find("a")
        assert reads(kite) == 5, "a step begins with the updates"


def test_the_books_are_always_read_and_a_failed_reading_serves_nobody(kite: Served) -> None:
    with stepping(kite) as (broker, clock):
        broker.find("")
        broker.orders()
        broker.orders()
        assert reads(kite) == 3
        kite.ways["/orders"] = Way(503, b"<html>")
        clock.advance(SECOND)
        for _ in range(2):
            with pytest.raises(BrokerDown):
                broker.find("")
        assert reads(kite) == 5


# --- the exchange's algo id -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algo_id", ["", "NSE-77"])
def test_a_new_order_carries_the_algo_id_where_there_is_one(kite: Served, algo_id: str) -> None:
    with seated(kite, algo_id=algo_id) as seat:
        answer = seat.broker.place(order("a", limit=2_000_000))
        seat.broker.modify(replace(order("a", limit=2_000_500), broker_order_id=answer.broker_order_id))
        assert [form.get("algo_id", "") for form in seat.server.forms] == [algo_id, ""]
