"""After hours: the day's settlement into the books, our books against the broker's, every difference a Break."""

import datetime

from msgspec import Struct

from participant.core.account import Account
from participant.core.books import Break, closing_events, compare, our_book, their_book
from participant.core.ids import digest
from participant.core.market import MarketState
from participant.core.order import Order, OrderStatus
from participant.core.position import Position
from participant.core.rulebook import Rulebook
from participant.links.ledger import Entry, enter
from participant.ports import BrokerBooks, Store, Ticket, Write
from participant.wire.json import decode, encode


class ReconcilePorts(Struct, frozen=True):
    """What reconciliation needs of the world."""

    books: Store
    quotes: Store
    broker: BrokerBooks


class Closed(Struct, frozen=True):
    """How a day ended: the differences found, and the orders whose fate is still unknown."""

    day: str
    at: int
    breaks: tuple[Break, ...]
    unknown: tuple[str, ...]
    settlements: dict[str, int]


def close_day(ports: ReconcilePorts, rules: Rulebook, day: datetime.date, at: int) -> Closed | None:
    """Settle, compare, and record how the day ended; None while the settlement prices are not out.

    Running it again after a crash changes nothing: what has expired is gone, what is settled settles at nothing.
    Raises BrokerDown where the broker's books cannot be read: a failed read is no empty book.
    """
    settlements = ports.broker.settlements()
    if not settlements:
        return None
    for row in ports.books.rows("positions"):
        position = decode(row.value, Position)
        state = ports.quotes.get("quotes", position.scrip)
        market = decode(state.value, MarketState) if state else None
        events = closing_events(position, settlements, day, at)
        enter(ports.books, rules, market, Entry(position.scrip, at, events, ends_day=True))
    breaks = _compare(ports, day)
    orders = [decode(r.value, Order) for r in ports.books.rows("orders", prefix=f"{day}/")]
    unknown = tuple(o.order_id for o in orders if o.status is OrderStatus.UNKNOWN)
    closed = Closed(str(day), at, tuple(breaks), unknown, settlements)
    tickets = [_ticket(b, day, at) for b in breaks]
    ports.books.commit([*tickets, Write("days", str(day), encode(closed))])
    return closed


def _compare(ports: ReconcilePorts, day: datetime.date) -> list[Break]:
    positions = [decode(r.value, Position) for r in ports.books.rows("positions")]
    orders = [decode(r.value, Order) for r in ports.books.rows("orders", prefix=f"{day}/")]
    row = ports.books.get("account", "account")
    cash = decode(row.value, Account).cash if row else 0
    theirs = {p.contract: p.quantity for p in ports.broker.positions()}
    broker = their_book(ports.broker.orders(), theirs, ports.broker.funds().cash)
    return compare(our_book(positions, orders, cash), broker)


def _ticket(found: Break, day: datetime.date, at: int) -> Write:
    """A break is work for a person; finding it again makes no second ticket."""
    name = digest("break", str(day), found.kind, found.key)
    text = f"ours {found.ours}, the broker's {found.theirs}"
    return Write("tickets", name, encode(Ticket(name, at, found.key, f"break: {found.kind} {found.key}", text)))
