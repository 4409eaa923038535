"""Fuzzing that follows coverage, for a few seconds a target; `make assurance` does it for long."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.source import ROOT
from tests.wire import guided
from tests.wire.guided import run

SECONDS = int(os.environ.get("PARTICIPANT_FUZZ_S", "3"))
PLANTED = """
from tests.wire.guided import inside
def log(data):
    from participant.wire.fix.dictionary import reason_of
    from tests.wire.guided_targets import framed, reader_plain
    refused = reader_plain.Reader().lines(framed(data[1:]), True)[2] if data[1:] else ()
    assert not any("plain number" in reason_of(fault, tag) for *_, fault, tag in refused), "planted"
inside("log", ["-max_total_time=60", "-seed=1", "-artifact_prefix=FOLDER/broken-"], log)
"""
pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None, reason="Atheris has no wheel for this machine or Python"
)


@pytest.mark.parametrize("target", ["log", "market data", "session", "mapping nse_chain", "mapping kite_packets"])
def test_nothing_breaks_in_a_short_run(target: str, tmp_path: Path) -> None:
    said = run(target, SECONDS, tmp_path)
    assert said.startswith(f"{target}: ")
    assert not list(tmp_path.iterdir())


def test_a_target_that_does_not_end_in_time_is_stopped_and_told_and_the_next_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(guided, "PATIENCE_S", -0.9)
    monkeypatch.setattr(sys, "argv", ["guided", "--seconds", "1", "--keep", str(tmp_path), "log", "session"])
    assert guided.main() == 1
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(";")[0] for line in told] == [
        f"{target}: not ended in time: 1 s asked, 0.1 s allowed" for target in ("log", "session")
    ]


def test_what_breaks_is_found_and_left_in_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PLANTED.replace("FOLDER", str(tmp_path))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode
    assert "planted" in done.stdout + done.stderr
    (left,) = tmp_path.iterdir()
    assert len(left.read_bytes()) > 1
