"""Purity: one input gives one answer, to the byte, wherever and however its job runs."""

import base64
import datetime
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from math import isclose
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.adapters.compute.inline import InlineCompute
from participant.cli import main
from participant.config import Config, Desk, Run
from participant.core.decision import Action, Decision, DecisionInput, PositionInfo
from participant.core.messages import Job
from participant.core.scrip import Scrip, Weights
from participant.operate.brains import COMPUTES, compute
from participant.ports import Compute
from participant.stages.decide import run
from participant.wire.json import decode, encode
from tests.core.worlds import RULES, account, call, chain_state, future, holding, look_back, position
from tests.source import SRC
from tests.twins import is_compiled

LIMIT_S = 60.0
EASY = Weights(iv_rank_min=0.0, iv_over_realised_min=0.0)
STATE, WILD = chain_state(), chain_state(sigma=0.31, spread=0.02)
HELD = position(
    holding(future(STATE), 65, STATE.spot),
    holding(call(STATE, STATE.chains[1].expiry, STATE.spot + 500 * 10_000), -65, 100_000),
)
GIVEN = {
    "a calm market": DecisionInput(Scrip("NIFTY"), STATE, PositionInfo(position(), account())),
    "one that opens": DecisionInput(Scrip("NIFTY", weights=EASY), WILD, PositionInfo(position(), account())),
    "an own look-back": DecisionInput(
        Scrip("NIFTY", weights=EASY),
        replace(WILD, look_back=look_back(sessions=90, realised=0.2)),
        PositionInfo(position(), account(10**12)),
    ),
    "what is held": DecisionInput(Scrip("NIFTY"), STATE, PositionInfo(HELD, account())),
    "a fault of the weights": DecisionInput(
        Scrip("NIFTY", weights=replace(EASY, days_to_expiry_min=50)), WILD, PositionInfo(position(), account())
    ),
}
BODIES = {name: encode(given) for name, given in GIVEN.items()}
ANSWERS = {name: run(body, RULES) for name, body in BODIES.items()}
# Decides in a process of its own: inputs by name on stdin, answers on stdout; the bytes in base64.
ALONE = """
import base64, json, sys
from participant.config import load_rules
from participant.stages.decide import run
rules, bodies = load_rules(), json.load(sys.stdin)
answers = {name: run(base64.b64decode(body), rules) for name, body in bodies.items()}
print(json.dumps({name: base64.b64encode(answer).decode() for name, answer in answers.items()}))
"""


def alone(hash_seed: str, src: Path = SRC) -> dict[str, bytes]:
    """What a fresh interpreter answers."""
    given = json.dumps({name: base64.b64encode(body).decode() for name, body in BODIES.items()})
    env = {"PYTHONPATH": str(src), "PYTHONHASHSEED": hash_seed, "PATH": os.environ["PATH"]}
    command = [sys.executable, "-c", ALONE]
    done = subprocess.run(command, input=given, capture_output=True, text=True, env=env, check=True)
    return {name: base64.b64decode(answer) for name, answer in json.loads(done.stdout).items()}


def answered(by: Compute) -> dict[str, bytes]:
    """Every input as a job, all at once and then once more."""
    found: dict[str, bytes] = {}
    for again in ("", "again "):
        for name, body in BODIES.items():
            by.submit(Job(again + name, body, LIMIT_S))
        left = len(BODIES)
        while left:
            for result in by.results(1.0):
                assert result.outcome == "done", result.reason
                name = result.id.removeprefix("again ")
                assert found.setdefault(name, result.body) == result.body
                left -= 1
    return found


@pytest.fixture(params=COMPUTES)
def brains(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Compute]:
    """The processes of a running desk, of either kind, two of them."""
    config = Config(desk=Desk(compute=request.param, workers=2))
    this = Run(str(tmp_path), datetime.date(2026, 11, 26), "http://nowhere", "nowhere", 0, 0.0, config)
    (tmp_path / "run.json").write_bytes(encode(this))
    made = compute(this)
    yield made
    made.close()


def test_the_inputs_take_different_ways_through_the_brain() -> None:
    decisions = [decode(answer, Decision) for answer in ANSWERS.values()]
    assert {one.action for one in decisions} >= {Action.OPEN, Action.MAINTAIN}
    assert len({one.reason for one in decisions}) == len(GIVEN)


def test_in_our_own_process_as_a_job_it_is_the_same() -> None:
    assert answered(InlineCompute(lambda body: run(body, RULES))) == ANSWERS


def test_the_desks_own_processes_answer_the_same_bytes(brains: Compute) -> None:
    assert answered(brains) == ANSWERS


@pytest.mark.parametrize("hash_seed", ["0", "1", "4294967295", "random"])
def test_another_process_with_another_seed_of_hashes_answers_the_same_bytes(hash_seed: str) -> None:
    assert alone(hash_seed) == ANSWERS


def test_by_hand_it_is_the_same(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for name, body in BODIES.items():
        file = tmp_path / f"{name}.json"
        file.write_bytes(body)
        assert main(["decide", "--input", str(file), "--home", str(tmp_path)]) == 0
        assert capsysbinary.readouterr().out == ANSWERS[name] + b"\n"


@pytest.mark.skipif(not is_compiled("participant.core._pricing"), reason="no kernel is compiled: its twin decides")
def test_where_nothing_is_compiled_the_actions_and_reasons_are_the_same_and_floats_differ_by_1e_9_at_most(
    tmp_path: Path,
) -> None:
    shutil.copytree(SRC / "participant", tmp_path / "participant", ignore=shutil.ignore_patterns("*.so", "*.pyc"))
    for name, answer in alone("0", src=tmp_path).items():
        ours, theirs = json.loads(ANSWERS[name]), json.loads(answer)
        assert ours.pop("buildId") != theirs.pop("buildId"), "it was the twin that decided"
        assert ours.pop("decisionId") != theirs.pop("decisionId")
        assert_alike(ours, theirs, name)


def assert_alike(ours: Any, theirs: Any, where: str) -> None:
    """Equal, but for floats."""
    assert type(ours) is type(theirs), where
    if isinstance(ours, dict):
        assert list(ours) == list(theirs), where
        for key, value in ours.items():
            assert_alike(value, theirs[key], f"{where}.{key}")
    elif isinstance(ours, list):
        assert len(ours) == len(theirs), where
        for i, value in enumerate(ours):
            assert_alike(value, theirs[i], f"{where}[{i}]")
    elif isinstance(ours, float):
        assert isclose(ours, theirs, rel_tol=1e-9), where
    else:
        assert ours == theirs, where
