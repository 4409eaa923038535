"""The venue's broker as others see it: orders and books over HTTP, order updates over a WebSocket."""

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from participant.core.order import Answer, Verdict
from participant.ports import BrokerDown
from participant.venue.exchange import Exchange
from participant.wire.broker import (
    FundsRow,
    Margin,
    ModifyOrder,
    Placed,
    PlaceOrder,
    PositionRow,
    Reply,
    price,
    quote_row,
    requested,
    row_of,
)
from participant.wire.json import Malformed, decode, encode

BODY_MAX_BYTES = 256 * 1024
WAITING_UPDATES_MAX = 10_000

Endpoint = Callable[[Request], Awaitable[Response]]


class BrokerApi:
    """The routes of one exchange's broker."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._listeners: set[asyncio.Queue[bytes | None]] = set()

    def routes(self) -> list[BaseRoute]:
        """Where everything is."""
        table: list[tuple[str, str, Endpoint]] = [
            ("POST", "/orders", self._place),
            ("GET", "/orders", self._orders),
            ("PUT", "/orders/{name}", self._modify),
            ("DELETE", "/orders/{name}", self._cancel),
            ("POST", "/margins/orders", self._margin),
            ("GET", "/portfolio/positions", self._positions),
            ("GET", "/user/margins", self._funds),
            ("GET", "/user/profile", self._profile),
            ("GET", "/quote/{contract}", self._quote),
            ("GET", "/settlements", self._settlements),
        ]
        routes: list[BaseRoute] = [Route(path, guarded(do), methods=[method]) for method, path, do in table]
        return [*routes, WebSocketRoute("/updates", self._updates)]

    def tell(self) -> None:
        """Pass on what happened to orders; a listener that does not keep up is let go and may connect again."""
        for view in self._exchange.broker.updates():
            line = encode(row_of(view))
            for waiting in [q for q in self._listeners if not q.full()]:
                waiting.put_nowait(line)
        self._listeners -= {q for q in self._listeners if q.full()}

    # --- orders ---

    async def _place(self, request: Request) -> Response:
        order = requested(decode(await body_of(request), PlaceOrder))
        return await self._answered(self._exchange.broker.enter(order))

    async def _modify(self, request: Request) -> Response:
        wanted = decode(await body_of(request), ModifyOrder)
        answer = self._exchange.broker.change(request.path_params["name"], wanted.quantity, price(wanted.price))
        return await self._answered(answer)

    async def _cancel(self, request: Request) -> Response:
        return await self._answered(self._exchange.broker.end(request.path_params["name"]))

    async def _answered(self, answer: Answer) -> Response:
        """First write down what was done, then tell, then answer."""
        self._exchange.keep()
        self.tell()
        if answer.verdict is Verdict.ACCEPTED:
            return ok(Placed(answer.broker_order_id))
        if answer.verdict is Verdict.REJECTED:
            return error(429, "RateException", answer.reason) if answer.is_retriable else rejected(answer.reason)
        await asyncio.sleep(self._exchange.broker.faults.hang_s)
        # The most treacherous answer that was seen in the wild: it looks like a rejection, and the order may live.
        return error(400, "NetworkException", answer.reason)

    # --- books ---

    async def _orders(self, request: Request) -> Response:
        views = self._exchange.broker.find(request.query_params.get("tag", ""))
        return ok([row_of(view) for view in views])

    async def _margin(self, request: Request) -> Response:
        orders = decode(await body_of(request), list[PlaceOrder])
        return ok(Margin(self._exchange.broker.need(requested(order) for order in orders)))

    async def _positions(self, _: Request) -> Response:
        lines = self._exchange.broker.positions()
        return ok([PositionRow(line.contract, line.quantity, line.cost) for line in lines])

    async def _funds(self, _: Request) -> Response:
        funds = self._exchange.broker.funds()
        return ok(FundsRow(funds.cash, funds.margin_used))

    async def _profile(self, _: Request) -> Response:
        self._exchange.broker.login()
        return ok({"user": "paper", "day": self._exchange.market.day.isoformat()})

    async def _quote(self, request: Request) -> Response:
        quote = self._exchange.broker.quote(request.path_params["contract"])
        return ok([quote_row(quote)] if quote else [])

    async def _settlements(self, _: Request) -> Response:
        prices = self._exchange.broker.settlements()
        return ok([] if prices is None else [prices])

    # --- updates ---

    async def _updates(self, socket: WebSocket) -> None:
        await socket.accept()
        waiting: asyncio.Queue[bytes | None] = asyncio.Queue(WAITING_UPDATES_MAX)
        self._listeners.add(waiting)
        watching = asyncio.create_task(_gone(socket, waiting))
        try:
            while waiting in self._listeners and (line := await waiting.get()) is not None:
                await socket.send_text(line.decode())
            await socket.close()
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left while it was spoken to
        finally:
            self._listeners.discard(waiting)
            watching.cancel()


async def _gone(socket: WebSocket, waiting: asyncio.Queue[bytes | None]) -> None:
    """Wait until the listener leaves, and end its queue."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        continue
    await waiting.put(None)


# --- replies, the same on all routes ---


def guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with bad input and closed books answered as errors."""

    async def guard(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Malformed as fault:
            return error(400, "InputException", str(fault))
        except BrokerDown as fault:
            return error(503, "GatewayException", str(fault))

    return guard


async def body_of(request: Request) -> bytes:
    """The body of a request, bounded; raises Malformed."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_MAX_BYTES:
            raise Malformed(f"more than {BODY_MAX_BYTES} bytes")
    return body


def ok(data: object) -> Response:
    """A good answer."""
    return Response(encode(Reply("success", Raw(encode(data)))), media_type="application/json")


def error(status: int, error_type: str, message: str) -> Response:
    """An answer that something did not work."""
    return Response(encode(Reply("error", Raw(b"null"), error_type, message)), status, media_type="application/json")


def rejected(reason: str) -> Response:
    """The order is not taken, for good."""
    return error(400, "OrderException", reason)
