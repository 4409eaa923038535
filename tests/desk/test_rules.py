"""`participant rules`: what is in force on a day, for a person to read."""

import json
import sys
from argparse import Namespace
from datetime import date, time
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.cli import main
from participant.commands.people import rules_of
from participant.commands.rule_words import rule_words
from participant.commands.rules import told
from participant.config import Config, Desk, Run, load_rules
from participant.core.rulerows import Confidence, Dated
from participant.core.scrip import Kind
from participant.wire.json import encode


def test_every_rule_in_force_is_shown_with_its_span_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "nifty", "2026-11-24"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("NIFTY on 2026-11-24, Tuesday, no session: a holiday; ")
    assert "a lot of NIFTY: 65 units\n    2026-01-01 to further notice, second-hand: NSE/FAOP/70616" in text
    assert "the indices of NIFTY\n    2018-01-01 to further notice, high" in text
    assert "delivery or cash of NIFTY: settled in cash\n" in text
    assert "BANKNIFTY" not in text


def test_expiries_beyond_the_known_holidays_are_said_to_be_provisional(capsys: pytest.CaptureFixture[str]) -> None:
    """26 January 2027 is a Tuesday and a national holiday: its contracts end the day before, as far as is known."""
    assert main(["rules", "show", "NIFTY", "2026-11-24"]) == 0
    text = capsys.readouterr().out
    assert "futures expire  2026-12-29, 2027-01-25, 2027-02-23\n" in text
    assert "provisional     2027-01-25, 2027-02-23: the holidays of the year are not published" in text
    assert main(["rules", "show", "NIFTY", "2026-06-01", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["provisional"] == []


@pytest.mark.parametrize(
    ("symbol", "day", "said"),
    [
        (
            "NIFTY",
            "2026-11-24",
            "Tuesday, no session: a holiday; contracts expire on the session before it, 2026-11-23\n",
        ),
        (
            "NIFTY",
            "2026-11-10",
            "Tuesday, no session: a holiday; contracts expire on the session before it, 2026-11-09\n",
        ),
        ("RELIANCE", "2026-11-10", "Tuesday, no session: a holiday\n"),
        ("NIFTY", "2026-11-28", "Saturday, no session: a weekend\n"),
        ("NIFTY", "2026-11-25", "Wednesday\n"),
        ("NIFTY", "2019-08-12", "Monday, no session: a holiday\n"),
    ],
)
def test_a_day_without_a_session_says_why_and_when_its_contracts_end(
    symbol: str, day: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "show", symbol, day]) == 0
    assert capsys.readouterr().out.startswith(f"{symbol} on {day}, {said}")


SAID = [
    ("NIFTY", "the hours: call auction from 09:00, open 09:15 to 15:40 IST, after it until 16:00"),
    ("NIFTY", "the expiries of NIFTY: on Tuesdays; 5 weeks and 3 months listed"),
    ("RELIANCE", "the expiries of RELIANCE: on the last Tuesday of the month; 3 months listed"),
    ("RELIANCE", "delivery or cash of RELIANCE: shares are delivered"),
    ("RELIANCE", "a tick of RELIANCE: ₹0.05 for calls and puts from ₹250.00 on"),
    ("NIFTY", "a tick of NIFTY: ₹0.10 for futures above ₹15,000.00"),
    ("NIFTY", "limits of calls and puts within ₹20.00 of a reference up to ₹50.00, of a higher one within 40 %"),
    (
        "NIFTY",
        "brokerage ₹20.00 an order; GST 18 % of the fees; futures, of the value: STT 0.05 % on sells, stamp duty",
    ),
    ("NIFTY", "exchange 0.0018299 %, SEBI ₹10.00 a crore, IPFT ₹0.01 a crore; options, of the premium: STT 0.15 % on"),
    ("NIFTY", "shares, of the value: STT 0.1 % on buys and sells, stamp duty 0.015 % on buys"),
    (
        "NIFTY",
        "the margins: price scan 8.49 deviations of a day, at least 9.3 %; volatility scan 25 % of the volatility",
    ),
    (
        "NIFTY",
        "a market-wide halt: NIFTY or SENSEX, whichever is first, 10 % either way from 14:30 on: trading goes on",
    ),
    (
        "NIFTY",
        "a market-wide halt: NIFTY or SENSEX, whichever is first, 15 % either way from 14:00 on: shut for the rest of "
        "the day",
    ),
    ("NIFTY", "days of events: Union Budget: 2026-02-01, Sun"),
]


@pytest.mark.parametrize(("symbol", "said"), SAID)
def test_a_rule_is_told_as_a_person_reads_it(symbol: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", symbol, "2026-11-24"]) == 0
    text = capsys.readouterr().out
    assert said in text
    for raw in ("500000", "weekday 2", "09:00:00", "is_", " 0.4\n", "_"):
        assert raw not in text.replace("symbol_class", "")


MISSING = [
    (
        "RELIANCE",
        "a lot of RELIANCE; the freeze quantity of RELIANCE; the strike step of RELIANCE; "
        "a position limit of RELIANCE; an operating range of options",
    ),
    ("NIFTY", "an operating range of options; quarterly and half-yearly expiries of NIFTY beyond the months"),
    ("BANKNIFTY", "an operating range of options; quarterly expiries of BANKNIFTY beyond the months"),
]


@pytest.mark.parametrize(("symbol", "missing"), MISSING)
def test_what_no_row_covers_is_said_and_not_left_out(
    symbol: str, missing: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "show", symbol, "2026-11-24"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    told = "not in these tables, for no source by date was found or it is not traded here: "
    assert last == told + missing
    assert main(["rules", "show", symbol, "2026-11-24", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["not_known"] == missing.split("; ")


def test_what_is_long_dated_is_what_the_dated_rows_say() -> None:
    rules, day = load_rules(), date(2026, 11, 24)
    rows = tuple(replace(row, long_dated="yearly" if row.symbol == "FINNIFTY" else None) for row in rules.expiry_rules)
    other = replace(rules, expiry_rules=rows)
    assert "yearly expiries of FINNIFTY beyond the months" in told(other, "FINNIFTY", day).not_known
    assert not any("beyond" in what for what in told(other, "NIFTY", day).not_known)


def test_a_kind_of_row_without_words_of_its_own_is_told_by_its_parts() -> None:
    class Strange(Dated, frozen=True, kw_only=True):
        kinds: tuple[Kind, ...]
        moment: str
        net_crore: int
        is_new: bool
        share_max: float
        steps: tuple[int, ...]
        at: time

    row = Strange(
        kinds=(Kind.CALL, Kind.PUT), moment="close", net_crore=1500, is_new=True, share_max=0.15, steps=(1, 2),
        at=time(9, 15),
        since=date(2026, 1, 1), source="a test", confidence=Confidence.HIGH,
    )  # fmt: skip
    assert rule_words(row) == (
        "calls and puts, at the close, net ₹1,500 crore, new yes, share max 15 %, steps 1/2, at 09:15"
    )


def test_a_lot_that_no_row_covers_is_not_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rules", "show", "YESBANK", "2019-06-03", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["lots"] == {"2019-06-27": 1750, "2019-07-25": 2200, "2019-08-29": None}
    assert {row["row"]["confidence"] for row in told["rules"] if row["table"] == "lots"} == {"low"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["FOO", "2026-11-24"], "no rule for expiries of FOO: add a row to rules/contracts.toml; indices that have"),
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
    assert "the published scan ranges of NIFTY: price scan 10 %, volatility scan 5 %\n    2026-11-23 to 2026" in text
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


# --- rules check ------------------------------------------------------------------------------------------------------

MASTER = """instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange
1,1,BANKNIFTY26AUG57000CE,BANKNIFTY,0,2026-08-25,57000,0.05,{lot},CE,NFO-OPT,NFO
2,2,BANKNIFTY26SEP57000CE,BANKNIFTY,0,2026-09-29,57000,0.05,30,CE,NFO-OPT,NFO
3,3,BANKNIFTY26OCT57000CE,BANKNIFTY,0,2026-10-27,57000,0.05,30,CE,NFO-OPT,NFO
"""  # noqa: E501 - a broker's header is one line


def test_the_rules_that_ship_agree_with_a_maintained_calendar_but_for_what_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["rules", "check"]) == 0
    text = capsys.readouterr().out
    assert "pandas_market_calendars" in text
    assert "\n  2018: 246 sessions of ours, 0 of them ours alone, 0 theirs alone, 0 with other hours\n" in text
    assert "\n  2024: 249 sessions of ours, 3 of them ours alone, 0 theirs alone, 0 with other hours\n" in text
    assert "2026-11-08: a session of ours on a Sunday, none of theirs\n      explained: theirs has no session" in text
    assert "\n  ! " not in text


def test_without_the_library_it_is_said_and_the_rest_is_checked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pandas_market_calendars", None)
    assert main(["rules", "check"]) == 0
    text = capsys.readouterr().out
    assert "pandas_market_calendars: it is not installed, so no calendar was compared: say `pip install" in text
    assert text.startswith("the tables themselves: 4 differences, 0 not explained\n")


@pytest.mark.parametrize(("lot", "status", "open_ones"), [(30, 0, 0), (35, 1, 1)])
def test_a_master_that_differs_ends_with_status_1_and_says_what(
    lot: int, status: int, open_ones: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "master.csv"
    file.write_text(MASTER.format(lot=lot))
    assert main(["rules", "check", "--master", str(file), "--on", "2026-07-30"]) == status
    text = capsys.readouterr().out
    assert f"the master of Kite on 2026-07-30: {open_ones} differences, {open_ones} not explained" in text
    assert ("  ! lot of BANKNIFTY expiring 2026-08-25: ours 30, theirs 35\n" in text) is bool(open_ones)
    assert main(["rules", "check", "--master", str(file), "--on", "2026-07-30", "--json"]) == status
    assert json.loads(capsys.readouterr().out)["unexplained"] == open_ones


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--on", "2026-07-30"], "--master FILE and --on DAY go together"),
        (["--master", "none.csv", "--on", "2026-07-30"], "--master none.csv cannot be read: No such file"),
        (["--master", "README.md", "--on", "2026-07-30"], "--master README.md: no contract master of Kite"),
        (["--master", "pyproject.toml", "--on", "2012-01-01"], "no contract master of Kite"),
    ],
)
def test_a_check_that_cannot_be_made_is_refused_in_one_line(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rules", "check", *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
