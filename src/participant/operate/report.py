"""A day as it ended, as values: what a person reads after hours and signs off."""

import datetime

from msgspec import Struct

from participant.core.attribution import Explained, added
from participant.core.books import EXTERNAL, Fill, unsettled
from participant.core.breaks import Break
from participant.core.charges import Charges, charges
from participant.core.ids import digest
from participant.core.messages import Row, Ticket, Write
from participant.core.order import Order
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS_PER_PAISA
from participant.core.session import day_of
from participant.core.wording import counted
from participant.links.books import Books
from participant.links.breaks import Looks, looks, mended, reason_given, standing
from participant.links.broker_side import fills_of
from participant.links.ledger import EventRow
from participant.links.marks import DayMarks, HeldMark, explained
from participant.operate.shadow import ShadowDay, shadow_of
from participant.ports import Store
from participant.stages.reconcile import Closed
from participant.wire.json import decode, encode


class OrderLine(Struct, frozen=True):
    """An order of the day: prices in 1/10,000 rupee, quantities in units."""

    scrip: str
    side: str
    contract: str
    quantity: int
    limit: int
    filled: int
    price: int
    status: str
    reason: str
    decided_at: int


class HeldLine(Struct, frozen=True):
    """What is held of one contract at the close, and the mark (1/10,000 rupee) that it is carried at."""

    contract: str
    quantity: int
    mark: int


class BreakLine(Struct, frozen=True):
    """A break of the day: as it was found, whether it stands still, and what a person gave as its reason."""

    found: Break
    is_open: bool
    reason: str


class Report(Struct, frozen=True):
    """Money in paise, times ns. `result` is the change of the desk's worth; `explained` adds up to it.

    A `shadow` day's orders stand there alone, grouped: none of them was sent. `late` are the orders of the day whose
    fills were booked after its close: `held`, `worth` and `result` are without them.
    """

    day: str
    at: int
    result: int
    worth: int
    orders: tuple[OrderLine, ...]
    fills: tuple[Fill, ...]
    events: tuple[EventRow, ...]
    held: tuple[HeldLine, ...]
    breaks: tuple[BreakLine, ...]
    unknown: tuple[str, ...]
    tickets: tuple[Ticket, ...]
    explained: dict[str, Explained]
    not_explained: int
    charges: Charges
    expired_left: tuple[str, ...]
    looks: Looks
    shadow: ShadowDay | None = None
    late: tuple[str, ...] = ()

    @property
    def total(self) -> Explained:
        """All structures together."""
        return added(self.explained.values())

    @property
    def needs_a_person(self) -> bool:
        """Whether something of the day is left that only a person can settle."""
        is_open = any(b.is_open for b in self.breaks) or any(not t.is_closed for t in self.tickets)
        return is_open or bool(self.unknown or self.expired_left or self.late)


class Signature(Struct, frozen=True):
    """Who signed a day's report, when, and the hash of what they signed."""

    day: str
    by: str
    note: str
    hash: str
    at: int


def report_of(books: Store, rules: Rulebook, day: datetime.date) -> Report | None:
    """The report of a closed day, from the books alone; None where the day is not closed."""
    row = books.get("days", str(day))
    if row is None:
        return None
    closed, fills = decode(row.value, Closed), sorted(fills_of(books, day), key=lambda f: (f.at, f.order_id))
    start = books.get("starts", str(day))
    result = closed.worth - int(start.value) if start else 0
    structures = explained(books, day, closed.settlements)
    marks = books.get("day_marks", str(day))
    tickets = [decode(r.value, Ticket) for r in books.rows("tickets")]
    shadow = shadow_of(books, day)
    return Report(
        day=str(day),
        at=closed.at,
        result=result,
        worth=closed.worth,
        orders=() if shadow else tuple(_order(h.order) for h in Books(books).orders(day)),
        fills=tuple(fills),
        events=tuple(decode(r.value, EventRow) for r in books.rows("events", prefix=f"{day}/")),
        held=tuple(HeldLine(h.contract.key, h.quantity, h.mark.price) for h in _held(marks)),
        breaks=_breaks(books, closed, day),
        unknown=closed.unknown,
        tickets=tuple(t for t in tickets if not t.is_closed or day_of(t.at) == day),
        explained=structures,
        not_explained=result - sum(e.total for e in structures.values()),
        charges=charges_of(rules, day, fills),
        expired_left=tuple(h.contract.key for h in unsettled(Books(books).positions(), day)),
        looks=looks(books, day),
        shadow=shadow,
        late=tuple(r.key.partition("/")[2] for r in books.rows("fills", prefix=f"{day}/", since=row.seq)),
    )


def _held(marks: Row | None) -> tuple[HeldMark, ...]:
    return decode(marks.value, DayMarks).held if marks else ()


def _order(order: Order) -> OrderLine:
    filled = order.cum_quantity
    price = order.cum_value * PRICE_UNITS_PER_PAISA // filled if filled else 0
    what = (order.scrip, order.side.value, order.contract.key, order.quantity, order.limit)
    return OrderLine(*what, filled, price, order.status.value, order.reason, order.decided_at)


def _breaks(books: Store, closed: Closed, day: datetime.date) -> tuple[BreakLine, ...]:
    """The day's breaks: those that were mended on it, and those that it ended with or that were found of it later."""
    now = {b.name: b for b in standing(books)}
    late = [b for b in now.values() if day_of(b.first_seen) == day or b.key.startswith(f"{day} ")]
    last = {b.name: b for b in [*closed.breaks, *late]}
    over = [BreakLine(b, False, b.how) for b in mended(books, day) if b.name not in last]
    return (*over, *(BreakLine(now.get(n, b), n in now, reason_given(books, b)) for n, b in sorted(last.items())))


def charges_of(rules: Rulebook, day: datetime.date, fills: list[Fill]) -> Charges:
    """What the day's fills cost, item by item, by the rates in force."""
    rates = rules.charge_rates(day)
    each = [charges(rates, f.contract, f.side, f.value) for f in fills if f.quantity]
    return Charges(*(sum(getattr(c, name) for c in each) for name in Charges.__struct_fields__))


def hash_of(report: Report) -> str:
    """What a signature is for: equal reports have equal hashes."""
    return digest(encode(report).decode())


def signatures(books: Store, day: datetime.date) -> list[Signature]:
    """Who signed a day, oldest first."""
    return [decode(r.value, Signature) for r in books.rows("signatures", prefix=f"{day}/")]


def sign(books: Store, report: Report, signed: Signature) -> str:
    """Record a signature; returns why not, or an empty string. Signing the same again changes nothing."""
    bare = [b.found.name for b in report.breaks if b.is_open and not b.reason]
    if bare:
        return (
            f"without a reason yet: {counted(len(bare), 'break')} ({', '.join(bare)}); "
            "`participant desk close ID --reason` gives each ticket's"
        )
    if report.late and not signed.note.strip():
        several = f"{counted(len(report.late), 'order')} booked after the close ({', '.join(report.late)})"
        return f"{several}: what is held, worth and result are without it; say in `--note` that you know it"
    books.commit([Write("signatures", f"{signed.day}/{signed.hash}/{signed.by}", encode(signed), 0)])
    return ""


def is_external(fill: Fill) -> bool:
    """Whether a fill is not ours."""
    return fill.decision_id == EXTERNAL
