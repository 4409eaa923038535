"""The Store port's promise, held by every adapter; then what the SQLite store promises besides."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.stores.memory import MemoryStore
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.messages import Row, Write
from participant.links.journal import JournalStore
from participant.links.sqlite import MIGRATIONS, faults_told, open_database
from participant.ports import Store, StoreBroken
from tests.source import SRC

ADAPTERS: dict[str, Callable[[Path], Store]] = {
    "memory": lambda _: MemoryStore(),
    "sqlite": lambda folder: SqliteStore(folder / "books.sqlite", is_durable=False),
    "sqlite, durable": lambda folder: SqliteStore(folder / "books.sqlite", is_durable=True),
    # What keeps a journal over a store is a store: it holds the same promise.
    "memory, with a journal": lambda _: JournalStore(MemoryStore(), "test", "2026-11-25", VirtualClock(0)),
    "sqlite, with a journal": lambda folder: JournalStore(
        SqliteStore(folder / "books.sqlite", is_durable=True), "test", "2026-11-25", VirtualClock(0)
    ),
}


@pytest.fixture(params=ADAPTERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened = ADAPTERS[request.param](tmp_path)
    yield opened
    opened.close()


def keys(rows: list[Row]) -> list[str]:
    return [row.key for row in rows]


# --- every store ------------------------------------------------------------------------------------------------------


def test_a_row_that_was_never_written_is_none(store: Store) -> None:
    assert store.get("orders", "a") is None
    assert store.rows("orders") == []


def test_a_row_comes_back_as_it_was_written(store: Store) -> None:
    assert store.commit([Write("orders", "a", b"\x00\xff one")])
    assert store.get("orders", "a") == Row("orders", "a", b"\x00\xff one", version=1, seq=1)


def test_a_version_counts_the_writes_of_its_row_from_1(store: Store) -> None:
    for value in (b"1", b"2", b"3"):
        assert store.commit([Write("orders", "a", value), Write("orders", value.decode(), b"")])
    row = store.get("orders", "a")
    assert row is not None
    assert (row.value, row.version) == (b"3", 3)


def test_tables_are_apart(store: Store) -> None:
    store.commit([Write("orders", "a", b"order"), Write("tickets", "a", b"ticket")])
    assert [row.value for row in store.rows("orders")] == [b"order"]
    store.commit([Write("orders", "a", None)])
    assert [row.value for row in store.rows("tickets")] == [b"ticket"]


def test_rows_come_in_commit_order_and_a_rewritten_row_comes_last(store: Store) -> None:
    store.commit([Write("orders", "b", b""), Write("orders", "a", b"")])
    store.commit([Write("orders", "c", b"")])
    store.commit([Write("orders", "b", b"again")])
    rows = store.rows("orders")
    assert keys(rows) == ["a", "c", "b"]
    assert [row.seq for row in rows] == sorted({row.seq for row in rows})


def test_rows_are_found_by_the_beginning_of_their_key(store: Store) -> None:
    names = ["NIFTY-2", "NIFTY-1", "BANKNIFTY-1", "nifty-1", "NIFTY_1", "NIFTY%1", "NIFTY", "NIFTÿ", "NIFTY-₹"]
    store.commit([Write("quotes", name, b"") for name in names])
    assert keys(store.rows("quotes", "NIFTY-")) == ["NIFTY-2", "NIFTY-1", "NIFTY-₹"]
    assert keys(store.rows("quotes", "NIFTY%")) == ["NIFTY%1"]
    assert keys(store.rows("quotes", "NIFTY")) == [name for name in names if name.startswith("NIFTY")]
    assert keys(store.rows("quotes", "")) == names


def test_rows_since_a_seq_are_those_written_after_it(store: Store) -> None:
    store.commit([Write("orders", name, b"") for name in ("a1", "b1", "a2")])
    since = store.rows("orders")[-1].seq
    assert store.rows("orders", since=since) == []
    store.commit([Write("orders", "b1", b"again"), Write("others", "x", b""), Write("orders", "a3", b"")])
    assert keys(store.rows("orders", since=since)) == ["b1", "a3"]
    assert keys(store.rows("orders", "a", since)) == ["a3"]


def test_a_seq_is_never_given_twice_even_after_a_delete(store: Store) -> None:
    store.commit([Write("orders", "a", b""), Write("orders", "b", b"")])
    since = store.rows("orders")[-1].seq
    store.commit([Write("orders", "b", None)])
    store.commit([Write("orders", "c", b"")])
    assert keys(store.rows("orders", since=since)) == ["c"]


def test_a_failed_expectation_writes_nothing_at_all(store: Store) -> None:
    store.commit([Write("fills", "a", b"0")])
    first = store.rows("fills")[0].seq
    store.commit([Write("orders", "a", b"1")])
    before = store.rows("orders")
    assert not store.commit([Write("orders", "new", b""), Write("orders", "a", b"2", expect=2)])
    assert not store.commit([Write("orders", "a", None), Write("orders", "missing", b"", expect=1)])
    assert not store.commit([Write("orders", "a", None, expect=7)])
    assert store.rows("orders") == before
    store.commit([Write("orders", "b", b"")])
    assert store.rows("orders", since=before[0].seq)[0].seq == 2 * before[0].seq - first, (
        "a failed commit used up a seq"
    )


def test_expect_0_is_for_a_row_that_must_not_exist(store: Store) -> None:
    assert store.commit([Write("intents", "a", b"mine", expect=0)])
    assert not store.commit([Write("intents", "a", b"yours", expect=0)])
    assert [row.value for row in store.rows("intents")] == [b"mine"]


def test_expect_of_the_present_version_lets_one_writer_through(store: Store) -> None:
    store.commit([Write("orders", "a", b"1")])
    assert store.commit([Write("orders", "a", b"2", expect=1)])
    assert not store.commit([Write("orders", "a", b"3", expect=1)])
    row = store.get("orders", "a")
    assert row is not None
    assert row.value == b"2"


def test_expect_none_writes_over_anything(store: Store) -> None:
    assert store.commit([Write("orders", "a", b"1")])
    assert store.commit([Write("orders", "a", b"2")])
    assert store.commit([Write("orders", "never there", None)])


def test_a_deleted_row_is_gone_and_begins_again_at_version_1(store: Store) -> None:
    store.commit([Write("orders", "a", b"1")])
    store.commit([Write("orders", "a", b"2")])
    assert store.commit([Write("orders", "a", None, expect=2)])
    assert store.get("orders", "a") is None
    assert store.rows("orders") == []
    assert store.commit([Write("orders", "a", b"new", expect=0)])
    row = store.get("orders", "a")
    assert row is not None
    assert row.version == 1


def test_later_writes_of_a_commit_see_the_earlier_ones(store: Store) -> None:
    assert store.commit([Write("orders", "a", b"1", 0), Write("orders", "b", b"", 0), Write("orders", "a", b"2", 1)])
    assert [(row.key, row.value, row.version) for row in store.rows("orders")] == [("b", b"", 1), ("a", b"2", 2)]
    assert store.commit([Write("orders", "a", None, 2), Write("orders", "a", b"3", 0)])
    row = store.get("orders", "a")
    assert row is not None
    assert (row.value, row.version) == (b"3", 1)


def test_a_commit_of_nothing_holds(store: Store) -> None:
    assert store.commit([])
    assert store.rows("") == []


# --- SQLite -----------------------------------------------------------------------------------------------------------


def opened(folder: Path) -> SqliteStore:
    return SqliteStore(folder / "books.sqlite", is_durable=False)


def test_rows_outlive_the_store_and_are_seen_by_others_at_once(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    first.commit([Write("orders", "a", b"1")])
    assert second.get("orders", "a") == first.get("orders", "a")
    first.close()
    second.close()
    third = opened(tmp_path)
    assert keys(third.rows("orders")) == ["a"]
    third.close()


def test_a_file_that_another_holds_is_told_after_a_bounded_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("participant.links.sqlite.BUSY_TIMEOUT_S", 0.1)
    store = opened(tmp_path)
    holder = sqlite3.connect(tmp_path / "books.sqlite", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreBroken, match=r"books\.sqlite: database is locked: another process holds it; find"):
        store.commit([Write("orders", "a", b"1")])
    holder.execute("ROLLBACK")
    holder.close()
    assert store.commit([Write("orders", "a", b"1")]), "it goes on when the file is free"
    store.close()


def test_opening_waits_for_another_process_that_makes_the_file(tmp_path: Path) -> None:
    """SQLite itself does not wait here, although it does everywhere else."""
    maker = sqlite3.connect(tmp_path / "books.sqlite", isolation_level=None, check_same_thread=False)
    maker.execute("BEGIN IMMEDIATE")
    maker.execute("CREATE TABLE of_the_other (a)")
    release = threading.Timer(0.1, maker.execute, ["COMMIT"])
    release.start()
    store = opened(tmp_path)
    assert store.commit([Write("orders", "a", b"1")])
    release.join()
    maker.close()
    store.close()


def test_a_full_disk_is_told_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    connection = open_database(path, is_durable=True)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreBroken, match=r"books\.sqlite: .* is full: .*free some space"), faults_told(path):
        connection.execute("INSERT INTO rows VALUES (1, 'orders', 'a', zeroblob(1000000), 1)")
    assert connection.execute("SELECT count(*) FROM rows").fetchone() == (0,)
    connection.close()


def test_a_write_that_the_disk_refuses_leaves_nothing_half_written(tmp_path: Path) -> None:
    """The limit on a file's size stands for a disk that ends in the middle of a commit."""
    code = f"""
import resource
{OPEN}
store.commit([Write("orders", "a", b"1")])
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
try:
    store.commit([Write("orders", "b", b"2"), Write("orders", "c", b"x" * 1_000_000)])
except StoreBroken as broken:
    print(broken)
print(store.commit([Write("orders", "d", b"4")]))
"""
    said = run(code, tmp_path).stdout.splitlines()
    assert len(said) == 2, said
    assert said[0].startswith(f"database {tmp_path}/books.sqlite: ")
    assert said[1] == "True"
    store = opened(tmp_path)
    assert keys(store.rows("orders")) == ["a", "d"]
    store.close()


@pytest.mark.parametrize("damage", [b"this is no database " * 500, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_file_that_is_no_database_is_told_and_left_as_it_is(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "books.sqlite"
    path.write_bytes(damage)
    with pytest.raises(StoreBroken, match=r"^database .*books\.sqlite: .*move it away") as told:
        opened(tmp_path)
    assert "\n" not in str(told.value)
    assert path.read_bytes() == damage


def test_a_file_damaged_within_is_told(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.commit([Write("orders", str(n), b"x" * 2_000) for n in range(200)])
    store.close()
    path = tmp_path / "books.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    store = opened(tmp_path)
    with pytest.raises(StoreBroken, match="the file is damaged; move it away and restore it"):
        store.rows("orders")
    store.close()


def test_a_database_of_another_program_is_told(tmp_path: Path) -> None:
    other = sqlite3.connect(tmp_path / "books.sqlite")
    other.execute("CREATE TABLE rows (other INTEGER)")
    other.close()
    with pytest.raises(StoreBroken, match=r"table rows already exists: see that it is one of ours"):
        opened(tmp_path)


def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    newer = sqlite3.connect(tmp_path / "books.sqlite")
    newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(StoreBroken, match="written by a newer version"):
        opened(tmp_path)


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match=r"missing/books\.sqlite: unable to open database file: .*its folder exists"):
        opened(tmp_path / "missing")


def test_a_file_that_we_may_only_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "books.sqlite"
    connection = open_database(path, is_durable=False)
    connection.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreBroken, match=r"readonly database: .*give this user write permission"), faults_told(path):
        connection.execute("DELETE FROM rows")
    connection.close()


def test_a_folder_that_we_may_not_write_is_told(tmp_path: Path) -> None:
    """A child does it, which as root first becomes somebody who is not."""
    tmp_path.chmod(0o555)
    code = """
import os
import sys
from pathlib import Path
from participant.adapters.stores.sqlite import SqliteStore
from participant.ports import StoreBroken
if os.geteuid() == 0:
    os.setuid(65534)
try:
    SqliteStore(Path(sys.argv[1]) / "books.sqlite", is_durable=True)
except StoreBroken as broken:
    print(broken)
"""
    said = run(code, tmp_path).stdout
    tmp_path.chmod(0o755)
    assert said.startswith(f"database {tmp_path}/books.sqlite: unable to open database file: ")
    assert said.endswith("that this user may write there\n")
    assert list(tmp_path.iterdir()) == []


OPEN = """
import sys
from pathlib import Path
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.messages import Write
from participant.ports import StoreBroken
store = SqliteStore(Path(sys.argv[1]) / "books.sqlite", is_durable=True)
"""


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    env = os.environ | {"PYTHONPATH": str(SRC)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    return done


COMMITS = f"""{OPEN}
for n in range(1_000_000):
    log = Write("log", f"{{n:06}}", b"x" * 5_000, expect=0)
    assert store.commit([Write("head", "a", str(n).encode(), expect=n), log, Write("outbox", f"{{n:06}}", b"y", 0)])
    print(n, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 9, 60])
def test_commits_killed_in_the_middle_are_whole_and_none_that_was_answered_is_lost(
    tmp_path: Path, acknowledged: int
) -> None:
    env = os.environ | {"PYTHONPATH": str(SRC)}
    child = subprocess.Popen([sys.executable, "-c", COMMITS, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(acknowledged)]
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read().splitlines()
    child.wait(30)
    child.stdout.close()
    answered = max(int(line) for line in said)
    store = opened(tmp_path)
    head = store.get("head", "a")
    assert head is not None
    written = int(head.value)
    assert answered <= written <= answered + 1
    expected = [f"{n:06}" for n in range(written + 1)]
    assert keys(store.rows("log")) == keys(store.rows("outbox")) == expected
    assert head.version == written + 1
    store.close()


def test_two_processes_that_add_to_one_row_lose_no_addition(tmp_path: Path) -> None:
    code = f"""{OPEN}
added = 0
while added < 100:
    row = store.get("count", "a")
    value, version = (int(row.value), row.version) if row else (0, 0)
    added += store.commit([Write("count", "a", str(value + 1).encode(), expect=version)])
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    children = [subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(SRC)}) for _ in range(3)]
    assert [child.wait(60) for child in children] == [0] * 3
    store = opened(tmp_path)
    row = store.get("count", "a")
    assert row is not None
    assert (row.value, row.version) == (b"300", 300)
    store.close()
