"""Kite Connect's tongue (version 3): orders as forms, books as JSON, and which of its answers prove what.

Amounts are JSON numbers of rupees; they are read as their digits, never by way of a float.
"""

import csv
import datetime
import hashlib
import hmac
import io
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, TypeVar

from msgspec import Raw

from participant.core import guarantees
from participant.core.guarantees import Dedup, Finding, Guarantees, Reject, Said, unread
from participant.core.market import SECOND, Quote
from participant.core.master import Listing
from participant.core.order import Answer, Order, OrderView
from participant.core.scrip import Kind, Side
from participant.core.session import IST_S, day_of
from participant.wire.json import Malformed, decode
from participant.wire.kite_rows import Frame, KiteOrder, KiteQuote, KiteTrade, Level, Placed, Reply
from participant.wire.rupees import paise, price_of, price_of_number, rupees

T = TypeVar("T")

EXCHANGE = "NFO"
EPOCH = datetime.datetime(1970, 1, 1)  # noqa: DTZ001 - Kite writes local times of India without a zone
ENDS_S = 6 * 3_600
LOGIN_URL = "https://kite.zerodha.com/connect/login"
COLUMNS = {"tradingsymbol", "name", "expiry", "strike", "tick_size", "lot_size", "instrument_type", "exchange"}
KINDS = frozenset(Kind) - {Kind.STOCK}
SIDES = {Side.BUY: "BUY", Side.SELL: "SELL"}

KITE = Guarantees(
    broker="kite",
    tag_length_max=20,
    dedup_by_tag=Dedup.NO,
    found_by=Finding.TAG,
    per_second=10,
    per_minute=200,
    per_day=3_000,
    modifications_max=25,
    changes_limit_alone=True,
    order_types=("LIMIT",),
    validities=("DAY",),
    products=("NRML", "MIS"),
    has_market_orders=False,
    is_sliced=False,
    has_order_updates=True,
    has_settlements=False,
    has_reasons=True,
    has_quote_times=True,
    session_ends="06:00 IST of the next day, or at the next login of the same user and app",
    # No OrderException, and no status by itself: a 400 "Order request timed out" was followed by a live order.
    rejects=(
        Reject(400, "InputException", "Missing ", "kite-input-missing"),
        Reject(400, "MarginException", "Insufficient funds. ", "kite-margin"),
        Reject(403, "TokenException", "Incorrect `api_key` or `access_token`", "kite-token"),
        Reject(403, "PermissionException", "That API call is not allowed", "kite-permission"),
        Reject(429, "NetworkException", "Too many requests", "kite-rate", is_retriable=True),
    ),
)

# On its way to the exchange or alive there. A status that is neither here nor an end says nothing of the order.
ALIVE = {
    "OPEN",
    "PUT ORDER REQ RECEIVED",
    "VALIDATION PENDING",
    "OPEN PENDING",
    "MODIFY VALIDATION PENDING",
    "MODIFY PENDING",
    "MODIFIED",
    "TRIGGER PENDING",
    "CANCEL PENDING",
    "AMO REQ RECEIVED",
    "UPDATE",
}


# --- answers ----------------------------------------------------------------------------------------------------------


def classify(status: int, body: bytes) -> Answer:
    """What the answer to an order proves, by Kite's guarantees."""
    try:
        reply = decode(body, Reply)
        is_success = reply.status == "success"
        order_id = decode(bytes(reply.data), Placed).order_id if is_success and status < 300 else ""
    except Malformed as fault:
        return unread(status, fault)
    said = Said(status, is_success, order_id, reply.error_type or "", reply.message or "")
    return guarantees.classify(KITE, said)


def is_token_dead(status: int, body: bytes) -> bool:
    """Whether an answer says that the session is over."""
    try:
        return status == 403 and decode(body, Reply).error_type == "TokenException"
    except Malformed:
        return False


def data_of(status: int, body: bytes, kind: type[T]) -> T:
    """The data of a good answer; raises Malformed with what the other one said."""
    try:
        reply = decode(body, Reply)
    except Malformed as fault:
        raise Malformed(f"answered {status}: {fault}") from fault
    if status != 200 or reply.status != "success":
        raise Malformed(f"answered {status}, {reply.error_type}: {reply.message}")
    return decode(bytes(reply.data), kind)


# --- orders -----------------------------------------------------------------------------------------------------------


def order_form(order: Order, symbol: str, product: str) -> dict[str, str]:
    """A new order: limit, day. There is no way to say market here."""
    return {**_terms(order, symbol, product), "tag": order.tag}


def change_form(order: Order) -> dict[str, str]:
    """What an open order shall become: no quantity is named, so what fills meanwhile cannot be ordered again."""
    return {"order_type": "LIMIT", "price": rupees(order.limit), "validity": "DAY"}


def basket_row(order: Order, symbol: str, product: str) -> dict[str, Any]:
    """An order in a basket whose margin is asked for; numbers as numbers."""
    price = Raw(rupees(order.limit).encode())
    terms = {**_terms(order, symbol, product), "quantity": order.quantity, "price": price, "variety": "regular"}
    return {name: value for name, value in terms.items() if name != "validity"}


def _terms(order: Order, symbol: str, product: str) -> dict[str, str]:
    return {
        "exchange": EXCHANGE,
        "tradingsymbol": symbol,
        "transaction_type": SIDES[order.side],
        "order_type": "LIMIT",
        "quantity": str(order.quantity),
        "product": product,
        "price": rupees(order.limit),
        "validity": "DAY",
    }


def view_of(row: KiteOrder, key: str, value: int | None = None) -> OrderView:
    """An order of the book; what filled is worth `value` paise, or else quantity times the average that is shown."""
    done = row.filled_quantity
    worth = paise(row.average_price * done) if value is None else value
    status = "open" if row.status in ALIVE else row.status.lower()
    tag = row.tag or next(iter(row.tags or ()), "")
    head = (tag, row.order_id, key, Side(row.transaction_type.lower()), row.quantity)
    return OrderView(*head, done, worth, status, row.status_message or "", instant(row.updated) if row.updated else 0)


def is_exact(row: KiteOrder, tick: int) -> bool:
    """Whether the average price shown is one that can have been traded at: another one may have been rounded."""
    units = row.average_price * 10_000
    return not row.filled_quantity or not tick or units % tick == 0


def traded(trades: Iterable[KiteTrade]) -> dict[str, tuple[int, int]]:
    """Units and paise that the trade book shows of each order."""
    sums: dict[str, tuple[int, Decimal]] = {}
    for trade in trades:
        units, amount = sums.get(trade.order_id, (0, Decimal(0)))
        sums[trade.order_id] = units + trade.quantity, amount + trade.average_price * trade.quantity
    return {order_id: (units, paise(amount)) for order_id, (units, amount) in sums.items()}


def order_in(frame: bytes) -> KiteOrder | None:
    """The order that a frame of the stream tells of; None for prices, heartbeats and words to people."""
    if not frame.lstrip().startswith(b"{"):
        return None
    told = decode(frame, Frame)
    return decode(bytes(told.data), KiteOrder) if told.type == "order" else None


def quote_of(quote: KiteQuote) -> Quote:
    """Best bid and ask; ValueError where they are none. A side without anybody is 0 at 0."""
    sides = [side[0] if side else Level(Decimal(0), 0) for side in (quote.depth.buy, quote.depth.sell)]
    bid, ask = (price_of_number(level.price) for level in sides)
    return Quote(bid, ask, sides[0].quantity, sides[1].quantity, instant(quote.timestamp) if quote.timestamp else 0)


def instant(text: str) -> int:
    """The instant (ns) of a local time of India, `2026-11-25 09:15:00`; raises Malformed."""
    try:
        passed = datetime.datetime.fromisoformat(text) - EPOCH
    except (ValueError, TypeError) as fault:
        raise Malformed(f"{text[:40]!r} is no time") from fault
    return (passed // datetime.timedelta(seconds=1) - IST_S) * SECOND


# --- session ----------------------------------------------------------------------------------------------------------


def session_form(api_key: str, request_token: str, api_secret: str) -> dict[str, str]:
    """The exchange of a request token for the day's access token; the secret itself never goes over the wire."""
    checksum = hashlib.sha256(f"{api_key}{request_token}{api_secret}".encode()).hexdigest()
    return {"api_key": api_key, "request_token": request_token, "checksum": checksum}


def good_on(login_time: str) -> str:
    """The day on which a token of this login is good: Kite ends all tokens at six in the morning. Raises Malformed."""
    return str(day_of(instant(login_time) - ENDS_S * SECOND))


def postback(body: bytes, api_secret: str) -> KiteOrder:
    """The order that a postback tells of; raises Malformed where its checksum does not prove that Kite sent it."""
    order = decode(body, KiteOrder)
    wanted = hashlib.sha256(f"{order.order_id}{order.order_timestamp}{api_secret}".encode()).hexdigest()
    if not hmac.compare_digest(wanted.encode(), (order.checksum or "").encode()):
        raise Malformed(f"the checksum of the postback about order {order.order_id[:40]} is wrong")
    return order


# --- contracts --------------------------------------------------------------------------------------------------------


def listings(text: str) -> Iterator[Listing]:
    """The futures and options of the list of instruments (CSV); raises Malformed."""
    rows = csv.DictReader(io.StringIO(text))
    missing = COLUMNS - set(rows.fieldnames or ())
    if missing:
        raise Malformed(f"the list of instruments has no {', '.join(sorted(missing))}: it begins {text[:60]!r}")
    for number, row in enumerate(rows, 2):
        # A line that does not name its underlying is of none: it is not guessed from the symbol.
        if row["exchange"] != EXCHANGE or row["instrument_type"] not in KINDS or not row["name"]:
            continue
        try:
            yield _listing(row)
        except (ValueError, TypeError) as fault:
            raise Malformed(f"line {number} of the list of instruments: {fault}") from fault


def _listing(row: dict[str, str]) -> Listing:
    expiry, lot = datetime.date.fromisoformat(row["expiry"]), int(row["lot_size"])
    head = (row["tradingsymbol"], row["name"], expiry, Kind(row["instrument_type"]))
    return Listing(*head, price_of(row["strike"]), lot, price_of(row["tick_size"]))
