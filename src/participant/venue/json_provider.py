"""The second and third provider: numbered JSON streams over WebSocket, each in a shape of its own."""

import contextlib

from starlette.websockets import WebSocket, WebSocketDisconnect

from participant.core.market import Tick
from participant.history.synthetic import Instant
from participant.venue.lines import Batch, Fate, Line, LineLost, first_of
from participant.wire.json_feeds import Says, Word, Writer, portions, whole

BEAT_S = 1.0
CLIENTS_MAX = 64
TRY_AGAIN_LATER = 1013


class JsonProvider:
    """Writes each instant once and sends it to every client; `request` is what a client says to have a snapshot."""

    def __init__(self, writer: Writer, request: str, seed: str) -> None:
        self.fate = Fate(seed)
        self._writer = writer
        self._request = request
        self._lines: set[Line[bytes]] = set()
        self._seq = 0
        self._book: tuple[Tick, ...] = ()
        self._shown: Instant | None = None
        self._snapshot: Batch[bytes] | None = None

    def publish(self, instant: Instant, book: tuple[Tick, ...]) -> None:
        """Show an instant; `book` is everything as it stands with it."""
        self._shown, self._book = instant, book
        words = [Word(Says.DIFF, ticks=ticks) for ticks in portions(instant.ticks)]
        self._tell([*words, Word(Says.MARK, at=instant.at, is_last=instant.is_last)])
        for line in self._lines:
            if line.is_fresh:
                self._greet(line)

    def hold(self) -> None:
        """Say that the book stands."""
        self._tell([Word(Says.HELD)])

    def _tell(self, words: list[Word]) -> None:
        """Number these words and send them to all who have had a snapshot."""
        first = self._seq + 1
        self._seq += len(words)
        self._snapshot = None
        lines = [line for line in self._lines if not line.is_fresh]
        if lines:
            data = tuple(self._writer.write(_numbered(word, seq)) for seq, word in enumerate(words, start=first))
            for line in lines:
                line.put(Batch(data, self._seq), self.fate.faults.delay_ms)

    def _greet(self, line: Line[bytes]) -> None:
        """Send the snapshot of what is shown, once there is anything; until then the client stays fresh."""
        if self._shown is None:
            return
        if self._snapshot is None:
            words = whole(self._seq, self._book, self._shown.at, self._shown.is_last)
            self._snapshot = Batch(tuple(self._writer.write(word) for word in words), self._seq, is_steady=True)
        line.is_fresh = False
        line.put(self._snapshot, self.fate.faults.delay_ms)

    # --- one client ----------------------------------------------------------------------------------------------

    async def serve(self, websocket: WebSocket) -> None:
        """Talk to one client until it goes, or is too slow."""
        await websocket.accept()
        line: Line[bytes] = Line()
        try:
            if len(self._lines) < CLIENTS_MAX:
                self._lines.add(line)
                line.put(Batch(tuple(self._writer.master()), is_steady=True), self.fate.faults.delay_ms)
                self._greet(line)
                await first_of(self._listen(websocket, line), self._speak(websocket, line))
            await websocket.close(TRY_AGAIN_LATER)
        except LineLost:
            with contextlib.suppress(WebSocketDisconnect):
                await websocket.close(TRY_AGAIN_LATER)
        except WebSocketDisconnect:
            pass  # the client is gone: it comes back by itself
        finally:
            self._lines.discard(line)

    async def _listen(self, websocket: WebSocket, line: Line[bytes]) -> None:
        while True:
            message = await websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1006))
            if message.get("text") == self._request:
                self._greet(line)

    async def _speak(self, websocket: WebSocket, line: Line[bytes]) -> None:
        seq = 0
        while True:
            batch = await line.take(BEAT_S)
            if batch is None:
                beat = self._writer.write(Word(Says.BEAT, seq))
                batch = Batch((beat,), seq, is_steady=True)
            seq = batch.seq or seq
            for payload in batch.payloads:
                for _ in range(self.fate.copies(batch)):
                    await websocket.send_text(self.fate.spoilt(batch, payload).decode("ascii"))


def _numbered(word: Word, seq: int) -> Word:
    return Word(word.says, seq, word.ticks, word.at, word.is_last)
