"""What ends by delivery: shares and money to the paisa, in our books and in the broker's own, by two ways."""

import datetime
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.books import closing_events, held_units, undelivered, unsettled
from participant.core.charges import Charges, charges, delivery_charges
from participant.core.clearing import Ledger, Unpriced, book, fill_line, settle
from participant.core.delivery import delivery_costs, delivery_margin
from participant.core.position import Declared, Delivered, Expired, Filled, Position, apply
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Side, money
from tests.core.stocks import DAY, EXPIRY, FUTURE, LOT, NAME, SHARES, call
from tests.core.worlds import RULES

RATES = RULES.charge_rates(EXPIRY)
AT = 1
PUT = replace(call(1_440), kind=Kind.PUT)
CRORE = Decimal(10_000_000)


def paise(rupees: Decimal) -> int:
    return int((rupees * 100).quantize(Decimal(1), ROUND_HALF_UP))


class Two:
    """Our position and cash, and the broker's own ledger, told the same."""

    def __init__(self) -> None:
        self.position, self.cash, self.ledger = Position(NAME), 0, Ledger(0)
        self._number = 0

    def fill(self, contract: Contract, side: Side, quantity: int, rupees: float) -> int:
        """Returns the charges."""
        self._number += 1
        value = money(round(rupees * PRICE_UNITS), quantity)
        cost = charges(RULES.charge_rates(DAY), contract, side, value).total
        event = Filled(f"o{self._number}", contract, side, quantity, value, cost, AT, DAY)
        self.position, moved = apply(self.position, event)
        self.cash += moved
        self.ledger = book(self.ledger, fill_line(contract, side, quantity, value), cost)
        return cost

    def declare(self, quantity: int) -> None:
        self.position, _ = apply(self.position, Declared(SHARES, quantity, 1_400 * PRICE_UNITS, AT, "A", "held"))

    def end(self, rupees: int, day: datetime.date = EXPIRY) -> int:
        """The end of a day at an official price; returns what it moved."""
        before, official = self.cash, {NAME: rupees * PRICE_UNITS}
        for event in closing_events(self.position, official, RULES, day, AT):
            self.position, moved = apply(self.position, event)
            self.cash += moved
        self.ledger, unpriced = settle(self.ledger, day, official, RULES)
        assert unpriced == ()
        return self.cash - before

    def agree(self) -> None:
        assert self.ledger.cash == self.cash
        assert {key: line.quantity for key, line in self.ledger.lines.items()} == held_units([self.position])


# --- worked by hand ---------------------------------------------------------------------------------------------------


def test_500_shares_bought_at_1400_10_cost_854_rupees_72() -> None:
    value = Decimal("1400.10") * 500
    assert value == Decimal("700050")
    stt, stamp = value * Decimal("0.001"), value * Decimal("0.00015")  # 0.1 % of both sides; 0.015 %, the buyer's
    exchange, sebi, ipft = value * 297 / CRORE, value * 10 / CRORE, value * 10 / CRORE
    gst = Decimal("0.18") * (20 + exchange + sebi)
    assert (stt, stamp, exchange, sebi) == (
        Decimal("700.05"),
        Decimal("105.0075"),
        Decimal("20.791485"),
        Decimal("0.70005"),
    )
    total = 20 + stt + exchange + sebi + stamp + gst + ipft
    cost = charges(RULES.charge_rates(DAY), SHARES, Side.BUY, paise(value))
    assert cost == Charges(brokerage=2000, stt=70_005, exchange=2079, sebi=70, stamp=10_501, gst=747, ipft=70)
    assert cost.total == paise(total) == 85_472


def test_shares_sold_bear_stt_as_well_and_no_stamp_duty() -> None:
    value = Decimal("1399.90") * 500
    exchange, sebi, ipft = value * 297 / CRORE, value * 10 / CRORE, value * 10 / CRORE
    total = 20 + value / 1000 + exchange + sebi + ipft + Decimal("0.18") * (20 + exchange + sebi)
    cost = charges(RULES.charge_rates(DAY), SHARES, Side.SELL, paise(value))
    assert (cost.stt, cost.stamp, cost.total) == (69_995, 0, paise(total))


@pytest.mark.parametrize(
    ("day", "exchange"),
    [
        (datetime.date(2026, 11, 26), 30_699),  # NSE/FA/73061
        (datetime.date(2026, 2, 28), 29_700),
        (datetime.date(2021, 2, 1), 34_500),
        (datetime.date(2019, 6, 13), 32_500),
    ],
)
def test_the_fee_on_shares_goes_by_the_day(day: datetime.date, exchange: int) -> None:
    cost = charges(RULES.charge_rates(day), SHARES, Side.SELL, 1_000_000_000)
    assert (cost.exchange, cost.stt) == (exchange, 1_000_000)


def test_500_shares_delivered_at_1440_cost_2844_rupees() -> None:
    value = Decimal(1440) * 500
    stt, brokerage = value * Decimal("0.001"), value * Decimal("0.0025")
    assert [value, stt, brokerage] == [Decimal(720_000), Decimal(720), Decimal(1800)]
    cost = delivery_charges(RATES, Side.SELL, paise(value))
    assert cost == Charges(brokerage=180_000, stt=72_000, gst=32_400)
    assert cost.total == paise(stt + brokerage * Decimal("1.18")) == 2_844_00


def test_a_call_in_the_money_takes_the_shares_at_its_strike() -> None:
    two = Two()
    paid = two.fill(SHARES, Side.BUY, LOT, 1400.10) + two.fill(call(1_440), Side.SELL, LOT, 20.05)
    assert two.cash == -70_005_000 + 1_002_500 - paid
    assert two.end(1_460) == 72_000_000 - 2_844_00
    assert two.position.is_flat
    assert two.cash == two.position.realised - two.position.charges
    assert two.position.realised == 1_002_500 + 72_000_000 - 70_005_000
    assert two.position.structure_result == two.cash
    two.agree()


def test_a_call_out_of_the_money_ends_and_the_shares_stay() -> None:
    two = Two()
    two.fill(SHARES, Side.BUY, LOT, 1400.10)
    two.fill(call(1_440), Side.SELL, LOT, 20.05)
    assert two.end(1_440) == 0  # at its strike it is worth nothing
    assert [(h.contract, h.quantity, h.cost) for h in two.position.holdings] == [(SHARES, LOT, 70_005_000)]
    assert two.position.cover_alone_since == AT
    assert (two.position.cover, two.position.short_calls) == (LOT, 0)
    two.agree()


def test_nothing_happens_to_shares_or_calls_before_their_day() -> None:
    two = Two()
    two.fill(SHARES, Side.BUY, LOT, 1400.10)
    two.fill(call(1_440), Side.SELL, LOT, 20.05)
    before = two.position
    assert two.end(1_460, DAY) == 0
    assert two.position == before
    two.agree()


def test_a_future_and_a_call_of_the_same_day_net_out_and_bear_no_charges() -> None:
    two = Two()
    two.fill(FUTURE, Side.BUY, LOT, 1401)
    two.fill(call(1_440), Side.SELL, LOT, 20.05)
    assert two.end(1_460) == (1_460 - 1401) * LOT * 100 - (1_460 - 1_440) * LOT * 100
    assert two.position.is_flat
    two.agree()


def test_a_future_alone_has_its_shares_taken_and_paid() -> None:
    two = Two()
    two.fill(FUTURE, Side.BUY, LOT, 1401)
    value = Decimal(1_390) * LOT
    cost = paise(value * Decimal("0.001") + value * Decimal("0.00015") + value * Decimal("0.0025") * Decimal("1.18"))
    assert two.end(1_390) == (1_390 - 1401) * LOT * 100 - paise(value) - cost
    assert [(h.contract.key, h.quantity, h.cost) for h in two.position.holdings] == [("RELIANCE-EQ", LOT, paise(value))]
    two.agree()


def test_a_call_without_its_shares_is_assigned_all_the_same_and_is_named() -> None:
    two = Two()
    two.fill(call(1_440), Side.SELL, LOT, 20.05)
    two.end(1_460)
    assert two.ledger.cash == two.cash
    assert [(h.contract.key, h.quantity) for h in undelivered([two.position])] == [("RELIANCE-EQ", -LOT)]
    assert unsettled([two.position], EXPIRY) == []
    assert held_units([two.position]) == {"RELIANCE-EQ": -LOT}
    assert two.ledger.lines == {}


def test_what_was_bought_is_delivered_before_what_a_person_holds() -> None:
    two = Two()
    two.declare(2 * LOT)
    two.fill(SHARES, Side.BUY, LOT, 1400.10)
    two.fill(call(1_440), Side.SELL, 2 * LOT, 20.05)
    two.end(1_460)
    assert (two.position.shares, two.position.adopted) == (LOT, LOT)
    two.agree()


def test_what_a_person_holds_is_no_break_with_the_broker_and_none_once_it_is_delivered() -> None:
    two = Two()
    two.declare(3 * LOT)
    two.fill(call(1_440), Side.SELL, 2 * LOT, 20.05)
    two.agree()
    two.end(1_460)
    assert (two.position.shares, two.position.adopted, two.position.cover) == (LOT, LOT, LOT)
    two.agree()


def test_an_index_is_settled_in_cash_and_what_no_rule_covers_is_not_settled_at_all() -> None:
    index = replace(call(1_440), underlying="NIFTY")
    held, _ = apply(Position("NIFTY"), Filled("o", index, Side.SELL, LOT, 100, 0, AT, DAY))
    official = {"NIFTY": 1_460 * PRICE_UNITS, "XYZ": 1_460 * PRICE_UNITS}
    assert closing_events(held, official, RULES, EXPIRY, AT) == [Expired(index, 1_460 * PRICE_UNITS, AT)]
    strange = replace(index, underlying="XYZ")
    held, _ = apply(Position("XYZ"), Filled("o", strange, Side.SELL, LOT, 100, 0, AT, DAY))
    assert closing_events(held, official, RULES, EXPIRY, AT) == []
    assert [h.contract for h in unsettled([held], EXPIRY)] == [strange]
    ledger = book(Ledger(0), fill_line(strange, Side.SELL, LOT, 100), 0)
    after, unpriced = settle(ledger, EXPIRY, official, RULES)
    assert (after, unpriced) == (ledger, (Unpriced(strange.key, "XYZ, nor a rule of its settlement"),))


def test_the_lot_that_revises_finds_the_shares_that_are_held() -> None:
    two, other = Two(), replace(SHARES, tick=500)
    two.fill(other, Side.BUY, LOT, 1400)
    two.fill(call(1_440), Side.SELL, LOT, 20)
    two.end(1_460)
    assert two.position.is_flat
    two.agree()


# --- whatever is held -------------------------------------------------------------------------------------------------

UNITS = st.integers(-3, 3).map(lambda lots: lots * LOT)
PRICES = st.integers(1_380, 1_500)


@given(st.tuples(UNITS, UNITS, UNITS, UNITS), st.integers(0, 3), st.lists(PRICES, min_size=5, max_size=5))
def test_both_books_come_to_the_same_cash_by_their_own_ways(
    units: tuple[int, ...], shares: int, prices: Sequence[int]
) -> None:
    two = Two()
    contracts = (FUTURE, call(1_400), call(1_440), PUT)
    for contract, quantity, price in zip(contracts, units, prices, strict=False):
        if quantity:
            two.fill(contract, Side.BUY if quantity > 0 else Side.SELL, abs(quantity), price)
    if shares:
        two.fill(SHARES, Side.BUY, shares * LOT, prices[3])
    two.end(prices[4])
    assert two.ledger.cash == two.cash
    assert all(h.contract.key == SHARES.key for h in two.position.holdings)
    # Closed at the official price, all of it has brought what the premiums, moves and charges say.
    left = two.position.shares
    if left:
        value = money(prices[4] * PRICE_UNITS, abs(left))
        side = Side.SELL if left > 0 else Side.BUY
        (last,) = (h.contract for h in two.position.holdings)
        two.position, moved = apply(two.position, Filled("last", last, side, abs(left), value, 0, AT, EXPIRY))
        two.cash += moved
    assert two.position.is_flat
    assert two.cash == two.position.realised - two.position.charges


@given(st.tuples(UNITS, UNITS, UNITS, UNITS), PRICES)
def test_only_what_does_not_net_out_bears_charges(units: tuple[int, ...], price: int) -> None:
    legs = [(c, q) for c, q in zip((FUTURE, call(1_400), call(1_440), PUT), units, strict=True) if q]
    costs = delivery_costs(legs, price * PRICE_UNITS, RATES)
    in_the_money = {FUTURE: 1, call(1_400): price > 1_400, call(1_440): price > 1_440, PUT: -(price < 1_440)}
    net = sum(q * in_the_money[c] for c, q in legs)
    assert [c for c, _ in costs] == sorted((c for c, _ in legs), key=lambda c: (c.kind is not Kind.FUTURE, c))
    assert all(cost >= 0 for _, cost in costs)
    assert (sum(cost for _, cost in costs) > 0) == (net != 0)


def test_a_delivery_that_is_booked_twice_happens_once() -> None:
    two = Two()
    two.fill(SHARES, Side.BUY, LOT, 1400.10)
    two.fill(call(1_440), Side.SELL, LOT, 20.05)
    event = Delivered(call(1_440), 1_460 * PRICE_UNITS, SHARES, AT, 7)
    once, moved = apply(two.position, event)
    assert moved == 72_000_000 - 7
    assert apply(once, event) == (once, 0)


# --- the margin before delivery ---


def long(strike: int, kind: Kind = Kind.CALL, symbol: str = "INFY") -> Contract:
    return Contract(symbol, datetime.date(2026, 12, 29), kind, strike * PRICE_UNITS, 400, 500, 40_000)


@pytest.mark.parametrize(
    ("day", "share"), [(18, 0), (21, 0), (22, 0.10), (23, 0.25), (24, 0.45), (28, 0.70), (29, 1.0)]
)
def test_a_long_option_in_the_money_asks_more_in_each_of_its_last_sessions(day: int, share: float) -> None:
    """Friday 25 December is a holiday: on Tuesday the 22nd four sessions are left. 17.7 % of 400 shares at 1,600."""
    on = datetime.date(2026, 12, day)
    asked = delivery_margin(RULES, [(long(1_500), 400)], 1_600 * PRICE_UNITS, on)
    assert asked == pytest.approx(share * 0.177 * 400 * 1_600_00, abs=1)


def test_what_is_sold_out_of_the_money_settled_in_cash_or_over_asks_no_margin_for_its_delivery() -> None:
    spot, last = 1_600 * PRICE_UNITS, datetime.date(2026, 12, 29)
    none = [(long(1_500), -400), (long(1_700), 400), (long(1_500, Kind.PUT), 400), (long(1_500, symbol="NIFTY"), 400)]
    assert delivery_margin(RULES, none, spot, last) == 0
    assert delivery_margin(RULES, [(long(1_500), 400)], spot, last + datetime.timedelta(days=1)) == 0
    assert delivery_margin(RULES, [(long(1_700, Kind.PUT), 400)], spot, last) > 0


def test_where_no_rule_has_its_share_all_of_it_is_asked() -> None:
    earlier = replace(long(1_500), expiry=datetime.date(2020, 6, 25))
    rates, on = RULES.margin_rates("INFY", datetime.date(2020, 6, 24)), datetime.date(2020, 6, 24)
    whole = (rates.price_scan_min + rates.exposure) * 400 * 1_600_00
    assert delivery_margin(RULES, [(earlier, 400)], 1_600 * PRICE_UNITS, on) == pytest.approx(whole, abs=1)
