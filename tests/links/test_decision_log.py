"""The decision log is a projection of the books: every commit once, in order, whatever happened in between."""

import zlib
from collections.abc import Sequence
from itertools import count

import pytest
from msgspec import Raw
from msgspec.structs import replace

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.stores.memory import MemoryStore
from participant.core.decision import DecisionInput, DecisionRecord, PositionInfo, undecided
from participant.core.messages import JobResult, Write
from participant.core.position import Position
from participant.core.scrip import Scrip
from participant.links.decision_log import DecisionLog, LogRows
from participant.links.parts import refs, unpack, whole
from participant.ports import StoreBroken
from participant.wire.json import encode
from tests.core.worlds import DAY as TODAY
from tests.core.worlds import account, chain_state

DAY, NEXT = str(TODAY), "2099-01-01"
GIVEN = DecisionInput(Scrip("NIFTY"), chain_state(), PositionInfo(Position("NIFTY"), account()))
NUMBER = count()


@pytest.fixture
def books() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def archive() -> MemoryArchive:
    return MemoryArchive()


def given(spot: int = 1) -> DecisionInput:
    """What a decision is made from, with a snapshot of its own and chains as every other's."""
    state = replace(GIVEN.market_state, spot=spot, snapshot_id=f"{next(NUMBER)}")
    return replace(GIVEN, market_state=state)


def commit(books: MemoryStore, rows: LogRows, made_from: DecisionInput) -> DecisionRecord:
    decision = undecided(made_from.market_state, JobResult("j", "timeout", reason="why"))
    assert books.commit(rows.of(TODAY, made_from, decision))
    return DecisionRecord(made_from.scrip, made_from.market_state, made_from.current_position_info, decision)


def logged(books: MemoryStore, number: int = 1) -> list[DecisionRecord]:
    """So many decisions of a dispatcher that has just been started."""
    rows = LogRows(books)
    return [commit(books, rows, given()) for _ in range(number)]


def records(archive: MemoryArchive, day: str = DAY) -> list[bytes]:
    """The records of a day, put together from the archive alone."""
    parts = dict[str, Raw]()
    found = []
    for line, pack in archive.read(day):
        parts |= {part.id: part.part for part in unpack(pack)}
        found.append(whole(line, parts))
    return found


def encoded(made: Sequence[DecisionRecord]) -> list[bytes]:
    return [encode(record) for record in made]


# --- rows ---


def test_a_part_is_stored_once_however_many_decisions_refer_to_it(books: MemoryStore) -> None:
    logged(books, 3)
    names = {name for row in books.rows("log") for name in refs(row.value)}
    assert {(row.key, row.version) for row in books.rows("parts")} == {(name, 1) for name in names}
    assert len(names) == 5 + len(GIVEN.market_state.chains)


def test_what_was_made_ready_while_the_brain_decided_gives_the_same_rows(books: MemoryStore) -> None:
    made_from = given()
    decision = undecided(made_from.market_state, JobResult("j", "timeout"))
    ready = LogRows(books)
    ready.prepare(made_from)
    assert ready.of(TODAY, made_from, decision) == LogRows(books).of(TODAY, made_from, decision)


def test_what_was_made_ready_for_another_snapshot_is_not_used(books: MemoryStore) -> None:
    rows, other = LogRows(books), given(spot=2)
    rows.prepare(given())
    commit(books, rows, other)
    (row,) = books.rows("log")
    assert b'"spot":2,' in row.value


def test_after_a_refused_commit_the_next_decision_brings_its_parts_itself(
    books: MemoryStore, archive: MemoryArchive
) -> None:
    rows, first = LogRows(books), given()
    decision = undecided(first.market_state, JobResult("j", "timeout"))
    books.commit([Write("log", f"{DAY}/{decision.decision_id}", b"taken")])
    assert not books.commit(rows.of(TODAY, first, decision))
    assert books.rows("parts") == []
    books.commit([Write("log", f"{DAY}/{decision.decision_id}", None)])
    made = commit(books, rows, given())
    DecisionLog(books, archive).write(DAY)
    assert records(archive) == encoded([made])


def test_a_part_is_packed_as_zlib_packs_and_one_that_zlib_packed_is_read(
    books: MemoryStore, archive: MemoryArchive
) -> None:
    made = logged(books)
    for row in books.rows("parts"):
        plain = zlib.decompress(row.value)
        assert 2 * len(row.value) < len(plain) or len(plain) < 400
        books.commit([Write("parts", row.key, zlib.compress(plain, 1))])  # as homes of before have it
    DecisionLog(books, archive).write(DAY)
    assert records(archive) == encoded(made)


# --- the archive ---


def test_new_decisions_are_added_in_the_order_of_their_commits(books: MemoryStore, archive: MemoryArchive) -> None:
    log = DecisionLog(books, archive)
    made = logged(books, 2)
    log.write(DAY)
    made += logged(books)
    log.write(DAY)
    assert records(archive) == encoded(made)


def test_each_part_goes_with_the_first_line_of_the_day_that_refers_to_it(
    books: MemoryStore, archive: MemoryArchive
) -> None:
    logged(books, 2)
    DecisionLog(books, archive).write(DAY)
    (line, first), (_, second) = archive.read(DAY)
    assert [part.id for part in unpack(first)] == refs(line)
    assert unpack(second) == []


def test_writing_without_news_writes_nothing(books: MemoryStore, archive: MemoryArchive) -> None:
    log = DecisionLog(books, archive)
    log.write(DAY)
    made = logged(books)
    for _ in range(3):
        log.write(DAY)
    assert records(archive) == encoded(made)


def test_after_a_restart_only_what_is_missing_is_added(books: MemoryStore, archive: MemoryArchive) -> None:
    made = logged(books, 2)
    DecisionLog(books, archive).write(DAY)
    made += logged(books)
    DecisionLog(books, archive).write(DAY)
    DecisionLog(books, archive).write(DAY)
    assert records(archive) == encoded(made)


@pytest.mark.parametrize("held", [0, 1, 2, 3])
def test_a_log_that_broke_off_anywhere_is_completed_to_the_same_bytes(books: MemoryStore, held: int) -> None:
    logged(books, 3)
    undisturbed, broken = MemoryArchive(), MemoryArchive()
    DecisionLog(books, undisturbed).write(DAY)
    broken.append(DAY, list(undisturbed.read(DAY))[:held])
    log = DecisionLog(books, broken)
    log.write(DAY)
    assert list(broken.read(DAY)) == list(undisturbed.read(DAY))
    logged(books)
    for archive in (log, DecisionLog(books, undisturbed)):
        archive.write(DAY)
    assert list(broken.read(DAY)) == list(undisturbed.read(DAY))


def test_days_are_apart_and_each_has_all_of_its_parts(books: MemoryStore, archive: MemoryArchive) -> None:
    log = DecisionLog(books, archive)
    logged(books)
    (row,) = books.rows("log")
    books.commit([Write("log", f"{NEXT}/d", row.value)])
    log.write(DAY)
    log.write(NEXT)
    logged(books)
    log.write(DAY)
    assert (archive.count(DAY), archive.count(NEXT)) == (2, 1)
    assert records(archive, NEXT) == records(archive)[:1]


def test_a_part_that_the_books_have_lost_is_told(books: MemoryStore, archive: MemoryArchive) -> None:
    logged(books)
    lost = books.rows("parts")[0].key
    books.commit([Write("parts", lost, None)])
    with pytest.raises(StoreBroken, match=rf"^books: the log refers to part {lost}, which is not there; restore"):
        DecisionLog(books, archive).write(DAY)
    assert archive.count(DAY) == 0
