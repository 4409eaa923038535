"""What a closed day adds to the tables of a result: read from the books, before they forget the day."""

from collections.abc import Iterator
from typing import Any

import msgspec

from participant.core.attribution import explain
from participant.core.books import Fill
from participant.core.decision import Decision
from participant.core.order import Order
from participant.core.risk import Refusal
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind, Side, money
from participant.core.wording import at_price
from participant.history.recorded import STOCK_DERIVED, RecordedMarket
from participant.links.decision_log import DecisionLog
from participant.links.ledger import EventRow
from participant.links.marks import legs_of_day
from participant.ports import Store
from participant.research.engine import InlineDesk
from participant.research.result import Row
from participant.stages.reconcile import Closed
from participant.wire.json import decode

OPTIONS = (Kind.CALL, Kind.PUT)


class _Line(msgspec.Struct, rename="camel"):
    scrip: msgspec.Raw
    market_state: msgspec.Raw
    current_position_info: msgspec.Raw
    decision_info: msgspec.Raw


def decisions_of(books: Store, day: str) -> tuple[list[Row], list[Row], list[Decision]]:
    """The rows of a day's decisions, of the parts that they refer to, and the decisions themselves."""
    rows, parts, decisions = list[Row](), list[Row](), list[Decision]()
    for line, news in DecisionLog(books, None).records(day):
        record = msgspec.json.decode(line, type=_Line)
        decision = decode(bytes(record.decision_info), Decision)
        decisions.append(decision)
        rows.append(_decision(decision, day) | _objects(record))
        parts += [{"id": p.id, "kind": p.kind, "part": bytes(p.part)} for p in news]
    return rows, parts, decisions


def _decision(decision: Decision, day: str) -> dict[str, Any]:
    call = next((g for g in decision.legs if g.contract.kind is Kind.CALL and g.side is Side.SELL), None)
    score = decision.figures.get("score")
    return {
        "decision_id": decision.decision_id,
        "at": decision.decided_for,
        "day": day,
        "scrip": decision.scrip,
        "action": decision.action.value,
        "reason": decision.reason,
        "score": float(score) if isinstance(score, int | float) else None,
        "strike": call.contract.strike if call else None,
        "expiry": str(call.contract.expiry) if call else None,
        "premium": money(call.limit, call.quantity) if call else None,
    }


def _objects(record: _Line) -> dict[str, Any]:
    names = zip(("scripRow", *record.__struct_encode_fields__[1:]), msgspec.structs.astuple(record), strict=True)
    return {name: bytes(value) for name, value in names}


def fills_of(books: Store, market: RecordedMarket) -> list[Row]:
    """A row an order that filled, at its average price."""
    fills = (decode(r.value, Fill) for r in books.rows("fills", prefix=f"{market.day}/"))
    return [
        {
            "order_id": fill.order_id,
            "decision_id": fill.decision_id,
            "at": fill.at,
            "day": str(market.day),
            "scrip": fill.scrip,
            "contract": fill.contract.key,
            "side": fill.side.value,
            "quantity": fill.quantity,
            "price": fill.value * PRICE_UNITS_PER_PAISA // fill.quantity,
            "value": fill.value,
            "charges": fill.charges,
            "is_modelled": _is_modelled(market, fill.contract),
        }
        for fill in fills
        if fill.quantity
    ]


def _is_modelled(market: RecordedMarket, contract: Contract) -> bool:
    if contract.underlying not in market.symbols:
        return False
    seen = market.provenance(contract.underlying)
    if contract.kind is Kind.STOCK:
        return STOCK_DERIVED in seen.marks
    return contract.key in seen.derived or (contract.kind in OPTIONS and "quotes modelled" in seen.marks)


def event(day: str, kind: str, text: str, scrip: str = "", amount: int = 0) -> Row:
    """A row of the events that is of no contract; `amount` in paise."""
    of = {"contract": "", "quantity": 0, "price": 0}
    return {"day": day, "scrip": scrip, "kind": kind, **of, "amount": amount, "text": text}


def events_of(desk: InlineDesk, closed: Closed) -> Iterator[Row]:
    """Settlements, expiries and deliveries, what was refused, what differs from the broker's books, a margin call."""
    day = closed.day
    for row in desk.books.rows("events", prefix=f"{day}/"):
        one = decode(row.value, EventRow)
        text = f"{one.quantity:,} {one.contract.key} at {at_price(one.price)}"
        of = {"contract": one.contract.key, "quantity": one.quantity, "price": one.price}
        yield {**event(day, one.kind, text, one.scrip, one.cash), **of}
    for row in desk.books.rows("refusals", prefix=f"{day}/"):
        refusal, order = decode(row.value, Refusal), desk.books.get("orders", row.key)
        scrip = decode(order.value, Order).scrip if order is not None else ""
        yield event(day, "refusal", f"{refusal.control} {refusal.said}", scrip)
    for found in closed.breaks:
        yield event(day, "break", f"{found.kind} {found.key}: ours {found.ours}, theirs {found.theirs}")
    if desk.kept is not None:
        for lacking in desk.kept.unpriced:
            yield event(day, "not settled", f"{lacking.contract} has no official price of {lacking.lacks}")
    free = desk.account().free
    if free < 0:
        yield event(day, "margin call", "cash does not cover the margin of what is held", amount=-free)


def parts_of_result(books: Store, closed: Closed, day: RecordedMarket) -> tuple[dict[str, int], dict[str, int]]:
    """What the day made (paise): of premium, cover and charges, which add up to it; and by scrip, after charges."""
    totals, scrips = dict.fromkeys(("premium", "cover", "charges"), 0), dict[str, int]()
    for leg in legs_of_day(books, day.day, closed.settlements):
        found = explain([leg])
        totals["premium" if leg.contract.kind in OPTIONS else "cover"] += found.total - found.charges
        totals["charges"] += found.charges
        scrips[leg.contract.underlying] = scrips.get(leg.contract.underlying, 0) + found.total
    return totals, scrips
