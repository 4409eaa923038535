"""The venue's process: one HTTP port for the broker, the JSON providers and its own steering, one FIX port.

In lockstep it shows the next instant when it is told that the last one is closed. Otherwise it runs by itself from the
moment it is started: venue time is the first instant's plus `speed` times the wall time since, crashes included.
"""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import uvicorn
from msgspec import Struct
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from participant.adapters.brokers.memory import MemoryBroker
from participant.core.rulebook import Rulebook
from participant.core.scrip import Kind
from participant.links.faults import Faults
from participant.venue.broker_api import BrokerApi, body_of, error, guarded
from participant.venue.exchange import Exchange, Market, OtherMarket
from participant.venue.lines import FeedFaults
from participant.venue.providers import Providers
from participant.wire.json import Malformed, decode, encode
from participant.wire.venue import ClockRow, Release, SessionRow

LOCKSTEP = "lockstep"
FREE = "free"
HELD_EVERY_S = 1.0  # of venue time
PAUSE_MIN_S = 0.05  # of wall time
SHUTDOWN_MAX_S = 1
BACKLOG = 128
WRONG_USE = 2


class VenueOptions(Struct, frozen=True, kw_only=True):
    """Where and how to play. Port 0 takes a free one; `cash` in paise is what the client brings on the first day."""

    host: str = "127.0.0.1"
    port: int = 0
    fix_port: int = 0
    mode: str = LOCKSTEP
    speed: float = 1.0
    state_path: Path | None = None
    cash: int
    faults: "VenueFaults | None" = None

    def __post_init__(self) -> None:
        """ValueError where it cannot be played so."""
        if self.mode not in {LOCKSTEP, FREE} or self.speed <= 0:
            raise ValueError(
                f"a venue plays {LOCKSTEP} or {FREE} at a speed above 0, not {self.mode!r} at {self.speed}"
            )


class VenueFaults(Struct, frozen=True, forbid_unknown_fields=True):
    """What shall go wrong from now on, at the broker and at providers (one, two, three); the rest stays as it is."""

    broker: Faults | None = None
    providers: dict[Literal["one", "two", "three"], FeedFaults] = {}


class Venue:
    """One day's venue on its sockets."""

    def __init__(self, market: Market, rules: Rulebook, options: VenueOptions) -> None:
        self._options = options
        self.providers = Providers(
            [c for c in market.contracts() if c.kind is not Kind.STOCK], market.seed, market.symbols
        )
        broker = MemoryBroker(market.contracts(), rules, market.day, options.cash)
        self.exchange = Exchange(market, broker, self.providers, options.state_path)
        self.api = BrokerApi(self.exchange)
        self._is_started = asyncio.Event()
        self._fix_port = 0
        self._socket = _listen(options.host, options.port)
        self._server = uvicorn.Server(self._config())

    @property
    def port(self) -> int:
        """The HTTP port."""
        port: int = self._socket.getsockname()[1]
        return port

    async def serve(self, on_ready: Callable[[int, int], None]) -> None:
        """Play until stopped; `on_ready` is told the HTTP and the FIX port when both answer."""
        with self._socket:
            self._resume()
            await self._serve(on_ready)

    def _resume(self) -> None:
        self.exchange.resume()
        if self._options.mode == LOCKSTEP and not self.exchange.instant_at:
            self.exchange.step()
        if self.exchange.started_at:
            self._start()

    async def _serve(self, on_ready: Callable[[int, int], None]) -> None:
        fix = await self.providers.serve_fix(self._options.host, self._options.fix_port)
        self._fix_port = fix.sockets[0].getsockname()[1]
        if self._options.faults is not None:
            self._fail(self._options.faults)
        running = asyncio.create_task(self._run())
        running.add_done_callback(self._ended)
        on_ready(self.port, self._fix_port)
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            fix.close()
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running

    def stop(self) -> None:
        """Ask the venue to end; may be called from another thread."""
        self._server.should_exit = True

    # --- time ---

    def _clock(self) -> ClockRow:
        day, mode = self.exchange.market.day.isoformat(), self._options.mode
        speed = self._options.speed if mode == FREE and self.exchange.started_at else 0.0
        return ClockRow(day, self._now(), speed, mode)

    def _now(self) -> int:
        if self._options.mode == LOCKSTEP:
            return self.exchange.instant_at
        if not self.exchange.started_at:
            return self.exchange.opens_at
        passed = time.monotonic_ns() - self.exchange.started_at
        return self.exchange.opens_at + round(passed * self._options.speed)

    def _start(self) -> None:
        """Let venue time run from now, or, after a crash, from where it began; a machine's restart begins it anew."""
        reached = max(0, self.exchange.now - self.exchange.opens_at)
        now = time.monotonic_ns()
        if not self.exchange.started_at or self.exchange.started_at > now:
            self.exchange.started_at = now - round(reached / self._options.speed)
            self.exchange.keep()
        self._is_started.set()

    async def _run(self) -> None:
        """Show what is due and say that the rest stands, until the day is over; in lockstep others set the pace."""
        if self._options.mode == LOCKSTEP:
            return
        await self._is_started.wait()
        pause_s = max(HELD_EVERY_S / self._options.speed, PAUSE_MIN_S)
        while not self.exchange.is_over:
            if not self.exchange.pass_to(self._now()):
                self.providers.hold()
            self.api.tell()
            due = self.exchange.next_at
            left_s = (due - self._now()) / self._options.speed / 1e9 if due else pause_s
            await asyncio.sleep(min(pause_s, max(0.0, left_s)))

    def _ended(self, running: asyncio.Task[None]) -> None:
        """A market that broke ends the venue; what it raised comes out of `serve`."""
        if not running.cancelled() and running.exception() is not None:
            self.stop()

    # --- routes ---

    def _config(self) -> uvicorn.Config:
        app = Starlette(routes=[*self.api.routes(), *self._routes()])
        return uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_level="error",
            backlog=BACKLOG,
            timeout_graceful_shutdown=SHUTDOWN_MAX_S,
        )

    def _routes(self) -> list[BaseRoute]:
        gets = {
            "/clock": self._get_clock,
            "/session": self._get_session,
            "/master": self._get_master,
            "/lookback/{symbol}": self._get_look_back,
            "/provenance/{symbol}": self._get_provenance,
        }
        posts = {"/release": self._post_release, "/start": self._post_start, "/faults": self._post_faults}
        routes: list[BaseRoute] = [Route(path, do) for path, do in gets.items()]
        routes += [Route(path, guarded(do), methods=["POST"]) for path, do in posts.items()]
        routes.append(WebSocketRoute("/two", self.providers.socket_two))
        routes.append(WebSocketRoute("/three", self.providers.socket_three))
        return routes

    async def _get_clock(self, _: Request) -> Response:
        return _json(self._clock())

    async def _get_session(self, _: Request) -> Response:
        market, options = self.exchange.market, self._options
        how = (market.day.isoformat(), options.mode, options.speed)
        row = SessionRow(*how, tuple(market.symbols), market.seed, self.exchange.is_over, self._fix_port)
        return _json(replace(row, notes=tuple(market.notes())))

    async def _get_master(self, _: Request) -> Response:
        return _json(self.exchange.market.contracts())

    async def _get_look_back(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        if symbol not in self.exchange.market.symbols:
            return error(404, "InputException", f"{symbol} is not played here")
        return _json(self.exchange.market.look_back(symbol))

    async def _get_provenance(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        if symbol not in self.exchange.market.symbols:
            return error(404, "InputException", f"{symbol} is not played here")
        return _json(self.exchange.market.provenance(symbol))

    async def _post_release(self, request: Request) -> Response:
        at = decode(await body_of(request), Release).at
        if self._options.mode == LOCKSTEP and not self.exchange.release(at):
            return error(409, "InputException", f"instant {at} has not been shown yet")
        self.api.tell()
        return _json(self._clock())

    async def _post_start(self, _: Request) -> Response:
        if self._options.mode == FREE:
            self._start()
        return _json(self._clock())

    async def _post_faults(self, request: Request) -> Response:
        self._fail(decode(await body_of(request), VenueFaults))
        return _json(self._clock())

    def _fail(self, faults: VenueFaults) -> None:
        if faults.broker is not None:
            self.exchange.broker.fail(faults.broker)
        for name, theirs in faults.providers.items():
            self.providers.fail(name, theirs)


def run_venue(market: Market, rules: Rulebook, options: VenueOptions) -> int:
    """Play this day until SIGTERM or SIGINT, its ports said in one JSON line when ready. Returns the exit status."""
    # uvicorn raises the signal that ended it once more, for whoever listened before; it has then done its work.
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        asyncio.run(_play(market, rules, options))
    except OSError as fault:
        where, mend = f"{options.host}:{options.port} (FIX {options.fix_port})", "choose free ports, or 0 for any"
        if fault.filename:
            where, mend = str(fault.filename), "choose a place that can be written"
        sys.stderr.write(f"venue: cannot use {where}: {fault.strerror}; {mend}\n")
        return WRONG_USE
    except OtherMarket as fault:
        sys.stderr.write(f"venue: {fault}\n")
        return WRONG_USE
    except Malformed as fault:
        sys.stderr.write(f"venue: {options.state_path} is broken: {fault}; move it away to begin anew\n")
        return WRONG_USE
    finally:
        for number, listener in before.items():
            signal.signal(number, listener)
    return 0


async def _play(market: Market, rules: Rulebook, options: VenueOptions) -> None:
    def say(port: int, fix_port: int) -> None:
        sys.stdout.write(json.dumps({"http": port, "fix": fix_port, "day": market.day.isoformat()}) + "\n")
        sys.stdout.flush()

    await Venue(market, rules, options).serve(say)


def _listen(host: str, port: int) -> socket.socket:
    """A bound socket; whoever connects before it is served waits in its backlog. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
    # asyncio does this only for sockets that name their protocol; without it every answer waits 40 ms for an ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _json(value: object) -> Response:
    return Response(encode(value), media_type="application/json")
