"""`participant decide`: one brain job by hand, from the log or from a file."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.adapters.archives.jsonl import JsonlArchive
from participant.cli import main
from participant.core.brain import decide
from participant.core.decision import Decision, DecisionInput, PositionInfo
from participant.core.scrip import Scrip, Weights
from participant.links.parts import pack, split
from tests.core.worlds import RULES, account, chain_state, position

SCRIP = Scrip("NIFTY", weights=Weights(iv_rank_min=0.3))
STATES = [replace(chain_state(), snapshot_id=f"s{i}") for i in range(20)]
INFO = PositionInfo(position(), account())


def logged(decisions: list[Decision], home: Path) -> None:
    """A day's log of these decisions, each on its state."""
    lines = []
    for state, decision in zip(STATES, decisions, strict=False):
        apart = split(DecisionInput(SCRIP, state, INFO))
        lines.append((apart.line(decision), pack(apart.parts)))
    (home / "decisions").mkdir()
    JsonlArchive(home / "decisions").append("2026-11-26", lines)


DECISIONS = [decide(SCRIP, state, INFO.position, INFO.account, RULES) for state in STATES]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    logged(DECISIONS, tmp_path)
    return tmp_path


def test_a_logged_decision_comes_out_again_by_hand_from_the_log_and_from_its_saved_input(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for one in DECISIONS[:3]:
        saved = home / f"{one.decision_id}.json"
        assert main(["decide", one.decision_id[:10], "--home", str(home), "--save", str(saved)]) == 0
        first, said = capsys.readouterr()
        assert json.loads(first)["decisionId"] == one.decision_id
        assert said == f"2026-11-26, {one.decision_id}: equal to the byte\n"
        assert main(["decide", "--input", str(saved)]) == 0
        assert capsys.readouterr().out == first


@pytest.mark.parametrize(
    ("changes", "status", "said"),
    [({"reason": "x"}, 1, "it differs"), ({"outcome": "parked"}, 0, "the log says parked")],
)
def test_what_the_log_says_otherwise_is_said(
    changes: dict[str, str], status: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = replace(DECISIONS[0], **changes)
    logged([other], tmp_path)
    assert main(["decide", other.decision_id, "--home", str(tmp_path)]) == status
    assert said in capsys.readouterr().err
    assert main(["decide", other.decision_id, "--home", str(tmp_path), "--quiet"]) == status
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["zzzz"], "no decision of"),
        ([], "name a decision of the log, or --input FILE"),
        (["--input", __file__, "--output", "/nowhere/it.json"], "no DecisionInput"),
        (["abc", "--input", "x.json"], "name a decision of the log, or --input FILE"),
        (["--input", "missing.json"], "missing.json cannot be read: No such file"),
        (["--input", __file__], "no DecisionInput"),
        ([DECISIONS[0].decision_id, "--save", "/nowhere/it.json"], "choose another --save"),
    ],
)
def test_what_names_no_input_is_refused_in_one_line(
    words: list[str], said: str, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["decide", *words, "--home", str(home)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_digits_that_several_begin_with_are_too_few(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = {d.decision_id[0] for d in DECISIONS}
    begins = next(c for c in first if sum(d.decision_id[0] == c for d in DECISIONS) > 1)
    assert main(["decide", begins, "--home", str(home)]) == 2
    assert "give more digits" in capsys.readouterr().err


def test_a_log_without_its_parts_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = home / "decisions" / "2026-11-26.parts.jsonl.gz"
    parts.write_bytes(b"")
    assert main(["decide", DECISIONS[0].decision_id, "--home", str(home)]) == 2
    assert "restore its parts from a copy" in capsys.readouterr().err
