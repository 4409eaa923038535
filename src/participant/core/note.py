"""The broker's contract note beside our books: charges of each order or contract of a day, compared to the paisa."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from participant.core.breaks import Break, BreakKind, made
from participant.core.charges import Charges
from participant.core.wording import rupees

ITEMS = Charges.__struct_fields__


class NoteRow(Struct, frozen=True):
    """One line of a note: the day, the order or the contract that it is about, and its charges in paise."""

    line: int
    day: str
    contract: str
    order: str
    charges: Charges


def name_of(row: NoteRow) -> str:
    """What a row is about: an order where the note has it, else the contract."""
    return row.order or row.contract


def summed(rows: Sequence[Charges]) -> Charges:
    """Several charges together, item by item."""
    return Charges(*(sum(getattr(c, item) for c in rows) for item in ITEMS))


def compare_note(ours: Mapping[str, Charges], theirs: Mapping[str, Charges], day: str, at: int) -> list[Break]:
    """A break for each order or contract of which an item differs, over the union of both sides."""
    found = []
    for name in sorted({*ours, *theirs}):
        mine, shown = ours.get(name, Charges()), theirs.get(name, Charges())
        items = [item for item in ITEMS if getattr(mine, item) != getattr(shown, item)]
        if items:
            found.append(made(BreakKind.CHARGES, f"{day} {name}", _said(mine, items), _said(shown, items), at))
    return found


def _said(charges: Charges, items: Sequence[str]) -> str:
    return ", ".join(f"{item} {rupees(getattr(charges, item))}" for item in items)
