"""Tickets: work for a person, with everything needed to do it by hand. One thing makes one ticket, however often.

A ticket goes open -> acknowledged -> claimed -> closed and never back. What cannot be is said as a sentence.
"""

from msgspec import Struct
from msgspec.structs import replace

from participant.core.ids import digest
from participant.core.messages import Closing, Entry, Evidence, Stamp, Ticket, Work
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Contract, Kind, money
from participant.core.wording import at_price, counted, rupees

MAY_BE_LIVE = "MAY ALREADY BE LIVE: check the broker's book first."
DO_NOT_EXECUTE = "DO NOT EXECUTE: the decision has expired."
TICKS_ALLOWED = 2


class HandRule(Struct, frozen=True):
    """What a fill entered by hand must keep to: value (paise), and how far from the ticket's limit it may lie.

    There is no way around it: whoever means rupees where lots are asked is stopped here.
    """

    order_value_max: int
    fill_collar_max: float
    fill_collar_future_max: float


def ticket_id(kind: str, *names: str) -> str:
    """The id of the ticket that this thing makes."""
    return digest("ticket", kind, *names)


def order_ticket(order: Order, now: int, why: str = "") -> Ticket:
    """The ticket of an order that a machine cannot finish; `why` is the sentence of its decision."""
    work = work_of(order, why)
    doubt = f"{MAY_BE_LIVE} " if work.is_doubtful else ""
    what = f"{order.side} {work.quantity} {order.contract.key} at limit {order.limit / 10_000:.2f}"
    evidence = f"sent {order.sends} times, last tag {order.tag}, filled {order.cum_quantity}; {order.reason}"
    return Ticket(ticket_id("order", order.order_id), now, order.scrip, what, doubt + evidence, order.order_id, work)


def work_of(order: Order, why: str) -> Work:
    """What is left to do of an order by hand, and what is known of it at the broker; a rejection leaves no doubt."""
    left = max(0, order.quantity - order.cum_quantity)
    is_doubtful = order.status not in (OrderStatus.REJECTED, OrderStatus.DEAD)
    evidence = Evidence(order.sends, order.tag, order.reason, order.shown)
    return Work(order.contract, order.side, left, order.limit, why, order.deadline, is_doubtful, evidence)


def is_expired(ticket: Ticket, now: int) -> bool:
    """Whether its decision must no longer be carried out; `now` is market time."""
    return ticket.work is not None and now >= ticket.work.deadline


# --- its life: each is the ticket after it, or why it cannot be -------------------------------------------------------


def acknowledge(ticket: Ticket, stamp: Stamp) -> Ticket | str:
    """Somebody has seen it; the first who said so stands."""
    if ticket.closed is not None:
        return _is_closed(ticket)
    return replace(ticket, acknowledged=ticket.acknowledged or stamp)


def claim(ticket: Ticket, stamp: Stamp) -> Ticket | str:
    """One person, and no second one, is going to do it by hand."""
    if ticket.closed is not None:
        return _is_closed(ticket)
    if ticket.claimed is not None and ticket.claimed.by != stamp.by:
        return f"it is claimed by {ticket.claimed.by}"
    return replace(ticket, acknowledged=ticket.acknowledged or stamp, claimed=ticket.claimed or stamp)


def close(ticket: Ticket, how: str, stamp: Stamp, reason: str) -> Ticket | str:
    """Nothing is left to do. What another has claimed can be closed, since they may be away, but not rejected."""
    if ticket.closed is not None:
        return _is_closed(ticket)
    if how == "rejected" and ticket.claimed is not None and ticket.claimed.by != stamp.by:
        return f"it is claimed by {ticket.claimed.by}"
    return replace(ticket, closed=Closing(how, stamp.by, stamp.at, reason))


def settled(ticket: Ticket, how: str) -> Ticket:
    """The ticket closed by the machine, with how it was settled: the broker's book showed what became of its order."""
    return ticket if ticket.closed is not None else replace(ticket, closed=Closing("found", "", 0, how))


def _is_closed(ticket: Ticket) -> str:
    assert ticket.closed is not None
    return f"it is closed: {ticket.closed.reason or ticket.closed.how}"


# --- a fill made by hand ----------------------------------------------------------------------------------------------


def refusal_of(ticket: Ticket, order: Order, entry: Entry, rule: HandRule) -> str:
    """Why this fill cannot be entered, or nothing: its state, whole lots and ticks, what is left, value and price."""
    contract, before = order.contract, order.entered.get(entry.broker_order_id, (0, 0))[0]
    left = order.quantity - order.cum_quantity + before
    if ticket.closed is not None:
        return _is_closed(ticket)
    if ticket.claimed is None or ticket.claimed.by != entry.stamp.by:
        who = f"it is claimed by {ticket.claimed.by}" if ticket.claimed else "nobody has claimed it"
        return f"{who}; only who has claimed it enters its fill"
    if entry.quantity <= 0 or entry.quantity % contract.lot:
        return f"{entry.quantity} units are no whole lots of {contract.lot}"
    if entry.quantity > contract.freeze:
        return f"{entry.quantity} units are above the freeze quantity {contract.freeze} of one order"
    if entry.quantity > left:
        return f"{entry.quantity} units are more than the {left} that are left to {order.side}"
    return _misprice(order, entry, rule) or _mistime(order, entry)


def _misprice(order: Order, entry: Entry, rule: HandRule) -> str:
    contract, worth = order.contract, money(entry.price, entry.quantity)
    if entry.price <= 0 or entry.price % contract.tick:
        return f"{at_price(entry.price)} is no whole number of ticks of {at_price(contract.tick)}"
    if worth > rule.order_value_max:
        return f"its value {rupees(worth)} exceeds the {rupees(rule.order_value_max)} of one order"
    share = rule.fill_collar_max if contract.kind.is_option else rule.fill_collar_future_max
    room = max(int(order.limit * share), TICKS_ALLOWED * contract.tick)
    if abs(entry.price - order.limit) > room:
        low, high = at_price(max(0, order.limit - room)), at_price(order.limit + room)
        return f"{at_price(entry.price)} is not within {low} and {high}, round the limit {at_price(order.limit)}"
    return ""


def _mistime(order: Order, entry: Entry) -> str:
    return "it cannot have filled before it was decided" if entry.filled_at < order.decided_at else ""


def lots(units: int, contract: Contract) -> str:
    """`65 units (1 lot)`; shares have no lots."""
    if contract.kind is Kind.STOCK:
        return f"{units} shares"
    return f"{units} units ({counted(units // contract.lot, 'lot')})"
