"""OpenAlgo's tongue (version 1 of its REST): JSON in and out, in its own symbols, whatever broker is behind it.

Amounts come as numbers or as text, in rupees; both are read as their digits. Its order book carries no tag of ours.
"""

import datetime
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Literal, TypeVar

from msgspec import Raw, Struct

from participant.core import guarantees
from participant.core.guarantees import Dedup, Finding, Guarantees, Reject, Said, unread
from participant.core.market import SECOND, Quote
from participant.core.master import Listing
from participant.core.order import Answer, Order, OrderView
from participant.core.scrip import Kind, Side
from participant.core.session import IST_S
from participant.wire.json import Malformed, decode
from participant.wire.rupees import paise, price_of_number, rupees

T = TypeVar("T")

EXCHANGE = "NFO"
ANALYZE = "analyze"
UNITS_DIGITS_MAX = 12
KINDS = frozenset(Kind) - {Kind.STOCK}
SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}
ALIVE = {"open", "pending", "trigger pending"}
EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - it writes local times of India without a zone
TIMES = ("%d-%b-%Y %H:%M:%S", "%d-%m-%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S")  # each broker behind it has its own

OPENALGO = Guarantees(
    broker="openalgo",
    tag_length_max=0,
    dedup_by_tag=Dedup.UNKNOWN,
    found_by=Finding.ORDER_ID,
    per_second=10,
    per_minute=0,
    per_day=0,
    modifications_max=0,
    changes_limit_alone=False,
    order_types=("LIMIT",),
    validities=("DAY",),
    products=("NRML", "MIS"),
    has_market_orders=False,
    is_sliced=False,
    has_order_updates=True,
    has_settlements=False,
    has_reasons=False,
    has_quote_times=False,
    session_ends="with the session of the broker behind it, mostly before the next trading day",
    # Only what OpenAlgo itself says before it asks the broker: a broker's own words come through it unchecked.
    rejects=(
        Reject(403, "", "Invalid openalgo apikey", "openalgo-key"),
        Reject(429, "", "Rate limit exceeded", "openalgo-rate", is_retriable=True),
    ),
)


class Reply(Struct, frozen=True):
    """The envelope of every answer. `mode` is `analyze` where OpenAlgo traded in its sandbox."""

    status: str
    data: Raw = Raw(b"null")
    message: Any = ""
    orderid: str | int | None = None
    mode: str | None = None


class BookRow(Struct, frozen=True):
    """An order of the order book."""

    orderid: str | int
    symbol: str
    exchange: str
    action: Literal["BUY", "SELL"]
    quantity: Decimal
    order_status: str
    timestamp: str = ""


class OrderBook(Struct, frozen=True):
    """The order book."""

    orders: tuple[BookRow, ...]


class Update(Struct, frozen=True):
    """A frame of the stream; one of type `order_update` tells of an order."""

    type: str = ""
    status: str = ""
    orderid: str | int = ""
    symbol: str = ""
    exchange: str = ""
    action: Literal["BUY", "SELL"] = "BUY"
    quantity: Decimal = Decimal(0)
    order_status: str = ""
    filled_quantity: Decimal = Decimal(0)
    average_price: Decimal = Decimal(0)
    rejection_reason: str | None = None


class TradeRow(Struct, frozen=True):
    """One execution."""

    orderid: str | int
    quantity: Decimal
    average_price: Decimal


class PositionRow(Struct, frozen=True):
    """A line of the position book."""

    symbol: str
    exchange: str
    quantity: Decimal
    average_price: Decimal

    def cost(self) -> Decimal:
        """What it was bought for, in rupees; what is sold has a negative one."""
        return self.average_price * self.quantity


class FundsRow(Struct, frozen=True):
    """Money that is free, and money that is blocked."""

    availablecash: Decimal
    utiliseddebits: Decimal


class MarginRow(Struct, frozen=True):
    """What a basket needs."""

    total_margin_required: Decimal


class Level(Struct, frozen=True):
    """One level of the depth."""

    price: Decimal
    quantity: Decimal


class DepthRow(Struct, frozen=True):
    """Both sides, the best first."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]


class ListRow(Struct, frozen=True):
    """A line of the list of contracts."""

    symbol: str
    exchange: str
    instrumenttype: str | None = None
    name: str | None = None
    expiry: str | None = None
    strike: Decimal | None = None
    lotsize: Decimal | None = None
    tick_size: Decimal | None = None


class ModeRow(Struct, frozen=True):
    """Whether OpenAlgo is in its sandbox."""

    analyze_mode: bool


# --- answers ----------------------------------------------------------------------------------------------------------


def classify(status: int, body: bytes) -> tuple[Answer, bool]:
    """What the answer to an order proves, and whether it says that OpenAlgo is in its sandbox."""
    try:
        reply = decode(body, Reply)
    except Malformed as fault:
        return unread(status, fault), False
    # "success" with no id has been seen where the broker never took the order.
    said = Said(status, reply.status == "success", named(reply.orderid), "", str(reply.message or ""))
    return guarantees.classify(OPENALGO, said), reply.mode == ANALYZE


def data_of(status: int, body: bytes, kind: type[T]) -> T:
    """The data of a good answer; raises Malformed with what the other one said."""
    try:
        reply = decode(body, Reply)
    except Malformed as fault:
        raise Malformed(f"answered {status}: {fault}") from fault
    if status != 200 or reply.status != "success":
        raise Malformed(f"answered {status}: {str(reply.message)[:200]}")
    return decode(bytes(reply.data), kind)


def named(orderid: str | int | None) -> str:
    """An order id as text, whether it came as a number or not; empty where there is none."""
    return "" if orderid in (None, "", 0, "None") else str(orderid)


# --- orders -----------------------------------------------------------------------------------------------------------


def terms(order: Order, symbol: str, product: str) -> dict[str, str]:
    """An order: limit, day. There is no way to say market here."""
    return {
        "symbol": symbol,
        "exchange": EXCHANGE,
        "action": SIDES[order.side],
        "pricetype": "LIMIT",
        "product": product,
        "quantity": str(order.quantity),
        "price": rupees(order.limit),
    }


def view_of(row: BookRow, key: str, tag: str, filled: tuple[int, int]) -> OrderView:
    """An order of the book with what the trade book shows filled of it (units, paise); its time may not be said (0)."""
    head = (tag, named(row.orderid), key, Side(row.action.lower()), units(row.quantity))
    return OrderView(*head, *filled, _status(row.order_status), "", instant(row.timestamp))


def heard(row: Update, key: str, tag: str) -> OrderView:
    """An order as the stream tells of it, which says no time."""
    done = units(row.filled_quantity)
    head = (tag, named(row.orderid), key, Side(row.action.lower()), units(row.quantity), done)
    return OrderView(*head, paise(row.average_price * done), _status(row.order_status), row.rejection_reason or "")


def is_alike(view: OrderView, order: Order) -> bool:
    """Whether an order of nobody's looks like this one: that is evidence for a person, and no proof."""
    same = (view.contract, view.side, view.quantity) == (order.contract.key, order.side, order.quantity)
    return same and not view.tag


def is_exact(row: Update, tick: int) -> bool:
    """Whether the average is a price that can have been traded at: another one may have been rounded."""
    return not row.filled_quantity or (bool(tick) and (row.average_price * 10_000) % tick == 0)


def _status(said: str) -> str:
    return "open" if said.lower() in ALIVE else said.lower()


def traded(trades: Iterable[TradeRow]) -> dict[str, tuple[int, int]]:
    """Units and paise that the trade book shows of each order; raises ValueError or ArithmeticError."""
    sums: dict[str, tuple[Decimal, Decimal]] = {}
    for trade in trades:
        done, amount = sums.get(named(trade.orderid), (Decimal(0), Decimal(0)))
        sums[named(trade.orderid)] = done + trade.quantity, amount + trade.average_price * trade.quantity
    return {orderid: (units(done), paise(amount)) for orderid, (done, amount) in sums.items()}


def units(quantity: Decimal) -> int:
    """A whole number of units; ValueError where it is none."""
    if not quantity.is_finite() or quantity.adjusted() > UNITS_DIGITS_MAX or quantity != int(quantity):
        raise ValueError(f"{quantity} is no number of units")
    return int(quantity)


def quote_of(depth: DepthRow) -> Quote:
    """Best bid and ask; ValueError where they are none. OpenAlgo does not say of when they are: the time is 0."""
    best = [side[0] if side else Level(Decimal(0), Decimal(0)) for side in (depth.bids, depth.asks)]
    bid, ask = (price_of_number(level.price) for level in best)
    return Quote(bid, ask, units(best[0].quantity), units(best[1].quantity), 0)


def instant(text: str) -> int:
    """The instant (ns) of a local time of India; 0 for what is none, for every broker behind it writes its own."""
    for form in TIMES:
        try:
            passed = datetime.datetime.strptime(text, form) - EPOCH  # noqa: DTZ007 - as above, no zone is written
        except ValueError:
            continue
        return (passed // datetime.timedelta(seconds=1) - IST_S) * SECOND
    return 0


# --- contracts --------------------------------------------------------------------------------------------------------


def listings(rows: Iterable[ListRow]) -> Iterator[Listing]:
    """The futures and options of the list; raises Malformed."""
    for row in rows:
        if row.exchange != EXCHANGE or row.instrumenttype not in KINDS:
            continue
        try:
            expiry = datetime.datetime.strptime(row.expiry or "", "%d-%b-%y").date()  # noqa: DTZ007 - a day has no zone
            strike, tick = price_of_number(row.strike or Decimal(0)), price_of_number(row.tick_size or Decimal(0))
            lot = units(row.lotsize or Decimal(0))
            yield Listing(row.symbol, row.name or "", expiry, Kind(row.instrumenttype), strike, lot, tick)
        except (ValueError, ArithmeticError) as fault:
            raise Malformed(f"{row.symbol} in the list of contracts: {fault}") from fault
