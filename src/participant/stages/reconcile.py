"""Our books against the broker's: while the day runs, and after hours with the day's settlement. It never trades."""

import datetime
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.books import Fill, closing_events, in_motion, undelivered, unsettled
from participant.core.breaks import (
    COMPARED,
    FUNDS,
    ORDERS,
    POSITIONS,
    Aged,
    Break,
    BreakKind,
    ReconcileRule,
    age,
    compare,
    made,
    not_recent,
)
from participant.core.cover import declared_cost
from participant.core.market import SECOND, Mark
from participant.core.messages import Write
from participant.core.order import OPEN, Happening, OrderStatus, advance
from participant.core.position import BookEvent, Position, apply
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.links.agreement import Agreement
from participant.links.books import Books, Held, market_state, worth
from participant.links.breaks import Looks, looks, rows_of, standing
from participant.links.broker_side import Shown, externals, read, sides, take_over
from participant.links.brought import Brought, brought_rows
from participant.links.evidence import take_in
from participant.links.ledger import Entry, enter
from participant.links.look_backs import closing_rows
from participant.links.marks import delivery_rows, marks_row
from participant.links.outbox import relay
from participant.links.shadow import Seen, follow
from participant.ports import BrokerBooks, BrokerDown, Queue, Store
from participant.wire.json import decode, encode


class ReconcilePorts(Struct, frozen=True):
    """What reconciliation needs of the world."""

    books: Store
    quotes: Store
    broker: BrokerBooks
    fills: Queue


# --- while the day runs -----------------------------------------------------------------------------------------------


class Reconcile:
    """Compares what is due, takes over what the broker's books prove, lets every other difference age."""

    def __init__(self, ports: ReconcilePorts, rule: ReconcileRule, rules: Rulebook) -> None:
        """All that it must know between two steps stands in the books; what agreed last saves work, and no more."""
        self.ports, self.rule, self.rules, self.books = ports, rule, rules, Books(ports.books)
        self.agreement = Agreement(ports.books)

    def step(self, now: int) -> bool:
        """Compare what is due at `now` (ns of the market); True where the books must take something in first."""
        day = day_of(now)
        seen = looks(self.ports.books, day)
        kinds = due(seen, now, self.rule)
        if not kinds or self.ports.books.get("ended", str(day)) is not None:
            return False
        if self.books.shadowed is not None:
            is_read = follow(Seen(self.ports.books, self.ports.quotes, self.rules, self.ports.broker), now)
            return self._note(day, asked(seen, kinds, now, Shown([]) if is_read else Shown(failed=1)), [])
        shown = read(self.ports.broker, kinds)
        if shown.orders is None:
            return self._note(day, asked(seen, kinds, now, shown), [])
        agrees = self.agreement.holds(day, shown)
        newest = 0 if agrees else self.agreement.newest(day)
        has_news = not agrees and take_over(self.books, self.ports.quotes, day, shown.orders, now)
        relay(self.ports.books, "fills", self.ports.fills)
        if has_news or self.ports.fills.depth().waiting:
            return True
        if agrees:
            return self._note(day, asked(seen, kinds, now, shown), [])
        # While something fills, cash and margin are on their way: they stay due.
        busy = self._busy(day, shown, now)
        kinds -= FUNDS if busy else frozenset()
        aged = self.aged(day, shown, readable(kinds, shown), now)
        if not (busy or aged.standing or aged.ended):
            self.agreement.keep(self.books, day, shown, newest)
        rows = rows_of(self.ports.books, aged, self.rule.ticket_after_cycles)
        return self._note(day, asked(seen, kinds, now, shown), rows)

    def aged(self, day: datetime.date, shown: Shown, looked_at: frozenset[BreakKind], now: int) -> Aged:
        """The breaks as they stand after comparing these kinds with what the broker showed."""
        before, busy = standing(self.ports.books), self._busy(day, shown, now)
        found = [b for b in compare(*sides(self.books, day, shown), self.rule) if b.kind in looked_at]
        return age(before, not_recent(found, before, busy), looked_at, now)

    def _busy(self, day: datetime.date, shown: Shown, now: int) -> frozenset[str]:
        orders = [h.order for h in self.books.orders(day)]
        return in_motion(orders, shown.orders or [], now - self.rule.recent_s * SECOND)

    def _note(self, day: datetime.date, seen: Looks, rows: list[Write]) -> bool:
        self.ports.books.commit([*rows, Write("looks", str(day), encode(seen))])
        return False


def due(seen: Looks, now: int, rule: ReconcileRule) -> frozenset[BreakKind]:
    """What is to be compared at `now`: whatever was not compared for its time."""
    every = (
        (ORDERS, seen.orders_at, rule.orders_every_s),
        (POSITIONS, seen.positions_at, rule.positions_every_s),
        (FUNDS, seen.funds_at, rule.funds_every_s),
    )
    return frozenset().union(*(kinds for kinds, at, seconds in every if now - at >= seconds * SECOND))


def asked(seen: Looks, kinds: frozenset[BreakKind], now: int, shown: Shown) -> Looks:
    """What was asked when, and how often in vain; what could not be read is asked again when it is due again."""
    return Looks(
        orders_at=now if kinds else seen.orders_at,  # the orders are read with whatever else is
        positions_at=now if kinds & POSITIONS else seen.positions_at,
        funds_at=now if kinds & FUNDS else seen.funds_at,
        compared=seen.compared + (shown.orders is not None),
        failed=seen.failed + shown.failed,
        failed_in_a_row=seen.failed_in_a_row + 1 if shown.failed else 0,
    )


def readable(kinds: frozenset[BreakKind], shown: Shown) -> frozenset[BreakKind]:
    """What can be compared with what was read: a failed query is not an empty book."""
    unread = (POSITIONS if shown.positions is None else frozenset()) | (FUNDS if shown.funds is None else frozenset())
    return (kinds | ORDERS) - unread


# --- after hours ------------------------------------------------------------------------------------------------------


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
    if books.shadowed is not None:
        return _close_shadow(ports, rules, Closed(str(day), at, (), (), settlements, 0), day)
    if _finish_orders(ports, day, at) or not _is_booked(ports.books, books, day):
        relay(ports.books, "fills", ports.fills)
        return None
    left = settle_day(ports, rules, settlements, (day, at))
    shown = read(ports.broker, COMPARED)
    if shown.failed:
        return None
    closed = Closed(str(day), at, (), (), settlements, 0)
    return _record(ports, rules, day, closed, _last_look(ports, day, at, shown, left))


def _close_shadow(ports: ReconcilePorts, rules: Rulebook, closed: Closed, day: datetime.date) -> Closed | None:
    """A shadow's day settles and compares nothing: what was not judged is denied, the account followed once more."""
    books = Books(ports.books)
    finished = [_finish(books, held, closed.at) for held in books.orders(day)]
    if any(finished):
        relay(ports.books, "fills", ports.fills)
        return None
    if not follow(Seen(ports.books, ports.quotes, rules, ports.broker), closed.at):
        return None
    return _record(ports, rules, day, closed, Aged((), ()))


def settle_day(
    ports: ReconcilePorts, rules: Rulebook, settlements: dict[str, int], when: tuple[datetime.date, int]
) -> list[Break]:
    """The settlement of a day as a step of its own: what expires ends, futures are marked, and nothing may be left.

    Returns a break for each contract that has expired and is held still, because its official price is missing, and for
    shares that were to be delivered and were not there.
    """
    (day, at), books = when, Books(ports.books)
    for position in books.positions():
        events = closing_events(position, settlements, rules, day, at)
        market = market_state(ports.quotes, position.scrip)
        rows = [*delivery_rows(position, events, day), *_taken_from_a_person(ports.books, position, events, (day, at))]
        enter(ports.books, rules, market, Entry(position.scrip, at, events, rows, ends_day=True))
    left, short = unsettled(books.positions(), day), undelivered(books.positions())
    found = [(BreakKind.EXPIRED, h) for h in left] + [(BreakKind.DELIVERY, h) for h in short]
    return [made(kind, h.contract.key, str(h.quantity), "0", at) for kind, h in found]


def _taken_from_a_person(
    books: Store, position: Position, events: Sequence[BookEvent], when: tuple[datetime.date, int]
) -> list[Write]:
    """What a person's own shares bring in that are delivered: the cash is the desk's, and no gain of the day."""
    (day, at), after = when, position
    for event in events:
        after, _ = apply(after, event)
    theirs = declared_cost(position) - declared_cost(after)
    return brought_rows(books, day, Brought(theirs, at), f"{position.scrip}-delivered") if theirs else []


def _last_look(ports: ReconcilePorts, day: datetime.date, at: int, shown: Shown, left: list[Break]) -> Aged:
    """The comparison of everything after the close, when nothing is in motion any more."""
    found = compare(*sides(Books(ports.books), day, shown))
    return age(standing(ports.books), [*found, *left], COMPARED | {BreakKind.EXPIRED, BreakKind.DELIVERY}, at)


def _record(ports: ReconcilePorts, rules: Rulebook, day: datetime.date, closed: Closed, aged: Aged) -> Closed:
    """Write down how the day ended: a ticket for each break that stands, the marks and closes that tomorrow needs."""
    orders = Books(ports.books).orders(day)
    closed = replace(
        closed,
        breaks=tuple(aged.standing),
        unknown=tuple(h.order.order_id for h in orders if h.order.status in OPEN),
        worth=worth(ports.books, ports.quotes, at_cost=True) or 0,
    )
    writes = rows_of(ports.books, aged, ticket_after_cycles=1)
    marks = marks_row(ports.books, ports.quotes, day, closed.at)
    closings = closing_rows(ports.quotes, rules, day, closed.settlements)
    feeds = ports.quotes.get("feeds", "status")
    told = [Write("feeds", str(day), feeds.value)] if feeds else []
    ports.books.commit([*writes, marks, *closings, *told, Write("days", str(day), encode(closed))])
    return closed


def _finish_orders(ports: ReconcilePorts, day: datetime.date, at: int) -> bool:
    """After the close nothing works any more: the broker's final book says what became of each order of the day.

    What was never sent is denied; what the book does not settle goes to a person. Whether anything changed.
    """
    views, books = ports.broker.orders(), Books(ports.books)
    has_changed = take_over(books, ports.quotes, day, views, at)
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
    """Whether every unit that filled today stands in the tradebook, of orders that are not ours as well."""
    rows = {r.key.rsplit("/", 1)[1]: decode(r.value, Fill).quantity for r in store.rows("fills", prefix=f"{day}/")}
    wanted = {h.order.order_id: h.order.cum_quantity for h in books.orders(day)}
    wanted |= {e.order_id: e.view.cum_quantity for e in externals(store, day)}
    return all(rows.get(name, 0) == quantity for name, quantity in wanted.items())
