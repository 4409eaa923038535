"""The first provider: a FIX 4.4 acceptor for market data on a port of its own."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from participant.core.market import Tick
from participant.history.synthetic import Instant
from participant.venue.lines import Batch, Fate, Line, LineLost, first_of
from participant.wire.fix import marketdata, session
from participant.wire.fix.codec import Body, Message, split

COMP_ID = "VENUE"
HEARTBEAT_S = 2  # until the client's Logon says its own
READ_BYTES = 65_536
PASS_TIME_S = 0.25
CLIENTS_MAX = 64
REQUEST_ID_MAX = 32


class _Client:
    """One connection: its session and its line."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.line: Line[Body] = Line()
        self.session = session.Session(COMP_ID, "", is_initiator=False, heartbeat_s=HEARTBEAT_S)
        self.request_id = ""

    def frames(self, step: session.Step, sent_at: int) -> list[bytes]:
        """Take the step; what it sends."""
        self.session = step.session
        return [session.frame(step.session, out, sent_at) for out in step.send]


class FixProvider:
    """Sends each instant to every client that asked; SendingTime is the time of the instant shown."""

    def __init__(self, seed: str) -> None:
        self.fate = Fate(seed)
        self._clients: set[_Client] = set()
        self._book: Sequence[Tick] = ()
        self._shown: Instant | None = None

    async def serve(self, host: str, port: int) -> asyncio.Server:
        """Listen (port 0 takes a free one); the caller closes what is returned."""
        return await asyncio.start_server(self._serve, host, port)

    def publish(self, instant: Instant, book: Sequence[Tick]) -> None:
        """Show an instant; `book` is everything as it stands with it."""
        self._shown, self._book = instant, book
        asked = [client for client in self._clients if client.request_id]
        if any(not client.line.is_fresh for client in asked):
            said = (*marketdata.increments(instant.ticks), marketdata.mark(instant.at, instant.is_last))
            self._tell(asked, Batch(said))
        for client in asked:
            if client.line.is_fresh:
                self._snapshot(client)

    def hold(self) -> None:
        """Say that the book stands."""
        self._tell(list(self._clients), Batch((marketdata.held(),)))

    def _tell(self, clients: Sequence[_Client], batch: Batch[Body]) -> None:
        for client in clients:
            if not client.line.is_fresh:
                client.line.put(batch, self.fate.faults.delay_ms)

    def _snapshot(self, client: _Client) -> None:
        """Everything as it stands, once there is anything; until then the client stays fresh."""
        if self._shown is None:
            return
        client.line.is_fresh = False
        whole = [marketdata.full(client.request_id, tick) for tick in self._book]
        mark = marketdata.mark(self._shown.at, self._shown.is_last)
        client.line.put(Batch((*whole, mark), is_steady=True), self.fate.faults.delay_ms)

    # --- one client ----------------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        try:
            if len(self._clients) < CLIENTS_MAX:
                self._clients.add(client)
                self._apply(client, session.begin(client.session, time.monotonic_ns()))
                await first_of(self._listen(client, reader), self._speak(client))
        except (OSError, LineLost):
            pass  # the client is gone or too slow: it comes back by itself
        except asyncio.CancelledError:
            pass  # the venue ends; on Python 3.11 a cancelled stream handler would be logged as a fault
        finally:
            self._clients.discard(client)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _listen(self, client: _Client, reader: asyncio.StreamReader) -> None:
        rest = b""
        while client.session.phase is not session.Phase.CLOSED:
            try:
                async with asyncio.timeout(PASS_TIME_S):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                self._apply(client, session.pass_time(client.session, time.monotonic_ns()))
                continue
            if not data:
                return
            found, rest = split(rest + data)
            for message in found:
                if isinstance(message, Message):
                    self._hear(client, message)

    def _hear(self, client: _Client, message: Message) -> None:
        step = session.receive(client.session, message, time.monotonic_ns())
        self._apply(client, step)
        if step.deliver is not None and step.deliver.msg_type == marketdata.REQUEST:
            client.request_id = step.deliver.get(262)[:REQUEST_ID_MAX] or "0"
            self._snapshot(client)

    def _apply(self, client: _Client, step: session.Step) -> None:
        for data in client.frames(step, self._now):
            if not self.fate.faults.is_silent:
                client.writer.write(data)

    async def _speak(self, client: _Client) -> None:
        while True:
            batch = await client.line.take(PASS_TIME_S)
            for body in batch.payloads if batch else ():
                self._send(client, batch or Batch(()), body)
            await client.writer.drain()

    def _send(self, client: _Client, batch: Batch[Body], body: Body) -> None:
        """Send a message as often as its fate wants; one that is lost has still used up its number."""
        copies = self.fate.copies(batch)
        for _ in range(max(1, copies)):
            for data in client.frames(session.send(client.session, body, time.monotonic_ns()), self._now):
                if copies:
                    client.writer.write(self.fate.spoilt(batch, data))

    @property
    def _now(self) -> int:
        return self._shown.at if self._shown else 0
