"""A strategy of another package trades a day beside the one that ships: built, installed and found as a user's is."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.desk.runs import LIMIT_S, Desk, Ended, broker_of, decisions_of, participant
from tests.history.recorded import DATA, needs_data
from tests.source import ROOT, SRC

DAY = "2026-11-26"
WATCHLIST = """
[[watchlist]]
symbol = "NIFTY"
strategy = "iron_condor"
[watchlist.weights]
days_to_expiry_max = 6
[watchlist.settings]
short_delta = 0.2
wing_share = 0.01
close_days = 4

[[watchlist]]
symbol = "BANKNIFTY"
"""
NEXT = "2026-11-27"
MADE = ("--lockstep", "--date", f"{DAY}..{NEXT}", "--symbols", "NIFTY,BANKNIFTY", "--step", "1800")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The example's package, really built and installed into a folder; the environment in which Python finds it."""
    folder = tmp_path_factory.mktemp("package")
    shutil.copytree(ROOT / "examples" / "iron_condor", folder / "source")
    install(folder / "source", folder / "target")
    return {"PYTHONPATH": os.pathsep.join([str(SRC), str(folder / "target")])}


def install(source: Path, target: Path) -> None:
    """Build and install without a network and without a fresh environment to build in."""
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet"]
    command = [sys.executable, "-m", "pip", "install", *offline, "--target", str(target), str(source)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def traded(installed: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ended]:
    home = tmp_path_factory.mktemp("two") / "home"
    config = home.parent / "participant.toml"
    config.write_text(WATCHLIST)
    with Desk(home, *MADE, "--config", config, also=installed) as desk:
        return home, desk.ended()


def test_four_legs_are_opened_beside_a_covered_call_and_closed_the_next_day(traded: tuple[Path, Ended]) -> None:
    home, ended = traded
    assert (ended.status, ended.err) == (0, "")
    first, second = ended.summaries
    assert (first["orders"], second["orders"]) == ({"filled": 6}, {"filled": 4})
    for day in (first, second):
        assert (day["breaks"], day["unknown"], day["tickets"], day["restarts"]) == ([], [], [], {})
    opened = {d["scrip"]: [leg["side"] for leg in d["legs"]] for d in decisions_of(home, DAY) if d["action"] == "open"}
    assert opened == {"NIFTY": ["buy", "buy", "sell", "sell"], "BANKNIFTY": ["buy", "sell"]}
    (closed,) = (d for d in decisions_of(home, NEXT) if d["action"] == "close")
    assert [leg["side"] for leg in closed["legs"]] == ["buy", "buy", "sell", "sell"]
    assert second["positions"]["NIFTY"] == "flat"
    ledger = broker_of(home)["ledger"]
    assert sorted(line["quantity"] for line in ledger["lines"].values()) == [-30, 30]
    assert first["charges"] + second["charges"] == ledger["charges"]


def test_its_decisions_replay_to_the_byte_are_made_again_by_hand_and_are_explained(
    traded: tuple[Path, Ended], installed: Mapping[str, str]
) -> None:
    home, _ = traded
    replayed = participant(home.parent, "replay", DAY, "--home", home, also=installed)
    count = len(decisions_of(home, DAY))
    assert (replayed.status, replayed.err) == (0, "")
    assert replayed.out == f"{DAY}: {count} decisions equal to the byte, 0 not, 0 outcomes without a decision\n"
    opened = next(d for d in decisions_of(home, DAY) if d["action"] == "open" and d["scrip"] == "NIFTY")
    held = next(d for d in decisions_of(home, DAY) if d["scrip"] == "NIFTY" and "held at" in d["reason"])
    again = participant(home.parent, "decide", opened["decisionId"], "--home", home, also=installed)
    assert (again.status, again.err.rpartition(": ")[2]) == (0, "equal to the byte\n")
    explained = participant(home.parent, "explain", held["decisionId"], "--home", home, also=installed)
    assert explained.status == 0
    assert "strategy iron_condor" in explained.out
    assert len({d["buildId"] for d in decisions_of(home, DAY)}) == 2, "the strategy's version is part of its build"


def test_without_its_package_nothing_of_it_is_decided_again(traded: tuple[Path, Ended]) -> None:
    home, _ = traded
    config = home.parent / "participant.toml"
    said = "no strategy 'iron_condor'; known: covered_call; name one of these, or install the package that offers it\n"
    opened = next(d for d in decisions_of(home, DAY) if d["action"] == "open" and d["scrip"] == "NIFTY")
    for words in (
        ("config", "check", "--config", config),
        ("replay", DAY, "--home", home),
        ("decide", opened["decisionId"], "--home", home),
        ("explain", opened["decisionId"], "--home", home),
    ):
        refused = participant(home.parent, *words)
        assert (refused.status, refused.out) == (2, ""), words
        assert refused.err.startswith("participant: ")
        assert refused.err.endswith(f"NIFTY: {said}")
        assert refused.err.count("\n") == 1


def test_without_its_package_its_scrip_is_left_out_and_the_others_trade(
    traded: tuple[Path, Ended], tmp_path: Path
) -> None:
    home, _ = traded
    with Desk(tmp_path / "new", *MADE, "--config", home.parent / "participant.toml") as desk:
        ended = desk.ended()
    assert ended.status == 1, "part of what was asked for was not done"
    assert "NIFTY: no strategy 'iron_condor'; known: covered_call" in ended.summaries[0]["watchlist"]
    assert {d["scrip"] for day in (DAY, NEXT) for d in decisions_of(tmp_path / "new", day)} == {"BANKNIFTY"}


RECORDED = """
[[watchlist]]
symbol = "NIFTY"
strategy = "iron_condor"
[watchlist.weights]
iv_rank_min = 0.0
iv_over_realised_min = 0.0
days_to_expiry_min = 2
spread_max = 0.05
blackout = "off"
[watchlist.settings]
wing_spread_max = 0.3
credit_share_min = 0.05
loss_share_max = 0.01
"""


@needs_data
def test_on_recorded_days_what_fills_in_part_is_closed_all_the_same(
    installed: Mapping[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "participant.toml"
    config.write_text(RECORDED)
    data = ("--data", DATA / "nse_chain_2018_10_to_2019_04", "--data", DATA / "nse_daily_official")
    with Desk(tmp_path / "home", *data, "--date", "2019-04-01..2019-04-02", "--config", config, also=installed) as desk:
        ended = desk.ended()
    assert (ended.status, ended.err) == (0, "")
    first, second = ended.summaries
    assert first["orders"] == {"filled": 4}
    for day in (first, second):
        assert (day["breaks"], day["unknown"], day["tickets"], day["buried"]) == ([], [], [], {})
    closes = [d for d in decisions_of(tmp_path / "home", "2019-04-02") if d["action"] == "close"]
    assert [len(d["legs"]) for d in closes] == [4, 3]
    assert "only a part of it is held" in closes[1]["reason"]
    assert second["positions"]["NIFTY"] == "flat"
