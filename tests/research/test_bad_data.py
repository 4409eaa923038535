"""Recorded days with something wrong in them, through the backtest: refused, or carried by a rule that it states."""

import datetime
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.rulebook import Rulebook
from participant.history.pages import Page
from participant.history.recordings import load_day, open_recordings
from participant.research.backtest import CoveredCall, Run, backtest
from participant.research.days import Days, Span
from participant.research.engine import InlineDesk
from participant.research.result import Result, ResultWriter
from tests.days.__main__ import EAGER, OFFICIAL
from tests.history.recorded import DATA, needs_data

pytestmark = needs_data

CHAIN = DATA / "nse_chain_2018_10_to_2019_04"
STRATEGY = CoveredCall(("BANKNIFTY",), EAGER)
OPENED, HELD, ENDED = (datetime.date(2019, 4, day) for day in (12, 15, 18))
SOLD = 30_300  # the call that is sold on the 12th

Change = Callable[[dict[str, Any]], None]


def changed(folder: Path, change: Change) -> Path:
    """The pages of BANKNIFTY of 12 April, with something done to the rows of the call that would be sold."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    since, until = (datetime.datetime.fromisoformat(f"2019-04-{day} 00:00+05:30") for day in ("12", "13"))
    span = [("ts_ist", ">=", since), ("ts_ist", "<", until)]
    table = pq.read_table(CHAIN / "BANKNIFTY_near_expiry.parquet", filters=span)
    rows = table.to_pylist()
    for row in rows:
        if row["strike"] == SOLD:
            change(row)
    file = folder / "pages.parquet"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), file)
    return file


def played(folder: Path, change: Change) -> Result:
    span, data = Span(OPENED, OPENED), [changed(folder, change), DATA / OFFICIAL]
    return backtest(STRATEGY, data, span, 10_000_000, folder / "run")


def nobody_bids(row: dict[str, Any]) -> None:
    row["call_bid"], row["call_bid_qty"] = 0.0, 0


def below_zero(row: dict[str, Any]) -> None:
    row["call_bid"], row["call_ask"] = -5.0, -4.5


def test_the_day_as_it_was_sells_that_call(tmp_path: Path) -> None:
    fills = [(row["contract"], row["side"]) for row in played(tmp_path, lambda _: None).rows("fills")]
    assert (f"BANKNIFTY-20190418-{SOLD}CE", "sell") in fills


@pytest.mark.parametrize("change", [nobody_bids, below_zero])
def test_a_call_that_nobody_bids_for_or_at_a_price_below_0_is_not_sold(tmp_path: Path, change: Change) -> None:
    result = played(tmp_path, change)
    assert result.summary.status == "done"
    assert all(f"-{SOLD}CE" not in row["contract"] for row in result.rows("fills"))
    assert all(row["price"] > 0 for row in result.rows("fills"))
    if change is below_zero:
        assert any("below 0" in note.note for note in result.summary.data.notes)


def with_lots(rules: Rulebook, units: int) -> Rulebook:
    """The rules with another lot of BANKNIFTY's contracts of these days."""
    return replace(rules, lots=tuple(replace(r, units=units) if r.symbol == "BANKNIFTY" else r for r in rules.lots))


def in_lots_of_40(page: Page) -> Page:
    return replace(page, cells=tuple(replace(c, bid_size=2 * c.bid_size, ask_size=2 * c.ask_size) for c in page.cells))


@pytest.fixture
def held() -> InlineDesk:
    """Three lots of 20, of the future and of the call sold against it."""
    rules = load_rules()
    desk = InlineDesk(STRATEGY.rows, rules, 1_000_000_000)
    desk.play(load_day(open_recordings([CHAIN, DATA / OFFICIAL]), OPENED, rules, STRATEGY.underlyings))
    desk.forget()
    assert sorted(h.quantity for p in desk.positions() for h in p.holdings) == [-60, 60]
    return desk


def test_a_lot_that_changes_under_what_is_held_is_taken_over_where_it_stays_whole(held: InlineDesk) -> None:
    held.rules = with_lots(held.rules, 10)
    market = load_day(open_recordings([CHAIN, DATA / OFFICIAL]), HELD, held.rules, STRATEGY.underlyings)
    assert held.odd_lots(market) == []
    assert held.play(market).breaks == ()
    assert {h.contract.lot for p in held.positions() for h in p.holdings} == {10}


def test_a_run_ends_before_a_day_whose_lot_leaves_an_odd_rest(held: InlineDesk, tmp_path: Path) -> None:
    # A page whose sizes are no whole lots is kept apart, so these are made whole ones of the new lot.
    recordings = replace(open_recordings([CHAIN, DATA / OFFICIAL]), change=in_lots_of_40)
    writer = ResultWriter(tmp_path / "run")
    days = Days(recordings, STRATEGY.underlyings, Span(OPENED, ENDED))
    run = Run(STRATEGY, with_lots(held.rules, 40), days, writer, 1_000_000_000)
    run.desk.books, run.desk.kept = held.books, held.kept
    assert not run.day(HELD)
    assert run.status == "stopped"
    (note,) = run.notes
    assert "the lot has changed and nothing can close" in note.note
    assert "+60 BANKNIFTY-20190425-FUT in lots of 40" in note.note
    writer.close()


def official_where(folder: Path, is_kept: Callable[[str, bytes], bool]) -> Path:
    """The official series without the rows, each of a file's name, that are not to be kept."""
    official = folder / "official"
    official.mkdir()
    for file in (DATA / OFFICIAL).glob("*.gz"):
        head, *rows = gzip.decompress(file.read_bytes()).splitlines(keepends=True)
        kept = [row for row in rows if is_kept(file.name, row)]
        (official / file.name).write_bytes(gzip.compress(b"".join([head, *kept])))
    return official


def test_an_expiry_without_its_official_close_is_not_settled_at_a_last_seen_price(tmp_path: Path) -> None:
    ended = str(ENDED).encode()
    official = official_where(tmp_path, lambda name, row: "futures" in name or not row.startswith(ended))
    result = backtest(STRATEGY, [CHAIN, official], Span(OPENED, ENDED), 10_000_000, tmp_path / "run")
    assert result.summary.status == "stopped"
    said = [row["text"] for row in result.rows("events") if row["kind"] == "not played"]
    assert any(f"BANKNIFTY-20190418-{SOLD}CE cannot be settled at an official price" in text for text in said)
    assert not [row for row in result.rows("events") if row["kind"] == "expired"]


def test_a_call_that_expires_after_the_last_day_of_the_data_is_told_to_be_unsettled(tmp_path: Path) -> None:
    """The pages end on the 12th, the official prices on the 16th; the call ends on the 18th, within the span."""
    official = official_where(tmp_path, lambda name, row: name.startswith("india") or row[:10] <= b"2019-04-16")
    data, span = [changed(tmp_path, lambda _: None), official], Span(OPENED, datetime.date(2019, 4, 24))
    result = backtest(STRATEGY, data, span, 10_000_000, tmp_path / "run")
    assert result.summary.status == "stopped"
    said = [row["text"] for row in result.rows("events") if row["kind"] == "not settled"]
    assert said == [
        f"BANKNIFTY-20190418-{SOLD}CE expired by 2019-04-24, and no day that could be played settles it at an "
        "official price"
    ]
    assert f"not settled: {said[0]}" in [note.note for note in result.summary.data.notes if note.day == str(ENDED)]


def test_a_call_that_outlives_the_span_is_held_at_its_end(tmp_path: Path) -> None:
    data = [changed(tmp_path, lambda _: None), DATA / OFFICIAL]
    assert backtest(STRATEGY, data, Span(OPENED, HELD), 10_000_000, tmp_path / "run").summary.status == "done"
