"""Start of day: what must be there and in order before anything trades."""

import datetime
from typing import TypeVar

import httpx
from msgspec import Struct

from participant.core.account import Account
from participant.core.market import LookBack, Provenance, Reference
from participant.core.messages import Ticket, Write
from participant.core.order import Happening, OrderStatus, advance
from participant.core.scrip import Contract
from participant.core.tickets import settled
from participant.links.books import Books
from participant.ports import Store
from participant.stages.reconcile import Closed
from participant.wire.json import Malformed, decode, encode
from participant.wire.venue import SessionRow

T = TypeVar("T")


class NotReady(Exception):
    """The day cannot begin: what is wrong, and how to mend it."""


class Blocked(Exception):
    """The day may not begin before a person has settled something: what, and how."""


class VenueInfo(Struct, frozen=True):
    """What a venue says of the day that it plays, and what is known of its scrips beforehand."""

    session: SessionRow
    references: tuple[Reference, ...]


def ask_venue(url: str, timeout_s: float) -> VenueInfo:
    """The day, the contracts and the look-backs of the venue at `url`; raises NotReady where it does not answer."""
    try:
        with httpx.Client(base_url=url, timeout=timeout_s, trust_env=False) as client:
            session = _ask(client, "/session", SessionRow)
            contracts = _ask(client, "/master", tuple[Contract, ...])
            known = {
                s: (_ask(client, f"/lookback/{s}", LookBack), _ask(client, f"/provenance/{s}", Provenance))
                for s in session.symbols
            }
    except (httpx.HTTPError, httpx.InvalidURL, Malformed) as fault:
        raise NotReady(
            f"venue: {url} does not answer as a venue ({fault}); start it with `participant venue`"
        ) from fault
    of = {s: tuple(c for c in contracts if c.underlying == s) for s in session.symbols}
    return VenueInfo(session, tuple(Reference(s, of[s], *known[s]) for s in session.symbols))


def _ask(client: httpx.Client, path: str, kind: type[T]) -> T:
    return decode(client.get(path).raise_for_status().content, kind)


def open_day(books: Store, quotes: Store, day: datetime.date, references: tuple[Reference, ...]) -> None:
    """Put the day's reference data down, and what the desk is worth as the day begins."""
    if books.get("starts", str(day)) is None:
        # Another day's market is no market; a day that goes on after a stop keeps what it had.
        old = [Write(t, r.key, None) for t in ("quotes", "reference") for r in quotes.rows(t)]
        quotes.commit([*old, Write("feeds", "status", None)])
    quotes.commit([Write("reference", r.scrip, encode(r)) for r in references])
    days = [decode(r.value, Closed) for r in books.rows("days")]
    account, _ = Books(books).account()
    start = max(days, key=lambda d: d.day).worth if days else account.cash
    books.commit([Write("starts", str(day), str(start).encode(), 0)])


def open_account(books: Store, capital: int) -> None:
    """Give a new home its capital (paise); one that has an account keeps it."""
    books.commit([Write("account", "account", encode(Account(capital, capital)), 0)])


def open_tickets(books: Store) -> list[Ticket]:
    """The tickets that nobody has closed: any of them blocks the day."""
    return [t for r in books.rows("tickets") if not (t := decode(r.value, Ticket)).is_closed]


def last_closed(books: Store) -> datetime.date | None:
    """The latest day that this home has closed."""
    days = sorted(r.key for r in books.rows("days"))
    return datetime.date.fromisoformat(days[-1]) if days else None


def unfinished(books: Store) -> datetime.date | None:
    """The first day that this home has begun and not closed."""
    closed = {r.key for r in books.rows("days")}
    begun = sorted(r.key for r in books.rows("starts") if r.key not in closed)
    return datetime.date.fromisoformat(begun[0]) if begun else None


def close_ticket(books: Store, name: str, reason: str) -> Ticket | None:
    """Close the one open ticket whose id begins with `name`; None where there is not exactly one.

    The order behind it is given up with it, so that what was reserved for it comes free.
    """
    found = [t for t in open_tickets(books) if t.ticket_id.startswith(name)]
    if len(found) != 1:
        return None
    desk, ticket = Books(books), found[0]
    _, version = desk.ticket(ticket.ticket_id)
    closing = Write("tickets", ticket.ticket_id, encode(settled(ticket, reason)), version)
    held = next((h for h in desk.orders_ever(ticket.order_id) if h.order.status is OrderStatus.UNKNOWN), None)
    if held is not None:
        is_done = desk.save(held, advance(held.order, Happening.GIVE_UP, reason=reason), [closing])
    else:
        is_done = books.commit([closing])
    return settled(ticket, reason) if is_done else None
