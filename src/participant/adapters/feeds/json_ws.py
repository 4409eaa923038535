"""Feed over a JSON WebSocket, in any shape that `wire/json_feeds.py` describes."""

import time
from collections import Counter
from collections.abc import Callable

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection

from participant.core.market import FeedEvent
from participant.links.feed_link import INTAKE, FeedLink, Intake, LinkLost
from participant.links.feed_socket import dialled
from participant.ports import Clock
from participant.wire.json import Malformed
from participant.wire.json_feeds import MESSAGE_MAX, Reader, Says, Word

CONNECT_MAX_S = 2.0
PASS_TIME_S = 0.2
SNAPSHOT_MAX_S = 5.0
SILENCE_MAX_S = 6.0
INSTRUMENTS_MAX = 100_000


class JsonWsFeed:
    """Implements Feed for the provider `name` at `url`; `shape` makes the reader of its tongue for each connection."""

    def __init__(self, name: str, url: str, clock: Clock, shape: Callable[[], Reader], intake: Intake = INTAKE) -> None:
        self._url = url
        self._shape = shape
        self._link = FeedLink(name, clock, self._converse, intake)
        self._link.start()

    @property
    def counts(self) -> Counter[str]:
        """What was dropped so far, by reason."""
        return self._link.counts

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What arrived, oldest first; waits up to `wait_s` for the first."""
        return self._link.poll(wait_s)

    def close(self) -> None:
        """End the link."""
        self._link.close()

    def _converse(self, link: FeedLink) -> None:
        try:
            with dialled(self._url, MESSAGE_MAX, CONNECT_MAX_S) as socket:
                _Conversation(link, socket, self._shape()).run()
        except WebSocketException as error:
            raise LinkLost(f"{type(error).__name__}: {error}") from error


class _Conversation:
    """One connection. `_next` is the number that must come next, 0 while a snapshot is awaited."""

    def __init__(self, link: FeedLink, socket: ClientConnection, reader: Reader) -> None:
        self._link, self._socket, self._reader = link, socket, reader
        self._next = 0
        self._pages: list[Word] = []
        self._asked_at = time.monotonic()
        self._heard_at = self._asked_at

    def run(self) -> None:
        while self._link.is_open:
            try:
                data = self._socket.recv(timeout=PASS_TIME_S)
            except TimeoutError:
                self._pass_time()
                continue
            self._link.stamp()
            self._heard_at = time.monotonic()
            self._link.heard(data)
            self._hear(data)
            self._pass_time()  # there may never be a quiet moment

    def _pass_time(self) -> None:
        now = time.monotonic()
        if now - self._heard_at > SILENCE_MAX_S:
            raise LinkLost(f"nothing heard for {SILENCE_MAX_S:.0f} s")
        if not self._next and now - self._asked_at > SNAPSHOT_MAX_S:
            self._request()

    def _hear(self, data: str | bytes) -> None:
        try:
            word = self._reader.read(data)
        except Malformed:
            self._link.counts["malformed"] += 1  # its number will be missed, and that is noticed
            return
        if word.unknown:
            self._link.counts["unknown instrument"] += word.unknown
        if word.says is Says.SNAPSHOT:
            self._gather(word)
        elif word.says is Says.BEAT:
            self._check(word.seq + 1)
        elif word.says is not Says.MASTER and self._next:
            self._follow(word)

    def _gather(self, word: Word) -> None:
        """Put the pages of a snapshot together; what does not fit is let go, and asked for again in time."""
        if self._next:
            return
        if word.part == 1:
            self._pages = []
        if word.part != len(self._pages) + 1 or any(page.seq != word.seq for page in self._pages):
            return
        self._pages.append(word)
        if word.part < word.parts:
            return
        book = {tick.contract: tick for page in self._pages for tick in page.ticks}
        if len(book) > INSTRUMENTS_MAX:
            raise LinkLost(f"a snapshot of more than {INSTRUMENTS_MAX} instruments")
        self._pages, self._next = [], word.seq + 1
        self._link.say(tuple(book.values()), is_snapshot=True)
        self._link.mark(word.at, word.is_last)

    def _follow(self, word: Word) -> None:
        """The next word of the stream; one that was heard before is dropped, a missing one voids the book."""
        if word.seq < self._next:
            self._link.counts["duplicate"] += 1
            return
        self._check(word.seq)
        if not self._next:
            return
        self._next += 1
        if word.says is Says.DIFF:
            self._link.say(word.ticks)
        elif word.says is Says.MARK:
            self._link.mark(word.at, word.is_last)
        else:
            self._link.hold()

    def _check(self, seq: int) -> None:
        """Begin anew where numbers before `seq` are missing."""
        if self._next and seq > self._next:
            self._link.down(f"messages from number {self._next} on were lost")
            self._request()

    def _request(self) -> None:
        self._next, self._pages = 0, []
        self._asked_at = time.monotonic()
        self._socket.send(self._reader.request)
