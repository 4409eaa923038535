"""A vendor's server on loopback, over real sockets, in a thread of its own, with a small exchange behind it."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

import uvicorn
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from participant.adapters.brokers.memory import MemoryBroker
from participant.core.clearing import Ledger
from participant.links.broker_book import BrokerState
from participant.links.faults import Faults
from tests.venue.made import CASH, CONTRACTS, DAY, OPENS_AT, RULES, WAIT_S, quotes

T = TypeVar("T")


class Way(Struct):
    """How a path answers until it is told otherwise: late, or with this instead of what it would say."""

    status: int = 200
    body: bytes | None = None
    hang_s: float = 0.0
    media_type: str = "application/json"


class Vendor(Protocol):
    """What serves in a vendor's shapes."""

    exchange: MemoryBroker

    def routes(self) -> list[BaseRoute]: ...

    def tell(self) -> None: ...

    def begin(self) -> None: ...


def made_exchange() -> MemoryBroker:
    exchange = MemoryBroker(CONTRACTS, RULES, DAY, CASH)
    exchange.on_quotes(OPENS_AT, quotes(OPENS_AT))
    return exchange


def begin_anew(exchange: MemoryBroker) -> None:
    exchange.fail(Faults())
    exchange.restore(BrokerState(DAY, Ledger(CASH)))
    exchange.on_quotes(OPENS_AT, quotes(OPENS_AT))


class Served:
    """A vendor that answers. `ways` changes how a path answers; `asked` is what was asked for since it began anew."""

    def __init__(self, vendor: Vendor, loop: asyncio.AbstractEventLoop, port: int) -> None:
        self.vendor = vendor
        self.url = f"http://127.0.0.1:{port}"
        self.ways: dict[str, Way] = {}
        self.asked: list[tuple[str, str]] = []
        self._loop = loop

    def do(self, action: Callable[[], T]) -> T:
        async def inside() -> T:
            result = action()
            self.vendor.tell()
            return result

        return asyncio.run_coroutine_threadsafe(inside(), self._loop).result(WAIT_S)

    def begin(self) -> None:
        """As in the morning, with nothing wrong."""
        self.ways.clear()
        self.do(self.vendor.begin)
        self.asked.clear()

    def sent(self) -> list[tuple[str, str]]:
        """The requests that change something."""
        return [one for one in self.asked if one[0] != "GET"]


class Wayward:
    """Passes requests on, or answers as the ways say."""

    def __init__(self, app: ASGIApp, find: Callable[[], Served]) -> None:
        self._app, self._find = app, find

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        served = self._find()
        served.asked.append((scope["method"], scope["path"]))
        way = next((w for path, w in served.ways.items() if scope["path"].startswith(path)), Way())
        if way.body is not None:
            await Request(scope, receive).body()
        await asyncio.sleep(way.hang_s)
        app = self._app if way.body is None else Response(way.body, way.status, media_type=way.media_type)
        await app(scope, receive, send)


@contextmanager
def serving(vendor: Vendor) -> Iterator[Served]:
    """The vendor on a free port of loopback, ended when the block ends."""
    found: list[Served] = []
    app = Wayward(Starlette(routes=vendor.routes()), lambda: found[0])
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, lifespan="off", log_level="error", access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    ready = threading.Event()

    async def play() -> None:
        running = asyncio.create_task(server.serve())
        while not server.started:
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        found.append(Served(vendor, asyncio.get_running_loop(), port))
        ready.set()
        await running

    thread = threading.Thread(target=lambda: asyncio.run(play()), name="vendor")
    thread.start()
    try:
        assert ready.wait(WAIT_S), "the vendor did not come up"
        yield found[0]
    finally:
        server.should_exit = True
        thread.join(WAIT_S)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)
