"""Positions are a fold of book events, and their money adds up to the paisa."""

import datetime
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.position import (
    Booked,
    BookEvent,
    Expired,
    Filled,
    Holding,
    Position,
    Revised,
    Settled,
    Working,
    apply,
    forget_orders,
    revisions,
    unrealised,
    with_working,
)
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side, money
from tests.core.desk import CALL, DAY, FAR_CALL, FUTURE, NOW, PUT, filled

BUY, SELL = Side.BUY, Side.SELL
EMPTY = Position("NIFTY")


def fold(events: Sequence[BookEvent], position: Position = EMPTY) -> tuple[Position, int]:
    """The position after all events, and the cash that they moved together."""
    total = 0
    for event in events:
        position, cash = apply(position, event)
        total += cash
    return position, total


def rupees(amount: float) -> int:
    return round(amount * PRICE_UNITS)


# --- examples ---


def test_an_option_is_paid_in_full_and_a_future_only_as_it_is_settled() -> None:
    position, cash = fold([filled(CALL, BUY, 75, rupees(100))])
    assert (cash, position.realised) == (-75 * 100_00, 0)
    position, cash = fold([filled(FUTURE, BUY, 75, rupees(25_000))])
    assert (cash, position.realised) == (0, 0)
    position, cash = apply(position, Settled(FUTURE, rupees(25_010), NOW))
    assert (cash, position.realised, position.holdings[0].cost) == (75 * 10_00, 75 * 10_00, money(rupees(25_010), 75))
    assert apply(position, Settled(FUTURE, rupees(25_010), NOW))[1] == 0


def test_a_revision_changes_the_terms_and_neither_units_nor_money() -> None:
    before, _ = fold([filled(FUTURE, BUY, 150, rupees(25_000)), filled(CALL, SELL, 75, rupees(100))])
    new = replace(FUTURE, lot=65, freeze=1_755)
    (event,) = revisions(before, [CALL, new, FAR_CALL], NOW)
    position, cash = apply(before, event)
    assert (event, cash) == (Revised(new, NOW), 0)
    assert [h.contract for h in position.holdings] == [CALL, new]
    assert replace(position, holdings=before.holdings) == before
    assert [(h.quantity, h.cost) for h in position.holdings] == [(h.quantity, h.cost) for h in before.holdings]
    assert revisions(position, [CALL, new], NOW) == []


@pytest.mark.parametrize(
    ("units", "is_odd"), [(130, False), (75, True), (65, False), (10, True), (-65, False), (-75, True)]
)
def test_an_odd_lot_is_what_no_whole_number_of_lots_makes(units: int, is_odd: bool) -> None:
    held = Position("NIFTY", (Holding(replace(CALL, lot=65), units, 0), Holding(replace(FUTURE, lot=65), 65, 0)))
    assert held.odd_lots == (held.holdings[:1] if is_odd else ())


def test_selling_a_call_brings_its_premium_and_buying_it_back_realises_the_difference() -> None:
    sold, premium = fold([filled(CALL, SELL, 75, rupees(100))])
    assert (premium, sold.short_calls, sold.holdings[0].cost) == (75 * 100_00, 75, -75 * 100_00)
    back, paid = apply(sold, filled(CALL, BUY, 75, rupees(40)))
    assert (paid, back.realised, back.is_flat) == (-75 * 40_00, 75 * 60_00, True)


def test_charges_leave_cash_and_are_told_apart_from_what_was_realised() -> None:
    position, cash = fold([filled(CALL, SELL, 75, rupees(100), charges=50_00)])
    assert (cash, position.charges) == (75 * 100_00 - 50_00, 50_00)
    assert (position.realised, position.structure_result) == (0, -50_00)


@pytest.mark.parametrize(
    ("contract", "price", "final"),
    [
        (CALL, 25_600, 100),
        (CALL, 25_400, 0),
        (PUT, 24_400, 100),
        (PUT, 24_600, 0),
    ],
)
def test_an_option_expires_at_its_worth_against_the_official_price(contract: Contract, price: int, final: int) -> None:
    held, premium = fold([filled(contract, SELL, 75, rupees(30))])
    after, cash = apply(held, Expired(contract, rupees(price), NOW))
    assert (cash, after.is_flat) == (-75 * final * 100, True)
    assert after.realised == premium + cash


def test_a_future_expires_for_the_difference_since_it_was_last_settled() -> None:
    held, _ = fold([filled(FUTURE, BUY, 75, rupees(25_000)), Settled(FUTURE, rupees(25_010), NOW)])
    after, cash = apply(held, Expired(FUTURE, rupees(24_990), NOW))
    assert (cash, after.realised, after.is_flat) == (-75 * 20_00, -75 * 10_00, True)


@pytest.mark.parametrize("event", [Settled(FUTURE, 5, NOW), Expired(CALL, 5, NOW)])
def test_what_is_not_held_neither_settles_nor_expires(event: BookEvent) -> None:
    held, _ = fold([filled(FAR_CALL, SELL, 75, rupees(10))])
    assert apply(held, event) == (held, 0)


def test_one_order_may_turn_a_position_over() -> None:
    long, _ = fold([filled(FUTURE, BUY, 75, rupees(25_000))])
    short, cash = apply(long, filled(FUTURE, SELL, 150, rupees(25_010)))
    assert (short.cover, cash, short.realised) == (-75, 75 * 10_00, 75 * 10_00)
    assert short.holdings[0].cost == -money(rupees(25_010), 75)


def test_a_structure_begins_anew_when_the_position_was_flat() -> None:
    first, _ = fold([filled(CALL, SELL, 75, rupees(100)), filled(CALL, BUY, 75, rupees(40))])
    later = DAY + datetime.timedelta(days=1)
    second, _ = apply(first, filled(CALL, SELL, 75, rupees(50), order_id="o9", charges=7, day=later))
    assert (first.structure_result, second.structure_result) == (75 * 60_00, -7)
    assert (second.realised, second.entered_on) == (75 * 60_00, later)


def test_a_second_leg_belongs_to_the_structure_that_stands() -> None:
    held, _ = fold([filled(FUTURE, BUY, 75, rupees(25_000), charges=3), filled(CALL, SELL, 75, rupees(9), charges=4)])
    assert (held.structure_result, held.entered_on) == (-7, DAY)


def test_the_cover_stands_alone_from_when_no_call_is_written_against_it() -> None:
    covered = [filled(FUTURE, BUY, 75, rupees(25_000), at=10), filled(CALL, SELL, 75, rupees(9), at=20)]
    assert fold(covered[:1])[0].cover_alone_since == 10
    assert fold(covered)[0].cover_alone_since == 0
    alone = [*covered, filled(CALL, BUY, 75, rupees(4), at=30)]
    assert fold(alone)[0].cover_alone_since == 30
    assert fold([*alone, Settled(FUTURE, rupees(25_001), 40)])[0].cover_alone_since == 30
    assert fold([*covered, Expired(CALL, rupees(25_000), 50)])[0].cover_alone_since == 50
    assert fold([*alone, filled(FUTURE, SELL, 75, rupees(25_000), at=60)])[0].cover_alone_since == 0


def test_the_end_of_a_day_forgets_its_orders_and_nothing_else() -> None:
    held, _ = fold([filled(CALL, SELL, 75, rupees(9))])
    assert held.booked == {f"{CALL.key}-sell": Booked(75, 75 * 9_00, 0)}
    assert forget_orders(held) == replace(held, booked={})


def test_working_quantities_stand_in_one_order_however_they_came() -> None:
    some = [Working(FUTURE, -75), Working(CALL, 75), Working(CALL, -75)]
    assert with_working(EMPTY, some) == with_working(EMPTY, reversed(some))
    assert with_working(EMPTY, some).working == (Working(CALL, -75), Working(CALL, 75), Working(FUTURE, -75))


def test_what_is_unrealised_is_worth_less_cost() -> None:
    held, _ = fold([filled(FUTURE, BUY, 75, rupees(25_000)), filled(CALL, SELL, 75, rupees(9))])
    marks = {FUTURE: rupees(25_010), CALL: rupees(12)}
    assert unrealised(held, marks.__getitem__) == 75 * 10_00 - 75 * 3_00


# --- properties ---

CONTRACTS = [FUTURE, CALL, FAR_CALL, PUT]
prices = st.integers(1, 10**7)
lots = st.integers(1, 4).map(lambda n: n * 75)


@st.composite
def reports(draw: st.DrawFn) -> list[Filled]:
    """Up to four orders, each reported in rising steps: units, value and charges all cumulative."""
    events = []
    for number in range(draw(st.integers(1, 4))):
        contract, side = draw(st.sampled_from(CONTRACTS)), draw(st.sampled_from(Side))
        quantity = value = charges = 0
        for _ in range(draw(st.integers(1, 3))):
            more = draw(lots)
            quantity, value, charges = (
                quantity + more,
                value + money(draw(prices), more),
                charges + draw(st.integers(0, 99)),
            )
            events.append(Filled(f"o{number}", contract, side, quantity, value, charges, NOW, DAY))
    return events


def net(events: list[Filled]) -> tuple[dict[Contract, int], int, int]:
    """Units by contract, signed value and charges, from the last report of each order: the plain sum."""
    last = {e.order_id: e for e in sorted(events, key=lambda e: e.quantity)}.values()
    units: dict[Contract, int] = {}
    for event in last:
        units[event.contract] = units.get(event.contract, 0) + event.side.sign * event.quantity
    value = sum(e.side.sign * e.value for e in last)
    return {c: q for c, q in units.items() if q}, value, sum(e.charges for e in last)


@given(reports(), st.data())
def test_fills_merge_by_cumulative_quantity_in_any_order_and_repetition(
    events: list[Filled], data: st.DataObject
) -> None:
    told = data.draw(st.permutations([*events, *data.draw(st.lists(st.sampled_from(events), max_size=4))]))
    position, cash = fold(list(told))
    units, value, charges = net(events)
    assert {h.contract: h.quantity for h in position.holdings} == units
    assert position.charges == charges
    assert sum(h.cost for h in position.holdings) - position.realised == value
    if not units:
        assert position.realised == -value
        assert cash == -value - charges
    plain = fold(events)[0]
    assert position.booked == plain.booked


@given(reports())
def test_an_old_report_changes_nothing(events: list[Filled]) -> None:
    position, _ = fold(list(events))
    for event in events:
        assert apply(position, event) == (position, 0)


@given(reports(), prices)
def test_cash_worth_and_cost_tell_the_same_story(events: list[Filled], price: int) -> None:
    """Cash moved = realised - charges - what options held have cost: futures cost nothing until they are settled."""
    position, cash = fold(list(events))
    options = sum(h.cost for h in position.holdings if h.contract.kind is not Kind.FUTURE)
    assert cash == position.realised - position.charges - options
    worth = sum(money(price, h.quantity) for h in position.holdings)
    _, value, charges = net(events)
    assert position.realised + unrealised(position, lambda _: price) - position.charges == worth - value - charges


@given(reports(), st.lists(prices, min_size=1, max_size=3), prices)
def test_a_round_trip_to_expiry_brings_in_cash_what_it_realised(
    events: list[Filled], marks: list[int], last: int
) -> None:
    position, cash = fold(list(events))
    for mark in marks:
        position, paid = apply(position, Settled(FUTURE, mark, NOW))
        cash += paid
    for holding in position.holdings:
        position, paid = apply(position, Expired(holding.contract, last, NOW))
        cash += paid
    assert position.is_flat
    assert cash == position.realised - position.charges


@given(reports())
def test_a_holding_of_nothing_is_not_kept(events: list[Filled]) -> None:
    position, _ = fold(list(events))
    assert all(h.quantity for h in position.holdings)
    assert list(position.holdings) == sorted(position.holdings, key=lambda h: h.contract)
    assert position.is_flat is (position.holdings == ())
    alone = position.cover > 0 and position.short_calls <= 0
    assert bool(position.cover_alone_since) is alone


def test_a_partly_closed_holding_keeps_its_share_of_the_cost() -> None:
    held = Position("NIFTY", (Holding(CALL, 3, 1_000),))
    after, _ = apply(held, Filled("o", CALL, SELL, 1, 400, 0, NOW, DAY))
    assert (after.holdings[0], after.realised) == (Holding(CALL, 2, 667), 67)
