"""The journal of FIX sessions: what it has taken is there after a crash, and it is never shared by mistake."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from participant.links.fix_journal import PRUNE_EVERY, SHAPE, FixJournal
from participant.links.sqlite import open_database
from participant.ports import StoreBroken
from participant.wire.fix.codec import body, body_of
from participant.wire.fix.numbers import Kept, MemoryNumbers, Numbers, SessionStore
from tests.wire.fix_pair import DESK, Pair, Side, frame_of, hears, news, reason, texts

AT = 1_796_000_000_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "fix.sqlite"


def claimed(path: Path, kept_max: int = 1_000_000) -> SessionStore:
    store = FixJournal(path, "DESK", kept_max=kept_max).claim("VENUE")
    assert store is not None
    return store


@pytest.fixture(params=["sqlite", "memory"])
def make(request: pytest.FixtureRequest, path: Path) -> Callable[[int], SessionStore]:
    """Both stores keep the same promises."""
    return (lambda most: claimed(path, most)) if request.param == "sqlite" else MemoryNumbers


def kept(seq: int) -> Kept:
    return Kept(seq, news(str(seq)), AT + seq)


def test_numbers_and_messages_are_kept_in_order(make: Callable[[int], SessionStore]) -> None:
    store = make(100)
    assert store.numbers() == Numbers(1, 1)
    for seq in range(1, 8):
        store.sent(seq, kept(seq) if seq % 2 else None)
    store.expected(5)
    assert store.numbers() == Numbers(8, 5)
    assert store.kept(2, 7, 2) == [kept(3), kept(5)]
    assert store.kept(2, 5, 9) == [kept(3), kept(5)]
    assert store.kept(8, 20, 9) == []
    store.reset()
    assert store.numbers() == Numbers(1, 1)
    assert store.kept(1, 9, 9) == []
    store.close()


def test_a_message_that_cannot_be_read_ends_each_connection_from_the_third_time_on(
    make: Callable[[int], SessionStore],
) -> None:
    """It was asked for on every connection, and waited for until that ended, for ever."""
    side = Side(DESK, make(100))
    logon, bad = body("A", [(98, "0"), (108, "2")]), body_of("1", "no field\x01112=x\x01")

    def again(store: SessionStore) -> SessionStore:
        return store if isinstance(store, MemoryNumbers) else make(100)

    for first, times in ((1, 2), (4, 1), (5, 1)):
        side.store = again(side.store) if first > 1 else side.store
        side.connect(0)
        side.told.clear()
        hears(side, frame_of(side, first, logon), *([frame_of(side, 3, news("b"))] if first == 1 else []))
        hears(side, *[frame_of(side, 2, bad, is_possdup=True)] * times, frame_of(side, 6, body("5")))
        side.take(0)
        side.session.disconnect()
    assert reason(side).startswith("message 2 came 4 times and cannot be read: a field is not tag=value: b'no field")
    assert side.said[-1].msg_type == "5"
    assert b"58=message 2 came 4 times" in side.said[-1].raw
    store = again(side.store)
    assert store.numbers().next_in == 2
    assert [store.unread(seq) for seq in (2, 7, 7, 8, 7)] == [5, 1, 2, 1, 1]
    store.reset()
    assert store.unread(7) == 1
    store.close()


def test_a_journal_of_before_is_taken_up(path: Path) -> None:
    old = open_database(path, False, SHAPE[:1])
    old.execute("INSERT INTO sessions (us, them, next_out, next_in) VALUES ('DESK', 'VENUE', 7, 9)")
    old.close()
    store = claimed(path)
    assert store.numbers() == Numbers(7, 9)
    assert store.unread(9) == 1
    store.close()


def test_the_oldest_messages_are_let_go(make: Callable[[int], SessionStore]) -> None:
    store = make(10)
    for seq in range(1, PRUNE_EVERY + 1):
        store.sent(seq, kept(seq))
    oldest, *_ = [message.seq for message in store.kept(1, PRUNE_EVERY, 99)]
    assert PRUNE_EVERY - 11 <= oldest <= PRUNE_EVERY - 9
    store.close()


def test_what_was_taken_is_there_for_the_next_process(path: Path) -> None:
    store = claimed(path)
    store.sent(1, None)
    store.sent(2, kept(2))
    store.expected(9)
    del store  # no close: a crash
    again = claimed(path)
    assert (again.numbers(), again.kept(1, 9, 9)) == (Numbers(3, 9), [kept(2)])
    again.close()


def test_a_session_is_claimed_once_at_a_time_and_only_by_those_who_are_known(path: Path) -> None:
    journal = FixJournal(path, "DESK", known=frozenset({"VENUE", "OTHER"}))
    venue, other = journal.claim("VENUE"), journal.claim("OTHER")
    assert venue
    assert other
    assert journal.claim("VENUE") is None
    assert journal.claim("NOBODY") is None
    venue.sent(1, None)
    venue.close()
    venue = journal.claim("VENUE")
    assert venue
    assert (venue.numbers().next_out, other.numbers().next_out) == (2, 1)
    venue.close()
    other.close()


def test_two_processes_that_share_a_session_are_told_before_anything_is_sent(path: Path) -> None:
    one, two = claimed(path), claimed(path)
    one.sent(1, None)
    with pytest.raises(StoreBroken, match="another process uses the session of DESK with VENUE"):
        two.sent(1, kept(1))
    assert one.kept(1, 9, 9) == []
    one.close()
    two.close()


def test_a_file_that_is_no_database_says_so(path: Path) -> None:
    path.write_bytes(b"no database at all, but long enough to be looked at" * 100)
    with pytest.raises(StoreBroken, match="no SQLite database"):
        FixJournal(path, "DESK").claim("VENUE")


def test_a_file_of_another_shape_is_not_taken_for_a_journal(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    with pytest.raises(StoreBroken, match="newer version"):
        FixJournal(path, "DESK").claim("VENUE")


def test_a_desk_that_dies_at_any_number_goes_on_where_it_was(path: Path) -> None:
    for count in range(1, 6):
        pair = Pair(memory=claimed(path)).connect()
        pair.say(pair.desk, *(news(f"{count}.{n}") for n in range(count)))
        if count % 2:
            pair.talk()
        pair.cut()
        venue = pair.venue.store
        pair = Pair(memory=claimed(path))
        pair.venue.store = venue
        pair.connect()
        assert sorted(set(texts(pair.venue.told))) == texts(pair.venue.told)
        pair.cut()
        path.unlink()
