"""A broker over HTTP, its order updates over a WebSocket. It sends each request once and claims only what is proven."""

from collections.abc import Sequence
from typing import TypeVar
from urllib.parse import quote

from participant.core.market import Quote
from participant.core.matching import request_of
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderView
from participant.links.http_link import Asked, HttpLink
from participant.links.planes import prove
from participant.links.update_stream import Tongue, UpdateStream
from participant.ports import BrokerDown
from participant.wire.broker import (
    VENUE,
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


class HttpBroker:
    """Implements Broker and BrokerBooks at `url`. `timeout_s` (wall) bounds each request from its start to its end.

    A broker that cannot be connected to is knocked at for `connect_wait_s` before an order counts as not sent.
    """

    guarantees = VENUE

    def __init__(self, url: str, timeout_s: float, connect_wait_s: float = 0.0) -> None:
        self._http = HttpLink(url, timeout_s, connect_wait_s)
        address = f"ws{self._http.url.removeprefix('http')}/updates"
        self._stream = UpdateStream(Tongue(lambda: address, lambda body: view_of(decode(body, OrderRow))), timeout_s)

    # --- Broker ---

    def place(self, order: Order) -> Answer:
        """Send the order once."""
        return self._order("POST", "/orders", encode(asked(request_of(order))))

    def modify(self, order: Order) -> Answer:
        """Ask once for the order's present limit."""
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
        prove(
            session=lambda: self._get("/user/profile", dict[str, str]),
            updates=lambda: self._stream.prove(self._http.url),
        )

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
        self._http.close()

    # --- requests ---

    def _order(self, method: str, path: str, body: bytes) -> Answer:
        """Send a request about an order and say what its answer proves."""
        return self._http.order(Asked(method, path, body), classify)

    def _get(self, path: str, kind: type[T]) -> T:
        return self._ask("GET", path, kind, b"")

    def _ask(self, method: str, path: str, kind: type[T], body: bytes) -> T:
        """The data of an answer; raises BrokerDown for whatever is not a whole, good one."""
        request = Asked(method, path, body)
        status, reply = self._http.ask(request)
        if status != 200:
            raise self._http.down(request, f"answered {status}: {reply[:200]!r}")
        try:
            return decode(bytes(decode(reply, Reply).data), kind)
        except Malformed as fault:
            raise self._http.down(request, f"{type(fault).__name__}: {fault}") from fault
