"""What a day's result is explained by: each fill's market, and what is held at the close with its mark."""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from math import isfinite

from msgspec import Struct
from msgspec.structs import replace

from participant.core.attribution import Explained, Flow, Leg, PriceMark, explain
from participant.core.books import Fill, OrderReport
from participant.core.cover import mark
from participant.core.market import MarketState, chain_to
from participant.core.messages import Write
from participant.core.position import BookEvent, Delivered, Expired, Holding, Position, delivered_units, final_value
from participant.core.pricing import implied_volatility, rounded, years_to
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind, money
from participant.core.session import day_of, usual_close
from participant.core.volatility import forward_to
from participant.links.books import Books, market_state
from participant.ports import Store
from participant.wire.json import decode, encode


class HeldMark(Struct, frozen=True):
    """What is held of one contract at a close, and its mark."""

    contract: Contract
    quantity: int
    mark: PriceMark


class DayMarks(Struct, frozen=True):
    """What is held at the end of a day; the next day begins there."""

    at: int
    held: tuple[HeldMark, ...] = ()


def mark_of(state: MarketState | None, contract: Contract, price: int, at: int) -> PriceMark:
    """A price in its market, with forward, time and the volatility that it implies, as far as they are known."""
    if state is None:
        return PriceMark(price)
    if contract.kind is Kind.STOCK:
        return PriceMark(price, state.spot, float(price))
    years = rounded(years_to(usual_close(contract.expiry), at))
    if contract.kind is Kind.FUTURE:
        return PriceMark(price, state.spot, float(price), years)
    chain = chain_to(state, contract.expiry)
    if chain is None:
        return PriceMark(price)
    forward = rounded(forward_to(state, chain, years).level)
    is_call = contract.kind is Kind.CALL
    sigma = rounded(implied_volatility(is_call, float(price), forward, float(contract.strike), years))
    return PriceMark(price, state.spot, forward, years, sigma if isfinite(sigma) else None)


def flow_row(state: MarketState | None, told: OrderReport, known: Fill | None, cost: int) -> Write:
    """The row of what one report brought beyond what was known, with the market that it was booked in."""
    before = (known.quantity, known.value, known.charges) if known else (0, 0, 0)
    quantity, value, charges = told.cum_quantity - before[0], told.cum_value - before[1], cost - before[2]
    flow = Flow(told.contract, told.side.sign * quantity, told.side.sign * value, charges)
    # A figure that was corrected may bring value and no units: then the order's average stands for its price.
    value, units = (flow.value, flow.quantity) if flow.quantity else (told.cum_value, max(told.cum_quantity, 1))
    price = abs(value) * PRICE_UNITS_PER_PAISA // abs(units)
    marked = replace(flow, mark=mark_of(state, flow.contract, price, told.at))
    name = f"{told.cum_quantity}-{told.revision}" if told.revision else f"{told.cum_quantity}"
    return Write("flows", f"{day_of(told.at)}/{told.order_id}/{name}", encode(marked))


def marks_row(books: Store, quotes: Store, day: datetime.date, at: int) -> Write:
    """The row of what is held at a day's end, at the prices of our worth: the middle of the newest quote, else cost."""
    held = [h for p in Books(books).positions() for h in p.holdings]
    marks = DayMarks(at, tuple(HeldMark(h.contract, h.quantity, _closing_mark(quotes, h, at)) for h in held))
    return Write("day_marks", str(day), encode(marks))


def _closing_mark(quotes: Store, holding: Holding, at: int) -> PriceMark:
    state = market_state(quotes, holding.contract.underlying)
    price = mark(state, holding.contract)
    if price is not None:
        return mark_of(state, holding.contract, price, at)
    return PriceMark(abs(holding.cost * PRICE_UNITS_PER_PAISA // holding.quantity))


def legs_of_day(books: Store, day: datetime.date, settlements: dict[str, int]) -> list[Leg]:
    """Each contract's day, from the marks of the two closes and what flowed between."""
    rows = {r.key: decode(r.value, DayMarks) for r in books.rows("day_marks")}
    last = max((name for name in rows if name < str(day)), default="")
    began = {h.contract: h for h in rows[last].held} if last else {}
    ended = {h.contract: h for h in rows[str(day)].held} if str(day) in rows else {}
    flows = defaultdict[Contract, list[Flow]](list)
    for row in books.rows("flows", prefix=f"{day}/"):
        flow = decode(row.value, Flow)
        flows[flow.contract].append(flow)
    legs = []
    for contract in sorted({*began, *ended, *flows}):
        held, mine = began.get(contract), tuple(flows[contract])
        start = held.mark if held else PriceMark(0)
        end = ended[contract].mark if contract in ended else _last_mark(contract, day, settlements, (start, mine))
        legs.append(Leg(contract, held.quantity if held else 0, start, mine, end))
    return legs


def _last_mark(
    contract: Contract, day: datetime.date, settlements: dict[str, int], seen: tuple[PriceMark, tuple[Flow, ...]]
) -> PriceMark:
    """Where a contract that is not held any more ended: at its expiry's official price, else with its last fill."""
    start, flows = seen
    official = settlements.get(contract.underlying)
    if contract.expiry <= day and official is not None:
        return PriceMark(final_value(Expired(contract, official, 0)), official, float(official))
    marks = [f.mark for f in flows if f.mark is not None]
    return marks[-1] if marks else start


def explained(books: Store, day: datetime.date, settlements: dict[str, int]) -> dict[str, Explained]:
    """The day's result of each structure, taken apart; a structure is what is held in one scrip."""
    legs = defaultdict[str, list[Leg]](list)
    for leg in legs_of_day(books, day, settlements):
        legs[leg.contract.underlying].append(leg)
    return {scrip: explain(mine) for scrip, mine in sorted(legs.items())}


def delivery_rows(position: Position, events: Iterable[BookEvent], day: datetime.date) -> list[Write]:
    """The flows of shares that change hands as contracts end.

    They stand at the official price: what a contract's strike differs from it is the contract's own last worth.
    """
    held, rows = {h.contract: h.quantity for h in position.holdings}, []
    for event in (e for e in events if isinstance(e, Delivered)):
        units = delivered_units(event.contract, held[event.contract], event.price)
        seen = PriceMark(event.price, event.price, float(event.price))
        flow = Flow(event.shares, units, money(event.price, units), event.charges, seen)
        rows += [Write("flows", f"{day}/delivered-{event.contract.key}/{event.at}", encode(flow))] if units else []
    return rows


def adopted(holding: Holding | None, contract: Contract, quantity: int, cost: int) -> Flow:
    """What a position that a person took over brought in: no cash moved, but for what a future's cost stands for."""
    before = holding or Holding(contract, 0, 0)
    value = cost - before.cost if contract.kind is Kind.FUTURE else 0
    return Flow(contract, quantity - before.quantity, value)
