"""From the outbox to the queue: what was committed is said, in its order, at least once and nowhere twice."""

import pytest

from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.messages import Message, Write
from participant.links.outbox import promise, relay


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def queue() -> MemoryQueue:
    return MemoryQueue(lambda: 0.0)


def taken(queue: MemoryQueue) -> list[tuple[str, str, bytes]]:
    return [(m.id, m.key, m.body) for m in queue.take(100, 0.0)]


def test_what_was_promised_is_put_in_commit_order_and_struck_off(store: MemoryStore, queue: MemoryQueue) -> None:
    store.commit([promise("fills", Message("b", "NIFTY", b"1")), promise("fills", Message("a", "BANKNIFTY", b"2"))])
    assert relay(store, "fills", queue) == 2
    assert taken(queue) == [("b", "NIFTY", b"1"), ("a", "BANKNIFTY", b"2")]
    assert store.rows("outbox") == []
    assert relay(store, "fills", queue) == 0


def test_each_queue_has_its_own_promises(store: MemoryStore, queue: MemoryQueue) -> None:
    store.commit([promise("orders", Message("o", "NIFTY", b"")), promise("fills", Message("f", "NIFTY", b""))])
    relay(store, "orders", queue)
    assert [name for name, _, _ in taken(queue)] == ["o"]
    assert [r.key for r in store.rows("outbox")] == ["fills/NIFTY/f"]


def test_a_promise_that_stands_already_fails_the_commit_it_is_in(store: MemoryStore) -> None:
    store.commit([promise("fills", Message("a", "NIFTY", b"first"))])
    assert not store.commit([Write("orders", "x", b""), promise("fills", Message("a", "NIFTY", b"second"))])
    assert store.get("orders", "x") is None


def test_what_was_put_before_a_crash_and_not_struck_off_is_not_put_again(
    store: MemoryStore, queue: MemoryQueue
) -> None:
    store.commit([promise("fills", Message("a", "NIFTY", b"1"))])
    rows = [Write("outbox", r.key, r.value) for r in store.rows("outbox")]
    relay(store, "fills", queue)
    store.commit(rows)  # as if we had died before striking it off
    assert relay(store, "fills", queue) == 1
    assert taken(queue) == [("a", "NIFTY", b"1")]
    assert store.rows("outbox") == []


@pytest.mark.parametrize("name", ["a-b_c", "65-1", "x y"])
def test_names_and_keys_come_through_as_they_are(store: MemoryStore, queue: MemoryQueue, name: str) -> None:
    store.commit([promise("fills", Message(name, "M&M", b"1"))])
    relay(store, "fills", queue)
    assert taken(queue) == [(name, "M&M", b"1")]
