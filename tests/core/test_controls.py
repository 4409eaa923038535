"""Every control of the gateway at its boundary, the worst cases against brute force, and what a refusal tells."""

import datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.ask import SCENARIO_MOVES, Ask, change, worst_loss, worst_loss_filling
from participant.core.controls import conduct, exposure, market, orders
from participant.core.decision import Decision
from participant.core.limits import Limits, no_limits
from participant.core.market import SECOND, Chain, Future, LookBack, MarketState, Quote, Strike, quoted
from participant.core.order import Order, OrderStatus, orders_of
from participant.core.position import Position
from participant.core.risk import CHECKS, affordable, check
from participant.core.rulerows import Confidence, PriceRange
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import day_of
from participant.wire.broker import PlaceOrder
from tests.core.desk import (
    CALL,
    CLOSING,
    CRORE,
    EXPIRY,
    FAR_CALL,
    FUTURE,
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
    session,
)
from tests.core.test_risk import LOOSE, PASSING

S = OrderStatus
BUY, SELL = Side.BUY, Side.SELL
BUY_CALL = asked(decision(leg(CALL, BUY)))
BUY_FUTURE = asked(OPENING)
SELL_CALL = asked(OPENING, 1, position=position(cover=1))
MS = 1_000_000
TODAY = day_of(NOW)


def with_order(ask: Ask, **changes: Any) -> Ask:
    order = replace(ask.order, **changes)
    return replace(ask, order=order, orders=tuple(order if o.order_id == order.order_id else o for o in ask.orders))


def limited(ask: Ask, **changes: Any) -> Ask:
    return replace(ask, limits=replace(LOOSE, **changes))


def another(ask: Ask, name: str, **changes: Any) -> Order:
    """An order like that of the ask, of another decision."""
    base = orders_of(replace(ask.decision or OPENING, decision_id=name))[ask.order.leg]
    return replace(base, **{"status": S.FILLED, "sends": 1, "sent_at": NOW, **changes})


def with_others(ask: Ask, *others: Order) -> Ask:
    return replace(ask, orders=(*ask.orders, *others))


def refused(ask: Ask) -> tuple[str, str]:
    found = check(ask)
    return (found.control, found.check) if found else ("", "")


# --- PT-17 ---


@pytest.mark.parametrize("name", PASSING)
def test_no_order_of_ours_goes_into_a_contract_that_a_person_has_claimed_a_ticket_of(name: str) -> None:
    found = check(replace(PASSING[name], by_hand="asha"))
    assert found is not None
    assert (found.control, found.check, found.figures["by"]) == ("PT-17", "by_hand", "asha")
    assert "asha has claimed a ticket of NIFTY" in found.reason


# --- PT-01, PT-02 ---


@pytest.mark.parametrize(
    "changes",
    [
        {"master_day": None},
        {"master_day": TODAY - datetime.timedelta(1)},
        {"is_listed": False},
        {"is_watched": False},
    ],
)
def test_a_contract_stands_in_todays_master_and_on_the_watchlist(changes: dict[str, Any]) -> None:
    assert refused(replace(BUY_CALL, **changes)) == ("PT-01", "instrument")


@pytest.mark.parametrize(("late_ns", "is_refused"), [(-MS, False), (0, True), (MS, True)])
def test_a_contract_trades_on_its_last_day_until_its_own_close(late_ns: int, is_refused: bool) -> None:
    ends = replace(session(), expiring_close_at=NOW - late_ns)
    ask = asked(decision(leg(replace(CALL, expiry=TODAY), BUY)), session=ends)
    assert (market.instrument(ask) is not None) is is_refused
    assert market.instrument(replace(BUY_CALL, session=ends)) is None


def test_a_contract_of_yesterday_has_expired() -> None:
    gone = replace(CALL, expiry=TODAY - datetime.timedelta(1))
    assert refused(asked(decision(leg(gone, BUY)))) == ("PT-01", "instrument")


@pytest.mark.parametrize(("after_open_ms", "is_refused"), [(14_999, True), (15_000, False), (15_001, False)])
def test_nothing_is_sent_before_the_margin_after_the_open(after_open_ms: int, is_refused: bool) -> None:
    ask = replace(limited(BUY_CALL, open_margin_s=15), session=replace(session(), open_at=NOW - after_open_ms * MS))
    assert (market.session(ask) is not None) is is_refused


@pytest.mark.parametrize(("before_close_ms", "is_refused"), [(59_999, True), (60_000, False), (60_001, False)])
def test_nothing_is_sent_within_the_margin_before_the_close(before_close_ms: int, is_refused: bool) -> None:
    shut = replace(session(), close_at=NOW + before_close_ms * MS)
    assert (market.session(replace(limited(BUY_CALL, close_margin_s=60), session=shut)) is not None) is is_refused


def test_without_a_known_session_nothing_is_sent() -> None:
    assert refused(replace(BUY_CALL, session=None)) == ("PT-02", "session")


# --- PT-03, PT-14 ---


def test_no_order_but_a_limit_order_for_the_day_can_be_written() -> None:
    body = PlaceOrder("t", "c", "BUY", 1, "1.00")
    assert (body.order_type, body.validity) == ("LIMIT", "DAY")
    words = {name for name in Order.__struct_fields__ if "type" in name or "validity" in name or "trigger" in name}
    assert words == set()


@pytest.mark.parametrize(("most", "is_refused"), [(16, True), (17, False), (18, False)])
def test_a_tag_is_no_longer_than_the_broker_takes(most: int, is_refused: bool) -> None:
    assert (refused(limited(BUY_CALL, tag_length_max=most)) == ("PT-14", "tag")) is is_refused


def test_a_tag_that_does_not_follow_from_its_decision_is_refused() -> None:
    assert orders.tag(with_order(BUY_CALL, order_id="f" * 32)) is not None


# --- PT-04: shapes ---


@given(st.integers(-3 * LOT, 5 * LOT), st.integers(-3 * TICK, 10**10 + 3 * TICK))
@settings(max_examples=500)
def test_a_shape_passes_just_when_it_is_whole_lots_at_whole_ticks(quantity: int, limit: int) -> None:
    ask = with_order(BUY_CALL, quantity=quantity, limit=limit)
    is_whole = quantity > 0 and quantity % LOT == 0 and 0 < limit <= orders.PRICE_MAX and limit % TICK == 0
    assert (orders.shape(ask) is None) is is_whole


@pytest.mark.parametrize(("odd", "is_refused"), [(0, False), (10, True), (LOT - 1, True), (LOT, False)])
def test_s28_an_odd_lot_is_not_traded_as_whole_lots_not_even_to_reduce_it(odd: int, is_refused: bool) -> None:
    """S28: what is held of the contract is no whole number of its lots after a revision."""
    sell = asked(CLOSING, 1, position=position(cover=1), limits=LOOSE)
    held = (replace(h, quantity=h.quantity + odd) for h in sell.position.holdings)
    ask = replace(sell, position=replace(sell.position, holdings=tuple(held)))
    assert ask.is_reducing
    assert refused(ask) == (("PT-04", "odd_lot") if is_refused else ("", ""))


# --- PT-05 ---


def at_middle(ask: Ask, middle: int, limit: int) -> Ask:
    """The order at this limit against a quote of this middle."""
    return replace(with_order(ask, limit=limit), quote=Quote(middle - TICK, middle + TICK, 750, 750, NOW))


@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize(("ticks", "is_refused"), [(-1, False), (0, False), (1, True)])
def test_an_options_limit_stays_within_a_tenth_of_the_middle(side: int, ticks: int, is_refused: bool) -> None:
    limit = OPTION_PRICE + side * (OPTION_PRICE // 10 + ticks * TICK)
    assert (market.collar(at_middle(BUY_CALL, OPTION_PRICE, limit)) is not None) is is_refused


@pytest.mark.parametrize(("ticks", "is_refused"), [(0, False), (1, True)])
def test_a_cheap_options_limit_stays_within_a_rupee(ticks: int, is_refused: bool) -> None:
    ask = at_middle(BUY_CALL, 4 * TICK, 4 * TICK + 10_000 + ticks * TICK)
    assert (market.collar(ask) is not None) is is_refused


@pytest.mark.parametrize(("ticks", "is_refused"), [(0, False), (1, True)])
def test_a_futures_limit_stays_within_a_hundredth(ticks: int, is_refused: bool) -> None:
    middle = 200_000 * TICK
    ask = at_middle(BUY_FUTURE, middle, middle + middle // 100 + ticks * TICK)
    assert (market.collar(ask) is not None) is is_refused


@pytest.mark.parametrize(
    "quote", [None, Quote(0, 100, 0, 75, NOW), Quote(110, 100, 75, 75, NOW), Quote(0, 0, 0, 0, NOW)]
)
def test_without_a_middle_an_opening_order_has_no_collar_and_is_refused(quote: Quote | None) -> None:
    assert market.collar(replace(BUY_CALL, quote=quote)) is not None
    assert market.price_range(replace(BUY_CALL, quote=quote)) is not None


def test_a_close_against_one_side_goes_by_the_price_decided_on() -> None:
    ask = asked(CLOSING, 0, position=position(1, 1))
    one_sided = replace(ask, quote=Quote(0, ask.order.limit, 0, 75, NOW))
    assert check(one_sided) is None
    assert market.collar(with_order(one_sided, limit=ask.order.limit * 2)) is not None


RANGE = PriceRange(
    since=TODAY,
    source="a test of it",
    confidence=Confidence.HIGH, kinds=(Kind.CALL,), cheap_until=500_000, cheap_width=200_000,
    share=0.4,
)  # fmt: skip


@pytest.mark.parametrize(
    ("middle", "room"), [(500_000, 180_000), (500_500, 180_180), (1_000_000, 360_000), (499_500, 180_000)]
)
def test_a_limit_stays_inside_nine_tenths_of_the_exchanges_range(middle: int, room: int) -> None:
    ask = replace(BUY_CALL, price_range=RANGE)
    for limit, is_refused in ((middle + room, False), (middle + room + 1, True), (middle - room - 1, True)):
        assert (market.price_range(at_middle(ask, middle, limit)) is not None) is is_refused


def test_an_unknown_range_of_the_exchange_refuses() -> None:
    assert refused(replace(BUY_CALL, price_range=None)) == ("PT-05", "price_range")


@pytest.mark.parametrize(("before", "disables"), [(2, False), (3, True)])
def test_so_many_prices_refused_in_five_minutes_disable_the_scrip(before: int, disables: bool) -> None:
    bad = at_middle(BUY_CALL, OPTION_PRICE, OPTION_PRICE * 2)
    old = [another(bad, f"d{i}", status=S.DENIED, denied_by="PT-05", decided_at=NOW) for i in range(before)]
    late = another(bad, "late", status=S.DENIED, denied_by="PT-05", decided_at=NOW - 300 * SECOND - 1)
    found = market.collar(with_others(bad, *old, late))
    assert found is not None
    assert found.disables is disables


# --- PT-06, PT-07 ---


@pytest.mark.parametrize(("most", "is_refused"), [(10, False), (9, True)])
def test_an_order_has_no_more_lots_than_our_own_cap(most: int, is_refused: bool) -> None:
    ask = limited(asked(decision(leg(CALL, BUY, lots=10))), order_lots_max=most)
    assert refused(ask) == (("PT-06", "quantity") if is_refused else ("", ""))


def worth(ask: Ask, name: str) -> int:
    return money(SPOT if name == "order_notional_max" else ask.order.limit, ask.order.quantity)


@pytest.mark.parametrize(
    ("rule", "name"), [("value", "order_value_max"), ("premium", "premium_max"), ("notional", "order_notional_max")]
)
def test_a_value_is_refused_from_the_first_paisa_above_its_limit(rule: str, name: str) -> None:
    worth_it = worth(BUY_CALL, name)
    assert refused(limited(BUY_CALL, **{name: worth_it})) == ("", "")
    assert refused(limited(BUY_CALL, **{name: worth_it - 1})) == ("PT-07", rule)
    closing = asked(CLOSING, 0, position=position(1, 1))
    assert refused(limited(closing, **{name: 0})) == ("", ""), "a close is never refused for its value"


def test_without_a_price_of_the_underlying_nothing_is_opened() -> None:
    assert refused(replace(BUY_CALL, spot=0)) == ("PT-07", "notional")


# --- PT-08 ---

LIVE_STATES = [S.SENDING, S.UNKNOWN, S.WORKING, S.PARTIAL]


@pytest.mark.parametrize("status", LIVE_STATES)
@pytest.mark.parametrize("name", ["open_value_max", "open_value_scrip_max", "open_lots_max"])
def test_what_is_on_the_wire_counts_in_full_against_the_open_limits(status: OrderStatus, name: str) -> None:
    other = another(asked(decision(leg(FAR_CALL, BUY))), "other", status=status)
    ask = with_others(BUY_CALL, other)
    total = 2 if name == "open_lots_max" else 2 * money(OPTION_PRICE, LOT)
    assert refused(limited(ask, **{name: total})) == ("", "")
    assert refused(limited(ask, **{name: total - 1})) == ("PT-08", "cumulative")
    over = with_others(BUY_CALL, replace(other, status=S.CANCELLED))
    assert refused(limited(over, **{name: total - 1})) == ("", "")


def test_the_orders_of_other_scrips_count_for_the_desk_alone() -> None:
    other = replace(another(asked(decision(leg(FAR_CALL, BUY))), "other", status=S.UNKNOWN), scrip="BANKNIFTY")
    ask, one = with_others(BUY_CALL, other), money(OPTION_PRICE, LOT)
    assert refused(limited(ask, open_value_scrip_max=one, open_lots_max=1)) == ("", "")
    assert refused(limited(ask, open_value_max=2 * one - 1)) == ("PT-08", "cumulative")


def test_an_order_that_reduces_is_refused_by_no_limit_of_exposure_greeks_or_margin() -> None:
    nothing = replace(
        LOOSE, open_value_max=0, open_value_scrip_max=0, open_lots_max=0, scenario_loss_max=0, delta_value_max=0,
        vega_max=0, margin_share_max=0.0, margin_expiry_share_max=0.0, lots_max=0, order_lots_max=0, premium_max=0,
        order_value_max=0, order_notional_max=0, short_lots_max=0, entries_max=0, reversals_max=0, orders_day_max=0,
    )  # fmt: skip
    for number, held in ((0, position(1, 1)), (1, position(1, 0))):
        ask = asked(CLOSING, number, position=held, account=Account(CRORE, -CRORE), disabled="a loop", limits=nothing)
        assert check(ask) is None


# --- PT-09: the worst of every subset of fills ---

CONTRACTS = [FUTURE, CALL, FAR_CALL, PUT]
STATE = MarketState(
    "s", "NIFTY", NOW, NOW, "one", SPOT, (Future(FUTURE, Quote(SPOT, SPOT + TICK, 75, 75, NOW)),),
    (
        Chain(EXPIRY, LOT, TICK, 1_800, (
            Strike(PUT.strike, None, Quote(OPTION_PRICE - TICK, OPTION_PRICE + TICK, 75, 75, NOW)),
            Strike(CALL.strike, Quote(OPTION_PRICE - TICK, OPTION_PRICE + TICK, 75, 75, NOW), None),
        )),
    ), LookBack(),
)  # fmt: skip
wires = st.lists(
    st.tuples(st.sampled_from(CONTRACTS), st.sampled_from(Side), st.integers(0, 2), st.sampled_from(sorted(S))),
    max_size=5,
)
holdings = st.tuples(*[st.integers(-3, 3)] * 4).map(
    lambda n: Position("NIFTY", tuple(holding(c, q) for c, q in zip(CONTRACTS, n, strict=True) if q))
)


def on_the_wire(i: int, contract: Any, side: Side, lots_filled: int, status: OrderStatus) -> Order:
    base = orders_of(decision(leg(contract, side, lots=2), name=f"w{i}"))[0]
    return replace(base, status=status, sends=1, cum_quantity=lots_filled * LOT)


def ends(ask: Ask) -> list[dict[Contract, int]]:
    """What is held after every subset of fills of what is on the wire and the order itself."""
    found = []
    for fills in product((0, 1), repeat=len(ask.wire)):
        units = dict(ask.held)
        for order, is_filled in zip(ask.wire, fills, strict=True):
            left = is_filled * order.side.sign * (order.quantity - order.cum_quantity)
            units[order.contract] = units.get(order.contract, 0) + left
        found.append(units)
    return found


def wired(held: Position, wire: list[Any], contract: Contract, side: Side) -> Ask:
    ask = asked(decision(leg(contract, side)), position=held, market=STATE, limits=LOOSE)
    return replace(ask, orders=(*ask.orders, *(on_the_wire(i, *w) for i, w in enumerate(wire))))


@given(holdings, wires, st.sampled_from(CONTRACTS), st.sampled_from(Side))
@settings(deadline=None)
def test_the_worst_loss_and_greeks_are_those_of_the_worst_subset_of_fills(
    held: Position, wire: list[Any], contract: Contract, side: Side
) -> None:
    ask = wired(held, wire, contract, side)
    every = ends(ask)
    loss = max(worst_loss(units, SPOT) for units in every)
    assert abs(worst_loss_filling(ask.held, ask.wire, SPOT) - max(0, loss)) <= 10, "each fill rounds to a paisa"
    of = {c: exposure.unit_greeks(ask, c) for c in CONTRACTS}
    delta, vega = (max(abs(sum(q * of[c][which] for c, q in units.items())) for units in every) for which in (0, 1))
    found = exposure.worst_greeks(ask)
    assert found == pytest.approx((delta * SPOT / 100, vega / 100), abs=1)


@given(holdings, wires, st.sampled_from(CONTRACTS))
@settings(deadline=None)
def test_options_sold_are_counted_at_the_worst_subset_of_fills(
    held: Position, wire: list[Any], contract: Contract
) -> None:
    ask = replace(wired(held, wire, contract, SELL), limits=Limits(short_lots_max=4))
    every = ends(ask)
    short = max(sum(max(0, -q) for c, q in units.items() if c.kind is not Kind.FUTURE) for units in every)
    is_adding = any(units.get(contract, 0) < 0 for units in every)
    is_refused = exposure.short_options(ask) is not None
    assert is_refused == (contract.kind is not Kind.FUTURE and is_adding and short > 4 * LOT)


@pytest.mark.parametrize(
    ("rule", "name"),
    [("scenario", "scenario_loss_max"), ("sensitivity", "delta_value_max"), ("sensitivity", "vega_max")],
)
def test_an_exposure_is_refused_from_the_first_paisa_above_its_limit(rule: str, name: str) -> None:
    ask = replace(BUY_CALL, market=STATE)
    delta, vega = exposure.worst_greeks(ask)
    future = replace(BUY_FUTURE, market=STATE)
    loss = worst_loss_filling({}, [future.order], SPOT)
    ask, figure = {"scenario_loss_max": (future, loss), "delta_value_max": (ask, delta), "vega_max": (ask, vega)}[name]
    assert figure > 0
    assert refused(limited(ask, **{name: figure})) == ("", "")
    assert refused(limited(ask, **{name: figure - 1})) == ("PT-09", rule)


def test_an_option_without_a_quote_counts_with_the_most_that_it_can_have() -> None:
    for contract, delta in ((CALL, 1.0), (PUT, -1.0)):
        blind, seen = (
            exposure.unit_greeks(BUY_CALL, contract),
            exposure.unit_greeks(replace(BUY_CALL, market=STATE), contract),
        )
        assert blind[0] == delta
        assert blind[1] >= seen[1] > 0
        assert abs(seen[0]) < 1


def test_a_quote_is_found_without_a_walk_and_nothing_else_is() -> None:
    assert quoted(STATE, CALL) == STATE.quote(CALL.key)
    assert quoted(STATE, PUT) == STATE.quote(PUT.key)
    assert quoted(STATE, FUTURE) == STATE.quote(FUTURE.key)
    for unknown in (FAR_CALL, replace(CALL, kind=Kind.PUT), replace(CALL, expiry=TODAY), replace(FUTURE, expiry=TODAY)):
        assert quoted(STATE, unknown) is None


def left_behind(**changes: Any) -> Ask:
    """The cover of an opening, while the call that is to be sold against it is quoted otherwise."""
    ask = asked(OPENING)
    assert ask.market is not None
    (chain,) = ask.market.chains
    quote = quoted(ask.market, CALL)
    assert quote is not None
    strikes = (Strike(CALL.strike, replace(quote, **changes), None),)
    return replace(ask, market=replace(ask.market, chains=(replace(chain, strikes=strikes),)))


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({}, False),
        ({"bid": OPTION_PRICE * 95 // 100}, False),
        ({"bid": OPTION_PRICE * 95 // 100 - 1}, True),
        ({"bid": 0}, True),
        ({"exchange_at": NOW - 60 * SECOND}, False),
        ({"exchange_at": NOW - 60 * SECOND - 1}, True),
        ({"exchange_at": NOW + 60 * SECOND}, False),
        ({"exchange_at": NOW + 60 * SECOND + 1}, True),
    ],
)
def test_nothing_opens_while_a_later_leg_has_lost_its_price(changes: dict[str, Any], is_refused: bool) -> None:
    assert refused(left_behind(**changes)) == (("PT-16", "together") if is_refused else ("", ""))


def test_a_close_goes_on_whatever_its_later_legs_are_quoted_at() -> None:
    ask = asked(CLOSING, 0, position=position(1, 1))
    assert refused(replace(ask, market=None)) == ("", "")
    assert refused(replace(asked(OPENING), market=None)) == ("PT-16", "together")


def test_what_a_future_gains_in_a_scenario_is_the_move() -> None:
    assert [change(FUTURE, 1, 10_000_000, m) for m in SCENARIO_MOVES] == [1_000 * m for m in SCENARIO_MOVES]


# --- PT-10 ---


@pytest.mark.parametrize(("more", "is_refused"), [(0, False), (1, True)])
@pytest.mark.parametrize("is_last_day", [False, True])
def test_margin_is_refused_from_the_first_paisa_above_its_share(more: int, is_refused: bool, is_last_day: bool) -> None:
    contract = replace(CALL, expiry=TODAY) if is_last_day else CALL
    ask = asked(decision(leg(contract, BUY)))
    share = CRORE * (35 if is_last_day else 40) // 100
    account = Account(CRORE, CRORE, reserved={"other": share - ask.order.margin + more})
    assert refused(limited(replace(ask, account=account))) == (("PT-10", "margin") if is_refused else ("", ""))
    reserved = replace(account, reserved={**account.reserved, ask.order.order_id: ask.order.margin})
    assert (exposure.margin(replace(ask, account=reserved)) is not None) is is_refused, "what is reserved counts once"


def test_margin_beyond_our_cash_is_refused() -> None:
    assert refused(replace(BUY_CALL, account=Account(CRORE, BUY_CALL.order.margin - 1))) == ("PT-10", "margin")


@pytest.mark.parametrize(("more", "is_refused"), [(0, False), (1, True)])
@pytest.mark.parametrize("is_last_day", [False, True])
def test_the_brokers_own_figure_is_refused_from_the_first_paisa_above_the_share(
    more: int, is_refused: bool, is_last_day: bool
) -> None:
    """All orders of the decision count once: by the broker's figure in the place of what we have reserved for them."""
    future = replace(FUTURE, expiry=TODAY) if is_last_day else FUTURE
    ask = asked(decision(leg(future, BUY), leg(CALL, SELL)))
    share = CRORE * (35 if is_last_day else 40) // 100
    reserved = {"other": share - 3_00_000_00} | {o.order_id: o.margin for o in ask.orders}
    ask = limited(replace(ask, account=Account(CRORE, CRORE, reserved=reserved), broker_need=3_00_000_00 + more))
    assert refused(ask) == (("PT-10", "broker_margin") if is_refused else ("", ""))


@pytest.mark.parametrize("by_broker", [False, True])
def test_what_the_broker_cannot_say_is_our_estimate_or_refused_as_the_limits_have_it(by_broker: bool) -> None:
    ask = limited(replace(BUY_FUTURE, broker_why="it is down"), margin_by_broker=by_broker)
    found = check(ask)
    assert refused(ask) == (("PT-10", "broker_margin") if by_broker else ("", ""))
    assert found is None or found.reason == "the broker does not say what margin it needs: it is down"


@pytest.mark.parametrize("number", [0, 1])
def test_the_broker_is_not_asked_for_a_close_nor_again_for_a_later_leg(number: int) -> None:
    close = asked(CLOSING, number, position=position(cover=1, calls=1 - number))
    later = asked(OPENING, 1, position=position(cover=1))
    assert BUY_FUTURE.is_for_broker
    for ask in (close, later):
        assert not ask.is_for_broker
        strict = limited(replace(ask, broker_need=100 * CRORE), margin_by_broker=True)
        assert refused(strict) == ("", "")


# --- PT-11 ---


@pytest.mark.parametrize(("age_ns", "is_refused"), [(0, True), (30 * SECOND - MS, True), (30 * SECOND, False)])
def test_the_same_order_of_another_decision_is_refused_for_half_a_minute(age_ns: int, is_refused: bool) -> None:
    ask = with_others(limited(BUY_CALL), another(BUY_CALL, "d2", sent_at=NOW - age_ns))
    assert refused(ask) == (("PT-11", "duplicate") if is_refused else ("", ""))


@pytest.mark.parametrize(
    "changes",
    [
        {"contract": FAR_CALL},
        {"side": SELL},
        {"quantity": 2 * LOT},
        {"limit": OPTION_PRICE + TICK},
        {"sends": 0},
        {"status": S.REJECTED},
        {"status": S.DENIED},
        {"decision_id": "d1"},
    ],
)
def test_what_is_not_the_same_or_was_not_taken_is_no_duplicate(changes: dict[str, Any]) -> None:
    assert conduct.duplicate(with_others(BUY_CALL, another(BUY_CALL, "d2", **changes))) is None


# --- PT-12 ---


def sent_before(count: int, age_ns: int, side: Side = BUY) -> list[Order]:
    before = [another(BUY_CALL, f"e{i}", side=side, limit=OPTION_PRICE + (i + 1) * TICK) for i in range(count)]
    return [replace(o, sent_at=NOW - age_ns) for o in before]


@pytest.mark.parametrize(("before", "age_ns", "is_refused"), [(2, 0, False), (3, 0, True), (3, 600 * SECOND, False)])
def test_the_fourth_entry_of_ten_minutes_disables_the_scrip(before: int, age_ns: int, is_refused: bool) -> None:
    found = check(with_others(limited(BUY_CALL), *sent_before(before, age_ns)))
    assert (found is not None) is is_refused
    assert found is None or (found.control, found.check, found.disables) == ("PT-12", "loop", True)


def test_going_back_and_forth_disables_the_scrip_whatever_each_order_is_for() -> None:
    turns = [
        replace(o, side=(SELL, BUY)[i % 2], sent_at=NOW - (9 - i) * SECOND) for i, o in enumerate(sent_before(3, 0))
    ]
    found = conduct.loop(replace(with_others(BUY_CALL, *turns), limits=Limits(entries_max=9, reversals_max=2)))
    assert found is not None
    assert found.figures["reversals"] == 3
    old = [replace(o, sent_at=o.sent_at - 900 * SECOND) for o in turns]
    assert conduct.loop(replace(with_others(BUY_CALL, *old), limits=Limits(entries_max=9, reversals_max=2))) is None


@pytest.mark.parametrize(("most", "is_refused"), [(3, False), (2, True)])
def test_a_scrip_has_so_many_orders_a_day(most: int, is_refused: bool) -> None:
    ask = with_others(limited(BUY_CALL, orders_day_max=most), *sent_before(2, 3_600 * SECOND))
    assert (refused(ask) == ("PT-12", "loop")) is is_refused


def test_a_disabled_scrip_opens_nothing() -> None:
    assert refused(replace(BUY_CALL, disabled="PT-12 loop: too many")) == ("PT-12", "enabled")


def test_a_second_order_in_a_contract_waits_for_the_first() -> None:
    resting = another(BUY_CALL, "d2", status=S.WORKING, limit=OPTION_PRICE - TICK)
    assert refused(with_others(limited(BUY_CALL), resting)) == ("PT-12", "alone")


# --- PT-19, PT-20, PT-21 ---


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        ({"is_stock": False, "bans": None}, False),
        ({"is_stock": False, "bans": frozenset({"NIFTY"})}, False),
        ({"is_stock": True, "bans": None}, True),
        ({"is_stock": True, "bans": frozenset({"NIFTY"})}, True),
        ({"is_stock": True, "bans": frozenset({"OTHER"})}, False),
    ],
)
def test_a_stock_in_a_ban_or_without_a_list_opens_nothing(changes: dict[str, Any], is_refused: bool) -> None:
    ask = replace(limited(BUY_CALL, ban_list_required=True), sessions_left=9, **changes)
    assert refused(ask) == (("PT-19", "banned") if is_refused else ("", ""))


def test_where_no_list_is_required_a_missing_one_refuses_nothing() -> None:
    assert market.banned(replace(BUY_CALL, is_stock=True)) is None


def test_a_ban_lets_pass_what_reduces() -> None:
    closing = asked(CLOSING, 0, position=position(1, 1), is_stock=True, bans=frozenset({"NIFTY"}), sessions_left=0)
    assert check(closing) is None


@pytest.mark.parametrize(("other", "mine", "is_refused"), [(0, 0, True), (TICK, 0, False), (0, TICK, True)])
def test_no_order_meets_another_of_ours(other: int, mine: int, is_refused: bool) -> None:
    resting = another(BUY_CALL, "d2", status=S.WORKING, side=SELL, limit=OPTION_PRICE + other)
    ask = with_others(with_order(BUY_CALL, limit=OPTION_PRICE + mine), resting)
    assert (conduct.self_cross(ask) is not None) is is_refused


@pytest.mark.parametrize(("left", "is_refused"), [(3, True), (4, False), (None, True)])
def test_a_stocks_contract_is_not_opened_in_its_last_four_sessions(left: int | None, is_refused: bool) -> None:
    ask = replace(limited(BUY_CALL), is_stock=True, bans=frozenset(), sessions_left=left)
    assert refused(ask) == (("PT-21", "physical") if is_refused else ("", ""))


# --- PT-22 ---


@pytest.mark.parametrize("name", PASSING)
def test_without_limits_in_force_nothing_passes_not_even_a_close(name: str) -> None:
    found = check(replace(PASSING[name], limits=no_limits("limits.toml has no signature")))
    assert found is not None
    assert (found.control, found.check) == ("PT-22", "integrity")
    assert found.reason == "no limits are in force: limits.toml has no signature"


@pytest.mark.parametrize("why", [OPENING, CLOSING])
def test_without_limits_in_force_nothing_is_claimed(why: Decision) -> None:
    found = affordable(Account(CRORE, CRORE), orders_of(why), why.action, no_limits("no file"))
    assert found is not None
    assert found.control == "PT-22"


# --- what a refusal tells, and what a check costs ---


def test_a_refusal_names_its_control_its_limits_in_force_and_the_figures_compared() -> None:
    found = check(limited(BUY_CALL, premium_max=1))
    assert found is not None
    assert (found.control, found.limits, found.figures) == (
        "PT-07",
        {"premium_max": 1},
        {"premium": money(OPTION_PRICE, LOT)},
    )
    assert found.said == f"premium: its premium {money(OPTION_PRICE, LOT)} exceeds 1 paise"


def test_every_limit_that_a_control_names_exists() -> None:
    assert {name for one in CHECKS for name in one.limits} <= set(Limits.__struct_fields__)


# --- PT-23 ---


def test_on_a_shadow_day_the_last_control_ends_what_every_other_has_let_pass() -> None:
    ask = replace(BUY_FUTURE, may_send=False)
    found = check(ask)
    assert found is not None
    assert (found.control, found.check, found.disables) == ("PT-23", "shadow", False)
    quote = ask.quote
    assert quote is not None
    told = (ask.order.limit, quote.bid, quote.ask, quote.exchange_at, NOW)
    assert tuple(found.figures.values()) == told
    assert refused(replace(ask, is_listed=False)) == ("PT-01", "instrument"), "the others judge first"
    assert orders.shadow(replace(ask, quote=None)) is not None, "without a quote, too, nothing is sent"
    assert check(BUY_FUTURE) is None
