"""Our books against the broker's: what we hold as orders and fills tell it, and where the two differ."""

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from participant.core.account import Account
from participant.core.order import OPEN, Order, OrderView, working
from participant.core.position import Booked, BookEvent, Expired, Filled, Position, Settled, apply, with_working
from participant.core.scrip import Contract, Kind, Side, money


class OrderReport(Struct, frozen=True, tag="report"):
    """What the gateway says of an order to the books: how much of it is filled so far, and whether it is over."""

    order_id: str
    decision_id: str
    scrip: str
    contract: Contract
    side: Side
    quantity: int
    margin: int
    cum_quantity: int
    cum_value: int
    decided_at: int
    at: int
    is_final: bool
    revision: int = 0


def report(order: Order) -> OrderReport:
    """An order as the books are told of it."""
    return OrderReport(
        order.order_id,
        order.decision_id,
        order.scrip,
        order.contract,
        order.side,
        order.quantity,
        order.margin,
        order.cum_quantity,
        order.cum_value,
        order.decided_at,
        order.filled_at or order.decided_at,
        order.status not in OPEN,
        order.revision,
    )


def filled(told: OrderReport, charges: int, day: datetime.date) -> Filled:
    """The book event in a report; `charges` (paise) are those of all that filled so far."""
    figures = (told.cum_quantity, told.cum_value, charges)
    return Filled(told.order_id, told.contract, told.side, *figures, told.at, day, is_correction=told.revision > 0)


class Fill(Struct, frozen=True, rename="camel"):
    """A row of the tradebook: what has filled of one order, with its value and charges (paise)."""

    order_id: str
    decision_id: str
    scrip: str
    contract: Contract
    side: Side
    quantity: int
    value: int
    charges: int
    at: int
    revision: int = 0


def is_news(told: OrderReport, known: Fill | None) -> bool:
    """Whether a report says more than the tradebook knows: more units, or a figure corrected since."""
    before = (known.revision, known.quantity) if known else (0, 0)
    return (told.revision, told.cum_quantity) > before


def fill_of(told: OrderReport, cost: int) -> Fill:
    """The tradebook's row for a report; `cost` is the charges of all that filled so far."""
    who = (told.order_id, told.decision_id, told.scrip, told.contract, told.side)
    return Fill(*who, told.cum_quantity, told.cum_value, cost, told.at, told.revision)


def view(position: Position, orders: Iterable[Order], day: datetime.date) -> Position:
    """The position with every fill that our orders know of, booked or not yet, and with what is still working."""
    mine = [o for o in orders if o.scrip == position.scrip]
    for order in mine:
        if order.cum_quantity or order.revision:
            charges = position.booked.get(order.order_id, Booked()).charges
            position, _ = apply(position, filled(report(order), charges, day))
    return with_working(position, working(mine))


def equity(account: Account, positions: Iterable[Position], mark: Callable[[Contract], int]) -> int:
    """What the desk is worth in paise: cash, options at their marks, futures at the gain since they were settled."""
    worth = account.cash
    for holding in (h for p in positions for h in p.holdings):
        paid = holding.cost if holding.contract.kind is Kind.FUTURE else 0
        worth += money(mark(holding.contract), holding.quantity) - paid
    return worth


def closing_events(position: Position, settlements: Mapping[str, int], day: datetime.date, at: int) -> list[BookEvent]:
    """What the end of a day does to a position: contracts that expire end, other futures settle in cash.

    `settlements` holds the official prices by underlying and by future's key; one that is missing raises KeyError,
    since nothing is ever settled at a last seen price.
    """
    events: list[BookEvent] = []
    for contract in (h.contract for h in position.holdings):
        if contract.expiry <= day:
            events.append(Expired(contract, settlements[contract.underlying], at))
        elif contract.kind is Kind.FUTURE:
            events.append(Settled(contract, settlements[contract.key], at))
    return events


class Break(Struct, frozen=True):
    """One difference between our books and the broker's."""

    kind: str
    key: str
    ours: str
    theirs: str


class Book(Struct, frozen=True):
    """One side of a reconciliation: filled units by order tag stem, net units by contract, cash in paise."""

    orders: dict[str, int]
    positions: dict[str, int]
    cash: int


CASH_TOLERANCE = 100


def compare(ours: Book, theirs: Book) -> list[Break]:
    """Every difference, over the union of what either side knows; cash may differ by a rupee of rounding."""
    breaks = _differences("order", ours.orders, theirs.orders)
    breaks += _differences("position", ours.positions, theirs.positions)
    if abs(ours.cash - theirs.cash) > CASH_TOLERANCE:
        breaks.append(Break("cash", "cash", str(ours.cash), str(theirs.cash)))
    return breaks


def _differences(kind: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> list[Break]:
    return [
        Break(kind, key, str(ours.get(key, 0)), str(theirs.get(key, 0)))
        for key in sorted({*ours, *theirs})
        if ours.get(key, 0) != theirs.get(key, 0)
    ]


def our_book(positions: Iterable[Position], orders: Iterable[Order], cash: int) -> Book:
    """Our side: orders that reached the wire, positions of all scrips, cash."""
    sent = {o.tag_stem: o.cum_quantity for o in orders if (o.sends or o.entered) and o.cum_quantity}
    held = {h.contract.key: h.quantity for p in positions for h in p.holdings}
    return Book(sent, held, cash)


def by_hand(orders: Iterable[Order]) -> dict[str, str]:
    """The broker's ids of what people did by hand in the place of these orders, and the tag stem of each."""
    return {name: o.tag_stem for o in orders for name in o.entered}


def their_book(
    orders: Sequence[OrderView], positions: Mapping[str, int], cash: int, hands: Mapping[str, str] | None = None
) -> Book:
    """The broker's side. Orders that filled nothing need no counterpart; a fill under no tag of ours does.

    `hands` gives the tag stem that stands for what was done by hand, by the broker's order id.
    """
    filled: dict[str, int] = {}
    for order in orders:
        if order.cum_quantity:
            stem = (hands or {}).get(order.broker_order_id, order.tag[:-1])
            filled[stem] = filled.get(stem, 0) + order.cum_quantity
    return Book(filled, {k: q for k, q in positions.items() if q}, cash)
