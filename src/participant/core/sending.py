"""The send protocol as a pure function: what the gateway does next with the orders of one decision."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.order import RESTING, Order, OrderStatus, may_send_again

STEPS_MAX = 50  # of one decision in one go


class SendRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How long the gateway waits for what, in venue time.

    `reprice_at_s`: so long after its send the limit of an order that still rests follows the market, once each.
    Raises ValueError where these times do not ascend, or lie at or after `rest_max_s`.
    """

    rest_max_s: int = 120
    reprice_at_s: tuple[int, ...] = (15, 30, 60)
    poll_every_s: int = 5
    absent_after_s: int = 180
    cancels_max: int = 5

    def __post_init__(self) -> None:
        times = (0, *self.reprice_at_s, self.rest_max_s)
        if self.reprice_at_s and any(a >= b for a, b in pairwise(times)):
            raise ValueError(f"reprice_at_s must ascend, above 0 and below rest_max_s = {self.rest_max_s}")


class Act(StrEnum):
    """What the gateway may have to do next for a decision."""

    CLAIM = "claim"
    SEND = "send"
    DOUBT = "doubt"
    FIND = "find"
    REPRICE = "reprice"
    CANCEL = "cancel"
    TICKET = "ticket"
    GIVE_UP = "give up"
    DENY_REST = "deny the rest"
    DONE = "done"


class Step(Struct, frozen=True):
    """The next thing to do for a decision, and for which of its orders."""

    act: Act
    order: Order | None = None


def next_step(orders: Sequence[Order], now: int, rule: SendRule, *, is_halted: bool = False) -> Step:
    """What to do next for the orders of one decision, given in the order of their legs and slices.

    A slice is sent only when every one before it is filled, a leg when every leg before it is. Where one ends
    otherwise, or has become a person's, the rest is denied. While a person's halt holds, whatever rests is cancelled.
    """
    for order in orders:
        if order.status is OrderStatus.FILLED:
            continue
        act = _act(order, now, rule, is_halted=is_halted)
        later = [o for o in orders if (o.leg, o.part) > (order.leg, order.part)]
        rest = [o for o in later if o.status in (OrderStatus.DECIDED, OrderStatus.CLAIMED)]
        if (act is Act.DONE or order.is_ticketed) and rest:
            return Step(Act.DENY_REST, rest[0])
        return Step(act, order)
    return Step(Act.DONE)


def _act(order: Order, now: int, rule: SendRule, *, is_halted: bool) -> Act:
    waited = now - order.sent_at
    if order.status is OrderStatus.DECIDED:
        return Act.CLAIM
    if order.status is OrderStatus.CLAIMED or may_send_again(order):
        return Act.SEND
    if order.status is OrderStatus.SENDING:
        return Act.DOUBT
    if order.status is OrderStatus.REJECTED:
        return Act.GIVE_UP
    if order.status is OrderStatus.UNKNOWN:
        late = waited >= rule.absent_after_s * SECOND and not order.is_ticketed
        return Act.TICKET if late else Act.FIND
    if order.status in RESTING:
        return _resting(order, waited, rule, is_halted=is_halted)
    return Act.DONE


def _resting(order: Order, waited: int, rule: SendRule, *, is_halted: bool) -> Act:
    """What to do about an order that rests at the broker: look, follow the market, end it, hand it over."""
    if not order.is_ticketed and waited >= (rule.rest_max_s + rule.absent_after_s) * SECOND:
        return Act.TICKET  # whether its end was not shown, or could not even be asked for
    if is_halted or waited >= rule.rest_max_s * SECOND:
        return Act.CANCEL if not order.is_cancelling and order.cancels < rule.cancels_max else Act.FIND
    times = rule.reprice_at_s[order.changes :] if not order.is_ticketed and not order.cancels else ()
    return Act.REPRICE if times and waited >= times[0] * SECOND else Act.FIND
