"""A store in a SQLite file: the truth of the desk. What `commit` answered with True is on disk."""

from collections.abc import Sequence
from pathlib import Path

from participant.core.messages import Row, Write
from participant.links.sqlite import faults_told, open_database, transaction

GET = "SELECT tbl, key, value, version, seq FROM rows WHERE tbl = ? AND key = ?"
# A range of keys for a prefix, not LIKE: it may hold % and _, case counts, and an index serves.
ROWS = """SELECT tbl, key, value, version, seq FROM rows
  WHERE tbl = ? AND key >= ? AND key < ? || char(1114111) ORDER BY seq"""
ROWS_SINCE = """SELECT tbl, key, value, version, seq FROM rows INDEXED BY rows_in_order
  WHERE tbl = ? AND key >= ? AND key < ? || char(1114111) AND seq > ? ORDER BY seq"""
VERSION = "SELECT version FROM rows WHERE tbl = ? AND key = ?"
COUNT = "UPDATE counter SET seq = seq + 1 RETURNING seq"
WRITE = "INSERT OR REPLACE INTO rows (seq, tbl, key, value, version) VALUES (?, ?, ?, ?, ?)"
DELETE = "DELETE FROM rows WHERE tbl = ? AND key = ?"


class SqliteStore:
    """The store in the file at `path`; with `is_durable` a commit outlives a loss of power, not only of the process.

    Any number of processes may open the file; an instance belongs to the thread that made it.
    """

    def __init__(self, path: Path, is_durable: bool) -> None:
        self._path = path
        self._connection = open_database(path, is_durable)

    def get(self, table: str, key: str) -> Row | None:
        """One row, or None."""
        with faults_told(self._path):
            found = self._connection.execute(GET, (table, key)).fetchone()
        return Row(*found) if found is not None else None

    def rows(self, table: str, prefix: str = "", since: int = 0) -> list[Row]:
        """The rows whose key begins with `prefix` and whose `seq` is above `since`, in commit order."""
        asked: tuple[object, ...] = (table, prefix, prefix)
        statement = ROWS
        if since > 0 or not prefix:
            statement, asked = ROWS_SINCE, (*asked, since)
        with faults_told(self._path):
            found = self._connection.execute(statement, asked).fetchall()
        return [Row(*fields) for fields in found]

    def commit(self, writes: Sequence[Write]) -> bool:
        """Write all or nothing; False, with nothing written, where an expectation does not hold."""
        try:
            with faults_told(self._path), transaction(self._connection):
                for write in writes:
                    self._write(write)
        except _ExpectationFailed:
            return False
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _write(self, write: Write) -> None:
        where = (write.table, write.key)
        found = self._connection.execute(VERSION, where).fetchone()
        version = found[0] if found is not None else 0
        if write.expect is not None and write.expect != version:
            raise _ExpectationFailed
        if write.value is None:
            self._connection.execute(DELETE, where)
            return
        seq = self._connection.execute(COUNT).fetchone()[0]
        self._connection.execute(WRITE, (seq, *where, write.value, version + 1))


class _ExpectationFailed(Exception):
    """Ends a transaction that may not be written."""
