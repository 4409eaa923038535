"""What a person is told of recorded days, and with which status they end, where not all of them could be played."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk.runs import DAY, SEED, Ended, environment, participant, trade, until
from tests.desk.test_bad_data import STRIKES, Row, day, rows_at, write

PLAYED = ("--lockstep", "--date", "2019-04-12")
WATCHED = '[[watchlist]]\nsymbol = "NIFTY"\n'
CLOSES = "date,symbol,spot_close,spot_prev,sigma_underlying\n2019-04-12,NIFTY,11643.45,11596.70,0.01\n"


def played(folder: Path, *options: object, **files: list[Row]) -> Ended:
    """Trade what these files hold, with a watchlist of NIFTY alone."""
    (folder / "own.toml").write_text(WATCHED)
    for name, rows in files.items():
        write(folder / "data" / f"{name}.csv", rows)
    return trade(folder / "home", *PLAYED, "--config", "own.toml", "--data", "data", *options)


def notes(ended: Ended) -> str:
    said: list[str] = ended.summary["notes"]
    return "\n".join(said)


def spotless(rows: list[Row]) -> list[Row]:
    """Of which no page may be traded on."""
    return [{**row, "spot": 0} for row in rows]


# --- scrips that are not played ---


def test_every_recorded_scrip_that_is_not_on_the_watchlist_is_named_with_what_would_play_it(tmp_path: Path) -> None:
    ended = played(tmp_path, nifty=day(), bank=day(symbol="BANKNIFTY"), reliance=day(symbol="RELIANCE"))
    assert ended.status == 0, ended.err
    assert (
        "recorded, but not on the watchlist, so not played: BANKNIFTY (36 rows), RELIANCE (36 rows); "
        "`participant watchlist set NAME --add is_enabled=true --note WHY` plays one from the next session on"
    ) in notes(ended)


def test_what_is_not_in_symbols_is_named_as_well(tmp_path: Path) -> None:
    ended = played(tmp_path, "--symbols", "NIFTY", nifty=day(), bank=day(symbol="BANKNIFTY"))
    assert ended.status == 0, ended.err
    assert "recorded, but not in --symbols, so not played: BANKNIFTY (36 rows); " in notes(ended)


def test_a_name_in_other_case_than_on_the_watchlist_is_told_and_the_day_needs_a_person(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "closes.csv").write_text(CLOSES)
    ended = played(tmp_path, lower=day(symbol="nifty"))
    assert (ended.status, ended.summary["is_unplayed"]) == (1, True), ended.err
    assert "nifty: 36 rows not played: on the watchlist stands NIFTY, in other case; a mapping file" in notes(ended)
    words = (*PLAYED, "--config", "own.toml", "--data", "data", "--symbols", "NIFTY")
    asked = trade(tmp_path / "other", *words)
    assert asked.status == 2
    assert "in --symbols stands NIFTY, in other case" in asked.err


# --- days that cannot be played ---


def test_a_day_that_is_wholly_kept_apart_needs_a_person_where_it_can_be_settled(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "closes.csv").write_text(CLOSES)
    ended = played(tmp_path, nifty=spotless(day()))
    assert (ended.status, ended.summary["decisions"], ended.summary["is_unplayed"]) == (1, {}, True), ended.err
    assert "NIFTY: 0 of 36 rows of nifty.csv in 0 pages; kept apart: 36 rows no spot" in notes(ended)


def test_it_is_refused_where_it_cannot_be_settled(tmp_path: Path) -> None:
    ended = played(tmp_path, nifty=spotless(day()))
    assert (ended.status, ended.out) == (2, "")
    assert "that can be traded on: NIFTY: 0 of 36 rows" in ended.err


# --- from a catalogue ---


def test_a_day_of_a_catalogue_tells_what_was_kept_apart_when_it_was_imported(tmp_path: Path) -> None:
    rows = [*day(), *rows_at("2019-04-12 08:55:00+05:30", 11_590.0)]
    rows[4] |= {"call_bid": 300.0, "call_ask": 100.0}
    write(tmp_path / "raw" / "nifty.csv", rows)
    write(tmp_path / "raw" / "bank.csv", spotless(day(symbol="BANKNIFTY")))
    assert participant(tmp_path, "catalogue", "import", "raw", "--into", "data").status == 0
    ended = played(tmp_path)
    assert ended.status == 0, ended.err
    apart = f"{len(STRIKES)} rows before the open, 1 quote crossed"
    assert f"NIFTY: 36 of 45 rows of nifty.csv in 4 pages; kept apart: {apart}" in notes(ended)
    assert "not on the watchlist, so not played: BANKNIFTY (36 rows); " in notes(ended)
    (tmp_path / "data" / "imports.jsonl").write_bytes(b"")
    again = trade(tmp_path / "anew", *PLAYED, "--config", "own.toml", "--data", "data")
    assert "NIFTY: what was kept apart is not known, data/imports.jsonl has no line of it" in notes(again)


# --- which days ---


def test_recorded_days_need_a_date_and_are_told_which_there_are(tmp_path: Path) -> None:
    write(tmp_path / "day.csv", day())
    for command, said in (("trade", "it holds 2019-04-12; name a day"), ("venue", "a venue plays one recorded day")):
        ended = participant(tmp_path, command, "--data", "day.csv", "--home", "home")
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.startswith("participant: --data needs a --date: ")
        assert said in ended.err
    other = participant(tmp_path, "trade", "--data", "day.csv", "--home", "home", "--date", "2019-04-15")
    assert "--date 2019-04-15: --data has nothing of that; it holds 2019-04-12" in other.err


def test_a_range_goes_on_after_what_is_closed_and_a_finished_one_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = ("--lockstep", "--seed", SEED, "--symbols", "NIFTY", "--step", 1800)
    assert trade(home, *made, "--date", DAY).status == 0
    both = f"{DAY}..2026-11-26"
    ended = trade(home, *made, "--date", both)
    assert (ended.status, ended.summary["day"]) == (0, "2026-11-26")
    assert f"has closed {DAY} already: going on after it" in ended.err
    again = trade(home, *made, "--date", both)
    assert again.status == 2
    assert f"--date {both}: home" in again.err
    assert "has closed 2026-11-26 already" in again.err


# --- Ctrl-C ---


@pytest.mark.parametrize("presses", [1, 2])
def test_ctrl_c_while_the_command_still_starts_ends_in_one_line(presses: int, tmp_path: Path) -> None:
    # A run of the tests in the background ignores Ctrl-C, and whatever it starts would do so too.
    heard = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
    trade = [sys.executable, "-m", "participant", "trade", "--home", "home"]
    with subprocess.Popen(
        [sys.executable, "-c", heard, *trade],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as desk:
        maps = Path(f"/proc/{desk.pid}/maps")
        until("its first modules are loaded", lambda: "/msgspec/" in maps.read_text() or None)
        for _ in range(presses):
            os.kill(desk.pid, signal.SIGINT)
        _, err = desk.communicate(timeout=60)
    assert (desk.returncode, err) == (1, "participant: stopped; run the same command again to go on\n")


def test_ctrl_c_within_a_text_that_is_run_ends_with_our_status_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "pressed.py").write_text(
        "import os, signal, sys\n"
        "from participant import cli\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "cli._guarded = lambda _: eval('os.kill(os.getpid(), signal.SIGINT) or [0 for _ in range(1000)]')\n"
        "sys.exit(cli.main(['status']))\n"
    )
    pressed, env = [sys.executable, "-m", "pressed"], environment()
    desk = subprocess.run(pressed, cwd=tmp_path, env=env, check=False, capture_output=True, text=True, timeout=60)
    assert (desk.returncode, desk.stderr) == (1, "participant: stopped; run the same command again to go on\n")
