"""The feed of a mapped provider over a real WebSocket: numbers that do not follow, heartbeats, refusals, silence."""

import json
from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from participant.adapters.feeds.mapped_ws import MappedWsFeed
from participant.core.market import SECOND, Down, FeedEvent, Held, Mark, Tick, Ticks
from participant.links.feed_link import Intake
from participant.links.presets import shipped
from participant.wire.json_map.names import Listed
from participant.wire.json_map.tongue import Tongue
from tests.ports.mapped import HOST, Provider, book_message
from tests.ports.test_feed import SetClock, folded, is_down, until

NAME = "BTC-PERPETUAL"
FIRST = 1_764_400_000 * SECOND
BOOK = shipped()["deribit_book"]
SNAPSHOT = book_message(NAME, 1, None, [["new", 100.5, 10.0], ["new", 100.0, 20.0]], [["new", 101.0, 30.0]])


def change(number: int, previous: int, bid_amount: float) -> str:
    return book_message(NAME, number, previous, [["change", 100.5, bid_amount]], [])


def tick(number: int, bid_size: int) -> Tick:
    return Tick(NAME, 1_005_000, 1_010_000, bid_size, 300, 0, FIRST + number * SECOND)


class Deribit:
    """A provider of one book, and the feed that follows it. A link is greeted with the snapshot of `shown`."""

    def __init__(self, **stream: float) -> None:
        self.clock = SetClock()
        self.clock.at = FIRST + 10 * SECOND
        self.shown = SNAPSHOT
        self.provider = Provider(lambda text: [self.shown] if "public/subscribe" in text else [])
        tongue = Tongue(replace(BOOK, stream=replace(BOOK.stream, **stream)), names=[NAME])
        self.feed = MappedWsFeed("far", self.provider.url, self.clock, tongue)

    def close(self) -> None:
        self.feed.close()
        self.provider.close()


@pytest.fixture
def deribit() -> Iterator[Deribit]:
    made = Deribit()
    yield made
    made.close()


def ticked(at: int) -> Callable[[list[FeedEvent]], bool]:
    return lambda events: any(t.exchange_at == at for e in events if isinstance(e, Ticks) for t in e.ticks)


def test_it_subscribes_and_follows_a_book(deribit: Deribit) -> None:
    events = until(deribit.feed, ticked(FIRST + SECOND))
    deribit.provider.send(change(2, 1, 15.0))
    events += until(deribit.feed, ticked(FIRST + 2 * SECOND))
    assert isinstance(events[0], Ticks)
    assert events[0].is_snapshot
    assert next(event for event in events if isinstance(event, Mark)).at == FIRST + SECOND
    assert folded(events) == {NAME: tick(2, 150)}
    assert [json.loads(text)["method"] for text in deribit.provider.heard] == [
        "public/set_heartbeat",
        "public/subscribe",
    ]


def test_a_change_that_was_lost_voids_the_book_until_the_snapshot_of_a_new_link(deribit: Deribit) -> None:
    events = until(deribit.feed, ticked(FIRST + SECOND))
    deribit.shown = SNAPSHOT.replace('"change_id": 1', '"change_id": 7').replace("10.0", "99.0")
    deribit.provider.send(change(3, 2, 15.0))
    events += until(deribit.feed, is_down)
    down = next(event for event in events if isinstance(event, Down))
    assert down.reason == f"{NAME}: changes between numbers 1 and 3 were lost"
    assert folded(events[: events.index(down) + 1]) == {}
    events = until(deribit.feed, bool)
    assert isinstance(events[0], Ticks)
    assert events[0].is_snapshot
    assert folded(events) == {NAME: tick(1, 990)}


def test_repeated_changes_are_dropped_and_counted(deribit: Deribit) -> None:
    events = until(deribit.feed, ticked(FIRST + SECOND))
    deribit.provider.send(change(2, 1, 15.0), change(2, 1, 15.0), change(3, 2, 16.0))
    events += until(deribit.feed, ticked(FIRST + 3 * SECOND))
    assert not is_down(events)
    assert folded(events) == {NAME: tick(3, 160)}
    assert deribit.feed.counts["duplicate"] == 1


def test_garbage_is_counted_with_its_place_and_the_stream_goes_on(deribit: Deribit) -> None:
    events = until(deribit.feed, ticked(FIRST + SECOND))
    deribit.provider.send("garbage", '{"params":{"data":7}}', b"\xff\x00", change(2, 1, 15.0))
    events += until(deribit.feed, ticked(FIRST + 2 * SECOND))
    assert folded(events) == {NAME: tick(2, 150)}
    assert deribit.feed.counts["malformed"] == 3
    assert [(refusal.path, refusal.offset) for refusal in deribit.feed.refused] == [
        ("$", 0), ("$.params.data", 18), ("$", 0)
    ]  # fmt: skip


def test_a_message_over_the_limit_ends_the_link_and_a_new_one_begins(deribit: Deribit) -> None:
    events = until(deribit.feed, ticked(FIRST + SECOND))
    deribit.provider.send(" " * (BOOK.bytes_max + 1))
    events += until(deribit.feed, is_down)
    events += until(deribit.feed, ticked(FIRST + SECOND))
    assert folded(events) == {NAME: tick(1, 100)}


def test_a_heartbeat_says_that_the_book_stands_and_is_answered(deribit: Deribit) -> None:
    until(deribit.feed, ticked(FIRST + SECOND))
    deribit.provider.send('{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}')
    events = until(deribit.feed, lambda said: any(isinstance(event, Held) for event in said))
    deribit.provider.send(change(2, 1, 15.0))
    events += until(deribit.feed, ticked(FIRST + 2 * SECOND))
    until(deribit.feed, lambda _: len(deribit.provider.heard) > 2)
    assert json.loads(deribit.provider.heard[2])["method"] == "public/test"


def test_a_provider_that_refuses_is_down_and_says_why(deribit: Deribit) -> None:
    until(deribit.feed, ticked(FIRST + SECOND))
    deribit.provider.send('{"jsonrpc":"2.0","id":2,"error":{"code":13009,"message":"unauthorized"}}')
    (down,) = [event for event in until(deribit.feed, is_down) if isinstance(event, Down)]
    assert down.reason == "the provider refuses: unauthorized"


def test_a_link_on_which_nothing_is_heard_is_given_up() -> None:
    made = Deribit(silence_max_s=0.3)
    until(made.feed, ticked(FIRST + SECOND))
    (down,) = [event for event in until(made.feed, is_down) if isinstance(event, Down)]
    assert down.reason == "nothing heard for 0.3 s"
    made.close()


def test_the_day_ends_with_the_first_instant_at_its_close() -> None:
    made = Deribit()
    made.feed.close()
    feed = MappedWsFeed(
        "far", made.provider.url, made.clock, Tongue(BOOK, names=[NAME]), Intake(ends_at=FIRST + 2 * SECOND)
    )
    events = until(feed, ticked(FIRST + SECOND))
    made.provider.send(change(2, 1, 15.0))
    events += until(feed, lambda said: any(isinstance(event, Mark) and event.is_last for event in said))
    assert [event.is_last for event in events if isinstance(event, Mark)][-1]
    feed.close()
    made.close()


@pytest.mark.parametrize("url", [f"ws://{HOST}:9/?key=SECRET", "wss://:0/?key=SECRET", "ws://[/?key=SECRET"])
def test_who_cannot_be_reached_is_down_and_the_address_is_not_told(url: str) -> None:
    listed = [Listed("1", "X")]
    feed = MappedWsFeed("kite", url, SetClock(), Tongue(shipped()["kite_packets"], {}, listed, ["1"]))
    (down,) = until(feed, bool)
    assert isinstance(down, Down)
    assert "SECRET" not in down.reason
    assert feed.poll(0.2) == []
    feed.close()


def test_kites_packets_and_its_texts_come_on_one_link() -> None:
    provider = Provider(lambda text: ['{"type":"order","data":{}}', b"\x00"] if "mode" in text else [])
    listed = [Listed("1", "X")]
    feed = MappedWsFeed("kite", provider.url, SetClock(), Tongue(shipped()["kite_packets"], {}, listed, ["1"]))
    (held,) = until(feed, bool)
    assert isinstance(held, Held)
    provider.send('{"type":"error","data":"the token expired"}')
    (down,) = until(feed, is_down)
    assert isinstance(down, Down)
    assert down.reason == "the provider refuses: the token expired"
    feed.close()
    provider.close()
