"""The decision log: what a decision leaves in the books, and from there the day's files, each record once.

In the books the table `log` holds the lines and `parts` what they refer to, by its id. Both are written in the
decision's own commit. The archive is a projection of them: with each line go the parts that no earlier line of its day
refers to, so that a day's files need no other day's.
"""

import datetime
import zlib
from collections.abc import Iterator

from isal import isal_zlib
from msgspec import Raw, Struct

from participant.core.decision import Decision, DecisionInput
from participant.core.messages import Write
from participant.links.parts import Part, Split, pack, refs, split
from participant.ports import Archive, Store, StoreBroken
from participant.wire.json import Told, decode, encode

# In the books a part is packed while a decision waits for it: a twentieth larger than at the files' level, far sooner,
# and in zlib's own format.
QUICK = 1


class _Ready(Struct, frozen=True):
    """What was made ready of a decision to come: its parts as they are to be stored, by id."""

    given: DecisionInput
    split: Split
    stored_as: dict[str, bytes]


class LogRows:
    """Makes the rows of decisions. A part that is known to stand in the books is not written again."""

    def __init__(self, books: Store, *, packs: bool = True) -> None:
        """`packs`: parts lie packed in the books, which no reader notices."""
        self.books, self._stored = books, _packed if packs else _plain
        self.ready: dict[str, _Ready] = {}
        self.stored: set[str] = set()
        self.asked: tuple[Write, ...] = ()

    def prepare(self, given: DecisionInput) -> None:
        """Do now, while the brain decides, what takes longest of the commit to come."""
        self.ready[given.scrip.symbol] = self._prepared(given)

    def of(self, day: datetime.date, given: DecisionInput, decision: Decision) -> list[Write]:
        """The rows that a decision leaves in the log. It is refused where the day has that decision."""
        self._learn()
        ready = self.ready.pop(given.scrip.symbol, None)
        if ready is None or ready.given is not given:
            ready = self._prepared(given)
        rows = [Write("parts", name, value) for name, value in ready.stored_as.items() if name not in self.stored]
        self.asked = (*rows, Write("log", f"{day}/{decision.decision_id}", ready.split.line(decision), expect=0))
        return list(self.asked)

    def _prepared(self, given: DecisionInput) -> _Ready:
        apart = split(given)
        news = {part.id: self._stored(part) for part in apart.parts if part.id not in self.stored}
        return _Ready(given, apart, news)

    def _learn(self) -> None:
        """What was asked for last is stored where the line stands as it was asked for: they are one commit."""
        if self.asked:
            *parts, line = self.asked
            row = self.books.get(line.table, line.key)
            if row is not None and row.value == line.value:
                self.stored.update(part.key for part in parts)


class DecisionLog:
    """Writes the archive up; what it holds already is never written again, whatever happened in between.

    Without an archive nothing is written up: the books themselves are read.
    """

    def __init__(self, books: Store, archive: Archive | None) -> None:
        self.books, self.archive = books, archive
        self.written_to: dict[str, int] = {}
        self.used: dict[str, set[str]] = {}

    def write(self, day: str) -> None:
        """Add the day's decisions that the archive lacks, in the order of their commits."""
        if self.archive is None:
            return
        rows = self.books.rows("log", prefix=f"{day}/", since=self.written_to.get(day, 0))
        held = 0 if day in self.written_to else self.archive.count(day)
        news = [(row.value, self._first_used(day, row.value)) for row in rows]
        if news[held:]:
            self.archive.append(day, [(line, pack(map(self._part, names))) for line, names in news[held:]])
        self.written_to[day] = rows[-1].seq if rows else self.written_to.get(day, 0)

    def records(self, day: str) -> Iterator[tuple[bytes, list[Part]]]:
        """The day's lines as the books have them, each with the parts that no line before it refers to."""
        for row in self.books.rows("log", prefix=f"{day}/"):
            yield row.value, [self._part(name) for name in self._first_used(day, row.value)]

    def _first_used(self, day: str, line: bytes) -> list[str]:
        used = self.used.setdefault(day, set())
        names = [name for name in refs(line) if name not in used]
        used.update(names)
        return names

    def _part(self, name: str) -> Part:
        row = self.books.get("parts", name)
        if row is None:
            raise StoreBroken(f"books: the log refers to part {name}, which is not there; restore them from a copy")
        return _of_store(name, row.value)


class _Stored(Struct, frozen=True):
    kind: str
    part: Raw


def _plain(part: Part) -> bytes:
    stored = _Stored(part.kind, part.part)
    return Told(encode(stored), stored)  # within the process it need not be read back


def _packed(part: Part) -> bytes:
    return isal_zlib.compress(encode(_Stored(part.kind, part.part)), QUICK)


def _of_store(name: str, value: bytes) -> Part:
    stored = decode(value if value.startswith(b"{") else zlib.decompress(value), _Stored)
    return Part(name, stored.kind, stored.part)
