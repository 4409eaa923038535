"""The first provider: a FIX 4.4 acceptor for market data on a port of its own."""

import asyncio
import contextlib
import time
from collections.abc import Sequence

from participant.core.market import Tick
from participant.history.synthetic import Instant
from participant.venue.lines import Batch, Fate, Line, LineLost, first_of
from participant.wire.fix import marketdata
from participant.wire.fix.codec import Body
from participant.wire.fix.course import Phase
from participant.wire.fix.events import Received
from participant.wire.fix.numbers import MemoryNumbers
from participant.wire.fix.profile import Limits, Moment, Profile
from participant.wire.fix.session import Session

# Whoever asks is served; what a client missed it asks for anew, and nothing is sent again. Times are those of the
# instants shown, which a client's clock need not know.
PROFILE = Profile(
    "VENUE", "", is_initiator=False, kept=frozenset(), rules={marketdata.REQUEST: marketdata.REQUEST_RULE},
    limits=Limits(sending_time_s=0),
)  # fmt: skip
READ_BYTES = 65_536
PASS_TIME_S = 0.25
CLIENTS_MAX = 64
REQUEST_ID_MAX = 32


class _Client:
    """One connection: its session and its line."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.line: Line[Body] = Line()
        self.session = Session(PROFILE, lambda _: MemoryNumbers())
        self.request_id = ""


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
                client.session.connect(self._now)
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
        while client.session.phase is not Phase.CLOSED:
            try:
                async with asyncio.timeout(PASS_TIME_S):
                    data = await reader.read(READ_BYTES)
            except TimeoutError:
                data = None
            if data == b"":
                return
            client.session.pass_time(self._now)
            for event in client.session.receive(data or b"", self._now):
                if isinstance(event, Received) and event.frame.msg_type == marketdata.REQUEST:
                    client.request_id = event.frame.message().get(262)[:REQUEST_ID_MAX]
                    self._snapshot(client)
            self._flush(client)

    def _flush(self, client: _Client) -> None:
        while data := client.session.take(self._now):
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
        self._flush(client)  # what the session says for itself does not share the message's fate
        for _ in range(max(1, copies)):
            client.session.send(body, self._now)
            data = client.session.take(self._now)
            if copies and data:
                client.writer.write(self.fate.spoilt(batch, data))

    @property
    def _now(self) -> Moment:
        return Moment(time.monotonic_ns(), self._shown.at if self._shown else 0)
