"""How orders fill against quotes and displayed sizes, and what an exchange refuses; for the venue and the backtest.

The rules are pessimistic. An order that can trade when it arrives takes the touch, up to the size displayed there; the
rest of it rests. A resting order fills at its own limit, never better, once the opposite touch reaches it. What our
orders took of a displayed size is gone until that side's price or size changes. Nothing fills against a crossed quote.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import Quote
from participant.core.order import Order
from participant.core.scrip import Contract, Side


class OrderRequest(Struct, frozen=True):
    """What a broker is asked to place: `quantity` in units, `limit` a price. The tag is the client's own."""

    tag: str
    contract: str
    side: Side
    quantity: int
    limit: int


class Entry(Struct, frozen=True):
    """An order in the exchange's book: `left` is unfilled, `number` its place in time.

    `fill_max` (units, 0: no limit) caps what it may fill in one matching: a way to plan partial fills.
    """

    number: int
    side: Side
    limit: int
    left: int
    is_resting: bool = False
    fill_max: int = 0


class Execution(Struct, frozen=True):
    """A part of order `number` that filled: units and price."""

    number: int
    quantity: int
    price: int


class Taken(Struct, frozen=True):
    """The quote that our orders last met, and the units that they took of its bid and of its ask."""

    quote: Quote
    of_bid: int = 0
    of_ask: int = 0


def request_of(order: Order) -> OrderRequest:
    """What the broker is asked for this attempt at an order."""
    return OrderRequest(order.tag, order.contract.key, order.side, order.quantity, order.limit)


def refusal(contract: Contract | None, request: OrderRequest) -> str:
    """Why an exchange does not take such an order, or an empty string."""
    if contract is None:
        return f"unknown contract {request.contract}"
    if request.limit <= 0:
        return "the price must be above zero"
    if request.limit % contract.tick:
        return f"the price is not a multiple of the tick ({contract.tick} of 1/10,000)"
    if request.quantity <= 0 or request.quantity % contract.lot:
        return f"the quantity is not a multiple of the lot ({contract.lot})"
    if request.quantity > contract.freeze:
        return f"the quantity is above the freeze quantity ({contract.freeze})"
    return ""


def met(quote: Quote, taken: Taken | None) -> Taken:
    """What is taken of this quote: a side keeps its count while its price and size stay as they were."""
    if taken is None:
        return Taken(quote)
    old = taken.quote
    is_same_bid = (old.bid, old.bid_size) == (quote.bid, quote.bid_size)
    is_same_ask = (old.ask, old.ask_size) == (quote.ask, quote.ask_size)
    return Taken(quote, taken.of_bid if is_same_bid else 0, taken.of_ask if is_same_ask else 0)


def match(orders: Iterable[Entry], quote: Quote, taken: Taken | None = None) -> tuple[list[Execution], Taken]:
    """What these orders of one contract fill against a quote, best price first and then oldest, and what is taken."""
    taken = met(quote, taken)
    if 0 < quote.ask <= quote.bid:
        return [], taken
    waiting = list(orders)
    buys = sorted((o for o in waiting if o.side is Side.BUY), key=lambda o: (-o.limit, o.number))
    sells = sorted((o for o in waiting if o.side is Side.SELL), key=lambda o: (o.limit, o.number))
    bought = _take(buys, quote.ask, quote.ask_size - taken.of_ask)
    sold = _take(sells, quote.bid, quote.bid_size - taken.of_bid)
    of_bid = taken.of_bid + sum(e.quantity for e in sold)
    of_ask = taken.of_ask + sum(e.quantity for e in bought)
    return bought + sold, replace(taken, of_bid=of_bid, of_ask=of_ask)


def _take(orders: Sequence[Entry], touch: int, displayed: int) -> list[Execution]:
    """The executions of one side's orders, best first, against the opposite touch."""
    executions = []
    for order in orders:
        can_trade = touch > 0 and order.side.sign * (order.limit - touch) >= 0
        quantity = min(order.left, displayed, order.fill_max or order.left)
        if not can_trade or quantity <= 0:
            continue
        executions.append(Execution(order.number, quantity, order.limit if order.is_resting else touch))
        displayed -= quantity
    return executions
