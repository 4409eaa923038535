"""`participant rules`: what is in force on a day, for a person to read."""

import json

import pytest

from participant.cli import main


def test_every_rule_in_force_is_shown_with_its_span_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "nifty", "2026-11-24"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("NIFTY on 2026-11-24, Tuesday, no session\n")
    assert "a lot of NIFTY: units 65\n    2026-01-01 to further notice, second-hand: NSE/FAOP/70616" in text
    assert "price scan sigmas" in text
    assert "futures stt sell" in text
    assert "BANKNIFTY" not in text


def test_a_lot_that_no_row_covers_is_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "YESBANK", "2019-06-03", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lots"] == {"2019-06-27": 1750, "2019-07-25": 2200, "2019-08-29": None}
    assert {row["row"]["confidence"] for row in told["rules"] if row["table"] == "lots"} == {"low"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["FOO", "2026-11-24"], "no rule for expiries of FOO: add a row to rules/contracts.toml; scrips that have"),
        (["NIFTY", "2012-11-24"], "known: 2018-01-01 to further notice"),
    ],
)
def test_what_no_rule_covers_is_refused_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "show", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
