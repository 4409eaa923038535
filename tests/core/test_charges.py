"""What orders cost beside their price."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.config import load_rules
from participant.core.charges import Charges, charges
from participant.core.scrip import Contract, Kind, Side

RULES = load_rules()
TODAY = date(2026, 11, 23)
RATES = RULES.charge_rates(TODAY)
FUTURE = Contract("NIFTY", date(2026, 12, 29), Kind.FUTURE, 0, 65, 1_000, 1_800)
CALL = Contract("NIFTY", date(2026, 12, 29), Kind.CALL, 250_000_000, 65, 500, 1_800)


@pytest.mark.parametrize(
    ("day", "futures_stt", "options_stt", "futures_exchange", "options_exchange"),
    [
        (date(2019, 4, 12), 100_000, 500_000, 19_000, 500_000),
        (date(2023, 3, 31), 100_000, 500_000, 20_000, 530_000),
        (date(2023, 4, 1), 125_000, 625_000, 19_000, 500_000),
        (date(2024, 10, 1), 200_000, 1_000_000, 17_300, 350_300),
        (date(2026, 2, 28), 200_000, 1_000_000, 17_300, 350_300),
        (date(2026, 3, 1), 200_000, 1_000_000, 18_299, 355_200),
        (date(2026, 3, 31), 200_000, 1_000_000, 18_299, 355_200),
        (date(2026, 4, 1), 500_000, 1_500_000, 18_299, 355_200),
    ],
)
def test_the_rates_go_by_the_day(
    day: date, futures_stt: int, options_stt: int, futures_exchange: int, options_exchange: int
) -> None:
    rates = RULES.charge_rates(day)
    crore = 1_000_000_000
    future, call = charges(rates, FUTURE, Side.SELL, crore), charges(rates, CALL, Side.SELL, crore)
    assert (future.stt, call.stt) == (futures_stt, options_stt)
    assert (future.exchange, call.exchange) == (futures_exchange, options_exchange)


def test_stamp_duty_was_of_both_sides_until_june_2020() -> None:
    crore = 1_000_000_000
    for day, seller in ((date(2020, 6, 30), 20_000), (date(2020, 7, 1), 0)):
        rates = RULES.charge_rates(day)
        assert charges(rates, FUTURE, Side.BUY, crore).stamp == 20_000
        assert charges(rates, FUTURE, Side.SELL, crore).stamp == seller


def test_an_order_of_which_nothing_filled_costs_nothing() -> None:
    assert charges(RATES, CALL, Side.BUY, 0) == Charges()


@given(st.integers(1, 10**13), st.integers(0, 10**13), st.sampled_from(Side), st.sampled_from([FUTURE, CALL]))
def test_items_are_never_negative_and_the_total_never_falls_as_more_fills(
    value: int, more: int, side: Side, contract: Contract
) -> None:
    less, whole = charges(RATES, contract, side, value), charges(RATES, contract, side, value + more)
    for cost in (less, whole):
        assert min(cost.brokerage, cost.stt, cost.exchange, cost.sebi, cost.stamp, cost.gst, cost.ipft) >= 0
    assert less.total <= whole.total


@given(st.integers(1, 10**13), st.sampled_from(Side), st.sampled_from([FUTURE, CALL]))
def test_the_total_is_the_exact_total_rounded_once_and_each_item_within_a_paisa(
    value: int, side: Side, contract: Contract
) -> None:
    by_value = RATES.futures if contract is FUTURE else RATES.options
    crore = 10**9
    exact = {
        "brokerage": 2000 * crore,
        "stt": value * by_value.stt_sell if side is Side.SELL else 0,
        "exchange": value * by_value.exchange,
        "sebi": value * by_value.sebi,
        "stamp": value * by_value.stamp_buy if side is Side.BUY else 0,
        "ipft": value * by_value.ipft,
    }
    gst_x100 = 18 * (exact["brokerage"] + exact["exchange"] + exact["sebi"])
    cost = charges(RATES, contract, side, value)
    total_x100 = 100 * sum(exact.values()) + gst_x100
    assert abs(cost.total * 100 * crore - total_x100) * 2 <= 100 * crore
    assert all(abs(getattr(cost, name) * crore - paise) <= crore for name, paise in exact.items())
    assert abs(cost.gst * 100 * crore - gst_x100) <= 100 * crore
