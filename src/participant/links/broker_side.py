"""The broker's books beside ours: read, taken over where they are evidence, put into the same shape."""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from msgspec import Struct

from participant.core.books import (
    EXTERNAL,
    External,
    Fill,
    external_id,
    external_report,
    hands_of,
    held_units,
    our_lines,
    their_lines,
)
from participant.core.breaks import FUNDS, POSITIONS, Book, BreakKind, Line, awaits_a_person, by_hand
from participant.core.market import Reference
from participant.core.messages import BrokerPosition, Funds, Message, Ticket, Write
from participant.core.order import Order, OrderStatus, OrderView
from participant.core.scrip import Contract
from participant.core.tickets import ticket_id
from participant.links.books import Books
from participant.links.evidence import take_in
from participant.links.outbox import promise
from participant.ports import BrokerBooks, BrokerDown, Store
from participant.wire.json import decode, encode

T = TypeVar("T")


class Shown(Struct, frozen=True):
    """What the broker's books showed; `None` is what was not asked or could not be read, and `failed` counts that."""

    orders: list[OrderView] | None = None
    positions: list[BrokerPosition] | None = None
    funds: Funds | None = None
    failed: int = 0


def read(broker: BrokerBooks, kinds: frozenset[BreakKind]) -> Shown:
    """Read what these kinds need. The orders come last: what filled meanwhile is then seen as in motion."""
    failures: list[str] = []

    def ask(query: Callable[[], T]) -> T | None:
        try:
            return query()
        except BrokerDown as fault:
            failures.append(str(fault))
            return None

    positions = ask(broker.positions) if kinds & POSITIONS else None
    funds = ask(broker.funds) if kinds & FUNDS else None
    return Shown(ask(broker.orders), positions, funds, len(failures))


def take_over(books: Books, quotes: Store, day: datetime.date, views: list[OrderView], now: int) -> bool:
    """Take the broker's evidence over: what became of our orders, and orders that are not ours. Whether any was new.

    An order that is being sent is left to the gateway, which waits for its answer.
    """
    has_changed, by_stem = False, defaultdict[str, list[OrderView]](list)
    by_id = {view.broker_order_id: view for view in views}
    for view in views:
        by_stem[view.tag[:-1]].append(view)
    for held in books.orders(day):
        named = [by_id[name] for name in held.order.entered if name in by_id]
        mine = [v for v in (*by_stem[held.order.tag_stem], *named) if held.order.has(v)]
        if mine and held.order.status is not OrderStatus.SENDING:
            has_changed = take_in(books, held, mine) or has_changed
    return _take_foreign(books, quotes, day, views, now) or has_changed


def _take_foreign(books: Books, quotes: Store, day: datetime.date, views: list[OrderView], now: int) -> bool:
    """Take over each order that no decision and no ticket explains, one of an unknown contract excepted."""
    store, orders = books.store, [h.order for h in books.orders(day)]
    lines = their_lines(views, {o.tag_stem for o in orders}, hands_of(orders))
    ours, theirs = by_hand(_ours_of_day(store, day, orders), lines)
    known, contracts, has_changed = {e.order_id: e for e in externals(store, day)}, dict[str, Contract](), False
    for view in views:
        name = external_id(view.broker_order_id)
        line = theirs.get(name)
        before = known.get(name)
        if line is None or (before is not None and before.view == view) or not (line.quantity or line.is_open):
            continue
        contracts = contracts or contracts_of(store, quotes, day)
        if view.contract in contracts and (before is not None or not awaits_a_person(line, ours.values())):
            has_changed = store.commit(_external_rows(store, contracts[view.contract], view, day, now)) or has_changed
    return has_changed


def _external_rows(store: Store, contract: Contract, view: OrderView, day: datetime.date, now: int) -> list[Write]:
    """What stands in the books of an order that is not ours: itself, its ticket once, and what filled on its way."""
    told = external_report(view, contract, now)
    row = store.get("external", f"{day}/{told.order_id}")
    first = decode(row.value, External).at if row else now
    external = External(told.order_id, view, first)
    writes = [Write("external", f"{day}/{told.order_id}", encode(external), row.version if row else 0)]
    if row is None:
        writes.append(_external_ticket(external, contract))
    if view.cum_quantity > (decode(row.value, External).view.cum_quantity if row else 0):
        name = f"{told.order_id}-{told.cum_quantity}-{int(told.is_final)}"
        writes.append(promise("fills", Message(name, contract.underlying, encode(told))))
    return writes


def _external_ticket(external: External, contract: Contract) -> Write:
    view = external.view
    title = f"not ours: {view.side} {view.quantity} {view.contract}"
    detail = (
        f"the broker's order {view.broker_order_id} ({view.status}, {view.cum_quantity} filled) has no decision and no "
        f"ticket: booked as {EXTERNAL}, reduce-only until this is closed; find out who or what traded"
    )
    name = ticket_id("external", external.order_id)
    ticket = Ticket(name, external.at, contract.underlying, title, detail, external.order_id)
    return Write("tickets", name, encode(ticket), 0)


def externals(store: Store, day: datetime.date) -> list[External]:
    """The orders of a day that are not ours, as far as they were taken over."""
    return [decode(r.value, External) for r in store.rows("external", prefix=f"{day}/")]


def fills_of(store: Store, day: datetime.date) -> list[Fill]:
    """A day's tradebook: one row an order."""
    return [decode(r.value, Fill) for r in store.rows("fills", prefix=f"{day}/")]


def _ours_of_day(store: Store, day: datetime.date, orders: Iterable[Order]) -> dict[str, Line]:
    """Our side of a day's orders."""
    return our_lines(orders, fills_of(store, day), externals(store, day))


def sides(books: Books, day: datetime.date, shown: Shown) -> tuple[Book, Book]:
    """Our books and the broker's, as far as the broker's could be read."""
    orders, account = [h.order for h in books.orders(day)], books.account()[0]
    ours = Book(_ours_of_day(books.store, day, orders), held_units(books.positions()), account.cash, account.committed)
    if shown.orders is None:
        return ours, Book()
    lines = their_lines(shown.orders, {o.tag_stem for o in orders}, hands_of(orders))
    held = {p.contract: p for p in shown.positions or () if p.quantity}
    units = {key: p.quantity for key, p in held.items()} if shown.positions is not None else None
    cash, margin = (shown.funds.cash, shown.funds.margin_used) if shown.funds is not None else (None, None)
    return ours, Book(lines, units, cash, margin, {key: p.cost for key, p in held.items()})


def contracts_of(store: Store, quotes: Store, day: datetime.date) -> dict[str, Contract]:
    """Every contract that we know of today, by its key."""
    books = Books(store)
    known = [c for r in quotes.rows("reference") for c in decode(r.value, Reference).contracts]
    known += [h.order.contract for h in books.orders(day)]
    known += [h.contract for p in books.positions() for h in p.holdings]
    return {c.key: c for c in known}
