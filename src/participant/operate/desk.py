"""What a person does with a ticket: each change is one conditional commit, so that of two who try one is told no."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import MarketState
from participant.core.messages import Entry, Stamp, Ticket, Write
from participant.core.order import Happening, Order, OrderStatus, advance, enter
from participant.core.providers import FeedStatus
from participant.core.scrip import money
from participant.core.tickets import HandRule, close, refusal_of
from participant.links.books import Books, Held
from participant.ports import Store
from participant.wire.json import decode, encode

Change = Callable[[Ticket], Ticket | str]


class No(Exception):
    """It cannot be done: why, in a sentence."""


class Hand(Struct, frozen=True):
    """A fill as a person tells it: units, average price (1/10,000 rupee), and when (market time)."""

    broker_order_id: str
    quantity: int
    price: int
    filled_at: int


def find(store: Store, name: str) -> tuple[Ticket, int]:
    """The one ticket whose id begins with `name`, and its version; open ones go before closed ones. Raises No."""
    rows = [(decode(r.value, Ticket), r.version) for r in store.rows("tickets", prefix=name)] if name else []
    found = [one for one in rows if not one[0].is_closed] or rows
    if not found:
        raise No(f"no ticket begins with {name!r}; `participant desk list` shows them")
    if len(found) > 1:
        raise No(f"{len(found)} tickets begin with {name!r}; give more of its id")
    return found[0]


def change(store: Store, name: str, how: Change) -> Ticket:
    """Change a ticket; raises No where its state does not allow it or another was first."""
    ticket, version = find(store, name)
    after = how(ticket)
    if isinstance(after, str):
        raise No(f"ticket {ticket.ticket_id[:8]}: {after}")
    _commit(store, [Write("tickets", ticket.ticket_id, encode(after), version)], ticket)
    return after


def end(store: Store, name: str, how: str, stamp: Stamp, reason: str) -> Ticket:
    """End a ticket, and give its order up with it, so that what was reserved for it comes free. Raises No."""
    ticket, version = find(store, name)
    after = close(ticket, how, stamp, reason)
    if isinstance(after, str):
        raise No(f"ticket {ticket.ticket_id[:8]}: {after}")
    writes, books = [Write("tickets", ticket.ticket_id, encode(after), version)], Books(store)
    held = order_of(books, ticket)
    if held is not None and held.order.status is OrderStatus.UNKNOWN:
        writes += books.writes(held, advance(held.order, Happening.GIVE_UP, reason=reason))
    _commit(store, writes, ticket)
    return after


def fill(store: Store, name: str, hand: Hand, stamp: Stamp, rule: HandRule) -> Ticket:
    """Book a fill made by hand; the ticket that it completes is closed, and its order given up. Raises No."""
    ticket, version = find(store, name)
    books = Books(store)
    held = order_of(books, ticket)
    if held is None:
        raise No(f"ticket {ticket.ticket_id[:8]}: it is of no order, so nothing fills it; close it with a reason")
    entry = Entry(hand.broker_order_id, hand.quantity, hand.price, hand.filled_at, stamp)
    refusal = refusal_of(ticket, held.order, entry, rule) or _is_anothers(books, held.order, hand.broker_order_id)
    if refusal:
        raise No(f"ticket {ticket.ticket_id[:8]}: {refusal}")
    order = enter(held.order, hand.broker_order_id, (hand.quantity, money(hand.price, hand.quantity)), hand.filled_at)
    after = replace(ticket, entries=(*ticket.entries, entry))
    if order.cum_quantity >= order.quantity:
        closed = close(after, "filled", stamp, f"filled by hand as {hand.broker_order_id}")
        assert isinstance(closed, Ticket)
        after = closed
        order = advance(order, Happening.GIVE_UP, reason=closed.state) if order.status is OrderStatus.UNKNOWN else order
    _commit(store, [Write("tickets", ticket.ticket_id, encode(after), version), *books.writes(held, order)], ticket)
    return after


def _is_anothers(books: Books, order: Order, broker_order_id: str) -> str:
    """One of the broker's orders fills one of ours: whose this is already, if it is another's."""
    if broker_order_id in order.shown and broker_order_id not in order.entered:
        return f"the broker's order {broker_order_id} is our own send, and counted already"
    for other in (decode(r.value, Order) for r in books.store.rows("orders")):
        if other.order_id != order.order_id and broker_order_id in {
            *other.shown,
            *other.entered,
            other.broker_order_id,
        }:
            return f"the broker's order {broker_order_id} belongs to order {other.order_id[:8]} ({other.contract.key})"
    return ""


def _commit(store: Store, writes: list[Write], ticket: Ticket) -> None:
    if not store.commit(writes):
        raise No(f"ticket {ticket.ticket_id[:8]}: it has just changed; look at it again and repeat what still holds")


def order_of(books: Books, ticket: Ticket) -> Held | None:
    """The order that a ticket is of, as it stands now."""
    return next(iter(books.orders_ever(ticket.order_id)), None)


def market_now(quotes: Store) -> int:
    """The newest instant (ns) of the market that the desk has seen; 0 where it has seen none."""
    status = quotes.get("feeds", "status")
    ats = [decode(r.value, MarketState).exchange_at for r in quotes.rows("quotes")]
    return max([*ats, decode(status.value, FeedStatus).at if status else 0])
