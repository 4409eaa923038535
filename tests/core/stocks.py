"""A stock's market for tests: RELIANCE on 3 February 2026, its shares quoted, and a month of calls."""

import datetime

from msgspec.structs import replace

from participant.core.ids import digest
from participant.core.market import Chain, Future, LookBack, MarketState, Quote, Strike
from participant.core.position import Holding, Position
from participant.core.pricing import price, years_to
from participant.core.scrip import PRICE_UNITS, Contract, Kind, money, shares_of
from participant.core.session import at_time
from tests.core.worlds import RULES, look_back, quote_round

NAME = "RELIANCE"
DAY = datetime.date(2026, 2, 3)
EVE = datetime.date(2026, 2, 23)
EXPIRY = datetime.date(2026, 2, 24)
LOT, FREEZE = 500, 15_000
SPOT = 1_400 * PRICE_UNITS
STEP = 10 * PRICE_UNITS
SHARES = shares_of(NAME, 1_000, FREEZE)
FUTURE = Contract(NAME, EXPIRY, Kind.FUTURE, 0, LOT, 1_000, FREEZE)


def call(strike: int = 1_440) -> Contract:
    """A call of the month; the strike in rupees."""
    return Contract(NAME, EXPIRY, Kind.CALL, strike * PRICE_UNITS, LOT, 500, FREEZE)


def stock_state(
    day: datetime.date = DAY, *, spot: int = SPOT, sigma: float = 0.22, lots_shown: int = 20, hour: int = 12
) -> MarketState:
    """The whole market of the stock at an hour of a day."""
    at, size = at_time(day, hour, 0), lots_shown * LOT
    years = years_to(RULES.expiry_at(EXPIRY), at)
    middle = round(spot / STEP) * STEP
    rows = []
    for strike in range(middle - 30 * STEP, middle + 31 * STEP, STEP):
        sides = (price(is_call, float(spot), strike, years, sigma) for is_call in (True, False))
        rows.append(Strike(strike, *(quote_round(fair, 0.01, size, at) for fair in sides)))
    chain = Chain(EXPIRY, LOT, 500, FREEZE, tuple(rows))
    own = Quote(spot - 1_000, spot + 1_000, size, size, at)
    future = Future(FUTURE, Quote(spot + 9_000, spot + 11_000, size, size, at))
    content = ((future,), (chain,), stock_look_back(), (), own)
    return MarketState(digest(NAME, at, spot, *content), NAME, at, at, "made", spot, *content, SHARES)


def stock_look_back() -> LookBack:
    """Volatility that has climbed from 14 to 22 percent, over a realised one of 15."""
    back = look_back(realised=0.15, low=0.14, high=0.22)
    return replace(back, closes=tuple(close * 14 // 250 for close in back.closes))


def held(*pairs: tuple[Contract, int, int], adopted: int = 0, **more: int | datetime.date) -> Position:
    """So many units (short is negative) of each contract, bought or sold at a price."""
    holdings = sorted((Holding(c, q, money(at, q)) for c, q, at in pairs), key=lambda h: h.contract)
    return replace(Position(NAME, tuple(holdings), adopted=adopted), **more)
