"""After hours: the day's settlement into the books, our books against the broker's, every difference a Break."""

import datetime

from msgspec import Struct

from participant.core.books import Break, closing_events, compare, our_book, their_book
from participant.core.market import Mark
from participant.core.messages import Ticket, Write
from participant.core.order import OrderStatus
from participant.core.rulebook import Rulebook
from participant.core.tickets import ticket_id
from participant.links.books import Books, market_state, worth
from participant.links.ledger import Entry, enter
from participant.ports import BrokerBooks, BrokerDown, Store
from participant.wire.json import decode, encode


class ReconcilePorts(Struct, frozen=True):
    """What reconciliation needs of the world."""

    books: Store
    quotes: Store
    broker: BrokerBooks


class Closed(Struct, frozen=True):
    """How a day ended: the differences found, the orders whose fate is still unknown, and our worth in paise."""

    day: str
    at: int
    breaks: tuple[Break, ...]
    unknown: tuple[str, ...]
    settlements: dict[str, int]
    worth: int


def close_day(ports: ReconcilePorts, rules: Rulebook, day: datetime.date) -> Closed | None:
    """Settle, compare, and record how the day ended; None before its last instant and while no prices are out.

    Running it again after a crash changes nothing: what has expired is gone, what is settled settles at nothing.
    None, too, where the broker's books cannot be read: a failed read is no empty book.
    """
    try:
        return _close(ports, rules, day)
    except BrokerDown:
        return None


def _close(ports: ReconcilePorts, rules: Rulebook, day: datetime.date) -> Closed | None:
    ended = ports.books.get("ended", str(day))
    if ended is None or ports.books.get("days", str(day)) is not None:
        return None
    settlements = ports.broker.settlements()
    if not settlements:
        return None
    at, books = decode(ended.value, Mark).at, Books(ports.books)
    for position in books.positions():
        events = closing_events(position, settlements, day, at)
        market = market_state(ports.quotes, position.scrip)
        enter(ports.books, rules, market, Entry(position.scrip, at, events, ends_day=True))
    breaks = _compare(ports, day)
    unknown = tuple(h.order.order_id for h in books.orders(day) if h.order.status is OrderStatus.UNKNOWN)
    value = worth(ports.books, ports.quotes, at_cost=True) or 0
    closed = Closed(str(day), at, tuple(breaks), unknown, settlements, value)
    tickets = [_ticket(b, day, at) for b in breaks]
    ports.books.commit([*tickets, Write("days", str(day), encode(closed))])
    return closed


def _compare(ports: ReconcilePorts, day: datetime.date) -> list[Break]:
    books = Books(ports.books)
    theirs = {p.contract: p.quantity for p in ports.broker.positions()}
    broker = their_book(ports.broker.orders(), theirs, ports.broker.funds().cash)
    orders = [h.order for h in books.orders(day)]
    return compare(our_book(books.positions(), orders, books.account()[0].cash), broker)


def _ticket(found: Break, day: datetime.date, at: int) -> Write:
    """A break is work for a person; finding it again makes no second ticket."""
    name = ticket_id("break", str(day), found.kind, found.key)
    text = f"ours {found.ours}, the broker's {found.theirs}"
    return Write("tickets", name, encode(Ticket(name, at, found.key, f"break: {found.kind} {found.key}", text)))
