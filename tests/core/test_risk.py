"""The gateway's checks: each both ways, at its boundary; and what reduces, what is covered, by brute force."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account, reserve
from participant.core.breaker import Level
from participant.core.controls.exposure import covered
from participant.core.controls.orders import freeze, provenance
from participant.core.decision import Action, Decision
from participant.core.market import SECOND, Quote
from participant.core.order import LIVE, Order, OrderStatus, orders_of
from participant.core.position import Position
from participant.core.risk import CHECKS, Ask, Limits, affordable, check, reduces, reprice, worst_loss
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import Phase
from tests.core.desk import (
    CALL,
    CLOSING,
    CRORE,
    FAR_CALL,
    FAR_PUT,
    FREEZE,
    FUTURE,
    LATE_CALL,
    LATE_FUTURE,
    LATE_PUT,
    LOT,
    NOW,
    OPENING,
    OPTION_PRICE,
    PUT,
    SPOT,
    TICK,
    asked,
    decision,
    holding,
    leg,
    position,
)

S = OrderStatus
BUY, SELL = Side.BUY, Side.SELL
SELL_CALL = asked(OPENING, 1, position=position(cover=1))


def with_order(ask: Ask, **changes: Any) -> Ask:
    """The ask with its order changed, in the list of orders too."""
    order = replace(ask.order, **changes)
    others = tuple(order if o.order_id == ask.order.order_id else o for o in ask.orders)
    return replace(ask, order=order, orders=others)


def with_quote(asking: Ask, **changes: Any) -> Ask:
    assert asking.quote is not None
    return replace(asking, quote=replace(asking.quote, **changes))


def refused_by(ask: Ask) -> str:
    refusal = check(ask)
    return refusal.check if refusal else ""


# --- each check, both ways ---

PASSING = {
    "opening, the cover": asked(OPENING),
    "opening, the call": SELL_CALL,
    "closing, the call": asked(CLOSING, 0, position=position(1, 1)),
    "closing, the cover": asked(CLOSING, 1, position=position(1, 0)),
}


@pytest.mark.parametrize("name", PASSING)
def test_an_order_in_order_passes(name: str) -> None:
    assert check(PASSING[name]) is None


# Limits that bind nobody, so that a test can bind one.
LOOSE = Limits(
    lots_max=99,
    order_lots_max=99,
    open_lots_max=99,
    short_lots_max=99,
    order_value_max=10**15,
    order_notional_max=10**15,
    premium_max=10**15,
    open_value_max=10**15,
    open_value_scrip_max=10**15,
    delta_value_max=10**15,
    vega_max=10**15,
    scenario_loss_max=10**15,
    collar_future_share_max=0.02,
)
DEAR = asked(decision(leg(CALL, BUY, lots=10)), position=position(0, 10))
OTHER = replace(SELL_CALL.order, order_id="x" * 32, decision_id="d9", status=S.UNKNOWN, sends=1)
REFUSED = [
    ("provenance", replace(SELL_CALL, decision=None)),
    ("provenance", replace(SELL_CALL, decision=replace(OPENING, decision_id="d2"))),
    ("provenance", with_order(SELL_CALL, leg=2)),
    ("provenance", with_order(SELL_CALL, leg=-1)),
    ("provenance", with_order(SELL_CALL, leg=0)),
    ("provenance", with_order(SELL_CALL, quantity=LOT + 1)),
    ("provenance", with_order(SELL_CALL, side=BUY)),
    ("provenance", with_order(SELL_CALL, contract=FAR_CALL)),
    ("provenance", with_order(SELL_CALL, deadline=OPENING.deadline + 1)),
    ("provenance", with_order(SELL_CALL, order_id="another")),
    ("provenance", replace(SELL_CALL, orders=(*SELL_CALL.orders, replace(SELL_CALL.order, order_id="y", sends=1)))),
    ("attempts", with_order(SELL_CALL, sends=2)),
    ("attempts", with_order(SELL_CALL, sends=1, cum_quantity=1)),
    ("attempts", with_order(SELL_CALL, shown={"B1": (0, 0)})),
    ("session", replace(SELL_CALL, phase=Phase.CLOSED)),
    ("session", replace(SELL_CALL, phase=Phase.PRE_OPEN)),
    ("session", replace(SELL_CALL, phase=Phase.POST_CLOSE)),
    ("breaker", replace(SELL_CALL, level=Level.OPEN)),
    ("breaker", replace(asked(CLOSING, 0, position=position(1, 1)), level=Level.OPEN)),
    ("breaker", replace(asked(OPENING), level=Level.REDUCE_ONLY)),
    ("deadline", replace(SELL_CALL, now=OPENING.deadline)),
    ("freshness", replace(SELL_CALL, quote=None)),
    ("freshness", with_quote(SELL_CALL, bid_size=0)),
    ("freshness", with_quote(SELL_CALL, exchange_at=NOW - 60 * SECOND - 1)),
    ("freshness", with_quote(SELL_CALL, exchange_at=NOW + 60 * SECOND + 1)),
    ("shape", with_order(SELL_CALL, limit=OPTION_PRICE + 1)),
    ("shape", with_order(SELL_CALL, limit=0)),
    ("shape", with_order(SELL_CALL, limit=-TICK)),
    ("value", replace(DEAR, position=position(0, 9), limits=Limits(order_value_max=1))),
    ("value", replace(DEAR, position=Position("NIFTY"), limits=replace(LOOSE, order_value_max=750 * 100_00 - 1))),
    ("drift", with_order(SELL_CALL, limit=OPTION_PRICE * 95 // 100 - TICK)),
    ("drift", with_order(asked(OPENING), limit=asked(OPENING).order.limit * 101 // 100 // TICK * TICK + TICK)),
    ("covered", asked(OPENING, 1)),
    ("covered", asked(CLOSING, 1, position=position(1, 1))),
    ("alone", replace(SELL_CALL, position=position(2), orders=(*SELL_CALL.orders, OTHER))),
    ("size", replace(SELL_CALL, limits=Limits(lots_max=0))),
    ("size", replace(asked(OPENING), limits=Limits(lots_max=0))),
]
PASSED = [
    with_order(SELL_CALL, sends=1, is_retriable=True, shown={"B1": (0, 0)}, status=S.REJECTED),
    replace(
        SELL_CALL,
        now=OPENING.deadline - 1,
        quote=replace(SELL_CALL.quote or Quote(0, 0, 0, 0, 0), exchange_at=NOW + 600 * SECOND - 1),
    ),
    with_quote(SELL_CALL, exchange_at=NOW - 60 * SECOND),
    with_quote(SELL_CALL, exchange_at=NOW + 60 * SECOND),
    replace(DEAR, position=Position("NIFTY"), limits=replace(LOOSE, order_value_max=750 * 100_00)),
    replace(DEAR, limits=Limits(order_value_max=1)),
    with_order(SELL_CALL, limit=OPTION_PRICE * 95 // 100),
    with_quote(with_order(SELL_CALL, limit=OPTION_PRICE * 2), bid=OPTION_PRICE * 2, ask=OPTION_PRICE * 2 + TICK),
    replace(with_order(asked(OPENING), limit=asked(OPENING).order.limit * 101 // 100 // TICK * TICK), limits=LOOSE),
    replace(SELL_CALL, position=position(2), orders=(*SELL_CALL.orders, replace(OTHER, status=S.CANCELLED))),
    replace(SELL_CALL, limits=Limits(lots_max=1)),
    replace(asked(CLOSING, 0, position=position(1, 1)), limits=Limits(lots_max=0, order_value_max=0)),
    replace(asked(CLOSING, 1, position=position(1, 0)), limits=Limits(lots_max=0, order_value_max=0)),
    replace(asked(CLOSING, 0, position=position(1, 1)), level=Level.REDUCE_ONLY),
    replace(asked(CLOSING, 1, position=position(1, 0)), level=Level.REDUCE_ONLY),
    asked(CLOSING, 0, position=position(0, 1)),
]


@pytest.mark.parametrize(("name", "ask"), REFUSED, ids=[f"{i} {name}" for i, (name, _) in enumerate(REFUSED)])
def test_each_check_refuses_what_it_is_there_for_and_says_why(name: str, ask: Ask) -> None:
    refusal = check(ask)
    assert refusal is not None
    assert (refusal.check, bool(refusal.reason)) == (name, True)


@pytest.mark.parametrize("ask", PASSED, ids=map(str, range(len(PASSED))))
def test_what_is_just_within_the_limits_passes(ask: Ask) -> None:
    assert refused_by(ask) == ""


@pytest.mark.parametrize(("quantity", "is_allowed"), [(FREEZE // LOT * LOT, True), (FREEZE // LOT * LOT + LOT, False)])
def test_an_order_stays_within_the_freeze_quantity(quantity: int, is_allowed: bool) -> None:
    big = decision(leg(FUTURE, BUY, lots=quantity // LOT))
    ask = asked(big, limits=LOOSE)
    assert (freeze(with_order(ask, quantity=quantity)) is None) is is_allowed


def test_slices_pass_one_after_the_other_up_to_what_was_decided_and_nothing_beyond() -> None:
    big = decision(leg(FUTURE, BUY, lots=2 * (FREEZE // LOT)))
    first, second = (replace(o, status=OrderStatus.CLAIMED) for o in orders_of(big))
    filled = replace(first, status=OrderStatus.FILLED, sends=1, cum_quantity=first.quantity)
    ask = replace(asked(big), order=second, orders=(filled, second))
    assert provenance(ask) is None
    strange = provenance(replace(ask, order=replace(second, order_id="another")))
    assert strange is not None
    assert strange.reason == "it differs from what was decided"
    forged = replace(filled, order_id="forged", quantity=2 * FREEZE)
    beyond = provenance(replace(ask, orders=(filled, second, forged)))
    assert beyond is not None
    assert beyond.reason.endswith(f"{big.legs[0].quantity} decided")


@pytest.mark.parametrize("quantity", [0, LOT - 1])
def test_an_order_is_whole_lots(quantity: int) -> None:
    odd = decision(replace(leg(CALL, BUY), quantity=quantity))
    assert refused_by(asked(odd)) == "shape"


def test_a_cheap_option_may_drift_two_ticks() -> None:
    cheap = decision(replace(leg(CALL, BUY), limit=4 * TICK))
    near, far = (with_order(asked(cheap, position=position(1, 1)), limit=n * TICK) for n in (6, 7))
    assert (refused_by(near), refused_by(far)) == ("", "drift")


def test_without_a_decision_nothing_drifts_into_being_allowed() -> None:
    drift = next(one.check for one in CHECKS if one.rule == "drift")
    assert drift(replace(asked(OPENING), decision=None))


def test_the_first_refusal_in_the_order_of_the_list_is_told() -> None:
    refusal = check(replace(SELL_CALL, decision=None, phase=Phase.CLOSED, quote=None))
    assert refusal is not None
    assert refusal.check == "provenance"


# --- cover: against every way in which what is on the wire can fill ---

CONTRACTS = [FUTURE, CALL, FAR_CALL, PUT, FAR_PUT, LATE_FUTURE, LATE_CALL, LATE_PUT]
wires = st.lists(
    st.tuples(st.sampled_from(CONTRACTS), st.sampled_from(Side), st.integers(0, 2), st.sampled_from(sorted(S))),
    max_size=10,
)
COVERS = {Kind.CALL: {Kind.CALL, Kind.FUTURE}, Kind.PUT: {Kind.PUT}}


def on_the_wire(i: int, contract: Any, side: Side, lots_filled: int, status: OrderStatus) -> Order:
    """An order of two lots, some of which has filled."""
    base = orders_of(decision(leg(contract, side, lots=2), name=f"w{i}"))[0]
    return replace(base, status=status, sends=1, cum_quantity=lots_filled * LOT)


def is_always_covered(held: Position, orders: list[Order], contract: Contract) -> bool:
    """Whether cover holds after every combination of whole fills of these orders (partial ones lie between)."""
    for fills in product((False, True), repeat=len(orders)):
        units = {h.contract: h.quantity for h in held.holdings}
        for order, is_filled in zip(orders, fills, strict=True):
            left = order.quantity - order.cum_quantity if is_filled else 0
            units[order.contract] = units.get(order.contract, 0) + order.side.sign * left
        if not is_covered(units, contract):
            return False
    return True


def is_covered(units: dict[Contract, int], contract: Contract) -> bool:
    """Whether each lot sold on the contract's side of the market finds a lot of its own there that lives as long."""
    kinds = COVERS[Kind.PUT if contract.kind is Kind.PUT else Kind.CALL]
    covers = sorted(c.expiry for c, q in units.items() if c.kind in kinds for _ in range(q // LOT))
    sold = [c.expiry for c, q in units.items() if c.kind in kinds for _ in range(-q // LOT)]
    latest_first = sorted(sold, reverse=True)
    return len(covers) >= len(sold) and all(c >= s for c, s in zip(reversed(covers), latest_first, strict=False))


HELD = [*[st.integers(-1, 3), st.integers(-3, 1)], *[st.integers(-2, 2)] * 6]
holdings = st.tuples(*HELD).map(
    lambda n: Position("NIFTY", tuple(holding(c, q) for c, q in zip(CONTRACTS, n, strict=True) if q))
)


@given(holdings, wires, st.sampled_from(CONTRACTS))
@settings(deadline=None)
def test_a_sell_is_covered_just_when_every_subset_of_fills_is(held: Position, wire: list[Any], contract: Any) -> None:
    orders = [on_the_wire(i, *w) for i, w in enumerate(wire)]
    ask = asked(decision(leg(contract, SELL)), position=held)
    ask = replace(ask, orders=(*ask.orders, *orders))
    live = [o for o in orders if o.status in LIVE]
    assert (not covered(ask)) == is_always_covered(held, [*live, ask.order], contract)


@given(holdings, wires, st.sampled_from(CONTRACTS))
@settings(deadline=None)
def test_a_buy_never_uncovers_an_option(held: Position, wire: list[Any], contract: Any) -> None:
    orders = [o for i, w in enumerate(wire) if (o := on_the_wire(i, *w)).status in LIVE]
    ask = asked(decision(leg(contract, BUY)), position=held)
    assert not covered(replace(ask, orders=(*ask.orders, *orders)))
    if is_always_covered(held, orders, contract):
        assert is_always_covered(held, [*orders, ask.order], contract)


def test_orders_of_another_scrip_take_no_cover_away() -> None:
    other = replace(on_the_wire(0, CALL, SELL, 0, S.WORKING), scrip="BANKNIFTY")
    assert not covered(replace(SELL_CALL, orders=(*SELL_CALL.orders, other)))


# --- four legs: a call and a put sold between two that are bought ---

WINGS, SHORTS = (FAR_CALL, FAR_PUT), (CALL, PUT)
INTO = decision(*(leg(c, BUY) for c in WINGS), *(leg(c, SELL) for c in SHORTS))
OUT_OF = decision(*(leg(c, BUY) for c in SHORTS), *(leg(c, SELL) for c in WINGS), action=Action.CLOSE)


def after_legs(why: Decision, number: int, held: dict[Contract, int]) -> Position:
    """What is held, in lots, when so many legs of a decision have filled."""
    units = dict(held)
    for one in why.legs[:number]:
        units[one.contract] = units.get(one.contract, 0) + one.side.sign
    return Position("NIFTY", tuple(holding(c, q) for c, q in sorted(units.items()) if q))


CONDOR = {FAR_CALL: 1, FAR_PUT: 1, CALL: -1, PUT: -1}


@pytest.mark.parametrize("number", range(4))
def test_a_structure_of_four_legs_opens_leg_by_leg_wings_first_and_not_while_only_reducing(number: int) -> None:
    ask = asked(
        INTO, number, position=after_legs(INTO, number, {}), limits=replace(LOOSE, lots_max=1, short_lots_max=2)
    )
    assert refused_by(ask) == ""
    # By the last leg the other side of the market can lose as much already: that does not raise the worst loss.
    assert reduces(ask) is (number == 3)
    assert refused_by(replace(ask, level=Level.REDUCE_ONLY)) == ("" if number == 3 else "breaker")


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("spot", [20_000, 24_500, 25_000, 25_750, 30_000])
def test_it_closes_leg_by_leg_shorts_first_also_while_only_reducing(number: int, spot: int) -> None:
    held = after_legs(OUT_OF, number, CONDOR)
    ask = asked(OUT_OF, number, position=held, level=Level.REDUCE_ONLY, spot=spot * 10_000, limits=LOOSE)
    assert refused_by(ask) == ""
    nothing = replace(LOOSE, lots_max=0, short_lots_max=0, order_value_max=0, scenario_loss_max=0, vega_max=0)
    assert refused_by(replace(ask, limits=nothing)) == ""


@pytest.mark.parametrize(("short", "wing", "kind"), [(CALL, FAR_CALL, "calls"), (PUT, FAR_PUT, "puts")])
def test_neither_short_is_sold_before_its_wing_nor_a_wing_before_its_short_is_back(
    short: Contract, wing: Contract, kind: str
) -> None:
    naked = asked(decision(leg(short, SELL)), limits=LOOSE)
    found = check(naked)
    assert found is not None
    assert (found.control, found.reason) == ("PT-09", f"{LOT} units of {kind} would stand against 0 of cover")
    assert found.figures == {kind: LOT, "cover": 0}
    both = Position("NIFTY", (holding(short, -1), holding(wing, 1)))
    leaving = asked(decision(leg(wing, SELL), action=Action.CLOSE), position=both, limits=LOOSE)
    assert refused_by(leaving) == "covered"
    assert not reduces(leaving)
    on_its_way = replace(leaving, orders=(*leaving.orders, on_the_wire(0, short, BUY, 0, S.WORKING)))
    assert refused_by(on_its_way) == "covered", "what is bought back and has not filled is not counted on"


def test_a_wing_of_the_other_kind_or_that_ends_sooner_covers_nothing() -> None:
    for short, wing in ((CALL, FAR_PUT), (PUT, FAR_CALL), (PUT, FUTURE), (LATE_CALL, CALL), (LATE_PUT, FAR_PUT)):
        ask = asked(decision(leg(short, SELL)), position=Position("NIFTY", (holding(wing, 1),)), limits=LOOSE)
        assert refused_by(ask) == "covered", (short.key, wing.key)
    for short, wing in ((CALL, LATE_CALL), (PUT, LATE_PUT), (CALL, LATE_FUTURE)):
        ask = asked(decision(leg(short, SELL)), position=Position("NIFTY", (holding(wing, 1),)), limits=LOOSE)
        assert refused_by(ask) == "", (short.key, wing.key)


def test_what_has_no_cover_on_one_side_of_the_market_hinders_no_sale_on_the_other() -> None:
    held = Position("NIFTY", (holding(FUTURE, 1), holding(PUT, -1)))
    assert refused_by(asked(decision(leg(CALL, SELL)), position=held, limits=LOOSE)) == ""


@given(st.integers(0, 4), st.integers(0, 4), wires, st.sampled_from(Side), st.sampled_from([FUTURE, CALL]))
def test_no_way_of_filling_leads_beyond_the_limit_of_lots(
    cover: int, calls: int, wire: list[Any], side: Side, contract: Any
) -> None:
    orders = [o for i, w in enumerate(wire) if (o := on_the_wire(i, *w)).status in LIVE]
    ask = asked(decision(leg(contract, side)), position=position(cover, calls), limits=Limits(lots_max=3))
    ask = replace(ask, orders=(*ask.orders, *orders))
    size = next(one.check for one in CHECKS if one.rule == "size")
    same = [o for o in [*orders, ask.order] if o.contract.kind is contract.kind]
    ends, is_adding = [], False
    for fills in product((0, 1), repeat=len(same)):
        units = {h.contract: h.quantity for h in ask.position.holdings if h.contract.kind is contract.kind}
        for is_filled, o in zip(fills, same, strict=True):
            units[o.contract] = units.get(o.contract, 0) + is_filled * o.side.sign * (o.quantity - o.cum_quantity)
        ends.append(sum(max(0, side.sign * q) for q in units.values()))
        is_adding |= side.sign * units.get(contract, 0) > 0 and bool(fills[-1])
    assert bool(size(ask)) == (is_adding and max(ends) > 3 * LOT)


# --- reducing ---


def reducing(why: Decision, number: int, held: Position, spot: int = SPOT) -> bool:
    return reduces(asked(why, number, position=held, spot=spot))


def test_closing_reduces_leg_by_leg_and_opening_does_not() -> None:
    assert reducing(CLOSING, 0, position(1, 1))
    assert reducing(CLOSING, 1, position(1, 0))
    assert not reducing(OPENING, 0, Position("NIFTY"))


def test_selling_the_cover_before_its_call_is_bought_back_does_not_reduce() -> None:
    assert not reducing(CLOSING, 1, position(1, 1))
    assert not reducing(decision(leg(FUTURE, SELL), leg(CALL, BUY)), 0, position(1, 1))


def test_selling_an_uncovered_call_does_not_reduce_and_buying_it_back_does() -> None:
    assert not reducing(decision(leg(CALL, SELL)), 0, Position("NIFTY"))
    assert reducing(decision(leg(CALL, BUY)), 0, position(0, 1))


def test_buying_an_option_that_was_not_sold_does_not_reduce() -> None:
    assert not reducing(decision(leg(CALL, BUY)), 0, Position("NIFTY"))
    assert not reducing(decision(leg(PUT, BUY)), 0, position(1, 0))
    assert not reducing(decision(leg(CALL, BUY, lots=2)), 0, position(1, 1))


def test_nothing_is_known_to_reduce_without_a_spot() -> None:
    assert not reducing(CLOSING, 0, position(1, 1), spot=0)


def test_legs_of_other_decisions_are_not_counted_as_closing() -> None:
    closing = orders_of(replace(CLOSING, decision_id="d7"))
    ask = asked(decision(leg(FUTURE, BUY)), position=position(1, 1))
    assert not reduces(replace(ask, orders=(*ask.orders, *closing)))


@given(st.integers(1, 4), st.integers(0, 4), st.integers(1, 4), st.integers(15_000, 35_000))
def test_a_close_in_part_reduces_call_first(cover: int, calls: int, closing: int, spot: int) -> None:
    calls = min(calls, cover)
    lots = min(closing, cover)
    legs = [leg(FUTURE, SELL, lots)]
    if calls:
        legs = [leg(CALL, BUY, min(lots, calls)), leg(FUTURE, SELL, min(lots, calls))]
    assert reducing(decision(*legs, action=Action.CLOSE), 0, position(cover, calls), spot * 10_000)


def test_the_worst_loss_of_a_future_is_a_fall_of_a_fifth() -> None:
    assert worst_loss({FUTURE: LOT}, SPOT) == money(SPOT // 5, LOT)
    assert worst_loss({FUTURE: -LOT}, SPOT) == money(SPOT // 5, LOT)
    assert worst_loss({}, SPOT) == 0


def test_the_worst_loss_of_a_call_sold_is_a_rise_and_its_cover_takes_it_away() -> None:
    rise = SPOT * 120 // 100 - CALL.strike
    assert worst_loss({CALL: -LOT}, SPOT) == money(rise, LOT)
    assert worst_loss({CALL: -LOT, FUTURE: LOT}, SPOT) == worst_loss({FUTURE: LOT}, SPOT)
    assert worst_loss({PUT: -LOT}, SPOT) == money(PUT.strike - SPOT * 80 // 100, LOT)


@given(st.dictionaries(st.sampled_from(CONTRACTS), st.integers(-3, 3)), st.integers(1, 10**9))
def test_a_worst_loss_is_never_a_gain(held: dict[Any, int], spot: int) -> None:
    assert worst_loss(held, spot) >= 0


# --- money, price ---


@pytest.mark.parametrize(("more", "is_allowed"), [(0, True), (1, False)])
def test_margin_stays_within_its_share_of_capital(more: int, is_allowed: bool) -> None:
    legs = [replace(o, margin=CRORE * 40 // 100 // 2) for o in orders_of(OPENING)]
    account = reserve(Account(CRORE, CRORE), {"other": more})
    refusal = affordable(account, legs, Action.OPEN, Limits())
    assert (refusal is None) is is_allowed
    assert refusal is None or refusal.check == "margin"


@pytest.mark.parametrize(("cash", "is_allowed"), [(1_000, True), (999, False)])
def test_margin_stays_within_the_cash_that_is_free(cash: int, is_allowed: bool) -> None:
    legs = [replace(orders_of(OPENING)[0], margin=1_000)]
    assert (affordable(Account(CRORE, cash), legs, Action.OPEN, Limits()) is None) is is_allowed


def test_a_close_is_never_refused_for_money() -> None:
    assert affordable(Account(CRORE, -5), orders_of(CLOSING), Action.CLOSE, Limits()) is None


@pytest.mark.parametrize(("margin", "is_allowed"), [(0, True), (1, False)])
def test_what_needs_no_margin_is_not_refused_where_more_than_there_is_was_committed(
    margin: int, is_allowed: bool
) -> None:
    legs = [replace(orders_of(OPENING)[1], margin=margin)]
    assert (affordable(Account(CRORE, -5), legs, Action.OPEN, Limits()) is None) is is_allowed


def test_an_order_goes_to_the_far_touch_of_the_present_quote() -> None:
    quote = Quote(90, 110, 5, 5, NOW)
    buy, sell = orders_of(OPENING)
    assert (reprice(buy, quote).limit, reprice(sell, quote).limit) == (110, 90)


@pytest.mark.parametrize("quote", [None, Quote(90, 0, 5, 0, NOW), Quote(110, 90, 5, 5, NOW)])
def test_without_a_valid_quote_the_limit_stays(quote: Quote | None) -> None:
    order = orders_of(OPENING)[0]
    assert reprice(order, quote) == order


def test_one_side_of_a_quote_is_enough_to_close_and_never_to_open() -> None:
    only_asked = Quote(0, 110, 0, 65, NOW)

    assert only_asked.touch(Side.BUY) == 110
    assert only_asked.touch(Side.SELL) == 0
    assert Quote(110, 110, 65, 65, NOW).touch(Side.BUY) == 0
