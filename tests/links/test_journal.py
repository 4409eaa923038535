"""A store that keeps a journal: every commit is told in the same commit, once, and nothing that failed is."""

from collections.abc import Sequence

import pytest

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.stores.memory import MemoryStore
from participant.core.breaker import BreakerState, Level
from participant.core.journal import Chain, Entry, content_hash, follow
from participant.core.messages import Write
from participant.links.journal import JOURNAL, NOT_TOLD, SAID_MAX_BYTES, JournalStore
from participant.ports import Store, StoreBroken
from participant.wire.json import decode, encode

DAY = "2026-11-25"


@pytest.fixture
def raw() -> MemoryStore:
    return MemoryStore()


def journal(raw: Store, writer: str = "gateway") -> JournalStore:
    return JournalStore(raw, writer, DAY, VirtualClock(7))


def entries(raw: Store, writer: str = "gateway") -> list[Entry]:
    return [decode(r.value, Entry) for r in raw.rows(JOURNAL, prefix=f"{DAY}/{writer}/")]


def chain(raw: Store, writer: str = "gateway") -> Chain:
    rows = sorted((r.key, r.value) for r in raw.rows(JOURNAL, prefix=f"{DAY}/{writer}/"))
    found = follow([(k, v, decode(v, Entry)) for k, v in rows])
    assert isinstance(found, Chain)
    return found


def test_what_a_commit_writes_is_told_with_it(raw: MemoryStore) -> None:
    store = journal(raw)
    assert store.commit([Write("orders", "a", b'{"n":1}', 0), Write("tickets", "t", b'"x"')])
    first, second = entries(raw)
    assert (first.table, first.key, first.expect, first.at, bytes(first.said)) == ("orders", "a", 0, 7, b'{"n":1}')
    assert (first.content, second.number) == (content_hash(b'{"n":1}'), 2)
    assert chain(raw).count == 2


def test_a_deletion_is_told(raw: MemoryStore) -> None:
    store = journal(raw)
    store.commit([Write("disabled", "NIFTY", b"1")])
    store.commit([Write("disabled", "NIFTY", None)])
    assert (entries(raw)[1].content, bytes(entries(raw)[1].said)) == ("", b"null")


def test_a_commit_that_fails_is_not_told_and_the_chain_goes_on_where_it_stood(raw: MemoryStore) -> None:
    store = journal(raw)
    store.commit([Write("orders", "a", b"1", 0)])
    assert not store.commit([Write("orders", "a", b"2", 0)])
    assert not store.commit([Write("orders", "a", b"2", 7), Write("fills", "f", b"1")])
    assert store.commit([Write("orders", "a", b"3", 1)])
    assert [bytes(e.said) for e in entries(raw)] == [b"1", b"3"]
    assert chain(raw).count == 2


def test_two_writers_of_one_name_share_a_chain_and_never_fork_it(raw: MemoryStore) -> None:
    one, two = journal(raw), journal(raw)
    for i in range(5):
        assert one.commit([Write("orders", f"one{i}", b"1", 0)])
        assert two.commit([Write("orders", f"two{i}", b"1", 0)])
        assert not two.commit([Write("orders", f"one{i}", b"1", 0)])
    assert chain(raw).count == 10


def test_a_writer_that_starts_again_goes_on_with_its_chain(raw: MemoryStore) -> None:
    for i in range(3):
        assert journal(raw).commit([Write("orders", str(i), b"1", 0)])
    assert chain(raw).count == 3


def test_each_writer_and_each_day_has_a_chain_of_its_own(raw: MemoryStore) -> None:
    journal(raw).commit([Write("orders", "a", b"1")])
    journal(raw, "desk").commit([Write("orders", "b", b"1")])
    JournalStore(raw, "gateway", "2026-11-26", VirtualClock(0)).commit([Write("orders", "c", b"1")])
    assert [(len(entries(raw)), len(entries(raw, "desk")))] == [(1, 1)]


@pytest.mark.parametrize("table", sorted(NOT_TOLD))
def test_what_is_a_fold_or_a_copy_of_what_is_told_is_not_told(raw: MemoryStore, table: str) -> None:
    journal(raw).commit([Write(table, "2026-11-24/x/00000001", b"1")])
    assert entries(raw) == []


def test_the_breaker_is_told_when_it_changes_and_not_every_second(raw: MemoryStore) -> None:
    store, levels = journal(raw), [Level.CLOSED, Level.CLOSED, Level.OPEN, Level.OPEN, Level.CLOSED]
    for at, level in enumerate(levels):
        store.commit([Write("breaker", "state", encode(BreakerState(level, (), at, at)))])
    assert [decode(bytes(e.said), BreakerState).level for e in entries(raw)] == [Level.CLOSED, Level.OPEN, Level.CLOSED]


@pytest.mark.parametrize("value", [b"no json", b"\xff\x00", b'"' + b"x" * SAID_MAX_BYTES + b'"'])
def test_what_is_large_or_no_json_is_told_by_its_hash(raw: MemoryStore, value: bytes) -> None:
    journal(raw).commit([Write("orders", "a", value)])
    (only,) = entries(raw)
    assert (bytes(only.said), only.content) == (b"null", content_hash(value))


def test_a_line_of_the_decision_log_is_told_by_its_hash(raw: MemoryStore) -> None:
    journal(raw).commit([Write("log", "a", b"{}")])
    assert (bytes(entries(raw)[0].said), entries(raw)[0].content) == (b"null", content_hash(b"{}"))


class Snatched(MemoryStore):
    """A store in which somebody else is always first with the next number."""

    def commit(self, writes: Sequence[Write]) -> bool:
        theirs = [w for w in writes if w.table == JOURNAL]
        super().commit([Write(w.table, w.key, w.value) for w in theirs])
        return super().commit(writes)


def test_a_writer_whose_number_is_always_taken_gives_up_and_says_so() -> None:
    with pytest.raises(StoreBroken, match="another gateway was first"):
        journal(Snatched()).commit([Write("orders", "a", b"1")])
