"""A server that speaks as Kite Connect publishes it, with an exchange in memory behind it.

It answers only whom it knows, rejects in its order book where Kite does, and sends heartbeats on its stream.
"""

import asyncio
import datetime
import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from participant.adapters.brokers.memory import MemoryBroker
from participant.core.market import SECOND
from participant.core.matching import OrderRequest
from participant.core.order import Answer, OrderView, Verdict
from participant.core.scrip import Contract, Kind, Side
from participant.core.session import IST_S
from participant.ports import BrokerDown
from participant.wire.json import encode
from participant.wire.rupees import price_of, rupees
from tests.vendors.serving import begin_anew, made_exchange
from tests.venue.made import CONTRACTS, DAY

API_KEY, SECRET, TOKEN = "canarykey", "canarysecret", "canarytoken"
REQUEST_TOKEN = "requested"
TIMED_OUT = "Order request timed out. Please check the order book and confirm before placing again."
HEARTBEAT_S = 0.05
HEAD = (
    "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,"
    "segment,exchange"
)


def symbol(contract: Contract) -> str:
    """NIFTY26DECFUT, NIFTY26DEC26000CE, and of a week NIFTY26N2524900CE."""
    day = contract.expiry
    when = f"{day:%y}{day:%b}".upper() if day.month == 12 else f"{day:%y}{day:%b}".upper()[:3] + f"{day:%d}"
    return f"{contract.underlying}{when}{contract.strike // 10_000 or ''}{contract.kind}"


def instruments(contracts: tuple[Contract, ...] = CONTRACTS) -> str:
    rows = ["256265,1001,NIFTY 50,NIFTY 50,0.0,,0.0,0.0,0,EQ,INDICES,NSE"]
    for number, c in enumerate(contracts):
        strike, segment = c.strike / 10_000, "NFO-FUT" if c.kind is Kind.FUTURE else "NFO-OPT"
        rows.append(
            f"{number},{number},{symbol(c)},{c.underlying},0.0,{c.expiry},{strike},{c.tick / 10_000},{c.lot},"
            f"{c.kind},{segment},NFO"
        )
    return "\n".join([HEAD, *rows, ""])


SYMBOLS = {c.key: symbol(c) for c in CONTRACTS}


def local(at: int) -> str:
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=at // SECOND + IST_S)  # noqa: DTZ001 - as Kite writes it
    return f"{when:%Y-%m-%d %H:%M:%S}"


def number(paise: int, units: int = 1) -> Raw:
    return Raw(f"{paise / 100 / units:.4f}".encode())


class KiteServer:
    """Kite's REST and stream for one user. `refused` names planes on which the token is dead."""

    def __init__(self, exchange: MemoryBroker | None = None, contracts: tuple[Contract, ...] = CONTRACTS) -> None:
        self.exchange = exchange or made_exchange()
        self.contracts = contracts
        self.symbols = {c.key: symbol(c) for c in contracts}
        self.keys = {name: key for key, name in self.symbols.items()}
        self.refused: set[str] = set()
        self.is_mute = False
        self.knocks: list[str] = []
        self.trades: list[dict[str, Any]] = []
        self.forms: list[dict[str, Any]] = []
        self._shown: dict[str, tuple[int, int]] = {}
        self._listeners: set[asyncio.Queue[bytes]] = set()

    def begin(self) -> None:
        begin_anew(self.exchange)
        self.refused.clear()
        self.is_mute = False
        for record in (self.knocks, self.trades, self.forms, self._shown):
            record.clear()

    def routes(self) -> list[BaseRoute]:
        table: list[tuple[str, str, str, Callable[[Request], Awaitable[Response]]]] = [
            ("POST", "/orders/regular", "orders", self._place),
            ("PUT", "/orders/regular/{order_id}", "orders", self._modify),
            ("DELETE", "/orders/regular/{order_id}", "orders", self._cancel),
            ("GET", "/orders", "orders", self._orders),
            ("GET", "/trades", "orders", self._trades),
            ("GET", "/portfolio/positions", "orders", self._positions),
            ("GET", "/user/margins", "orders", self._funds),
            ("GET", "/user/profile", "profile", self._profile),
            ("POST", "/margins/basket", "orders", self._basket),
            ("GET", "/quote", "data", self._quote),
            ("GET", "/instruments/NFO", "data", self._instruments),
        ]
        routes: list[BaseRoute] = [Route(path, self._known(plane, do), methods=[how]) for how, path, plane, do in table]
        return [
            *routes,
            Route("/session/token", self._token, methods=["POST"]),
            WebSocketRoute("/", self._updates),
        ]

    def tell(self) -> None:
        self._trade()
        for view in self.exchange.updates():
            frame = encode({"type": "order", "id": "", "data": self._row(view)})
            for listener in self._listeners:
                listener.put_nowait(frame)

    # --- who is there ---

    def _known(self, plane: str, do: Callable[[Request], Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
        async def guard(request: Request) -> Response:
            signed = request.headers.get("authorization") == f"token {API_KEY}:{TOKEN}"
            if not signed or request.headers.get("x-kite-version") != "3" or plane in self.refused:
                return error(403, "TokenException", "Incorrect `api_key` or `access_token`.")
            try:
                return await do(request)
            except BrokerDown as fault:
                return error(503, "NetworkException", str(fault))

        return guard

    async def _token(self, request: Request) -> Response:
        form = await form_of(request)
        checksum = hashlib.sha256(f"{API_KEY}{REQUEST_TOKEN}{SECRET}".encode()).hexdigest()
        if (form["api_key"], form["request_token"], form["checksum"]) != (API_KEY, REQUEST_TOKEN, checksum):
            return error(403, "TokenException", "Token is invalid or has expired.")
        login_time = f"{DAY} 08:10:00"
        return ok({"user_id": "XX0000", "access_token": TOKEN, "public_token": "x", "login_time": login_time})

    async def _profile(self, _: Request) -> Response:
        self.exchange.login()
        return ok({"user_id": "XX0000", "user_type": "individual", "broker": "ZERODHA", "exchanges": ["NSE", "NFO"]})

    # --- orders ---

    async def _place(self, request: Request) -> Response:
        form = await form_of(request)
        self.forms.append(form)
        if form.get("order_type") != "LIMIT" or form.get("validity") != "DAY" or len(form.get("tag", "")) > 20:
            return error(400, "InputException", "Invalid `order_type`.")
        return await self._answered(self.exchange.enter(self._requested(form)))

    async def _modify(self, request: Request) -> Response:
        form = await form_of(request)
        self.forms.append(form)
        name = request.path_params["order_id"]
        known = [o.request.quantity for o in self.exchange.state.orders if o.broker_order_id == name]
        quantity = int(form["quantity"]) if "quantity" in form else (known or [0])[0]
        return await self._answered(self.exchange.change(name, quantity, price_of(form["price"])), is_new=False)

    async def _cancel(self, request: Request) -> Response:
        return await self._answered(self.exchange.end(request.path_params["order_id"]), is_new=False)

    async def _answered(self, answer: Answer, *, is_new: bool = True) -> Response:
        self.tell()
        if answer.verdict is Verdict.UNKNOWN:
            await asyncio.sleep(self.exchange.faults.hang_s)
            return error(400, "OrderException", TIMED_OUT)
        if answer.is_retriable:
            return error(429, "NetworkException", "Too many requests")
        if answer.verdict is Verdict.REJECTED and "margin" in answer.reason:
            return error(400, "MarginException", f"Insufficient funds. Required margin: {answer.reason}.")
        if answer.verdict is Verdict.REJECTED and not is_new:
            return error(400, "OrderException", f"Order cannot be changed: {answer.reason}")
        # Most rejections Kite tells in the book: the request was placed, the order was not.
        return ok({"order_id": answer.broker_order_id})

    # --- books ---

    async def _orders(self, _: Request) -> Response:
        return ok([self._row(view) for view in self.exchange.orders()])

    async def _trades(self, _: Request) -> Response:
        return ok(self.trades)

    async def _positions(self, _: Request) -> Response:
        rows = [
            {
                "tradingsymbol": self.symbols[line.contract],
                "exchange": "NFO",
                "product": "NRML",
                "quantity": line.quantity,
                "average_price": number(line.cost, line.quantity) if line.quantity else 0,
                "multiplier": 1,
            }
            for line in self.exchange.positions()
        ]
        return ok({"net": rows, "day": []})

    async def _funds(self, _: Request) -> Response:
        funds = self.exchange.funds()
        segment = {
            "enabled": True,
            "available": {"cash": number(funds.cash)},
            "utilised": {"debits": number(funds.margin_used)},
        }
        return ok({"equity": segment, "commodity": segment})

    async def _basket(self, request: Request) -> Response:
        rows = await request.json()
        need = self.exchange.need(self._requested(row) for row in rows)
        return ok({"initial": {"total": number(2 * need)}, "final": {"total": number(need)}, "orders": []})

    async def _quote(self, request: Request) -> Response:
        found: dict[str, Any] = {}
        for name in request.query_params.getlist("i"):
            known = self.exchange.quote(self.keys.get(name.partition(":")[2], "NIFTY"))
            if known is None:
                continue
            found[name] = {
                "timestamp": local(known.exchange_at),
                "last_price": 1.5,
                "depth": {
                    "buy": [{"price": Raw(rupees(known.bid).encode()), "quantity": known.bid_size, "orders": 1}],
                    "sell": [{"price": Raw(rupees(known.ask).encode()), "quantity": known.ask_size, "orders": 1}],
                },
            }
        return ok(found)

    async def _instruments(self, _: Request) -> Response:
        return PlainTextResponse(instruments(self.contracts), media_type="text/csv")

    # --- updates ---

    async def _updates(self, socket: WebSocket) -> None:
        self.knocks.append(socket.query_params.get("access_token", ""))
        if socket.query_params.get("access_token") != TOKEN or "feed" in self.refused:
            await socket.close()  # before it is accepted: a 403
            return
        await socket.accept()
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        self._listeners.add(waiting)
        try:
            await self._talk(socket, waiting)
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left
        finally:
            self._listeners.discard(waiting)

    async def _talk(self, socket: WebSocket, waiting: "asyncio.Queue[bytes]") -> None:
        await socket.send_text('{"type": "message", "data": "welcome"}')
        while True:
            try:
                frame = await asyncio.wait_for(waiting.get(), HEARTBEAT_S)
                if not self.is_mute:
                    await socket.send_text(frame.decode())
            except TimeoutError:
                if not self.is_mute:
                    await socket.send_bytes(b"\0")

    # --- rows ---

    def _requested(self, form: dict[str, Any]) -> OrderRequest:
        name = str(form["tradingsymbol"])
        side = Side(str(form["transaction_type"]).lower())
        price = price_of(f"{float(str(form['price'])):.4f}")
        quantity = int(str(form["quantity"]))
        return OrderRequest(str(form.get("tag", "")), self.keys.get(name, name), side, quantity, price)

    def _trade(self) -> None:
        for order in self.exchange.state.orders:
            units, paise = self._shown.get(order.broker_order_id, (0, 0))
            more, worth = order.cum_quantity - units, order.cum_value - paise
            if more:
                self._shown[order.broker_order_id] = order.cum_quantity, order.cum_value
                row = {"trade_id": str(len(self.trades)), "order_id": order.broker_order_id, "quantity": more}
                self.trades.append({**row, "average_price": number(worth, more), "exchange": "NFO"})

    def _row(self, view: OrderView) -> dict[str, Any]:
        at = local(view.updated_at)
        return {
            "placed_by": "XX0000",
            "order_id": view.broker_order_id,
            "exchange_order_id": None,
            "status": view.status.upper(),
            "status_message": view.reason or None,
            "order_timestamp": at,
            "exchange_update_timestamp": at,
            "exchange_timestamp": None,
            "variety": "regular",
            "exchange": "NFO",
            "tradingsymbol": self.symbols.get(view.contract, view.contract),
            "order_type": "LIMIT",
            "transaction_type": view.side.upper(),
            "validity": "DAY",
            "product": "NRML",
            "quantity": view.quantity,
            "price": 0,
            "average_price": number(view.cum_value, view.cum_quantity) if view.cum_quantity else 0,
            "filled_quantity": view.cum_quantity,
            "pending_quantity": view.quantity - view.cum_quantity,
            "cancelled_quantity": 0,
            "tag": view.tag or None,
            "guid": "XXXXX",
        }


async def form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def ok(data: object) -> Response:
    return Response(encode({"status": "success", "data": data}), media_type="application/json")


def error(status: int, error_type: str, message: str) -> Response:
    body = encode({"status": "error", "message": message, "data": None, "error_type": error_type})
    return Response(body, status, media_type="application/json")
