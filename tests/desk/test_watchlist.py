"""The watchlist from the command line: versions that begin with a session, and days that trade with theirs."""

import gzip
import json
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.adapters.stores.sqlite import SqliteStore
from participant.cli import main
from participant.core.messages import Write
from participant.links.watchlist import add, versions
from participant.operate.journal import verify
from tests.desk.runs import COARSE, DAY, Ended, participant, trade

NEXT, AFTER = "2026-11-26", "2026-11-27"
BOTH = '[[watchlist]]\nsymbol = "NIFTY"\n[[watchlist]]\nsymbol = "BANKNIFTY"\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new home, in a folder without a configuration."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


def said(capsys: pytest.CaptureFixture[str], home: Path, *words: str) -> tuple[int, str]:
    """The status of `participant watchlist ...` and the one line or the text that it said."""
    status = main(["watchlist", *words, "--home", str(home)])
    out, err = capsys.readouterr()
    assert err.count("\n") == (status == 2)
    return status, out if status == 0 else err


def put(home: Path, *words: str) -> int:
    return main(["watchlist", *words, "--note", "a reason", "--by", "ann", "--home", str(home), "--quiet"])


def listed(capsys: pytest.CaptureFixture[str], home: Path) -> dict[str, object]:
    status, out = said(capsys, home, "list", "--json")
    assert status == 0
    found: dict[str, object] = json.loads(out)
    return found


# --- versions ---------------------------------------------------------------------------------------------------------


def test_a_list_is_put_down_in_versions_with_who_when_and_why(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "version 1, from the start (the configuration)\n" in said(capsys, home, "list")[1]
    assert not home.exists()
    assert put(home, "set", "nifty", "target_delta=0.2", "after_call=resell") == 0
    assert put(home, "set", "RELIANCE", "--add", "is_enabled=false") == 0
    text = said(capsys, home, "list")[1]
    assert "version 2, from the start (set by ann on 20" in text
    assert "  NIFTY        covered_call   target_delta 0.2, after_call resell\n" in text
    assert "  RELIANCE     covered_call   is_enabled False\n" in text
    shown = said(capsys, home, "show", "NIFTY")[1]
    assert "target_delta             0.2  (default 0.25)\n" in shown
    assert ": a reason: NIFTY target_delta 0.25 -> 0.2, after_call flatten -> resell\n" in shown
    assert "version 3" not in shown


def test_a_list_that_was_exported_is_imported_as_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert put(home, "set", "NIFTY", "target_delta=0.2") == 0
    assert said(capsys, home, "export", "mine.toml")[0] == 0
    assert put(home, "set", "NIFTY", "target_delta=0.3") == 0
    assert put(home, "import", "mine.toml") == 0
    assert said(capsys, home, "export")[1].rstrip("\n") == Path("mine.toml").read_text().rstrip("\n")
    assert "mine.toml is there already" in said(capsys, home, "export", "mine.toml")[1]
    assert "nothing changes: version 4 has it so" in said(capsys, home, "import", "mine.toml", "--note", "again")[1]


def test_the_list_that_ships_has_the_indices_and_their_constituents_none_of_them_enabled(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put(home, "import", "--shipped") == 0
    version = listed(capsys, home)["version"]
    assert isinstance(version, dict)
    enabled = {row["symbol"]: row["is_enabled"] for row in version["scrips"]}
    assert [name for name, is_enabled in enabled.items() if is_enabled] == ["NIFTY", "BANKNIFTY"]
    assert len(enabled) == 2 + 59
    by_name = {row["symbol"]: row for row in version["scrips"]}
    assert by_name["RELIANCE"]["sector"] == "Oil Gas & Consumable Fuels"
    assert by_name["RELIANCE"]["limits"]["lots_max"] < by_name["NIFTY"]["limits"]["lots_max"]
    status, err = said(capsys, home, "import", "--note", "what")
    assert (status, "name a FILE, or say --shipped" in err) == (2, True)
    assert said(capsys, home, "import", "x.toml", "--shipped", "--note", "both")[0] == 2
    status, err = said(capsys, home, "import", "--shipped", "--note", "old", "--from", "2027-03-01")
    assert status == 2


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["set", "SENSEX", "--add", "is_enabled=true"], "no underlying 'SENSEX' is known to the rules"),
        (
            ["set", "INFY", "target_delta=0.2"],
            "INFY is not on it; `participant watchlist set INFY --add KEY=VALUE --note WHY`",
        ),
        (["set", "NIFTY", "--add", "target_delta=0.2"], "NIFTY stands on it already; leave --add out"),
        (["set", "NIFTY", "strategy=luck"], "NIFTY: no strategy 'luck'; known: "),
        (["set", "NIFTY", "target_delta=nan"], "NIFTY: target_delta = nan is not a number: write one"),
        (["set", "NIFTY", "hope=1"], "NIFTY: no setting 'hope' of a scrip"),
        (["set", "NIFTY", "days_to_expiry_min=60"], "days_to_expiry_min = 60 is over days_to_expiry_max = 35"),
        (["set", "NIFTY", "target_delta=0.2", "--from", "2026-11-24"], "2026-11-24 is no trading day; the next one is"),
        (["set", "NIFTY", "target_delta=0.2", "--from", "2031-01-01"], "no rule for the trading calendar on 2031"),
        (["import", "none.toml"], "none.toml cannot be read: No such file"),
        (["import", "twice.toml"], "row 2: NIFTY stands on the watchlist twice"),
        (["import", "odd.toml"], "odd.toml: [[watchlist]] row 1: Object contains unknown field `gamma`"),
        (["import", "foreign.toml"], "no underlying 'SENSEX' is known to the rules"),
        (["show", "TCS"], "TCS is not on it"),
    ],
)
def test_a_change_that_cannot_be_is_refused_in_one_line_and_nothing_is_written(
    words: list[str], what: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("twice.toml").write_text("[[watchlist]]\nsymbol = 'NIFTY'\n" * 2)
    Path("odd.toml").write_text("[[watchlist]]\nsymbol = 'NIFTY'\ngamma = 1\n")
    Path("foreign.toml").write_text("[[watchlist]]\nsymbol = 'SENSEX'\n")
    assert put(home, "set", "BANKNIFTY", "target_delta=0.3") == 0
    before = listed(capsys, home)
    status, err = said(capsys, home, *words, *(["--note", "a reason"] if words[0] != "show" else []))
    assert status == 2
    assert what in err
    assert listed(capsys, home) == before


def test_a_change_waits_for_the_session_asked_for_and_a_later_one_is_built_on_it(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert put(home, "set", "NIFTY", "target_delta=0.2", "--from", AFTER) == 0
    status, err = said(capsys, home, "set", "NIFTY", "target_delta=0.3", "--from", NEXT, "--note", "sooner")
    assert (status, "version 2 begins on 2026-11-27 already" in err) == (2, True)
    Path("whole.toml").write_text(BOTH)
    assert put(home, "import", "whole.toml", "--from", NEXT) == 0
    versions = listed(capsys, home)["versions"]
    assert isinstance(versions, list)
    assert [head.split(" (")[0] for head in versions] == [
        "version 1, from the start", f"version 2, from {AFTER} on", f"version 3, from {NEXT} on",
    ]  # fmt: skip


def rows_of(home: Path, day: str) -> list[dict[str, Any]]:
    """The watchlist rows that a day's decisions were made with, of the parts of its log."""
    with gzip.open(home / "decisions" / f"{day}.parts.jsonl.gz") as file:
        return [part["part"] for part in map(json.loads, file) if part["kind"] == "scrip"]


# --- days -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def traded(calm: tuple[Path, Ended], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a home that has traded one day."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(calm[0], tmp_path / "home")
    return tmp_path / "home"


def test_a_change_begins_with_the_next_session_and_each_day_is_replayed_by_its_own(
    traded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, err = said(capsys, traded, "set", "NIFTY", "target_delta=0.2", "--from", DAY, "--note", "now")
    assert (status, f"{DAY} has begun or is over; the first session that can change is {NEXT}" in err) == (2, True)
    status, text = said(capsys, traded, "set", "NIFTY", "target_delta=0.2", "--note", "less", "--by", "ann")
    assert (status, text.startswith(f"version 2, from {NEXT} on (set by ann on ")) == (0, True)
    options = [NEXT if word == DAY else word for word in COARSE]
    ended = participant(traded.parent, "trade", "--home", traded, *options)
    assert (ended.status, ended.err) == (0, "")
    assert f"  watchlist               version 2, from {NEXT} on\n" in ended.out
    deltas = {day: {row["weights"]["target_delta"] for row in rows_of(traded, day)} for day in (DAY, NEXT)}
    assert deltas == {DAY: {0.25}, NEXT: {0.2}}
    assert participant(traded.parent, "replay", f"{DAY}..{NEXT}", "--home", traded).status == 0
    store = SqliteStore(traded / "books.sqlite", is_durable=True)
    assert verify(store, NEXT, traded, (traded / "desk.pub").read_text().strip()).fault is None
    assert said(capsys, traded, "set", "NIFTY", "target_delta=0.3", "--note", "on")[1].startswith(
        f"version 3, from {AFTER} on"
    )


def test_a_version_that_can_no_longer_be_traded_on_ends_the_day_before_it_begins(
    traded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = SqliteStore(traded / "books.sqlite", is_durable=True)
    (first,) = versions(store)
    luck = replace(first.scrips[0], strategy="luck")
    gone = replace(first, number=2, since=date.fromisoformat(NEXT), scrips=(luck,))
    assert add(store, [first], gone)
    trading = ["trade", "--home", str(traded), "--lockstep", "--symbols", "NIFTY"]
    assert main(trading) == 2
    err = capsys.readouterr().err
    assert err.startswith("participant: watchlist version 2, [[watchlist]] row 1: NIFTY: no strategy 'luck'; known: ")
    assert err.count("\n") == 1
    assert store.commit([Write("watchlist", "000002", b'{"number":2}')])
    assert main(trading) == 2
    err = capsys.readouterr().err
    assert ("no Version: " in err, err.count("\n")) == (True, 1)


def test_a_configuration_that_changed_is_named_and_not_taken_over_before_it_is_imported(
    traded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("events.csv").write_text(f"symbol,day,name,source\nNIFTY,{NEXT},a vote,the ministry\n")
    own = '[desk]\nevents_file = "events.csv"\n'
    Path("participant.toml").write_text(own + BOTH.replace("\n", "\nspot_move_bp = 20\n", 1))
    options = [NEXT if word == DAY else word for word in COARSE]
    ended = trade(traded, *options)
    assert ended.status == 0
    assert "the rows of the configuration are others and were not taken over: " in ended.err
    assert ended.summary["watchlist"] == "version 1, from the start; the configuration has others"
    assert {row["spot_move_bp"] for row in rows_of(traded, NEXT)} == {10}
    assert [row["events"][0]["name"] for row in rows_of(traded, NEXT)] == ["a vote"]
    assert "the configuration has changed and was not taken over: " in said(capsys, traded, "list")[1]
    assert put(traded, "import", "participant.toml") == 0
    assert listed(capsys, traded)["not_taken"] == []
