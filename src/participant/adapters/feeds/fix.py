"""Feed over FIX 4.4 market data: a snapshot of everything on logon, then what changes."""

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from participant.core.market import FeedEvent
from participant.links.feed_link import INTAKE, FeedLink, Intake, LinkLost
from participant.links.fix_journal import FixJournal
from participant.links.fix_link import Address, FixLink, connected
from participant.links.tls import Tls
from participant.ports import Clock, StoreBroken
from participant.wire.fix import marketdata
from participant.wire.fix.books import Books
from participant.wire.fix.codec import Message
from participant.wire.fix.events import Event, Filled, Gapped, LoggedOn, Over, Received, Run
from participant.wire.fix.frames import Frame, Garbled, framed
from participant.wire.fix.numbers import MemoryNumbers, SessionStore
from participant.wire.fix.profile import Limits, Profile
from participant.wire.json import Malformed

# Market data age faster than they can be repeated: every connection begins at 1, and nothing is ever sent again. Times
# are the venue's, which need not be ours.
PROFILE = Profile(
    "DESK", "VENUE", is_initiator=True, heartbeat_s=2, resets=True, kept=frozenset(), runs=marketdata.KINDS,
    limits=Limits(logon_s=3, gap_s=4, sending_time_s=0),
)  # fmt: skip
REFUSALS = frozenset({"3", "j", "Y"})
REASON_MAX = 200
SNAPSHOT_MAX_S = 5.0  # in which nothing new of it comes
ANEW_MAX = 3  # snapshots that may be asked for, one after the other, before one stands
SECOND = 1_000_000_000


class Line(Struct, frozen=True):
    """How a provider is spoken to: in the clear unless `tls` is given, each time from 1 unless a `journal` is.

    One that names more than `instruments_max` instruments is begun anew. `levels_max` > 0 asks for so many levels a
    side and keeps a ladder of each instrument; 0 asks for the top alone.
    """

    profile: Profile = PROFILE
    tls: Tls | None = None
    journal: Path | None = None
    instruments_max: int = 100_000
    levels_max: int = 0

    def claim(self, them: str) -> SessionStore | None:
        """The memory of the session."""
        if self.journal is None:
            return MemoryNumbers()
        return FixJournal(self.journal, self.profile.sender, is_durable=False).claim(them)


LINE = Line()


class FixFeed:
    """Implements Feed for the provider `name` at `address` (host, port); events are stamped by `clock`."""

    def __init__(
        self,
        name: str,
        address: tuple[str, int],
        clock: Clock,
        line: Line = LINE,
        intake: Intake = INTAKE,
    ) -> None:
        self._address, self._line = Address(*address, line.tls), line
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
        """Log out and end the link."""
        self._link.close()

    def _converse(self, link: FeedLink) -> None:
        link.stamp()
        try:
            with connected(self._address, self._line.profile, self._line.claim, lambda: link.stamped_at) as fix:
                _Conversation(link, fix, self._line).run()
        except StoreBroken as error:
            raise LinkLost(str(error)) from error


class _Conversation:
    """One connection: asks for a snapshot, which is gathered until a mark ends it, and then hands on what changes."""

    def __init__(self, link: FeedLink, fix: FixLink, line: Line) -> None:
        self._link, self._fix, self._line = link, fix, line
        self._books = Books(line.levels_max)
        self._grown_at = self._size = 0  # when the snapshot that is gathered grew last (0: none was asked for)
        self._vain = 0

    def run(self) -> None:
        while self._link.is_open:
            told = self._fix.read()
            if told:
                self._link.stamp()
                self._hear_all(told)
            if self._books.is_gathering and self._grown_at:
                self._look_whether_it_grows()

    def _look_whether_it_grows(self) -> None:
        """A snapshot may take its time while it names ever more instruments, of which there are so many at most."""
        now, size = time.monotonic_ns(), len(self._books)
        if size > self._size:
            self._size, self._grown_at = size, now
        elif now - self._grown_at > SNAPSHOT_MAX_S * SECOND:
            self._begin_anew(f"nothing new of the snapshot came for {SNAPSHOT_MAX_S:g} s")

    def _hear_all(self, told: Sequence[Event]) -> None:
        with self._link.together():
            for event in told:
                self._hear(event)
            self._say_changed()

    def _hear(self, event: Event) -> None:
        match event:
            case Run(data):
                self._link.heard(data)
                self._take_run(data)
            case LoggedOn():
                self._request()
            case Received(frame):
                self._link.heard(frame.raw)
                self._take(frame)
            case Gapped(first, last):  # what is sent again is older than the snapshot that is asked for now
                self._begin_anew(f"messages {first} to {last} were lost")
            case Filled(first, last, is_asked=False):
                self._begin_anew(f"messages {first} to {last} were left out")
            case Garbled():
                self._link.counts["garbled"] += 1  # its number will be missed, and that is noticed
            case Over(reason):
                raise LinkLost(reason)

    def _take_run(self, data: bytes) -> None:
        """Messages that follow each other: market data at once, what stands between them one by one."""
        at = 0
        while at < len(data):
            at = self._books.fold(data, at)
            self._look()
            if at < len(data) and (ended := self._books.mark(data, at)):
                instant, is_last, at = ended
                self._mark(instant, is_last)
                continue
            frame, at = framed(data, at) if at < len(data) else (None, at)
            if not isinstance(frame, Frame):
                break  # the end: a run has nothing but frames
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        try:
            self._read_market_data(frame.message())
        except Malformed as error:
            self._link.counts["malformed"] += 1
            self._begin_anew(str(error))
        self._look()

    def _read_market_data(self, message: Message) -> None:
        kind, books = message.msg_type, self._books
        if kind in REFUSALS:
            raise LinkLost(f"the provider refused a request: {message.get(58)[:REASON_MAX] or f'35={kind}'}")
        if kind == marketdata.MARK:
            self._mark(*marketdata.read_mark(message))
        elif kind == marketdata.HELD and not books.is_gathering:
            self._link.hold()
        else:
            books.take(message)

    def _mark(self, at: int, is_last: bool) -> None:
        if self._books.is_gathering and (ticks := self._books.stand()):
            self._vain = 0
            self._link.say(ticks, is_snapshot=True)
        if not self._books.is_gathering:
            self._say_changed()
            self._link.mark(at, is_last)

    def _say_changed(self) -> None:
        """Hand on what one reading brought as one event: a burst comes in hundreds of messages."""
        if ticks := self._books.changed():
            self._link.say(ticks)

    def _look(self) -> None:
        """Names may be made up without end, and what a ladder was cut off from is not known."""
        if len(self._books) > self._line.instruments_max:
            raise LinkLost(f"the provider named more than {self._line.instruments_max} instruments")
        if self._books.broken:
            self._begin_anew(f"{self._books.broken} has no more of the levels that were kept")

    def _begin_anew(self, reason: str) -> None:
        self._vain += 1
        if self._vain > ANEW_MAX:
            raise LinkLost(f"{reason}; nor did the {ANEW_MAX} snapshots before stand")
        self._link.down(reason)
        self._request()

    def _request(self) -> None:
        """Ask for all under the number of the request: an answer that is sent again bears that of an earlier one."""
        name = str(self._fix.session.next_out)
        self._books.ask(name)
        self._grown_at, self._size = time.monotonic_ns(), 0
        self._fix.send(marketdata.request(name, self._line.levels_max))
