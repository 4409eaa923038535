"""The saved result of a backtest: what is written can be read again, and nothing unfinished passes for one."""

from pathlib import Path

import pytest

from participant.history.pages import BadData
from participant.research.result import TABLES, Data, Note, Result, ResultWriter, Summary, load

SUMMARY = Summary(
    strategy="covered_call",
    scrips=("NIFTY",),
    since="2019-04-11",
    until="2019-04-12",
    capital=1_00_000_00,
    worth=1_00_250_50,
    weights={"NIFTY": {"target_delta": 0.25}},
    rules_hash="r",
    build_id="b",
    data=Data(("chains",), (Note("2019-04-11", "NIFTY", "covers derived"),)),
    totals={"charges": 120_00},
    counts={"decisions": 2},
    status="done",
)
TOLD = {"contract": "NIFTY-20190411-11600CE", "quantity": -75, "price": 11, "amount": -5, "text": "a <b> & c"}
EVENT = {"day": "2019-04-11", "scrip": "NIFTY", "kind": "expired"} | TOLD


def _written(folder: Path) -> Result:
    writer = ResultWriter(folder)
    writer.add("events", [EVENT])
    writer.add("events", [])
    writer.add("events", [{**EVENT, "day": "2019-04-12"}])
    return writer.finish(SUMMARY)


def test_what_was_saved_is_loaded_again_and_every_table_is_there(tmp_path: Path) -> None:
    _written(tmp_path / "run")
    again = load(tmp_path / "run")
    assert again.summary == SUMMARY
    assert list(again.rows("events")) == [EVENT, {**EVENT, "day": "2019-04-12"}]
    assert again.table("events").to_pylist() == list(again.rows("events"))
    assert {name: again.table(name).column_names for name in TABLES} == {n: list(c) for n, c in TABLES.items()}
    assert again.gain == 250_50
    assert '"from":"2019-04-11"' in (tmp_path / "run" / "summary.json").read_text()


def test_a_copy_is_a_result_of_its_own(tmp_path: Path) -> None:
    copy = _written(tmp_path / "run").save(tmp_path / "copy")
    assert load(copy.folder).table("events").equals(load(tmp_path / "run").table("events"))


def test_a_run_that_was_not_finished_is_no_result(tmp_path: Path) -> None:
    ResultWriter(tmp_path / "run").close()
    with pytest.raises(BadData, match=r"summary\.json is missing"):
        load(tmp_path / "run")


def test_a_damaged_summary_is_told_in_one_line(tmp_path: Path) -> None:
    _written(tmp_path / "run")
    (tmp_path / "run" / "summary.json").write_text('{"strategy": 3}')
    with pytest.raises(BadData, match="run the backtest again"):
        load(tmp_path / "run")


def test_a_result_is_never_written_over(tmp_path: Path) -> None:
    _written(tmp_path / "run")
    with pytest.raises(BadData, match="holds a result already"):
        ResultWriter(tmp_path / "run")


def test_a_notebook_and_a_terminal_show_the_same_figures(tmp_path: Path) -> None:
    result = _written(tmp_path / "run")
    for text in (str(result), result._repr_html_()):
        assert "₹100,000" in text
        assert "covered_call on NIFTY, 2019-04-11 to 2019-04-12 (done)" in text


def test_a_table_that_no_result_has_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="orders"):
        _written(tmp_path / "run").table("orders")
