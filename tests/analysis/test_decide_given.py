"""`participant decide` as a platform runs it: the input from stdin or the environment, the decision into a file."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from participant.cli import main
from participant.commands import given
from participant.core.decision import DecisionInput, PositionInfo
from participant.core.scrip import Scrip
from participant.stages.decide import run
from participant.wire.json import encode
from tests.core.worlds import RULES, account, chain_state, position
from tests.source import SRC

STATE = chain_state()
SMALL = DecisionInput(Scrip("NIFTY"), STATE, PositionInfo(position(), account()))
INPUT = encode(SMALL)
ANSWER = run(INPUT, RULES)


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(given.VARIABLE, raising=False)


def test_the_input_comes_by_file_stdin_variable_or_reference_and_gives_the_same_bytes(tmp_path: Path) -> None:
    file, out = tmp_path / "a job.json", tmp_path / "out.json"
    file.write_bytes(INPUT)
    words = [sys.executable, "-m", "participant", "decide"]
    clean = {"PYTHONPATH": str(SRC), "PATH": os.environ["PATH"]}
    link = file.as_uri()
    ways: list[tuple[list[str], bytes, dict[bytes, bytes]]] = [
        (["--input", str(file)], b"", {}),
        (["--input", "-"], INPUT, {}),
        ([], b"", {b"PARTICIPANT_INPUT": INPUT}),
        ([], b"", {b"PARTICIPANT_INPUT": link.encode()}),
        ([], b"", {b"PARTICIPANT_INPUT": link.replace("file://", "file://localhost").encode()}),
        (["--input", "-"], INPUT, {b"PARTICIPANT_INPUT": b"what is named goes before"}),
    ]
    assert "%20" in link
    for options, said, environment in ways:
        env = {k.encode(): v.encode() for k, v in clean.items()} | environment
        done = subprocess.run([*words, *options], input=said, capture_output=True, env=env, cwd=tmp_path, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, ANSWER + b"\n", b"")
        command = [*words, *options, "--output", str(out)]
        done = subprocess.run(command, input=said, capture_output=True, env=env, cwd=tmp_path, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert out.read_bytes() == ANSWER
        out.unlink()


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        (
            "s3://bucket/job.json",
            "must be a job's input, JSON that begins with {, or file:///PATH; not 's3://bucket/job.json'",
        ),
        ("/mnt/job.json", "not '/mnt/job.json'"),
        ("file://elsewhere/job.json", "not 'file://elsewhere/job.json'"),
        ("file:job.json", "not 'file:job.json'"),
        ("file:///nowhere/job.json", "PARTICIPANT_INPUT: /nowhere/job.json cannot be read: No such file"),
        ("file:///no%00where", "cannot be read: "),
        ("file:///tmp", "cannot be read: Is a directory"),
        ("{}", "no DecisionInput"),
        ("{" + " " * 100_000, "has 100,001 bytes, over 100,000: name a file"),
    ],
)
def test_a_variable_that_is_no_input_is_refused_in_one_line(
    variable: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(given.VARIABLE, variable)
    assert main(["decide"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1


def test_an_input_over_the_limit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(given, "INPUT_MAX_BYTES", len(INPUT) - 1)
    file = tmp_path / "job.json"
    file.write_bytes(INPUT)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(INPUT)))
    for name in (str(file), "-"):
        assert main(["decide", "--input", name]) == 2
        assert "bytes, the most that a job is given" in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "job.json"
    file.write_bytes(INPUT)
    assert main(["decide", "--input", str(file), "--output", "/nowhere/it.json"]) == 2
    assert "choose another --output" in capsys.readouterr().err
