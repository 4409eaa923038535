"""NSE's F&O bhavcopies: what is told in them, what is made of it, and which of them are refused."""

import csv
import datetime
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from participant.config import load_rules
from participant.core.scrip import Kind
from participant.core.session import at_time
from participant.history import bhavcopy, catalogue
from participant.history.official import Official
from participant.history.official_files import read_official
from participant.history.pages import BadData, Page, Tally
from participant.history.readers import Source, find, read
from participant.history.shown import ADJUSTED
from participant.history.survey import Surveyor, lots_of
from tests.history.bhavcopies import Row, chain, old, old_name, udiff, udiff_name, zipped
from tests.history.recorded import DATA, needs_data

RULES = load_rules()
DAY, WEEKLY, MONTHLY = (datetime.date(2025, 10, day) for day in (14, 21, 28))
SPOT = 25_100.0
STRIKES = range(24_500, 25_700, 100)
ROWS = chain(DAY, "NIFTY", SPOT, (WEEKLY, MONTHLY), STRIKES)
OLD_DAY, OLD_EXPIRY = datetime.date(2019, 8, 1), datetime.date(2019, 8, 29)
FILES = DATA / "nse_bhavcopy"


def pages_of(*paths: Path) -> list[Page]:
    (source,), _ = find(list(paths))
    return list(read(source, None, lots_of(RULES), Tally()))


def test_a_udiff_file_is_a_page_an_expiry_at_the_end_of_the_session(tmp_path: Path) -> None:
    weekly, monthly = pages_of(zipped(tmp_path, udiff_name(DAY), udiff(DAY, ROWS)))
    assert (weekly.expiry, monthly.expiry) == (WEEKLY, MONTHLY)
    assert {page.at for page in (weekly, monthly)} == {at_time(DAY, 15, 29)}
    assert {page.spot for page in (weekly, monthly)} == {251_000_000}
    assert all(page.is_modelled for page in (weekly, monthly))
    call = next(cell for cell in weekly.cells if cell.strike == 251_000_000 and cell.kind is Kind.CALL)
    close = next(row.close for row in ROWS if row[1:4] == (WEEKLY, 25_100, "CE"))
    assert call.bid < call.last == round(close * 10_000) < call.ask
    assert (call.volume, call.open_interest, call.bid_size) == (40 * 75, 7_500, 2 * 75), "lots traded, units open"


def test_the_old_format_says_the_same_but_for_its_spot(tmp_path: Path) -> None:
    rows = chain(OLD_DAY, "NIFTY", 10_980.0, (OLD_EXPIRY,), range(10_500, 11_500, 100))
    zipped(tmp_path, old_name(OLD_DAY), old(OLD_DAY, rows))
    (page,) = pages_of(tmp_path)
    assert (page.spot, page.expiry, len(page.cells)) == (0, OLD_EXPIRY, 20)
    (tmp_path / "ind_close_all_01082019.csv").write_text(
        "Index Name,Index Date,Open Index Value,High Index Value,Low Index Value,Closing Index Value,Points Change\n"
        "Nifty 50,01-08-2019,11060.2,11076.75,10881,10980,-138\nNifty Auto,01-08-2019,-,-,-,7000,-1\n"
        "India VIX,01-08-2019,13.5,14.5,13.4,13.9725,.4\n"
    )
    (page,) = pages_of(tmp_path)
    assert page.spot == 109_800_000
    official = read_official([tmp_path])
    assert official.volatilities[OLD_DAY] == 0.139725
    assert official.ranges["NIFTY"][OLD_DAY] == (110_602_000, 110_767_500, 108_810_000)


def test_what_did_not_trade_has_no_price_of_the_day(tmp_path: Path) -> None:
    rows = [row._replace(lots=0) if row.kind == "CE" else row for row in ROWS]
    weekly, _ = pages_of(zipped(tmp_path, udiff_name(DAY), udiff(DAY, rows)))
    assert {(cell.bid, cell.ask, cell.last) for cell in weekly.cells if cell.kind is Kind.CALL} == {(0, 0, 0)}
    assert all(cell.ask for cell in weekly.cells if cell.kind is Kind.PUT)


def test_a_lot_that_the_file_tells_goes_before_the_rules(tmp_path: Path) -> None:
    rows = [row._replace(symbol="ABCAPITAL", lot=3_100) for row in ROWS]
    weekly, _ = pages_of(zipped(tmp_path, udiff_name(DAY), udiff(DAY, rows, is_stock=True)))
    assert weekly.cells[0].volume == 40 * 3_100, "our rules know no lot of it"


def test_settlements_and_closes_are_official_prices(tmp_path: Path) -> None:
    last = chain(MONTHLY, "NIFTY", SPOT, (MONTHLY,), STRIKES)
    zipped(tmp_path, udiff_name(MONTHLY), udiff(MONTHLY, last))
    official = read_official([tmp_path])
    assert official.close("NIFTY", MONTHLY) == official.futures("NIFTY", MONTHLY)[MONTHLY] == 251_000_000


def test_a_futures_last_settlement_is_its_underlyings_close_where_the_file_says_no_spot(tmp_path: Path) -> None:
    rows = chain(OLD_EXPIRY, "NIFTY", 10_980.0, (OLD_EXPIRY,), STRIKES)
    zipped(tmp_path, old_name(OLD_EXPIRY), old(OLD_EXPIRY, rows))
    assert read_official([tmp_path]).close("NIFTY", OLD_EXPIRY) == 109_800_000


def test_a_series_of_futures_closes_goes_before_a_settlement_and_closes_must_agree(tmp_path: Path) -> None:
    zipped(tmp_path, udiff_name(DAY), udiff(DAY, ROWS))
    futures = tmp_path / "futures.csv"
    futures.write_text(f"date,symbol,expiry,close,open_interest,stated_lot\n{DAY},NIFTY,{MONTHLY},25123.45,1,75\n")
    assert read_official([tmp_path]).futures("NIFTY", DAY)[MONTHLY] == 251_234_500
    (tmp_path / "closes.csv").write_text(
        f"date,symbol,spot_close,spot_prev,sigma_underlying\n{DAY},NIFTY,25100.05,1,1\n"
    )
    with pytest.raises(BadData, match=rf"{DAY} is there already, with another value"):
        read_official([tmp_path])


def test_stocks_close_as_the_cash_markets_bhavcopy_says(tmp_path: Path) -> None:
    (tmp_path / "cm01AUG2019bhav.csv").write_text(
        "SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TOTTRDVAL,TIMESTAMP,TOTALTRADES,ISIN,\n"
        "RELIANCE,EQ,1160,1169.8,1152,1162.5,1160,1166,1,1,01-AUG-2019,1,INE002A01018,\n"
        "RELIANCE,N1,9,9,9,9,9,9,1,1,01-AUG-2019,1,INE002A01018,\n"
    )
    assert read_official([tmp_path]).close("RELIANCE", OLD_DAY) == 11_625_000


# --- what is refused --------------------------------------------------------------------------------------------------

UDIFF_ROW = udiff(DAY, ROWS[1:2]).splitlines()[1]


def without(column: str) -> Callable[[str], str]:
    def cut(text: str) -> str:
        rows = list(csv.reader(text.splitlines()))
        place = rows[0].index(column)
        return "\n".join(",".join(row[:place] + row[place + 1 :]) for row in rows) + "\n"

    return cut


def with_value(column: str, value: str) -> Callable[[str], str]:
    """Another value in the third line."""

    def change(text: str) -> str:
        rows = list(csv.reader(text.splitlines()))
        rows[2][rows[0].index(column)] = value
        return "\n".join(map(",".join, rows)) + "\n"

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (without("UndrlygPric"), "has no column UndrlygPric, which a bhavcopy has: fetch it again"),
        (with_value("ClsPric", "-4.05"), "line 3: column 'ClsPric' holds '-4.05', which is no price: fetch it again"),
        (with_value("ClsPric", "1e12"), "line 3: column 'ClsPric' holds '1e12', which is no price: fetch it again"),
        (with_value("ClsPric", "abc"), "line 3: column 'ClsPric' holds 'abc', which is no number: fetch it again"),
        (with_value("StrkPric", "0"), "line 3: column 'StrkPric' holds '0', which is no price: fetch it again"),
        (with_value("XpryDt", "soon"), "line 3: column 'XpryDt' holds 'soon', which is no day: fetch it again"),
        (with_value("TckrSymb", ""), "line 3: column 'TckrSymb' holds 'None', which names nothing: fetch it again"),
        (with_value("TradDt", "2025-10-13"), f"is named for {DAY}, but has rows of 2025-10-13: fetch it again"),
        (lambda text: text.splitlines()[0] + "\n", "no future or option of the F&O segment is in there"),
        (lambda text: text.replace(",FO,", ",CM,"), "no future or option of the F&O segment is in there"),
    ],
)  # fmt: skip
def test_a_file_with_one_thing_wrong_is_refused_whole(change: Callable[[str], str], said: str, tmp_path: Path) -> None:
    file = zipped(tmp_path, udiff_name(DAY), change(udiff(DAY, ROWS)))
    with pytest.raises(BadData) as fault:
        find([file])
    assert str(file) in str(fault.value)
    assert said in str(fault.value)
    assert "\n" not in str(fault.value)


def test_in_a_folder_it_is_left_aside_and_the_rest_is_read(tmp_path: Path) -> None:
    zipped(tmp_path, udiff_name(DAY), udiff(DAY, ROWS))
    torn = zipped(tmp_path, udiff_name(WEEKLY), udiff(WEEKLY, ROWS))
    torn.write_bytes(torn.read_bytes()[:-60])
    (source,), (aside,) = find([tmp_path])
    assert source == Source(tmp_path, "nse_bhavcopy")
    assert f"{torn.name}: cut off or damaged" in aside
    assert not read_official([tmp_path]).futures("NIFTY", WEEKLY), "nothing of it is taken"


def test_a_zip_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="has no column"):
        find([zipped(tmp_path, "notes.csv", "a,b\n1,2\n")])


def test_a_day_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(udiff(DAY, ROWS))
    with pytest.raises(BadData, match=r"b\.csv: NIFTY on 2025-10-14 is in a\.csv too: remove one of them"):
        pages_of(tmp_path)


def test_rows_that_repeat_or_contradict_each_other_are_left_out_and_counted(tmp_path: Path) -> None:
    head, first, *rest = udiff(DAY, ROWS[1:]).splitlines()
    other = with_value("ClsPric", "1.05")("\n".join([head, first, rest[0]])).splitlines()[2]
    (tmp_path / "a.csv").write_text("\n".join([head, first, first, *rest, other]) + "\n")
    (source,), _ = find([tmp_path])
    tally = Tally()
    list(read(source, None, lots_of(RULES), tally))
    assert tally.left_out == {"duplicate row": 1, "conflicting rows": 2}


@pytest.mark.parametrize(
    ("name", "day"),
    [
        ("fo04OCT2017bhav.csv.zip", datetime.date(2017, 10, 4)), (udiff_name(DAY), DAY),
        ("2019-08-01.csv", OLD_DAY), ("bhavcopy.csv", None), ("x99999999.csv", None), ("fo31FEB2019bhav.csv", None),
    ],
)  # fmt: skip
def test_the_day_of_a_files_name(name: str, day: datetime.date | None) -> None:
    assert bhavcopy.day_named(name) == day


# --- corporate actions ------------------------------------------------------------------------------------------------

BEFORE, AFTER, LATER = (datetime.date(2025, 10, day) for day in (13, 14, 15))
EXPIRIES = (MONTHLY, datetime.date(2025, 11, 25))


def of_stock(day: datetime.date, spot: float, strikes: range) -> list[Row]:
    return [row._replace(lot=500) for row in chain(day, "RELIANCE", spot, EXPIRIES, strikes)]


def surveyed(folder: Path, *days: tuple[datetime.date, list[Row]]) -> dict[datetime.date, dict[str, int]]:
    """Rows kept apart by reason, day by day."""
    for day, rows in days:
        zipped(folder, udiff_name(day), udiff(day, rows, is_stock=True))
    (source,), _ = find([folder])
    survey = Surveyor(Official(), RULES).survey(source, None)
    return {of.day: of.bad_rows for of in survey.days}


def test_a_bonus_issue_is_told_by_its_strikes_and_keeps_its_contracts_apart_until_they_end(tmp_path: Path) -> None:
    before, after = range(1_300, 1_500, 20), range(650, 750, 10)
    apart = surveyed(
        tmp_path,
        (BEFORE, of_stock(BEFORE, 1_390.0, before)),
        (AFTER, of_stock(AFTER, 695.0, after)),
        (LATER, of_stock(LATER, 696.0, after)),
    )
    assert apart == {BEFORE: {}, AFTER: {ADJUSTED: 40}, LATER: {ADJUSTED: 40}}


def test_strikes_off_the_exchanges_grid_are_told_on_the_first_day(tmp_path: Path) -> None:
    rows = [row._replace(strike=row.strike / 1.1) if row.strike else row for row in
            of_stock(AFTER, 1_390.0, range(1_300, 1_500, 20))]  # fmt: skip
    assert surveyed(tmp_path, (AFTER, rows)) == {AFTER: {ADJUSTED: 40}}


def test_new_strikes_beside_the_old_ones_are_no_corporate_action(tmp_path: Path) -> None:
    apart = surveyed(
        tmp_path,
        (BEFORE, of_stock(BEFORE, 1_390.0, range(1_300, 1_500, 20))),
        (AFTER, of_stock(AFTER, 1_440.0, range(1_300, 1_700, 20))),
    )
    assert apart == {BEFORE: {}, AFTER: {}}


# --- a catalogue ------------------------------------------------------------------------------------------------------


def test_a_catalogue_keeps_what_bhavcopies_said_a_file_a_day(tmp_path: Path) -> None:
    zipped(tmp_path, udiff_name(DAY), udiff(DAY, ROWS))
    folder = tmp_path / "catalogue"
    catalogue.keep_prices(folder, bhavcopy.prices(tmp_path, None))
    kept = folder / "official" / f"bhavcopy-{DAY}.csv"
    before = kept.read_bytes()
    catalogue.keep_prices(folder, bhavcopy.prices(tmp_path, None))
    assert kept.read_bytes() == before
    assert read_official([folder]) == read_official([tmp_path])
    with pytest.raises(BadData, match=r"NIFTY  is 25100.00 there, and 25100.05 now: remove one of both"):
        catalogue.keep_prices(folder, [bhavcopy.Price(DAY, "NIFTY", None, 251_000_500)])


# --- the exchange's own files -----------------------------------------------------------------------------------------


@needs_data
def test_a_whole_old_file_is_read_and_outside_the_rulebook() -> None:
    (source,), _ = find([FILES / "fo04OCT2017bhav.csv.gz"])
    survey = Surveyor(Official(), RULES).survey(source, None)
    assert (survey.rows, survey.left_out) == (42_244, {})
    (nifty,) = (of for of in survey.days if of.symbol == "NIFTY")
    assert nifty.bad_rows == {"outside the rulebook": 2_156}
    adjusted = {of.symbol for of in survey.days if ADJUSTED in of.bad_rows}
    assert adjusted == {"BEL", "BHEL"}, "both had just issued bonus shares"


@needs_data
def test_contracts_are_lots_and_open_interest_is_units() -> None:
    with gzip.open(FILES / "fo04OCT2017bhav.csv.gz", "rt") as opened:
        rows = [row for row in csv.DictReader(opened) if row["SYMBOL"] == "NIFTY" and int(row["CONTRACTS"]) > 1_000]
    assert len(rows) > 20
    for row in rows:
        each = float(row["VAL_INLAKH"]) * 1e5 / int(row["CONTRACTS"])
        units = each / (float(row["STRIKE_PR"]) + float(row["CLOSE"]))
        assert units == pytest.approx(75, rel=0.02), "value over contracts is a lot"
        assert int(row["OPEN_INT"]) % 25 == 0, "units: the lot was 75, and 25 before"


@needs_data
def test_the_exchanges_udiff_rows_are_read() -> None:
    contents = bhavcopy.contents(FILES / "udiff_header_and_rows_2026-10-01.csv")
    day = datetime.date(2026, 10, 1)
    assert contents.rows == {(day, "ABCAPITAL"): 1, (day, "NIFTY"): 2}
    assert contents.lots[day, "ABCAPITAL", datetime.date(2026, 10, 27)] == 3_100
    assert bhavcopy.Price(day, "NIFTY", None, 224_219_500) in contents.prices


@needs_data
def test_a_whole_days_chain_of_2025_keeps_nearly_all_of_its_modelled_quotes(tmp_path: Path) -> None:
    day, rows = datetime.date(2025, 8, 14), []
    with gzip.open(FILES / "converted_udiff_NIFTY_20250814.csv.gz", "rt") as opened:
        for row in csv.DictReader(opened):
            expiry = datetime.datetime.strptime(row["EXPIRY_DT"], "%d-%m-%Y").replace(tzinfo=datetime.UTC).date()
            figures = (float(row["CLOSE_PRICE"]), float(row["SETTLE_PR"]), int(row["VOLUME"]), int(row["OPEN_INT"]))
            spot = float(row["UNDERLYING_PRICE"])
            rows.append(Row("NIFTY", expiry, float(row["STRIKE_PR"]), row["OPTION_TYP"], *figures, spot))
    zipped(tmp_path, udiff_name(day), udiff(day, rows))
    (source,), _ = find([tmp_path])
    (of,) = Surveyor(read_official([tmp_path]), RULES).survey(source, None).days
    assert (of.pages, of.bad_rows) == (11, {"no quotes": 187}), "five far expiries did not trade"
    assert sum(of.bad_quotes.values()) < 0.03 * of.quotes
