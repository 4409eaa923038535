"""A store in the memory of one process: rows in dictionaries, in the order of their last write."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

from participant.core.messages import Row, Write


class MemoryStore:
    """Keeps everything until it is forgotten with the process; nothing here can fail."""

    def __init__(self) -> None:
        # A written row moves to the end of its table, so that each table stays in commit order.
        self._tables: dict[str, dict[str, Row]] = {}
        self._seq = 0

    def get(self, table: str, key: str) -> Row | None:
        """One row, or None."""
        rows = self._tables.get(table)
        return rows.get(key) if rows is not None else None

    def rows(self, table: str, prefix: str = "", since: int = 0) -> list[Row]:
        """The rows whose key begins with `prefix` and whose `seq` is above `since`, in commit order."""
        rows = self._tables.get(table, {})
        if since <= 0:
            return [row for row in rows.values() if row.key.startswith(prefix)]
        newest_first = takewhile(lambda row: row.seq > since, reversed(rows.values()))
        return [row for row in newest_first if row.key.startswith(prefix)][::-1]

    def commit(self, writes: Sequence[Write]) -> bool:
        """Write all or nothing; False, with nothing written, where an expectation does not hold."""
        seq = self._seq
        changed: dict[tuple[str, str], Row | None] = {}
        for write in writes:
            where = (write.table, write.key)
            row = changed[where] if where in changed else self.get(*where)
            version = row.version if row is not None else 0
            if write.expect is not None and write.expect != version:
                return False
            seq += 1
            new = None if write.value is None else Row(write.table, write.key, write.value, version + 1, seq)
            changed.pop(where, None)
            changed[where] = new
        for (table, key), row in changed.items():
            self._write(table, key, row)
        self._seq = seq
        return True

    def forget(self, tables: Iterable[str]) -> None:
        """Let go of all rows of these tables, as if each had been deleted."""
        for table in tables:
            self._tables.pop(table, None)

    def close(self) -> None:
        """Nothing to let go of."""

    def _write(self, table: str, key: str, row: Row | None) -> None:
        rows = self._tables.setdefault(table, {})
        rows.pop(key, None)
        if row is not None:
            rows[key] = row
