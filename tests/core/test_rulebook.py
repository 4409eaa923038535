"""The rulebook's answers for NIFTY and BANKNIFTY: 2026 in full; the years before are in tests/history."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.in_force import doubtful, in_force
from participant.core.rulebook import OutsideRules
from participant.core.rulerows import Confidence, ScanRow
from participant.core.scrip import Kind
from participant.core.session import at_time

RULES = load_rules()
YEAR = [date(2026, 1, 1) + timedelta(days=i) for i in range(365)]
HOLIDAYS = {
    date(2026, month, day)
    for month, day in [
        (1, 15), (1, 26), (3, 3), (3, 26), (3, 31), (4, 3), (4, 14), (5, 1), (5, 28), (6, 26), (9, 14), (10, 2),
        (10, 20), (11, 10), (11, 24), (12, 25),
    ]
}  # fmt: skip
SPECIAL = {date(2026, 2, 1), date(2026, 11, 8)}
DAYS_OF_2026 = st.dates(date(2026, 1, 1), date(2026, 12, 31))


# --- days -------------------------------------------------------------------------------------------------------------


def test_2026_has_its_sessions_and_no_others() -> None:
    expected = {day for day in YEAR if day.isoweekday() <= 5 and day not in HOLIDAYS} | SPECIAL
    assert {day for day in YEAR if RULES.session(day) is not None} == expected
    assert len(expected) == 261 - 16 + 2


def test_the_sessions_hours_change_on_3_august_and_7_december() -> None:
    closes = {
        date(2026, 7, 31): ((15, 30), (15, 30)),
        date(2026, 8, 3): ((15, 40), (15, 40)),
        date(2026, 12, 4): ((15, 40), (15, 40)),
        date(2026, 12, 7): ((15, 45), (15, 30)),
    }
    for day, (close, expiring) in closes.items():
        session = RULES.session(day)
        assert session is not None
        assert (session.day, session.open_at) == (day, at_time(day, 9, 15))
        assert (session.close_at, session.expiring_close_at) == (at_time(day, *close), at_time(day, *expiring))
        assert session.source
    assert RULES.expiry_at(date(2026, 12, 29)) == at_time(date(2026, 12, 29), 15, 30)
    assert RULES.expiry_at(date(2027, 1, 26)) == at_time(date(2027, 1, 26), 15, 30)


def test_the_special_sundays_have_hours_of_their_own() -> None:
    budget, muhurat = RULES.session(date(2026, 2, 1)), RULES.session(date(2026, 11, 8))
    assert budget is not None
    assert muhurat is not None
    assert budget.close_at == at_time(date(2026, 2, 1), 15, 30)
    assert (muhurat.open_at, muhurat.close_at) == (
        at_time(date(2026, 11, 8), 18, 15),
        at_time(date(2026, 11, 8), 19, 15),
    )


def test_the_next_session_skips_what_is_shut() -> None:
    assert RULES.next_session(date(2026, 11, 20)) == date(2026, 11, 23)
    assert RULES.next_session(date(2026, 11, 23)) == date(2026, 11, 25)
    assert RULES.next_session(date(2026, 4, 2)) == date(2026, 4, 6)
    assert RULES.next_session(date(2026, 11, 6)) == date(2026, 11, 8)


@given(st.dates(date(2026, 1, 10), date(2026, 12, 20)))
def test_nothing_lies_between_a_day_and_its_next_session(day: date) -> None:
    after = RULES.next_session(day)
    assert after > day
    assert all(RULES.session(day + timedelta(days=i)) is None for i in range(1, (after - day).days))


def test_days_outside_the_calendar_are_refused_with_what_is_known_and_how_to_mend() -> None:
    known = r"known: 2018-01-01 to 2026-12-31: add a row to rules/calendar\.toml"
    for ask in (RULES.session, RULES.next_session):
        with pytest.raises(OutsideRules, match=r"no rule for the trading calendar on 2027-01-0\d; " + known):
            ask(date(2027, 1, 1))
    with pytest.raises(OutsideRules, match=r"on 2027-01-01; " + known):
        RULES.next_session(date(2026, 12, 31))
    with pytest.raises(OutsideRules, match=r"on 2017-12-31; " + known):
        RULES.next_session(date(2017, 12, 30))
    assert RULES.is_calendar_known(date(2026, 12, 31))
    assert not RULES.is_calendar_known(date(2027, 1, 1))


def test_a_calendar_without_sessions_is_not_searched_for_ever() -> None:
    row = next(row for row in RULES.holidays if row.holds(date(2026, 6, 1)))
    shut = replace(RULES, holidays=(replace(row, days=tuple(YEAR)),), special_sessions=())
    with pytest.raises(OutsideRules, match="no session within 15 days"):
        shut.next_session(date(2026, 6, 1))


# --- expiries ---------------------------------------------------------------------------------------------------------


def days(*texts: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(text) for text in texts)


def test_nifty_lists_five_weeklies_and_three_months() -> None:
    # The chain of that week showed 25-Aug, 1, 8 and 15-Sep.
    assert RULES.expiries("NIFTY", date(2026, 8, 19)) == days(
        "2026-08-25", "2026-09-01", "2026-09-08", "2026-09-15", "2026-09-22", "2026-09-29", "2026-10-27"
    )


def test_banknifty_lists_months_only() -> None:
    assert RULES.expiries("BANKNIFTY", date(2026, 8, 19)) == days("2026-08-25", "2026-09-29", "2026-10-27")
    assert RULES.future_expiries("BANKNIFTY", date(2026, 8, 19)) == RULES.expiries("BANKNIFTY", date(2026, 8, 19))


def test_an_expiry_on_a_holiday_is_brought_forward_to_the_trading_day_before() -> None:
    assert RULES.future_expiries("NIFTY", date(2026, 3, 2))[0] == date(2026, 3, 30)
    assert RULES.expiries("NIFTY", date(2026, 11, 20))[0] == date(2026, 11, 23)
    assert RULES.expiries("NIFTY", date(2026, 4, 8))[0] == date(2026, 4, 13)
    assert RULES.expiries("NIFTY", date(2026, 10, 15))[0] == date(2026, 10, 19)


def test_a_contract_is_listed_on_its_last_day_and_not_after() -> None:
    assert RULES.expiries("NIFTY", date(2026, 11, 23))[0] == date(2026, 11, 23)
    # Tuesday the 24th is the holiday itself: its contracts are gone, and still five weeklies are listed.
    assert RULES.expiries("NIFTY", date(2026, 11, 24))[:5] == days(
        "2026-12-01", "2026-12-08", "2026-12-15", "2026-12-22", "2026-12-29"
    )
    assert RULES.future_expiries("NIFTY", date(2026, 11, 24)) == days("2026-12-29", "2027-01-25", "2027-02-23")


def test_expiries_in_an_unknown_year_stand_on_their_weekday_but_for_certain_holidays_and_can_be_told_apart() -> None:
    listed = RULES.expiries("NIFTY", date(2026, 12, 31))
    assert listed[:4] == days("2027-01-05", "2027-01-12", "2027-01-19", "2027-01-25")
    assert RULES.future_expiries("INFY", date(2026, 12, 31))[0] == date(2027, 1, 25)
    assert all(day.isoweekday() == 2 for day in listed if day != date(2027, 1, 25))
    assert all(RULES.is_expiry("NIFTY", day) for day in listed)
    assert not any(RULES.is_calendar_known(day) for day in listed)


@given(DAYS_OF_2026)
def test_what_is_listed_lies_ahead_in_order_on_trading_days_of_the_known_year(day: date) -> None:
    for symbol, at_least in (("NIFTY", 5), ("BANKNIFTY", 3)):
        listed = RULES.expiries(symbol, day)
        assert len(listed) >= at_least
        assert sorted(set(listed)) == list(listed)
        assert listed[0] >= day
        assert all(RULES.session(d) is not None for d in listed if RULES.is_calendar_known(d))
        futures = RULES.future_expiries(symbol, day)
        assert len(futures) == 3
        assert set(futures) <= set(listed)


# --- contracts and money ----------------------------------------------------------------------------------------------


def test_the_contracts_constants_are_those_of_2026() -> None:
    for day in (date(2026, 1, 6), date(2026, 12, 29), date(2027, 1, 26)):
        assert (RULES.lot("NIFTY", day), RULES.lot("BANKNIFTY", day)) == (65, 30)
    for day in (date(2026, 1, 1), date(2026, 8, 2), date(2026, 8, 3), date(2026, 12, 31)):
        assert (RULES.freeze("NIFTY", day), RULES.freeze("BANKNIFTY", day)) == (1800, 600)
        assert (RULES.strike_step("NIFTY", day), RULES.strike_step("BANKNIFTY", day)) == (500_000, 1_000_000)


def test_an_index_futures_tick_goes_by_the_level_of_the_index() -> None:
    levels = {149_999_000: 500, 150_000_000: 500, 150_000_500: 1_000, 300_000_000: 1_000, 300_001_000: 2_000}
    for level, tick in levels.items():
        assert RULES.tick("NIFTY", Kind.FUTURE, level, date(2026, 6, 1)) == tick
        assert RULES.tick("BANKNIFTY", Kind.FUTURE, level, date(2026, 6, 1)) == tick


def test_an_index_options_tick_is_five_paise_at_any_price() -> None:
    for kind in (Kind.CALL, Kind.PUT):
        for day in (date(2018, 1, 1), date(2026, 6, 1)):
            assert {RULES.tick("NIFTY", kind, price, day) for price in (0, 500, 2_000_000, 999_000_000)} == {500}


def test_the_way_of_final_settlement_goes_by_the_date() -> None:
    assert "last 30 minutes" in RULES.settlement_method(date(2026, 8, 2))
    assert "closing auction" in RULES.settlement_method(date(2026, 8, 3))
    assert "closing auction" in RULES.settlement_method(date(2026, 12, 6))
    assert "continuous trading" in RULES.settlement_method(date(2026, 12, 7))


@pytest.mark.parametrize(
    ("symbol", "expiry", "is_physical"),
    [
        ("NIFTY", date(2019, 6, 13), False),
        ("BANKNIFTY", date(2026, 12, 29), False),
        ("RELIANCE", date(2018, 6, 28), False),
        ("RELIANCE", date(2019, 9, 26), False),
        ("RELIANCE", date(2019, 10, 31), True),
        ("YESBANK", date(2019, 10, 31), True),
        ("NHPC", date(2018, 6, 28), False),
        ("NHPC", date(2018, 7, 26), True),
        ("NHPC", date(2019, 10, 31), True),
        ("INFY", date(2026, 12, 29), True),
    ],
)
def test_index_contracts_end_in_cash_and_stocks_by_delivery_from_their_step_on(
    symbol: str, expiry: date, is_physical: bool
) -> None:
    assert RULES.physical(symbol, expiry) is is_physical


def test_how_contracts_end_is_never_guessed() -> None:
    with pytest.raises(OutsideRules, match=r"YESBANK on 2019-06-27; known: 2018-01-01 to 2018-06-30, 2019-10-01 to f"):
        RULES.physical("YESBANK", date(2019, 6, 27))
    with pytest.raises(OutsideRules, match="NIFTY on 2017-12-28; known: 2018-01-01 to further notice"):
        RULES.physical("NIFTY", date(2017, 12, 28))
    with pytest.raises(
        OutsideRules, match=r"SENSEX, neither an index nor a stock: add it to a row in underlyings\.toml"
    ):
        RULES.physical("SENSEX", date(2026, 12, 29))


def test_what_no_row_covers_is_refused() -> None:
    day = date(2026, 6, 1)
    with pytest.raises(OutsideRules, match=r"no rule for the lot of SENSEX: add a row to rules/contracts\.toml"):
        RULES.lot("SENSEX", day)
    with pytest.raises(OutsideRules, match="the lot of NIFTY on 2017-12-28; known: 2018-01-01 to further notice"):
        RULES.lot("NIFTY", date(2017, 12, 28))
    with pytest.raises(OutsideRules, match="expiries of SENSEX"):
        RULES.expiries("SENSEX", day)
    with pytest.raises(OutsideRules, match="the tick of SENSEX FUT"):
        RULES.tick("SENSEX", Kind.FUTURE, 800_000_000, day)
    with pytest.raises(OutsideRules, match="the strike step of SENSEX"):
        RULES.strike_step("SENSEX", day)
    with pytest.raises(OutsideRules, match=r"margins on 2017-01-01.*rules/margin\.toml"):
        RULES.margin_rates("NIFTY", date(2017, 1, 1))


def test_days_before_2018_are_refused() -> None:
    day = date(2017, 12, 29)
    asks = (RULES.session, RULES.charge_rates, RULES.settlement_method, RULES.expiry_at)
    for ask in asks:
        with pytest.raises(OutsideRules, match="known: 2018-01-01 to"):
            ask(day)
    of_scrip = (RULES.expiries, RULES.future_expiries, RULES.is_expiry, RULES.lot, RULES.freeze, RULES.strike_step)
    for ask_of in (*of_scrip, RULES.margin_rates):
        with pytest.raises(OutsideRules, match="known: 2018-01-01 to"):
            ask_of("NIFTY", day)


def test_what_is_of_low_confidence_on_a_day_is_named_with_its_source() -> None:
    assert doubtful(RULES, ("NIFTY",), date(2026, 9, 16)) == ()
    (muhurat,) = doubtful(RULES, ("NIFTY",), date(2026, 11, 8))
    assert muhurat.startswith("the hours of this special session: NSE/FAOP/71777")
    old = doubtful(RULES, ("NIFTY", "YESBANK"), date(2019, 6, 3))
    assert [doubt.partition(":")[0] for doubt in old] == [
        "a lot of YESBANK",
        "the freeze quantity of NIFTY",
        "the freeze quantity of YESBANK",
        "the price range",
        "the charges",
        "the margins",
        "the margins of YESBANK",
        "the operating range",
    ]
    assert doubtful(RULES, ("SENSEX",), date(2026, 9, 16)) == ()


def test_a_published_scan_range_holds_for_its_underlying_and_its_day_alone() -> None:
    day, after = date(2025, 10, 28), date(2025, 10, 29)
    row = ScanRow(
        since=day, until=day, source="a file of the day", confidence=Confidence.HIGH, symbol="BANKNIFTY",
        price_scan=0.112, volatility_scan=0.05,
    )  # fmt: skip
    with_scan = replace(RULES, scans=(row,))
    rates, plain = with_scan.margin_rates("BANKNIFTY", day), RULES.margin_rates("BANKNIFTY", day)
    assert (rates.price_scan_sigmas, rates.price_scan_min) == (0.0, 0.112)
    assert (rates.volatility_scan_share, rates.volatility_scan_min) == (0.0, 0.05)
    assert (rates.exposure, rates.calendar_charge) == (plain.exposure, plain.calendar_charge)
    for symbol, on in (("NIFTY", day), ("BANKNIFTY", after)):
        assert with_scan.margin_rates(symbol, on) == RULES.margin_rates(symbol, on)
    assert with_scan.content_hash != RULES.content_hash
    assert replace(with_scan, scans=()).content_hash == RULES.content_hash
    told = [one.subject for one in in_force(with_scan, ("BANKNIFTY",), day)]
    assert "the published scan ranges of BANKNIFTY" in told


def test_the_hash_covers_every_rule() -> None:
    assert load_rules().content_hash == RULES.content_hash
    lots = (replace(RULES.lots[0], units=75), *RULES.lots[1:])
    assert replace(RULES, lots=lots).content_hash != RULES.content_hash
