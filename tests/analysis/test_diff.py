"""`participant decisions diff`: exactly the decisions that another build or other weights make otherwise."""

import json
import shutil
from math import nan
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.cli import main
from participant.core.account import Account
from participant.core.brain import decide, refuse
from participant.core.decision import undecided
from participant.core.market import SECOND, MarketState
from participant.core.messages import JobResult
from participant.core.position import Position
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip, Weights
from participant.core.strategies.table import STRATEGIES
from participant.core.strategy import Case, Plugin, Verdict, maintain
from tests.analysis.logs import INFO, SCRIP, decided, record, write_log
from tests.core.worlds import NOON, RULES, chain_state
from tests.source import SRC

DAY = "2026-11-23"
# From poor to rich volatility: the rank goes through 0.3, which is the logged weights' least, and through 0.6.
STATES = [chain_state(NOON + i * SECOND, sigma=0.11 + i * 0.004) for i in range(12)]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    write_log(tmp_path, DAY, [record(state) for state in STATES])
    return tmp_path


def differ(home: Path, capsys: pytest.CaptureFixture[str], *words: object, status: int = 0) -> Any:
    assert main(["decisions", "diff", "--home", str(home), "--json", *map(str, words)]) == status
    out, err = capsys.readouterr()
    return err if status else json.loads(out)


def test_the_same_build_and_weights_change_nothing(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert differ(home, capsys) == {"compared": 12, "undecided": 0, "changed": []}
    assert differ(home, capsys, "--weights", "iv_rank_min=0.3")["changed"] == []


def test_a_changed_weight_shows_exactly_the_decisions_that_it_changes(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(SCRIP, weights=Weights(iv_rank_min=0.6))
    expected = {
        line: (was.action, now.action)
        for line, state in enumerate(STATES, 1)
        if (was := decided(state)) != (now := decided(state, scrip=other))
    }
    actions = {line for line, (was, now) in expected.items() if was != now}
    assert 0 < len(actions) < len(STATES)
    found = differ(home, capsys, "--weights", "iv_rank_min=0.6")
    assert [change["line"] for change in found["changed"]] == list(expected)
    for change in found["changed"]:
        fields = {field["name"]: (field["before"], field["after"]) for field in change["fields"]}
        assert ("action" in fields) is (change["line"] in actions)
        if "action" in fields:
            assert fields["action"] == expected[change["line"]]
            assert {"reason", "legs", "risk"} <= fields.keys()
        else:
            assert fields.keys() == {"reason"}, "the sentence names the weight that it is under"


def test_two_sets_of_weights_are_compared_with_each_other(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    both = differ(home, capsys, "--weights", "iv_rank_min=0.6", "--against", "iv_rank_min=0.6")
    assert both["changed"] == []
    found = differ(home, capsys, "--against", "iv_rank_min=0.6")
    turned = {f["name"]: f["after"] for change in found["changed"] for f in change["fields"] if f["name"] == "action"}
    assert turned == {"action": "open"}


def cautious(scrip: Scrip, market: MarketState, position: Position, account: Account, rules: Rulebook) -> Verdict:
    """A strategy that does nothing."""
    return maintain("never today", {"spot": market.spot})


def test_a_changed_strategy_shows_every_decision_with_what_changed(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STRATEGIES, "cautious", Plugin(cautious, 1))
    found = differ(home, capsys, "--weights", "strategy=cautious")
    assert [change["line"] for change in found["changed"]] == list(range(1, 13))
    opened = [n for n, state in enumerate(STATES, 1) if decided(state).legs]
    legs = [c["line"] for c in found["changed"] if "legs" in {f["name"] for f in c["fields"]}]
    assert legs == opened


def test_another_version_of_the_brain_shows_exactly_what_it_says_otherwise(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkout in which one sentence is worded otherwise, and its number in the build with it."""
    other = tmp_path / "other"
    shutil.copytree(SRC / "participant", other / "src" / "participant", ignore=shutil.ignore_patterns("__pycache__"))
    for name, was, now in (("gates.py", " is under ", " is below "), ("brain.py", '"brain": ', '"brain": 100')):
        file = other / "src" / "participant" / "core" / name
        text = file.read_text(encoding="utf-8")
        assert was in text
        file.write_text(text.replace(was, now), encoding="utf-8")
    expected = [n for n, state in enumerate(STATES, 1) if " is under " in decided(state).reason]
    assert 0 < len(expected) < len(STATES)
    for words in (("--brain", other), ("--brain", other, "--against-brain", SRC.parent)):
        found = differ(home, capsys, *words)
        assert [change["line"] for change in found["changed"]] == expected
        assert {f["name"] for change in found["changed"] for f in change["fields"]} == {"reason"}
    assert differ(home, capsys, "--brain", SRC.parent)["changed"] == []
    (other / "src" / "participant" / "stages" / "decide.py").write_text("raise SystemExit(5)\n", encoding="utf-8")
    assert "its brain has ended" in differ(home, capsys, "--brain", other, status=2)


def test_outcomes_without_a_decision_are_not_decided_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    late = record(STATES[0], undecided(STATES[0], JobResult("j", "timeout", reason="600 s")))
    write_log(tmp_path, DAY, [late, record(STATES[1])])
    found = differ(tmp_path, capsys, "--weights", "target_delta=0.2")
    assert (found["compared"], found["undecided"]) == (1, 1)


def test_a_row_that_could_not_be_read_changes_nothing_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = replace(SCRIP, weights=replace(SCRIP.weights, spread_max=nan))
    known = Case(SCRIP, STATES[0], INFO.position, INFO.account, RULES)
    write_log(tmp_path, DAY, [record(STATES[0], refuse(known, "spread_max is not a number (JSON writes that as null)"),
                                     scrip=broken)])  # fmt: skip
    assert differ(tmp_path, capsys) == {"compared": 1, "undecided": 0, "changed": []}
    assert main(["decisions", "what-if", "--home", str(tmp_path), "--weights", "iv_rank_min=0.3", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["logged"]["as_logged"] == 1


def test_a_strategy_that_is_gone_is_told_unless_another_takes_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as while_it_was_there:
        while_it_was_there.setitem(STRATEGIES, "cautious", Plugin(cautious, 1))
        write_log(tmp_path, DAY, [record(STATES[0], scrip=replace(SCRIP, strategy="cautious"))])
    assert "no strategy 'cautious'" in differ(tmp_path, capsys, status=2)
    words = ("--weights", "strategy=covered_call", "--against", "strategy=covered_call")
    assert differ(tmp_path, capsys, *words) == {"compared": 1, "undecided": 0, "changed": []}


def test_a_log_of_another_build_shows_what_this_build_changes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = decide(SCRIP, STATES[0], INFO.position, INFO.account, RULES)
    named = replace(own, build_id="b", decision_id="d", rules_hash="r")
    worded = replace(named, reason="said otherwise")
    write_log(tmp_path, DAY, [record(STATES[0], named), record(STATES[0], worded)])
    (change,) = differ(tmp_path, capsys)["changed"]
    assert (change["line"], [f["name"] for f in change["fields"]]) == (2, ["reason"])
    assert differ(tmp_path, capsys, "--weights", "iv_rank_min=0.3")["changed"] == [], "the weights change nothing"


def test_people_are_told_each_change_in_lines(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["decisions", "diff", "--home", str(home), "--weights", "iv_rank_min=0.6"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2026-09-16 12:00:00 NIFTY, line 1:"
    assert any(line.startswith("  action: open -> maintain") for line in lines)
    assert any(line.startswith("  legs: buy ") and line.endswith(" -> nothing") for line in lines)
    assert lines[-1].startswith("12 decisions on both sides, ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--weights", "iv_rank_min=6"], "iv_rank_min: Expected `float` <= 1.0"),
        (["--weights", "nope=6"], "no setting 'nope'"),
        (["--weights", "strategy=nope"], "no strategy 'nope'"),
        (["--weights", "days_to_expiry_min=90"], "is over days_to_expiry_max"),
        (["--brain", "/nowhere"], "holds no participant"),
        (["--day", "2020-01-01"], "has no log of a day that was asked for"),
    ],
)
def test_a_side_that_cannot_be_is_refused(
    words: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = differ(home, capsys, *words, status=2)
    assert told.startswith("participant: decisions diff: ")
    assert said in told
