"""A broker over HTTP, its order updates over a WebSocket. It sends each request once and claims only what is proven."""

import threading
from collections import deque
from collections.abc import Sequence
from time import monotonic, sleep
from typing import TypeVar
from urllib.parse import quote

import httpx
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from participant.core.market import Quote
from participant.core.matching import request_of
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderView, Verdict
from participant.ports import BrokerDown
from participant.wire.broker import (
    FundsRow,
    Margin,
    ModifyOrder,
    OrderRow,
    PositionRow,
    QuoteRow,
    Reply,
    asked,
    classify,
    quote_of,
    view_of,
)
from participant.wire.json import Malformed, decode, encode
from participant.wire.rupees import rupees

T = TypeVar("T")

BODY_MAX_BYTES = 16 * 1024 * 1024
UPDATE_MAX_BYTES = 64 * 1024
UPDATES_MAX = 10_000
KNOCK_EVERY_S = 0.1
RECONNECT_WAIT_S = (0.1, 2.0)


class HttpBroker:
    """Implements Broker and BrokerBooks at `url`. `timeout_s` (wall) bounds each request from its start to its end.

    A broker that cannot be connected to is knocked at for `connect_wait_s` before an order counts as not sent: no byte
    of it has left until a connection stands, so this is no second send.
    """

    def __init__(self, url: str, timeout_s: float, connect_wait_s: float = 0.0) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._connect_wait_s = connect_wait_s
        # No proxy, no redirect, and above all no second try by the transport.
        transport = httpx.HTTPTransport(retries=0)
        self._client = httpx.Client(transport=transport, timeout=timeout_s, trust_env=False, follow_redirects=False)
        self._stream = UpdateStream(f"ws{self._url.removeprefix('http')}/updates", timeout_s)

    # --- Broker ---

    def place(self, order: Order) -> Answer:
        """Send the order once."""
        return self._order("POST", "/orders", encode(asked(request_of(order))))

    def modify(self, order: Order) -> Answer:
        """Ask once for the order's present limit and quantity."""
        body = encode(ModifyOrder(order.quantity, rupees(order.limit)))
        return self._order("PUT", f"/orders/{order.broker_order_id or order.tag}", body)

    def cancel(self, order: Order | OrderView) -> Answer:
        """Ask once for the order's end."""
        return self._order("DELETE", f"/orders/{order.broker_order_id or order.tag}", b"")

    def find(self, tag_stem: str) -> list[OrderView]:
        """The orders of the day whose tag begins so."""
        return [view_of(row) for row in self._get(f"/orders?tag={quote(tag_stem)}", list[OrderRow])]

    def updates(self) -> list[OrderView]:
        """What the stream brought since the last call."""
        return self._stream.take()

    def margin(self, orders: Sequence[Order]) -> int:
        """What these orders need (paise) on top of the present book."""
        return self._ask("POST", "/margins/orders", Margin, encode([asked(request_of(o)) for o in orders])).total

    # --- BrokerBooks ---

    def login(self) -> None:
        """Prove that orders, books and the update stream all answer: a stale session may pass the first alone."""
        self._get("/user/profile", dict[str, str])
        if not self._stream.is_up(self._timeout_s):
            raise BrokerDown(f"the update stream of {self._url} does not answer")

    def orders(self) -> list[OrderView]:
        """All orders of the day."""
        return [view_of(row) for row in self._get("/orders", list[OrderRow])]

    def positions(self) -> list[BrokerPosition]:
        """All open positions."""
        rows = self._get("/portfolio/positions", list[PositionRow])
        return [BrokerPosition(row.tradingsymbol, row.quantity, row.cost) for row in rows]

    def funds(self) -> Funds:
        """Cash and margin."""
        row = self._get("/user/margins", FundsRow)
        return Funds(row.cash, row.margin_used)

    def quote(self, contract: str) -> Quote | None:
        """The broker's own quote, where it has one."""
        rows = self._get(f"/quote/{quote(contract)}", list[QuoteRow])
        try:
            return quote_of(rows[0]) if rows else None
        except Malformed as fault:
            raise BrokerDown(str(fault)) from fault

    def settlements(self) -> dict[str, int] | None:
        """The official settlement prices; `None` before they are out."""
        rows = self._get("/settlements", list[dict[str, int]])
        return rows[0] if rows else None

    def close(self) -> None:
        """End the connections and the thread of the update stream."""
        self._stream.close()
        self._client.close()

    # --- requests ---

    def _order(self, method: str, path: str, body: bytes) -> Answer:
        """Send a request about an order and say what its answer proves."""
        until = monotonic() + self._connect_wait_s
        while True:
            try:
                return classify(*self._send(method, path, body))
            except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
                if monotonic() >= until:
                    return Answer(Verdict.NOT_SENT, f"no connection to {self._url}: {fault}")
                sleep(KNOCK_EVERY_S)
            except (httpx.HTTPError, TimeoutError) as fault:
                return Answer(Verdict.UNKNOWN, f"{type(fault).__name__}: {fault}")

    def _get(self, path: str, kind: type[T]) -> T:
        return self._ask("GET", path, kind, b"")

    def _ask(self, method: str, path: str, kind: type[T], body: bytes) -> T:
        """The data of an answer; raises BrokerDown for whatever is not a whole, good one."""
        try:
            status, reply = self._send(method, path, body)
            if status != 200:
                raise BrokerDown(f"{self._url}{path} answered {status}: {reply[:200]!r}")
            return decode(bytes(decode(reply, Reply).data), kind)
        except (httpx.HTTPError, TimeoutError, Malformed) as fault:
            raise BrokerDown(f"{self._url}{path}: {type(fault).__name__}: {fault}") from fault

    def _send(self, method: str, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer to one request, bounded in time and in size."""
        until = monotonic() + self._timeout_s
        headers = {"content-type": "application/json"}
        chunks, size = [], 0
        with self._client.stream(method, self._url + path, content=body, headers=headers) as reply:
            for chunk in reply.iter_bytes():
                chunks.append(chunk)
                size += len(chunk)
                if size > BODY_MAX_BYTES or monotonic() > until:
                    raise TimeoutError(f"the answer was too long: {size} bytes in {self._timeout_s} s")
            return reply.status_code, b"".join(chunks)


class UpdateStream:
    """The broker's order updates, read by one thread that connects again by itself; when too many, the oldest go."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._views: deque[OrderView] = deque(maxlen=UPDATES_MAX)
        self._is_closed = threading.Event()
        self._is_up = threading.Event()
        self._link: ClientConnection | None = None
        self._thread = threading.Thread(target=self._run, name="order updates", daemon=True)
        self._thread.start()

    def take(self) -> list[OrderView]:
        """What has come since the last call."""
        return [self._views.popleft() for _ in range(len(self._views))]

    def is_up(self, wait_s: float) -> bool:
        """Whether the stream is connected, or becomes so within `wait_s`."""
        return self._is_up.wait(wait_s)

    def close(self) -> None:
        """End the thread."""
        self._is_closed.set()
        if self._link is not None:
            self._link.close()
        self._thread.join(self._timeout_s + RECONNECT_WAIT_S[1] + 1)

    def _run(self) -> None:
        wait_s = RECONNECT_WAIT_S[0]
        while not self._is_closed.is_set():
            try:
                with connect(
                    self._url, open_timeout=self._timeout_s, close_timeout=0.2, max_size=UPDATE_MAX_BYTES, proxy=None
                ) as link:
                    self._link, wait_s = link, RECONNECT_WAIT_S[0]
                    self._is_up.set()
                    self._read(link)
            except (OSError, WebSocketException, Malformed):
                pass  # the book is read as well: a lost stream costs time, never knowledge
            self._is_up.clear()
            self._is_closed.wait(wait_s)
            wait_s = min(2 * wait_s, RECONNECT_WAIT_S[1])

    def _read(self, link: ClientConnection) -> None:
        while not self._is_closed.is_set():
            try:
                self._views.append(view_of(decode(_bytes(link.recv(timeout=0.2)), OrderRow)))
            except TimeoutError:
                continue


def _bytes(message: str | bytes) -> bytes:
    return message.encode() if isinstance(message, str) else message
