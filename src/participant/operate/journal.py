"""The end of a day's journal: sealed at sleep with a signed root, exported as lines, and verified whenever asked."""

import os
import pwd
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from participant.core.journal import (
    START,
    Chain,
    Entry,
    Fault,
    Root,
    Signed,
    compare,
    content_hash,
    follow,
    root_of,
)
from participant.core.messages import Row, Write
from participant.links.journal import JOURNAL, ROOTS, JournalStore
from participant.links.keys import ROOT, is_signed, make_key, public_of, sign
from participant.ports import Clock, Store
from participant.wire.json import Malformed, decode, encode

KEY, PUBLIC = "desk.key", "desk.pub"
# Tables of which every row must have been told: one put there behind the journal's back is found.
WHOLE = ("log", "orders", "fills")

Told = dict[tuple[str, str], list[Entry]]


class Verdict(Struct, frozen=True):
    """What the verification of a day found: how much was looked at, and the first thing that is wrong, if any."""

    day: str
    entries: int
    chains: int
    root: str
    fault: Fault | None


class _Day(Struct, frozen=True):
    """What of run.json says which day it is."""

    day: date


def for_people(store: Store, home: Path, clock: Clock) -> JournalStore:
    """The books as a person's command writes them: under the person's name, into the day that the desk is at.

    Once that day is sealed, into what comes after it, which the next root takes in.
    """
    run = home / "run.json"
    try:
        day = str(decode(run.read_bytes(), _Day).day) if run.exists() else "before"
    except Malformed:
        day = "before"
    label = f"{day}+" if store.get(ROOTS, day) is not None else day
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return JournalStore(store, f"person-{name}", label, clock)


# --- sealing ----------------------------------------------------------------------------------------------------------


def seal_ended(books: Store, home: Path) -> list[Signed]:
    """Seal every day that is closed and has no root yet, oldest first; nothing where there is nothing to tell."""
    roots = {row.key for row in books.rows(ROOTS)}
    days = sorted(row.key for row in books.rows("days") if row.key not in roots)
    sealed = [signed for day in days if (signed := seal(books, day, home)) is not None]
    for signed in sealed:
        _export(books, signed, home / "journal")
    return sealed


def seal(books: Store, day: str, home: Path) -> Signed | None:
    """Sign the root over every chain that no earlier root has; None where no chain is new."""
    last = max(books.rows(ROOTS), key=lambda row: row.seq, default=None)
    chains = []
    for entries in _chains(books.rows(JOURNAL, since=last.seq if last else 0)):
        chain = follow(entries)
        # A chain that is broken already is sealed as it stands: its break is found for ever.
        chains.append(chain if isinstance(chain, Chain) else _as_it_stands(entries))
    if not chains:
        return None
    root = root_of(day, chains, decode(last.value, Signed).root.root if last else START)
    key = home / KEY
    if not key.exists():
        (home / PUBLIC).write_text(make_key(key) + "\n", encoding="ascii")
    signed = Signed(root, public_of(key), sign(key, ROOT, encode(root)))
    _commit_root(books, signed)
    return signed


def _as_it_stands(entries: list[tuple[str, bytes, Entry]]) -> Chain:
    first = entries[0][2]
    return Chain(first.day, first.writer, len(entries), "broken when it was signed")


def _commit_root(books: Store, signed: Signed) -> None:
    books.commit([Write(ROOTS, signed.root.day, encode(signed), expect=0)])


def _export(books: Store, signed: Signed, folder: Path) -> None:
    """Write the day's entries as lines, and its root beside them; writing it again gives the same."""
    folder.mkdir(parents=True, exist_ok=True)
    day = signed.root.day
    _write(folder / f"{day}.jsonl", b"".join(body + b"\n" for body in _bodies(books, signed.root)))
    _write(folder / f"{day}.root.json", encode(signed) + b"\n")


def _write(path: Path, body: bytes) -> None:
    part = path.with_suffix(".part")
    with part.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


def _bodies(books: Store, root: Root) -> Iterator[bytes]:
    for chain in root.chains:
        rows = books.rows(JOURNAL, prefix=f"{chain.day}/{chain.writer}/")
        yield from (row.value for row in sorted(rows, key=lambda row: row.key))


# --- verifying --------------------------------------------------------------------------------------------------------


def days_to_verify(books: Store) -> list[str]:
    """Every day that has a root, or that is closed and should have one."""
    return sorted({row.key for table in (ROOTS, "days") for row in books.rows(table)})


def verify(books: Store, day: str, home: Path, key: str) -> Verdict:
    """Recompute everything that a day's root signs; `key` is the public key to trust, as hex digits."""
    row = books.get(ROOTS, day)
    if row is None:
        return _verdict_without_root(books, day)
    try:
        signed = decode(row.value, Signed)
    except Malformed as broken:
        return Verdict(day, 0, 0, "", Fault("", 0, f"its root cannot be read: {broken}"))
    found: dict[tuple[str, str], Chain] = {}
    fault = _root_fault(books, signed, key)
    rows = [r for c in signed.root.chains for r in books.rows(JOURNAL, prefix=f"{c.day}/{c.writer}/")]
    fault = fault or _follow_all(rows, found) or compare(signed.root, found) or _stray(books, signed, found)
    fault = fault or _books_fault(books, day) or _files_fault(books, signed, home)
    return Verdict(day, len(rows), len(signed.root.chains), signed.root.root, fault)


def _verdict_without_root(books: Store, day: str) -> Verdict:
    rows = books.rows(JOURNAL, prefix=f"{day}/")
    found: dict[tuple[str, str], Chain] = {}
    fault = _follow_all(rows, found) or Fault("", 0, "the day has no signed root")
    return Verdict(day, len(rows), len(found), "", fault)


def _root_fault(books: Store, signed: Signed, key: str) -> Fault | None:
    root = signed.root
    if signed.key != key:
        return Fault(
            "", 0, f"its root is signed with key {signed.key[:16]}, not with {key[:16] or 'any that is trusted'}"
        )
    if not is_signed(key, ROOT, encode(root), signed.signature):
        return Fault("", 0, "the signature of its root is not that of the desk's key")
    if root_of(root.day, root.chains, root.previous) != root:
        return Fault("", 0, "its root does not follow from its chains")
    rows = sorted(books.rows(ROOTS), key=lambda row: row.seq)
    before = [row for row in rows if row.key != root.day and row.seq < _seq(rows, root.day)]
    expected = decode(before[-1].value, Signed).root.root if before else START
    return (
        None if root.previous == expected else Fault("", 0, "the root before it is not the one that it was signed on")
    )


def _seq(rows: Iterable[Row], day: str) -> int:
    return next(row.seq for row in rows if row.key == day)


def _follow_all(rows: Iterable[Row], found: dict[tuple[str, str], Chain]) -> Fault | None:
    try:
        chains = list(_chains(rows))
    except Malformed as broken:
        return Fault("", 0, f"an entry cannot be read: {broken}")
    for entries in chains:
        end = follow(entries)
        if isinstance(end, Fault):
            return end
        found[end.day, end.writer] = end
    return None


def _chains(rows: Iterable[Row]) -> Iterator[list[tuple[str, bytes, Entry]]]:
    """The entries of each chain in the order of their keys. Raises Malformed."""
    read = sorted(((row.key, row.value) for row in rows), key=lambda pair: pair[0])
    for _, group in groupby(read, key=lambda pair: pair[0].rsplit("/", 1)[0]):
        yield [(key, value, _entry(key, value)) for key, value in group]


def _entry(key: str, value: bytes) -> Entry:
    try:
        return decode(value, Entry)
    except Malformed as broken:
        raise Malformed(f"{key}: {broken}") from broken


def _stray(books: Store, signed: Signed, found: Mapping[tuple[str, str], Chain]) -> Fault | None:
    """A chain of the day that its root does not know."""
    day = signed.root.day
    for row in books.rows(JOURNAL, prefix=f"{day}/"):
        writer = row.key.split("/")[1]
        if (day, writer) not in found:
            return Fault(writer, 1, "its chain is not in the signed root")
    return None


def _books_fault(books: Store, day: str) -> Fault | None:
    """The first row of the day that is not as an entry told it, or that none told."""
    told: Told = {}
    for row in books.rows(JOURNAL):
        entry = _entry(row.key, row.value)
        told.setdefault((entry.table, entry.key), []).append(entry)
    for (table, key), entries in told.items():
        if not any(entry.day.startswith(day) for entry in entries) or (table, key) == ("breaker", "state"):
            continue
        now = books.get(table, key)
        fault = _row_fault(now, entries)
        if fault is not None:
            return fault
    for table in WHOLE:
        for row in books.rows(table, prefix=f"{day}/"):
            if (table, row.key) not in told:
                return Fault("", 0, f"{table} {row.key} stands in the books and no entry tells of it")
    return None


def _row_fault(now: Row | None, entries: list[Entry]) -> Fault | None:
    last = entries[-1]
    content = content_hash(now.value) if now is not None else ""
    exact = [e for e in entries if now is not None and e.expect is not None and e.expect + 1 == now.version]
    if content in {entry.content for entry in (exact or entries)}:
        return None
    what = "is gone from the books" if now is None else "is not what the entry tells"
    at = exact[-1] if exact else last
    return Fault(at.writer, at.number, f"{at.table} {at.key} {what}")


def _files_fault(books: Store, signed: Signed, home: Path) -> Fault | None:
    """The first line of the exported journal or of the decision log that is not what the books hold."""
    day, folder = signed.root.day, home / "journal"
    fault = _lines_fault(folder / f"{day}.jsonl", list(_bodies(books, signed.root)))
    fault = fault or _lines_fault(folder / f"{day}.root.json", [encode(signed)])
    decided = [row.value for row in books.rows("log", prefix=f"{day}/")]
    return fault or _lines_fault(home / "decisions" / f"{day}.jsonl", decided)


def _lines_fault(path: Path, expected: list[bytes]) -> Fault | None:
    lines = path.read_bytes().splitlines() if path.exists() else []
    for number, (line, wanted) in enumerate(zip(lines, expected, strict=False), 1):
        if line != wanted:
            return Fault("", 0, f"line {number} of {path.name} in {path.parent.name}/ is not what the books hold")
    if len(lines) != len(expected):
        return Fault("", 0, f"{path.parent.name}/{path.name} has {len(lines)} lines, the books hold {len(expected)}")
    return None
