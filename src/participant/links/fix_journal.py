"""What FIX sessions must remember, in one SQLite file: their numbers, and the messages that may be sent again.

A number is committed before its bytes leave: after a crash the counterpart may miss a message, and asks for it; it
never gets two under one number. `is_durable` holds that against a loss of power too, at the price of a sync a message.
"""

import sqlite3
import threading
from pathlib import Path

from participant.links.sqlite import faults_told, open_database, transaction
from participant.ports import StoreBroken
from participant.wire.fix.codec import Body
from participant.wire.fix.numbers import KEPT_MAX, Kept, Numbers

SHAPE = (
    (
        """CREATE TABLE sessions (
             id INTEGER PRIMARY KEY, us TEXT NOT NULL, them TEXT NOT NULL, next_out INTEGER NOT NULL DEFAULT 1,
             next_in INTEGER NOT NULL DEFAULT 1, UNIQUE (us, them)) STRICT""",
        """CREATE TABLE kept (
             session INTEGER NOT NULL, seq INTEGER NOT NULL, msg_type TEXT NOT NULL, data BLOB NOT NULL,
             sent_at INTEGER NOT NULL, PRIMARY KEY (session, seq)) STRICT, WITHOUT ROWID""",
    ),
    (
        "ALTER TABLE sessions ADD COLUMN unread INTEGER NOT NULL DEFAULT 0",
        "ALTER TABLE sessions ADD COLUMN unread_count INTEGER NOT NULL DEFAULT 0",
    ),
)
UNREAD = """UPDATE sessions SET unread_count = CASE unread WHEN ? THEN unread_count + 1 ELSE 1 END, unread = ?
  WHERE id = ? RETURNING unread_count"""
PRUNE_EVERY = 1_000


class FixJournal:
    """The sessions of `us` (a CompID) with those that are `known`; None knows everybody. `kept_max`: messages each."""

    def __init__(
        self,
        path: Path,
        us: str,
        known: frozenset[str] | None = None,
        is_durable: bool = True,
        kept_max: int = KEPT_MAX,
    ) -> None:
        self.path, self.us, self.known, self.kept_max = path, us, known, kept_max
        self._is_durable = is_durable
        self._taken: set[str] = set()
        self._lock = threading.Lock()

    def claim(self, them: str) -> "JournalNumbers | None":
        """The store of the session with `them`; None where they are not known, or have a session already."""
        with self._lock:
            if them in self._taken or (self.known is not None and them not in self.known):
                return None
            store = JournalNumbers(self, open_database(self.path, self._is_durable, SHAPE), them)
            self._taken.add(them)
            return store

    def release(self, them: str) -> None:
        """Their session is free for another connection."""
        with self._lock:
            self._taken.discard(them)


class JournalNumbers:
    """Implements SessionStore. StoreBroken where another process uses the same session, and as SQLite fails."""

    def __init__(self, journal: FixJournal, connection: sqlite3.Connection, them: str) -> None:
        self._journal, self._connection, self._them = journal, connection, them
        with faults_told(journal.path):
            names = (journal.us, them)
            connection.execute("INSERT INTO sessions (us, them) VALUES (?, ?) ON CONFLICT DO NOTHING", names)
            row = connection.execute("SELECT id, next_out, next_in FROM sessions WHERE us = ? AND them = ?", names)
            self._id, *numbers = row.fetchone()
        self._numbers = Numbers(*numbers)

    def numbers(self) -> Numbers:
        """Where both sequences stand."""
        return self._numbers

    def sent(self, seq: int, kept: Kept | None) -> None:
        """Number `seq` is used, before its bytes leave; with the message where it may be sent again."""
        with faults_told(self._journal.path), transaction(self._connection):
            done = self._connection.execute(
                "UPDATE sessions SET next_out = ? WHERE id = ? AND next_out = ?", (seq + 1, self._id, seq)
            )
            if done.rowcount != 1:
                raise StoreBroken(
                    f"database {self._journal.path}: another process uses the session of {self._journal.us} with "
                    f"{self._them}; let one of them end"
                )
            if kept is not None:
                row = (self._id, seq, kept.content.msg_type, kept.content.data, kept.sent_at)
                self._connection.execute("INSERT INTO kept VALUES (?, ?, ?, ?, ?)", row)
            if seq % PRUNE_EVERY == 0:
                oldest = (self._id, seq - self._journal.kept_max)
                self._connection.execute("DELETE FROM kept WHERE session = ? AND seq <= ?", oldest)
        self._numbers = Numbers(seq + 1, self._numbers.next_in)

    def expected(self, next_in: int) -> None:
        """All before `next_in` has been dealt with."""
        with faults_told(self._journal.path):
            self._connection.execute("UPDATE sessions SET next_in = ? WHERE id = ?", (next_in, self._id))
        self._numbers = Numbers(self._numbers.next_out, next_in)

    def unread(self, seq: int) -> int:
        """This number came and cannot be read."""
        with faults_told(self._journal.path):
            return int(self._connection.execute(UNREAD, (seq, seq, self._id)).fetchone()[0])

    def kept(self, first: int, last: int, most: int) -> list[Kept]:
        """The first `most` messages of these numbers that may be sent again, in order."""
        query = """SELECT seq, msg_type, data, sent_at FROM kept
                   WHERE session = ? AND seq BETWEEN ? AND ? ORDER BY seq LIMIT ?"""
        with faults_told(self._journal.path):
            rows = self._connection.execute(query, (self._id, first, last, most)).fetchall()
        return [Kept(seq, Body(kind, data, sum(data)), sent_at) for seq, kind, data, sent_at in rows]

    def reset(self) -> None:
        """Both sequences begin at 1 again, and what was kept is forgotten."""
        with faults_told(self._journal.path), transaction(self._connection):
            self._connection.execute(
                "UPDATE sessions SET next_out = 1, next_in = 1, unread = 0 WHERE id = ?", (self._id,)
            )
            self._connection.execute("DELETE FROM kept WHERE session = ?", (self._id,))
        self._numbers = Numbers()

    def close(self) -> None:
        """The connection is gone: another may take up the session."""
        self._connection.close()
        self._journal.release(self._them)
