"""What became of the orders that were sent: the broker's own evidence, from stream and book, into our books."""

import datetime
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from participant.core.market import SECOND
from participant.core.messages import Write
from participant.core.order import RESTING, Order, OrderStatus, OrderView, Verdict, evidenced
from participant.core.sending import Act
from participant.core.tickets import settled, ticket_id
from participant.links.alive import end_alive, suspected
from participant.links.books import Books, Held
from participant.ports import Broker, BrokerDown
from participant.wire.json import encode


class Evidence:
    """Reads what the broker shows and writes down what it proves; a failed read proves nothing."""

    def __init__(
        self, books: Books, broker: Broker, poll_every_s: int, may_end: Callable[[], bool] = lambda: True
    ) -> None:
        """An order is looked up no oftener than `poll_every_s` of the market's time, unless it is forced.

        `may_end` says whether the rate has room for a cancel. `is_down` says whether the broker's book could not be
        read since the stream was last heard.
        """
        self.may_end = may_end
        self.books, self.broker, self.poll_every_ns = books, broker, poll_every_s * SECOND
        self.polled: dict[str, int] = {}
        self.failed: dict[str, str] = {}
        self.is_down = False

    def hear(self, day: datetime.date, now: int) -> bool:
        """Take in what the update stream brought; it may repeat, miss and reorder. End what is over and yet open."""
        self.is_down = False
        updates = self.broker.updates()
        for view in updates:
            for held in self.owners(day, view):
                self.take_in(held, [view])
        end_alive(self.books.store, self.broker, day, now, self.may_end)
        return bool(updates)

    def adopt(self, day: datetime.date) -> bool:
        """Take in every order of the day that the broker's book shows; False where it could not be read."""
        try:
            views = self.broker.find("")
        except BrokerDown:
            return False
        for held in self.books.orders(day):
            self.take_in(held, [v for v in views if held.order.has(v)])
        return True

    def owners(self, day: datetime.date, view: OrderView) -> list[Held]:
        """The orders of the day that the broker's order belongs to: by our tag, else as done by hand in its place."""
        tagged = self.books.orders(day, view.tag[:-1]) if view.tag else []
        return [h for h in tagged or self.books.orders(day) if h.order.has(view)]

    def conclude(self, held: Held, after: Order, now: int) -> bool:
        """Write down what an answer proves and, in the same commit, what the book shows of an order that rests."""
        views: list[OrderView] = []
        if after.status in RESTING:
            self.polled[after.order_id] = now
            views = self._find(after) or []
        return self.books.save(held, evidenced(after, views))

    def _find(self, order: Order) -> list[OrderView] | None:
        """What the broker's book shows of an order; None, and the reason kept, where it could not be read in full."""
        try:
            views = self.broker.find(order.tag_stem)
        except BrokerDown as fault:
            self.is_down, self.failed[order.order_id] = True, str(fault)
            return None
        self.failed.pop(order.order_id, None)
        return views

    def doubted(self, order: Order) -> Order:
        """The order with why its last look into the broker's book failed, if it did: a person must know it."""
        why = self.failed.get(order.order_id)
        return replace(order, reason=f"{order.reason}; the last look: {why}".lstrip("; ")) if why else order

    def ask(self, act: Act, held: Held, now: int, *, is_end: bool) -> bool:
        """Look an order up, after asking for its end where it is to be cancelled; whether there is more to do now.

        Only the book proves that it ended. The broker is not asked about an order again and again, but at an instant's
        end always, and nobody is called (TICKET) without a last look. No limit is changed (REPRICE) without one either.
        """
        return self._ask(act, held, now, is_forced=is_end or act is Act.TICKET) or act is Act.TICKET

    def _ask(self, act: Act, held: Held, now: int, *, is_forced: bool) -> bool:
        order = held.order
        if not is_forced and now - self.polled.get(order.order_id, 0) < self.poll_every_ns:
            return False
        if act is Act.CANCEL and not self.may_end():
            return False
        self.polled[order.order_id] = now
        now_held = self._cancel(held) if act is Act.CANCEL else held
        if now_held is None:
            return False
        views = self._find(order)
        return views is not None and (self.take_in(now_held, views) or act is Act.REPRICE)

    def _cancel(self, held: Held) -> Held | None:
        """Ask for an order's end once, as it stands then: that it is asked is on disk before the wire, or it is not."""
        asked = Held(replace(held.order, cancels=held.order.cancels + 1), held.version + 1)
        if not self.books.save(held, asked.order):
            return None
        if self.broker.cancel(asked.order).verdict is not Verdict.ACCEPTED:
            return asked
        taken = Held(replace(asked.order, is_cancelling=True), asked.version + 1)
        return taken if self.books.save(asked, taken.order) else None

    def take_in(self, held: Held, views: Sequence[OrderView]) -> bool:
        """Write down what these views prove of an order; whether that changed it."""
        return take_in(self.books, held, views)


def take_in(books: Books, held: Held, views: Sequence[OrderView]) -> bool:
    """Write down what these views prove of an order, and settle the ticket of one that was lost and is found."""
    after = evidenced(held.order, views)
    extra = suspected(books.store, held.key, after, views)
    if after == held.order and not extra:
        return False
    is_found = after.status not in (OrderStatus.UNKNOWN, OrderStatus.REJECTED, OrderStatus.DEAD)
    if after.is_ticketed and is_found:
        ticket, version = books.ticket(ticket_id("order", after.order_id))
        if ticket is not None and not ticket.is_closed:
            found = settled(ticket, f"the broker's book shows it {after.status}")
            extra.append(Write("tickets", ticket.ticket_id, encode(found), version))
    return books.save(held, after, extra)
