"""A server that speaks as OpenAlgo publishes it, with an exchange in memory behind it; no tag comes back from it."""

import asyncio
import datetime
from collections.abc import Awaitable, Callable
from typing import Any

from msgspec import Raw
from starlette.requests import Request
from starlette.responses import Response
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
from tests.venue.made import CONTRACTS

API_KEY = "canaryopenalgo"


def symbol(contract: Contract) -> str:
    """NIFTY29DEC26FUT, NIFTY29DEC2626000CE."""
    when = f"{contract.expiry:%d%b%y}".upper()
    return f"{contract.underlying}{when}{contract.strike // 10_000 or ''}{contract.kind}"


SYMBOLS = {c.key: symbol(c) for c in CONTRACTS}


def local(at: int) -> str:
    when = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=at // SECOND + IST_S)  # noqa: DTZ001 - as it writes
    return f"{when:%d-%b-%Y %H:%M:%S}"


def average(paise: int, units: int) -> Raw:
    return Raw(f"{paise / 100 / units if units else 0:.4f}".encode())


class OpenAlgoServer:
    """OpenAlgo's REST and stream for one user, in its sandbox or live. `refused` names what its key is refused for."""

    def __init__(self, exchange: MemoryBroker | None = None, contracts: tuple[Contract, ...] = CONTRACTS) -> None:
        self.exchange = exchange or made_exchange()
        self.contracts = contracts
        self.symbols = {c.key: symbol(c) for c in contracts}
        self.keys = {name: key for key, name in self.symbols.items()}
        self._heal()
        self._shown: dict[str, tuple[int, int]] = {}
        self._listeners: set[asyncio.Queue[bytes]] = set()

    def begin(self) -> None:
        begin_anew(self.exchange)
        self._heal()

    def _heal(self) -> None:
        self.is_babbling = False
        self.refused: set[str] = set()
        self.is_sandbox = False
        self.is_lying = False
        self.trades: list[dict[str, Any]] = []
        self._shown = {}

    def routes(self) -> list[BaseRoute]:
        posts: dict[str, Callable[[dict[str, Any]], Awaitable[Response]]] = {
            "placeorder": self._place,
            "modifyorder": self._modify,
            "cancelorder": self._cancel,
            "orderbook": self._orders,
            "tradebook": self._trades,
            "positionbook": self._positions,
            "funds": self._funds,
            "margin": self._margin,
            "depth": self._depth,
            "quotes": self._quotes,
            "ping": self._ping,
            "analyzer": self._analyzer,
        }
        routes: list[BaseRoute] = [
            Route(f"/api/v1/{name}", self._known(name, do), methods=["POST"]) for name, do in posts.items()
        ]
        return [*routes, Route("/api/v1/instruments", self._instruments), WebSocketRoute("/", self._updates)]

    def tell(self) -> None:
        self._trade()
        for view in self.exchange.updates():
            frame = encode({"type": "order_update", "user_id": "x", "mode": "live", **self._row(view), **_more(view)})
            for listener in self._listeners:
                listener.put_nowait(frame)

    def _known(
        self, name: str, do: Callable[[dict[str, Any]], Awaitable[Response]]
    ) -> Callable[..., Awaitable[Response]]:
        async def guard(request: Request) -> Response:
            asked = await request.json()
            if asked.get("apikey") != API_KEY or name in self.refused:
                return error(403, "Invalid openalgo apikey")
            try:
                return await do(asked)
            except BrokerDown as fault:
                return error(500, str(fault))

        return guard

    # --- orders ---

    async def _place(self, asked: dict[str, Any]) -> Response:
        if asked.get("pricetype") != "LIMIT" or "strategy" not in asked:
            return error(400, "{'pricetype': ['Invalid']}")
        return await self._answered(self.exchange.enter(self._requested(asked)))

    async def _modify(self, asked: dict[str, Any]) -> Response:
        wanted = int(asked["quantity"]), price_of(asked["price"])
        return await self._answered(self.exchange.change(asked["orderid"], *wanted), is_new=False)

    async def _cancel(self, asked: dict[str, Any]) -> Response:
        return await self._answered(self.exchange.end(asked["orderid"]), is_new=False)

    async def _answered(self, answer: Answer, *, is_new: bool = True) -> Response:
        self.tell()
        if answer.verdict is Verdict.UNKNOWN:
            await asyncio.sleep(self.exchange.faults.hang_s)
            return error(400, "Order request timed out. Please check the order book.")  # the broker's own words
        if answer.is_retriable:
            return error(429, "Rate limit exceeded. Please try again later.")
        if answer.verdict is Verdict.REJECTED and not is_new:
            return error(400, f"Order not modifiable: {answer.reason}")
        mode = {"mode": "analyze"} if self.is_sandbox else {}
        named = None if self.is_lying else answer.broker_order_id
        return reply({"orderid": named, "status": "success", **mode})

    # --- books ---

    async def _orders(self, _: dict[str, Any]) -> Response:
        rows = [self._row(view) for view in self.exchange.orders()]
        return ok({"orders": rows, "statistics": {"total_buy_orders": 1.0}})

    async def _trades(self, _: dict[str, Any]) -> Response:
        return ok(self.trades)

    async def _positions(self, _: dict[str, Any]) -> Response:
        lines = self.exchange.positions()
        return ok(
            [
                {
                    "symbol": self.symbols[line.contract],
                    "exchange": "NFO",
                    "product": "NRML",
                    "quantity": str(line.quantity),
                    "average_price": f"{line.cost / 100 / line.quantity:.4f}" if line.quantity else "0.0",
                }
                for line in lines
            ]
        )

    async def _funds(self, _: dict[str, Any]) -> Response:
        funds = self.exchange.funds()
        free, used = (f"{paise / 100:.2f}" for paise in (funds.cash - funds.margin_used, funds.margin_used))
        return ok({"availablecash": free, "collateral": "0.00", "utiliseddebits": used})

    async def _margin(self, asked: dict[str, Any]) -> Response:
        need = self.exchange.need(self._requested(row) for row in asked["positions"])
        return ok({"total_margin_required": average(need, 1), "span_margin": 0.0})

    async def _depth(self, asked: dict[str, Any]) -> Response:
        known = self.exchange.quote(self.keys[asked["symbol"]])
        assert known is not None
        bid, ask = Raw(rupees(known.bid).encode()), Raw(rupees(known.ask).encode())
        sides = {
            "bids": [{"price": bid, "quantity": known.bid_size}],
            "asks": [{"price": ask, "quantity": known.ask_size}],
        }
        return ok({"ltp": 1.5, **sides})

    async def _quotes(self, _: dict[str, Any]) -> Response:
        return ok({"ltp": 25000.0, "bid": 0, "ask": 0})

    async def _ping(self, _: dict[str, Any]) -> Response:
        self.exchange.login()
        return ok({"message": "pong", "broker": "zerodha"})

    async def _analyzer(self, _: dict[str, Any]) -> Response:
        return ok({"analyze_mode": self.is_sandbox, "mode": "analyze" if self.is_sandbox else "live", "total_logs": 0})

    async def _instruments(self, request: Request) -> Response:
        if request.query_params.get("apikey") != API_KEY or "instruments" in self.refused:
            return error(403, "Invalid openalgo apikey")
        rows = [listed(contract) for contract in self.contracts]
        return ok([*rows, {"symbol": "NHPC", "exchange": "NFO", "instrumenttype": "EQ"}])

    # --- updates ---

    async def _updates(self, socket: WebSocket) -> None:
        await socket.accept()
        waiting: asyncio.Queue[bytes] = asyncio.Queue()
        try:
            asked = await socket.receive_json()
            for _ in range(30 * self.is_babbling):
                await socket.send_json({"type": "welcome"})
            is_known = asked == {"action": "authenticate", "api_key": API_KEY} and "feed" not in self.refused
            await socket.send_json({"type": "auth", "status": "success" if is_known else "error"})
            if not is_known:
                return
            self._listeners.add(waiting)
            await socket.receive_json()
            await socket.send_json({"type": "subscribe_orders", "status": "success"})
            while True:
                await socket.send_text((await waiting.get()).decode())
        except (WebSocketDisconnect, RuntimeError):
            pass  # it left
        finally:
            self._listeners.discard(waiting)

    # --- rows ---

    def _requested(self, row: dict[str, Any]) -> OrderRequest:
        side, name = Side(row["action"].lower()), row["symbol"]
        return OrderRequest("", self.keys.get(name, name), side, int(row["quantity"]), price_of(row["price"]))

    def _trade(self) -> None:
        for order in self.exchange.state.orders:
            units, paise = self._shown.get(order.broker_order_id, (0, 0))
            more, worth = order.cum_quantity - units, order.cum_value - paise
            if more:
                self._shown[order.broker_order_id] = order.cum_quantity, order.cum_value
                row = {"orderid": order.broker_order_id, "quantity": more, "average_price": average(worth, more)}
                self.trades.append({**row, "trade_value": average(worth, 1), "timestamp": "13:58:03"})

    def _row(self, view: OrderView) -> dict[str, Any]:
        return {
            "action": view.side.upper(),
            "symbol": self.symbols.get(view.contract, view.contract),
            "exchange": "NFO",
            "orderid": view.broker_order_id,
            "product": "NRML",
            "quantity": str(view.quantity),
            "price": 0.0,
            "pricetype": "LIMIT",
            "order_status": view.status,
            "trigger_price": 0.0,
            "timestamp": local(view.updated_at),
        }


def _more(view: OrderView) -> dict[str, Any]:
    done = {"filled_quantity": view.cum_quantity, "average_price": average(view.cum_value, view.cum_quantity)}
    return {**done, "rejection_reason": view.reason}


def listed(contract: Contract) -> dict[str, Any]:
    return {
        "symbol": symbol(contract),
        "brsymbol": "x",
        "name": contract.underlying,
        "exchange": "NFO",
        "token": "12345",
        "expiry": f"{contract.expiry:%d-%b-%y}".upper(),
        "strike": 0 if contract.kind is Kind.FUTURE else contract.strike / 10_000,
        "lotsize": contract.lot,
        "instrumenttype": contract.kind.value,
        "tick_size": contract.tick / 10_000,
    }


def ok(data: object) -> Response:
    return reply({"status": "success", "data": data})


def error(status: int, message: str) -> Response:
    return reply({"status": "error", "message": message}, status)


def reply(body: dict[str, Any], status: int = 200) -> Response:
    return Response(encode(body), status, media_type="application/json")
