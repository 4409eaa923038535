"""A small desk for the tests of order safety: contracts of one scrip, a decision, its orders, what a broker shows."""

import datetime
from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from participant.core.account import Account
from participant.core.breaker import Level
from participant.core.decision import Action, Decision, Leg
from participant.core.market import SECOND, Chain, Future, LookBack, MarketState, Quote, Strike
from participant.core.order import Order, OrderStatus, OrderView, orders_of
from participant.core.position import Filled, Holding, Position
from participant.core.risk import Ask, Limits
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side, money
from participant.core.session import Phase, Session, day_of
from tests.core.worlds import RULES

DAY = datetime.date(2026, 12, 1)
EXPIRY = datetime.date(2026, 12, 29)
LOT, TICK, FREEZE = 75, 500, 1_800
SPOT = 25_000 * PRICE_UNITS
NOW = 1_764_500_000 * SECOND
CRORE = 1_00_00_000_00
OPTION_PRICE, FUTURE_PRICE = 100 * PRICE_UNITS, 25_100 * PRICE_UNITS

FUTURE = Contract("NIFTY", EXPIRY, Kind.FUTURE, 0, LOT, TICK, FREEZE)
CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 25_500 * PRICE_UNITS, LOT, TICK, FREEZE)
FAR_CALL = Contract("NIFTY", EXPIRY, Kind.CALL, 26_000 * PRICE_UNITS, LOT, TICK, FREEZE)
LATER = EXPIRY + datetime.timedelta(28)
LATE_FUTURE, LATE_CALL = replace(FUTURE, expiry=LATER), replace(CALL, expiry=LATER)
PUT = Contract("NIFTY", EXPIRY, Kind.PUT, 24_500 * PRICE_UNITS, LOT, TICK, FREEZE)

FAR_PUT = replace(PUT, strike=24_000 * PRICE_UNITS)
LATE_PUT = replace(PUT, expiry=LATER)


def price_of(contract: Contract) -> int:
    return FUTURE_PRICE if contract.kind is Kind.FUTURE else OPTION_PRICE


def leg(contract: Contract, side: Side, lots: int = 1) -> Leg:
    return Leg(contract, side, lots * LOT, price_of(contract), margin=1_00_000_00)


def decision(*legs: Leg, action: Action = Action.OPEN, name: str = "d1") -> Decision:
    deadline = NOW + 600 * SECOND
    return Decision(name, "NIFTY", action, "because", {}, legs, "s1", NOW, deadline, "rules", "build")


OPENING = decision(leg(FUTURE, Side.BUY), leg(CALL, Side.SELL))
CLOSING = decision(leg(CALL, Side.BUY), leg(FUTURE, Side.SELL), action=Action.CLOSE)


def an_order(**changes: Any) -> Order:
    """The call of OPENING, sold: in any state, however often sent."""
    return replace(orders_of(OPENING)[1], **changes)


def sent(status: OrderStatus = OrderStatus.SENDING, sends: int = 1, **changes: Any) -> Order:
    return an_order(status=status, sends=sends, sent_at=NOW, **changes)


def shown(order: Order, status: str, filled: int = 0, attempt: int = 0, **changes: Any) -> OrderView:
    """What the broker's book shows of an attempt at the order (the present one by default)."""
    attempt = attempt or order.sends
    tag, number = f"{order.tag_stem}{attempt}", f"B{attempt}"
    value = money(order.limit, filled)
    view = OrderView(tag, number, order.contract.key, order.side, order.quantity, filled, value, status, "", NOW + 1)
    return replace(view, **changes)


def holding(contract: Contract, lots: int) -> Holding:
    return Holding(contract, lots * LOT, money(price_of(contract), lots * LOT))


def position(cover: int = 0, calls: int = 0, contract: Contract = CALL) -> Position:
    """So many lots of the future held, so many of the call sold."""
    held = [holding(FUTURE, cover), holding(contract, -calls)]
    return Position("NIFTY", tuple(sorted((h for h in held if h.quantity), key=lambda h: h.contract)))


def filled(contract: Contract, side: Side, quantity: int, price: int, **changes: Any) -> Filled:
    event = Filled(f"{contract.key}-{side}", contract, side, quantity, money(price, quantity), 0, NOW, DAY)
    return replace(event, **changes)


def asked(why: Decision, number: int = 0, **changes: Any) -> Ask:
    """One leg of a decision at the gateway in a quiet market, with every leg before it filled."""
    done = OrderStatus.FILLED
    legs = [
        replace(o, status=done, sends=1, cum_quantity=o.quantity) if o.leg < number else replace(o, status="claimed")
        for o in orders_of(why)
    ]
    orders = tuple(replace(o, status=OrderStatus(o.status)) for o in legs)
    order = orders[number]
    quote = Quote(order.limit - TICK, order.limit, 750, 750, NOW)
    if order.side is Side.SELL:
        quote = Quote(order.limit, order.limit + TICK, 750, 750, NOW)
    world = Ask(
        order,
        orders,
        why,
        Position("NIFTY"),
        Account(CRORE, CRORE),
        quote,
        SPOT,
        Level.CLOSED,
        "",
        Phase.OPEN,
        NOW,
        LIMITS,
        session=session(),
        master_day=day_of(NOW),
        is_listed=True,
        is_watched=True,
        may_send=True,
        price_range=RULES.price_range(order.contract.kind, DAY),
        market=market_of(why.legs[number + 1 :]) if number + 1 < len(why.legs) else None,
    )
    return replace(world, **changes)


def touched(leg: Leg) -> Quote:
    """A quote whose far touch is the leg's limit."""
    bid = leg.limit if leg.side is Side.SELL else leg.limit - TICK
    return Quote(bid, bid + TICK, 750, 750, NOW)


def market_of(legs: Sequence[Leg]) -> MarketState:
    """A market in which these legs find the prices that were decided on, and nothing else is quoted."""
    futures = tuple(Future(one.contract, touched(one)) for one in legs if one.contract.kind is Kind.FUTURE)
    of = {(one.contract.strike, one.contract.kind): touched(one) for one in legs if one.contract.strike}
    levels = sorted({strike for strike, _ in of})
    strikes = tuple(Strike(k, of.get((k, Kind.CALL)), of.get((k, Kind.PUT))) for k in levels)
    chain = Chain(EXPIRY, LOT, TICK, FREEZE, strikes)
    return MarketState("s", "NIFTY", NOW, NOW, "one", SPOT, futures, (chain,), LookBack())


def session() -> Session:
    """A session that opened three hours ago and ends in three hours."""
    hours = 3 * 3_600 * SECOND
    return Session(day_of(NOW), NOW - hours, NOW + hours, NOW + hours, "a test")


LIMITS = Limits()
