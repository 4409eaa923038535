"""How the desk behaves over time: one order a contract, no duplicates, no loops, nothing against itself."""

from itertools import pairwise

from participant.core.ask import Ask, Finding
from participant.core.market import SECOND
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Side

REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.DEAD})


def by_hand(ask: Ask) -> Finding | None:
    """Nothing goes by itself, not even a close, in a contract of which a person has claimed a ticket today."""
    if ask.by_hand:
        said = f"{ask.by_hand} has claimed a ticket of {ask.order.contract.key} today"
        return Finding(said, {"contract": ask.order.contract.key, "by": ask.by_hand})
    return None


def enabled(ask: Ask) -> Finding | None:
    """A scrip that a control has disabled only reduces until a person enables it again."""
    if ask.disabled and not ask.is_reducing:
        return Finding(f"{ask.order.scrip} is disabled: {ask.disabled}", {"scrip": ask.order.scrip})
    return None


def self_cross(ask: Ask) -> Finding | None:
    """No order of ours may meet another of ours on the other side."""
    order = ask.order
    for other in ask.others:
        if other.contract == order.contract and other.side is not order.side and _crosses(order, other):
            said = f"it would meet our own order to {other.side} at {other.limit}"
            return Finding(said, {"limit": order.limit, "other_limit": other.limit, "other": other.order_id})
    return None


def _crosses(order: Order, other: Order) -> bool:
    buy, sell = (order, other) if order.side is Side.BUY else (other, order)
    return buy.limit >= sell.limit


def alone(ask: Ask) -> Finding | None:
    """Nothing else of ours is on the wire in the same contract."""
    for other in ask.others:
        if other.contract == ask.order.contract:
            return Finding("another order in this contract is not settled yet", {"other": other.order_id})
    return None


def duplicate(ask: Ask) -> Finding | None:
    """No other decision has just sent the same: contract, side, quantity and price."""
    order, since = ask.order, ask.now - int(ask.limits.duplicate_s * SECOND)
    for other in ask.orders:
        if _was_sent(other, since) and other.decision_id != order.decision_id and _what(other) == _what(order):
            age = (ask.now - other.sent_at) / SECOND
            return Finding(f"the same order was sent {age:.1f} s ago", {"age_s": age, "other": other.order_id})
    return None


def _what(order: Order) -> tuple[object, ...]:
    return order.limit, order.quantity, order.side, order.contract


def _was_sent(order: Order, since: int) -> bool:
    return order.sent_at > since and order.sends > 0 and order.status not in REFUSED


def loop(ask: Ask) -> Finding | None:
    """Few entries and reversals in a contract, few orders of a scrip a day: more disables the scrip."""
    if ask.is_reducing:
        return None
    limits, mine = ask.limits, _sent(ask)
    entries, reversals = _entries(ask, mine), _reversals(ask, mine)
    figures = {"entries": entries, "reversals": reversals, "orders": len(mine) + 1}
    if entries > limits.entries_max:
        said = f"{entries} entries in this contract within {limits.entries_window_s:g} s"
        return Finding(said, figures, disables=True)
    if reversals > limits.reversals_max:
        said = f"{reversals} reversals in this contract within {limits.reversals_window_s:g} s"
        return Finding(said, figures, disables=True)
    if len(mine) + 1 > limits.orders_day_max:
        return Finding(f"{len(mine) + 1} orders of {ask.order.scrip} today", figures, disables=True)
    return None


def _sent(ask: Ask) -> list[Order]:
    """The scrip's orders that were sent today, but for this one."""
    return [o for o in ask.orders if o.sends and o.scrip == ask.order.scrip and o.order_id != ask.order.order_id]


def _entries(ask: Ask, mine: list[Order]) -> int:
    since = ask.now - int(ask.limits.entries_window_s * SECOND)
    same = (o for o in mine if o.contract == ask.order.contract and o.side is ask.order.side and o.sent_at > since)
    return 1 + len({o.decision_id for o in same} - {ask.order.decision_id})


def _reversals(ask: Ask, mine: list[Order]) -> int:
    since = ask.now - int(ask.limits.reversals_window_s * SECOND)
    recent = sorted((o.sent_at, o.side) for o in mine if o.contract == ask.order.contract and o.sent_at > since)
    sides = [side for _, side in recent] + [ask.order.side]
    return sum(a is not b for a, b in pairwise(sides))
