"""One order about to be sent, and the world as the gateway knows it now: all that the controls may look at.

What is not known stands at a value that denies.
"""

import datetime
from collections.abc import Iterable, Mapping

from msgspec import Struct

from participant.core.account import Account
from participant.core.breaker import Level
from participant.core.decision import Decision, Figure
from participant.core.limits import Limits
from participant.core.market import MarketState, Quote
from participant.core.once import kept
from participant.core.order import LIVE, OVER, Order
from participant.core.position import Position
from participant.core.rulerows import PriceRange
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import Phase, Session

SCENARIO_MOVES = (-20, -15, -10, -5, 0, 5, 10, 15, 20)


class Finding(Struct, frozen=True):
    """What a check found wrong, in words, and the figures that it compared.

    `disables` says that the scrip stays disabled until a person enables it again.
    """

    reason: str
    figures: Mapping[str, Figure] = {}
    disables: bool = False


class Ask(Struct, frozen=True, dict=True):
    """`master_day` is the day of the contract master, `disabled` why a person must enable the scrip first.

    `by_hand` is who has claimed a ticket of the contract today, if anybody.
    `broker_need` is the margin (paise) that the broker says the whole decision needs, `broker_why` why it is not known.

    `bans` are the underlyings in a ban period (None: no list of today), `sessions_left` the sessions before the
    contract's expiry of a stock (None: not counted, as for an index). On a shadow day nothing `may_send`.
    """

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
    market: MarketState | None = None
    session: Session | None = None
    master_day: datetime.date | None = None
    may_send: bool = False
    is_listed: bool = False
    is_watched: bool = False
    disabled: str = ""
    by_hand: str = ""
    price_range: PriceRange | None = None
    is_stock: bool = False
    bans: frozenset[str] | None = None
    sessions_left: int | None = None
    broker_need: int | None = None
    broker_why: str = ""

    @kept
    def others(self) -> tuple[Order, ...]:
        """Every other order of ours that is on the wire or may be."""
        return tuple(o for o in self.orders if o.status in LIVE and o.order_id != self.order.order_id)

    @kept
    def wire(self) -> list[Order]:
        """The scrip's orders that may still fill, with the one that is asked about."""
        return [o for o in [*self.others, self.order] if o.scrip == self.position.scrip]

    @kept
    def held(self) -> dict[Contract, int]:
        """Units held of each contract of the scrip."""
        return {h.contract: h.quantity for h in self.position.holdings}

    @kept
    def lot(self) -> int:
        """Units of a lot, in which limits are told; shares go by their decision's option. 0: not known."""
        if self.order.contract.kind is not Kind.STOCK:
            return self.order.contract.lot
        legs = self.decision.legs if self.decision is not None else ()
        return max((leg.contract.lot for leg in legs if leg.contract.kind.is_option), default=0)

    @kept
    def is_closing(self) -> bool:
        """Whether the order only closes what is held of its contract."""
        return self.order.quantity <= -self.order.side.sign * self.held.get(self.order.contract, 0)

    @kept
    def siblings(self) -> tuple[Order, ...]:
        """The orders of its decision, itself among them."""
        return tuple(o for o in self.orders if o.decision_id == self.order.decision_id)

    @kept
    def is_for_broker(self) -> bool:
        """Whether the broker is asked what margin its decision needs: once, before any of it, and not for a close."""
        return not (self.is_reducing or self.is_closing or any(o.sends for o in self.siblings))

    @kept
    def is_reducing(self) -> bool:
        """Whether the structure's worst loss does not rise once this decision's remaining legs have filled."""
        return reduces(self)


def reduces(ask: Ask) -> bool:
    """Whether the structure's worst loss does not rise once this decision's remaining legs have filled."""
    if ask.spot <= 0:
        return False
    held = ask.held
    after = dict(held)
    for order in ask.orders:
        if order.decision_id == ask.order.decision_id and order.status not in OVER:
            after[order.contract] = after.get(order.contract, 0) + order.unfilled
    # What is paid for an option can be lost, and intrinsic values do not show it.
    if any(c.kind.is_option and q > max(0, held.get(c, 0)) for c, q in after.items()):
        return False
    return not is_uncovered(ask) and worst_loss(after, ask.spot) <= worst_loss(held, ask.spot)


def is_uncovered(ask: Ask) -> bool:
    """Whether a sell may leave options without cover, whichever orders fill. A buy takes no cover away."""
    cover, sold = worst_cover(ask)
    return ask.order.side is Side.SELL and sold > cover


def worst_cover(ask: Ask) -> tuple[int, int]:
    """The cover and the options sold against it (units) where all sells on the wire have filled and no purchase has.

    Calls are covered by futures, shares and calls held, puts by puts held, by none that ends before what it covers:
    counted from the expiry on from which the most would be missing.
    """
    is_put = ask.order.contract.kind is Kind.PUT
    after = {c: q for c, q in ask.held.items() if (c.kind is Kind.PUT) is is_put}
    for order in ask.wire:
        if order.side is Side.SELL and (order.contract.kind is Kind.PUT) is is_put:
            after[order.contract] = after.get(order.contract, 0) - left(order)
    return least_cover(after)


def least_cover(units: Mapping[Contract, int]) -> tuple[int, int]:
    """The cover and the options sold against it, counted from the expiry on from which the most would be missing."""
    ends = (_from(units, last) for last in {c.expiry for c in units})
    return max(ends, key=lambda end: end[1] - end[0], default=(0, 0))


def _from(units: Mapping[Contract, int], last: datetime.date) -> tuple[int, int]:
    """The cover that lives until `last` or longer, and the options sold that do."""
    alive = [(c, q) for c, q in units.items() if c.expiry >= last]
    cover = sum(max(0, q) if c.kind.is_option else c.covers(q) for c, q in alive)
    return cover, sum(max(0, -q) for c, q in alive if c.kind.is_option)


def left(order: Order) -> int:
    """Units that may still fill; of an order of unknown fate all that is not proven filled."""
    return abs(order.unfilled)


def worst_loss(holdings: dict[Contract, int], spot: int) -> int:
    """The largest loss (paise) over moves of the spot of up to 20 % either way, options at intrinsic value."""
    return max(-sum(change(c, q, spot, move) for c, q in holdings.items()) for move in SCENARIO_MOVES)


def worst_loss_filling(holdings: dict[Contract, int], orders: Iterable[Order], spot: int) -> int:
    """The largest such loss over every way in which these orders can fill: a fill that would gain is not counted on."""
    ends = [(o.contract, o.side.sign * left(o)) for o in orders]
    worst = 0
    for move in SCENARIO_MOVES:
        gain = sum(change(c, q, spot, move) for c, q in holdings.items())
        worst = max(worst, -gain - sum(min(0, change(c, q, spot, move)) for c, q in ends))
    return worst


def change(contract: Contract, quantity: int, spot: int, move: int) -> int:
    """What units of a contract gain (paise) where the spot moves by so many percent, options at intrinsic value."""
    moved = spot * (100 + move) // 100
    if not contract.kind.is_option:
        return money((moved - spot) // (contract.lot if contract.kind is Kind.STOCK else 1), quantity)
    sign = 1 if contract.kind is Kind.CALL else -1
    before, after = (max(0, sign * (at - contract.strike)) for at in (spot, moved))
    return money(after - before, quantity)
