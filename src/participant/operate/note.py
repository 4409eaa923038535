"""A contract note into the books: checked against the day, compared with what we booked, recorded once."""

import datetime
from collections import defaultdict
from collections.abc import Sequence

from msgspec import Struct

from participant.core.books import external_id
from participant.core.breaks import Break, BreakKind, age
from participant.core.charges import Charges, charges
from participant.core.messages import Write
from participant.core.note import NoteRow, compare_note, name_of, summed
from participant.core.rulebook import Rulebook
from participant.links.books import Books
from participant.links.breaks import rows_of, standing
from participant.links.broker_side import fills_of
from participant.ports import Store
from participant.wire.json import decode, encode
from participant.wire.note import BadNote


class Note(Struct, frozen=True):
    """A note that was imported: its hash, how many rows it had, and the breaks that it left."""

    day: str
    hash: str
    rows: int
    at: int
    breaks: tuple[Break, ...]


def import_note(books: Store, rules: Rulebook, rows: Sequence[NoteRow], hashed: str, at: int) -> tuple[Note, bool]:
    """Compare a note and record it; raises BadNote. A note that was imported before changes nothing (False)."""
    day = _day_of(rows)
    known = books.get("notes", f"{day}/{hashed}")
    if known is not None:
        return decode(known.value, Note), False
    ours = _booked(books, rules, day, rows)
    theirs = defaultdict[str, list[Charges]](list)
    for row in rows:
        theirs[name_of(row)].append(row.charges)
    found = compare_note(ours, {name: summed(c) for name, c in theirs.items()}, str(day), at)
    before = [b for b in standing(books) if b.kind is BreakKind.CHARGES and b.key.startswith(f"{day} ")]
    aged = age(before, found, {BreakKind.CHARGES}, at)
    note = Note(str(day), hashed, len(rows), at, tuple(found))
    writes = rows_of(books, aged, ticket_after_cycles=1)
    books.commit([*writes, Write("notes", f"{day}/{hashed}", encode(note), 0)])
    return note, True


def _day_of(rows: Sequence[NoteRow]) -> datetime.date:
    first = rows[0]
    for row in rows:
        if row.day != first.day:
            raise BadNote(f"line {row.line}: the day is {row.day!r}, in line {first.line} it is {first.day!r}")
    try:
        return datetime.date.fromisoformat(first.day)
    except ValueError:
        raise BadNote(f"line {first.line}: {first.day!r} is no day; write 2026-11-26") from None


def _booked(books: Store, rules: Rulebook, day: datetime.date, rows: Sequence[NoteRow]) -> dict[str, Charges]:
    """What we booked of a day, under the names that the note uses: each fill by its order, or by its contract."""
    if books.get("days", str(day)) is None:
        raise BadNote(f"line {rows[0].line}: {day} is no day that these books have closed")
    fills, rates = fills_of(books, day), rules.charge_rates(day)
    of = {h.order.order_id: h.order.broker_order_id for h in Books(books).orders(day)}
    by_order = {row.order for row in rows if row.order}
    traded = {f.contract.key for f in fills}
    for row in rows:
        if row.contract not in traded:
            raise BadNote(f"line {row.line}: {row.contract} was not traded on {day}; a mapping may give its key")
    sums = defaultdict[str, list[Charges]](list)
    for fill in fills:
        order = of.get(fill.order_id, fill.order_id.removeprefix(external_id("")))
        name = next((n for n in (order, fill.order_id) if n in by_order), fill.contract.key)
        sums[name].append(charges(rates, fill.contract, fill.side, fill.value))
    return {name: summed(each) for name, each in sums.items()}
