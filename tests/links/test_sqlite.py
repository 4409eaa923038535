"""What SQLite's faults mean to a person, and what is our own mistake and passes as it is."""

import sqlite3
from pathlib import Path

import pytest

from participant.links import sqlite
from participant.links.sqlite import faults_told, open_database, transaction
from participant.ports import StoreBroken


def test_misuse_by_our_own_code_passes_as_it_is(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "a.sqlite", is_durable=False)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"), faults_told(tmp_path / "a.sqlite"):
        connection.execute("SELECT 1")


def test_a_file_that_another_process_keeps_locked_is_given_up_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.05)
    path = tmp_path / "a.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("CREATE TABLE x (y)")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBroken, match=r"a\.sqlite: database is locked: another process holds it"):
        open_database(path, is_durable=False)
    other.close()


def test_what_fails_within_a_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    connection = open_database(tmp_path / "a.sqlite", is_durable=False)

    def half() -> None:
        with transaction(connection):
            connection.execute("UPDATE counter SET seq = 9")
            connection.execute("UPDATE counter SET seq = NULL")

    with pytest.raises(sqlite3.IntegrityError):
        half()
    assert connection.execute("SELECT seq FROM counter").fetchone() == (0,)
    connection.close()
