"""Why a decision came out as it did: settings that are tried out, and what the command prints of it."""

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.analysis.explain import STEPS_MAX, moves
from participant.cli import main
from participant.core.brain import decide
from participant.core.decision import Action, Decision, DecisionInput, PositionInfo
from participant.core.scrip import Scrip, Weights
from tests.core.worlds import RULES, account, chain_state, position
from tests.desk.runs import trade

GIVEN = DecisionInput(
    Scrip("NIFTY", weights=Weights(iv_rank_min=0.3)), chain_state(), PositionInfo(position(), account())
)


def again(given: DecisionInput) -> Decision:
    info = given.current_position_info
    return decide(given.scrip, given.market_state, info.position, info.account, RULES)


def with_weights(**changes: float) -> DecisionInput:
    return replace(GIVEN, scrip=replace(GIVEN.scrip, weights=replace(GIVEN.scrip.weights, **changes)))


def test_the_gate_that_was_shut_is_named_with_the_value_that_opens_it() -> None:
    shut = with_weights(iv_rank_min=0.99)
    assert again(shut).action is Action.MAINTAIN
    (move,) = moves(shut, again)
    assert (move.setting, move.was, move.action) == ("iv_rank_min", 0.99, Action.OPEN)
    assert again(with_weights(iv_rank_min=move.then)).action is Action.OPEN
    assert move.then == pytest.approx(again(GIVEN).figures["iv_rank"])


def test_every_gate_in_the_way_is_named_one_after_the_other() -> None:
    spread = again(GIVEN).figures["spread"]
    assert isinstance(spread, float)
    shut = with_weights(iv_rank_min=0.99, spread_max=spread / 2, net_credit_min=10**9)
    found = moves(shut, again)
    assert {move.setting for move in found} == {"iv_rank_min", "spread_max", "net_credit_min"}
    assert [move.action for move in found] == [Action.MAINTAIN, Action.MAINTAIN, Action.OPEN]
    assert len(found) <= STEPS_MAX


def test_what_would_have_kept_an_opening_away_is_found_as_well() -> None:
    (move, *_) = moves(GIVEN, again)
    assert move.action is not Action.OPEN or move.reason != again(GIVEN).reason


def test_where_no_setting_is_to_blame_none_is_named() -> None:
    closed = replace(
        GIVEN, market_state=replace(GIVEN.market_state, exchange_at=GIVEN.market_state.exchange_at - 10**14)
    )
    assert "not open" in again(closed).reason
    assert moves(closed, again) == ()


def test_the_command_prints_what_it_saw_its_orders_and_what_would_have_changed_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trade(tmp_path, "--step", "3600", "--symbols", "NIFTY")
    (file,) = (tmp_path / "decisions").glob("*-??.jsonl")
    infos = [json.loads(line)["decisionInfo"] for line in file.read_text().splitlines()]
    opened = next(info for info in infos if info["action"] == "open")
    assert main(["explain", opened["decisionId"], "--home", str(tmp_path)]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for said in (
        ": open (decided)",
        "quoted options",
        "passed every control at bid",
        "filled",
        "else",
        "iv_rank",
        "30-day IV",
        "index from the chain",
        "of its future, IV",
        "in business time",
        "smile over",
    ):
        assert said in text
    kept = next(info for info in infos if info["action"] == "maintain")
    assert main(["explain", kept["decisionId"], "--home", str(tmp_path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decision"]["decisionId"], told["orders"]) == (kept["decisionId"], [])
    assert main(["explain", "zzz", "--home", str(tmp_path)]) == 2
    assert "no decision of" in capsys.readouterr().err
