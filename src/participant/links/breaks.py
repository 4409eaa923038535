"""Breaks in the books: those that stand and those that ended, and the ticket that makes one a person's work."""

import datetime
from collections.abc import Iterable

from msgspec import Struct

from participant.core.breaks import Aged, Break, BreakKind
from participant.core.messages import Ticket, Write
from participant.core.session import day_of
from participant.core.tickets import settled, ticket_id
from participant.ports import Store
from participant.wire.json import decode, encode


class Looks(Struct, frozen=True):
    """When each comparison was last made (ns), and how many reads of the broker's books failed, in all and of late."""

    orders_at: int = 0
    positions_at: int = 0
    funds_at: int = 0
    compared: int = 0
    failed: int = 0
    failed_in_a_row: int = 0


def standing(store: Store) -> list[Break]:
    """The breaks that are not mended, by name."""
    return sorted((decode(r.value, Break) for r in store.rows("breaks")), key=lambda b: b.name)


def mended(store: Store, day: datetime.date) -> list[Break]:
    """The breaks that ended on a day, in the order of their end."""
    return [decode(r.value, Break) for r in store.rows("mended", prefix=f"{day}/")]


def looks(store: Store, day: datetime.date) -> Looks:
    """What was compared and what failed on a day."""
    row = store.get("looks", str(day))
    return decode(row.value, Looks) if row else Looks()


def rows_of(store: Store, aged: Aged, ticket_after_cycles: int) -> list[Write]:
    """The rows that a comparison leaves: each break as it stands, the ends, and a ticket for what lasts."""
    writes = [Write("breaks", b.name, encode(b)) for b in aged.standing]
    for gone in aged.ended:
        writes += ended_rows(store, gone)
    for old in (b for b in aged.standing if b.cycles >= ticket_after_cycles):
        writes += ticket_rows(store, old)
    return writes


def ended_rows(store: Store, gone: Break) -> list[Write]:
    """A break that ended: kept with its end under the day of it, and its ticket closed."""
    name = f"{day_of(gone.ended_at)}/{gone.name}/{gone.first_seen}"
    writes = [Write("breaks", gone.name, None), Write("mended", name, encode(gone))]
    row = store.get("tickets", break_ticket_id(gone))
    ticket = decode(row.value, Ticket) if row else None
    if row is not None and ticket is not None and not ticket.is_closed:
        writes.append(Write("tickets", ticket.ticket_id, encode(settled(ticket, gone.how)), row.version))
    return writes


def ticket_rows(store: Store, found: Break) -> list[Write]:
    """A break is work for a person; one that is found again, and one that was closed, makes no second ticket."""
    name = break_ticket_id(found)
    if store.get("tickets", name) is not None:
        return []
    text = f"ours {found.ours}, the broker's {found.theirs}; {found.repair}"
    ticket = Ticket(name, found.last_seen, found.contract or found.key, f"break: {found.kind} {found.key}", text)
    return [Write("tickets", name, encode(ticket), 0)]


def break_ticket_id(found: Break) -> str:
    """The ticket that a break makes: one a day, kind and thing."""
    return ticket_id("break", str(day_of(found.first_seen)), found.kind, found.key)


def reason_given(store: Store, found: Break) -> str:
    """What a person said of a break when they closed its ticket; empty while nobody has."""
    row = store.get("tickets", break_ticket_id(found))
    ticket = decode(row.value, Ticket) if row else None
    return ticket.closed.reason if ticket is not None and ticket.closed is not None else ""


def of_kinds(breaks: Iterable[Break], kinds: Iterable[BreakKind]) -> list[Break]:
    """Those of these kinds."""
    wanted = frozenset(kinds)
    return [b for b in breaks if b.kind in wanted]
