"""The tear sheet: every figure of a made result by hand, a page that stands alone, and a recorded run to the paisa."""

import json
import re
from pathlib import Path

import pytest

from participant.cli import main
from participant.history.pages import BadData
from participant.research import sheet_text
from participant.research.backtest import CoveredCall, backtest
from participant.research.outcomes import Written, covers_held, index_part, written
from participant.research.result import Result
from participant.research.sheet import Sheet
from participant.research.sheet_page import page
from tests.days.__main__ import EAGER
from tests.history.recorded import needs_data
from tests.research.made import CAPITAL, CHARGES, COVER, DAYS, FIRST, PREMIUM, RUPEE, SECOND, WORTHS, saved
from tests.research.test_backtest import CHAIN, SPAN


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    return saved(tmp_path_factory.mktemp("made") / "run")


@pytest.fixture(scope="module")
def sheet(result: Result) -> Sheet:
    return Sheet(result)


def test_the_gain_is_taken_apart_to_the_paisa(sheet: Sheet) -> None:
    """The first call: 40 - 50. The second: 25 of 75 units at 30 - 20, the rest at 30 - 25. The index: bought at 11,500,
    at 11,620 at the last close; the future moved 110, so 10 a unit are basis."""
    assert sheet.attribution == {
        "premium of calls expired": -10 * 75 * RUPEE,
        "premium of calls delivered": 0,
        "premium of calls bought back": 0,
        "premium of calls rolled": 10 * 25 * RUPEE,
        "premium of calls still held": 5 * 50 * RUPEE,
        "cover: the underlying's move": 120 * 75 * RUPEE,
        "cover: basis, spread and roll": -10 * 75 * RUPEE,
        "charges": CHARGES,
    }
    assert sum(sheet.attribution.values()) == sheet.gain == PREMIUM + COVER + CHARGES


def test_each_option_says_what_it_brought_and_how_it_ended(sheet: Sheet) -> None:
    first, second = sheet.written
    assert (first.contract, first.received, first.paid_back, first.given_up) == (FIRST, 300_000, 375_000, 375_000)
    assert (first.ending, first.since, first.until) == ("expired", DAYS[0], DAYS[1])
    assert (second.contract, second.received, second.paid_back, second.given_up) == (SECOND, 225_000, 50_000, 0)
    assert (second.ending, second.units, second.cash) == ("held", -50, 150_000)
    (sold,) = sheet.sold
    assert (sold.contracts, sold.received, sold.paid_back, sold.given_up) == (2, 525_000, 425_000, 375_000)
    assert sold.endings == {"expired": 1, "held": 1}


def test_what_does_not_divide_stays_with_what_is_left() -> None:
    one = Written("X-20190411-100CE", "X", "2019-04-10")
    one.move(-3, 100, "", "2019-04-10")
    one.move(1, -10, "bought back", "2019-04-10")
    assert (one.made, one.units, one.cash) == ({"bought back": 23}, -2, 67)
    one.move(2, -20, "bought back", "2019-04-11")
    assert (one.made, one.units, one.cash) == ({"bought back": 100 - 30}, 0, 0)


def test_units_beyond_what_is_held_begin_anew() -> None:
    one = Written("X-20190411-100CE", "X", "2019-04-10")
    one.move(-2, 100, "", "2019-04-10")
    one.move(3, -90, "bought back", "2019-04-10")
    assert (one.made, one.units, one.cash) == ({"bought back": 40}, 1, -30)


def test_a_delivered_call_cost_what_it_was_worth_and_took_its_shares() -> None:
    """Bought at 95, a call at 100 sold for 3, delivered at 104: the call makes -1 a share, the cover 104 - 95."""
    option, shares, days = "X-20190411-100CE", "X-EQ", ["2019-04-10", "2019-04-11"]
    of = {"scrip": "X", "decision_id": "a"}
    fills = [
        of | {"contract": shares, "day": days[0], "side": "buy", "quantity": 100, "value": 9_500 * RUPEE},
        of | {"contract": option, "day": days[0], "side": "sell", "quantity": 100, "value": 300 * RUPEE},
    ]
    events = [
        {"kind": "delivered", "contract": option, "quantity": -100, "price": 1_040_000, "amount": 10_000 * RUPEE},
        {"kind": "shares", "contract": shares, "quantity": -100, "price": 1_000_000, "amount": 0},
    ]
    events = [of | {"day": days[1]} | event for event in events]
    (call,) = written(fills, events, frozenset())
    assert (call.made, call.given_up, call.units) == ({"delivered": -100 * RUPEE}, 400 * RUPEE, 0)
    spots = {("a", "X"): 950_000, (days[1], "X"): 1_040_000}
    assert index_part(fills, events, spots) == 900 * RUPEE
    assert covers_held(fills, events, days) == {days[0]: {"X": 100}, days[1]: {"X": 0}}


def test_exposure_is_the_cover_at_spot_as_a_share_of_the_book(sheet: Sheet) -> None:
    closes = (11_550, 11_650, 11_620)
    assert sheet.exposure == pytest.approx([75 * c * RUPEE / w for c, w in zip(closes, WORTHS, strict=True)])


def test_returns_begin_with_the_capital_and_a_benchmarks_with_its_first_close(sheet: Sheet) -> None:
    assert sheet.returns["worth"][0] == pytest.approx(WORTHS[0] / CAPITAL - 1)
    assert sheet.returns["cover_alone"] == pytest.approx([0.01, 1.02 / 1.01 - 1])
    assert sheet.returns["overwrite"] == [0.0, 0.0]
    (month,) = sheet.months
    assert month.month == "2019-04"
    assert month.returns == pytest.approx({"worth": WORTHS[-1] / CAPITAL - 1, "cover_alone": 0.02, "overwrite": 0.0})


def test_what_happened_stands_on_the_price_with_its_kind(sheet: Sheet) -> None:
    marks = [(mark.kind, mark.day, mark.level) for mark in sheet.marks("NIFTY")]
    assert marks == [
        ("open", DAYS[0], 11_500), ("open", DAYS[1], 11_640), ("roll", DAYS[2], 11_610),
        ("expired", DAYS[1], 11_650), ("refusal", DAYS[2], 0),
    ]  # fmt: skip


def test_the_data_are_said_by_kind_with_how_often(sheet: Sheet) -> None:
    assert sheet.modelled == {"options": (3, 0), "covers": (1, 1)}
    assert sheet.derived_errors == {"parity": [4.0, 6.0]}
    assert sheet.notes[0] == (2, DAYS[0], "NIFTY: 12 of 14 rows <taken>")


def test_thin_history_derived_covers_and_other_weights_are_said(sheet: Sheet) -> None:
    said = "\n".join(sheet_text.readings(sheet))
    for part in (
        "3 days and 2 option contracts are a thin history",
        "1 recorded day could not be played",
        "On average the cover held was worth 87 % of the book",
        "1 of 1 fill of covers were at derived quotes; derived futures lay 6 basis points",
        "These are not the weights that ship: iv_rank_min=0.0",
    ):
        assert part in said
    assert sheet_text.method(sheet) == "Fewer than 20 days: no intervals are given."


def test_a_move_that_may_be_a_bonus_is_said_first(result: Result) -> None:
    """BIOCON on 13 June 2019: one share became two, and the books had one."""
    sheet = Sheet(result)
    assert not any("a split or a bonus" in said for said in sheet_text.readings(sheet))
    sheet.of_scrips = {"BIOCON": [{"day": DAYS[0], "spot": 5_369_000}, {"day": DAYS[1], "spot": 2_567_500}]}
    first = next(iter(sheet_text.readings(sheet)))
    assert first.startswith(f"BIOCON moved -52.2 % from {DAYS[0]} to {DAYS[1]}: if that is a split or a bonus")


def test_a_benchmark_that_is_not_known_is_left_out_and_said(tmp_path: Path) -> None:
    sheet = Sheet(saved(tmp_path / "run", overwrite=False))
    assert set(sheet.series) == {"worth", "cover_alone"}
    assert any("nothing to say of the overwrite" in said for said in sheet_text.readings(sheet))
    assert "overwrite</th>" not in page(sheet)


def test_the_page_stands_alone_escapes_what_it_is_told_and_is_the_same_each_time(result: Result, sheet: Sheet) -> None:
    told = page(sheet)
    assert told == page(Sheet(result))
    assert told.count("<svg ") == 5
    assert not re.search(r"<script|<link|<img|@import|url\((?!#)", told)
    assert not re.search(r"(?:src|href)=.?(?!\"?#)\w", told.replace("xlink:href", ""))
    assert "open &lt;a&gt;" in told
    assert "<taken>" not in told


def test_the_command_writes_the_page_and_says_the_same_in_short(
    result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "sheet.html"
    assert main(["backtest", "report", str(result.folder), "--html", str(target)]) == 0
    told = capsys.readouterr().out
    assert "₹1,000,000 became ₹1,007,998: ₹7,998 after charges" in told
    assert told.endswith(f"page: {target}\n")
    assert target.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert main(["backtest", "report", str(result.folder), "--html", str(target), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gain"] == sum(Sheet(result).attribution.values())


@pytest.mark.parametrize("more", [[], ["--html", "/nowhere/sheet.html"]])
def test_what_cannot_be_read_or_written_ends_in_one_line(
    more: list[str], result: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = result.folder if more else tmp_path / "none"
    assert main(["backtest", "report", str(folder), *more]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_result_of_an_earlier_version_is_refused(result: Result) -> None:
    class Old(Result):
        def rows(self, name: str) -> object:  # type: ignore[override]  # a table that lacks what came later
            kept = super().rows(name)
            return ({k: v for k, v in row.items() if k != "overwrite"} for row in kept) if name == "equity" else kept

    with pytest.raises(BadData, match="run the backtest again"):
        Sheet(Old(result.folder, result.summary))


@needs_data
def test_a_recorded_run_is_taken_apart_to_the_paisa(tmp_path: Path) -> None:
    result = backtest(CoveredCall(("NIFTY", "BANKNIFTY"), EAGER), CHAIN, SPAN, 10_000_000, tmp_path / "run")
    sheet = Sheet(result)
    assert sum(sheet.attribution.values()) == result.gain
    assert sheet.attribution["premium of calls expired"] != 0
    assert len(sheet.written) == len({row["contract"] for row in sheet.fills if row["contract"].endswith("CE")})
    assert "Premium captured" in page(sheet)
