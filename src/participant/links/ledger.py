"""Book events into the books: position, cash, margin in use, and what goes with them, in one commit."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import post, release
from participant.core.books import Fill
from participant.core.delivery import delivery_margin
from participant.core.margin import margin
from participant.core.market import MarketState
from participant.core.messages import Write
from participant.core.position import (
    Adjusted,
    Booked,
    BookEvent,
    Declared,
    Delivered,
    Filled,
    Holding,
    Position,
    Revised,
    apply,
    delivered_units,
    delivery_price,
    forget_orders,
)
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind
from participant.core.session import day_of
from participant.links.books import Books
from participant.ports import Store, StoreBroken
from participant.wire.json import encode

CONFLICTS_MAX = 20
UNKNOWN_VOLATILITY = 0.15  # a year; what margins go by where no look-back says more


class Entry(Struct, frozen=True):
    """Book events of one scrip, the rows that go with them, and the order whose reservation changes.

    `known` is the tradebook's row of that order: what stands there is booked, also once the position has forgotten it.
    """

    scrip: str
    at: int
    events: Sequence[BookEvent]
    rows: Sequence[Write] = ()
    order_id: str = ""
    margin_left: int = 0
    known: Fill | None = None
    ends_day: bool = False


class EventRow(Struct, frozen=True, rename="camel"):
    """A row of the tradebook that is no fill: `quantity` units were settled or expired at `price`, or taken over.

    Of a contract that was revised it holds the new terms, and the units that are held. What ended by delivery has a
    row, and the shares that changed hands for it one of their own. `note` says who declared a cover, and why.
    """

    kind: str
    scrip: str
    contract: Contract
    quantity: int
    price: int
    cash: int
    at: int
    note: str = ""


def enter(books: Store, rules: Rulebook, market: MarketState | None, entry: Entry) -> None:
    """Book an entry; another writer's commit in between makes it start anew, a bounded number of times."""
    for _ in range(CONFLICTS_MAX):
        if books.commit(_writes(books, rules, market, entry)):
            return
    raise StoreBroken(f"books: {entry.scrip} could not be booked in {CONFLICTS_MAX} tries; another process writes it")


def _writes(store: Store, rules: Rulebook, market: MarketState | None, entry: Entry) -> list[Write]:
    books = Books(store)
    (position, version), (account, account_version), cash = books.position(entry.scrip), books.account(), 0
    if entry.known is not None:
        position = remember(position, entry.known)
    rows = list(entry.rows)
    for event in entry.events:
        before = position
        position, moved = apply(before, event)
        cash += moved
        rows += [] if position == before else _event_rows(before, event, moved)
    position = forget_orders(position) if entry.ends_day else position
    account = post(account, entry.scrip, cash, margin_used(rules, market, position, entry.at))
    if entry.order_id:
        account = release(account, entry.order_id, entry.margin_left)
    return [
        Write("positions", entry.scrip, encode(position), version),
        Write("account", "account", encode(account), account_version),
        *rows,
    ]


def _event_rows(before: Position, event: BookEvent, moved: int) -> list[Write]:
    """What the tradebook keeps of an event that is no fill (a fill has its own rows)."""
    if isinstance(event, Filled):
        return []
    held = next((h for h in before.holdings if h.contract.key == event.contract.key), Holding(event.contract, 0, 0))
    kind = type(event).__name__.lower()
    if isinstance(event, Adjusted):
        figures = (event.quantity - held.quantity, 0, moved)
    elif isinstance(event, Revised):
        figures = (held.quantity, 0, moved)
    elif isinstance(event, Declared):
        figures = (event.quantity - held.quantity, event.price, moved)
    else:
        figures = (held.quantity, event.price, moved)
    note = f"{event.by}: {event.note}" if isinstance(event, Declared) else ""
    row = EventRow(kind, before.scrip, event.contract, *figures, event.at, note)
    told = [row, _shares_row(before, held, event)] if isinstance(event, Delivered) else [row]
    return [_event_write(one, event.contract.key) for one in told if one.quantity or one is row]


def _shares_row(before: Position, ended: Holding, event: Delivered) -> EventRow:
    """The shares that came in or went out, at what was paid for each; their cash is in the row of what ended."""
    units = delivered_units(event.contract, ended.quantity, event.price)
    return EventRow(
        "shares", before.scrip, event.shares, units, delivery_price(event.contract, event.price), 0, event.at
    )


def _event_write(row: EventRow, key: str) -> Write:
    return Write("events", f"{day_of(row.at)}/{row.at}-{row.kind}-{key}", encode(row))


def remember(position: Position, known: Fill) -> Position:
    """The position with an order of an earlier, closed day in mind, so that a late report of it books no unit twice."""
    booked = {known.order_id: Booked(known.quantity, known.value, known.charges), **position.booked}
    return replace(position, booked=booked)


def margin_used(rules: Rulebook, market: MarketState | None, position: Position, at: int) -> int:
    """The margin (paise) that the holdings need.

    With no market known it is estimated at what a future held was last settled at or bought for, and at
    UNKNOWN_VOLATILITY; of options alone, what they cost stands in for it.
    """
    holdings = [h for h in position.holdings if h.contract.kind is not Kind.STOCK and h.quantity]
    if not holdings:
        return 0
    future = next((h for h in holdings if h.contract.kind is Kind.FUTURE and h.cost * h.quantity > 0), None)
    if market is not None:
        history, spot = market.look_back.iv30, market.spot
    elif future is not None:
        history, spot = (), future.cost * PRICE_UNITS_PER_PAISA // future.quantity
    else:
        return sum(abs(h.cost) for h in holdings)
    legs, rates = [(h.contract, h.quantity) for h in holdings], rules.margin_rates(position.scrip, day_of(at))
    due = delivery_margin(rules, legs, spot, day_of(at))
    return due + margin(rates, legs, spot, history[-1] if history else UNKNOWN_VOLATILITY, at)
