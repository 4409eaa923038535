"""Positions are a fold of book events: fills, settlement of futures, revisions, expiry, delivery, declared cover."""

import datetime
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from participant.core.events import (
    Adjusted,
    BookEvent,
    Declared,
    Delivered,
    Expired,
    Filled,
    Revised,
    Settled,
)
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import day_of

__all__ = ["Adjusted", "BookEvent", "Declared", "Delivered", "Expired", "Filled", "Revised", "Settled"]


class Holding(Struct, frozen=True, rename="camel"):
    """What we hold of one contract: units (short is negative) and their cost in paise (received is negative)."""

    contract: Contract
    quantity: int
    cost: int


class Working(Struct, frozen=True, rename="camel"):
    """What is ordered of one contract and not yet filled, signed; UNKNOWN orders count in full."""

    contract: Contract
    quantity: int


class Booked(Struct, frozen=True, array_like=True):
    """What the books have taken in of one order: units, value and charges."""

    quantity: int = 0
    value: int = 0
    charges: int = 0


class Position(Struct, frozen=True, rename="camel"):
    """What we hold and have ordered in one scrip, and what it has brought.

    `structure_result` is the cash result (realised, settled, charges) since the position was last flat,
    `realised` and `charges` are those of all time; all in paise. `booked` is what was taken in of each order of today,
    `sold_at` when a call was last sold (ns), `tranches` the entries since the book was flat.
    `adopted` are the shares among the holdings that a person has declared as cover: they lie in a demat account, were
    never bought here and are never sold here, and the broker's positions do not show them.
    """

    scrip: str
    holdings: tuple[Holding, ...] = ()
    working: tuple[Working, ...] = ()
    structure_result: int = 0
    realised: int = 0
    charges: int = 0
    entered_on: datetime.date | None = None
    cover_alone_since: int = 0
    booked: dict[str, Booked] = {}
    adopted: int = 0
    sold_at: int = 0
    tranches: int = 0

    @property
    def is_flat(self) -> bool:
        """Whether nothing is held."""
        return not self.holdings

    @property
    def odd_lots(self) -> tuple[Holding, ...]:
        """What is held that is no whole number of its contract's lots, as after a revision: no order can close it."""
        return tuple(h for h in self.holdings if h.quantity % h.contract.lot and h.contract.kind is not Kind.STOCK)

    @property
    def cover(self) -> int:
        """Units of the underlying that calls can be written against: long futures and shares."""
        return sum(h.contract.covers(h.quantity) for h in self.holdings)

    @property
    def shares(self) -> int:
        """Shares held: those bought here and those adopted."""
        return sum(h.quantity for h in self.holdings if h.contract.kind is Kind.STOCK)

    @property
    def short_calls(self) -> int:
        """Units of calls sold, as a positive number."""
        return -sum(h.quantity for h in self.holdings if h.contract.kind is Kind.CALL)


def apply(position: Position, event: BookEvent) -> tuple[Position, int]:
    """The position after a book event, and the cash that it moved (paise, received is positive).

    Fills merge by cumulative quantity: one that brings nothing new changes nothing.
    """
    if isinstance(event, Filled):
        return _filled(position, event)
    if isinstance(event, Adjusted):
        if position.is_flat:
            position = replace(position, structure_result=0, entered_on=day_of(event.at))
        return _booked(position, Holding(event.contract, event.quantity, event.cost), Result(0, 0, 0), event.at), 0
    if isinstance(event, Revised):
        new, key = event.contract, event.contract.key
        held = (replace(h, contract=new) if h.contract.key == key else h for h in position.holdings)
        return replace(position, holdings=tuple(sorted(held, key=lambda h: h.contract))), 0
    if isinstance(event, Declared):
        return _declared(position, event), 0
    holding = next((h for h in position.holdings if h.contract == event.contract), None)
    if holding is None:
        return position, 0
    if isinstance(event, Settled):
        worth = money(event.price, holding.quantity)
        paid = worth - holding.cost
        return _booked(position, replace(holding, cost=worth), Result(paid, paid, 0), event.at), paid
    if isinstance(event, Delivered):
        return _delivered(position, holding, event)
    worth = money(final_value(event), holding.quantity)
    realised = worth - holding.cost
    cash = realised if event.contract.kind is Kind.FUTURE else worth
    return _booked(position, replace(holding, quantity=0, cost=0), Result(realised, realised, 0), event.at), cash


def delivered_units(contract: Contract, quantity: int, price: int) -> int:
    """Shares that come in (go out: negative) where so much of a contract ends by delivery at an official price."""
    if contract.kind is Kind.FUTURE:
        return quantity
    sign = 1 if contract.kind is Kind.CALL else -1
    return sign * quantity if sign * (price - contract.strike) > 0 else 0


def delivery_price(contract: Contract, price: int) -> int:
    """What is paid for a share that a contract delivers: the strike, of a future the official price."""
    return price if contract.kind is Kind.FUTURE else contract.strike


def _delivered(position: Position, holding: Holding, event: Delivered) -> tuple[Position, int]:
    """An option ends worthless, a future is settled for the last time; then the shares change hands."""
    contract, units = holding.contract, delivered_units(holding.contract, holding.quantity, event.price)
    settled = money(event.price, holding.quantity) if contract.kind is Kind.FUTURE else 0
    ended = settled - holding.cost
    position = _booked(position, replace(holding, quantity=0, cost=0), Result(ended, ended, 0), event.at)
    paid = money(delivery_price(contract, event.price), units)
    held = next((h for h in position.holdings if h.contract.key == event.shares.key), Holding(event.shares, 0, 0))
    after, realised = _fill(held, units, paid)
    position = _booked(position, after, Result(realised - event.charges, realised, event.charges), event.at)
    # What was bought here goes first.
    position = replace(position, adopted=max(0, min(position.adopted, position.shares)))
    return position, (ended if contract.kind is Kind.FUTURE else 0) - paid - event.charges


def _declared(position: Position, event: Declared) -> Position:
    """Without calls against it the structure begins anew, at the value told; else only what is new has that value."""
    key = event.contract.key
    held = next((h for h in position.holdings if h.contract.key == key), Holding(event.contract, 0, 0))
    more = event.quantity - held.quantity
    cost = held.cost + (money(event.price, more) if more > 0 else -_share(held.cost, -more, held.quantity or 1))
    if not position.short_calls:
        position = replace(position, structure_result=0, entered_on=None)
        cost = money(event.price, event.quantity)
    others = tuple(h for h in position.holdings if h.contract.key != key)
    position = replace(position, holdings=others, adopted=event.quantity)
    return _booked(position, Holding(event.contract, event.quantity, cost), Result(0, 0, 0), event.at)


class Result(Struct, frozen=True):
    """What a book event did to the money of a position, in paise."""

    structure: int
    realised: int
    charges: int


def _filled(position: Position, event: Filled) -> tuple[Position, int]:
    before = position.booked.get(event.order_id, Booked())
    if event.is_correction and before.quantity:
        return _corrected(position, event, before)
    return _added(position, event, before)


def _corrected(position: Position, event: Filled, before: Booked) -> tuple[Position, int]:
    """Take back all that was booked of the order, then book it as it is now told."""
    if (event.quantity, event.value) == (before.quantity, before.value):
        return position, 0
    position, back = _moved(position, event, Booked(-before.quantity, -before.value, -before.charges))
    position, paid = _moved(position, event, Booked(event.quantity, event.value, event.charges))
    return _noted(position, event), back + paid


def _added(position: Position, event: Filled, before: Booked) -> tuple[Position, int]:
    quantity = event.quantity - before.quantity
    if quantity <= 0:
        return position, 0
    if position.is_flat:
        position = replace(position, structure_result=0, entered_on=event.day, tranches=0)
    elif position.adopted and not position.short_calls and event.side is Side.SELL:
        position = replace(position, entered_on=event.day)  # a call against a cover that is never bought
    if _begins(position, event):
        position = replace(position, tranches=position.tranches + 1)
    more = Booked(quantity, event.value - before.value, event.charges - before.charges)
    position, paid = _moved(position, event, more)
    return _noted(position, event), paid


def _begins(position: Position, event: Filled) -> bool:
    """Whether a fill begins another tranche: cover is bought while every unit that is held has its call."""
    return event.side is Side.BUY and not event.contract.kind.is_option and position.cover == position.short_calls


def _moved(position: Position, event: Filled, more: Booked) -> tuple[Position, int]:
    """The position with so much more of the event's contract, and the cash that it moves."""
    sign, contract = event.side.sign, event.contract
    holding = next((h for h in position.holdings if h.contract == contract), Holding(contract, 0, 0))
    after, realised = _fill(holding, sign * more.quantity, sign * more.value)
    position = _booked(position, after, Result(realised - more.charges, realised, more.charges), event.at)
    flow = realised if contract.kind is Kind.FUTURE else -sign * more.value
    return position, flow - more.charges


def _noted(position: Position, event: Filled) -> Position:
    booked = {**position.booked, event.order_id: Booked(event.quantity, event.value, event.charges)}
    is_sale = event.side is Side.SELL and event.contract.kind is Kind.CALL
    return replace(position, booked=booked, sold_at=event.at if is_sale else position.sold_at)


def _booked(position: Position, holding: Holding, result: Result, at: int) -> Position:
    """The position with this holding in place of the one it had of the contract, and the result added up."""
    others = [h for h in position.holdings if h.contract != holding.contract]
    position = replace(
        position,
        holdings=tuple(sorted((h for h in [*others, holding] if h.quantity), key=lambda h: h.contract)),
        structure_result=position.structure_result + result.structure,
        realised=position.realised + result.realised,
        charges=position.charges + result.charges,
    )
    return replace(position, cover_alone_since=_alone_since(position, at))


def _fill(holding: Holding, quantity: int, value: int) -> tuple[Holding, int]:
    """The holding after a fill (both signed: a buy is positive), and what the closed part of it realised."""
    if holding.quantity * quantity >= 0:
        return replace(holding, quantity=holding.quantity + quantity, cost=holding.cost + value), 0
    closed = min(abs(quantity), abs(holding.quantity))
    cost_closed = _share(holding.cost, closed, abs(holding.quantity))
    value_closed = _share(value, closed, abs(quantity))
    cost = holding.cost - cost_closed + value - value_closed
    return replace(holding, quantity=holding.quantity + quantity, cost=cost), -(cost_closed + value_closed)


def _share(amount: int, part: int, whole: int) -> int:
    """`amount x part / whole` in whole paise, rounded towards zero; exact where part is the whole."""
    share = abs(amount) * part // whole
    return share if amount >= 0 else -share


def final_value(event: Expired) -> int:
    """What one unit of a contract is worth at its end, as a price."""
    contract = event.contract
    if contract.kind is Kind.CALL:
        return max(0, event.price - contract.strike)
    if contract.kind is Kind.PUT:
        return max(0, contract.strike - event.price)
    return event.price


def _alone_since(position: Position, at: int) -> int:
    if position.cover <= 0 or position.short_calls > 0:
        return 0
    return position.cover_alone_since or at


def revisions(position: Position, contracts: Iterable[Contract], at: int) -> list[Revised]:
    """What today's master has on other terms than those that our books hold it on."""
    held = {h.contract.key: h.contract for h in position.holdings}
    return [Revised(c, at) for c in contracts if held.get(c.key, c) != c]


def unrealised(position: Position, mark: Callable[[Contract], int]) -> int:
    """What the holdings are worth at the prices that `mark` gives, less their cost (paise)."""
    return sum(money(mark(h.contract), h.quantity) - h.cost for h in position.holdings)


def with_working(position: Position, working: Iterable[Working]) -> Position:
    """The position with what is ordered and not yet filled."""
    return replace(position, working=tuple(sorted(working, key=lambda w: (w.contract, w.quantity))))


def forget_orders(position: Position) -> Position:
    """The position at the end of a day: what was booked of the day's orders need not be carried on."""
    return replace(position, booked={})
