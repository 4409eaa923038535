"""The broker's own arithmetic: it must come to what our tradebook says, by another way."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from participant.core.clearing import Ledger, Unpriced, book, fill_line, settle
from participant.core.position import Filled, Position, Settled, apply
from participant.core.scrip import Contract, Kind, Side, money
from tests.core.worlds import RULES

DAY = datetime.date(2026, 11, 25)
LATER = datetime.date(2026, 12, 29)
FUTURE = Contract("NIFTY", LATER, Kind.FUTURE, 0, 65, 1000, 1755)
CALL = Contract("NIFTY", LATER, Kind.CALL, 250_000_000, 65, 500, 1755)
PUT = Contract("NIFTY", LATER, Kind.PUT, 250_000_000, 65, 500, 1755)


def trade(ledger: Ledger, contract: Contract, side: Side, quantity: int, price: int) -> Ledger:
    return book(ledger, fill_line(contract, side, quantity, money(price, quantity)), 100)


def test_a_premium_moves_cash_at_once() -> None:
    ledger = trade(Ledger(1_000_000), CALL, Side.SELL, 65, 1_000_000)
    assert ledger.cash == 1_000_000 + 650_000 - 100
    assert ledger.lines[CALL.key].cost == -650_000


def test_a_future_moves_cash_only_when_it_is_closed_or_settled() -> None:
    ledger = trade(Ledger(1_000_000), FUTURE, Side.BUY, 65, 250_000_000)
    assert ledger.cash == 1_000_000 - 100
    marked, _ = settle(ledger, DAY, {FUTURE.key: 250_100_000, "NIFTY": 250_000_000}, RULES)
    assert marked.cash == 1_000_000 - 100 + 65_000
    closed = trade(marked, FUTURE, Side.SELL, 65, 250_300_000)
    assert closed.cash == 1_000_000 - 200 + 195_000
    assert closed.lines == {}


def test_what_expires_is_paid_out_at_the_official_price() -> None:
    ledger = trade(Ledger(0), CALL, Side.SELL, 65, 1_000_000)
    ledger = trade(ledger, PUT, Side.BUY, 65, 2_000_000)
    ledger = trade(ledger, FUTURE, Side.BUY, 65, 250_000_000)
    ended, unpriced = settle(ledger, LATER, {"NIFTY": 252_000_000}, RULES)
    assert (ended.lines, unpriced) == ({}, ())
    assert ended.cash == -300 + 650_000 - 1_300_000 - money(2_000_000, 65) + money(2_000_000, 65)


def test_what_lacks_its_official_price_stays_as_it_is_and_is_named_with_the_price_that_it_lacks() -> None:
    ledger = trade(Ledger(0), CALL, Side.SELL, 65, 1_000_000)
    ledger = trade(ledger, FUTURE, Side.BUY, 65, 250_000_000)
    before, unpriced = settle(ledger, DAY, {}, RULES)
    assert (before, unpriced) == (ledger, (Unpriced(FUTURE.key, FUTURE.key),))
    after, unpriced = settle(ledger, LATER, {FUTURE.key: 250_100_000}, RULES)
    assert after == ledger
    assert set(unpriced) == {Unpriced(CALL.key, "NIFTY"), Unpriced(FUTURE.key, "NIFTY")}
    assert unpriced[0].said.endswith("is held and stays unsettled: there is no official price of NIFTY")


def test_what_expired_before_a_day_is_not_settled_at_the_price_of_that_day() -> None:
    ledger = trade(Ledger(0), CALL, Side.SELL, 65, 1_000_000)
    after, unpriced = settle(ledger, CALL.expiry + datetime.timedelta(1), {"NIFTY": 252_000_000}, RULES)
    assert (after, unpriced) == (ledger, (Unpriced(CALL.key, f"NIFTY on {CALL.expiry}"),))


def test_closing_more_than_is_held_turns_the_position() -> None:
    ledger = trade(Ledger(0), CALL, Side.BUY, 65, 1_000_000)
    ledger = trade(ledger, CALL, Side.SELL, 195, 1_100_000)
    line = ledger.lines[CALL.key]
    assert (line.quantity, line.cost) == (-130, -money(1_100_000, 130))


@given(st.lists(st.tuples(st.sampled_from([FUTURE, CALL]), st.sampled_from(Side), st.integers(1, 9)), max_size=12))
def test_it_comes_to_the_same_cash_and_costs_as_our_tradebook(trades: list[tuple[Contract, Side, int]]) -> None:
    ledger, position, cash = Ledger(0), Position("NIFTY"), 0
    for i, (contract, side, quantity) in enumerate(trades):
        price = 7_000 + 333 * (i * i % 7)
        ledger = trade(ledger, contract, side, quantity, price)
        value = money(price, quantity)
        position, moved = apply(position, Filled(f"order {i}", contract, side, quantity, value, 100, i, DAY))
        cash += moved
    prices = {"NIFTY": 250_003_333, FUTURE.key: 251_007_777}
    ledger, _ = settle(ledger, DAY, prices, RULES)
    for holding in position.holdings:
        if holding.contract.kind is Kind.FUTURE:
            position, moved = apply(position, Settled(holding.contract, prices[FUTURE.key], 99))
            cash += moved
    assert ledger.cash == cash
    held = {h.contract.key: (h.quantity, h.cost) for h in position.holdings}
    assert {key: (line.quantity, line.cost) for key, line in ledger.lines.items()} == held


@given(st.lists(st.tuples(st.sampled_from(Side), st.integers(1, 9), st.integers(1, 9_999)), max_size=12))
def test_when_flat_the_cash_of_a_future_is_that_of_all_its_fills(trades: list[tuple[Side, int, int]]) -> None:
    ledger, net = Ledger(0), 0
    for side, quantity, price in trades:
        ledger = trade(ledger, FUTURE, side, quantity, price)
        net += side.sign * quantity
    if net:
        ledger = trade(ledger, FUTURE, Side.SELL if net > 0 else Side.BUY, abs(net), 5_000)
    paid = sum(s.sign * money(p, q) for s, q, p in trades) - money(5_000, net)
    assert ledger.lines == {}
    assert ledger.cash == -paid - ledger.charges
