"""What the broker's live book shows of an order that a person does by hand: what is live is not done a second time."""

from collections.abc import Iterable

from msgspec import Struct

from participant.core.order import Order, OrderView
from participant.core.wording import counted

ENDED = frozenset({"cancelled", "rejected"})
OVER = ENDED | {"complete"}


class LiveBook(Struct, frozen=True):
    """The broker's orders of the day as they stand now; `has_tags` says that those of ours are told by their tags."""

    views: tuple[OrderView, ...]
    has_tags: bool = True


class Sighting(Struct, frozen=True):
    """`own` are our sends of the order that live, or have filled beyond what our books know.

    `alike` are live or filled orders that may be it and that nobody owns, where the broker's book bears no tags.
    """

    own: tuple[OrderView, ...] = ()
    alike: tuple[OrderView, ...] = ()

    @property
    def said(self) -> str:
        """All of it in words."""
        return "; ".join(told(view) for view in (*self.own, *self.alike))


def sighted(order: Order, ours: Iterable[Order], book: LiveBook) -> Sighting:
    """What the book shows of an order of ours; `ours` are all orders of its day."""
    sends = [v for v in book.views if order.has(v) and v.broker_order_id not in order.entered]
    own = tuple(v for v in sends if _is_news(v, order.shown.get(v.broker_order_id, (0, 0))[0]))
    if book.has_tags:
        return Sighting(own)
    owned = {name for o in ours for name in (*o.shown, *o.entered, o.broker_order_id)}
    strange = [v for v in book.views if v.broker_order_id not in owned and not v.tag]
    return Sighting(own, tuple(v for v in strange if not unlike(v, order) and _is_news(v, 0)))


def works(view: OrderView) -> bool:
    """Whether an order of the broker's may still fill: a status that we do not know is no end."""
    return view.status not in OVER


def unlike(view: OrderView, order: Order) -> str:
    """In what an order of the broker's cannot be this one of ours, or an empty string."""
    differs = {
        "contract": (view.contract, order.contract.key),
        "side": (str(view.side), str(order.side)),
        "quantity": (str(view.quantity), str(order.quantity)),
    }
    return "; ".join(
        f"its {name} is {theirs}, not {mine}" for name, (theirs, mine) in differs.items() if theirs != mine
    )


def told(view: OrderView) -> str:
    """One order of the broker's in words."""
    what, done = f"{view.side} {view.quantity} {view.contract}", counted(view.cum_quantity, "unit")
    return f"the broker's order {view.broker_order_id} ({what}) is {view.status}, {done} filled"


def _is_news(view: OrderView, known: int) -> bool:
    return view.status not in ENDED or view.cum_quantity > known
