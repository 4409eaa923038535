"""The decision log is a projection of the books: every commit once, in order, whatever happened in between."""

import pytest

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.stores.memory import MemoryStore
from participant.core.messages import Write
from participant.links.decision_log import DecisionLog

DAY, NEXT = "2026-11-25", "2026-11-26"


@pytest.fixture
def books() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


def logged(books: MemoryStore, *names: str, day: str = DAY) -> None:
    for name in names:
        books.commit([Write("log", f"{day}/{name}", name.encode(), 0)])


def test_new_decisions_are_added_in_the_order_of_their_commits(books: MemoryStore, archive: MemoryArchive) -> None:
    log = DecisionLog(books, archive)
    logged(books, "b", "a")
    log.write(DAY)
    logged(books, "0")
    log.write(DAY)
    assert archive.read(DAY) == [b"b", b"a", b"0"]


def test_writing_without_news_writes_nothing(books: MemoryStore, archive: MemoryArchive) -> None:
    log = DecisionLog(books, archive)
    log.write(DAY)
    logged(books, "a")
    for _ in range(3):
        log.write(DAY)
    assert archive.read(DAY) == [b"a"]


def test_after_a_restart_only_what_is_missing_is_added(books: MemoryStore, archive: MemoryArchive) -> None:
    logged(books, "a", "b")
    DecisionLog(books, archive).write(DAY)
    logged(books, "c")
    DecisionLog(books, archive).write(DAY)
    DecisionLog(books, archive).write(DAY)
    assert archive.read(DAY) == [b"a", b"b", b"c"]


def test_a_log_that_broke_off_in_the_middle_is_completed(books: MemoryStore, archive: MemoryArchive) -> None:
    logged(books, "a", "b", "c")
    archive.append(DAY, [b"a", b"b"])
    log = DecisionLog(books, archive)
    log.write(DAY)
    assert archive.read(DAY) == [b"a", b"b", b"c"]
    logged(books, "d")
    log.write(DAY)
    assert archive.read(DAY) == [b"a", b"b", b"c", b"d"]


def test_a_lost_log_is_derived_anew(books: MemoryStore) -> None:
    logged(books, "a", "b")
    DecisionLog(books, MemoryArchive()).write(DAY)
    anew = MemoryArchive()
    DecisionLog(books, anew).write(DAY)
    assert anew.read(DAY) == [b"a", b"b"]


def test_days_are_apart(books: MemoryStore, archive: MemoryArchive) -> None:
    log = DecisionLog(books, archive)
    logged(books, "a")
    log.write(DAY)
    logged(books, "b", day=NEXT)
    log.write(NEXT)
    logged(books, "late")
    log.write(DAY)
    assert (archive.read(DAY), archive.read(NEXT)) == ([b"a", b"late"], [b"b"])
