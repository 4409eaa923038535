"""`participant decisions what-if`: other weights on the logged states, by a rule that leads to the log's own result."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from participant.cli import main
from participant.core.charges import charges
from participant.core.decision import Decision, PositionInfo
from participant.core.market import SECOND, MarketState, quoted
from participant.core.position import Filled, apply
from participant.core.scrip import Side, money
from tests.analysis.logs import INFO, decided, record, write_log
from tests.core.worlds import DAY, NOON, RULES, SPOT, chain_state
from tests.desk.runs import COARSE, trade

A_DAY = 86_400 * SECOND


def state(days: int = 0, spot: int = SPOT, minutes: int = 0, sigma: float = 0.2) -> MarketState:
    """The market so many days after the first, at noon and so many minutes."""
    at = NOON + days * A_DAY + minutes * 60 * SECOND
    return chain_state(at, day=DAY + datetime.timedelta(days), spot=spot, sigma=sigma)


def asked(home: Path, capsys: pytest.CaptureFixture[str], *words: str, status: int = 0) -> Any:
    assert main(["decisions", "what-if", "--home", str(home), "--json", *words]) == status
    out, err = capsys.readouterr()
    return err if status else json.loads(out)


def held(decision: Decision, at: int) -> PositionInfo:
    """What the log holds once a decision has filled at the prices that it saw."""
    position = INFO.position
    for leg in decision.legs:
        value = money(leg.limit, leg.quantity)
        cost = charges(RULES.charge_rates(DAY), leg.contract, leg.side, value).total
        filled = Filled(leg.contract.key, leg.contract, leg.side, leg.quantity, value, cost, at, DAY)
        position, _ = apply(position, filled)
    return replace(INFO, position=position)


def cost_of(decision: Decision) -> int:
    rates = RULES.charge_rates(DAY)
    return sum(charges(rates, x.contract, x.side, money(x.limit, x.quantity)).total for x in decision.legs)


def test_the_logged_weights_come_to_the_result_that_the_desk_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = trade(tmp_path / "home", *COARSE)
    assert ended.status == 0
    (found,) = asked(tmp_path / "home", capsys, "--weights", "look_back_sessions_min=999")
    logged, other = found["logged"], found["other"]
    assert logged["as_logged"] == logged["decisions"]
    assert logged["result"] == ended.summary["result"]
    assert [act["action"] for act in logged["acts"]] == ["open"]
    assert (other["result"], other["charges"], other["acts"], other["held"]) == (0, 0, [], {})
    assert other["as_logged"] == other["decisions"] - 1, "it maintains where the log opened, and everywhere else"


def test_what_is_held_at_the_end_is_worth_the_middle_of_its_last_quote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = state(), state(minutes=60, spot=SPOT * 101 // 100)
    opened = decided(first)
    write_log(tmp_path, str(DAY), [record(first), record(last, info=held(opened, first.exchange_at))])
    (found,) = asked(tmp_path, capsys, "--weights", "target_delta=0.4")
    gains = 0
    for leg in opened.legs:
        quote = quoted(last, leg.contract)
        assert quote is not None
        gains += leg.side.sign * (money(quote.mid, leg.quantity) - money(leg.limit, leg.quantity))
    assert found["logged"]["result"] == gains - cost_of(opened)
    assert found["logged"]["as_logged"] == 2
    assert found["other"]["held"] != found["logged"]["held"]
    assert found["other"]["held"].keys() & found["logged"]["held"].keys() == {opened.legs[0].contract.key}


def test_a_call_that_expires_ends_at_the_last_logged_spot_of_its_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = state()
    opened = decided(first)
    (future,) = [leg for leg in opened.legs if leg.side is Side.BUY]
    (call,) = [leg for leg in opened.legs if leg.side is Side.SELL]
    last = state((call.contract.expiry - DAY).days, call.contract.strike + 1_000_000)
    write_log(tmp_path, str(DAY), [record(first)])
    write_log(tmp_path, str(call.contract.expiry), [record(last, info=held(opened, first.exchange_at))])
    keep = ("square_off_share=0", "square_off_ticks=0", "structure_loss_share_max=1.0", "blackout=off")
    (found,) = asked(tmp_path, capsys, "--weights", *keep, "expiry_shortfall_close_s=0")
    assert [act["action"] for act in found["other"]["acts"]] == ["open"]
    assert found["other"]["held"] == {future.contract.key: future.quantity}
    quote = quoted(last, future.contract)
    assert quote is not None
    call_made = money(call.limit, call.quantity) - money(1_000_000, call.quantity)  # its buyer gets 100 rupees a unit
    cover_made = money(quote.mid, future.quantity) - money(future.limit, future.quantity)
    assert found["other"]["result"] == call_made + cover_made - cost_of(opened)


def test_people_are_told_both_sides_the_difference_and_the_rule(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path, str(DAY), [record(state())])
    assert main(["decisions", "what-if", "--home", str(tmp_path), "--weights", "look_back_sessions_min=999"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "NIFTY, 1 decision:"
    assert any(line.startswith("  with the logged weights: -₹") for line in lines)
    assert any(
        line.startswith("  with these: ₹0.00 after ₹0.00 of charges; at the end it holds nothing") for line in lines
    )
    assert lines[-1].startswith("Both sides by one rule: ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "say what is to be otherwise"),
        (["--weights", "nope=1"], "no setting 'nope'"),
        (["--weights", "target_delta=0.2", "--scrip", "BANKNIFTY"], "has no decision of BANKNIFTY"),
        (["--weights", "target_delta=0.2", "--day", "2020-01-01"], "has no log of a day that was asked for"),
    ],
)
def test_what_cannot_be_played_is_refused(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path, str(DAY), [record(state())])
    told = asked(tmp_path, capsys, *words, status=2)
    assert told.startswith("participant: decisions what-if: ")
    assert said in told
