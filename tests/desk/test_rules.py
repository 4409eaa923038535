"""`participant rules`: what is in force on a day, for a person to read."""

import json
from argparse import Namespace
from datetime import date
from pathlib import Path

import pytest

from participant.cli import main
from participant.commands.people import rules_of
from participant.config import Config, Desk, Run
from participant.wire.json import encode


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


SCANS = """date,symbol,expiry,futures_price,price_scan,price_scan_pct,vol_scan
2026-11-23,NIFTY,20261123,25000,2500,10,0.05
"""


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A table of published scan ranges, and a configuration that names it."""
    table = tmp_path / "scans.csv"
    table.write_text(SCANS)
    (tmp_path / "participant.toml").write_text(f'[desk]\nspan_scans = "{table}"\n')
    return table


def test_scan_ranges_are_in_force_only_where_the_configuration_names_their_table(
    scans: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "show", "NIFTY", "2026-11-23", "--config", str(scans.parent / "participant.toml")]) == 0
    text = capsys.readouterr().out
    assert "the published scan ranges of NIFTY: price scan 0.1, volatility scan 0.05\n    2026-11-23 to 2026" in text
    assert "SPAN parameters in scans.csv" in text
    assert main(["rules", "show", "NIFTY", "2026-11-23"]) == 0
    assert "scan ranges" not in capsys.readouterr().out


def test_a_home_is_replayed_by_the_table_that_it_traded_with_unless_another_configuration_is_named(scans: Path) -> None:
    home = scans.parent / "home"
    home.mkdir()
    day = date(2026, 11, 23)
    asked = Namespace(home=home, config=None)
    assert rules_of(asked).scan("NIFTY", day) is None
    (home / "run.json").write_bytes(encode(Run(str(home), day, "", "", 0, 0.0, Config(Desk(span_scans=str(scans))))))
    assert rules_of(asked).scan("NIFTY", day) is not None
    (home / "other.toml").write_text("")
    assert rules_of(Namespace(home=home, config=home / "other.toml")).scan("NIFTY", day) is None
