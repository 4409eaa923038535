"""Feed over FIX 4.4 market data: a snapshot of everything on logon, then what changes."""

import socket
import time
from collections import Counter

from participant.core.market import FeedEvent, Tick
from participant.links.feed_link import EVENTS_MAX, FeedLink, LinkLost
from participant.ports import Clock
from participant.wire.fix import marketdata, session
from participant.wire.fix.codec import Garbled, Message, split
from participant.wire.json import Malformed

SENDER, TARGET = "DESK", "VENUE"
CONNECT_MAX_S = 2.0
PASS_TIME_S = 0.2
SNAPSHOT_MAX_S = 5.0
SEND_MAX_S = 5.0
READ_BYTES = 262_144
INSTRUMENTS_MAX = 100_000
SECOND = 1_000_000_000


class FixFeed:
    """Implements Feed for the provider `name` at `address` (host, port); events are stamped by `clock`."""

    def __init__(
        self, name: str, address: tuple[str, int], clock: Clock, heartbeat_s: int = 2, events_max: int = EVENTS_MAX
    ) -> None:
        self._address = address
        self._heartbeat_s = heartbeat_s
        self._link = FeedLink(name, clock, self._converse, events_max)
        self._link.start()

    @property
    def counts(self) -> Counter[str]:
        """What was dropped so far, by reason."""
        return self._link.counts

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What arrived, oldest first; waits up to `wait_s` for the first."""
        return self._link.poll(wait_s)

    def close(self) -> None:
        """Log out and end the link."""
        self._link.close()

    def _converse(self, link: FeedLink) -> None:
        with socket.create_connection(self._address, timeout=CONNECT_MAX_S) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _Conversation(link, sock, self._heartbeat_s).run()


class _Conversation:
    """One connection. `_gathered` holds the snapshot that is arriving, and None while the book stands."""

    def __init__(self, link: FeedLink, sock: socket.socket, heartbeat_s: int) -> None:
        self._link, self._sock = link, sock
        self._session = session.Session(SENDER, TARGET, is_initiator=True, heartbeat_s=heartbeat_s)
        self._book: dict[str, Tick] = {}
        self._gathered: dict[str, Tick] | None = {}
        self._changed: dict[str, Tick] = {}
        self._requests = 0
        self._asked_at = 0

    def run(self) -> None:
        self._link.stamp()
        self._apply(session.begin(self._session, time.monotonic_ns()))
        rest = b""
        while self._link.is_open:
            data = self._read()
            if data:
                self._link.stamp()
                found, rest = split(rest + data)
                for item in found:
                    self._hear(item)
                self._say_changed()
            self._pass_time()
        self._apply(session.end(self._session, "the feed is closed", time.monotonic_ns()))

    def _read(self) -> bytes:
        """What has arrived; nothing after PASS_TIME_S without any."""
        self._sock.settimeout(PASS_TIME_S)
        try:
            data = self._sock.recv(READ_BYTES)
        except TimeoutError:
            return b""
        if not data:
            raise LinkLost("the provider ended the connection")
        return data

    def _pass_time(self) -> None:
        now = time.monotonic_ns()
        self._apply(session.pass_time(self._session, now))
        if self._gathered is not None and self._asked_at and now - self._asked_at > SNAPSHOT_MAX_S * SECOND:
            self._request()

    def _apply(self, step: session.Step) -> None:
        self._session = step.session
        self._sock.settimeout(SEND_MAX_S)
        for out in step.send:
            self._sock.sendall(session.frame(self._session, out, self._link.stamped_at))
        if step.reason and self._link.is_open:
            raise LinkLost(step.reason)

    def _hear(self, item: Message | Garbled) -> None:
        if isinstance(item, Garbled):
            self._link.counts["garbled"] += 1  # its number will be missed, and that is noticed
            return
        step = session.receive(self._session, item, time.monotonic_ns())
        self._apply(step)
        if step.is_gapped:
            self._begin_anew(f"messages before number {item.seq} were lost")
        if step.deliver is not None:
            self._take(step.deliver)

    def _take(self, message: Message) -> None:
        try:
            self._read_market_data(message)
        except Malformed as error:
            self._link.counts["malformed"] += 1
            self._begin_anew(str(error))

    def _read_market_data(self, message: Message) -> None:
        kind, gathered = message.msg_type, self._gathered
        if kind == "A":
            self._request()
        elif kind == marketdata.SNAPSHOT and gathered is not None:
            self._gather(gathered, message)
        elif kind == marketdata.MARK:
            at, is_last = marketdata.read_mark(message)
            if gathered:
                self._book, self._gathered = gathered, None
                self._link.say(tuple(gathered.values()), is_snapshot=True)
            if self._gathered is None:
                self._say_changed()
                self._link.mark(at, is_last)
        elif kind == marketdata.INCREMENT and gathered is None:
            ticks = marketdata.read_increment(message, self._book)
            changed = {tick.contract: tick for tick in ticks}
            self._book.update(changed)
            self._changed.update(changed)
        elif kind == marketdata.HELD and gathered is None:
            self._link.hold()

    def _say_changed(self) -> None:
        """Hand on what one reading brought as one event: a burst comes in hundreds of messages."""
        if self._changed:
            self._link.say(tuple(self._changed.values()))
            self._changed.clear()

    def _gather(self, gathered: dict[str, Tick], message: Message) -> None:
        """Add an instrument to the snapshot asked for last; those of an earlier request are let go."""
        if message.get(262) != str(self._requests):
            return
        if len(gathered) >= INSTRUMENTS_MAX:
            raise LinkLost(f"a snapshot of more than {INSTRUMENTS_MAX} instruments")
        tick = marketdata.read_full(message)
        gathered[tick.contract] = tick

    def _begin_anew(self, reason: str) -> None:
        self._changed.clear()
        self._link.down(reason)
        self._request()

    def _request(self) -> None:
        self._requests += 1
        self._gathered = {}
        self._asked_at = time.monotonic_ns()
        self._apply(session.send(self._session, marketdata.request(str(self._requests)), self._asked_at))
