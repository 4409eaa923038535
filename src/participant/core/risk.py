"""What every order must pass at the gateway, the last hop before the wire. Missing input denies.

CHECKS is the one ordered table: the id of each control, its rule, the limits that it compares with, the pure check.
PT-18 (the lease) is the gateway's own; PT-03 and PT-13 hold by construction and by the rate bucket (docs/controls.md).
"""

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.ask import Ask, Finding, reduces, worst_loss
from participant.core.controls import conduct, exposure, market, orders
from participant.core.decision import Action, Decision, Figure, Leg
from participant.core.limits import Limits
from participant.core.market import Quote
from participant.core.order import Order
from participant.core.scrip import Kind

__all__ = [
    "CHECKS",
    "Ask",
    "Control",
    "Limits",
    "Refusal",
    "affordable",
    "check",
    "one_bet",
    "reduces",
    "reprice",
    "worst_loss",
]

Check = Callable[[Ask], Finding | None]


class Control(Struct, frozen=True):
    """A row of the table. `limits` names the settings of limits.toml that the check compares with."""

    id: str
    check: Check
    limits: tuple[str, ...] = ()

    @property
    def rule(self) -> str:
        """The rule's name."""
        return self.check.__name__


class Refusal(Struct, frozen=True):
    """Why an order was denied: the control and its rule, in words, the limits in force and the figures compared.

    `disables` says that the scrip is disabled with it.
    """

    control: str
    check: str
    reason: str
    limits: dict[str, Figure | bool] = {}
    figures: Mapping[str, Figure] = {}
    disables: bool = False

    @property
    def said(self) -> str:
        """The refusal in one line."""
        return f"{self.check}: {self.reason}"


CHECKS: tuple[Control, ...] = (
    Control("PT-22", orders.integrity),
    Control("PT-15", orders.provenance),
    Control("PT-11", orders.attempts),
    Control("PT-14", orders.tag, ("tag_length_max",)),
    Control("PT-02", market.session, ("open_margin_s", "close_margin_s")),
    Control("PT-17", market.breaker),
    Control("PT-17", conduct.by_hand),
    Control("PT-01", market.instrument),
    Control("PT-12", conduct.enabled),
    Control("PT-16", orders.deadline),
    Control("PT-16", market.freshness, ("quote_age_max_s",)),
    Control("PT-04", orders.shape),
    Control("PT-04", orders.odd_lot),
    Control("PT-06", orders.freeze),
    Control("PT-06", orders.quantity, ("order_lots_max",)),
    Control("PT-07", orders.value, ("order_value_max",)),
    Control("PT-07", orders.premium, ("premium_max",)),
    Control("PT-07", orders.notional, ("order_notional_max",)),
    Control("PT-16", market.drift, ("drift_max", "drift_future_max")),
    Control("PT-16", market.together, ("drift_max", "drift_future_max", "quote_age_max_s")),
    Control(
        "PT-05",
        market.collar,
        ("collar_share_max", "collar_min", "collar_future_share_max", "collar_refusals_max", "collar_window_s"),
    ),
    Control("PT-05", market.price_range, ("price_range_share_max",)),
    Control("PT-09", exposure.covered),
    Control("PT-20", conduct.self_cross),
    Control("PT-12", conduct.alone),
    Control("PT-11", conduct.duplicate, ("duplicate_s",)),
    Control(
        "PT-12",
        conduct.loop,
        ("entries_max", "entries_window_s", "reversals_max", "reversals_window_s", "orders_day_max"),
    ),
    Control("PT-19", market.banned, ("ban_list_required",)),
    Control("PT-21", market.physical, ("physical_sessions_min",)),
    Control("PT-09", exposure.size, ("lots_max",)),
    Control("PT-09", exposure.short_options, ("short_lots_max",)),
    Control("PT-08", exposure.cumulative, ("open_value_max", "open_value_scrip_max", "open_lots_max")),
    Control("PT-09", exposure.scenario, ("scenario_loss_max",)),
    Control("PT-09", exposure.sensitivity, ("delta_value_max", "vega_max")),
    Control("PT-10", exposure.margin, ("margin_share_max", "margin_expiry_share_max")),
    Control("PT-10", exposure.broker_margin, ("margin_share_max", "margin_expiry_share_max", "margin_by_broker")),
    # The last one: on a shadow day every other control has judged the order before it ends.
    Control("PT-23", orders.shadow),
)
INTEGRITY, MARGIN, SHADOW = CHECKS[0], CHECKS[-3], CHECKS[-1]


def check(ask: Ask, *, is_change: bool = False) -> Refusal | None:
    """The first refusal of CHECKS, or None; a change of what the broker has already is no further send."""
    for control in CHECKS:
        found = None if is_change and control.check is orders.attempts else control.check(ask)
        if found is not None:
            return refusal(control, found, ask.limits)
    return None


def refusal(control: Control, found: Finding, limits: Limits) -> Refusal:
    """What a control found, with the limits that it compared with."""
    in_force: dict[str, Figure | bool] = {name: getattr(limits, name) for name in control.limits}
    return Refusal(control.id, control.rule, found.reason, in_force, found.figures, found.disables)


def affordable(account: Account, legs: Sequence[Order], action: Action, limits: Limits) -> Refusal | None:
    """Whether the account can carry the margin of a decision's orders; a close is never refused for money.

    What needs none may be what reduces, such as a call sold against its cover: PT-10 looks at it order by order.
    """
    if limits.fault:
        return refusal(INTEGRITY, Finding(f"no limits are in force: {limits.fault}"), limits)
    if action is Action.CLOSE:
        return None
    needed = sum(o.margin for o in legs)
    room = min(account.free, int(limits.margin_share_max * account.capital) - account.committed)
    if needed > max(0, room):
        found = Finding(f"{needed} paise of margin are needed, {room} are free", {"needed": needed, "free": room})
        return refusal(MARGIN, found, limits)
    return None


def one_bet(value: int, account: Account, decision: Decision, limits: Limits) -> Refusal | None:
    """Whether all books as one bet on the market (`value`, paise) stay within their share of capital.

    A close may go beyond it, and so may what makes the bet smaller, each of its legs.
    """
    most = int(limits.portfolio_delta_share_max * account.capital)
    if decision.action is not Action.OPEN or abs(value) <= most or _lowers(value, decision.legs):
        return None
    reason = f"all books would be a bet of {value} paise on the market, {most} may be"
    share = {"portfolio_delta_share_max": limits.portfolio_delta_share_max}
    return Refusal("PT-09", "one_bet", reason, {**share}, {"portfolio_delta": value, "room": most})


def _lowers(bet: int, legs: Sequence[Leg]) -> bool:
    """Whether every leg goes against the bet. What would turn it round beyond its limit has the other sign in `bet`."""
    signs = (leg.side.sign * (-1 if leg.contract.kind is Kind.PUT else 1) for leg in legs)
    return all(sign * bet < 0 for sign in signs)


def reprice(order: Order, quote: Quote | None) -> Order:
    """The order with its limit at the far touch of the present quote, where there is one."""
    touch = quote.touch(order.side) if quote is not None else 0
    return replace(order, limit=touch) if touch else order
