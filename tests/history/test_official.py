"""The official series: found by their columns, read to the unit, never looked at beyond the day or across a hole."""

import datetime
import gzip
from pathlib import Path

import pytest

from participant.core.volatility import rank, realised
from participant.history.derived import look_back
from participant.history.official import Official
from participant.history.official_files import read_official
from participant.history.pages import BadData
from tests.history.recorded import DATA, needs_data

CLOSES = "date,symbol,spot_close,spot_prev,fut_close,fut_prev,sigma_underlying,sigma_futures,ann_applicable\n"
FUTURES = "date,symbol,expiry,close,contracts,value,open_interest,stated_lot,implied_lot\n"
VIX = "Date,Open,High,Low,Close,Prev. Close,Change,% Change\n"
DAY = datetime.date(2019, 4, 12)


def close_row(day: str, close: str, symbol: str = "NIFTY") -> str:
    return f"{day},{symbol},{close},1,1,1,0.01,0.01,0.2\n"


def future_row(day: str, expiry: str, close: str) -> str:
    return f"{day},NIFTY,{expiry},{close},1,1.5,75,,74.9\n"


def vix_row(day: str, close: str) -> str:
    return f"{day},1,1,1,{close},1,0,0\n"


def written(folder: Path, text: str, name: str = "any.csv") -> Path:
    path = folder / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


def day(month: int, of_month: int, year: int = 2019) -> datetime.date:
    return datetime.date(year, month, of_month)


@pytest.fixture(scope="module")
def published() -> Official:
    return read_official([DATA / "nse_daily_official"])


BARS = "date,symbol,spot_open,spot_high,spot_low,spot_close\n"


def test_daily_bars_of_an_index_are_its_closes_and_its_ranges_back_to_the_first_hole(tmp_path: Path) -> None:
    rows = [
        "2019-04-09,NIFTY,99,103,98,102\n",
        "2019-04-10,NIFTY,101,104,100,103\n",
        "2019-04-11,NIFTY,102,105,101,104\n",
    ]
    written(tmp_path, BARS + rows[0] + rows[2])
    written(tmp_path, CLOSES + close_row("2019-04-10", "103"), "closes.csv")
    official = read_official([tmp_path])
    assert official.closes_before("NIFTY", DAY, 9) == (1_020_000, 1_030_000, 1_040_000)
    assert official.ranges_before("NIFTY", DAY, 9) == ((1_020_000, 1_050_000, 1_010_000),)
    written(tmp_path, BARS + rows[1], "more.csv")
    whole = look_back(read_official([tmp_path]), "NIFTY", DAY, sessions=2)
    assert (whole.opens, whole.highs, whole.lows) == (
        (1_010_000, 1_020_000),
        (1_040_000, 1_050_000),
        (1_000_000, 1_010_000),
    )
    assert look_back(official, "BANKNIFTY", DAY).highs == ()


def test_a_bar_whose_close_lies_outside_its_range_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, BARS + "2019-04-09,NIFTY,99,103,98,104\n")
    with pytest.raises(BadData, match="line 2: open, high, low and close of 99, 103, 98, 104 cannot be"):
        read_official([file])


# --- files ------------------------------------------------------------------------------------------------------------


def test_nothing_found_is_an_empty_value(tmp_path: Path) -> None:
    written(tmp_path, "a,b\n1,2\n")
    written(tmp_path, "no table at all", "notes.txt")
    official = read_official([tmp_path, tmp_path / "not there"])
    assert official == Official()
    assert official.close("NIFTY", DAY) is None
    assert official.closes_before("NIFTY", DAY, 20) == ()
    assert official.futures("NIFTY", DAY) == {}
    assert official.listed("NIFTY", DAY) == ()
    assert official.basis_before("NIFTY", DAY, DAY) is None
    assert official.volatility_before(DAY, 250) == ()
    assert official.days("NIFTY") == ()


@pytest.mark.parametrize("name", ["x.csv", "deep/y.csv.gz"])
def test_a_series_is_told_by_its_columns_whatever_the_file_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / "deep").mkdir()
    written(tmp_path, CLOSES + close_row("2019-04-11", "11596.7") + "\n", name)
    assert read_official([tmp_path]).close("NIFTY", day(4, 11)) == 115_967_000


def test_columns_may_stand_in_any_order_behind_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufeffClose ,Date ,Open,High,Low,Prev. Close,Change,% Change\n20.9575,11-APR-2019,1,1,1,1,1,1\n"
    assert read_official([written(tmp_path, text)]).volatility_before(DAY, 9) == ((day(4, 11), 0.209575),)


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = written(tmp_path, CLOSES + close_row("2019-04-11", "1"))
    assert read_official([path, tmp_path]).days("NIFTY") == (day(4, 11),)


def test_parquet_gives_what_csv_gives(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    row = {"date": day(4, 11), "symbol": "NIFTY", "expiry": "25-Apr-2019", "close": 11668.9}
    table = pa.Table.from_pylist([row | {"open_interest": 75, "stated_lot": None}])
    pq.write_table(table, tmp_path / "some.parquet")
    pq.write_table(table.drop_columns("close"), tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 cut off")
    assert read_official([tmp_path]).futures("NIFTY", day(4, 11)) == {day(4, 25): 116_689_000}


def test_a_page_saved_under_the_name_of_a_table_is_none_of_the_series(tmp_path: Path) -> None:
    written(tmp_path, "<html><body>Access denied</body></html>")
    written(tmp_path, "not packed", "fake.csv.gz").write_bytes(b"not packed")
    written(tmp_path, "").write_bytes(b"\xff\xfe\x00")
    assert read_official([tmp_path]) == Official()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2019-04-11,NIFTY,11596.7\n", "line 3: 3 columns of 9"),
        (close_row("2019-04-11", "n/a"), "line 3: 'n/a' is not a price"),
        (close_row("2019-04-11", "0"), "line 3: a price of 0"),
        (close_row("2019-04-31", "1"), "line 3: day is out of range"),
        (close_row("11-Foo-2019", "1"), "line 3: '11-Foo-2019' is not a date"),
        (close_row("2019-04-10", "2"), "line 3: 2019-04-10 is there already, with another value"),
    ],
)
def test_a_broken_row_is_named_by_file_and_line(tmp_path: Path, row: str, reason: str) -> None:
    path = written(tmp_path, CLOSES + close_row("2019-04-10", "1") + row)
    with pytest.raises(BadData) as refused:
        read_official([path])
    assert str(path) in str(refused.value)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_future_that_expires_before_its_day_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, FUTURES + future_row("2019-04-26", "25-Apr-2019", "1"))
    with pytest.raises(BadData, match="its expiry 2019-04-25 lies before 2019-04-26"):
        read_official([path])


def test_a_series_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    first = day(1, 1, 1980)
    rows = (close_row(str(first + datetime.timedelta(days=i)), f"{100 + i * 7919 % 9973}.05") for i in range(9_000))
    path = written(tmp_path, CLOSES + "".join(rows), "closes.csv.gz")
    path.write_bytes(path.read_bytes()[:-2_000])
    with pytest.raises(BadData, match=r"cut off or damaged after line [0-9]+ .*: fetch it again"):
        read_official([path])


# --- what is asked ----------------------------------------------------------------------------------------------------


def test_closes_before_a_day_end_at_a_hole_and_never_hold_the_day_itself(tmp_path: Path) -> None:
    known = ["2019-03-20", "2019-04-01", "2019-04-08", "2019-04-10", "2019-04-11", "2019-04-12"]
    rows = "".join(close_row(d, str(i + 1)) for i, d in enumerate(known))
    official = read_official([written(tmp_path, CLOSES + rows)])
    assert official.closes_before("NIFTY", DAY, 2) == (40_000, 50_000)
    assert official.closes_before("NIFTY", DAY, 9) == (20_000, 30_000, 40_000, 50_000)
    assert official.closes_before("NIFTY", day(4, 20), 9) == ()
    assert official.closes_before("NIFTY", day(4, 19), 1) == (60_000,)
    assert official.closes_before("BANKNIFTY", DAY, 9) == ()


def test_both_ways_of_writing_an_expiry_are_read(tmp_path: Path) -> None:
    rows = future_row("2019-04-11", "30-May-2019", "11731.3") + future_row("2019-04-11", "2019-04-25", "11668.9")
    official = read_official([written(tmp_path, FUTURES + rows)])
    assert official.futures("NIFTY", day(4, 11)) == {day(4, 25): 116_689_000, day(5, 30): 117_313_000}
    assert official.listed("NIFTY", DAY) == (day(4, 25), day(5, 30))
    assert official.listed("NIFTY", day(4, 11)) == ()
    assert official.listed("NIFTY", day(4, 19)) == ()


def test_what_expired_on_the_last_day_is_listed_no_more(tmp_path: Path) -> None:
    rows = future_row("2019-04-25", "25-Apr-2019", "1") + future_row("2019-04-25", "30-May-2019", "1")
    official = read_official([written(tmp_path, FUTURES + rows)])
    assert official.listed("NIFTY", day(4, 26)) == (day(5, 30),)


def test_a_basis_is_that_of_the_last_day_before(tmp_path: Path) -> None:
    written(tmp_path, CLOSES + close_row("2019-04-11", "100") + close_row("2019-04-12", "101"), "a.csv")
    rows = future_row("2019-04-11", "25-Apr-2019", "99.5") + future_row("2019-04-12", "25-Apr-2019", "103")
    written(tmp_path, FUTURES + rows, "b.csv")
    official = read_official([tmp_path])
    basis = official.basis_before("NIFTY", day(4, 25), DAY)
    assert basis is not None
    assert (basis.day, basis.future, basis.spot, basis.points) == (day(4, 11), 995_000, 1_000_000, -5_000)
    assert official.basis_before("NIFTY", day(5, 30), DAY) is None


def test_published_volatility_is_a_fraction_and_not_older_than_a_week(tmp_path: Path) -> None:
    rows = vix_row("10-APR-2019", "21.13") + vix_row("11-Apr-2019", "20.9575")
    official = read_official([written(tmp_path, VIX + rows)])
    assert official.volatility_before(DAY, 5) == ((day(4, 10), 0.2113), (day(4, 11), 0.209575))
    assert official.volatility_before(day(4, 11), 5) == ((day(4, 10), 0.2113),)
    assert official.volatility_before(day(4, 19), 5) == ()


# --- the exchange's own files -----------------------------------------------------------------------------------------


@needs_data
def test_the_published_series_are_read_whole(published: Official) -> None:
    assert {symbol: len(published.days(symbol)) for symbol in sorted(published.closes)} == {
        "BANKNIFTY": 1746,
        "FINNIFTY": 48,
        "MIDCPNIFTY": 48,
        "NIFTY": 1746,
        "NIFTYNXT50": 25,
    }
    assert sum(len(board) for boards in published.boards.values() for board in boards.values()) == 10_994
    assert len(published.volatilities) == 3_433
    assert published.close("NIFTY", DAY) == 116_434_500
    board = {day(4, 25): 117_038_500, day(5, 30): 117_655_000, day(6, 27): 117_835_500}
    assert published.futures("NIFTY", DAY) == board
    assert published.listed("NIFTY", DAY) == tuple(board)


@needs_data
@pytest.mark.parametrize(
    ("on", "expected"), [(DAY, 0.958), (day(1, 21), 0.499), (day(1, 22), 0.661)], ids=["12 Apr", "21 Jan", "22 Jan"]
)
def test_the_rank_of_india_vix_is_what_the_published_closes_give(
    published: Official, on: datetime.date, expected: float
) -> None:
    history = [value for _, value in published.volatility_before(on, 250)]
    assert len(history) == 250
    assert rank(history, history[-1]) == pytest.approx(expected, abs=0.0005)


@needs_data
def test_a_look_back_ends_at_each_hole_of_the_series(published: Official) -> None:
    closes = {on: len(published.closes_before("NIFTY", on, 250)) for on in (DAY, day(6, 13), day(11, 3, 2022))}
    assert closes == {DAY: 250, day(6, 13): 7, day(11, 3, 2022): 21}
    assert published.closes_before("NIFTY", day(6, 3), 250) == ()
    assert published.listed("NIFTY", day(6, 3)) == ()
    assert realised(published.closes_before("NIFTY", DAY, 250)) == pytest.approx(0.0964, abs=0.0001)
    assert len(published.closes_before("NIFTY", day(10, 28, 2025), 250)) == 17
