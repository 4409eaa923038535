"""The Feed port: what every provider's adapter promises, shown against real providers over loopback."""

import asyncio
import datetime
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
import uvicorn
from msgspec.structs import replace
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from websockets.sync.client import connect
from websockets.sync.server import ServerConnection, serve

from participant.adapters.feeds import json_ws
from participant.adapters.feeds.fix import PROFILE, FixFeed, Line
from participant.adapters.feeds.json_ws import JsonWsFeed
from participant.adapters.feeds.memory import MemoryFeed
from participant.adapters.feeds.recorded import RecordedFeed
from participant.config import load_rules
from participant.core.market import SECOND, Down, FeedEvent, Held, Mark, Tick, Ticks
from participant.history.synthetic import Instant, SyntheticMarket
from participant.links.feed_link import INTAKE, Intake
from participant.ports import Feed
from participant.venue.lines import FeedFaults
from participant.venue.providers import Providers
from participant.wire.json_feeds import Says
from participant.wire.json_three import ThreeReader
from participant.wire.json_two import TwoReader
from tests.ports.mapped import KiteRig

LIMIT_S = 20.0
MARKET = SyntheticMarket(3, datetime.date(2026, 11, 30), load_rules(), step_s=900)
INSTANTS = tuple(MARKET.instants())
HOST = "127.0.0.1"
QUICK = Line(replace(PROFILE, heartbeat_s=1))


class SetClock:
    """A clock that stands where the test has set it."""

    def __init__(self) -> None:
        self.at = INSTANTS[0].at

    def now(self) -> int:
        return self.at

    def release(self, at: int) -> None:
        """Nothing waits for it."""


class MemoryRig:
    """The in-memory feed is its own provider."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self._memory = MemoryFeed("memory", self.clock)
        self.feed: Feed = self._memory
        self.publish, self.hold = self._memory.publish, self._memory.hold

    def cut(self) -> None:
        self._memory.cut("cut")

    def close(self) -> None:
        self.feed.close()


class RecordedRig(MemoryRig):
    """The in-memory feed, recorded; what was kept must be what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[FeedEvent] = []
        self.feed = RecordedFeed(self.feed, self.kept.extend)

    def close(self) -> None:
        super().close()
        assert self.kept


class VenueRig:
    """The real providers on sockets of their own, in a thread; between them and the feed a relay that can be cut."""

    def __init__(self, name: str, intake: Intake = INTAKE) -> None:
        self.name, self.clock = name, SetClock()
        self.providers = Providers(MARKET.contracts(), seed=1)
        self._pairs: set[asyncio.StreamWriter] = set()
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()))
        self._thread.start()
        assert self._ready.wait(LIMIT_S)
        self.feed = self.connect(intake)

    @property
    def port(self) -> int:
        """Where clients come in."""
        return self._relay_port

    def connect(self, intake: Intake = INTAKE) -> Feed:
        """A further feed of the same provider."""
        if self.name == "one":
            return FixFeed(self.name, (HOST, self._relay_port), self.clock, QUICK, intake)
        url, shape = f"ws://{HOST}:{self._relay_port}/{self.name}", TwoReader if self.name == "two" else ThreeReader
        return JsonWsFeed(self.name, url, self.clock, shape, intake)

    def publish(self, instant: Instant) -> None:
        self._call(lambda: self.providers.publish(instant))

    def hold(self) -> None:
        self._call(self.providers.hold)

    def fail(self, faults: FeedFaults) -> None:
        self._call(lambda: self.providers.fail(self.name, faults))

    def cut(self) -> None:
        def abort() -> None:
            for writer in self._pairs:
                writer.transport.abort()

        self._call(abort)

    def close(self) -> None:
        self.feed.close()
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(LIMIT_S)
        self._loop.close()

    def _call(self, work: Callable[[], object]) -> None:
        async def call() -> None:
            work()

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(LIMIT_S)

    async def _serve(self) -> None:
        self._over = asyncio.Event()
        fix = await self.providers.serve_fix(HOST, 0)
        sockets = [socket.create_server((HOST, 0))]
        routes = [
            WebSocketRoute("/two", self.providers.socket_two),
            WebSocketRoute("/three", self.providers.socket_three),
        ]
        options: dict[str, Any] = {"lifespan": "off", "log_level": "error", "timeout_graceful_shutdown": 1}
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), **options))
        serving = asyncio.create_task(server.serve(sockets))
        self._upstream = (fix.sockets if self.name == "one" else sockets)[0].getsockname()[1]
        relay = await asyncio.start_server(self._relay, HOST, 0)
        self._relay_port: int = relay.sockets[0].getsockname()[1]
        self._ready.set()
        await self._over.wait()
        relay.close()
        fix.close()
        server.should_exit = True
        await serving
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection(HOST, self._upstream)
        self._pairs |= {writer, up_writer}
        ways: list[Coroutine[Any, Any, None]] = [_pump(reader, up_writer), _pump(up_reader, writer)]
        try:
            await asyncio.gather(*ways)
        finally:
            self._pairs -= {writer, up_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass  # cut
    finally:
        writer.close()


Rig = MemoryRig | VenueRig | KiteRig


def mapped_rig() -> KiteRig:
    """The MappedWsFeed, with a provider that numbers nothing and marks nothing."""
    keys = {tick.contract for instant in INSTANTS for tick in instant.ticks}
    return KiteRig(sorted(keys), SetClock(), INSTANTS[-1].at)


@pytest.fixture(params=["memory", "recorded", "one", "two", "three", "kite"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    alone: dict[str, Callable[[], Rig]] = {"memory": MemoryRig, "recorded": RecordedRig, "kite": mapped_rig}
    made = alone.get(request.param, lambda: VenueRig(request.param))()
    yield made
    made.close()


@pytest.fixture(params=["one", "two", "three"])
def venue(request: pytest.FixtureRequest) -> Iterator[VenueRig]:
    made = VenueRig(request.param)
    yield made
    made.close()


def until(feed: Feed, is_enough: Callable[[list[FeedEvent]], bool]) -> list[FeedEvent]:
    """What the feed says until it is enough."""
    events: list[FeedEvent] = []
    limit = time.monotonic() + LIMIT_S
    while not is_enough(events):
        assert time.monotonic() < limit, f"only {[type(e).__name__ for e in events]}"
        events += feed.poll(0.05)
    return events


def marked(at: int) -> Callable[[list[FeedEvent]], bool]:
    return lambda events: any(isinstance(e, Mark) and e.at == at for e in events)


def is_down(events: list[FeedEvent]) -> bool:
    return any(isinstance(e, Down) for e in events)


def book_of(instants: tuple[Instant, ...]) -> dict[str, Tick]:
    return {tick.contract: tick for instant in instants for tick in instant.ticks}


def folded(events: list[FeedEvent], book: dict[str, Tick] | None = None) -> dict[str, Tick]:
    """The book that the events make, void after each Down."""
    held = dict(book or {})
    for event in events:
        if isinstance(event, Down) or (isinstance(event, Ticks) and event.is_snapshot):
            held = {}
        if isinstance(event, Ticks):
            held.update({tick.contract: tick for tick in event.ticks})
    return held


# --- every adapter ----------------------------------------------------------------------------------------------------


def test_the_first_ticks_of_a_link_are_a_snapshot_and_its_mark_follows(rig: Rig) -> None:
    rig.publish(INSTANTS[0])
    ticks, mark = until(rig.feed, marked(INSTANTS[0].at))
    assert isinstance(ticks, Ticks)
    assert ticks.is_snapshot
    assert folded([ticks]) == book_of(INSTANTS[:1])
    assert mark == Mark(ticks.provider, rig.clock.now(), INSTANTS[0].at, is_last=False)


def test_a_day_arrives_whole_instant_by_instant_and_its_last_mark_says_so(rig: Rig) -> None:
    book: dict[str, Tick] = {}
    for n, instant in enumerate(INSTANTS, start=1):
        rig.clock.at = instant.at
        rig.publish(instant)
        events = until(rig.feed, marked(instant.at))
        book = folded(events, book)
        assert book == book_of(INSTANTS[:n])
        assert events[-1] == Mark(events[0].provider, instant.at, instant.at, instant.is_last)
        assert {e.received_at for e in events} == {instant.at}


def test_a_held_book_is_said_to_stand(rig: Rig) -> None:
    rig.publish(INSTANTS[0])
    events = until(rig.feed, marked(INSTANTS[0].at))
    rig.clock.at += SECOND
    rig.hold()
    events = until(rig.feed, bool)
    assert events == [Held(events[0].provider, rig.clock.at)]


def test_nothing_is_counted_as_dropped_of_a_day_without_a_fault(rig: Rig) -> None:
    for instant in INSTANTS[:3]:
        rig.publish(instant)
        until(rig.feed, marked(instant.at))
    assert not any(rig.feed.counts.values())


def test_nothing_new_is_an_empty_list_within_the_wait(rig: Rig) -> None:
    rig.publish(INSTANTS[0])
    until(rig.feed, marked(INSTANTS[0].at))
    began = time.monotonic()
    assert rig.feed.poll(0.05) == []
    assert time.monotonic() - began < LIMIT_S


def test_a_lost_link_is_said_once_and_comes_back_with_a_snapshot(rig: Rig) -> None:
    rig.publish(INSTANTS[0])
    until(rig.feed, marked(INSTANTS[0].at))
    rig.cut()
    events = until(rig.feed, is_down)
    rig.publish(INSTANTS[1])
    events += until(rig.feed, marked(INSTANTS[1].at))
    assert [type(e) for e in events[:2]] == [Down, Ticks]
    assert sum(isinstance(e, Down) for e in events) == 1
    assert isinstance(events[1], Ticks)
    assert events[1].is_snapshot
    assert folded(events) == book_of(INSTANTS[:2])


def test_a_closed_feed_says_nothing_more(rig: Rig) -> None:
    rig.publish(INSTANTS[0])
    until(rig.feed, marked(INSTANTS[0].at))
    rig.feed.close()
    rig.publish(INSTANTS[1])
    assert rig.feed.poll(0.2) == []


# --- the memory feed alone --------------------------------------------------------------------------------------------


def test_what_waits_in_memory_is_bounded() -> None:
    rig = MemoryRig()
    rig.publish(INSTANTS[0])
    for _ in range(20_001):
        rig.hold()
    events = rig.feed.poll(0.0)
    assert is_down(events[:1])
    rig.publish(INSTANTS[1])
    assert folded(rig.feed.poll(0.0)) == book_of(INSTANTS[:2])


# --- over sockets -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_each_message_is_handed_on_as_it_came_before_it_is_read(name: str) -> None:
    frames: list[tuple[str, int, bytes]] = []
    rig = VenueRig(name, Intake(frames=lambda *frame: frames.append(frame)))
    rig.publish(INSTANTS[0])
    until(rig.feed, marked(INSTANTS[0].at))
    rig.close()
    assert {frame[:2] for frame in frames} == {(name, rig.clock.at)}
    spot = next(tick.last for tick in INSTANTS[0].ticks if tick.last)
    said = [data for _, _, data in frames if str(spot // 10_000).encode() in data]
    assert said, "the index is in one of them"


@pytest.mark.parametrize("name", ["one", "two", "three"])
def test_who_does_not_poll_is_told_down_and_given_a_snapshot_again(name: str) -> None:
    rig = VenueRig(name, Intake(events_max=20))
    rig.publish(INSTANTS[0])
    until(rig.feed, marked(INSTANTS[0].at))
    assert isinstance(rig.feed, FixFeed | JsonWsFeed)
    limit = time.monotonic() + LIMIT_S
    for instant in INSTANTS[1:]:
        rig.publish(instant)
    while not rig.feed.counts["overflow"]:
        assert time.monotonic() < limit
        time.sleep(0.01)
    events = until(rig.feed, marked(INSTANTS[-1].at))
    assert is_down(events[:1])
    assert folded(events) == book_of(INSTANTS)
    rig.close()


def test_who_comes_late_is_given_the_present_instant_and_its_mark(venue: VenueRig) -> None:
    for instant in INSTANTS[:3]:
        venue.publish(instant)
    late = venue.connect()
    try:
        events = until(late, marked(INSTANTS[2].at))
        assert folded(events) == book_of(INSTANTS[:3])
        assert [type(e) for e in events] == [Ticks, Mark]
    finally:
        late.close()


def test_a_provider_that_is_not_there_is_down_and_is_found_when_it_comes() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
    for feed in (
        FixFeed("one", (HOST, port), SetClock()),
        JsonWsFeed("two", f"ws://{HOST}:{port}/two", SetClock(), TwoReader),
    ):
        (down,) = until(feed, bool)
        assert isinstance(down, Down)
        assert feed.poll(0.3) == []
        feed.close()


def test_a_snapshot_that_does_not_come_is_asked_for_though_there_is_never_a_quiet_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_ws, "SNAPSHOT_MAX_S", 0.2)
    asked = threading.Event()

    def chatter(connection: ServerConnection) -> None:
        while not asked.is_set():
            for _ in range(50):
                connection.send('{"type":"beat","seq":44}')
            try:
                assert connection.recv(timeout=0.0) == TwoReader.request
                asked.set()
            except TimeoutError:
                pass

    with serve(chatter, HOST, 0) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"ws://{HOST}:{server.socket.getsockname()[1]}/two"
        feed = JsonWsFeed("two", url, SetClock(), TwoReader)
        assert asked.wait(LIMIT_S)
        feed.close()
        server.shutdown()


def test_lost_messages_void_the_book_and_a_new_snapshot_mends_it(venue: VenueRig) -> None:
    venue.publish(INSTANTS[0])
    events = until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(drop=0.3))
    for instant in INSTANTS[1:20]:
        venue.publish(instant)
    events += until(venue.feed, is_down)
    venue.fail(FeedFaults())
    venue.publish(INSTANTS[20])
    events += until(venue.feed, marked(INSTANTS[20].at))
    assert folded(events) == book_of(INSTANTS[:21])


def test_the_loss_of_the_very_last_message_is_noticed_in_the_quiet_after_it(venue: VenueRig) -> None:
    venue.publish(INSTANTS[0])
    until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(drop=1.0))
    venue.publish(INSTANTS[1])
    events = until(venue.feed, marked(INSTANTS[1].at))
    assert [type(e) for e in events] == [Down, Ticks, Mark]
    assert folded(events) == book_of(INSTANTS[:2])


def test_repeated_messages_change_nothing(venue: VenueRig) -> None:
    venue.publish(INSTANTS[0])
    events = until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(duplicate=1.0))
    for instant in INSTANTS[1:4]:
        venue.publish(instant)
        events += until(venue.feed, marked(instant.at))
    assert folded(events) == book_of(INSTANTS[:4])
    assert not is_down(events)


def test_instruments_without_end_end_the_link() -> None:
    rig = VenueRig("one")
    rig.publish(INSTANTS[0])
    until(rig.feed, marked(INSTANTS[0].at))
    most = len(book_of(INSTANTS[:1]))
    few, full = (
        FixFeed("one", (HOST, rig.port), rig.clock, replace(QUICK, instruments_max=n)) for n in (most - 1, most)
    )
    (down,) = until(few, bool)
    assert isinstance(down, Down)
    assert down.reason == f"the provider named more than {most - 1} instruments"
    until(full, marked(INSTANTS[0].at))
    rig.publish(replace(INSTANTS[1], ticks=(replace(INSTANTS[1].ticks[-1], contract="MADE-UP"),)))
    assert is_down(until(full, is_down))
    for feed in (few, full):
        feed.close()
    rig.close()


def test_garbled_messages_are_counted_and_the_book_is_mended(venue: VenueRig) -> None:
    venue.publish(INSTANTS[0])
    events = until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(garble=1.0))
    venue.publish(INSTANTS[1])
    events += until(venue.feed, is_down)
    venue.fail(FeedFaults())
    venue.publish(INSTANTS[2])
    events += until(venue.feed, marked(INSTANTS[2].at))
    assert folded(events) == book_of(INSTANTS[:3])
    assert isinstance(venue.feed, FixFeed | JsonWsFeed)
    assert venue.feed.counts["garbled"] + venue.feed.counts["malformed"] > 0


def test_a_late_provider_says_everything_in_order(venue: VenueRig) -> None:
    venue.publish(INSTANTS[0])
    events = until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(delay_ms=200))
    began = time.monotonic()
    for instant in INSTANTS[1:3]:
        venue.publish(instant)
    venue.fail(FeedFaults())
    venue.publish(INSTANTS[3])
    events += until(venue.feed, marked(INSTANTS[3].at))
    assert time.monotonic() - began >= 0.2
    marks = [e.at for e in events if isinstance(e, Mark)]
    assert marks == sorted(marks)
    assert folded(events) == book_of(INSTANTS[:4])


def test_a_silent_provider_says_nothing_and_is_mended_when_it_speaks_again(venue: VenueRig) -> None:
    venue.publish(INSTANTS[0])
    until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(is_silent=True))
    venue.publish(INSTANTS[1])
    venue.hold()
    assert venue.feed.poll(0.5) == []
    venue.fail(FeedFaults())
    venue.publish(INSTANTS[2])
    events = until(venue.feed, marked(INSTANTS[2].at))
    assert is_down(events[:1])
    assert folded(events) == book_of(INSTANTS[:3])


def test_a_link_on_which_nothing_is_heard_is_given_up() -> None:
    venue = VenueRig("one")
    venue.publish(INSTANTS[0])
    until(venue.feed, marked(INSTANTS[0].at))
    venue.fail(FeedFaults(is_silent=True))
    (down,) = until(venue.feed, bool)
    assert isinstance(down, Down)
    assert "nothing heard" in down.reason
    venue.close()


def test_faults_are_of_one_provider_and_can_be_read(venue: VenueRig) -> None:
    venue.fail(FeedFaults(drop=0.5))
    assert {name: faults.drop for name, faults in venue.providers.faults.items() if faults.drop} == {venue.name: 0.5}
    with pytest.raises(KeyError):
        venue.providers.fail("four", FeedFaults())


@pytest.mark.parametrize("name", ["two", "three"])
def test_what_a_client_says_that_is_no_request_is_passed_over(name: str) -> None:
    rig = VenueRig(name)
    rig.publish(INSTANTS[0])
    with connect(f"ws://{HOST}:{rig.port}/{name}", compression=None, proxy=None) as client:
        client.send("hello")
        client.send(b"\x00")
        client.send("[" * 1_000)
        rig.publish(INSTANTS[1])
        until(rig.feed, marked(INSTANTS[1].at))
        reader = TwoReader() if name == "two" else ThreeReader()
        words = [reader.read(client.recv(timeout=LIMIT_S))]
        while words[-1].says is not Says.MARK:
            words.append(reader.read(client.recv(timeout=LIMIT_S)))
    assert sum(word.says is Says.SNAPSHOT for word in words) == max(word.parts for word in words)
    rig.close()
