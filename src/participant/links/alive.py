"""Orders that are over in our books and open at the broker: they are ended, and a person is told.

It can be that a send which a person has given up, or done by hand, is taken late. A view of the stream may be old, and
so may a book that another process read: each is only a suspicion, which the gateway proves by the broker's book of now.
"""

import datetime
from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import SECOND
from participant.core.messages import Ticket, Write
from participant.core.order import OVER, Order, OrderView
from participant.core.sighting import works
from participant.core.tickets import ticket_id
from participant.ports import Broker, BrokerDown, Store
from participant.wire.json import decode, encode

ALIVE = "alive"
LOOK_EVERY_NS = 5 * SECOND
CANCELS_MAX = 20


class Alive(Struct, frozen=True):
    """The broker's order, ours that it belongs to, how often its end was asked for, and when it was last looked at."""

    view: OrderView
    order_id: str
    scrip: str
    cancels: int = 0
    looked_at: int = 0


def suspected(store: Store, key: str, after: Order, views: Sequence[OrderView]) -> list[Write]:
    """What to write down where views show open what is over here; `key` is the order's row."""
    if after.status not in OVER:
        return []
    rows = []
    for view in (v for v in views if works(v) and v.tag.startswith(after.tag_stem)):
        if after.shown.get(view.broker_order_id, (0, 0))[0] > view.cum_quantity:
            continue  # it has shown more already: this word of it is an older one
        name = f"{key.partition('/')[0]}/{view.broker_order_id}"
        if store.get(ALIVE, name) is None:
            rows.append(Write(ALIVE, name, encode(Alive(view, after.order_id, after.scrip)), 0))
    return rows


def end_alive(store: Store, broker: Broker, day: datetime.date, now: int, may_end: Callable[[], bool]) -> None:
    """Look each suspicion up in the broker's book; what is open there is cancelled, counted before it is asked."""
    for row in store.rows(ALIVE, prefix=f"{day}/"):
        one = decode(row.value, Alive)
        if now - one.looked_at < LOOK_EVERY_NS or one.cancels >= CANCELS_MAX or not may_end():
            continue
        try:
            views = [v for v in broker.find(one.view.tag[:-1]) if v.broker_order_id == one.view.broker_order_id]
        except BrokerDown:
            continue
        if any(works(v) for v in views):
            after = replace(one, view=views[0], cancels=one.cancels + 1, looked_at=now)
            # A book may lag behind by a moment: a person is called from the second look on.
            told = _ticket(store, after, now) if one.cancels else []
            if store.commit([Write(ALIVE, row.key, encode(after), row.version), *told]):
                broker.cancel(views[0])
        else:
            was_ended = one.cancels and any(v.status == "cancelled" for v in views)
            told = _ticket(store, replace(one, view=views[0]), now) if was_ended else []
            store.commit([Write(ALIVE, row.key, None, row.version), *told])


def _ticket(store: Store, one: Alive, now: int) -> list[Write]:
    """A person learns of it once, whether it still is open or was ended."""
    name, view = ticket_id(ALIVE, one.order_id), one.view
    if store.get("tickets", name) is not None:
        return []
    said = f"{view.side} {view.quantity} {view.contract}"
    detail = (
        f"the broker's order {view.broker_order_id} ({view.status}, {view.cum_quantity} filled) was open when ours was "
        f"over; its end was asked for: see that it ended, and whether something was done twice"
    )
    ticket = Ticket(name, now, one.scrip, f"open at the broker, over here: {said}", detail, one.order_id)
    return [Write("tickets", name, encode(ticket), 0)]
