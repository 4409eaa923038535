"""How a SQLite file is opened, made and shared by several processes, and what its faults mean to a person.

One file may hold a store and several queues. Its shape is the list MIGRATIONS; `user_version` counts the steps done.
A file of another shape brings a list of its own.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from participant.ports import StoreBroken

BUSY_TIMEOUT_S = 5.0
RETRY_PAUSE_S = 0.01
LOG_PAGES, MARKET_LOG_PAGES = 1_000, 4_000  # of 4 KB, that the write-ahead log holds before it is copied into the file

# Only ever add to the end: a file remembers by number what was done to it.
Migrations = tuple[tuple[str, ...], ...]
MIGRATIONS: Migrations = (
    (
        # `seq` is the row id, so an index on `tbl` alone is in the order of commits as well.
        """CREATE TABLE rows (
             seq INTEGER PRIMARY KEY, tbl TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
             version INTEGER NOT NULL, UNIQUE (tbl, key)) STRICT""",
        "CREATE INDEX rows_in_order ON rows (tbl)",
        # The counter outlives deleted rows: a seq is never given twice.
        "CREATE TABLE counter (seq INTEGER NOT NULL) STRICT",
        "INSERT INTO counter VALUES (0)",
        # A done message stays without its body, so that its id is known for ever.
        """CREATE TABLE messages (
             seq INTEGER PRIMARY KEY, queue TEXT NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, body BLOB,
             state TEXT NOT NULL DEFAULT 'live' CHECK (state IN ('live', 'done', 'buried')),
             receives INTEGER NOT NULL DEFAULT 0, hidden_until REAL NOT NULL DEFAULT 0,
             consumer TEXT NOT NULL DEFAULT '', reason TEXT NOT NULL DEFAULT '', UNIQUE (queue, id)) STRICT""",
        "CREATE INDEX live_in_order ON messages (queue) WHERE state = 'live'",
        "CREATE INDEX live_by_key ON messages (queue, key, hidden_until) WHERE state = 'live'",
        "CREATE INDEX buried_in_order ON messages (queue) WHERE state = 'buried'",
        # hidden_until is measured from the start of the machine, which this names.
        "CREATE TABLE boots (boot TEXT NOT NULL) STRICT",
        "INSERT INTO boots VALUES ('')",
    ),
)

CAUSES = {
    "SQLITE_BUSY": "another process holds it; find that process, let it finish or end it",
    "SQLITE_FULL": "the disk is full; free some space and start again",
    "SQLITE_CORRUPT": "the file is damaged; move it away and restore it from a copy",
    "SQLITE_NOTADB": "the file is no SQLite database; move it away, or name another folder",
    "SQLITE_CANTOPEN": "it cannot be opened; see that its folder exists and that this user may write there",
    "SQLITE_READONLY": "it cannot be written; give this user write permission on the file and its folder",
    "SQLITE_PERM": "it cannot be written; give this user write permission on the file and its folder",
    "SQLITE_IOERR": "the disk refuses to read or write; see that it is healthy and has space and quota left",
}


def open_database(path: Path, is_durable: bool, migrations: Migrations = MIGRATIONS) -> sqlite3.Connection:
    """Open the file (made and brought up to date where needed); `is_durable` commits outlive a loss of power."""
    with faults_told(path):
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None)
    try:
        with faults_told(path):
            _use_write_ahead_log(connection)
            connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
            # The rows of a market are overwritten again and again: the seldomer the log is copied, the less is copied,
            # and the seldomer a commit waits for it.
            connection.execute(f"PRAGMA wal_autocheckpoint = {LOG_PAGES if is_durable else MARKET_LOG_PAGES}")
            _migrate(connection, path, migrations)
    except StoreBroken:
        connection.close()
        raise
    return connection


@contextmanager
def faults_told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into StoreBroken: what, where and how to mend. Misuse by our own code passes as it is."""
    try:
        yield
    except (sqlite3.OperationalError, sqlite3.DatabaseError) as error:
        name = getattr(error, "sqlite_errorname", "")  # absent where the module, not SQLite, objects: our mistake
        if not name:
            raise
        cause = next((text for code, text in CAUSES.items() if name.startswith(code)), "see that it is one of ours")
        raise StoreBroken(f"database {path}: {error}: {cause}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing: commits at the end, rolls back where anything is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    # The change of mode fails at once, without the busy wait, where another process opens the file at the same moment.
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
        time.sleep(RETRY_PAUSE_S)


def _migrate(connection: sqlite3.Connection, path: Path, migrations: Migrations) -> None:
    if _steps_done(connection) == len(migrations):
        return
    with transaction(connection):
        done = _steps_done(connection)  # read again under the lock: another process may have been first
        if done > len(migrations):
            raise StoreBroken(f"database {path}: was written by a newer version (step {done}); update this program")
        for statement in (statement for step in migrations[done:] for statement in step):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")


def _steps_done(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])
