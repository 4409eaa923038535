"""A job that failed for good: its input in a file, whole or not at all, and the command that runs it again."""

import os
import shlex
from pathlib import Path

import pytest

from participant.cli import main
from participant.core.brain import decide
from participant.core.decision import DecisionInput, PositionInfo, undecided
from participant.core.messages import JobResult
from participant.core.scrip import Scrip
from participant.links.verdicts import park, verdict
from participant.links.whole import write_whole
from participant.wire.json import encode
from tests.core.worlds import RULES, account, chain_state, position

GIVEN = DecisionInput(Scrip("NIFTY"), chain_state(), PositionInfo(position(), account()))
ERROR = JobResult("j", "error", reason="ZeroDivisionError: division by zero")


def command_in(sentence: str) -> list[str]:
    return shlex.split(sentence.partition(": participant ")[2])


def test_the_sentence_of_a_parked_job_names_the_command_that_decides_on_the_very_input(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "a home"
    home.mkdir()
    decision = verdict(GIVEN, ERROR, lambda name, given: park(home, name, given))
    assert decision.reason.startswith(
        "No decision: the job parked (ZeroDivisionError: division by zero). Again by hand"
    )
    assert (home / "parked" / f"{decision.decision_id}.json").read_bytes() == encode(GIVEN)
    assert main(command_in(decision.reason)) == 0
    again = decide(GIVEN.scrip, GIVEN.market_state, position(), account(), RULES)
    assert capsys.readouterr().out.encode() == encode(again) + b"\n"


def test_what_cannot_be_saved_names_the_log_instead(tmp_path: Path) -> None:
    (tmp_path / "parked").write_text("a file stands in the way")
    said = park(tmp_path, "abc", b"{}")
    assert "could not be saved" in said
    assert command_in(said) == ["decide", "abc", "--home", str(tmp_path)]


def test_a_job_that_timed_out_leaves_the_log_alone_to_run_it_from() -> None:
    late = JobResult("j", "timeout", reason="its time was over")
    assert verdict(GIVEN, late, lambda *_: "parked") == undecided(GIVEN.market_state, late)


def test_a_file_is_written_whole_or_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "it.json"
    write_whole(file, b"first")
    write_whole(file, b"second")
    assert file.read_bytes() == b"second"

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, b"third")
    assert file.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [file]
