"""What a person does with a ticket: each change is one conditional commit, so that of two who try one is told no."""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from participant.core.books import EXTERNAL, external_id
from participant.core.breaker import Halt, Level
from participant.core.market import MarketState
from participant.core.messages import BookLook, Entry, Stamp, Ticket, Write
from participant.core.order import Happening, Order, OrderStatus, OrderView, advance, enter, evidenced
from participant.core.providers import FeedStatus
from participant.core.scrip import money
from participant.core.session import day_of
from participant.core.sighting import LiveBook, Sighting, sighted, told, unlike
from participant.core.tickets import HandRule, acknowledge, claim, close, refusal_of
from participant.links.books import Books, Held
from participant.ports import BrokerDown, Store
from participant.wire.json import decode, encode

Change = Callable[[Ticket], Ticket | str]
Look = Callable[[Order], LiveBook]  # the broker's book of an order's day, now; raises BrokerDown
UNSHOWN = "the broker's book does not show its order"


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
        raise _no(ticket, after)
    _commit(store, [Write("tickets", ticket.ticket_id, encode(after), version)], ticket)
    return after


def end(store: Store, name: str, how: str, stamp: Stamp, reason: str) -> Ticket:
    """End a ticket, and give its order up with it, so that what was reserved for it comes free. Raises No."""
    ticket, version = find(store, name)
    after = close(ticket, how, stamp, reason)
    if isinstance(after, str):
        raise _no(ticket, after)
    writes, books = [Write("tickets", ticket.ticket_id, encode(after), version)], Books(store)
    held = order_of(books, ticket)
    if held is not None and held.order.status is OrderStatus.UNKNOWN:
        writes += books.writes(held, advance(held.order, Happening.GIVE_UP, reason=reason))
    _commit(store, writes, ticket)
    return after


def look_before_end(store: Store, name: str, stamp: Stamp, look: Look) -> None:
    """Ask the broker's live book before an order of unknown fate is given up with its ticket.

    Raises No where it is live. A book that cannot be read is noted on the ticket, and stops nobody.
    """
    ticket, version = find(store, name)
    held = order_of(Books(store), ticket)
    if ticket.is_closed or held is None or held.order.status is not OrderStatus.UNKNOWN:
        return
    looked = _before_claim(store, held.order, stamp, look)
    after = replace(ticket, looks=(*ticket.looks, looked))
    _commit(store, [Write("tickets", ticket.ticket_id, encode(after), version)], ticket)


# --- before it is done by hand ----------------------------------------------------------------------------------------


def take(store: Store, name: str, stamp: Stamp, look: Look, *, is_unchecked: bool = False) -> Ticket:
    """Claim a ticket, once the broker's live book does not show its order. Raises No.

    What the book shows is left to the gateway and the reconciliation: they alone take evidence in.
    """
    ticket, version = find(store, name)
    after, held = claim(ticket, stamp), order_of(Books(store), ticket)
    if isinstance(after, str):
        raise _no(ticket, after)
    if held is not None:
        looked = _before_claim(store, held.order, stamp, look)
        if not looked.is_checked and not is_unchecked:
            raise _no(ticket, f"{looked.said}; only with --unchecked is it claimed all the same")
        after = replace(after, looks=(*after.looks, looked))
    _commit(store, [Write("tickets", ticket.ticket_id, encode(after), version)], ticket)
    return after


def _before_claim(store: Store, order: Order, stamp: Stamp, look: Look) -> BookLook:
    """What the broker's book says of an order that somebody wants to do by hand. Raises No where it is live."""
    try:
        seen = _sighted(store, order, look)
    except BrokerDown as fault:
        return BookLook(stamp, f"the broker's book could not be read ({fault}): it may be live", is_checked=False)
    if seen.own:
        raise No(
            f"order {order.order_id[:8]}: {seen.said}. DO NOT EXECUTE it by hand: the desk takes that in by itself"
        )
    if seen.alike:
        names = tuple(v.broker_order_id for v in seen.alike)
        said = f"{seen.said}, and may be it: if it is, say `participant desk found` with its id"
        return BookLook(stamp, said, is_checked=False, ruled_out=names)
    return BookLook(stamp, UNSHOWN)


def _sighted(store: Store, order: Order, look: Look) -> Sighting:
    return sighted(order, [h.order for h in Books(store).orders(day_of(order.decided_at))], look(order))


def found(store: Store, name: str, broker_order_id: str, stamp: Stamp, look: Look) -> Ticket:
    """Take a person's word for which of the broker's orders is the ticket's, and that order's evidence in. Raises No.

    The word counts where the broker's book bears no tags of ours, and only as far as its live book agrees with it.
    """
    ticket, version = find(store, name)
    books, acknowledged = Books(store), acknowledge(ticket, stamp)
    held = order_of(books, ticket)
    if isinstance(acknowledged, str):
        raise _no(ticket, acknowledged)
    if ticket.claimed is not None and ticket.claimed.by != stamp.by:
        raise _no(ticket, f"it is claimed by {ticket.claimed.by}")
    if held is None or held.order.status is not OrderStatus.UNKNOWN:
        fate = held.order.status if held else "none of ours"
        raise _no(ticket, f"its order is {fate}: only one of unknown fate is looked for")
    refusal = _is_anothers(books, held.order, broker_order_id) or _is_external(store, held.order, broker_order_id)
    if broker_order_id in held.order.entered:
        refusal = f"the broker's order {broker_order_id} was entered as done by hand"
    if refusal:
        raise _no(ticket, refusal)
    view = _claimable(ticket, held.order, broker_order_id, look)
    order = evidenced(replace(held.order, broker_order_id=broker_order_id), [replace(view, tag=held.order.tag)])
    looked = BookLook(stamp, f"{stamp.by} says that {told(view)}, and is it")
    after = replace(acknowledged, looks=(*ticket.looks, looked))
    if order.status not in (OrderStatus.UNKNOWN, OrderStatus.REJECTED):
        closed = close(after, "found", stamp, f"the broker's order {broker_order_id} is it, and is {order.status}")
        assert isinstance(closed, Ticket)
        after = closed
    _commit(store, [Write("tickets", ticket.ticket_id, encode(after), version), *books.writes(held, order)], ticket)
    return after


def _claimable(ticket: Ticket, order: Order, broker_order_id: str, look: Look) -> OrderView:
    """The broker's order that a person says is ours, as its live book shows it. Raises No where it cannot be."""
    try:
        shown = look(order)
    except BrokerDown as fault:
        raise _no(ticket, f"the broker's book cannot be read now, so nothing is claimed: {fault}") from fault
    if shown.has_tags:
        raise _no(ticket, "this broker's book bears our tags, and ours are found by them; `desk fill` enters the rest")
    view = next((v for v in shown.views if v.broker_order_id == broker_order_id), None)
    if view is None:
        raise _no(ticket, f"the broker's book of the day has no order {broker_order_id}")
    refusal = unlike(view, order) or (f"its tag {view.tag} is another order's" if view.tag else "")
    if refusal:
        raise _no(ticket, f"the broker's order {broker_order_id} is not it: {refusal}")
    return view


def _is_external(store: Store, order: Order, broker_order_id: str) -> str:
    """Whether the broker's order is booked as nobody's already: its fills would count twice."""
    day, name = day_of(order.decided_at), external_id(broker_order_id)
    if store.get("external", f"{day}/{name}") is None:
        return ""
    return f"the broker's order {broker_order_id} is booked as {EXTERNAL} already; close this ticket, saying so"


# --- what was done by hand --------------------------------------------------------------------------------------------


class Filling(Struct, frozen=True):
    """A fill that may be entered: it has passed every check of its figures."""

    ticket: Ticket
    version: int
    held: Held
    entry: Entry


def prepare(store: Store, name: str, hand: Hand, stamp: Stamp, rule: HandRule) -> Filling:
    """A fill made by hand, checked, and not booked yet. Raises No."""
    ticket, version = find(store, name)
    books = Books(store)
    held = order_of(books, ticket)
    if held is None:
        raise _no(ticket, "it is of no order, so nothing fills it; close it with a reason")
    entry = Entry(hand.broker_order_id, hand.quantity, hand.price, hand.filled_at, stamp)
    refusal = refusal_of(ticket, held.order, entry, rule) or _is_anothers(books, held.order, hand.broker_order_id)
    if refusal:
        raise _no(ticket, refusal)
    return Filling(ticket, version, held, entry)


def look_again(store: Store, filling: Filling, look: Look) -> BookLook:
    """The broker's book right before a fill is entered: has an order of ours appeared beside it meanwhile?

    Nothing stands in the way of a fill that has happened; raises No where it is our own send, which counts by itself.
    """
    ticket, entry, order = filling.ticket, filling.entry, filling.held.order
    try:
        seen = _sighted(store, order, look)
    except BrokerDown as fault:
        return BookLook(entry.stamp, f"the broker's book could not be read ({fault})", is_checked=False)
    if entry.broker_order_id in {v.broker_order_id for v in seen.own}:
        raise _no(ticket, f"the broker's order {entry.broker_order_id} is our own send, and is counted by itself")
    ruled_out = {entry.broker_order_id, *(name for earlier in ticket.looks for name in earlier.ruled_out)}
    seen = Sighting(seen.own, tuple(v for v in seen.alike if v.broker_order_id not in ruled_out))
    if not (seen.own or seen.alike):
        return BookLook(entry.stamp, UNSHOWN)
    return BookLook(
        entry.stamp, f"BOTH MAY BE FILLED, by hand and by us: {seen.said}", is_checked=False, is_double=True
    )


def pull(halts: Store, filling: Filling, looked: BookLook) -> Write:
    """Open the breaker, since an order may be filled twice; returns what tells the log of it."""
    before, why = Books(halts).halt(), f"ticket {filling.ticket.ticket_id[:8]}: {looked.said}"
    why = f"{before.why}; {why}" if before.level is Level.OPEN else why
    halt = Halt(Level.OPEN, why, looked.stamp.at, is_severed=before.is_severed)
    halts.commit([Write("breaker", "halt", encode(halt))])
    return Write("halts", str(halt.at), encode(halt))


def book_fill(store: Store, filling: Filling, looked: BookLook, *more: Write) -> Ticket:
    """Book a fill made by hand; the ticket that it completes is closed, and its order given up. Raises No.

    Beside an order of ours that has appeared nothing is completed: that order goes on counting, and is cancelled.
    """
    ticket, entry, held, books = filling.ticket, filling.entry, filling.held, Books(store)
    figures = entry.quantity, money(entry.price, entry.quantity)
    order = enter(held.order, entry.broker_order_id, figures, entry.filled_at)
    after = replace(ticket, entries=(*ticket.entries, entry), looks=(*ticket.looks, looked))
    if order.cum_quantity >= order.quantity and not any(earlier.is_double for earlier in after.looks):
        closed = close(after, "filled", entry.stamp, f"filled by hand as {entry.broker_order_id}")
        assert isinstance(closed, Ticket)
        after = closed
        order = advance(order, Happening.GIVE_UP, reason=closed.state) if order.status is OrderStatus.UNKNOWN else order
    row = Write("tickets", ticket.ticket_id, encode(after), filling.version)
    _commit(store, [row, *books.writes(held, order), *more], ticket)
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
        raise _no(ticket, "it has just changed; look at it again and repeat what still holds")


def _no(ticket: Ticket, why: str) -> No:
    return No(f"ticket {ticket.ticket_id[:8]}: {why}")


def order_of(books: Books, ticket: Ticket) -> Held | None:
    """The order that a ticket is of, as it stands now."""
    return next(iter(books.orders_ever(ticket.order_id)), None)


def market_now(quotes: Store) -> int:
    """The newest instant (ns) of the market that the desk has seen; 0 where it has seen none."""
    status = quotes.get("feeds", "status")
    ats = [decode(r.value, MarketState).exchange_at for r in quotes.rows("quotes")]
    return max([*ats, decode(status.value, FeedStatus).at if status else 0])
