"""The order itself: where it comes from, how often it was sent, its shape, its size, its age, its tag."""

from participant.core.ask import Ask, Finding
from participant.core.market import SECOND
from participant.core.order import SENDS_MAX, Order, order_id, orders_of
from participant.core.scrip import PRICE_UNITS, Kind, money

PRICE_MAX = 1_000_000 * PRICE_UNITS


def integrity(ask: Ask) -> Finding | None:
    """Signed limits are in force."""
    return Finding(f"no limits are in force: {ask.limits.fault}") if ask.limits.fault else None


def provenance(ask: Ask) -> Finding | None:
    """The order is a leg of one logged decision or a slice of it, unaltered, and no more is sent than was decided."""
    order, decision = ask.order, ask.decision
    if decision is None or decision.decision_id != order.decision_id:
        return Finding("no logged decision asks for it", {"decision_id": order.decision_id})
    if not 0 <= order.leg < len(decision.legs):
        return Finding(f"its decision has no leg {order.leg}", {"leg": order.leg, "legs": len(decision.legs)})
    if _core(order) not in map(_core, orders_of(decision)):
        return Finding("it differs from what was decided", {"decision_id": order.decision_id, "leg": order.leg})
    others = [o for o in ask.orders if o.decision_id == order.decision_id and o.order_id != order.order_id and o.sends]
    sent, decided = sum(o.quantity for o in others if o.leg == order.leg), decision.legs[order.leg].quantity
    if sent + order.quantity > decided:
        return Finding(f"{sent} units of it were sent already, {decided} decided", {"sent": sent, "decided": decided})
    return None


def _core(order: Order) -> tuple[object, ...]:
    return order.order_id, order.leg, order.scrip, order.contract, order.side, order.quantity, order.deadline


def attempts(ask: Ask) -> Finding | None:
    """At most two sends on the wire, counted in the store before each, and none of what the broker has already."""
    order = ask.order
    if order.sends >= SENDS_MAX:
        return Finding(f"it was sent {order.sends} times", {"sends": order.sends, "sends_max": SENDS_MAX})
    if order.cum_quantity or len(order.shown) > order.sends:
        said = f"the broker shows {len(order.shown)} of it ({order.cum_quantity} units), {order.sends} were sent"
        return Finding(said, {"shown": len(order.shown), "filled": order.cum_quantity, "sends": order.sends})
    return None


def tag(ask: Ask) -> Finding | None:
    """The tag follows from decision, leg and attempt, and is no longer than the broker takes."""
    order = ask.order
    length = len(order.tag)
    if order.order_id != order_id(order.decision_id, order.leg, order.part):
        return Finding(f"its tag {order.tag} does not follow from its decision", {"tag": order.tag})
    if length > ask.limits.tag_length_max:
        said = f"its tag has {length} characters, the broker takes {ask.limits.tag_length_max}"
        return Finding(said, {"length": length})
    return None


def deadline(ask: Ask) -> Finding | None:
    """Only before the decision's deadline."""
    late = ask.now - ask.order.deadline
    if late >= 0:
        return Finding(
            f"its deadline passed {late / SECOND:.1f} s ago", {"now": ask.now, "deadline": ask.order.deadline}
        )
    return None


def shape(ask: Ask) -> Finding | None:
    """Whole lots, whole ticks, within the exchange's quantity per order."""
    order, contract = ask.order, ask.order.contract
    if order.quantity <= 0 or order.quantity % contract.lot:
        said = f"{order.quantity} units are no whole lots of {contract.lot}"
        return Finding(said, {"quantity": order.quantity, "lot": contract.lot})
    if order.limit <= 0 or order.limit % contract.tick:
        said = f"the limit {order.limit} is no whole number of ticks of {contract.tick}"
        return Finding(said, {"limit": order.limit, "tick": contract.tick})
    if order.limit > PRICE_MAX:
        return Finding(f"the limit {order.limit} is no price", {"limit": order.limit, "price_max": PRICE_MAX})
    return None


def odd_lot(ask: Ask) -> Finding | None:
    """What is held of the contract is whole lots; an odd lot, as after a revision, is a person's to close."""
    units, lot = ask.held.get(ask.order.contract, 0), ask.order.contract.lot
    if units % lot and ask.order.contract.kind is not Kind.STOCK:
        return Finding(f"{units} units are held, no whole lots of {lot}", {"held": units, "lot": lot})
    return None


def freeze(ask: Ask) -> Finding | None:
    """No more than the exchange takes in one order, in whole lots."""
    order, contract = ask.order, ask.order.contract
    if order.quantity > contract.freeze:
        said = f"{order.quantity} units are above the freeze quantity {contract.freeze}"
        return Finding(said, {"quantity": order.quantity, "freeze": contract.freeze})
    return None


def quantity(ask: Ask) -> Finding | None:
    """No more lots in one order than our own cap; one that only closes what is held goes by the exchange's alone."""
    order, most = ask.order, ask.limits.order_lots_max
    if order.quantity > most * ask.lot and not (ask.is_closing or ask.is_reducing):
        said = f"{order.quantity} units exceed {most} lots of {ask.lot} an order"
        return Finding(said, {"quantity": order.quantity, "lot": ask.lot})
    return None


def value(ask: Ask) -> Finding | None:
    """The order's value stays under the limit per order; one that only closes what is held is never refused by it."""
    worth = money(ask.order.limit, ask.order.quantity)
    if worth > ask.limits.order_value_max and not _eases(ask):
        return Finding(f"its value {worth} exceeds {ask.limits.order_value_max} paise", {"value": worth})
    return None


def premium(ask: Ask) -> Finding | None:
    """The premium of an option order stays under its own limit, if it does more than close."""
    worth = money(ask.order.limit, ask.order.quantity)
    if ask.order.contract.kind.is_option and worth > ask.limits.premium_max and not _eases(ask):
        return Finding(f"its premium {worth} exceeds {ask.limits.premium_max} paise", {"premium": worth})
    return None


def notional(ask: Ask) -> Finding | None:
    """What the order moves of the underlying stays under its limit, if it does more than close."""
    if ask.spot <= 0 and not _eases(ask):
        return Finding("the underlying has no price", {"spot": ask.spot})
    worth = money(ask.spot, ask.order.quantity)
    if worth > ask.limits.order_notional_max and not _eases(ask):
        return Finding(f"its notional {worth} exceeds {ask.limits.order_notional_max} paise", {"notional": worth})
    return None


def shadow(ask: Ask) -> Finding | None:
    """On a shadow day nothing is sent: what every control before this one has let pass ends here."""
    if ask.may_send:
        return None
    bid, offer, at = (ask.quote.bid, ask.quote.ask, ask.quote.exchange_at) if ask.quote is not None else (0, 0, 0)
    figures = {"limit": ask.order.limit, "bid": bid, "ask": offer, "quoted_at": at, "now": ask.now}
    return Finding("it would have been sent", figures)


def _eases(ask: Ask) -> bool:
    return ask.is_closing or ask.is_reducing
