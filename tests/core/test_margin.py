"""The margin estimate, against figures of a broker, and the loss in a crash."""

import math
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.config import load_rules
from participant.core.margin import _paise_up, crash_loss, margin
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind
from participant.core.session import at_time

RULES = load_rules()
JUNE, JULY = date(2026, 6, 30), date(2026, 7, 28)
MAY_29 = at_time(date(2026, 5, 29), 15, 30)
RATES = RULES.margin_rates("NIFTY", date(2026, 5, 29))
# The oracle's future stood at 23,748.50 (its exposure of 30,873 rupees is 2 % of that), the index at 23,547.75; the
# call at 437.65 has an implied volatility of 14.7 % on the future.
FUTURE_AT, INDEX_AT, VOLATILITY = 237_485_000, 235_477_500, 0.147
RUPEE = 100
LOT = 65


def nifty(kind: Kind, strike: int = 0, expiry: date = JUNE) -> Contract:
    return Contract("NIFTY", expiry, kind, strike * 10_000, LOT, 500, 1_800)


FUTURE, CALL = nifty(Kind.FUTURE), nifty(Kind.CALL, 23_700)


def estimate(
    *legs: tuple[Contract, int], spot: int = FUTURE_AT, volatility: float = VOLATILITY, at: int = MAY_29
) -> int:
    return margin(RATES, legs, spot, volatility, at)


# --- one leg --------------------------------------------------------------------------------------------------------


def test_a_future_alone_is_the_floor_of_the_scan_range_and_two_percent_exposure() -> None:
    # SPAN 1,43,559.68 (a broker's calculator: 1,43,666), exposure 30,873.05.
    assert estimate((FUTURE, LOT)) == pytest.approx(17_443_273, abs=2)
    assert estimate((FUTURE, -LOT)) == estimate((FUTURE, LOT))


def test_a_long_call_needs_its_premium_and_no_margin() -> None:
    assert estimate((CALL, LOT)) == 0


def test_no_position_needs_no_margin() -> None:
    assert estimate() == 0


# --- one portfolio ----------------------------------------------------------------------------------------------------


def test_a_covered_call_needs_far_less_than_its_legs_apart() -> None:
    apart = estimate((FUTURE, LOT)) + estimate((CALL, -LOT))
    together = estimate((FUTURE, LOT), (CALL, -LOT))
    assert together < 0.65 * apart
    assert together > estimate((FUTURE, LOT))


def test_a_bought_wing_cuts_the_margin_of_a_short_call() -> None:
    wing = nifty(Kind.CALL, 24_200)
    assert estimate((CALL, -LOT), (wing, LOT)) < 0.5 * estimate((CALL, -LOT))


def test_legs_of_different_expiries_pay_a_calendar_charge() -> None:
    spread = estimate((FUTURE, LOT), (nifty(Kind.FUTURE, expiry=JULY), -LOT))
    # No scan risk remains: 1.75 % of one lot, and 2 % exposure on both.
    assert spread == pytest.approx(237_485_000 * LOT * (0.0175 + 0.04) / 100, abs=2)


def test_on_its_last_day_a_contract_is_not_set_off_against_later_ones() -> None:
    day_before, last_day = at_time(date(2026, 6, 29), 10, 0), at_time(JUNE, 10, 0)
    legs = (FUTURE, LOT), (nifty(Kind.FUTURE, expiry=JULY), -LOT)
    one = estimate((FUTURE, LOT))
    assert estimate(*legs, at=day_before) < one
    assert estimate(*legs, at=last_day) == pytest.approx(2 * one, abs=2)


@pytest.mark.parametrize(
    ("symbol", "last_day", "later", "is_set_off"),
    [
        ("NIFTY", date(2024, 6, 27), date(2024, 7, 25), True),
        ("NIFTY", date(2025, 1, 30), date(2025, 2, 27), True),
        ("NIFTY", date(2025, 2, 27), date(2025, 3, 27), False),
        ("INFY", date(2026, 4, 28), date(2026, 5, 26), True),
        ("INFY", date(2026, 5, 26), date(2026, 6, 30), False),
    ],
)
def test_what_ends_is_set_off_on_its_last_day_as_long_as_the_rules_of_the_time_allowed_it(
    symbol: str, last_day: date, later: date, is_set_off: bool
) -> None:
    """A calendar spread of 25 at 24,000 rupees: in June 2024 1.75 % and 2 % of exposure twice, 34,500 rupees."""
    legs = [
        (Contract(symbol, day, Kind.FUTURE, 0, 25, 500, 1_800), units) for day, units in ((last_day, 25), (later, -25))
    ]
    rates, at = RULES.margin_rates(symbol, last_day), at_time(last_day, 12, 0)
    value = 24_000 * 25 * RUPEE
    set_off = (rates.calendar_charge + 2 * rates.exposure) * value
    apart = 2 * (rates.price_scan_min + rates.exposure) * value
    assert margin(rates, legs, 240_000_000, 0.14, at) == pytest.approx(set_off if is_set_off else apart, abs=2)
    assert set_off < apart / 2
    if last_day == date(2024, 6, 27):
        assert set_off == pytest.approx(34_500 * RUPEE)


def test_what_is_over_is_never_set_off() -> None:
    over, at = date(2024, 6, 27), at_time(date(2024, 6, 28), 12, 0)
    legs = [(nifty(Kind.FUTURE, expiry=over), LOT), (nifty(Kind.FUTURE, expiry=date(2024, 7, 25)), -LOT)]
    rates = RULES.margin_rates("NIFTY", date(2024, 6, 28))
    apart = 2 * (rates.price_scan_min + rates.exposure) * 240_000_000 * LOT / 100
    assert margin(rates, legs, 240_000_000, 0.14, at) == pytest.approx(apart, abs=2)


def test_a_short_option_pays_two_percent_more_on_its_last_day() -> None:
    far = nifty(Kind.CALL, 60_000)
    day_before, last_day = at_time(date(2026, 6, 29), 10, 0), at_time(JUNE, 10, 0)
    extra = estimate((far, -LOT), at=last_day) - estimate((far, -LOT), at=day_before)
    assert extra == pytest.approx(237_485_000 * LOT * 0.02 / 100, abs=2)


def test_a_far_short_option_is_charged_for_the_extreme_move() -> None:
    # 15 % above: beyond the scan range of 9.3 %, within twice that.
    far = nifty(Kind.CALL, 27_300)
    exposure = 237_485_000 * LOT * 0.02 / 100
    assert estimate((far, -LOT), volatility=0.05) - exposure > 0.25 * (1.186 * 237_485_000 - 273_000_000) * LOT / 100


def test_a_storm_widens_the_scan_range_beyond_its_floor() -> None:
    assert estimate((FUTURE, LOT), volatility=0.17) == estimate((FUTURE, LOT), volatility=0.05)
    assert estimate((FUTURE, LOT), volatility=0.30) > 1.5 * estimate((FUTURE, LOT), volatility=0.17)
    assert estimate((FUTURE, LOT), (CALL, -LOT), volatility=5.0) > 0


def test_two_underlyings_are_not_one_portfolio() -> None:
    other = Contract("BANKNIFTY", JUNE, Kind.FUTURE, 0, 30, 2_000, 600)
    with pytest.raises(ValueError, match="one underlying at a time"):
        estimate((FUTURE, LOT), (other, 30))


@pytest.mark.parametrize(("spot", "volatility"), [(0, 0.15), (-1, 0.15), (FUTURE_AT, math.nan), (FUTURE_AT, -0.1)])
def test_without_a_price_or_a_volatility_there_is_no_margin_to_go_by(spot: int, volatility: float) -> None:
    # What is not a number is never the larger of two: the scan would have come out as nothing.
    with pytest.raises(ValueError, match="it would come out too low"):
        estimate((CALL, -LOT), spot=spot, volatility=volatility)


def test_a_contract_past_its_end_is_worth_what_it_ended_at() -> None:
    after = at_time(JUNE, 18, 0)
    needed = estimate((CALL, -LOT), at=after)
    # 485 points in the money, moved by 9.3 %, and 4 % of exposure on its last day.
    assert needed == pytest.approx((0.093 * FUTURE_AT + 485_000 + 0.04 * FUTURE_AT) * LOT / 100, rel=1e-6)


# --- what must hold of any book ---------------------------------------------------------------------------------------

Units = st.integers(-5, 5).map(lambda lots: lots * LOT)


@st.composite
def books(draw: st.DrawFn, *expiries: date) -> list[tuple[Contract, int]]:
    """Up to six legs, each contract once."""
    contracts = [nifty(Kind.FUTURE, expiry=e) for e in expiries]
    contracts += [nifty(k, s, e) for e in expiries for k in (Kind.CALL, Kind.PUT) for s in range(20_000, 28_000, 500)]
    chosen = draw(st.lists(st.sampled_from(contracts), max_size=6, unique_by=lambda c: c.key))
    return [(contract, draw(Units)) for contract in chosen]


volatilities = st.floats(0.05, 0.8)
instants = st.sampled_from([MAY_29, at_time(date(2026, 6, 29), 10, 0), at_time(JUNE, 15, 0)])


@given(books(JUNE, JULY), volatilities, instants)
def test_margin_is_never_negative(legs: list[tuple[Contract, int]], volatility: float, at: int) -> None:
    assert estimate(*legs, volatility=volatility, at=at) >= 0


@given(books(JUNE), volatilities, instants)
def test_a_book_of_one_expiry_never_needs_more_than_its_legs_apart(
    legs: list[tuple[Contract, int]], volatility: float, at: int
) -> None:
    # Over several expiries it may: their opposite deltas pay the calendar charge that a leg alone does not.
    apart = sum(estimate(leg, volatility=volatility, at=at) for leg in legs)
    assert estimate(*legs, volatility=volatility, at=at) <= apart + 1


@given(books(JUNE), books(JUNE), volatilities)
def test_two_books_of_one_expiry_never_need_more_together_than_apart(
    one: list[tuple[Contract, int]], other: list[tuple[Contract, int]], volatility: float
) -> None:
    held: dict[Contract, int] = {}
    for contract, units in (*one, *other):
        held[contract] = held.get(contract, 0) + units
    apart = estimate(*one, volatility=volatility) + estimate(*other, volatility=volatility)
    assert estimate(*held.items(), volatility=volatility) <= apart + 1


@given(books(JUNE, JULY), st.integers(2, 5), volatilities)
def test_margin_grows_with_the_size_of_a_book_in_proportion(
    legs: list[tuple[Contract, int]], times: int, volatility: float
) -> None:
    once = estimate(*legs, volatility=volatility)
    many = estimate(*((contract, times * units) for contract, units in legs), volatility=volatility)
    assert times * (once - 1) <= many <= times * once + 1


@given(st.integers(1, 10), st.sampled_from([FUTURE, CALL, nifty(Kind.PUT, 23_000)]), st.sampled_from([1, -1]))
def test_one_more_lot_of_a_leg_alone_never_needs_less(lots: int, contract: Contract, side: int) -> None:
    assert estimate((contract, side * lots * LOT)) <= estimate((contract, side * (lots + 1) * LOT))


# --- a crash ----------------------------------------------------------------------------------------------------------


def test_in_a_crash_a_covered_call_loses_the_futures_fall_less_the_premium() -> None:
    legs = [(FUTURE, LOT, FUTURE_AT), (nifty(Kind.CALL, 24_500), -LOT, 1_500_000)]
    # The call, 13 % out of the money for a month, is worth next to nothing: 65 x (2,354.78 - 150) rupees.
    expected = LOT * (23_547_750 - 1_500_000) / 100
    assert crash_loss(legs, INDEX_AT, 0.10, VOLATILITY, MAY_29) == pytest.approx(expected, rel=0.001)


def test_a_crash_of_10_percent_costs_one_lot_less_than_2_percent_of_a_crore() -> None:
    legs = [(FUTURE, LOT, FUTURE_AT), (nifty(Kind.CALL, 24_500), -LOT, 1_500_000)]
    assert crash_loss(legs, INDEX_AT, 0.10, VOLATILITY, MAY_29) < 0.02 * 10_000_000 * RUPEE


def test_a_crash_is_a_gain_to_who_is_short() -> None:
    assert crash_loss([(FUTURE, -LOT, FUTURE_AT)], INDEX_AT, 0.10, VOLATILITY, MAY_29) == -15_306_037


def test_a_short_put_loses_its_whole_intrinsic_value_when_everything_falls_to_nothing() -> None:
    put = nifty(Kind.PUT, 23_700)
    loss = crash_loss([(put, -LOT, 4_376_500)], INDEX_AT, 1.0, VOLATILITY, MAY_29)
    assert loss == pytest.approx((237_000_000 - 4_376_500) * LOT / 100, rel=1e-6)


def test_without_a_move_nothing_is_lost_on_what_is_carried_at_its_mark() -> None:
    assert crash_loss([(FUTURE, LOT, FUTURE_AT)], INDEX_AT, 0.0, VOLATILITY, MAY_29) == 0


@given(st.floats(0.0, 1e15) | st.integers(0, 10**14).map(lambda n: n * PRICE_UNITS_PER_PAISA / 20_000))
def test_money_is_rounded_up_at_four_decimals_of_a_paisa(value: float) -> None:
    assert _paise_up(value) == math.ceil(round(value / PRICE_UNITS_PER_PAISA, 4))
