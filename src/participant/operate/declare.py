"""A person says what they hold as cover, or that they have sold some of it: who, what and why go into the books."""

import datetime

from msgspec import Struct

from participant.config import Run
from participant.core.attribution import Flow
from participant.core.books import view
from participant.core.breaker import Level
from participant.core.cover import mark, unpaid_of
from participant.core.declaring import refusal
from participant.core.market import Reference
from participant.core.messages import Stamp
from participant.core.order import OPEN
from participant.core.position import Declared, Position, apply
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS, Contract, Kind, money, shares_of
from participant.core.universe import STOCK
from participant.links.books import Books, market_state
from participant.links.brought import Brought, brought_rows
from participant.links.ledger import Entry, enter
from participant.operate.desk import No, market_now
from participant.ports import Store
from participant.wire.json import decode

FUND_TICK, FUND_FREEZE = PRICE_UNITS // 100, 10**9  # a fund is never ordered here


class Cover(Struct, frozen=True):
    """What a person says: units held in all, of which `ratio` make one unit of the scrip; `name` is what they are."""

    scrip: str
    name: str
    units: int
    ratio: int
    note: str


class Desk(Struct, frozen=True):
    """Whose books they are: the home's last run, its books, its market, what people asked of the breaker, its rules."""

    run: Run
    books: Store
    quotes: Store
    halts: Store
    rules: Rulebook


def declare(desk: Desk, cover: Cover, stamp: Stamp) -> Position:
    """Hold so much as declared cover from now on; returns the position with it. Raises No where that cannot be."""
    contract, market = _contract(desk, cover), market_state(desk.quotes, cover.scrip)
    price = mark(market, contract)
    if price is None:
        raise No(f"{cover.scrip} has no value in this home yet: trade a day with it on the watchlist first")
    booked, orders = Books(desk.books).position(cover.scrip)[0], Books(desk.books).orders(desk.run.day)
    mine = [h.order for h in orders if h.order.scrip == cover.scrip]
    why_not = refusal(view(booked, mine, desk.run.day), contract, cover.units)
    if not why_not and cover.units < booked.adopted:
        why_not = _not_still(desk, any(o.status in OPEN for o in mine))
    if why_not:
        raise No(f"{cover.scrip}: {why_not}")
    note = f"{cover.name}, {cover.ratio} to a unit: {cover.note}"
    event = Declared(contract, cover.units, price, market_now(desk.quotes), stamp.by, note)
    after, _ = apply(booked, event)
    flow = Flow(contract, cover.units - booked.adopted, money(price, cover.units - booked.adopted))
    brought = Brought(_gain(after, price) - _gain(booked, price), stamp.at, flow)
    rows = brought_rows(desk.books, _running(desk), brought, contract.key)
    enter(desk.books, desk.rules, market, Entry(cover.scrip, event.at, [event], rows))
    return after


def _gain(position: Position, price: int) -> int:
    """What the declared cover adds to the desk's worth at a price a share (paise)."""
    shares = (h for h in position.holdings if h.contract.kind is Kind.STOCK)
    return sum(money(price, h.quantity) - unpaid_of(position, h) for h in shares)


def _contract(desk: Desk, cover: Cover) -> Contract:
    """The shares in the terms of the last master, or units of a fund, which no master of ours has."""
    if desk.rules.class_of(cover.scrip) != STOCK:
        return shares_of(cover.scrip, FUND_TICK, FUND_FREEZE, cover.ratio)
    if cover.ratio != 1:
        raise No(f"{cover.scrip}: a share of a stock covers one share: leave --ratio out")
    row = desk.quotes.get("reference", cover.scrip)
    listed = decode(row.value, Reference).contracts if row is not None else ()
    return next((c for c in listed if c.kind is Kind.STOCK), shares_of(cover.scrip, FUND_TICK, FUND_FREEZE))


def _not_still(desk: Desk, has_orders: bool) -> str:
    """Why cover cannot be released at this moment: a call that is just being sold would count on it."""
    is_halted = Books(desk.halts).halt().level is Level.OPEN
    if _running(desk) is not None and (has_orders or not is_halted):
        return (
            "cover is released only while nothing can be sold against it: in the evening, or under `participant halt` "
            "once it says QUIET"
        )
    return ""


def _running(desk: Desk) -> datetime.date | None:
    day = str(desk.run.day)
    is_begun = desk.books.get("starts", day) is not None
    return desk.run.day if is_begun and desk.books.get("days", day) is None else None


def declared(books: Store) -> list[str]:
    """What counts as cover by a person's word alone, for them to compare with their demat account."""
    return [
        f"{p.scrip}: {p.adopted:,} {h.contract.key} ({h.contract.lot:,} to a unit) count as cover by your word: "
        "see that the demat account still holds them free"
        for p in Books(books).positions()
        for h in p.holdings
        if p.adopted and h.contract.kind is Kind.STOCK
    ]
