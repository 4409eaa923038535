"""Our books: what we hold as orders and fills tell it, what a day's end does to it, and both sides of a comparison."""

import datetime
from collections.abc import Callable, Container, Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.breaks import Line
from participant.core.cover import bought, unpaid_of
from participant.core.delivery import deliveries, ends_physical
from participant.core.order import OPEN, OVER, Order, OrderStatus, OrderView, working
from participant.core.position import (
    Booked,
    BookEvent,
    Expired,
    Filled,
    Holding,
    Position,
    Settled,
    apply,
    with_working,
)
from participant.core.rulebook import Rulebook
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
    """What the desk is worth in paise: cash, options and shares at their marks, futures at the gain since settled.

    A cover that a person has declared counts by its gain since then: it is theirs, and the calls are judged beside it.
    """
    worth = account.cash
    for position, holding in ((p, h) for p in positions for h in p.holdings):
        worth += money(mark(holding.contract), holding.quantity) - unpaid_of(position, holding)
    return worth


def closing_events(
    position: Position, settlements: Mapping[str, int], rules: Rulebook, day: datetime.date, at: int
) -> list[BookEvent]:
    """What the end of a day does to a position: contracts that expire end, other futures settle in cash.

    `settlements` holds the official prices by underlying and by future's key. Where one is missing, or no rule says
    whether it ends in cash or in shares, nothing happens, since nothing is ever settled at a last seen price or by a
    guess: `unsettled` names what is left so. What expired before this day had its price then: that of today is another.
    """
    events: list[BookEvent] = []
    price, delivered = settlements.get(position.scrip), list[Holding]()
    for holding in position.holdings:
        contract = holding.contract
        marked = settlements.get(contract.key) if contract.kind is Kind.FUTURE else None
        if contract.expiry > day:
            events += [Settled(contract, marked, at)] if marked is not None else []
        elif contract.expiry < day:
            continue
        elif price is not None and (is_physical := ends_physical(rules, contract)) is not None:
            delivered += [holding] if is_physical else []
            events += [] if is_physical else [Expired(contract, price, at)]
    if price is not None and delivered:
        events += deliveries(position, delivered, price, rules.charge_rates(day), at)
    return events


def unsettled(positions: Iterable[Position], day: datetime.date) -> list[Holding]:
    """What should have ended by this day and is held still: after the day's settlement there must be nothing."""
    return [h for p in positions for h in p.holdings if h.contract.expiry <= day]


def undelivered(positions: Iterable[Position]) -> list[Holding]:
    """Shares that were delivered and never held: a call that was not covered was assigned."""
    return [h for p in positions for h in p.holdings if h.contract.kind is Kind.STOCK and h.quantity < 0]


EXTERNAL = "EXTERNAL"


class External(Struct, frozen=True, rename="camel"):
    """An order at the broker that no decision and no ticket of ours explains, as far as it was taken over."""

    order_id: str
    view: OrderView
    at: int


def external_id(broker_order_id: str) -> str:
    """What the books call an order that is not ours."""
    return f"external-{broker_order_id}"


def external_report(view: OrderView, contract: Contract, at: int) -> OrderReport:
    """What an order of somebody else's did to our account, as the books are told of it; `at` is when it was found."""
    who = (external_id(view.broker_order_id), EXTERNAL, contract.underlying, contract, view.side)
    told = (view.quantity, 0, view.cum_quantity, view.cum_value)
    return OrderReport(*who, *told, at, view.updated_at or at, view.status != "open")


def hands_of(orders: Iterable[Order]) -> dict[str, str]:
    """The broker's ids of what people did by hand in the place of these orders, and the tag stem of each."""
    return {name: o.tag_stem for o in orders for name in o.entered}


def our_lines(orders: Iterable[Order], fills: Iterable[Fill], externals: Iterable[External]) -> dict[str, Line]:
    """Our side of the day's orders: what the tradebook holds of each that reached the wire or a person."""
    booked = {f.order_id: f for f in fills}
    lines = {}
    for order in orders:
        fill = booked.pop(order.order_id, None)
        if order.sends or fill is not None:
            filled = (fill.quantity, fill.value) if fill else (0, 0)
            # What a person was given has its ticket: that it is absent makes no second one.
            is_open = order.status in (OrderStatus.WORKING, OrderStatus.PARTIAL) and not order.is_ticketed
            # What is like an order of unknown fate may be it: a person must say, before it is booked as a stranger's.
            is_handed = order.is_ticketed or order.status is OrderStatus.UNKNOWN
            head, ends = (order.contract.key, order.side, *filled), (is_open, order.status in OVER, is_handed)
            lines[order.tag_stem] = Line(*head, *ends, order.quantity)
    for external in externals:
        lines[external.order_id] = Line(external.view.contract, external.view.side, 0, 0)
    rest = {f.order_id: Line(f.contract.key, f.side, f.quantity, f.value) for f in booked.values()}
    return {**lines, **rest}


def their_lines(views: Iterable[OrderView], stems: Container[str], hands: Mapping[str, str] = {}) -> dict[str, Line]:
    """The broker's side of the day's orders: by our tag's stem where it is one of ours, else by a name of its own.

    `hands` gives the stem that stands for what was entered by hand, by the broker's order id.
    """
    lines: dict[str, Line] = {}
    for view in views:
        stem = hands.get(view.broker_order_id, view.tag[:-1])
        name = stem if stem in stems else external_id(view.broker_order_id)
        before = lines.get(name, Line(view.contract, view.side, 0, 0))
        quantity, value = before.quantity + view.cum_quantity, before.value + view.cum_value
        lines[name] = replace(before, quantity=quantity, value=value, is_open=before.is_open or view.status == "open")
    return lines


def held_units(positions: Iterable[Position]) -> dict[str, int]:
    """Our side of the positions: net units by contract, over all scrips, without what a person holds elsewhere."""
    units = {h.contract.key: bought(p, h) for p in positions for h in p.holdings}
    return {key: quantity for key, quantity in units.items() if quantity}


def in_motion(orders: Iterable[Order], views: Iterable[OrderView], since: int) -> frozenset[str]:
    """The contracts of which something changed at `since` (ns) or later, or is being sent: no difference yet."""
    ours = {o.contract.key for o in orders if o.status is OrderStatus.SENDING or max(o.sent_at, o.filled_at) >= since}
    return frozenset(ours | {v.contract for v in views if v.updated_at >= since})
