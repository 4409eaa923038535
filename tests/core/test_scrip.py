"""Contracts have one name, and prices become money by one rule."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from participant.core.scrip import PRICE_UNITS, Kind, Side, contract_key, money
from tests.core.desk import CALL, EXPIRY, FUTURE, PUT

amounts = st.integers(-(10**12), 10**12)


def test_a_key_says_underlying_expiry_strike_and_kind() -> None:
    assert CALL.key == "NIFTY-20261229-25500CE"
    assert PUT.key == "NIFTY-20261229-24500PE"
    assert FUTURE.key == "NIFTY-20261229-FUT"


def test_a_strike_is_written_without_trailing_zeros() -> None:
    assert contract_key("X", EXPIRY, Kind.CALL, 1_025_000).endswith("-102.5CE")
    assert contract_key("X", EXPIRY, Kind.CALL, 1_000_000).endswith("-100CE")
    assert contract_key("X", EXPIRY, Kind.PUT, 1).endswith("-0.0001PE")


@given(st.integers(1, 10**10), st.integers(1, 10**10), st.sampled_from([Kind.CALL, Kind.PUT]))
def test_two_strikes_never_share_a_key(one: int, other: int, kind: Kind) -> None:
    assert (contract_key("X", EXPIRY, kind, one) == contract_key("X", EXPIRY, kind, other)) == (one == other)


def test_contracts_sort_by_expiry_first() -> None:
    later = type(FUTURE)("NIFTY", EXPIRY + datetime.timedelta(days=1), Kind.FUTURE, 0, 75, 500, 1800)
    assert sorted([later, FUTURE, CALL])[-1] == later


def test_halves_of_a_paisa_round_away_from_zero() -> None:
    assert [money(p, 1) for p in (49, 50, 149, 150, -49, -50, -150)] == [0, 1, 1, 2, 0, -1, -2]


def test_a_rupee_is_a_hundred_paise() -> None:
    assert money(PRICE_UNITS, 1) == 100


@given(amounts, st.integers(-(10**6), 10**6))
def test_money_is_within_half_a_paisa_and_has_the_sign_of_its_quantity(price: int, quantity: int) -> None:
    paise = money(price, quantity)
    assert abs(paise * 100 - price * quantity) <= 50
    assert money(price, -quantity) == -paise


def test_a_buy_is_plus_and_a_sell_is_minus() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)
