"""What every order must pass at the gateway, the last hop before the wire. Missing input denies.

CHECKS is an ordered list of pure functions; each returns None to allow, or a Refusal with its figures.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.breaker import Level
from participant.core.decision import Action, Decision
from participant.core.market import SECOND, Quote
from participant.core.order import LIVE, SENDS_MAX, Order, OrderStatus, orders_of
from participant.core.position import Position
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import Phase


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """The desk's own limits. Shares are fractions, values in paise, ages in seconds of market time."""

    margin_share_max: float = 0.40
    lots_max: int = 10
    order_value_max: int = 10_000_000_00
    quote_age_max_s: float = 60.0
    drift_max: float = 0.05
    drift_future_max: float = 0.01


class Refusal(Struct, frozen=True):
    """Why an order was denied: the check, in words, and the figures that it compared."""

    check: str
    reason: str


class Ask(Struct, frozen=True):
    """All that the checks may look at: one order about to be sent, and the world as the gateway knows it now."""

    order: Order
    orders: tuple[Order, ...]
    decision: Decision | None
    position: Position
    account: Account
    quote: Quote | None
    spot: int
    level: Level
    level_why: str
    phase: Phase
    now: int
    limits: Limits


Check = Callable[[Ask], str]


def provenance(ask: Ask) -> str:
    """The order is a leg of one logged decision or a slice of it, unaltered, and no more is sent than was decided."""
    order, decision = ask.order, ask.decision
    if decision is None or decision.decision_id != order.decision_id:
        return "no logged decision asks for it"
    if not 0 <= order.leg < len(decision.legs):
        return f"its decision has no leg {order.leg}"
    if _core(order) not in map(_core, orders_of(decision)):
        return "it differs from what was decided"
    others = [o for o in ask.orders if o.decision_id == order.decision_id and o.order_id != order.order_id and o.sends]
    sent, decided = sum(o.quantity for o in others if o.leg == order.leg), decision.legs[order.leg].quantity
    return f"{sent} units of it were sent already, {decided} decided" if sent + order.quantity > decided else ""


def _core(order: Order) -> tuple[object, ...]:
    return order.order_id, order.leg, order.scrip, order.contract, order.side, order.quantity, order.deadline


def attempts(ask: Ask) -> str:
    """At most two sends on the wire, counted in the store before each, and none of what the broker has already."""
    order = ask.order
    if order.sends >= SENDS_MAX:
        return f"it was sent {order.sends} times"
    if order.cum_quantity or len(order.shown) > order.sends:
        return f"the broker shows {len(order.shown)} of it ({order.cum_quantity} units), {order.sends} were sent"
    return ""


def session(ask: Ask) -> str:
    """Only while the market trades."""
    return "" if ask.phase is Phase.OPEN else f"the market is {ask.phase}"


def breaker(ask: Ask) -> str:
    """Nothing passes an open breaker; in REDUCE_ONLY only what lowers the structure's worst loss."""
    if ask.level is Level.CLOSED or (ask.level is Level.REDUCE_ONLY and reduces(ask)):
        return ""
    return f"the breaker is {ask.level.name}: {ask.level_why}"


def deadline(ask: Ask) -> str:
    """Only before the decision's deadline."""
    late = ask.now - ask.order.deadline
    return f"its deadline passed {late / SECOND:.1f} s ago" if late >= 0 else ""


def freshness(ask: Ask) -> str:
    """Only against a valid quote of the last minute; to close, the side that is traded against is enough."""
    quote = ask.quote
    closes = ask.decision is not None and ask.decision.action is Action.CLOSE
    if quote is None or not (quote.is_valid or (closes and quote.touch(ask.order.side))):
        return "there is no valid quote"
    age = (ask.now - quote.exchange_at) / SECOND
    return f"the quote is {age:.1f} s old" if age > ask.limits.quote_age_max_s else ""


def shape(ask: Ask) -> str:
    """Whole lots, whole ticks, within the exchange's quantity per order."""
    order, contract = ask.order, ask.order.contract
    if order.quantity <= 0 or order.quantity % contract.lot:
        return f"{order.quantity} units are no whole lots of {contract.lot}"
    if order.quantity > contract.freeze:
        return f"{order.quantity} units are above the freeze quantity {contract.freeze}"
    if order.limit <= 0 or order.limit % contract.tick:
        return f"the limit {order.limit} is no whole number of ticks of {contract.tick}"
    return ""


def value(ask: Ask) -> str:
    """The order's value stays under the limit per order; one that only closes what is held is never refused by it."""
    order, limit = ask.order, ask.limits.order_value_max
    held = sum(h.quantity for h in ask.position.holdings if h.contract == order.contract)
    is_closing = order.quantity <= -order.side.sign * held
    worth = money(order.limit, order.quantity)
    return f"its value {worth} exceeds {limit} paise" if worth > limit and not is_closing else ""


def drift(ask: Ask) -> str:
    """The price has not left the one decided on by more than the collar, against us."""
    decided = ask.decision.legs[ask.order.leg].limit if ask.decision else 0
    limits = ask.limits
    share = limits.drift_future_max if ask.order.contract.kind is Kind.FUTURE else limits.drift_max
    worse = ask.order.side.sign * (ask.order.limit - decided)
    room = max(int(decided * share), 2 * ask.order.contract.tick)
    return f"the price went from {decided} to {ask.order.limit}" if worse > room else ""


def covered(ask: Ask) -> str:
    """Cover is never less than the calls sold, whichever working and unknown orders fill. A buy takes no cover away."""
    if ask.order.side is Side.BUY:
        return ""
    cover, calls = worst_cover(ask)
    return f"{calls} units of calls would stand against {cover} of cover" if calls > cover else ""


def worst_cover(ask: Ask) -> tuple[int, int]:
    """The least cover and the most calls that it and what is on the wire can lead to; long calls cover nothing."""
    held = {h.contract: h.quantity for h in ask.position.holdings}
    for order in _on_the_wire(ask):
        if order.side is Side.SELL:
            held[order.contract] = held.get(order.contract, 0) - (order.quantity - order.cum_quantity)
    cover = sum(q for c, q in held.items() if c.kind is Kind.FUTURE)
    return cover, sum(max(0, -q) for c, q in held.items() if c.kind is Kind.CALL)


def _on_the_wire(ask: Ask) -> list[Order]:
    """The scrip's orders that may still fill, with the one that is asked about."""
    others = [o for o in ask.orders if o.status in LIVE and o.order_id != ask.order.order_id]
    return [o for o in [*others, ask.order] if o.scrip == ask.position.scrip]


def alone(ask: Ask) -> str:
    """Nothing else of ours is on the wire in the same contract."""
    others = [o for o in ask.orders if o.contract == ask.order.contract and o.order_id != ask.order.order_id]
    return "another order in this contract is not settled yet" if any(o.status in LIVE for o in others) else ""


def size(ask: Ask) -> str:
    """What the order adds to stays within the limit of lots even if everything working fills; a close adds nothing."""
    kind, side, lot = ask.order.contract.kind, ask.order.side, ask.order.contract.lot
    units = side.sign * sum(h.quantity for h in ask.position.holdings if h.contract.kind is kind)
    for order in _on_the_wire(ask):
        if order.contract.kind is kind and order.side is side:
            units += order.quantity - order.cum_quantity
    most = ask.limits.lots_max * lot
    return f"{units} units of {kind} exceed {ask.limits.lots_max} lots of {lot}" if units > most else ""


CHECKS: list[Check] = [
    provenance,
    attempts,
    session,
    breaker,
    deadline,
    freshness,
    shape,
    value,
    drift,
    covered,
    alone,
    size,
]


def check(ask: Ask) -> Refusal | None:
    """The first refusal of CHECKS, or None."""
    for one in CHECKS:
        reason = one(ask)
        if reason:
            return Refusal(one.__name__, reason)
    return None


def affordable(account: Account, legs: Sequence[Order], action: Action, limits: Limits) -> Refusal | None:
    """Whether the account can carry the margin of a decision's orders; a close is never refused for money."""
    if action is Action.CLOSE:
        return None
    needed = sum(o.margin for o in legs)
    room = min(account.free, int(limits.margin_share_max * account.capital) - account.committed)
    if needed > room:
        return Refusal("margin", f"{needed} paise of margin are needed, {room} are free")
    return None


def reprice(order: Order, quote: Quote | None) -> Order:
    """The order with its limit at the far touch of the present quote, where there is one."""
    touch = quote.touch(order.side) if quote is not None else 0
    return replace(order, limit=touch) if touch else order


SCENARIO_MOVES = (-20, -15, -10, -5, 0, 5, 10, 15, 20)


def reduces(ask: Ask) -> bool:
    """Whether the structure's worst loss does not rise once this decision's remaining legs have filled."""
    if ask.spot <= 0:
        return False
    held = {h.contract: h.quantity for h in ask.position.holdings}
    after = dict(held)
    over = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.DENIED, OrderStatus.DEAD)
    for order in ask.orders:
        if order.decision_id == ask.order.decision_id and order.status not in over:
            left = order.side.sign * (order.quantity - order.cum_quantity)
            after[order.contract] = after.get(order.contract, 0) + left
    # What is paid for an option can be lost, and intrinsic values do not show it.
    if any(c.kind is not Kind.FUTURE and q > max(0, held.get(c, 0)) for c, q in after.items()):
        return False
    return not covered(ask) and worst_loss(after, ask.spot) <= worst_loss(held, ask.spot)


def worst_loss(holdings: dict[Contract, int], spot: int) -> int:
    """The largest loss (paise) over moves of the spot of up to 20 % either way, options at intrinsic value."""
    return max(-sum(_change(c, q, spot, move) for c, q in holdings.items()) for move in SCENARIO_MOVES)


def _change(contract: Contract, quantity: int, spot: int, move: int) -> int:
    moved = spot * (100 + move) // 100
    if contract.kind is Kind.FUTURE:
        return money(moved - spot, quantity)
    sign = 1 if contract.kind is Kind.CALL else -1
    before, after = (max(0, sign * (at - contract.strike)) for at in (spot, moved))
    return money(after - before, quantity)
