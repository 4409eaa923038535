"""A queue in a SQLite file: shared by the processes of one machine, outliving every one of them.

Times are seconds since the machine was started, the one clock that its processes share and that never steps. After a
new start of the machine nobody holds anything, so whatever was hidden can be taken again.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from participant.core.messages import Message, QueueDepth
from participant.links.doorbell import Doorbell
from participant.links.sqlite import faults_told, open_database, transaction

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PAUSE_MIN_S = 0.001

PUT = "INSERT INTO messages (queue, id, key, body) VALUES (?, ?, ?, ?) ON CONFLICT (queue, id) DO NOTHING"
# In the order of putting; but nothing passes an earlier message of its key that is hidden, taken or delayed.
TAKE = """
UPDATE messages SET
  receives = receives + 1, consumer = :consumer, hidden_until = :now + :visibility_s,
  state = CASE WHEN receives < :receives_max THEN 'live' ELSE 'buried' END,
  reason = CASE WHEN receives < :receives_max THEN '' ELSE :reason END
WHERE seq IN (
  SELECT seq FROM messages AS m INDEXED BY live_in_order
  WHERE queue = :queue AND state = 'live' AND hidden_until <= :now AND NOT EXISTS (
    SELECT 1 FROM messages AS earlier INDEXED BY live_by_key
    WHERE earlier.queue = m.queue AND earlier.key = m.key AND earlier.state = 'live'
      AND earlier.hidden_until > :now AND earlier.seq < m.seq)
  ORDER BY seq LIMIT :limit)
RETURNING seq, id, key, body, receives, state
"""
NEXT = "SELECT min(hidden_until) FROM messages WHERE queue = ? AND state = 'live' AND hidden_until > ?"
DONE = "UPDATE messages SET state = 'done', body = NULL WHERE queue = ? AND id = ? AND state = 'live'"
BACK = """UPDATE messages SET consumer = '', hidden_until = ?
  WHERE queue = ? AND id = ? AND state = 'live' AND consumer = ?"""
BURY = "UPDATE messages SET state = 'buried', reason = ? WHERE queue = ? AND id = ? AND state = 'live'"
DEPTH = """SELECT count(*), coalesce(sum(consumer <> '' AND hidden_until > ?), 0) FROM messages
  WHERE queue = ? AND state = 'live'"""
BURIED = "SELECT count(*) FROM messages WHERE queue = ? AND state = 'buried'"
DEAD = "SELECT id, key, body, receives, reason FROM messages WHERE queue = ? AND state = 'buried' ORDER BY seq"
# The last machine's hours mean nothing on this one.
REBOOT = "UPDATE messages SET consumer = '', hidden_until = 0 WHERE state = 'live'"
RESTART = "UPDATE messages SET consumer = '', hidden_until = 0 WHERE queue = ? AND state = 'live' AND consumer = ?"


class QueueSettings(Struct, frozen=True):
    """How long a taken message is hidden, after how many takes it is buried, and whether power may fail."""

    visibility_s: float = 60.0
    receives_max: int = 5
    is_durable: bool = True


class SqliteQueue:
    """The queue `name` in the file at `path`, as `consumer` sees it; putting rings `bell`, taking waits on it.

    Opening it under a consumer's name gives back at once what that consumer had taken before it died. So each process
    opens a queue under a name of its own. An instance belongs to the thread that made it.
    """

    def __init__(
        self, path: Path, name: str, consumer: str, bell: Doorbell, settings: QueueSettings | None = None
    ) -> None:
        self._path = path
        self._name = name
        self._consumer = consumer
        self._bell = bell
        self._settings = settings or QueueSettings()
        self._reason = f"taken {self._settings.receives_max} times without an end"
        self._connection = open_database(path, self._settings.is_durable)
        self._start()

    def put(self, messages: Sequence[Message]) -> int:
        """Add messages, all or none; one whose id was ever put before is passed over. Returns how many were new."""
        fields = [(self._name, message.id, message.key, message.body) for message in messages]
        new = self._run(PUT, fields)
        if new:
            self._bell.ring()
        return new

    def take(self, limit: int, wait_s: float) -> list[Message]:
        """Up to `limit` messages in order; waits up to `wait_s` for the first, less where the bell rings for others."""
        deadline = time.monotonic() + wait_s
        if wait_s > 0:
            self._bell.listen()  # before the first look, so that no ring after it is missed
        while True:
            taken = self._look(limit)
            left_s = deadline - time.monotonic()
            if taken or left_s <= 0:
                return taken
            if self._bell.wait(min(left_s, self._next_s())):
                return self._look(limit)

    def done(self, ids: Sequence[str]) -> None:
        """These are finished with, for good."""
        self._run(DONE, [(self._name, message_id) for message_id in ids])

    def back(self, ids: Sequence[str], delay_s: float) -> None:
        """Give these back, to be taken again after `delay_s`; what another consumer took meanwhile stays his."""
        until = time.monotonic() + delay_s
        self._run(BACK, [(until, self._name, message_id, self._consumer) for message_id in ids])
        self._bell.ring()

    def bury(self, ids: Sequence[str], reason: str) -> None:
        """Put these among the dead letters, with a reason."""
        self._run(BURY, [(reason, self._name, message_id) for message_id in ids])

    def depth(self) -> QueueDepth:
        """How many wait, are taken, and are buried."""
        with faults_told(self._path):
            live, taken = self._connection.execute(DEPTH, (time.monotonic(), self._name)).fetchone()
            buried = self._connection.execute(BURIED, (self._name,)).fetchone()[0]
        return QueueDepth(waiting=live - taken, taken=taken, buried=buried)

    def dead_letters(self) -> list[tuple[Message, str]]:
        """What was buried, with the reasons, in the order of putting."""
        with faults_told(self._path):
            found = self._connection.execute(DEAD, (self._name,)).fetchall()
        return [(Message(*fields), reason) for *fields, reason in found]

    def close(self) -> None:
        """Let go of the file; the bell belongs to who made it."""
        self._connection.close()

    def _start(self) -> None:
        boot = BOOT_ID.read_text().strip() if BOOT_ID.exists() else ""
        with faults_told(self._path), transaction(self._connection):
            if self._connection.execute("UPDATE boots SET boot = ? WHERE boot <> ?", (boot, boot)).rowcount:
                self._connection.execute(REBOOT)
            self._connection.execute(RESTART, (self._name, self._consumer))

    def _look(self, limit: int) -> list[Message]:
        """One transaction; where it only buried what was taken too often, there may be more behind that."""
        asked = {
            "queue": self._name, "consumer": self._consumer, "now": time.monotonic(), "limit": limit,
            "visibility_s": self._settings.visibility_s, "receives_max": self._settings.receives_max,
            "reason": self._reason,
        }  # fmt: skip
        while True:
            with faults_told(self._path):
                found = sorted(self._connection.execute(TAKE, asked).fetchall())
            taken = [Message(*fields) for _, *fields, state in found if state == "live"]
            if taken or not found:
                return taken

    def _next_s(self) -> float:
        now = time.monotonic()
        with faults_told(self._path):
            until = self._connection.execute(NEXT, (self._name, now)).fetchone()[0]
        return float("inf") if until is None else max(until - now, PAUSE_MIN_S)

    def _run(self, statement: str, fields: Sequence[tuple[object, ...]]) -> int:
        """Run a statement for each of `fields` in one transaction; returns how many rows it changed."""
        if not fields:
            return 0
        with faults_told(self._path):
            if len(fields) == 1:  # a statement alone is a transaction already
                return self._connection.execute(statement, fields[0]).rowcount
            with transaction(self._connection):
                return self._connection.executemany(statement, fields).rowcount
