"""Recorded data that is broken or lies: refused in one line, or kept apart with its reason and its counts."""

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.desk.runs import Ended, participant

SIDE = ("oi", "volume", "ltp", "bid_qty", "bid", "ask", "ask_qty")
HEAD = [
    "ts_ist",
    "symbol",
    "expiry",
    "spot",
    "strike",
    *(f"{side}_{name}" for side in ("call", "put") for name in SIDE),
]
STRIKES = range(11_400, 11_850, 50)
Row = dict[str, Any]


def option(value: float, lots: int = 75) -> list[float]:
    return [750, 10, value, lots, value, value + 0.5, lots]


def rows_at(when: str, spot: float = 11_600.0, lots: int = 75, **changes: Any) -> list[Row]:
    """A page of an honest chain: one row a strike."""
    made = []
    for strike in STRIKES:
        away, time_value = spot - strike, max(1.0, 100 - abs(spot - strike) / 4)
        call, put = (round(max(0.0, x) + time_value, 1) for x in (away, -away))
        values = [when, "NIFTY", "2019-04-18", spot, strike, *option(call, lots), *option(put, lots)]
        made.append(dict(zip(HEAD, values, strict=True)) | changes)
    return made


def day(date: str = "2019-04-12", step: float = 0.5, **changes: Any) -> list[Row]:
    times = ("09:30", "09:45", "10:00", "10:15")
    return [r for i, t in enumerate(times) for r in rows_at(f"{date} {t}:00+05:30", 11_600 + i * step, **changes)]


def write(path: Path, rows: list[Row], head: list[str] = HEAD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, head, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_parquet(path: Path, rows: list[Row]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def check(folder: Path, *paths: object) -> Ended:
    return participant(folder, "catalogue", "check", "--json", *paths)


def found(ended: Ended) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Rows that became no page, rows kept apart, and quotes emptied, each by reason; nothing is lost on the way."""
    assert (ended.status, ended.err) == (0, "")
    left, rows, quotes = Counter[str](), Counter[str](), Counter[str]()
    for source in json.loads(ended.out)["sources"]:
        left.update(source["left_out"])
        for one in source["days"]:
            assert one["rows"] == one["accepted_rows"] + sum(one["bad_rows"].values())
            rows.update(one["bad_rows"])
            quotes.update(one["bad_quotes"])
        assert sum(one["rows"] for one in source["days"]) + sum(source["left_out"].values()) == source["rows"]
    return dict(left), dict(rows), dict(quotes)


def test_an_honest_file_loses_nothing(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", day())
    assert found(check(tmp_path, "day.csv")) == ({}, {}, {})


# --- refused ---


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def html(path: Path) -> None:
    path.write_text("<!DOCTYPE html><html><head><title>Access Denied</title></head><body>Denied</body></html>\n")


def renamed(path: Path) -> None:
    write(path, [{**r, "price": r["strike"]} for r in day()], ["ts_ist", "symbol", "price"])


def empty(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize(
    ("name", "damage"),
    [("day.parquet", cut), ("day.csv", html), ("day.csv", renamed), ("day.csv", empty), ("day.parquet", empty)],
)
def test_a_file_that_cannot_be_read_is_refused_in_one_line(
    name: str, damage: Callable[[Path], None], tmp_path: Path
) -> None:
    file = tmp_path / name
    (write_parquet if name.endswith("parquet") else write)(file, day())
    damage(file)
    for ended in (
        check(tmp_path, name),
        participant(tmp_path, "catalogue", "import", name, "--into", "own"),
        participant(tmp_path, "trade", "--lockstep", "--data", name, "--date", "2019-04-12"),
    ):
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.count("\n") == 1, ended.err
        assert name in ended.err
    assert not list((tmp_path / "own").rglob("*.parquet")), "nothing half-written"


def test_a_folder_says_which_of_its_files_it_could_not_use(tmp_path: Path) -> None:
    write(tmp_path / "data" / "day.csv", day())
    html(tmp_path / "data" / "page.csv")
    ended = check(tmp_path, "data")
    assert found(ended) == ({}, {}, {})
    assert any("page.csv" in sentence for sentence in json.loads(ended.out)["aside"])


# --- kept apart ---


def test_a_chain_of_which_only_the_header_came_has_no_day(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", [])
    ended = participant(tmp_path, "trade", "--lockstep", "--data", "day.csv", "--date", "2019-04-12")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1, ended.err


def test_a_chain_without_a_single_quote_is_kept_apart(tmp_path: Path) -> None:
    nothing: Row = {f"{side}_{name}": "" for side in ("call", "put") for name in ("bid_qty", "bid", "ask", "ask_qty")}
    write(tmp_path / "day.csv", day(**nothing))
    assert found(check(tmp_path, "day.csv")) == ({}, {"no quotes": 4 * len(STRIKES)}, {})


def test_last_fridays_prices_under_saturdays_and_mondays_date_are_kept_apart(tmp_path: Path) -> None:
    friday = day()
    last = friday[-len(STRIKES) :]
    stale = [{**row, "ts_ist": f"{when}:00+05:30"} for when in ("2019-04-13 11:00", "2019-04-15 09:30") for row in last]
    monday = rows_at("2019-04-15 09:45:00+05:30", 11_620.0)
    write(tmp_path / "day.csv", [*friday, *stale, *monday])
    counts = {"weekend polled": len(STRIKES), "repeats a page before": len(STRIKES)}
    assert found(check(tmp_path, "day.csv")) == ({}, counts, {})


def test_a_saturday_of_old_prices_is_not_traded_on(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", day("2019-04-13"))
    ended = participant(tmp_path, "trade", "--lockstep", "--data", "day.csv", "--date", "2019-04-13")
    assert (ended.status, ended.out) == (2, "")
    assert "no trading day" in ended.err


def test_duplicated_and_shuffled_rows_are_one_honest_day(tmp_path: Path) -> None:
    honest = day()
    write(tmp_path / "day.csv", honest)
    write(tmp_path / "mixed.csv", [*honest[::-1], *honest[5:9]])
    assert found(check(tmp_path, "mixed.csv")) == ({"duplicate row": 4}, {}, {})
    for name in ("day", "mixed"):
        ended = participant(tmp_path, "catalogue", "import", f"{name}.csv", "--into", name)
        assert ended.status == 0, ended.err
    assert chain(tmp_path / "mixed") == chain(tmp_path / "day")


def chain(folder: Path) -> list[Row]:
    import pyarrow.parquet as pq

    table = pq.read_table(folder / "chains" / "NIFTY" / "2019-04-12.parquet")
    rows: list[Row] = table.drop_columns(["source"]).to_pylist()
    return rows


def test_rows_that_contradict_each_other_are_both_left_out(tmp_path: Path) -> None:
    honest = day()
    write(tmp_path / "day.csv", [*honest, {**honest[7], "call_bid": 1.0}])
    assert found(check(tmp_path, "day.csv")) == ({"conflicting rows": 2}, {}, {})


def test_sizes_in_lots_among_sizes_in_units_are_kept_apart(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", [*day(), *rows_at("2019-04-12 10:30:00+05:30", 11_603.0, lots=2)])
    assert found(check(tmp_path, "day.csv")) == ({}, {"sizes are no whole lots: wrong units?": len(STRIKES)}, {})


def test_quotes_that_cannot_be_are_emptied_and_the_rest_of_the_day_is_used(tmp_path: Path) -> None:
    rows = day()
    rows[4] |= {"call_bid": 300.0, "call_ask": 100.0}
    rows[13] |= {"put_bid": 33.33}
    write(tmp_path / "day.csv", rows)
    assert found(check(tmp_path, "day.csv")) == ({}, {}, {"crossed": 1, "off the tick": 1})


def test_what_is_kept_apart_can_be_looked_at_in_the_catalogue(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    rows = [*day(), *rows_at("2019-04-12 08:55:00+05:30", 11_590.0), *rows_at("2019-04-12 16:05:00+05:30", 11_700.0)]
    write(tmp_path / "day.csv", rows)
    ended = participant(tmp_path, "catalogue", "import", "day.csv", "--into", "own")
    assert ended.status == 0, ended.err
    apart = pq.read_table(tmp_path / "own" / "quarantine" / "NIFTY" / "2019-04-12.parquet")
    assert set(apart["reason"].to_pylist()) == {"before the open", "after the close"}
    assert apart.num_rows == 4 * len(STRIKES)
    assert len(chain(tmp_path / "own")) == 8 * len(STRIKES)


def test_a_command_that_has_nothing_to_read_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.csv").write_text("<html>not here</html>")
    catalogue = ("catalogue", "check")
    for words, why in (
        ((*catalogue, "empty"), "empty: no recorded chain is in there"),
        ((*catalogue, "nowhere"), "nowhere"),
        ((*catalogue, "page.csv"), "is an HTML page"),
        (("catalogue", "list", "empty"), "empty is no catalogue"),
        (("trade", "--mapping", "m.toml", "--home", "home"), "give that too"),
        (("trade", "--data", "empty", "--seed", "3", "--home", "home"), "leave out --seed"),
        (("trade", "--data", "empty", "--date", "2019-04-12", "--home", "home"), "no recorded chain is in there"),
    ):
        ended = participant(tmp_path, *words)
        assert (ended.status, ended.out) == (2, ""), words
        assert why in ended.err, ended.err
        assert ended.err.count("\n") == 1, "one line"


def test_a_day_that_is_kept_apart_whole_is_said_and_asks_for_a_person(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", [{**row, "spot": row["spot"] * 10} for row in day()])
    closes = "date,symbol,spot_close,spot_prev,sigma_underlying"
    days = "".join(f"2019-04-{on},NIFTY,11600.00,11590.00,0.01\n" for on in (11, 12))
    (tmp_path / "closes.csv").write_text(f"{closes}\n{days}")
    data = ("--data", "day.csv", "--data", "closes.csv")
    ended = participant(tmp_path, "trade", "--lockstep", *data, "--date", "2019-04-12", "--home", "home")
    rows = 4 * len(STRIKES)
    assert ended.status == 1
    assert ended.err == (
        f"participant: 2019-04-12: NIFTY: 0 of {rows} rows of day.csv in 0 pages; kept apart: {rows} rows far from the "
        "last official close: wrong units?; nothing of it is traded on\n"
    )
    (first,) = [line for line in ended.out.splitlines() if line.startswith("  of the data ")]
    assert first.endswith(ended.err.strip().removeprefix("participant: 2019-04-12: ")), "before all other notes"


@pytest.mark.parametrize("command", ["check", "import"])
def test_a_chain_of_which_only_the_header_came_is_refused_and_named_in_a_folder(command: str, tmp_path: Path) -> None:
    into = ("--into", "own") if command == "import" else ()
    write(tmp_path / "data" / "empty.csv", [])
    alone = participant(tmp_path, "catalogue", command, "data/empty.csv", *into)
    assert (alone.status, alone.out) == (2, "")
    assert "empty.csv: has a header and no rows" in alone.err
    write(tmp_path / "data" / "day.csv", day())
    beside = participant(tmp_path, "catalogue", command, "data", *into)
    assert beside.status == 0
    assert "left aside: data: empty.csv: has a header and no rows: fetch it again" in beside.out


def test_a_bad_csv_blocks_nothing_but_itself(tmp_path: Path) -> None:
    write(tmp_path / "data" / "day.csv", day())
    bad = write(tmp_path / "data" / "cut.csv", day("2019-04-15"))
    cut(bad)
    ended = participant(tmp_path, "catalogue", "check", "data")
    assert ended.status == 0
    assert "left aside: data: cut.csv: " in ended.out
    assert participant(tmp_path, "catalogue", "check", "data/cut.csv").status == 2


def test_a_symbol_that_is_a_path_writes_nothing_outside_of_the_catalogue(tmp_path: Path) -> None:
    rows = day()
    for i, name in enumerate(("../../../../escaped", "NIFTY/../../evil")):
        rows += rows_at(f"2019-04-12 10:{30 + i}:00+05:30", 11_610 + i, symbol=name)
    work = tmp_path / "a" / "b" / "c"
    write(work / "day.csv", rows)
    ended = participant(work, "catalogue", "import", "day.csv", "--into", "own")
    assert (ended.status, ended.err) == (0, "")
    assert f"of which {2 * len(STRIKES)} are of no page (symbol that is no name {2 * len(STRIKES)})" in ended.out
    assert {path.relative_to(work).parts[0] for path in tmp_path.rglob("*") if path.is_file()} == {"day.csv", "own"}
    assert {path.name for path in (work / "own" / "chains").iterdir()} == {"NIFTY"}


def test_a_damaged_day_of_a_catalogue_is_listed_so_and_mended_by_importing_it_again(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", day())
    again = ("catalogue", "import", "day.csv", "--into", "own")
    assert participant(tmp_path, *again).status == 0
    cut(tmp_path / "own" / "chains" / "NIFTY" / "2019-04-12.parquet")
    listed = participant(tmp_path, "catalogue", "list", "own")
    assert listed.status == 1
    assert "2019-04-12 cannot be read: " in listed.out
    assert listed.out.rstrip().endswith("import it again")
    assert participant(tmp_path, *again).status == 0
    listed = participant(tmp_path, "catalogue", "list", "own")
    assert (listed.status, listed.out.split()[:3]) == (0, ["NIFTY", "1", "days"])


def test_a_table_of_what_was_found_names_no_reason_where_there_is_none(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", day())
    text = participant(tmp_path, "catalogue", "check", "day.csv").out
    assert f"| - | -\nrows read: {4 * len(STRIKES)}\n" in text
    nothing = participant(tmp_path, "catalogue", "check", "day.csv", "--date", "2019-04-15").err
    assert "nothing is recorded of --date 2019-04-15;" in nothing


def test_negative_prices_are_said_to_be_below_0(tmp_path: Path) -> None:
    rows = day()
    rows[4] |= {"call_bid": -3.0}
    write(tmp_path / "day.csv", rows)
    assert found(check(tmp_path, "day.csv")) == ({}, {}, {"below 0": 1})


def test_prices_in_paise_are_kept_apart_by_the_official_close_and_said_to_be_unchecked_without(tmp_path: Path) -> None:
    names = [name for name in HEAD if name in {"spot", "strike"} or name.endswith(("_bid", "_ask", "_ltp"))]
    write(tmp_path / "day.csv", [{**row, **{name: row[name] * 100 for name in names}} for row in day()])
    closes = "date,symbol,spot_close,spot_prev,sigma_underlying"
    (tmp_path / "closes.csv").write_text(f"{closes}\n2019-04-11,NIFTY,11600.00,11590.00,0.01\n")
    assert participant(tmp_path, "catalogue", "import", "day.csv", "--into", "own").status == 0
    words = ("trade", "--lockstep", "--data", "own", "--data", "closes.csv", "--date", "2019-04-12")
    late = participant(tmp_path, *words)
    assert late.status == 2
    assert "NIFTY on 2019-04-12, imported from day.csv: far from the last official close: wrong units?" in late.err
    reason = {"far from the last official close: wrong units?": 4 * len(STRIKES)}
    assert found(check(tmp_path, "day.csv", "closes.csv")) == ({}, reason, {})
    assert found(check(tmp_path, "day.csv")) == ({}, {}, {})
    assert "unchecked against an official close: NIFTY" in participant(tmp_path, "catalogue", "check", "day.csv").out
