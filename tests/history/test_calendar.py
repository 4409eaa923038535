"""The rulebook from 2018 to 2025: golden days, and its days, expiries and lots against the recorded markets."""

import csv
import gzip
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from math import gcd
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.config import load_rules
from participant.core.scrip import Kind
from participant.core.session import at_time
from tests.history.recorded import DATA, needs_data

RULES = load_rules()
FIRST = date(2018, 1, 1)
DAYS_APART = 7  # a longer gap is between the spans that the series is cut to

EXPIRIES = [
    ("nse_chain_2018_10_to_2019_04/NIFTY_near_expiry.parquet", "NIFTY"),
    ("nse_chain_2018_10_to_2019_04/BANKNIFTY_near_expiry.parquet", "BANKNIFTY"),
    ("nse_chain_multi_expiry_2019_06/NIFTY.parquet", "NIFTY"),
    ("nse_chain_multi_expiry_2019_06/BANKNIFTY.parquet", "BANKNIFTY"),
    ("nse_stock_chain_2019_06/constituents.parquet", ""),
    ("nse_minute_bars/NIFTY_2022-11-03_options_1m.parquet", "NIFTY"),
    ("nse_json_chain_2025/nifty_chain_2025-10-13_to_2025-11-07.parquet", "NIFTY"),
    ("nse_5min_chain_2026_02/index_2026-02-03.parquet", ""),
    ("nse_5min_chain_2026_02/stock_chain_2026-02-03.parquet", ""),
    ("nse_minute_chain_2026/NIFTY_20260819.parquet", "NIFTY"),
]


def days(*texts: str) -> tuple[date, ...]:
    return tuple(date.fromisoformat(text) for text in texts)


def day_named(text: str) -> date:
    """2-Jan-2018 or 2018-01-02."""
    return datetime.strptime(text, "%Y-%m-%d" if text[4] == "-" else "%d-%b-%Y").replace(tzinfo=UTC).date()


def rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def listed(path: Path, symbol: str) -> set[tuple[str, date]]:
    """The underlyings and expiries of a recorded chain; `symbol` where the file has none."""
    import pyarrow.parquet  # slow to import

    columns = ["expiry"] if symbol else ["symbol", "expiry"]
    table = pyarrow.parquet.read_table(path, columns=columns)
    pairs = table.group_by(columns).aggregate([]).to_pylist()
    return {(symbol or pair["symbol"], date.fromisoformat(str(pair["expiry"])[:10])) for pair in pairs}


def weekdays(since: date, until: date) -> Iterator[date]:
    for i in range((until - since).days + 1):
        day = since + timedelta(days=i)
        if day.isoweekday() <= 5:
            yield day


# --- golden days ---


def test_12_april_2019_was_a_day_of_weeklies_and_small_lots() -> None:
    day = date(2019, 4, 12)
    for symbol, lot in (("NIFTY", 75), ("BANKNIFTY", 20)):
        assert RULES.expiries(symbol, day)[:2] == days("2019-04-18", "2019-04-25")
        assert {RULES.lot(symbol, expiry) for expiry in RULES.expiries(symbol, day)} == {lot}
    session = RULES.session(day)
    assert session is not None
    assert (session.open_at, session.close_at) == (at_time(day, 9, 15), at_time(day, 15, 30))
    assert session.pre_open_at == 0
    assert RULES.session(date(2019, 4, 17)) is None
    assert RULES.session(date(2019, 4, 19)) is None


def test_nifty_has_weeklies_since_february_2019() -> None:
    assert RULES.expiries("NIFTY", date(2019, 2, 8)) == days("2019-02-28", "2019-03-28", "2019-04-25")
    assert RULES.expiries("NIFTY", date(2019, 2, 11))[0] == date(2019, 2, 14)
    assert RULES.is_expiry("NIFTY", date(2019, 2, 14))
    assert not RULES.is_expiry("NIFTY", date(2019, 2, 7))
    assert RULES.is_expiry("BANKNIFTY", date(2019, 2, 7))


def test_the_weekday_of_an_expiry_goes_by_the_expiry_and_not_by_the_day_of_listing() -> None:
    # The bhavcopy of that day shows these.
    assert RULES.expiries("NIFTY", date(2025, 8, 14))[:5] == days(
        "2025-08-14", "2025-08-21", "2025-08-28", "2025-09-02", "2025-09-09"
    )
    assert RULES.future_expiries("BANKNIFTY", date(2025, 8, 14)) == days("2025-08-28", "2025-09-30", "2025-10-28")


def test_banknifty_moved_to_wednesdays_and_lost_its_weeklies() -> None:
    assert RULES.expiries("BANKNIFTY", date(2023, 9, 20))[:3] == days("2023-09-20", "2023-09-28", "2023-10-04")
    assert RULES.expiries("BANKNIFTY", date(2024, 11, 5)) == days(
        "2024-11-06", "2024-11-13", "2024-11-27", "2024-12-24", "2025-01-30"
    )


def test_what_would_expire_on_a_day_of_muhurat_expires_the_day_before() -> None:
    for muhurat, expiry in (("2018-11-07", "2018-11-06"), ("2021-11-04", "2021-11-03"), ("2025-10-21", "2025-10-20")):
        assert RULES.session(date.fromisoformat(muhurat)) is not None
        assert RULES.is_expiry("BANKNIFTY" if muhurat < "2019" else "NIFTY", date.fromisoformat(expiry))
        assert not RULES.is_expiry("NIFTY", date.fromisoformat(muhurat))


def test_an_expiry_far_ahead_on_a_certain_holiday_may_be_the_day_before() -> None:
    assert RULES.is_expiry("NIFTY", date(2029, 12, 24))
    assert RULES.is_expiry("NIFTY", date(2030, 6, 25))
    assert not RULES.is_expiry("NIFTY", date(2030, 6, 26))


def test_the_lots_of_the_months_and_the_weeks_changed_apart() -> None:
    expected = {"2021-07-22": 75, "2021-07-29": 50, "2024-04-25": 50, "2024-05-02": 25, "2024-12-26": 25,
                "2025-01-02": 75, "2025-01-23": 75, "2025-01-30": 25, "2025-02-06": 75, "2025-12-30": 75}  # fmt: skip
    assert {text: RULES.lot("NIFTY", date.fromisoformat(text)) for text in expected} == expected
    assert [RULES.lot("BANKNIFTY", day) for day in days("2018-10-25", "2018-11-01", "2022-10-27", "2025-10-28")] == [
        40, 20, 25, 35,
    ]  # fmt: skip


def test_a_lot_that_changed_in_mid_life_goes_by_the_day_of_trading_too() -> None:
    june, november, march = date(2019, 6, 27), date(2018, 11, 29), date(2026, 3, 31)
    assert [RULES.lot("BIOCON", june, day) for day in days("2019-06-11", "2019-06-12")] == [900, 1800]
    assert [RULES.lot("BANKNIFTY", november, day) for day in days("2018-10-25", "2018-10-26")] == [40, 20]
    assert [RULES.lot("NIFTY", march, day) for day in days("2025-12-30", "2025-12-31")] == [75, 65]
    assert RULES.lot("NIFTY", date(2026, 1, 27), date(2025, 11, 6)) == 65
    assert [RULES.lot("BIOCON", june), RULES.lot("BANKNIFTY", november), RULES.lot("NIFTY", march)] == [1800, 20, 65]


def test_the_lot_of_banknifty_changed_with_the_month_and_not_with_its_first_weeks() -> None:
    expected = {"2020-07-23": 20, "2020-07-30": 25, "2023-07-20": 25, "2023-07-27": 15, "2025-01-30": 15}
    assert {text: RULES.lot("BANKNIFTY", date.fromisoformat(text)) for text in expected} == expected


def test_an_index_futures_tick_was_five_paise_before_april_2025() -> None:
    assert RULES.tick("BANKNIFTY", Kind.FUTURE, 500_000_000, date(2025, 4, 14)) == 500
    assert RULES.tick("BANKNIFTY", Kind.FUTURE, 500_000_000, date(2025, 4, 15)) == 2_000


def test_a_stock_below_250_rupees_has_ticks_of_a_paisa() -> None:
    day = date(2026, 2, 3)
    assert (RULES.tick("PNB", Kind.CALL, 2_499_900, day), RULES.tick("PNB", Kind.CALL, 2_500_000, day)) == (100, 500)


@given(st.dates(FIRST, date(2026, 12, 31)), st.sampled_from(["NIFTY", "BANKNIFTY"]))
def test_every_day_since_2018_has_its_rules(day: date, symbol: str) -> None:
    RULES.session(day)
    listed = RULES.expiries(symbol, day)
    assert len(RULES.future_expiries(symbol, day)) == 3
    for expiry in listed:
        assert RULES.is_expiry(symbol, expiry)
        assert RULES.freeze(symbol, day) >= RULES.lot(symbol, expiry)
    assert RULES.strike_step(symbol, day) % RULES.tick(symbol, Kind.PUT, 0, day) == 0
    assert RULES.charge_rates(day).futures.stt_sell < RULES.charge_rates(day).options.stt_sell
    assert RULES.margin_rates("NIFTY", day).exposure in (0.02, 0.03)
    assert RULES.settlement_method(day)


# --- against the recorded markets ---


@needs_data
def test_sessions_are_the_days_of_the_official_volatility_file_and_no_other_weekdays() -> None:
    path = DATA / "nse_daily_official" / "fovolt_volatility.csv.gz"
    seen = sorted({day for row in rows(path) if (day := date.fromisoformat(row["date"])) >= FIRST})
    assert [day for day in seen if RULES.session(day) is None] == []
    gaps = [(a, b) for a, b in pairwise(seen) if (b - a).days <= DAYS_APART]
    missing = {day for a, b in gaps for day in weekdays(a, b)} - set(seen)
    assert len(missing) > 20
    assert [day for day in sorted(missing) if RULES.session(day) is not None] == []


@needs_data
def test_sessions_are_the_days_of_the_official_volatility_index_but_for_the_test_of_a_second_site() -> None:
    path = DATA / "nse_daily_official" / "india_vix_daily.csv.gz"
    seen = {day for row in rows(path) if (day := day_named(row["Date"])) >= FIRST}
    span = [FIRST + timedelta(days=i) for i in range((max(seen) - FIRST).days + 1)]
    assert {day for day in span if RULES.session(day) is not None} ^ seen == {date(2024, 3, 2)}


@needs_data
@pytest.mark.parametrize(("path", "symbol"), EXPIRIES)
def test_every_recorded_expiry_is_one(path: str, symbol: str) -> None:
    pairs = listed(DATA / path, symbol)
    assert pairs
    assert [pair for pair in sorted(pairs) if not RULES.is_expiry(*pair)] == []


@needs_data
def test_the_expiries_and_lots_of_nifty_are_those_proved_from_bhavcopies() -> None:
    import pyarrow.parquet  # slow to import

    path = DATA / "calendars_rules" / "nse_actual_expiry_calendar.parquet"
    table = pyarrow.parquet.read_table(path, columns=["actual_expiry_date", "contract_lot_size"])
    lots = {date.fromisoformat(r["actual_expiry_date"]): r["contract_lot_size"] for r in table.to_pylist()}
    assert {day: RULES.lot("NIFTY", day) for day in lots} == lots
    past = {day for day in lots if day < date(2026, 7, 1)}
    mine = {day for day in weekdays(min(past), max(past)) if RULES.is_expiry("NIFTY", day)}
    assert mine > past
    # Months that a holiday brought forward were listed for the plain weekday before that was known.
    assert mine - past == set(days("2023-01-26", "2023-03-30", "2023-06-29", "2026-03-31"))


@needs_data
def test_the_lots_and_expiries_of_the_futures_are_the_rulebooks() -> None:
    """Turnover over price and contracts is the lot, within the day's range, where much was traded."""
    path = DATA / "nse_daily_official" / "index_futures_bhav.csv.gz"
    for row in rows(path):
        if row["date"] < "2018" or row["symbol"] not in ("NIFTY", "BANKNIFTY"):
            continue
        expiry = day_named(row["expiry"])
        assert expiry in RULES.future_expiries(row["symbol"], date.fromisoformat(row["date"]))
        lot = RULES.lot(row["symbol"], expiry, date.fromisoformat(row["date"]))
        if float(row["contracts"]) > 100:
            assert abs(float(row["implied_lot"]) / lot - 1) < 0.03


@needs_data
def test_the_lots_of_the_constituents_divide_most_sizes_on_every_day() -> None:
    import pyarrow.parquet  # slow to import

    sizes = ["call_bid_qty", "call_ask_qty", "put_bid_qty", "put_ask_qty"]
    path = DATA / "nse_stock_chain_2019_06" / "constituents.parquet"
    table = pyarrow.parquet.read_table(path, columns=["ts_ist", "symbol", "expiry", *sizes])
    table = table.set_column(0, "day", pyarrow.compute.strftime(table["ts_ist"], "%Y-%m-%d"))
    seen = pyarrow.concat_tables(
        [table.select(["day", "symbol", "expiry", name]).rename_columns(["day", "symbol", "expiry", "size"])
         for name in sizes]
    ).group_by(["day", "symbol", "expiry", "size"]).aggregate([])  # fmt: skip
    found: dict[tuple[str, date, date], int] = {}
    for row in seen.to_pylist():
        name = (row["symbol"], date.fromisoformat(str(row["expiry"])[:10]), date.fromisoformat(row["day"]))
        found[name] = gcd(found.get(name, 0), int(row["size"] or 0))
    assert {name: RULES.lot(*name) for name in found} == found
