"""`participant backtest`: the same run from the command line, and wrong use in one line."""

import json
from pathlib import Path

import pytest

import participant
from participant.cli import main
from tests.history.recorded import DATA, needs_data
from tests.source import ROOT

DAYS = ["--from", "2019-04-18", "--to", "2019-04-18"]
CHAIN = ["--data", str(DATA / "nse_chain_2018_10_to_2019_04"), "--data", str(DATA / "nse_daily_official")]


def _run(*more: str) -> int:
    return main(["backtest", "covered-call", "--underlying", "NIFTY", "--capital", "10000000", *DAYS, *more])


@needs_data
def test_the_summary_is_printed_for_machines_and_saved(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--weights", "iv_rank_min=0.3", "--check-lookahead", "--json"]
    assert _run(*CHAIN, "--out", str(tmp_path / "run"), *more) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["weights"]["NIFTY"]["iv_rank_min"] == 0.3
    assert (told["lookahead"]["cuts"], told["lookahead"]["leaks"]) == (2, [])
    assert told["counts"]["decisions"] == participant.load(tmp_path / "run").table("decisions").num_rows > 0


def test_orders_of_a_file_are_told_line_by_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backtest", "orders", str(ROOT / "examples" / "orders" / "spx.toml")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "worth 1,001,996.00 of 1,000,000.00: cash 1,001,996.00 after charges of 0.00; flat"
    assert main(["backtest", "orders", str(ROOT / "examples" / "orders" / "goog.toml"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["worth"] == 199_479_25
    assert main(["backtest", "orders", "/nowhere.toml"]) == 2
    assert "/nowhere.toml: cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["--data", "/nowhere"], "/nowhere"),
        (["--data", ".", "--weights", "no_such=1"], "no_such"),
        (["--data", ".", "--weights", "iv_rank_min=high"], "iv_rank_min"),
    ],
)
def test_wrong_use_ends_in_one_line(wrong: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(*wrong) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert said in told
