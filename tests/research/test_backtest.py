"""Recorded days through the backtest: every paisa of the result is explained, and the saved result says the same."""

import datetime
from pathlib import Path

import pytest

from participant.history.pages import BadData
from participant.research.backtest import CoveredCall, Span, backtest
from participant.research.result import load
from tests.days.__main__ import EAGER, OFFICIAL
from tests.history.recorded import DATA, needs_data

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
def test_a_span_of_which_nothing_is_recorded_is_refused(tmp_path: Path) -> None:
    span = Span(datetime.date(2015, 1, 1), datetime.date(2015, 1, 2))
    with pytest.raises(BadData, match="nothing is recorded from 2015-01-01"):
        backtest(CoveredCall(("NIFTY",)), CHAIN, span, 10_000_000, tmp_path / "run")


def test_a_run_without_capital_is_refused() -> None:
    with pytest.raises(BadData, match="capital 0"):
        backtest(CoveredCall(("NIFTY",)), [], SPAN, 0)
