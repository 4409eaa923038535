"""What an index is made of day by day, and the rules of stocks that have no row of their own."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.in_force import in_force
from participant.core.outside import OutsideRules
from participant.core.rulerows import Expiry, TickSize
from participant.core.scrip import Kind
from participant.core.universe import INDEX, STOCK

RULES = load_rules()
DAYS = [date(2018, 1, 1) + timedelta(days=i) for i in range((date(2026, 12, 31) - date(2018, 1, 1)).days + 1)]
# Every day from which a list is another than before, and those days alone.
CHANGES = {
    "NIFTY": [
        "2018-04-02", "2018-09-28", "2019-03-29", "2019-09-27", "2020-03-19", "2020-07-31", "2020-09-25", "2021-03-31",
        "2022-03-31", "2022-09-30", "2023-07-13", "2024-03-28", "2024-09-30", "2025-03-28", "2025-04-09", "2025-09-30",
        "2025-10-24",
    ],
    "BANKNIFTY": [
        "2018-04-02", "2019-01-18", "2020-03-19", "2021-03-31", "2022-03-31", "2024-09-30", "2025-12-31",
    ],
}  # fmt: skip


# --- members ----------------------------------------------------------------------------------------------------------


def test_nifty_has_50_members_on_each_day_and_the_bank_index_12_and_then_14() -> None:
    assert {len(RULES.members("NIFTY", day)) for day in DAYS} == {50}
    banks = {day: len(RULES.members("BANKNIFTY", day)) for day in DAYS}
    assert {count for day, count in banks.items() if day < date(2025, 12, 31)} == {12}
    assert {count for day, count in banks.items() if day >= date(2025, 12, 31)} == {14}


@pytest.mark.parametrize("index", ["NIFTY", "BANKNIFTY"])
def test_the_members_change_on_the_days_of_the_reviews_and_on_no_other(index: str) -> None:
    lists = [RULES.members(index, day) for day in DAYS]
    changed = [str(DAYS[i]) for i in range(1, len(DAYS)) if lists[i] != lists[i - 1]]
    assert changed == CHANGES[index]


@pytest.mark.parametrize(
    ("index", "day", "within", "without"),
    [
        ("NIFTY", date(2018, 4, 1), "BOSCHLTD", "GRASIM"),
        ("NIFTY", date(2018, 4, 2), "GRASIM", "BOSCHLTD"),
        ("NIFTY", date(2020, 3, 18), "YESBANK", "SHREECEM"),
        ("NIFTY", date(2020, 3, 19), "SHREECEM", "YESBANK"),
        ("NIFTY", date(2023, 7, 13), "LTIM", "HDFC"),
        ("NIFTY", date(2026, 9, 1), "TMPV", "TATAMOTORS"),
        ("BANKNIFTY", date(2022, 3, 30), "RBLBANK", "BANKBARODA"),
        ("BANKNIFTY", date(2022, 3, 31), "BANKBARODA", "RBLBANK"),
        ("BANKNIFTY", date(2026, 1, 1), "YESBANK", "BANDHANBNK"),
    ],
)
def test_who_comes_takes_the_place_of_who_goes_on_the_day(index: str, day: date, within: str, without: str) -> None:
    members = RULES.members(index, day)
    assert within in members
    assert without not in members


def test_members_outside_the_known_days_and_of_other_indices_are_refused() -> None:
    for day in (date(2017, 12, 31), date(2027, 1, 1)):
        with pytest.raises(OutsideRules, match=r"the members of NIFTY on .*known: 2018-01-01 to 2026-12-31"):
            RULES.members("NIFTY", day)
    with pytest.raises(OutsideRules, match=r"no rule for the members of FINNIFTY: add a row to rules/membership\.toml"):
        RULES.members("FINNIFTY", date(2026, 6, 1))


def test_after_the_last_review_that_was_seen_the_members_are_of_low_confidence() -> None:
    rows = [one.row for one in in_force(RULES, ("NIFTY",), date(2026, 11, 26)) if one.table == "memberships"]
    assert [(str(row.since), row.confidence) for row in rows] == [("2026-09-30", "low")]


def test_every_member_there_ever_was_is_a_stock_with_a_sector_and_a_beta() -> None:
    stocks = {symbol for row in RULES.memberships for symbol in row.symbols}
    assert {RULES.class_of(stock) for stock in stocks} == {STOCK}
    assert all(RULES.sector(stock, date(2026, 11, 26)) for stock in stocks)
    assert {RULES.beta(stock, date(2026, 11, 26)) for stock in stocks} == {1.0}
    assert RULES.beta("NIFTY", date(2026, 11, 26)) == 1.0
    with pytest.raises(OutsideRules, match="the sector of NIFTY"):
        RULES.sector("NIFTY", date(2026, 11, 26))


# --- rules of a class -------------------------------------------------------------------------------------------------


def test_every_constituent_has_expiries_and_ticks_and_no_lot_that_was_not_seen() -> None:
    day = date(2026, 11, 26)
    for stock in {*RULES.members("NIFTY", day), *RULES.members("BANKNIFTY", day)}:
        assert RULES.class_of(stock) == STOCK
        assert (
            RULES.expiries(stock, day) == RULES.future_expiries(stock, day) == RULES.future_expiries("BANKNIFTY", day)
        )
        with pytest.raises(OutsideRules, match=f"the lot of {stock}"):
            RULES.lot(stock, date(2026, 12, 29), day)
        with pytest.raises(OutsideRules, match=f"the freeze quantity of {stock}"):
            RULES.freeze(stock, day)


@pytest.mark.parametrize(
    ("kind", "rupees", "day", "tick"),
    [
        (Kind.CALL, 249.95, date(2025, 11, 2), 500),
        (Kind.CALL, 249.95, date(2025, 11, 3), 100),
        (Kind.PUT, 250, date(2025, 11, 3), 500),
        (Kind.FUTURE, 100, date(2025, 4, 14), 500),
        (Kind.FUTURE, 100, date(2025, 4, 15), 100),
        (Kind.FUTURE, 250, date(2026, 1, 1), 500),
        (Kind.FUTURE, 999.95, date(2026, 1, 1), 500),
        (Kind.FUTURE, 1_000, date(2026, 1, 1), 1_000),
        (Kind.FUTURE, 5_000, date(2026, 1, 1), 5_000),
        (Kind.FUTURE, 10_000, date(2026, 1, 1), 10_000),
        (Kind.FUTURE, 20_000, date(2026, 1, 1), 10_000),
        (Kind.FUTURE, 20_000.05, date(2026, 1, 1), 50_000),
    ],
)
def test_a_stocks_tick_goes_by_its_price_and_the_day(kind: Kind, rupees: float, day: date, tick: int) -> None:
    assert RULES.tick("INFY", kind, round(rupees * 10_000), day) == tick


def test_stocks_expire_on_the_last_thursday_and_since_september_2025_on_the_last_tuesday() -> None:
    assert RULES.expiries("INFY", date(2019, 6, 3)) == (date(2019, 6, 27), date(2019, 7, 25), date(2019, 8, 29))
    assert RULES.expiries("INFY", date(2025, 8, 25))[:2] == (date(2025, 8, 28), date(2025, 9, 30))


def test_a_row_of_its_own_goes_before_that_of_its_class() -> None:
    known = {"since": date(2026, 1, 1), "source": "a circular of its own", "confidence": RULES.ticks[0].confidence}
    own = TickSize(symbol="INFY", kinds=(Kind.FUTURE,), above=0, tick=200, **known)  # type: ignore[arg-type]  # they are what a row has, by name
    odd = Expiry(symbol="INFY", weekday=5, weeklies=0, monthlies=1, **known)  # type: ignore[arg-type]  # they are what a row has, by name
    rules = replace(RULES, ticks=(*RULES.ticks, own), expiry_rules=(*RULES.expiry_rules, odd))
    day = date(2026, 11, 2)
    assert rules.tick("INFY", Kind.FUTURE, 60_000_000, day) == 200
    assert rules.tick("TCS", Kind.FUTURE, 60_000_000, day) == 5_000
    assert rules.tick("INFY", Kind.CALL, 60_000_000, day) == 500
    assert rules.expiries("INFY", day) == (date(2026, 11, 27),)
    told = [one for one in in_force(rules, ("INFY", "TCS"), day) if one.table == "expiry_rules"]
    assert [(one.subject, getattr(one.row, "weekday", 0)) for one in told] == [
        ("the expiries of TCS", 2), ("the expiries of INFY", 5),
    ]  # fmt: skip


def test_what_is_named_nowhere_is_of_no_class_and_has_no_rule_of_one() -> None:
    assert [RULES.class_of(name) for name in ("NIFTY", "INFY", "SENSEX", "")] == [INDEX, STOCK, "", ""]
    with pytest.raises(OutsideRules, match="expiries of SENSEX"):
        RULES.expiries("SENSEX", date(2026, 6, 1))
    with pytest.raises(OutsideRules, match="the beta of SENSEX"):
        RULES.beta("SENSEX", date(2026, 6, 1))
