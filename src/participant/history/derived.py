"""Futures and covers that no recorded set quotes, derived from what it does quote; and what is known before a day.

Prices are 1/10,000 rupee, instants ns UTC, days IST. Each derived quote has a bid and an ask on ticks, at least a tick
apart. A future comes from put-call parity at the one strike nearest spot: the best across strikes would cross, and be
free money that is not there. Without options of its expiry it is spot plus an earlier day's basis; a stock is its spot.
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, isfinite
from typing import Literal

from msgspec import Struct

from participant.core.market import LookBack
from participant.core.pricing import rounded
from participant.core.scrip import Kind
from participant.core.session import day_of
from participant.history.cells import cells_at, strikes_near
from participant.history.official import ONE_DAY, Basis, Official, run_before
from participant.history.pages import Cell, Page

LOOK_BACK_SESSIONS = 250
VOLATILITY_OF = "NIFTY"  # the index whose options India VIX is made of
# A strike further from spot than this says little of the forward: deep options are quoted too wide.
STRIKE_REACH_BP = 100
# As wide as parity quotes are: their median is 0.4 bp of spot within a week of expiry and 1.0 bp within five weeks
# (the last page before 15:30 of each day of 2018-19 and 2025).
FUTURE_SPREAD_BP = 1
# An assumption, not a measurement: no recorded set quotes a stock.
STOCK_SPREAD_BP = 4
BASIS_POINTS = 10_000

BidAsk = tuple[int, int]


class Round(Struct, frozen=True):
    """What a recorded set shows of one scrip at one moment: its spot (price) and one page an expiry."""

    symbol: str
    at: int
    spot: int
    pages: tuple[Page, ...] = ()


class Terms(Struct, frozen=True):
    """What contracts are like on the day: a future's tick (price), and when what expires on a day stops trading."""

    tick: int
    expiry_at: Callable[[datetime.date], int]


class Life(Struct, frozen=True):
    """Two instants in the life of a future and the one at which it ends."""

    then: int
    now: int
    expiry_at: int


class DerivedFuture(Struct, frozen=True):
    """A future's derived quote (prices) and what it was derived from."""

    expiry: datetime.date
    bid: int
    ask: int
    how: Literal["parity", "basis", "close"]


def derive(listed: Sequence[datetime.date], seen: Round, official: Official, terms: Terms) -> list[DerivedFuture]:
    """The listed futures as they can be derived at one moment, nearest first; those that cannot be are left out.

    By parity where a page of this round has the future's expiry, with a strike near spot that is quoted on all four
    sides; else by the basis at the last official close before the day. What has expired is left out as well.
    """
    alive = sorted(expiry for expiry in listed if seen.at <= terms.expiry_at(expiry))
    futures = (_future(expiry, seen, official, terms) for expiry in alive)
    return [future for future in futures if future is not None]


def _future(expiry: datetime.date, seen: Round, official: Official, terms: Terms) -> DerivedFuture | None:
    if seen.spot <= 0:
        return None
    page = next((p for p in seen.pages if p.expiry == expiry), None)
    row = nearest_row(page.cells, page.spot or seen.spot) if page is not None else None
    quote = from_parity(*row, row[0].strike, terms.tick) if row is not None else None
    if quote is not None:
        return DerivedFuture(expiry, *quote, "parity")
    basis = official.basis_before(seen.symbol, expiry, day_of(seen.at))
    if basis is None:
        return None
    life = Life(terms.expiry_at(basis.day), seen.at, terms.expiry_at(expiry))
    return DerivedFuture(expiry, *from_basis(seen.spot, basis, life, terms.tick), "basis")


def closed(closes: Mapping[datetime.date, int], spot: int, tick: int) -> list[DerivedFuture]:
    """Futures (closes by expiry) at the instant of their own close: quotes as wide as parity's are around it."""
    quotes = ((expiry, _around(close, spot * FUTURE_SPREAD_BP, tick)) for expiry, close in sorted(closes.items()))
    return [DerivedFuture(expiry, *quote, "close") for expiry, quote in quotes]


def nearest_row(cells: Sequence[Cell], spot: int) -> tuple[Cell, Cell] | None:
    """The call and the put of the strike nearest spot whose four sides are quoted and not crossed or locked.

    Of two equally near the lower; none within STRIKE_REACH_BP of spot is `None`.
    """
    reach = spot * STRIKE_REACH_BP // BASIS_POINTS
    for strike in strikes_near(cells, spot, reach):
        near = [c for c in cells_at(cells, strike) if is_quoted(c)]
        call = next((c for c in near if c.kind is Kind.CALL), None)
        put = next((c for c in reversed(near) if c.kind is Kind.PUT), None)
        if call is not None and put is not None:
            return call, put
    return None


def is_quoted(cell: Cell) -> bool:
    """Whether both sides are there, the ask above the bid."""
    return 0 < cell.bid < cell.ask


def from_parity(call: Cell, put: Cell, strike: int, tick: int, discount: float = 1.0) -> BidAsk | None:
    """What the future costs by one strike: bid = K + (Cbid - Pask) / discount, ask = K + (Cask - Pbid) / discount.

    Rounded outwards to ticks; `None` where a side is missing or crossed. The discount here is 1: the basis so found
    (what the future costs above spot) lies 2.93 bp from that of the official closes, 3.04 bp with 6.5 % a year; more
    than 35 days from expiry 2.90 and 3.51 (medians of 221 and 32 last pages before 15:30, of 2018-19 and 2025).
    """
    if not (is_quoted(call) and is_quoted(put)):
        return None
    low = strike + floor((call.bid - put.ask) / discount)
    high = strike + ceil((call.ask - put.bid) / discount)
    return _on_ticks(low, high, tick)


def from_basis(spot: int, basis: Basis, life: Life, tick: int) -> BidAsk:
    """Spot plus an earlier basis that has shrunk in a straight line of time towards 0 at expiry.

    The quote is FUTURE_SPREAD_BP of spot wide, at least a tick on either side of the middle.
    """
    whole = life.expiry_at - life.then
    left = min(whole, max(0, life.expiry_at - life.now))
    points = (2 * basis.points * left + whole) // (2 * whole) if whole > 0 else 0
    return _around(spot + points, spot * FUTURE_SPREAD_BP, tick)


def stock_quote(spot: int, tick: int) -> BidAsk:
    """A stock at its spot: STOCK_SPREAD_BP wide, at least a tick on either side."""
    return _around(spot, spot * STOCK_SPREAD_BP, tick)


def _around(middle: int, spread: int, tick: int) -> BidAsk:
    """`spread` is 1/10,000 of a price unit."""
    half = max(tick, -(-spread // (2 * BASIS_POINTS)))
    return _on_ticks(middle - half, middle + half, tick)


def _on_ticks(low: int, high: int, tick: int) -> BidAsk:
    """Outwards to ticks, at least one apart; a bid below 0 is none."""
    bid, ask = max(0, low // tick) * tick, -(-high // tick) * tick
    return bid, max(ask, bid + tick)


def error_bp(bid: int, ask: int, close: int) -> float:
    """How far the middle of a derived quote lies above (below: less than 0) an official close, in basis points."""
    return rounded(((bid + ask) / 2 - close) / close * BASIS_POINTS)


# --- look-backs ------------------------------------------------------------------------------------------------------


def look_back(official: Official, symbol: str, day: datetime.date, sessions: int = LOOK_BACK_SESSIONS) -> LookBack:
    """What is published of an index before a day: its official closes, and India VIX for its 30-day IV.

    India VIX is NIFTY's; for another index it is a proxy, and named so. Both series reach back to their last hole at
    most. What they do not say stays unknown, for no chain of weeklies can: without India VIX the index's IV, with too
    few official closes its realised volatility.
    """
    volatility = official.volatility_before(day, sessions)
    of_day = f" of {volatility[-1][0]}" if volatility else ""
    published = f"India VIX{of_day}" + ("" if symbol == VOLATILITY_OF else f" (a proxy: {VOLATILITY_OF}'s)")
    closes, ivs = official.closes_before(symbol, day, sessions), tuple(v for _, v in volatility)
    bars = official.ranges_before(symbol, day, sessions)
    opens, highs, lows = (tuple(bar[i] for bar in bars) for i in range(3))
    return LookBack(closes, ivs, published, opens, highs, lows)


def own_look_back(closes_by_day: Mapping[datetime.date, int], iv_by_day: Mapping[datetime.date, float]) -> LookBack:
    """A look-back from recorded days of the scrip itself (closes as prices, IVs as fractions): those before the day.

    A day that was not recorded is not filled in, but the last hole of more than GAP_DAYS_MAX days ends what is known;
    a day without an IV (`nan`) is left out of the IVs.
    """
    if not closes_by_day:
        return LookBack()
    after = max((*closes_by_day, *iv_by_day)) + ONE_DAY
    closes = tuple(closes_by_day[day] for day in run_before(closes_by_day, after, len(closes_by_day)))
    ivs = (iv_by_day[day] for day in run_before(iv_by_day, after, len(iv_by_day)))
    return LookBack(closes, tuple(rounded(iv) for iv in ivs if isfinite(iv) and iv > 0))
