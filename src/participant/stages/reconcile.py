"""After hours: the day's settlement into the books, our books against the broker's, every difference a Break."""

import datetime

from msgspec import Struct

from participant.core.books import Break, Fill, by_hand, closing_events, compare, our_book, their_book
from participant.core.market import Mark
from participant.core.messages import Ticket, Write
from participant.core.order import OPEN, Happening, OrderStatus, advance
from participant.core.rulebook import Rulebook
from participant.core.tickets import ticket_id
from participant.links.books import Books, Held, market_state, worth
from participant.links.evidence import take_in
from participant.links.ledger import Entry, enter
from participant.links.outbox import relay
from participant.ports import BrokerBooks, BrokerDown, Queue, Store
from participant.wire.json import decode, encode


class ReconcilePorts(Struct, frozen=True):
    """What reconciliation needs of the world."""

    books: Store
    quotes: Store
    broker: BrokerBooks
    fills: Queue


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
    if settlements is None:
        return None
    at, books = decode(ended.value, Mark).at, Books(ports.books)
    if _finish_orders(ports, day, at) or not _is_booked(ports.books, books, day):
        relay(ports.books, "fills", ports.fills)
        return None
    for position in books.positions():
        events = closing_events(position, settlements, day, at)
        market = market_state(ports.quotes, position.scrip)
        enter(ports.books, rules, market, Entry(position.scrip, at, events, ends_day=True))
    breaks = _compare(ports, day)
    unknown = tuple(h.order.order_id for h in books.orders(day) if h.order.status in OPEN)
    value = worth(ports.books, ports.quotes, at_cost=True) or 0
    closed = Closed(str(day), at, tuple(breaks), unknown, settlements, value)
    tickets = [_ticket(b, day, at) for b in breaks]
    ports.books.commit([*tickets, Write("days", str(day), encode(closed))])
    return closed


def _finish_orders(ports: ReconcilePorts, day: datetime.date, at: int) -> bool:
    """After the close nothing works any more: the broker's final book says what became of each order of the day.

    What was never sent is denied; what the book does not settle goes to a person. Whether anything changed.
    """
    books, views, has_changed = Books(ports.books), ports.broker.orders(), False
    for held in books.orders(day):
        shown = [v for v in views if held.order.has(v)]
        has_changed = take_in(books, held, shown) or _finish(books, held, at) or has_changed
    return has_changed


def _finish(books: Books, held: Held, at: int) -> bool:
    order = held.order
    match order.status:
        case OrderStatus.DECIDED | OrderStatus.CLAIMED:
            return books.deny(held, "the day is over")
        case OrderStatus.SENDING:
            return books.save(held, advance(order, Happening.DOUBT, reason="the day ended while it was being sent"))
        case OrderStatus.REJECTED:
            return books.hand_over(held, advance(order, Happening.GIVE_UP), at)
        case OrderStatus.UNKNOWN | OrderStatus.WORKING | OrderStatus.PARTIAL if not order.is_ticketed:
            return books.hand_over(held, order, at)
    return False


def _is_booked(store: Store, books: Books, day: datetime.date) -> bool:
    """Whether every unit that filled today stands in the tradebook."""
    rows = {r.key.rsplit("/", 1)[1]: decode(r.value, Fill).quantity for r in store.rows("fills", prefix=f"{day}/")}
    return all(rows.get(h.order.order_id, 0) == h.order.cum_quantity for h in books.orders(day))


def _compare(ports: ReconcilePorts, day: datetime.date) -> list[Break]:
    books = Books(ports.books)
    theirs = {p.contract: p.quantity for p in ports.broker.positions()}
    orders = [h.order for h in books.orders(day)]
    broker = their_book(ports.broker.orders(), theirs, ports.broker.funds().cash, by_hand(orders))
    return compare(our_book(books.positions(), orders, books.account()[0].cash), broker)


def _ticket(found: Break, day: datetime.date, at: int) -> Write:
    """A break is work for a person; finding it again makes no second ticket."""
    name = ticket_id("break", str(day), found.kind, found.key)
    text = f"ours {found.ours}, the broker's {found.theirs}"
    return Write("tickets", name, encode(Ticket(name, at, found.key, f"break: {found.kind} {found.key}", text)))
