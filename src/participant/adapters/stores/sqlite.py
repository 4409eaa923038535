"""A store in a SQLite file: the truth of the desk. What `commit` answered with True is on disk."""

from collections.abc import Iterator, Sequence
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
COUNT = "UPDATE counter SET seq = seq + ? RETURNING seq"
# One statement whatever stood there: the row becomes the newest.
WRITE = """INSERT INTO rows (seq, tbl, key, value, version) VALUES (?, ?, ?, ?, 1) ON CONFLICT (tbl, key)
  DO UPDATE SET seq = excluded.seq, value = excluded.value, version = version + 1"""
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
                count = sum(write.value is not None for write in writes)
                last: int = self._connection.execute(COUNT, (count,)).fetchone()[0] if count else 0
                numbers = iter(range(last - count + 1, last + 1))
                for write in writes:
                    self._write(write, numbers)
        except _ExpectationFailed:
            return False
        return True

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def _write(self, write: Write, numbers: Iterator[int]) -> None:
        where = (write.table, write.key)
        if write.expect is not None:
            found = self._connection.execute(VERSION, where).fetchone()
            if write.expect != (found[0] if found is not None else 0):
                raise _ExpectationFailed
        if write.value is None:
            self._connection.execute(DELETE, where)
        else:
            self._connection.execute(WRITE, (next(numbers), *where, write.value))


class _ExpectationFailed(Exception):
    """Ends a transaction that may not be written."""
