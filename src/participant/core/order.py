"""An order's life. This is the only file that may change an order's status.

Rule 1: what may follow what stands in TRANSITIONS; `advance` follows the table and nothing else does.
Rule 2: an order whose outcome is not known is UNKNOWN until the broker's own evidence says otherwise.
Rule 3: fills merge by cumulative quantity: the highest figure that the broker ever reported stands, in any state.
Rule 4: what a person did by hand counts as they entered it until the broker shows that order; then the broker's own
figures stand in its place. It moves no status: a person's word is no evidence of what became of our own sends.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from participant.core.decision import Decision
from participant.core.ids import digest
from participant.core.merging import Told, filled, is_corrected, merged
from participant.core.position import Working
from participant.core.scrip import Contract, Side


class OrderStatus(StrEnum):
    """Where an order is. Denied: refused by our check; rejected: by the broker; dead: handed to a person."""

    DECIDED = "decided"
    CLAIMED = "claimed"
    SENDING = "sending"
    WORKING = "working"
    PARTIAL = "partial"
    UNKNOWN = "unknown"
    FILLED = "filled"
    CANCELLED = "cancelled"
    REJECTED = "rejected"
    DENIED = "denied"
    DEAD = "dead"


class Happening(StrEnum):
    """What can happen to an order."""

    CLAIM = "claim"
    DENY = "deny"
    SEND = "send"
    ACCEPT = "accept"
    REJECT = "reject"
    DOUBT = "doubt"
    PART_FILL = "part fill"
    FILL = "fill"
    CANCEL = "cancel"
    GIVE_UP = "give up"


_S, _H = OrderStatus, Happening
_EVIDENCE = {_H.ACCEPT: _S.WORKING, _H.REJECT: _S.REJECTED, _H.PART_FILL: _S.PARTIAL, _H.FILL: _S.FILLED}

TRANSITIONS: dict[OrderStatus, dict[Happening, OrderStatus]] = {
    _S.DECIDED: {_H.CLAIM: _S.CLAIMED, _H.DENY: _S.DENIED},
    _S.CLAIMED: {_H.SEND: _S.SENDING, _H.DENY: _S.DENIED},
    _S.SENDING: {**_EVIDENCE, _H.CANCEL: _S.CANCELLED, _H.DOUBT: _S.UNKNOWN},
    # A person who has settled its ticket may give it up; the machine never does.
    _S.UNKNOWN: {**_EVIDENCE, _H.CANCEL: _S.CANCELLED, _H.GIVE_UP: _S.DEAD},
    _S.WORKING: {**_EVIDENCE, _H.CANCEL: _S.CANCELLED},
    _S.PARTIAL: {_H.ACCEPT: _S.PARTIAL, _H.PART_FILL: _S.PARTIAL, _H.FILL: _S.FILLED, _H.CANCEL: _S.CANCELLED},
    # A second send (`may_send_again`), or a person; and should the book show it alive after all, that rules.
    _S.REJECTED: {**_EVIDENCE, _H.CANCEL: _S.CANCELLED, _H.SEND: _S.SENDING, _H.GIVE_UP: _S.DEAD, _H.DENY: _S.DENIED},
    # Final states never go back; only a late fill that the broker proves still counts.
    _S.CANCELLED: {_H.CANCEL: _S.CANCELLED, _H.PART_FILL: _S.CANCELLED, _H.FILL: _S.FILLED},
    _S.FILLED: {_H.FILL: _S.FILLED},
    _S.DEAD: {_H.REJECT: _S.DEAD, _H.PART_FILL: _S.DEAD, _H.FILL: _S.FILLED},
    _S.DENIED: {},
}

OPEN = frozenset({_S.DECIDED, _S.CLAIMED, _S.SENDING, _S.WORKING, _S.PARTIAL, _S.UNKNOWN, _S.REJECTED})
OVER = frozenset({_S.FILLED, _S.CANCELLED, _S.DENIED, _S.DEAD})
LIVE = frozenset({_S.SENDING, _S.WORKING, _S.PARTIAL, _S.UNKNOWN})
RESTING = frozenset({_S.WORKING, _S.PARTIAL})


class Verdict(StrEnum):
    """What a broker's answer to a request proves."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    NOT_SENT = "not sent"
    UNKNOWN = "unknown"


class Answer(Struct, frozen=True):
    """The broker's answer to one request, classified: only an allow-list of answers proves a rejection."""

    verdict: Verdict
    reason: str = ""
    broker_order_id: str = ""
    is_retriable: bool = False


class OrderView(Struct, frozen=True, rename="camel"):
    """An order as the broker's book shows it. `cum_value` in paise; status open, complete, cancelled or rejected."""

    tag: str
    broker_order_id: str
    contract: str
    side: Side
    quantity: int
    cum_quantity: int
    cum_value: int
    status: str
    reason: str = ""
    updated_at: int = 0


class Order(Struct, frozen=True):
    """An instruction to the broker: one leg of one decision, or one slice of it. Times are ns, money is paise.

    `shown` is what the broker's book showed of its attempts: units filled and their value, by the broker's order id.
    `entered` is the same of what a person did by hand in its place; `revision` counts how often a figure was corrected.
    `denied_by` is the control that refused it. `changes` counts the changes of its limit, each before it was asked for.
    """

    order_id: str
    decision_id: str
    scrip: str
    leg: int
    contract: Contract
    side: Side
    quantity: int
    limit: int
    margin: int
    decided_at: int
    deadline: int
    part: int = 0
    status: OrderStatus = OrderStatus.DECIDED
    sends: int = 0
    sent_at: int = 0
    broker_order_id: str = ""
    cum_quantity: int = 0
    cum_value: int = 0
    filled_at: int = 0
    is_retriable: bool = False
    is_cancelling: bool = False
    cancels: int = 0
    is_ticketed: bool = False
    reason: str = ""
    shown: Told = {}
    entered: Told = {}
    revision: int = 0
    denied_by: str = ""
    changes: int = 0

    @property
    def tag(self) -> str:
        """What the broker is told to call this attempt: 17 characters, the last one counts the sends."""
        return f"{self.order_id[:16]}{self.sends}"

    @property
    def tag_stem(self) -> str:
        """What every attempt's tag begins with; the broker's book is searched by it."""
        return self.order_id[:16]

    @property
    def unfilled(self) -> int:
        """Units that may still fill, signed by side: 0 once the order is over. What is done by hand takes none away."""
        by_hand = sum(self.shown.get(name, told)[0] for name, told in self.entered.items())
        return self.side.sign * (self.quantity - self.cum_quantity + by_hand) if self.status in OPEN else 0

    def has(self, view: "OrderView") -> bool:
        """Whether the broker shows an attempt of it, or what a person did by hand in its place."""
        is_ours = bool(view.tag) and view.tag.startswith(self.tag_stem)
        is_alike = view.contract == self.contract.key and view.side is self.side
        return is_ours or (view.broker_order_id in self.entered and is_alike)


class IllegalTransition(Exception):
    """Something happened to an order that cannot happen in its state: a fault of ours, never to be passed over."""


def advance(order: Order, happening: Happening, **changes: object) -> Order:
    """The order after `happening`, with further fields changed along; raises IllegalTransition."""
    try:
        status = TRANSITIONS[order.status][happening]
    except KeyError:
        raise IllegalTransition(f"order {order.order_id} is {order.status}: cannot {happening}") from None
    return replace(order, status=status, **changes)


def order_id(decision_id: str, leg: int, part: int = 0) -> str:
    """The id of a slice of a decision's leg: it follows from the decision's."""
    return digest(decision_id, leg, part) if part else digest(decision_id, leg)


def orders_of(decision: Decision) -> tuple[Order, ...]:
    """The orders that a decision asks for, in the order in which they are sent; their ids follow from the decision's.

    The slices of a leg have one parent: they share its margin, and all that is sent of them is counted against it.
    """
    return tuple(
        Order(
            order_id(decision.decision_id, i, part),
            decision.decision_id,
            decision.scrip,
            i,
            leg.contract,
            leg.side,
            units,
            leg.limit,
            leg.margin * (done + units) // leg.quantity - leg.margin * done // leg.quantity if leg.quantity else 0,
            decision.decided_for,
            decision.deadline,
            part,
        )
        for i, leg in enumerate(decision.legs)
        for part, (done, units) in enumerate(leg.slices)
    )


def working(orders: Iterable[Order]) -> list[Working]:
    """What these orders may still fill, an order each; UNKNOWN ones count in full."""
    return [Working(o.contract, o.unfilled) for o in orders if o.unfilled]


SENDS_MAX = 2


def may_send_again(order: Order) -> bool:
    """The second-send rule: only after a proven reject of a retriable class, or if no byte had left; twice at most."""
    is_proven = order.status is OrderStatus.REJECTED and order.is_retriable and not order.cum_quantity
    return is_proven and order.sends < SENDS_MAX


def denied(order: Order, reason: str, control: str = "") -> Order:
    """The order refused by our own checks; `control` is the id of the one that refused it."""
    return advance(order, Happening.DENY, reason=reason, denied_by=control)


def answered(order: Order, answer: Answer) -> Order:
    """The order after the broker's answer to a send. An answer that proves nothing leaves it UNKNOWN."""
    if answer.verdict is Verdict.ACCEPTED:
        return advance(order, Happening.ACCEPT, broker_order_id=answer.broker_order_id)
    if answer.verdict is Verdict.UNKNOWN:
        return advance(order, Happening.DOUBT, reason=answer.reason)
    retriable = answer.is_retriable or answer.verdict is Verdict.NOT_SENT
    return advance(order, Happening.REJECT, reason=answer.reason, is_retriable=retriable)


def evidenced(order: Order, views: Sequence[OrderView]) -> Order:
    """The order after what the broker's book shows of its attempts. Showing nothing proves nothing.

    What filled is the most ever shown of each attempt, added up, whatever state the order is in; the state is that of
    the present attempt, and an older one can only fill the order.
    """
    shown = merged(order.shown, ((v.broker_order_id, v.cum_quantity, v.cum_value) for v in views))
    changes, proven = _figures(order, shown, order.entered), _proven_units(order, shown)
    if any(v.cum_quantity > order.shown.get(v.broker_order_id, (0, 0))[0] for v in views):
        changes["filled_at"] = max(order.filled_at, *(v.updated_at for v in views))
    present = [v for v in views if v.tag == order.tag]
    has_filled = any(shown[v.broker_order_id][0] for v in present)
    happening = Happening.FILL if proven >= order.quantity else _proven({v.status for v in present}, has_filled)
    if happening is None or happening not in TRANSITIONS[order.status]:
        return replace(order, **changes)
    if present:
        changes["broker_order_id"] = present[-1].broker_order_id
        changes["reason"] = present[-1].reason or order.reason
    # The book shows no class of rejection, so a rejection that only the book knows of allows no second send.
    is_again = order.status is OrderStatus.REJECTED and happening is Happening.REJECT
    changes["is_retriable"] = order.is_retriable and is_again
    return advance(order, happening, **changes)


def enter(order: Order, broker_order_id: str, told: tuple[int, int], at: int) -> Order:
    """The order with what a person filled by hand at `at` (market time): units and paise, by the broker's order id."""
    entered = dict(sorted({**order.entered, broker_order_id: told}.items()))
    return replace(order, **_figures(order, order.shown, entered), filled_at=max(order.filled_at, at))


def _figures(order: Order, shown: Told, entered: Told) -> dict[str, object]:
    """The fields of an order that follow from what was shown and entered. A figure that was corrected is counted."""
    before = (order.cum_quantity, order.cum_value)
    quantity, value = filled(shown, entered, before)
    revision = order.revision + is_corrected(before, (quantity, value))
    return {"shown": shown, "entered": entered, "cum_quantity": quantity, "cum_value": value, "revision": revision}


def _proven_units(order: Order, shown: Told) -> int:
    """Units that the broker shows filled; while our own sends are in doubt, what was done by hand settles nothing."""
    names = shown if order.status is OrderStatus.DEAD else shown.keys() - order.entered.keys()
    return max(sum(shown[name][0] for name in names), 0 if order.entered else order.cum_quantity)


def _proven(states: set[str], has_filled: bool) -> Happening | None:
    """What the views of the present attempt prove of an order that is not filled yet."""
    if "cancelled" in states or ("rejected" in states and has_filled):
        return Happening.CANCEL
    if has_filled:
        return Happening.PART_FILL
    if "open" in states:
        return Happening.ACCEPT
    return Happening.REJECT if "rejected" in states else None
