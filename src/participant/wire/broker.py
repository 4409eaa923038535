"""The broker's tongue, as Indian broker APIs speak it: orders and books as JSON, and which answers prove what.

Prices go as text in rupees ("123.45"), so that no digit is lost; `filled_value`, costs and money go in paise.
"""

from typing import Literal

from msgspec import Raw, Struct

from participant.core import guarantees
from participant.core.guarantees import Dedup, Finding, Guarantees, Reject, Said, unread
from participant.core.market import Quote
from participant.core.matching import OrderRequest
from participant.core.order import Answer, OrderView
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Side
from participant.wire.json import Malformed, decode
from participant.wire.rupees import price_of, rupees

# A 400 of any other kind proves nothing: brokers have answered "request timed out" with one, and filled the order.
VENUE = Guarantees(
    broker="venue",
    tag_length_max=17,
    dedup_by_tag=Dedup.NO,
    found_by=Finding.TAG,
    per_second=0,
    per_minute=0,
    per_day=10_000,
    modifications_max=0,
    changes_limit_alone=True,
    order_types=("LIMIT",),
    validities=("DAY",),
    products=("NRML",),
    has_market_orders=False,
    is_sliced=False,
    has_order_updates=True,
    has_settlements=True,
    has_reasons=True,
    has_quote_times=True,
    session_ends="",
    rejects=(
        Reject(400, "InputException", "", "venue-input"),
        Reject(400, "OrderException", "", "venue-order"),
        Reject(429, "RateException", "", "venue-rate", is_retriable=True),
    ),
)

SIDES: dict[Side, Literal["BUY", "SELL"]] = {Side.BUY: "BUY", Side.SELL: "SELL"}


class PlaceOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """A new order. Market orders do not exist here."""

    tag: str
    tradingsymbol: str
    transaction_type: Literal["BUY", "SELL"]
    quantity: int
    price: str
    order_type: Literal["LIMIT"] = "LIMIT"
    validity: Literal["DAY"] = "DAY"


class ModifyOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """What an open order shall become."""

    quantity: int
    price: str


class OrderRow(Struct, frozen=True):
    """An order of the day's book, and of the update stream. `updated_at` in ns."""

    order_id: str
    tag: str
    tradingsymbol: str
    transaction_type: Literal["BUY", "SELL"]
    quantity: int
    filled_quantity: int
    pending_quantity: int
    filled_value: int
    average_price: str
    status: Literal["OPEN", "COMPLETE", "CANCELLED", "REJECTED"]
    status_message: str
    updated_at: int


class PositionRow(Struct, frozen=True):
    """A line of the position book; `cost` in paise."""

    tradingsymbol: str
    quantity: int
    cost: int


class FundsRow(Struct, frozen=True):
    """Money in paise."""

    cash: int
    margin_used: int


class QuoteRow(Struct, frozen=True):
    """The best bid and ask of one contract; `exchange_at` in ns."""

    bid: str
    ask: str
    bid_quantity: int
    ask_quantity: int
    exchange_at: int


class Placed(Struct, frozen=True):
    """The order that an answer is about."""

    order_id: str


class Margin(Struct, frozen=True):
    """The margin that orders need, in paise."""

    total: int


class Reply(Struct, frozen=True, omit_defaults=True):
    """The envelope of every answer: `data` on success, else what kind of error it is, in words too."""

    status: Literal["success", "error"]
    data: Raw = Raw(b"null")
    error_type: str = ""
    message: str = ""


def price(text: str) -> int:
    """A price from text in rupees; raises Malformed."""
    try:
        return price_of(text)
    except ValueError as fault:
        raise Malformed(str(fault)) from fault


def asked(request: OrderRequest) -> PlaceOrder:
    """A request in the broker's words."""
    words = (request.tag, request.contract, SIDES[request.side], request.quantity, rupees(request.limit))
    return PlaceOrder(*words)


def requested(order: PlaceOrder) -> OrderRequest:
    """A request from the broker's words; raises Malformed."""
    side = Side(order.transaction_type.lower())
    return OrderRequest(order.tag, order.tradingsymbol, side, order.quantity, price(order.price))


def row_of(view: OrderView) -> OrderRow:
    """An order as the book's JSON has it."""
    done = view.cum_quantity
    average = view.cum_value * PRICE_UNITS_PER_PAISA // done if done else 0
    return OrderRow(
        order_id=view.broker_order_id,
        tag=view.tag,
        tradingsymbol=view.contract,
        transaction_type=SIDES[view.side],
        quantity=view.quantity,
        filled_quantity=done,
        pending_quantity=view.quantity - done if view.status == "open" else 0,
        filled_value=view.cum_value,
        average_price=rupees(average),
        status=view.status.upper(),  # type: ignore[arg-type]  # the four words of OrderView in capitals
        status_message=view.reason,
        updated_at=view.updated_at,
    )


def view_of(row: OrderRow) -> OrderView:
    """An order from the book's JSON."""
    head = (row.tag, row.order_id, row.tradingsymbol, Side(row.transaction_type.lower()), row.quantity)
    return OrderView(
        *head, row.filled_quantity, row.filled_value, row.status.lower(), row.status_message, row.updated_at
    )


def quote_row(quote: Quote) -> QuoteRow:
    """A quote in the broker's words."""
    return QuoteRow(rupees(quote.bid), rupees(quote.ask), quote.bid_size, quote.ask_size, quote.exchange_at)


def quote_of(row: QuoteRow) -> Quote:
    """A quote from the broker's words; raises Malformed."""
    return Quote(price(row.bid), price(row.ask), row.bid_quantity, row.ask_quantity, row.exchange_at)


def classify(status: int, body: bytes) -> Answer:
    """What the answer to an order proves, by the venue's guarantees."""
    try:
        reply = decode(body, Reply)
        is_success = reply.status == "success"
        placed = decode(bytes(reply.data), Placed).order_id if is_success and status < 300 else ""
    except Malformed as fault:
        return unread(status, fault)
    return guarantees.classify(VENUE, Said(status, is_success, placed, reply.error_type, reply.message))
