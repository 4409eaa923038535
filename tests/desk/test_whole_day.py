"""Whole days from the command line: what they end with, and how the next one goes on from there."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.desk.runs import DAY, SEED, Ended, broker_of, decisions_of, log_of, participant, trade

NEAR_EXPIRY = """
[[watchlist]]
symbol = "NIFTY"
[watchlist.weights]
days_to_expiry_min = 1
days_to_expiry_max = 2
"""
COARSE = ("--lockstep", "--seed", str(SEED), "--symbols", "NIFTY", "--step", "1800")


def test_a_day_ends_clean_with_its_orders_filled(calm: tuple[Path, Ended]) -> None:
    home, ended = calm
    assert (ended.status, ended.err) == (0, "")
    day = ended.summary
    assert day["day"] == DAY
    assert day["orders"] == {"filled": 2}
    assert day["fills"] == 2
    assert day["charges"] == broker_of(home)["ledger"]["charges"] > 0
    assert day["decisions"]["open"] == 1
    assert (day["breaks"], day["unknown"], day["tickets"], day["restarts"]) == ([], [], [], {})
    assert day["providers"] == ["one: the session began"]


def test_every_instant_of_a_day_is_decided_once(calm: tuple[Path, Ended]) -> None:
    home, ended = calm
    decided = decisions_of(home)
    assert sum(ended.summary["decisions"].values()) == len(decided) > 35
    assert len({d["decisionId"] for d in decided}) == len(decided)
    times = [d["decidedFor"] for d in decided]
    assert times == sorted(set(times))


def test_the_sealed_log_has_a_row_for_every_line(calm: tuple[Path, Ended]) -> None:
    home, ended = calm
    sealed = pq.read_table(ended.summary["sealed"])
    lines = log_of(home)
    assert sealed.num_rows == len(lines)
    assert sealed["decision_id"].to_pylist() == [d["decisionId"] for d in decisions_of(home)]


def test_the_next_days_carry_the_position_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    two_days = trade(home, *COARSE, "--date", "2026-11-25..2026-11-26")
    assert (two_days.status, two_days.err) == (0, "")
    first, second = two_days.summaries
    assert (first["day"], second["day"]) == ("2026-11-25", "2026-11-26")
    assert first["fills"] == 2
    assert second["fills"] == 0
    assert first["positions"] == second["positions"]
    assert first["positions"]["NIFTY"].count("65") >= 2
    assert first["breaks"] == second["breaks"] == []
    lines = broker_of(home)["ledger"]["lines"].values()
    assert sorted(line["quantity"] for line in lines) == [-65, 65]

    goes_on = trade(home, *COARSE)
    assert (goes_on.status, goes_on.summary["day"]) == (0, "2026-11-27")
    again = trade(home, *COARSE, "--date", "2026-11-26")
    assert again.status == 2
    assert "has closed 2026-11-27 already" in again.err


def test_a_call_that_expires_is_settled_and_its_cover_sold_at_the_next_open(tmp_path: Path) -> None:
    home, config = tmp_path / "home", tmp_path / "near.toml"
    config.write_text(NEAR_EXPIRY)
    # With this seed the index rises through the strike: the call ends in the money and is paid for in cash.
    days = (*COARSE, "--seed", 23, "--date", "2026-11-30..2026-12-02")
    ended = trade(home, *days, "--config", config)
    assert (ended.status, ended.err) == (0, "")
    opened, expired, flat = ended.summaries
    assert opened["positions"]["NIFTY"] == "-65 20261201-22050CE, +65 20261229-FUT"
    assert expired["positions"]["NIFTY"] == "+65 20261229-FUT"
    assert expired["fills"] == 0
    assert flat["positions"]["NIFTY"] == "flat"
    assert flat["orders"] == {"filled": 1}
    assert [day["breaks"] for day in ended.summaries] == [[], [], []]
    first = decisions_of(home, "2026-12-02")[0]
    assert (first["action"], len(first["legs"])) == ("close", 1)
    ledger = broker_of(home)["ledger"]
    assert ledger["lines"] == {}
    assert sum(day["result"] for day in ended.summaries) == ledger["traded"] - ledger["charges"]


@pytest.mark.parametrize("quiet", [False, True])
def test_the_summary_is_text_for_people_unless_it_is_asked_to_be_quiet(tmp_path: Path, quiet: bool) -> None:
    options = ["--quiet"] if quiet else []
    ended = participant(tmp_path, "trade", "--home", tmp_path / "home", *COARSE, "--date", DAY, *options)
    assert (ended.status, ended.err) == (0, "")
    if quiet:
        assert ended.out == ""
        return
    assert f"Summary of {DAY}" in ended.out
    for line in ("orders                  2 filled", "breaks with the broker  none", "dead letters            none"):
        assert line in ended.out
    assert "09:15:00 NIFTY open: buy 65" in ended.out
