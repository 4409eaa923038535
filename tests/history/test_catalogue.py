"""Recorded days in one Parquet format."""

import datetime
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.history.catalogue import (
    Import,
    damage,
    days,
    imports,
    is_catalogue,
    keep_official,
    read_day,
    write_day,
)
from participant.history.pages import BadData, Page
from participant.wire.json import encode
from tests.history.test_checks import FRIDAY, MINUTE, NINE, page

DONE = Import("NIFTY", FRIDAY, "somewhere", 2, 20, {"before the open": 6}, {"crossed": 1})
PAGES = [page(), page(NINE + 15 * MINUTE, spot=116_100_000, is_modelled=True)]
EMPTY = page(NINE - 60 * MINUTE, cells=())


def test_what_is_written_is_read_back_exactly(tmp_path: Path) -> None:
    assert not is_catalogue(tmp_path)
    assert write_day(tmp_path, DONE, PAGES, [(EMPTY, "before the open")])
    assert is_catalogue(tmp_path)
    assert read_day(tmp_path, "NIFTY", FRIDAY) == PAGES
    assert days(tmp_path) == [("NIFTY", FRIDAY)]
    (line,) = (tmp_path / "imports.jsonl").read_text().splitlines()
    assert json.loads(line)["apart"] == {"before the open": 6}


def test_the_newest_line_of_each_source_says_what_was_imported_and_a_torn_one_is_passed_over(tmp_path: Path) -> None:
    other = replace(DONE, source="elsewhere")
    lines = [replace(DONE, rows=1), other, DONE]
    (tmp_path / "imports.jsonl").write_bytes(b"".join(encode(line) + b"\n" for line in lines) + b'{"symbol":"NI')
    assert imports(tmp_path) == [DONE, other]


def test_what_is_kept_apart_lies_beside_it_with_its_reason(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    write_day(tmp_path, DONE, PAGES, [(EMPTY, "before the open"), (PAGES[0], "no spot")])
    rows = pq.read_table(tmp_path / "quarantine" / "NIFTY" / f"{FRIDAY}.parquet").to_pylist()
    assert len(rows) == 1 + len(PAGES[0].cells)
    assert {(r["at"], r["reason"]) for r in rows} == {(EMPTY.at, "before the open"), (NINE, "no spot")}


def test_the_same_again_changes_nothing(tmp_path: Path) -> None:
    assert write_day(tmp_path, DONE, PAGES, [])
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    assert not write_day(tmp_path, DONE, PAGES, [])
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before


def test_other_contents_for_the_same_day_are_refused(tmp_path: Path) -> None:
    write_day(tmp_path, DONE, PAGES, [])
    with pytest.raises(BadData, match=r"NIFTY on 2019-04-12 of somewhere differs .* which came from by hand"):
        write_day(tmp_path, DONE, PAGES[:1], [])
    assert read_day(tmp_path, "NIFTY", FRIDAY) == PAGES


def test_a_day_of_which_nothing_is_left_is_no_day_of_the_catalogue(tmp_path: Path) -> None:
    assert write_day(tmp_path, DONE, [], [(EMPTY, "holiday polled")])
    assert not write_day(tmp_path, DONE, [], [(EMPTY, "holiday polled")])
    assert days(tmp_path) == []


@pytest.mark.parametrize("damage", ["cut", "html", "columns"])
def test_a_day_that_cannot_be_read_is_named(damage: str, tmp_path: Path) -> None:
    write_day(tmp_path, DONE, PAGES, [])
    file = tmp_path / "chains" / "NIFTY" / f"{FRIDAY}.parquet"
    whole = file.read_bytes()
    if damage == "columns":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"at": [1]}), file)
    else:
        file.write_bytes(whole[:-100] if damage == "cut" else b"<html>not here</html>")
    with pytest.raises(BadData, match=r"2019-04-12\.parquet is no day of a catalogue: .*; import it again"):
        read_day(tmp_path, "NIFTY", FRIDAY)


@pytest.mark.parametrize("damage_done", ["cut", "html"])
def test_a_day_that_cannot_be_read_is_listed_so_and_imported_again(damage_done: str, tmp_path: Path) -> None:
    write_day(tmp_path, DONE, PAGES, [])
    assert damage(tmp_path, "NIFTY", FRIDAY) == ""
    file = tmp_path / "chains" / "NIFTY" / f"{FRIDAY}.parquet"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] if damage_done == "cut" else b"<html>not here</html>")
    assert damage(tmp_path, "NIFTY", FRIDAY)
    assert write_day(tmp_path, DONE, PAGES, [])
    assert (read_day(tmp_path, "NIFTY", FRIDAY), damage(tmp_path, "NIFTY", FRIDAY)) == (PAGES, "")


@pytest.mark.parametrize("symbol", ["../../escaped", "/tmp/escaped", "NIFTY/../../evil", ".."])
def test_nothing_is_written_outside_of_the_folder(symbol: str, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "catalogue"
    folder.mkdir(parents=True)
    with pytest.raises(BadData, match="is no name of a scrip"):
        write_day(folder, replace(DONE, symbol=symbol), PAGES, [(EMPTY, "before the open")])
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_of_another_name_is_named(tmp_path: Path) -> None:
    write_day(tmp_path, DONE, PAGES, [])
    (tmp_path / "chains" / "NIFTY" / "notes.parquet").write_bytes(b"")
    with pytest.raises(BadData, match="files are named like 2019-04-12"):
        days(tmp_path)


def test_official_series_are_kept_as_they_came_and_never_replaced(tmp_path: Path) -> None:
    series = tmp_path / "closes.csv"
    series.write_text("date,symbol,spot_close\n")
    kept = tmp_path / "catalogue" / "official" / "closes.csv"
    for _ in range(2):
        keep_official(tmp_path / "catalogue", [series])
        assert kept.read_text() == series.read_text()
    series.write_text("date,symbol,spot_close\n2019-04-12,NIFTY,99999\n")
    with pytest.raises(BadData, match=r"closes\.csv is there with other contents"):
        keep_official(tmp_path / "catalogue", [series])
    assert "99999" not in kept.read_text()


def test_a_folder_of_chains_is_no_catalogue_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "chains").mkdir()
    assert not is_catalogue(tmp_path)


def test_days_are_listed_by_symbol_and_day(tmp_path: Path) -> None:
    other = datetime.date(2019, 4, 15)
    for symbol, day in (("NIFTY", other), ("NIFTY", FRIDAY), ("BANKNIFTY", FRIDAY)):
        pages: list[Page] = [replace(p, symbol=symbol) for p in PAGES]
        write_day(tmp_path, replace(DONE, symbol=symbol, day=day), pages, [])
    assert days(tmp_path) == [("BANKNIFTY", FRIDAY), ("NIFTY", FRIDAY), ("NIFTY", other)]
