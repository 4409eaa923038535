"""Tickets: work for a person, with everything needed to do it by hand. One thing makes one ticket, however often."""

from msgspec.structs import replace

from participant.core.ids import digest
from participant.core.messages import Ticket
from participant.core.order import Order, OrderStatus


def ticket_id(kind: str, *names: str) -> str:
    """The id of the ticket that this thing makes."""
    return digest("ticket", kind, *names)


def order_ticket(order: Order, now: int) -> Ticket:
    """The ticket of an order that a machine cannot finish."""
    doubt = "MAY ALREADY BE LIVE: check the broker's book first. " if order.status is OrderStatus.UNKNOWN else ""
    what = f"{order.side} {order.quantity} {order.contract.key} at limit {order.limit / 10_000:.2f}"
    evidence = f"sent {order.sends} times, last tag {order.tag}, filled {order.cum_quantity}; {order.reason}"
    return Ticket(ticket_id("order", order.order_id), now, order.scrip, what, doubt + evidence, order.order_id)


def settled(ticket: Ticket, how: str) -> Ticket:
    """The ticket closed, with how it was settled."""
    return replace(ticket, detail=f"{ticket.detail} | closed: {how}", is_closed=True)
