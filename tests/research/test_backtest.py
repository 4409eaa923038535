"""Recorded days through the backtest: every paisa of the result is explained, and the saved result says the same."""

import datetime
import gzip
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.adapters.stores.memory import MemoryStore
from participant.config import load_rules
from participant.core.books import Fill
from participant.core.messages import Write
from participant.core.scrip import Side, Weights
from participant.history.official import Official
from participant.history.pages import BadData
from participant.history.recorded import RecordedMarket, Recording
from participant.history.recordings import load_day, open_recordings
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.research.engine import InlineDesk
from participant.research.overwrite import Overwrite
from participant.research.result import load
from participant.research.tables import events_of, fills_of
from participant.stages.reconcile import Closed
from participant.wire.json import encode
from tests.days.__main__ import EAGER, OFFICIAL
from tests.history.recorded import DATA, needs_data
from tests.history.test_recorded import cells, page

CHAIN = [DATA / "nse_chain_2018_10_to_2019_04", DATA / OFFICIAL]
SPAN = Span(datetime.date(2019, 4, 16), datetime.date(2019, 4, 18))


@needs_data
def test_the_result_is_premium_cover_and_charges_to_the_paisa_and_is_saved_as_it_was(tmp_path: Path) -> None:
    """16 and 18 April 2019, the 18th an expiry: 17 April was a holiday that the collector polled."""
    result = backtest(CoveredCall(("NIFTY", "BANKNIFTY"), EAGER), CHAIN, SPAN, 10_000_000, tmp_path / "run")
    assert result.summary.counts["fills"] > 0
    assert sum(result.summary.totals.values()) == result.gain
    again = load(tmp_path / "run")
    assert again.summary == result.summary
    whole = [row for row in again.rows("equity") if not row["scrip"]]
    assert [row["day"] for row in whole] == ["2019-04-16", "2019-04-18"]
    assert whole[-1]["worth"] == result.summary.worth
    last = [row for row in again.rows("equity") if row["scrip"] and row["day"] == "2019-04-18"]
    assert sum(row["worth"] for row in last) == result.gain
    assert -sum(row["charges"] for row in again.rows("fills")) == result.summary.totals["charges"]
    assert again.table("decisions").num_rows == result.summary.counts["decisions"]
    assert any(row["kind"] == "expired" for row in again.rows("events"))


@needs_data
def test_the_same_run_gives_the_same_tables(tmp_path: Path) -> None:
    runs = [
        backtest(CoveredCall(("NIFTY",), EAGER), CHAIN, Span(SPAN.last, SPAN.last), 10_000_000, tmp_path / name)
        for name in ("one", "two")
    ]
    assert runs[0].table("decisions").equals(runs[1].table("decisions"))
    assert runs[0].table("fills").equals(runs[1].table("fills"))


@needs_data
def test_a_run_ends_before_a_day_that_cannot_settle_what_is_held(tmp_path: Path) -> None:
    """The official prices of futures end on the 16th, on which one was bought."""
    official = tmp_path / "official"
    official.mkdir()
    for file in (DATA / OFFICIAL).glob("*.gz"):
        head, *rows = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        kept = [row for row in rows if row[:10] <= b"2019-04-16"] if "futures" in file.name else rows
        (official / file.name).write_bytes(gzip.compress(b"".join([head, *kept])))
    strategy = CoveredCall(("NIFTY", "BANKNIFTY"), EAGER)
    result = backtest(strategy, [CHAIN[0], official], SPAN, 10_000_000, tmp_path / "run")
    assert (result.summary.status, result.summary.until, result.summary.counts["days"]) == ("stopped", "2019-04-18", 1)
    said = [row["text"] for row in result.rows("events") if row["kind"] == "not played"]
    assert len(said) == 1
    assert said[0].startswith("the run ends before it: ")
    assert [note.note for note in result.summary.data.notes if note.day == "2019-04-18"] == [f"not played: {said[0]}"]


@needs_data
def test_a_day_that_stands_in_two_files_is_passed_over_and_said(tmp_path: Path) -> None:
    span = Span(datetime.date(2025, 10, 27), datetime.date(2025, 10, 29))
    data = [DATA / "nse_json_chain_2025", DATA / OFFICIAL]
    result = backtest(CoveredCall(("NIFTY",)), data, span, 10_000_000, tmp_path / "run")
    assert result.summary.status == "partly"
    assert [row["day"] for row in result.rows("events") if row["kind"] == "not played"] == ["2025-10-28"]


@needs_data
def test_a_day_begins_with_the_worth_of_the_last_close_not_with_its_cash() -> None:
    rules, recordings = load_rules(), open_recordings(CHAIN)
    desk = InlineDesk(CoveredCall(("NIFTY", "BANKNIFTY"), EAGER).rows, rules, 1_000_000_000)
    first = desk.play(load_day(recordings, SPAN.first, rules))
    assert desk.positions()
    assert first.worth != desk.account().cash
    desk.play(load_day(recordings, SPAN.last, rules))
    start = desk.books.get("starts", str(SPAN.last))
    assert start is not None
    assert int(start.value) == first.worth


@needs_data
def test_on_a_day_without_a_chain_greeks_are_unknown_and_margin_is_estimated_at_the_settlement(tmp_path: Path) -> None:
    """7 November 2018 is not recorded, and played because something is held: it settles."""
    span = Span(datetime.date(2018, 11, 5), datetime.date(2018, 11, 7))
    result = backtest(CoveredCall(("NIFTY", "BANKNIFTY"), EAGER), CHAIN, span, 10_000_000, tmp_path / "run")
    days = [[row for row in result.rows("equity") if row["day"] == f"2018-11-0{day}"] for day in (5, 6, 7)]
    assert [[row["scrip"] for row in day] for day in days] == [["", "NIFTY", "BANKNIFTY"]] * 3
    for seen, unseen in zip(days[1], days[2], strict=True):
        assert seen["delta"] > 0
        assert [unseen[greek] for greek in ("delta", "gamma", "vega", "theta")] == [None] * 4
        assert unseen["margin"] == pytest.approx(seen["margin"], rel=0.1)
    assert days[2][0]["margin"] == days[2][1]["margin"] + days[2][2]["margin"]


@needs_data
def test_the_overwrite_beside_a_run_begins_with_its_capital_and_goes_as_the_calls_do(tmp_path: Path) -> None:
    span = Span(datetime.date(2018, 11, 1), datetime.date(2018, 11, 9))
    result = backtest(CoveredCall(("NIFTY",)), CHAIN, span, 1_000_000, tmp_path / "run")
    rows = [row for row in result.rows("equity") if not row["scrip"]]
    assert rows[0]["overwrite"] == rows[0]["cover_alone"] == result.summary.capital
    walk = Overwrite("NIFTY", open_recordings(CHAIN).official, load_rules())
    growth = list[float]()
    for row in rows:
        market = load_day(open_recordings(CHAIN), datetime.date.fromisoformat(row["day"]), load_rules(), ["NIFTY"])
        walk.see(market.day, market.pages("NIFTY"))
        assert walk.growth is not None
        growth.append(walk.growth)
    assert [row["overwrite"] / 100_000_000 for row in rows] == pytest.approx([g / growth[0] for g in growth])


def test_a_fill_at_a_derived_quote_says_so_shares_as_well_as_futures() -> None:
    stock = page(symbol="RELIANCE", spot=13_000_000, cells=cells(13_000_000), expiry=datetime.date(2019, 6, 27))
    rules, day, books = load_rules(), datetime.date(2019, 6, 13), MemoryStore()
    market = RecordedMarket(day, Recording({"RELIANCE": [stock]}, {}), Official(), rules)
    for contract in market.contracts():
        fill = Fill(contract.key, "d", "RELIANCE", contract, Side.BUY, 3, 1_000, 10, 0)
        books.commit([Write("fills", f"{day}/{contract.key}", encode(fill))])
    rows = {row["contract"]: row for row in fills_of(books, market)}
    told = {str(name).rpartition("-")[2]: row["is_modelled"] for name, row in rows.items()}
    assert told == {"EQ": True, "1300CE": False, "1300PE": False}
    assert {(row["value"], row["price"]) for row in rows.values()} == {(1_000, 33_333)}


def test_cash_under_the_margin_of_what_is_held_is_a_margin_call() -> None:
    desk, closed = InlineDesk([], load_rules(), 100), Closed("2019-04-16", 0, (), (), {}, 100)
    assert list(events_of(desk, closed)) == []
    (row,) = desk.books.rows("account")
    short = replace(desk.account(), used={"NIFTY": 130})
    desk.books.commit([Write("account", "account", encode(short), row.version)])
    (call,) = events_of(desk, closed)
    assert (call["kind"], call["amount"]) == ("margin call", 30)


@needs_data
def test_a_span_of_which_nothing_is_recorded_is_refused(tmp_path: Path) -> None:
    span = Span(datetime.date(2015, 1, 1), datetime.date(2015, 1, 2))
    with pytest.raises(BadData, match="nothing is recorded from 2015-01-01"):
        backtest(CoveredCall(("NIFTY",)), CHAIN, span, 10_000_000, tmp_path / "run")


@needs_data
def test_an_underlying_of_which_nothing_is_recorded_is_refused_by_name_with_those_that_are(tmp_path: Path) -> None:
    for names in (("NIFTI",), ("NIFTY", "NIFTI"), ("NIFTY", "RELIANCE")):
        with pytest.raises(BadData, match=f"nothing of {names[-1]} is recorded from .*, but BANKNIFTY, NIFTY: name"):
            backtest(CoveredCall(names), CHAIN, SPAN, 10_000_000, tmp_path / "run")


@needs_data
def test_sessions_that_no_file_has_are_counted_and_named(tmp_path: Path) -> None:
    span = Span(datetime.date(2019, 6, 19), datetime.date(2019, 6, 21))
    data = [DATA / "nse_chain_multi_expiry_2019_06", DATA / OFFICIAL]
    result = backtest(CoveredCall(("NIFTY",)), data, span, 10_000_000, tmp_path / "run")
    assert result.summary.counts["sessions not recorded"] == 1
    (said,) = [note for note in result.summary.data.notes if "nothing is recorded of" in note.note]
    assert (said.day, said.scrip) == ("2019-06-20", "NIFTY")
    assert said.note == "NIFTY: nothing is recorded of 1 session of the span: 2019-06-20"


@needs_data
def test_greeks_are_0_at_a_close_at_which_nothing_is_held(tmp_path: Path) -> None:
    """The cover is sold on the last page of the 18th; what was at risk before that is not at risk any more."""
    span, shipped = Span(datetime.date(2019, 4, 12), datetime.date(2019, 4, 18)), Weights(iv_rank_min=0.3)
    result = backtest(CoveredCall(("BANKNIFTY",), shipped), CHAIN, span, 10_000_000, tmp_path / "run")
    *_, held, flat = [row for row in result.rows("equity") if row["scrip"]]
    assert held["margin"] > 0 == flat["margin"]
    assert held["delta"] != 0
    assert [flat[greek] for greek in ("delta", "gamma", "vega", "theta")] == [0] * 4


def test_a_span_that_ends_before_it_begins_and_an_underlying_named_twice_are_refused() -> None:
    with pytest.raises(BadData, match="the first day, 2019-04-18, lies after the last, 2019-04-16"):
        backtest(CoveredCall(("NIFTY",)), [], Span(SPAN.last, SPAN.first), 10)
    with pytest.raises(BadData, match="named twice: NIFTY, NIFTY"):
        backtest(CoveredCall(("NIFTY", "NIFTY")), [], SPAN, 10)


def test_a_run_without_capital_is_refused() -> None:
    with pytest.raises(BadData, match="capital 0"):
        backtest(CoveredCall(("NIFTY",)), [], SPAN, 0)


@needs_data
def test_an_order_on_its_way_meets_the_quotes_of_its_arrival_and_what_waits_for_it_the_next_ones(
    tmp_path: Path,
) -> None:
    """Half a second: the covers of 12 April fill then, at the same quotes; their calls are sold an instant later."""
    span = Span(datetime.date(2019, 4, 12), datetime.date(2019, 4, 12))
    at_once, late = (
        backtest(CoveredCall(("BANKNIFTY",), EAGER, latency), CHAIN, span, 10_000_000, tmp_path / f"{latency}")
        for latency in (0.0, 0.5)
    )
    (cover, call), (late_cover, late_call) = at_once.rows("fills"), late.rows("fills")
    assert (late_cover["contract"], late_cover["price"]) == (cover["contract"], cover["price"])
    assert late_cover["at"] == cover["at"] + 500_000_000
    assert (late_call["contract"], call["at"]) == (call["contract"], cover["at"])
    assert late_call["at"] > late_cover["at"]
    assert (at_once.summary.latency_s, late.summary.latency_s) == (0.0, 0.5)
    for wrong in (-1.0, 61.0, float("nan")):
        with pytest.raises(BadData, match="a latency of"):
            backtest(CoveredCall(("BANKNIFTY",), EAGER, wrong), CHAIN, span, 10_000_000, tmp_path / "none")
