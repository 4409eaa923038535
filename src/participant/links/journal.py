"""A store that keeps a journal: what a commit writes is told in the same commit, in the writer's own chain of the day.

Nothing is left out by being new: every table is told but those of NOT_TOLD, which are folds, copies or conversation.
"""

from collections.abc import Sequence

from msgspec import Raw, Struct

from participant.core.journal import START, Entry, content_hash, entry_hash, key_of
from participant.core.messages import Row, Write
from participant.ports import Clock, Store, StoreBroken
from participant.wire.json import Malformed, decode, encode

JOURNAL = "journal"
ROOTS = "roots"
# Folds of what is told (account, positions), copies by content (parts), conversation (outbox, seen, looks).
NOT_TOLD = frozenset({JOURNAL, ROOTS, "account", "positions", "parts", "outbox", "seen", "looks"})
BY_HASH = frozenset({"log"})  # the decision log stands beside it, line by line
SAID_MAX_BYTES = 4_096
TRIES_MAX = 100


class _Standing(Struct, frozen=True):
    """What of the breaker's state is news: evaluated every second, it is told when it changes."""

    level: int
    reasons: tuple[str, ...]
    latched: tuple[str, ...] = ()


class JournalStore:
    """Implements Store over another. Two writers of one name collide and share a chain; they never fork it."""

    def __init__(self, store: Store, writer: str, day: str, clock: Clock) -> None:
        """Goes on where the writer's chain of the day stands; `clock` is the machine's."""
        self.store, self.writer, self.day, self.clock = store, writer, day, clock
        self._count, self._head = 0, START
        self._is_known = False

    def get(self, table: str, key: str) -> Row | None:
        """One row, or None."""
        return self.store.get(table, key)

    def rows(self, table: str, prefix: str = "", since: int = 0) -> list[Row]:
        """The rows whose key begins with `prefix` and whose `seq` is above `since`, in commit order."""
        return self.store.rows(table, prefix, since)

    def commit(self, writes: Sequence[Write]) -> bool:
        """Write all with what the journal tells of it, or nothing; False where an expectation does not hold."""
        told = [w for w in writes if w.table not in NOT_TOLD and self._is_news(w)]
        for _ in range(TRIES_MAX if told else 0):
            self._learn()
            entries, count, head = self._entries(told)
            if self.store.commit([*writes, *entries]):
                self._count, self._head = count, head
                return True
            # Our own number taken is another writer of our name; anything else is an expectation of the caller's.
            if self.store.get(JOURNAL, entries[0].key) is None:
                return False
            self._is_known = False
        if told:
            raise StoreBroken(f"journal: {TRIES_MAX} times another {self.writer} was first; let one of them end")
        return self.store.commit(writes)

    def close(self) -> None:
        """Let go of the store."""
        self.store.close()

    def _learn(self) -> None:
        """Find where the chain stands: at the start, and after another writer of our name went on with it."""
        if self._is_known:
            return
        if not self._count:
            rows = self.store.rows(JOURNAL, prefix=f"{self.day}/{self.writer}/")
            if rows:
                newest = max(rows, key=lambda row: row.key)
                self._count, self._head = int(newest.key.rsplit("/", 1)[1]), entry_hash(newest.value)
        while (row := self.store.get(JOURNAL, key_of(self.day, self.writer, self._count + 1))) is not None:
            self._count, self._head = self._count + 1, entry_hash(row.value)
        self._is_known = True

    def _entries(self, told: Sequence[Write]) -> tuple[list[Write], int, str]:
        count, head, at = self._count, self._head, self.clock.now()
        rows = []
        for write in told:
            count += 1
            content = content_hash(write.value) if write.value is not None else ""
            where = (write.table, write.key, write.expect)
            body = encode(Entry(self.day, self.writer, count, head, at, *where, content, _said(write)))
            rows.append(Write(JOURNAL, key_of(self.day, self.writer, count), body, expect=0))
            head = entry_hash(body)
        return rows, count, head

    def _is_news(self, write: Write) -> bool:
        if (write.table, write.key) != ("breaker", "state") or write.value is None:
            return True
        before = self.store.get(write.table, write.key)
        return before is None or decode(before.value, _Standing) != decode(write.value, _Standing)


def _said(write: Write) -> Raw:
    """The row as the entry tells it: as it is where it is small and JSON, else by its hash alone."""
    if write.value is None or write.table in BY_HASH or len(write.value) > SAID_MAX_BYTES:
        return Raw(b"null")
    try:
        decode(write.value, Raw)
    except Malformed:
        return Raw(b"null")
    return Raw(write.value)
