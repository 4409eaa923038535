"""The worked examples of charges and margins that the references give, each with its arithmetic."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest

from participant.config import load_rules
from participant.core.charges import Charges, charges
from participant.core.margin import margin
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.session import at_time

RULES = load_rules()
TODAY = date(2026, 11, 23)
RATES = RULES.charge_rates(TODAY)
FUTURE = Contract("NIFTY", date(2026, 12, 29), Kind.FUTURE, 0, 65, 1_000, 1_800)
CALL = Contract("NIFTY", date(2026, 12, 29), Kind.CALL, 250_000_000, 65, 500, 1_800)
PAISA = Decimal("0.01")
CRORE = Decimal(10_000_000)


def paise(rupees: Decimal) -> int:
    """Rupees to whole paise, halves up: the rounding rule of `core/charges.py`."""
    return int(rupees.quantize(PAISA, ROUND_HALF_UP) * 100)


# --- charges ----------------------------------------------------------------------------------------------------------


def test_one_lot_of_a_call_sold_at_200_costs_48_rupees_57() -> None:
    premium = Decimal(200) * 65
    assert premium == 13_000
    stt = premium * Decimal("0.0015")  # 0.15 % of the premium, the seller's: NSE/FATAX/73524
    exchange, ipft = premium * Decimal("3552") / CRORE, premium * Decimal("1.00") / CRORE  # NSE/FA/73061
    sebi, brokerage = premium * 10 / CRORE, Decimal(20)
    gst = Decimal("0.18") * (brokerage + exchange + sebi)
    assert (stt, exchange, sebi) == (Decimal("19.50"), Decimal("4.6176"), Decimal("0.013"))
    assert gst == Decimal("4.433508")
    total = brokerage + stt + exchange + sebi + gst + ipft
    cost = charges(RATES, CALL, Side.SELL, paise(premium))
    assert cost == Charges(brokerage=2000, stt=1950, exchange=462, sebi=1, stamp=0, gst=443, ipft=1)
    assert cost.total == paise(total) == 4857


def test_one_lot_of_a_future_bought_at_24_000_costs_90_rupees_33() -> None:
    value = Decimal(24_000) * 65
    assert value == 1_560_000
    exchange, ipft = value * Decimal("182.99") / CRORE, value * Decimal("0.01") / CRORE
    sebi, brokerage, stamp = value * 10 / CRORE, Decimal(20), value * Decimal("0.00002")  # 0.002 %, the buyer's
    gst = Decimal("0.18") * (brokerage + exchange + sebi)
    assert (exchange, sebi, stamp) == (Decimal("28.54644"), Decimal("1.56"), Decimal("31.20"))
    cost = charges(RATES, FUTURE, Side.BUY, paise(value))
    assert (cost.stt, cost.stamp) == (0, 3120)
    assert cost.total == paise(brokerage + exchange + sebi + stamp + gst + ipft) == 9033


def test_one_lot_of_a_future_sold_at_24_000_costs_839_rupees_13() -> None:
    value = Decimal(24_000) * 65
    exchange, ipft = value * Decimal("182.99") / CRORE, value * Decimal("0.01") / CRORE
    sebi, brokerage, stt = value * 10 / CRORE, Decimal(20), value * Decimal("0.0005")  # 0.05 %, the seller's
    gst = Decimal("0.18") * (brokerage + exchange + sebi)
    assert stt == 780
    cost = charges(RATES, FUTURE, Side.SELL, paise(value))
    assert (cost.stt, cost.stamp) == (78_000, 0)
    assert cost.total == paise(brokerage + exchange + sebi + stt + gst + ipft) == 83_913


def test_to_roll_a_future_each_month_costs_six_hundredths_of_a_percent_of_its_value() -> None:
    value = 24_000 * 65 * 100
    both = sum(charges(RATES, FUTURE, side, value).total for side in Side)
    assert both == 9_033 + 83_913
    assert both / value == pytest.approx(0.0006, abs=0.00001)
    assert 12 * both / value == pytest.approx(0.007, abs=0.0002)


@pytest.mark.parametrize(
    ("day", "stt", "exchange", "ipft"),
    [
        # STT, exchange fee and IPFT in paise on a crore of rupees sold, futures and options.
        (date(2024, 9, 30), (125_000, 625_000), (18_800, 495_000), (1_000, 5_000)),
        (date(2024, 10, 1), (200_000, 1_000_000), (17_300, 350_300), (1_000, 5_000)),
        (date(2026, 2, 28), (200_000, 1_000_000), (17_300, 350_300), (1_000, 5_000)),
        (date(2026, 3, 1), (200_000, 1_000_000), (18_299, 355_200), (1, 100)),
        (date(2026, 4, 1), (500_000, 1_500_000), (18_299, 355_200), (1, 100)),
    ],
)
def test_the_rates_before_and_after_each_change_are_those_of_the_references(
    day: date, stt: tuple[int, int], exchange: tuple[int, int], ipft: tuple[int, int]
) -> None:
    crore = 1_000_000_000
    sold = [charges(RULES.charge_rates(day), contract, Side.SELL, crore) for contract in (FUTURE, CALL)]
    assert tuple(cost.stt for cost in sold) == stt
    assert tuple(cost.exchange for cost in sold) == exchange
    assert tuple(cost.ipft for cost in sold) == ipft


def test_the_most_that_one_order_may_have_is_27_lots_of_nifty() -> None:
    freeze, lot = RULES.freeze("NIFTY", date(2026, 8, 3)), RULES.lot("NIFTY", date(2026, 8, 25))
    assert (freeze, lot, freeze // lot, freeze // lot * lot) == (1_800, 65, 27, 1_755)


# --- margins, of 29-May-2026 ------------------------------------------------------------------------------------------
# The future stood at 23,748.46 (its exposure of 30,873 rupees is 2 % of that), the index at 23,547.75, and the call at
# 437.65, which is 14.7 % of implied volatility on the future. The figures of the file are those of a library that reads
# the SPAN file of the day; the broker's are those that it was compared with.

JUNE = date(2026, 6, 30)
MAY_29 = at_time(date(2026, 5, 29), 15, 30)
FUTURE_AT, INDEX_AT, VOLATILITY, LOT = 237_484_600, 235_477_500, 0.147, 65


def june(kind: Kind, strike: int = 0) -> Contract:
    return Contract("NIFTY", JUNE, kind, strike * 10_000, LOT, 500, 1_800)


LONG_FUTURE = (june(Kind.FUTURE), LOT)
SHORT_CALL, SHORT_PUT = (june(Kind.CALL, 23_700), -LOT), (june(Kind.PUT, 23_700), -LOT)


def estimate(*legs: tuple[Contract, int], level: int = FUTURE_AT) -> float:
    """Our estimate in rupees, without the file."""
    return margin(RULES.margin_rates("NIFTY", date(2026, 5, 29)), legs, level, VOLATILITY, MAY_29) / 100


def test_the_parts_of_a_futures_margin_are_the_scan_and_two_percent() -> None:
    scan, exposure = 0.093 * 23_748.46 * LOT, 0.02 * 23_748.46 * LOT
    assert exposure == pytest.approx(30_873, abs=0.5)
    assert scan == pytest.approx(143_666, rel=0.002)  # the broker's SPAN; the file's is 1,43,720
    assert estimate(LONG_FUTURE) == pytest.approx(scan + exposure, abs=0.02)


def test_the_premium_of_the_call_is_28_447_rupees_to_the_rupee() -> None:
    assert money(4_376_500, LOT) == 2_844_725


def test_against_a_broker_the_estimate_is_within_half_a_percent_for_a_future_and_four_for_a_short_call() -> None:
    assert estimate(LONG_FUTURE) == pytest.approx(174_539, rel=0.005)
    assert estimate(SHORT_CALL) == pytest.approx(173_159, rel=0.04)


ORACLE = [
    # what is held, the figure of the SPAN file in rupees, our error with the future's price and with the index
    ((LONG_FUTURE,), 174_593, -0.001, -0.009),
    ((SHORT_CALL,), 172_285, 0.042, -0.038),
    # the straddle, 2,02,898, and what it saves against its legs, 1,38,269, say what the put needs on its own
    ((SHORT_PUT,), 202_898 + 138_269 - 172_285, 0.022, 0.088),
    ((SHORT_CALL, SHORT_PUT), 202_898, 0.046, 0.061),
    ((LONG_FUTURE, (june(Kind.PUT, 23_000), LOT)), 78_904, 0.004, -0.163),
]


@pytest.mark.parametrize(("legs", "theirs", "error", "error_of_index"), ORACLE)
def test_against_the_span_file_of_the_day_the_estimate_is_within_five_percent_at_the_futures_price(
    legs: tuple[tuple[Contract, int], ...], theirs: int, error: float, error_of_index: float
) -> None:
    assert abs(error) < 0.05
    assert estimate(*legs) / theirs - 1 == pytest.approx(error, abs=0.001)
    assert estimate(*legs, level=INDEX_AT) / theirs - 1 == pytest.approx(error_of_index, abs=0.001)


def test_a_long_call_needs_no_margin() -> None:
    assert estimate((SHORT_CALL[0], LOT)) == 0
