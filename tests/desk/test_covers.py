"""Whole days of covers that are no futures: a fund that a person holds, and a stock that is bought for its calls."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.desk.runs import COARSE, DAY, Desk, Ended, decisions_of, participant, trade
from tests.history.recorded import DATA, needs_data

THURSDAY, FRIDAY = "2026-11-26", "2026-11-27"
HELD = """
[[watchlist]]
symbol = "NIFTY"
[watchlist.weights]
cover = "held"
"""
# What ten recorded days cannot say of a stock's past is not asked.
STOCK = """
[[watchlist]]
symbol = "RELIANCE"
[watchlist.weights]
cover = "stock"
iv_rank_min = 0.0
iv_over_realised_min = 0.0
look_back_sessions_min = 0
spread_max = 0.5
crash_loss_share_max = 1.0
"""


def clean(ended: Ended) -> dict[str, Any]:
    """The last day's summary, of days that nobody needs to look at."""
    assert ended.status == 0, ended.err
    for summary in ended.summaries:
        assert (summary["breaks"], summary["tickets"], summary["unknown"], summary["buried"]) == ([], [], [], {})
    return ended.summaries[-1]


def adopt(home: Path, units: int, *words: str) -> Ended:
    said = ("--name", "NIFTYBEES", "--units", units, "--ratio", 101, "--by", "Asha", "--note", "free in demat")
    return participant(home.parent, "desk", "adopt-cover", "NIFTY", "--home", home, *said, *words)


def report(home: Path, day: str) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((home / "reports" / f"{day}.json").read_bytes())
    return values


@pytest.fixture(scope="module")
def fund(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made day without any cover, then two lots of it declared, then two more days."""
    folder = tmp_path_factory.mktemp("fund")
    home, file = folder / "home", folder / "held.toml"
    file.write_text(HELD)
    words = [word for word in COARSE if word not in {"--date", DAY}]
    first = clean(trade(home, *words, "--date", DAY, "--config", file))
    assert first["decisions"].keys() == {"maintain"}
    assert decisions_of(home, DAY)[0]["reason"].startswith("no cover is declared: `participant desk adopt-cover NIFTY`")
    done = adopt(home, 2 * 65 * 101)
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        "declared: 13,130 of NIFTYBEES, 101 to a unit; 130 units of NIFTY can be written against, 0 are\n"
    )
    clean(trade(home, *words, "--date", f"{THURSDAY}..{FRIDAY}", "--config", file))
    return home


def test_calls_are_written_against_the_fund_from_the_next_decision_on(fund: Path) -> None:
    opened = [d for d in decisions_of(fund, THURSDAY) if d["action"] == "open"]
    assert [leg["side"] for d in opened for leg in d["legs"]] == ["sell"]
    assert opened[0]["legs"][0]["quantity"] == 130
    assert opened[0]["legs"][0]["margin"] > 0
    again = participant(fund.parent, "replay", "--home", fund, f"{DAY}..{FRIDAY}")
    assert (again.status, again.err) == (0, "")


def test_a_fund_that_comes_in_is_no_gain_and_its_moves_are_explained_to_the_paisa(fund: Path) -> None:
    assert report(fund, DAY)["result"] == 0
    for day in (THURSDAY, FRIDAY):
        values = report(fund, day)
        assert values["not_explained"] == 0
        assert abs(values["result"]) < 13_130 * 245_00 // 10  # far less than the fund is worth
        parts = values["explained"]["NIFTY"]
        assert abs(parts["residual"]) < 0.3 * sum(abs(v) for name, v in parts.items() if name != "total")


def test_the_person_is_reminded_of_what_counts_by_their_word(fund: Path) -> None:
    shown = participant(fund.parent, "tradebook", "--home", fund, "--day", DAY)
    assert "declared +13130 NIFTY-EQ" in shown.out
    rows = json.loads(participant(fund.parent, "tradebook", "--home", fund, "--day", DAY, "--json").out)
    assert rows["events"][0]["note"] == "Asha: NIFTYBEES, 101 to a unit: free in demat"
    held = participant(fund.parent, "positions", "--home", fund)
    assert "+13130 NIFTY-EQ" in held.out


def test_no_more_is_released_than_the_calls_leave(fund: Path) -> None:
    few = adopt(fund, 130 * 101 - 1)
    assert few.status == 2
    assert "130 units of calls are written or ordered, and 13,129 of NIFTY-EQ would leave 129 units of cover" in few.err
    assert adopt(fund, 140 * 101).status == 0
    assert adopt(fund, 130 * 101).status == 0


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("adopt-cover", "GOLD", "--name", "X", "--units", "1", "--note", "n"), "scrip GOLD is not on the watchlist"),
        (("adopt-cover", "NIFTY", "--name", "X", "--units", "-1", "--note", "n"), "-1 is not within 0 and"),
        (
            ("adopt-cover", "NIFTY", "--name", "X", "--units", "1", "--ratio", "0", "--note", "n"),
            "0 is not within 1 and",
        ),
        (("adopt-cover", "NIFTY", "--name", "X", "--units", "1", "--note", " "), "--note takes 1 to 200 plain letters"),
    ],
)
def test_what_cannot_be_declared_is_refused_in_a_line(fund: Path, words: tuple[str, ...], why: str) -> None:
    ended = participant(fund.parent, "desk", *words, "--home", fund)
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert why in ended.err


@needs_data
def test_a_recorded_stock_is_bought_and_its_call_sold_without_a_break(tmp_path: Path) -> None:
    file = tmp_path / "stock.toml"
    file.write_text(STOCK)
    data = ("--data", DATA / "nse_stock_chain_2019_06", "--data", DATA / "nse_daily_official")
    with Desk(tmp_path / "home", "--lockstep", *data, "--date", "2019-06-13", "--config", file) as desk:
        summary = clean(desk.ended())
    assert summary["orders"] == {"filled": 2}
    (opened,) = [d for d in decisions_of(tmp_path / "home", "2019-06-13") if d["action"] == "open"]
    assert [(leg["side"], leg["contract"]["kind"], leg["quantity"]) for leg in opened["legs"]] == [
        ("buy", "EQ", 500),
        ("sell", "CE", 500),
    ]
    assert summary["positions"]["RELIANCE"].endswith("+500 EQ")
    assert any("the stock's own quote derived" in note for note in summary["notes"])
    assert report(tmp_path / "home", "2019-06-13")["not_explained"] == 0
