"""Recorded files to pages: the recorded sets by their rows, hand-made tables by values, bad ones by what is said."""

import csv
import datetime
import gzip
import io
import random
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from participant.core.market import SECOND
from participant.core.scrip import Kind
from participant.core.session import at_time, day_of
from participant.history import nse_json
from participant.history.pages import BadData, Cell, Doubted, Page, Tally
from participant.history.readers import ROWS_AT_ONCE, Source, days_of, find, read
from tests.history.recorded import DATA, needs_data

DAY = datetime.date(2019, 4, 12)
EXPIRY = datetime.date(2019, 4, 18)
NINE_THIRTY = 1_555_041_600 * SECOND  # IST

OWN = """
name = "own"
shape = "long"
strike = "Strike"
spot = "Spot"
[time]
date = "Date"
time = "Time"
format = "%d/%m/%Y %H:%M"
[symbol]
column = "Name"
rename = { NIFTY50 = "NIFTY" }
[expiry]
column = "Expiry"
format = "%d-%b-%Y"
[kind]
column = "Right"
[option]
bid = "Bid"
ask = "Ask"
bid_size = "BidLots"
volume = "Volume"
[units]
sizes = "lots"
"""
HEADER = "Date,Time,Name,Expiry,Strike,Right,Spot,Bid,Ask,BidLots,Volume"
ROW = "12/04/2019,09:30,NIFTY50,18-Apr-2019,11600,CE,11640.5,84.05,84.50,3,1500"
PUT = "12/04/2019,09:30,NIFTY50,18-Apr-2019,11600,PE,11640.5,54,54.5,1,75"
LATER = "12/04/2019,09:45,NIFTY50,18-Apr-2019,11600,CE,11650,90,91,3,1600"
NEXT_DAY = "15/04/2019,09:30,NIFTY50,18-Apr-2019,11600,CE,11650,90,91,3,1600"


def lot_of(_symbol: str, _expiry: datetime.date) -> int | None:
    return 75


def table(folder: Path, *lines: str, header: str = HEADER, name: str = "own.csv") -> Source:
    """A user's own CSV with its mapping file, found as a user would have it found."""
    mapping = folder / "own.toml"
    mapping.write_text(OWN)
    file = folder / name
    body = "\n".join([header, *lines, ""]).encode()
    file.write_bytes(gzip.compress(body) if name.lower().endswith(".gz") else body)
    (source,), aside = find([file], mapping)
    assert aside == []
    return source


def pages_of(source: Source, day: datetime.date | None = None) -> tuple[list[Page], Tally]:
    """Pages, and a tally that agrees with them."""
    tally = Tally()
    pages = list(read(source, None if day is None else (day, day), lot_of, tally))
    assert sum(page.rows for page in pages) + sum(tally.left_out.values()) == tally.rows
    assert pages == sorted(pages, key=lambda page: (page.at, page.symbol, page.expiry))
    return pages, tally


# --- a user's own table -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["own.csv", "own.csv.gz", "OWN.CSV", "OWN.CSV.GZ"])
def test_a_csv_is_read_by_a_mapping_file(tmp_path: Path, name: str) -> None:
    source = table(tmp_path, PUT, ROW, name=name)
    assert source == Source(tmp_path / name, str(tmp_path / "own.toml"))
    assert days_of(source) == {(DAY, "NIFTY"): 2}
    (page,), tally = pages_of(source)
    assert page == Page(
        NINE_THIRTY, "NIFTY", EXPIRY, 116_405_000,
        (
            Cell(Kind.CALL, 116_000_000, 840_500, 845_000, 225, volume=1_500),
            Cell(Kind.PUT, 116_000_000, 540_000, 545_000, 75, volume=75),
        ), 2, name,
    )  # fmt: skip
    assert tally == Tally(2, {})


def test_a_parquet_file_is_read_by_the_same_mapping(tmp_path: Path) -> None:
    expected, _ = pages_of(table(tmp_path, ROW, PUT, LATER))
    file = tmp_path / "own.parquet"
    rows = list(csv.DictReader(io.StringIO("\n".join([HEADER, ROW, PUT, LATER]))))
    typed = {
        name: [float(row[name]) for row in rows]
        if name in {"Strike", "Spot", "Bid", "Ask", "BidLots"}
        else [row[name] for row in rows]
        for name in rows[0]
    }
    pq.write_table(pa.table(typed | {"Volume": pa.array([int(row["Volume"]) for row in rows], pa.int32())}), file)
    (source,), _ = find([file], tmp_path / "own.toml")
    pages, _ = pages_of(source)
    assert [(page.at, page.spot, page.cells) for page in pages] == [(p.at, p.spot, p.cells) for p in expected]


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("84.05", 840_500), ('"1,234.50"', 12_345_000), ("0.00005", 1), ("1.00005", 10_001), ("1.00004", 10_000),
        ("-", 0), ("", 0), ("nan", 0), ("-5", -50_000), ("0", 0), (" 7 ", 70_000), ("1e300", 0),
    ],
)  # fmt: skip
def test_prices_are_exact_and_what_is_no_price_is_nothing(tmp_path: Path, text: str, price: int) -> None:
    ((page,), _) = pages_of(table(tmp_path, ROW.replace("84.05", text)))
    assert page.cells[0].bid == price


def test_without_a_lot_what_is_counted_in_lots_is_nothing(tmp_path: Path) -> None:
    source = table(tmp_path, ROW)
    (page,) = read(source, None, lambda _symbol, _expiry: None, Tally())
    assert (page.cells[0].bid_size, page.cells[0].volume) == (0, 1_500)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("12/04/2019,09:30", ",", "no time"), ("12/04/2019,09:30", "12/04/2019,", "no time"),
        (",CE,", ",XX,", "not an option"), ("NIFTY50", "", "no symbol"), ("18-Apr-2019", "", "no sure expiry"),
        ("11600", "", "no strike"), ("11600", "0", "no strike"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_say_what_it_is_of_is_left_out(tmp_path: Path, old: str, new: str, reason: str) -> None:
    (page,), tally = pages_of(table(tmp_path, ROW, LATER.replace("09:45", "09:30").replace("11600", "11700"),
                                    ROW.replace(old, new)))  # fmt: skip
    assert page.rows == 2
    assert tally == Tally(3, {reason: 1})


@pytest.mark.parametrize("name", ["../../../../escaped", "NIFTY/../../evil", "..", "a\\b"])
def test_a_symbol_that_could_be_a_path_is_left_out(tmp_path: Path, name: str) -> None:
    (page,), tally = pages_of(table(tmp_path, ROW, PUT.replace("NIFTY50", name)))
    assert (page.symbol, page.rows) == ("NIFTY", 1)
    assert tally == Tally(2, {"symbol that is no name": 1})


def test_a_row_without_a_time_is_of_no_day(tmp_path: Path) -> None:
    _, tally = pages_of(table(tmp_path, ROW, ROW.replace("09:30", "")), DAY)
    assert tally == Tally(1, {})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("84.05", "abc", "column 'Bid' holds 'abc', which is no number"),
        ("84.05", "1.2.3", "column 'Bid' holds '1.2.3', which is no number"),
        ("12/04/2019", "2019-04-12", "column 'Date and Time' holds '2019-04-12 09:30', not a time like %d/%m/%Y %H:%M"),
        ("18-Apr-2019", "18/04/2019", "column 'Expiry' holds '18/04/2019', not a date like %d-%b-%Y"),
        (",1500", "", "Expected 11 columns, got 10"),
    ],
)
def test_a_value_that_cannot_be_meant_is_said_with_its_column(tmp_path: Path, old: str, new: str, said: str) -> None:
    source = table(tmp_path, LATER, ROW.replace(old, new))
    with pytest.raises(BadData) as refused:
        pages_of(source)
    text = str(refused.value)
    assert text.startswith(str(source.path))
    assert said in text
    assert "\n" not in text


def test_only_the_days_asked_for_are_read(tmp_path: Path) -> None:
    source = table(tmp_path, NEXT_DAY, ROW, PUT)
    assert days_of(source) == {(DAY, "NIFTY"): 2, (datetime.date(2019, 4, 15), "NIFTY"): 1}
    (page,), tally = pages_of(source, DAY)
    assert (day_of(page.at), tally.rows) == (DAY, 2)
    assert pages_of(source, datetime.date(2019, 4, 13)) == ([], Tally(0, {}))


def test_the_spot_of_a_page_is_what_its_rows_say_of_which_some_may_say_none(tmp_path: Path) -> None:
    (page,), _ = pages_of(table(tmp_path, ROW.replace("11600", "11700"), PUT.replace("11640.5", "0"), ROW))
    assert (type(page), page.spot) == (Page, 116_405_000)


def test_two_replies_under_one_stamp_are_one_doubted_page_with_all_their_rows(tmp_path: Path) -> None:
    first, closing = (
        [ROW, PUT],
        [ROW.replace("11640.5", "11652"), PUT.replace("11640.5", "11652").replace("54,", "60,")],
    )
    (mixed, later), tally = pages_of(table(tmp_path, *first, *closing, LATER))
    assert isinstance(mixed, Doubted)
    assert (mixed.doubt, mixed.rows, len(mixed.cells)) == ("two spots at one moment", 4, 4)
    assert type(later) is Page
    assert tally == Tally(5, {}), "neither a repetition nor a contradiction: they are of two pages"


# --- rows twice, and in any order -------------------------------------------------------------------------------------


def test_a_row_that_comes_twice_counts_once(tmp_path: Path) -> None:
    (page,), tally = pages_of(table(tmp_path, ROW, PUT, ROW, ROW))
    assert (page.rows, len(page.cells)) == (2, 2)
    assert tally == Tally(4, {"duplicate row": 2})


def test_rows_that_contradict_each_other_are_all_left_out(tmp_path: Path) -> None:
    (page,), tally = pages_of(table(tmp_path, ROW, PUT, ROW.replace("84.05", "84.10"), ROW))
    assert [cell.kind for cell in page.cells] == [Kind.PUT]
    assert tally == Tally(4, {"conflicting rows": 3})


def test_a_page_of_contradictions_alone_is_none(tmp_path: Path) -> None:
    assert pages_of(table(tmp_path, ROW, ROW.replace("84.05", "84.10"))) == ([], Tally(2, {"conflicting rows": 2}))


def test_shuffled_rows_give_the_same_pages(tmp_path: Path) -> None:
    strikes = [ROW.replace("11600", str(k)) for k in range(11_000, 12_000, 50)]
    rows = [*strikes, *strikes[:3], PUT, LATER, NEXT_DAY, ROW.replace("84.05", "80")]
    expected, left_out = pages_of(table(tmp_path, *rows))
    random.Random(3).shuffle(rows)
    assert pages_of(table(tmp_path, *rows)) == (expected, left_out)
    assert left_out.left_out == {"duplicate row": 3, "conflicting rows": 2}


# --- bars -------------------------------------------------------------------------------------------------------------


def bars(folder: Path, minutes: Sequence[datetime.datetime]) -> Path:
    file = folder / "NIFTY_bars.parquet"
    n = len(minutes)
    pq.write_table(pa.table({
        "ts_ist": pa.array(minutes, pa.timestamp("us", "Asia/Kolkata")), "symbol": ["NIFTY"] * n,
        "strike": [17_000.0] * n,
        "expiry": ["2022-11-03"] * n, "call_close": [100.0] * n, "call_volume": [50] * n, "call_oi": [500] * n,
        "put_close": pa.nulls(n, pa.float64()), "put_volume": pa.nulls(n, pa.int64()),
        "put_oi": pa.nulls(n, pa.int64()),
    }), file)  # fmt: skip
    return file


def seconds(file: Path, seen: Sequence[tuple[datetime.datetime, float]]) -> None:
    ats = pa.array([at for at, _ in seen], pa.timestamp("us", "Asia/Kolkata"))
    pq.write_table(pa.table({"ts_ist": ats, "price": [price for _, price in seen]}), file)


LABEL = datetime.datetime(2022, 11, 1, 4, 0, tzinfo=datetime.UTC)  # 09:30 IST
END = LABEL + datetime.timedelta(minutes=1)


def test_a_bar_is_known_at_its_end_with_the_spot_of_then(tmp_path: Path) -> None:
    file = bars(tmp_path, [LABEL])
    ahead = END + datetime.timedelta(seconds=1)
    seconds(tmp_path / "NIFTY_spot.parquet", [(END - datetime.timedelta(seconds=3), 18_000.0), (ahead, 19_000.0)])
    (source,), _ = find([file])
    (page,), _ = pages_of(source)
    assert page.at == int(END.timestamp()) * SECOND
    assert page.spot == 180_000_000
    assert page.is_modelled
    assert page.cells[0] == Cell(Kind.CALL, 170_000_000, 990_500, 1_009_500, 150, 150, 1_000_000, 50, 500)
    assert page.cells[1] == Cell(Kind.PUT, 170_000_000), "no trade yet"


@pytest.mark.parametrize(
    ("name", "age_s", "spot"),
    [("NIFTY_s.parquet", 5, 180_000_000), ("NIFTY_s.parquet", 6, 0), ("BANKNIFTY_s.parquet", 1, 0)],
)  # fmt: skip
def test_a_spot_is_of_the_same_index_and_five_seconds_old_at_most(
    tmp_path: Path, name: str, age_s: int, spot: int
) -> None:
    file = bars(tmp_path, [LABEL])
    seconds(tmp_path / name, [(END - datetime.timedelta(seconds=age_s), 18_000.0)])
    (page,), _ = pages_of(find([file])[0][0])
    assert page.spot == spot


def test_an_index_may_lie_elsewhere_among_the_paths(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    file, index = bars(tmp_path / "a", [LABEL]), tmp_path / "b" / "NIFTY_s.parquet"
    seconds(index, [(END, 18_000.0)])
    (source,), aside = find([file, index])
    assert source == Source(file, "option_bars", (index,))
    assert aside == [
        f"{index.parent}: {index.name}: an index each second: no chain, but joined to the option bars beside it"
    ]
    (page,), _ = pages_of(source)
    assert page.spot == 180_000_000


def test_a_damaged_neighbour_does_not_keep_bars_from_being_read(tmp_path: Path) -> None:
    (tmp_path / "NIFTY_s.parquet").write_bytes(b"PAR1 cut off")
    (source,), _ = find([bars(tmp_path, [LABEL])])
    assert len(pages_of(source)[0]) == 1


# --- what cannot be read ----------------------------------------------------------------------------------------------


def test_an_html_page_saved_as_csv_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "chain.csv"
    file.write_text("\n<!DOCTYPE html>\n<html>Access denied</html>")
    with pytest.raises(BadData) as refused:
        find([file])
    assert str(refused.value) == f"{file} is an HTML page, not a CSV: fetch it again"
    assert find([tmp_path]) == ([], [f"{tmp_path}: chain.csv: is an HTML page, not a CSV: fetch it again"])


def test_a_truncated_parquet_file_is_refused(tmp_path: Path) -> None:
    whole = bars(tmp_path, [LABEL])
    file = tmp_path / "cut.parquet"
    file.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(BadData, match=r"cut\.parquet: cut off, damaged or no table \(.*\): fetch it again"):
        find([file])


def test_a_truncated_archive_is_refused(tmp_path: Path) -> None:
    source = table(tmp_path, *[ROW.replace("11600", str(k)) for k in range(1, 40_000)], name="own.csv.gz")
    source.path.write_bytes(source.path.read_bytes()[:-2_000])
    with pytest.raises(BadData, match="cut off, damaged or no table"):
        pages_of(source)


def test_wrong_columns_are_said_with_what_is_missing(tmp_path: Path) -> None:
    whole = pq.read_table(bars(tmp_path, [LABEL]))
    file = tmp_path / "less.parquet"
    pq.write_table(whole.drop_columns(["put_oi"]), file)
    with pytest.raises(BadData, match=r"less\.parquet: fits no layout \(option_bars needs put_oi too\)"):
        find([file])
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(BadData, match=r"other\.csv: fits no layout: if it is a chain, write a mapping file for it"):
        find([other])
    mapping = tmp_path / "own.toml"
    mapping.write_text(OWN)
    with pytest.raises(BadData, match=r"has no column Date, Time, Name and 8 more, which .*own\.toml names"):
        find([other], mapping)


def test_a_table_with_a_header_alone_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"own\.csv: has a header and no rows: fetch it again"):
        table(tmp_path)
    whole = bars(tmp_path, [LABEL])
    pq.write_table(pq.read_table(whole).slice(0, 0), tmp_path / "none.parquet")
    (tmp_path / "own.csv").unlink()
    sources, aside = find([tmp_path])
    assert [source.path for source in sources] == [whole]
    assert f"{tmp_path}: none.parquet: has a header and no rows: fetch it again" in aside


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("84.05", "abc", "column 'Bid' holds 'abc', which is no number: mend the file"),
        ("12/04/2019", "2019-04-12", "not a time like %d/%m/%Y %H:%M"),
        (",1500", "", "cut off, damaged or no table"),
    ],
)
def test_a_bad_table_in_a_folder_is_left_aside_and_the_rest_is_read(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    good = table(tmp_path, ROW, PUT)
    (tmp_path / "bad.csv").write_text("\n".join([HEADER, LATER, ROW.replace(old, new), ""]))
    (source,), (one, toml) = find([tmp_path], tmp_path / "own.toml")
    assert source.path == good.path
    assert one.startswith(f"{tmp_path}: bad.csv: ")
    assert said in one
    assert toml.endswith("own.toml: neither CSV, Parquet nor a JSON reply")


def test_a_mapping_file_stands_beside_the_shipped_layouts(tmp_path: Path) -> None:
    own, shipped = table(tmp_path, ROW, PUT), bars(tmp_path, [LABEL])
    mapping = tmp_path / "own.toml"
    sources, _ = find([own.path, shipped], mapping)
    assert [source.layout for source in sources] == [str(mapping), "option_bars"]
    with pytest.raises(BadData, match=r"own\.toml: no file has all the columns that it names: mend it, or leave out"):
        find([shipped], mapping)


def test_scan_ranges_are_no_chain_and_need_no_mapping_file(tmp_path: Path) -> None:
    header = "date,symbol,expiry,futures_price,price_scan,price_scan_pct,vol_scan"
    (tmp_path / "scan.csv").write_text(f"{header}\n2019-04-12,NIFTY,201904,11600,700,7,0.04\n")
    _, aside = find([tmp_path])
    assert aside == [
        f"{tmp_path}: scan.csv: the clearing corporation's scan ranges: no chain; [desk] span_scans names it"
    ]


@pytest.mark.parametrize(
    ("name", "body", "said"),
    [
        ("empty.csv", b"", "is empty: fetch it again"),
        ("notes.txt", b"x", "neither CSV, Parquet nor a JSON reply"),
        ("other.json", b"{}", "not one of the exchange's option chain replies"),
        ("cut.json.gz", gzip.compress(b'{"records"' * 99, mtime=0)[:20], "cut off or damaged"),
        ("twice.csv", (HEADER + ",Bid\n" + ROW + ",1\n").encode(), "two columns have the same name"),
    ],
)
def test_a_file_that_is_no_chain_is_refused_where_it_is_named(
    tmp_path: Path, name: str, body: bytes, said: str
) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / name).write_bytes(body)
    with pytest.raises(BadData, match=said):
        find([tmp_path / name], tmp_path / "own.toml")


def test_a_place_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no such file or folder"):
        find([tmp_path / "none"])


def test_official_series_are_no_chains_and_no_fault(tmp_path: Path) -> None:
    for name, header in (
        ("a.csv", "date,symbol,spot_close,spot_prev,sigma_underlying"),
        ("b.csv", "date,symbol,expiry,close,open_interest,stated_lot"),
        ("c.csv", "Date,Open,High,Low,Close,Prev. Close,Change,% Change"),
    ):  # fmt: skip
        (tmp_path / name).write_text(header + "\n")
    assert find([tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c.csv"]) == ([], [])


# --- the exchange's replies -------------------------------------------------------------------------------------------

SIDE = (
    '{"underlying":"NIFTY","openInterest":2.3333333333333335,"totalTradedVolume":4,"lastPrice":84.2,'
    '"bidQty":75,"bidprice":84.05,"askQty":0,"askPrice":0}'
)


def reply(timestamp: str = "12-Apr-2019 09:30:00", side: str = SIDE) -> str:
    data = f'[{{"strikePrice":11600,"expiryDate":"18-Apr-2019","CE":{side}}}]'
    return f'{{"records":{{"data":{data},"timestamp":"{timestamp}","underlyingValue":11640.5}}}}'


def test_a_folder_of_replies_is_one_source(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(reply("12-Apr-2019 09:45:00"))
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(reply().encode()))
    (tmp_path / "c.json").write_text("{}")
    (source,), aside = find([tmp_path])
    assert source == Source(tmp_path, nse_json.NAME)
    assert aside == [f"{tmp_path}: c.json: not one of the exchange's option chain replies"]
    assert days_of(source) == {(DAY, "NIFTY"): 2}
    (page, later), _ = pages_of(source, DAY)
    cell = Cell(Kind.CALL, 116_000_000, 840_500, 0, 75, 0, 842_000, 300, 175)
    assert page == Page(NINE_THIRTY, "NIFTY", EXPIRY, 116_405_000, (cell,), 1, tmp_path.name)
    assert later.at - page.at == 15 * 60 * SECOND


def test_a_reply_that_comes_twice_counts_once_and_one_can_be_named_itself(tmp_path: Path) -> None:
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text(reply())
    (source,), _ = find([tmp_path])
    assert pages_of(source)[1] == Tally(2, {"duplicate row": 1})
    (one,), _ = find([tmp_path / "a.json"])
    assert (one.path, pages_of(one)[1]) == (tmp_path / "a.json", Tally(1, {}))


def test_a_reply_without_a_time_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(reply(""))
    (source,), _ = find([tmp_path])
    assert (days_of(source), pages_of(source)) == ({}, ([], Tally(1, {"no time": 1})))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (reply()[:-20], "cut off, damaged or no chain reply"),
        (reply("2019-04-12"), "column 'records.timestamp' holds '2019-04-12'"),
        (reply().replace("18-Apr-2019", "soon"), "column 'expiryDate' holds 'soon'"),
    ],
)
def test_a_damaged_reply_is_refused_where_it_is_named_and_left_aside_in_a_folder(
    tmp_path: Path, body: str, said: str
) -> None:
    (tmp_path / "a.json").write_text(body)
    (tmp_path / "cut.json.gz").write_bytes(gzip.compress(reply().encode())[:20])
    with pytest.raises(BadData, match=said):
        find([tmp_path / "a.json"])
    (tmp_path / "b.json").write_text(reply())
    (source,), (bad, cut) = find([tmp_path])
    assert bad.startswith(f"{tmp_path}: a.json: ")
    assert said in bad
    assert cut.startswith(f"{tmp_path}: cut.json.gz: cut off or damaged")
    assert pages_of(source)[1] == Tally(1, {})


# --- the recorded sets ------------------------------------------------------------------------------------------------


def manifest() -> dict[str, int]:
    lines = (DATA / "MANIFEST.tsv").read_text().splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return {path: int(rows) for path, _, _, rows, *_ in cells if rows}


SETS = {
    "nse_chain_2018_10_to_2019_04": "nse_chain",
    "nse_chain_multi_expiry_2019_06": "nse_chain",
    "nse_stock_chain_2019_06": "nse_chain",
    "nse_5min_chain_2026_02": "nse_5min_chain",
    "nse_minute_chain_2026": "nse_minute_chain",
}


@needs_data
@pytest.mark.parametrize("folder", [*SETS, "nse_json_chain_2025", "nse_minute_bars"])
def test_every_row_of_every_recorded_set_is_accounted_for(folder: str) -> None:
    sources, aside = find([DATA / folder])
    assert all("joined to the option bars" in sentence for sentence in aside)
    rows = manifest()
    for source in sources:
        counted = sum(days_of(source).values())
        name = str(source.path.relative_to(DATA))
        # Futures in 2017 are no options; a reply has no line in the manifest.
        assert counted == rows.get(name, counted) - (545 if source.layout == "ticker_bars" else 0)
        assert source.layout == SETS.get(folder, source.layout)


@needs_data
def test_a_recorded_day_of_2019_is_read_as_it_was_seen() -> None:
    (source,), _ = find([DATA / "nse_chain_2018_10_to_2019_04" / "NIFTY_near_expiry.parquet"])
    pages, tally = pages_of(source, DAY)
    assert (len(pages), tally.left_out) == (len({page.at for page in pages}), {})
    assert {(page.symbol, page.expiry, page.is_modelled) for page in pages} == {("NIFTY", EXPIRY, False)}
    assert all(page.spot and len(page.cells) == 2 * page.rows for page in pages)
    sizes = {c.bid_size % 75 for p in pages for c in p.cells} | {c.volume % 75 for p in pages for c in p.cells}
    assert sizes == {0}, "in units, of which a lot is 75"


@needs_data
def test_the_replies_and_the_table_made_of_them_say_the_same() -> None:
    sources, _ = find([DATA / "nse_json_chain_2025"])
    day = datetime.date(2025, 10, 28)
    (first, tally), (second, _) = (pages_of(source, day) for source in sources)
    assert tally.left_out == {}
    assert len(first) == 234
    assert [(p.at, p.spot, p.expiry, p.cells) for p in first] == [(p.at, p.spot, p.expiry, p.cells) for p in second]


@needs_data
def test_the_pages_of_2025_that_hold_the_last_reply_and_the_closing_one_are_doubted() -> None:
    sources, _ = find([DATA / "nse_json_chain_2025" / "nifty_chain_2025-10-13_to_2025-11-07.parquet"])
    pages, _ = pages_of(sources[0], datetime.date(2025, 10, 13))
    doubted = [page for page in pages if isinstance(page, Doubted)]
    assert len(doubted) == 18
    assert {page.at for page in doubted} == {at_time(datetime.date(2025, 10, 13), 15, 30)}
    assert (doubted[0].rows, len(doubted[0].cells)) == (348, 348), "twice 174"


@needs_data
def test_minute_bars_of_2022_carry_the_index_of_their_second() -> None:
    sources, _ = find([DATA / "nse_minute_bars"])
    (source,) = (source for source in sources if source.layout == "option_bars")
    pages, tally = pages_of(source, datetime.date(2022, 11, 3))
    assert (len(pages), tally.left_out) == (375, {})
    assert sum(page.spot > 0 for page in pages) > 370
    first = datetime.datetime.fromtimestamp(pages[0].at // SECOND, datetime.UTC)
    assert (first.hour, first.minute) == (3, 46), "09:16 IST: the bar of 09:15 is known then"


@needs_data
def test_bars_of_2017_have_no_spot_and_leave_futures_out() -> None:
    (source,), _ = find([DATA / "nse_minute_bars" / "BANKNIFTY_options_1m_2017-04-03.csv.gz"])
    pages, tally = pages_of(source)
    assert tally == Tally(17_345, {"not an option": 545})
    assert {(page.symbol, page.spot, page.is_modelled) for page in pages} == {("BANKNIFTY", 0, True)}
    assert all(page.at % (60 * SECOND) == 0 for page in pages)


@needs_data
def test_a_file_larger_than_is_read_at_once_is_read_in_parts() -> None:
    (source,), _ = find([DATA / "nse_json_chain_2025" / "nifty_chain_2025-10-13_to_2025-11-07.parquet"])
    pages, tally = pages_of(source)
    assert tally.rows == 293_820 > ROWS_AT_ONCE
    assert tally.left_out == {"duplicate row": 1_411}
    assert len({day_of(page.at) for page in pages}) == 18
