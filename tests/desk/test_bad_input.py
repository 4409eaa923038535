"""Bad input, a broken world: one line with what, where and how to mend it; status 2; nothing half-written."""

import json
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest

from participant.cli import main
from participant.config import BadConfig, load_config
from participant.core.scrip import Scrip
from participant.wire.rules import FILES
from tests.desk.runs import DAY, MADE, Desk, Ended, log_bytes, log_of, participant, trade

# Root passes over every permission, unless it gives up CAP_DAC_OVERRIDE and CAP_FOWNER first; others have neither.
WITHOUT_PRIVILEGE = """
import ctypes, os, sys
libc = ctypes.CDLL(None)
libc.prctl(24, 1, 0, 0, 0), libc.prctl(24, 3, 0, 0, 0)
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


def assert_refused(ended: Ended, *said: str) -> None:
    """One line, for a person, with all of this in it."""
    assert ended.status == 2
    assert ended.out == ""
    assert ended.err.startswith("participant")
    assert ended.err.count("\n") == 1, ended.err
    assert ended.err.count("participant: ") <= 1
    for word in said:
        assert word in ended.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[desk]\ncapitel = 5\n", ("own.toml", "capitel", "$.desk", "docs/settings.md")),
        ("[dsek]\ncapital = 5\n", ("own.toml", "dsek", "docs/settings.md")),
        ('[desk]\ncapital = "much"\n', ("own.toml", "Expected `int`", "$.desk.capital")),
        ("[[watchlist]]\nsymbol = 3\n", ("own.toml", "$.watchlist[0].symbol")),
        ("[triggers]\nstale_after_s = nan\n", ("own.toml: triggers.stale_after_s = nan is not a number: write one",)),
        ("[desk\ncapital = 5\n", ("own.toml is not TOML", "line 1", "participant init")),
        ("\udcff", ("own.toml is not TOML", "participant init")),
    ],
)
@pytest.mark.parametrize("command", [("trade",), ("venue",), ("config", "check")])
def test_a_setting_that_cannot_be_used_is_named(
    command: tuple[str, ...], text: str, said: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "own.toml").write_text(text, errors="surrogateescape")
    assert_refused(participant(tmp_path, *command, "--config", "own.toml", "--home", "home"), *said)
    assert not (tmp_path / "home").exists()


WEIGHTS = "[[watchlist]]\nsymbol = 'NIFTY'\n[watchlist.weights]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "target_delta = nan\n",
            "watchlist row 1, weights.target_delta = nan is not a number: write one, or leave the",
        ),
        ("spread_max = nan\n", "watchlist row 1, weights.spread_max = nan is not a number: write one, or leave the s"),
        ("margin_share_max = inf\n", "watchlist row 1, weights.margin_share_max = inf is not a finite number: write"),
        ("margin_share_max = 1.5\n", "Expected `float` <= 1.0"),
        ("crash_loss_share_max = 0.0\n", "Expected `float` > 0.0"),
        ("displayed_lots_min = -1\n", "Expected `int` >= 0"),
        ("days_to_expiry_min = 40\n", "[[watchlist]] row 1: days_to_expiry_min = 40 is over days_to_expiry_max = 35"),
        ("[[watchlist]]\nsymbol = 'NIFTY'\n", "[[watchlist]] row 2: NIFTY stands on the watchlist twice"),
        (
            "[[watchlist]]\nsymbol = 'BANKNIFTY'\nstrategy = 'luck'\n",
            "row 2: BANKNIFTY: no strategy 'luck'; known: cov",
        ),
        ("[[watchlist]]\nsymbol = ''\n", "Expected `str` of length >= 1 - at `$.watchlist[1].symbol`"),
        ("[[watchlist]]\nsymbol = 'TCS'\ndecide_every_s = 0\n", "Expected `int` >= 1"),
        ("[[watchlist]]\nsymbol = 'TCS'\ndepth_move_share = nan\n", "watchlist row 2, depth_move_share = nan is not"),
    ],
)
def test_a_watchlist_that_cannot_be_is_refused_when_it_is_read(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "participant.toml"
    file.write_text(WEIGHTS + text)
    with pytest.raises(BadConfig) as caught:
        load_config(file, {})
    assert said in str(caught.value)
    assert str(caught.value).startswith(str(file))
    assert "\n" not in str(caught.value)


BAD_ROWS = [
    ("symbol = 'TCS'\ndecide_every_s = 0\n", "row 2: TCS: decide_every_s: Expected `int` >= 1"),
    ("symbol = 'TCS'\ndepth_move_share = nan\n", "row 2: TCS: depth_move_share = nan is not a number: write one, or"),
    ("symbol = 'TCS'\nstrategy = 'luck'\n", "row 2: TCS: no strategy 'luck'; known: covered_call"),
    ("symbol = 'NIFTY'\n", "row 2: NIFTY stands on the watchlist twice: leave one row"),
    ("weight = 3\n", "row 2: no symbol: "),
    ("symbol = 'TCS'\n[watchlist.weights]\ndays_to_expiry_min = 40\n", "row 2: days_to_expiry_min = 40 is over "),
]


@pytest.mark.parametrize(("row", "said"), BAD_ROWS)
def test_a_row_that_cannot_be_is_off_and_the_others_trade_where_somebody_is_told(
    row: str, said: str, tmp_path: Path
) -> None:
    file, told = tmp_path / "participant.toml", list[str]()
    file.write_text(f"[[watchlist]]\nsymbol = 'NIFTY'\n[[watchlist]]\n{row}[[watchlist]]\nsymbol = 'BANKNIFTY'\n")
    rows = load_config(file, {}, told.append).watchlist
    assert [scrip.symbol for scrip in rows if scrip.is_enabled] == ["NIFTY", "BANKNIFTY"]
    assert [scrip for scrip in rows if not scrip.is_enabled] == [Scrip("TCS", is_enabled=False)] * ("TCS" in row)
    assert [line.startswith(f"[[watchlist]] {said}") for line in told] == [True]
    with pytest.raises(BadConfig):
        load_config(file, {})


@pytest.mark.parametrize("text", ["watchlist = 5\n", "[[watchlist]]\nsymbol = ''\n", "[desk]\ncapital = -1\n"])
def test_where_no_row_could_stay_or_something_else_is_wrong_the_file_is_refused(text: str, tmp_path: Path) -> None:
    file, told = tmp_path / "participant.toml", list[str]()
    file.write_text(text)
    with pytest.raises(BadConfig):
        load_config(file, {}, told.append)
    assert told == []


def test_a_day_is_traded_without_the_scrip_whose_row_cannot_be(tmp_path: Path) -> None:
    bad = "[[watchlist]]\nsymbol = 'BANKNIFTY'\n[watchlist.weights]\ntarget_delta = 7.0\n"
    (tmp_path / "participant.toml").write_text(f"[[watchlist]]\nsymbol = 'NIFTY'\n{bad}")
    ended = participant(tmp_path, "trade", "--home", "home", "--lockstep", "--date", DAY, "--step", "1800")
    said = "[[watchlist]] row 2: BANKNIFTY: target_delta: Expected `float` < 1.0"
    assert ended.status == 1
    assert ended.err.startswith(
        f"participant: participant.toml: {said}: left out (a home keeps the rows it has); mend it, then"
    )
    assert f"left out: {said}" in ended.out
    decided = [json.loads(line)["decisionInfo"] for line in log_of(tmp_path / "home")]
    assert {one["scrip"] for one in decided} == {"NIFTY"}
    checked = participant(tmp_path, "config", "check")
    assert (checked.status, checked.err.count("\n")) == (2, 1)


def test_rules_that_contradict_themselves_end_a_command_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    shipped = resources.files("participant") / "rules"
    (tmp_path / "rules").mkdir()
    for name in FILES:
        (tmp_path / "rules" / name).write_bytes((shipped / name).read_bytes())
    charges = tmp_path / "rules" / "charges.toml"
    charges.write_text(charges.read_text().replace("until = 2026-02-28", "until = 2026-03-28", 1))
    monkeypatch.setattr("participant.config.resources.files", lambda _: tmp_path)
    said = "participant: rules/charges.toml: charges[1].since: overlaps charges[0]: end the older row with until\n"
    home = tmp_path / "home"
    for words in (["rules", "show", "NIFTY", "2026-11-24"], ["trade", "--home", str(home)]):
        assert main(words) == 2
        assert capsys.readouterr().err == said
    assert list((home / "decisions").iterdir()) == [], "nothing was decided"


def test_a_configuration_that_is_not_there_is_named(tmp_path: Path) -> None:
    ended = participant(tmp_path, "trade", "--config", "none.toml", "--home", "home")
    assert_refused(ended, "no configuration file at none.toml", "participant init")
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tradee"], "invalid choice: 'tradee'"),
        (["trade", "--spede", "3"], "unrecognized arguments: --spede 3"),
        (["trade", "--lockstep", "--speed", "3"], "not allowed with argument --lockstep"),
        (["trade", "--date", "25-11-2026"], "'25-11-2026' is no day; write 2026-11-25"),
        (["trade", "--date", "2026-11-26..2026-11-25"], "ends before it begins"),
        (["trade", "--speed", "0"], "0 is not within 0.01 and 100000"),
        (["trade", "--speed", "nan"], "nan is not within"),
        (["trade", "--step", "often"], "'often' is no number"),
        (["trade", "--symbols", ","], "',' names nothing"),
        (["venue", "--port", "65536"], "65536 is not within 0 and 65535"),
        (["desk"], "required: WHAT"),
        (["desk", "close", "1234"], "required: --reason"),
        (["explain"], "required: ID"),
    ],
)
def test_a_word_that_is_not_understood_is_named(words: list[str], said: str, tmp_path: Path) -> None:
    assert_refused(participant(tmp_path, *words), said, "--help")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("date", "said"),
    [
        ("2026-11-28", ("2026-11-28", "no trading day", "2026-11-30")),
        ("2035-01-01", ("2035-01-01", "no rule for the trading calendar", "add a row to rules/calendar.toml")),
    ],
)
def test_a_day_that_cannot_be_traded_is_refused(date: str, said: tuple[str, ...], tmp_path: Path) -> None:
    for command in ("trade", "venue"):
        assert_refused(participant(tmp_path, command, "--date", date, "--home", command), *said[:2])
        assert not (tmp_path / command / "run.json").exists()
    assert_refused(participant(tmp_path, "trade", "--date", date, "--home", "trade"), *said)


def test_days_without_a_session_are_refused_and_a_venue_plays_one_day(tmp_path: Path) -> None:
    weekend = "2026-11-28..2026-11-29"
    ended = participant(tmp_path, "trade", "--date", weekend, "--home", "home")
    assert_refused(ended, weekend, "no trading day", "2026-11-30")
    assert_refused(participant(tmp_path, "venue", "--date", weekend, "--home", "home"), weekend, "one day")


def test_a_scrip_that_is_not_made_or_not_watched_is_refused_and_the_home_can_be_used_afterwards(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[[watchlist]]\nsymbol = "NIFTY"\n')
    options = ("--date", DAY, "--lockstep", "--step", 1800, "--seed", 31, "--home", "home", "--config", "own.toml")
    not_made = participant(tmp_path, "trade", *options, "--symbols", "INFY")
    assert_refused(not_made, "INFY is not on the watchlist")
    (tmp_path / "infy.toml").write_text('[[watchlist]]\nsymbol = "INFY"\n')
    not_made = participant(tmp_path, "trade", *options, "--symbols", "INFY", "--config", "infy.toml")
    assert_refused(not_made, "no made market has INFY", "choose from NIFTY, BANKNIFTY")
    not_watched = participant(tmp_path, "trade", *options, "--symbols", "NIFTY,BANKNIFTY")
    assert_refused(
        not_watched,
        "BANKNIFTY is not on the watchlist",
        "participant watchlist set BANKNIFTY --add",
        "row in participant.toml does",
    )
    assert not (tmp_path / "home" / "run.json").exists()
    mended = participant(tmp_path, "trade", *options, "--symbols", "NIFTY")
    assert (mended.status, mended.err) == (0, "")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody else listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("setting", ["port", "fix_port"])
def test_a_port_in_use_is_named(setting: str, taken_port: int, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(f"[venue]\n{setting} = {taken_port}\n")
    ended = participant(tmp_path, "trade", "--config", "own.toml", "--home", "home")
    assert_refused(ended, str(taken_port), "ddress already in use", "choose free ports, or 0 for any")
    assert not (tmp_path / "home" / "run.json").exists()


def test_a_port_in_use_is_named_by_the_venue_too(taken_port: int, tmp_path: Path) -> None:
    ended = participant(tmp_path, "venue", "--port", taken_port, "--home", "home")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"venue: cannot use 127.0.0.1:{taken_port}" in ended.err


def test_a_venue_that_does_not_answer_is_named(tmp_path: Path) -> None:
    ended = participant(tmp_path, "trade", "--venue", "http://127.0.0.1:9", "--home", "home")
    assert_refused(ended, "http://127.0.0.1:9 does not answer", "participant venue")
    assert not (tmp_path / "home" / "run.json").exists()


@pytest.mark.parametrize(("text", "said"), [(None, "cannot be read: No such file"), ("drop = 1\n", "`drop`")])
def test_faults_that_cannot_be_read_are_named(text: str | None, said: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "faults.toml").write_text(text)
    assert_refused(participant(tmp_path, "trade", "--faults", "faults.toml", "--home", "home"), "faults.toml", said)


@pytest.mark.parametrize("home", ["file", "file/below"])
def test_a_file_in_the_place_of_the_home_is_named(home: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    for command in ("trade", "venue"):
        assert_refused(participant(tmp_path, command, "--home", home), f"home {home}", "choose another with --home")
    assert (tmp_path / "file").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("folder", [".", "decisions", "logs"])
def test_a_home_that_may_not_be_written_is_named(folder: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / folder).mkdir(parents=True)
    (home / folder).chmod(0o555)
    probe = f"import os, sys; sys.exit(os.access({str(home / folder)!r}, os.W_OK))"
    if subprocess.run([sys.executable, "-c", WITHOUT_PRIVILEGE, "-c", probe], check=False).returncode:
        pytest.skip("this user passes over every permission")
    for command in ("trade", "venue"):
        ended = participant(tmp_path, command, "--home", "home", through=("-c", WITHOUT_PRIVILEGE))
        assert_refused(ended, "home", "Permission denied", "choose another with --home")
    assert not any(path.is_file() for path in home.rglob("*"))


@pytest.mark.parametrize("file", ["books.sqlite", "market.sqlite"])
@pytest.mark.parametrize("size", [None, 100, 20_000])
def test_a_broken_database_is_named_and_left_as_it_is(
    file: str, size: int | None, tmp_path: Path, calm: tuple[Path, Ended]
) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    whole = (home / file).read_bytes()
    broken = b"this is no database\n" * 500 if size is None else whole[:size]
    (home / file).write_bytes(broken)
    log = log_bytes(home)
    for words in (["trade", *MADE[:1]], ["status"]) if file == "books.sqlite" else (["trade", *MADE[:1]],):
        ended = participant(tmp_path, *words, "--home", home)
        assert_refused(ended, f"database {home}", file, "move it away")
    assert participant(tmp_path, "halt", "--home", home).status == 0, "no damage stands in the way of a halt"
    assert participant(tmp_path, "resume", "--home", home).status == 0
    assert (home / file).read_bytes() == broken
    assert log_bytes(home) == log

    (home / file).write_bytes(whole)
    mended = participant(tmp_path, "trade", "--home", home, "--lockstep", "--step", 1800, "--symbols", "NIFTY")
    assert (mended.status, mended.err) == (0, "")


def test_a_broken_state_of_the_venue_is_named(tmp_path: Path) -> None:
    (tmp_path / "venue.json").write_text("garbage")
    for command in ("trade", "venue"):
        ended = participant(tmp_path, command, "--home", tmp_path)
        assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
        assert f"{tmp_path}/venue.json is broken" in ended.err
        assert "move it away to begin anew" in ended.err


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (("--seed", 32), "seed 31 with NIFTY"),
        (("--symbols", "BANKNIFTY"), "seed 31 with NIFTY"),
        (("--step", 3600), "go on with the same --step"),
    ],
)
def test_a_day_that_was_begun_does_not_go_on_with_another_market(
    other: tuple[object, ...], said: str, tmp_path: Path
) -> None:
    with Desk(tmp_path / "home", *MADE) as desk:
        desk.until_decided(5)
        desk.process.terminate()
        desk.ended()
    before = log_bytes(desk.home)
    assert_refused(participant(tmp_path, "trade", "--home", desk.home, *MADE, *other), "venue.json", said)
    assert log_bytes(desk.home) == before


def test_a_second_desk_on_the_same_home_is_refused_and_the_first_is_not_disturbed(
    tmp_path: Path, calm: tuple[Path, Ended]
) -> None:
    with Desk(tmp_path / "home", *MADE) as first:
        first.until_decided(5)
        second = participant(tmp_path, "trade", "--home", first.home, *MADE)
        assert not first.is_over
        ended = first.ended()
    assert_refused(second, f"home {first.home} is in use by", str(first.process.pid), "another --home")
    assert (ended.status, ended.err) == (0, "")
    assert log_bytes(first.home) == log_bytes(calm[0])


@pytest.mark.parametrize("words", [["status"], ["halt"], ["resume"], ["desk", "list"], ["replay", DAY]])
def test_a_home_that_has_nothing_yet_says_how_to_begin(words: list[str], tmp_path: Path) -> None:
    assert_refused(participant(tmp_path, *words, "--home", "home"), "home", "participant trade")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_cannot_be_read_is_named(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    shutil.copy(calm[0] / "books.sqlite", tmp_path)
    (tmp_path / "run.json").write_text("garbage")
    assert_refused(participant(tmp_path, "status", "--home", tmp_path), f"{tmp_path}/run.json is broken")


def test_an_open_ticket_blocks_the_day_until_it_is_closed(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    home = tmp_path / "home"
    shutil.copytree(calm[0], home)
    ticket = '{"ticket_id":"abcdef0123","at":1,"scrip":"NIFTY","title":"an order","detail":"look it up"}'
    with sqlite3.connect(home / "books.sqlite") as books:
        books.execute("UPDATE counter SET seq = seq + 1")
        books.execute(
            "INSERT INTO rows SELECT seq, 'tickets', 'abcdef0123', CAST(? AS BLOB), 1 FROM counter", (ticket,)
        )
    books.close()
    blocked = participant(tmp_path, "trade", "--home", home, "--lockstep")
    assert_refused(blocked, "1 open ticket in", "abcdef01", "an order", "participant desk close")
    assert participant(tmp_path, "desk", "list", "--home", home).status == 1
    closed = participant(tmp_path, "desk", "close", "abcdef", "--home", home, "--reason", "it was never sent")
    assert (closed.status, closed.err) == (0, "")
    assert_refused(participant(tmp_path, "desk", "close", "abcdef", "--home", home, "--reason", "again"), "abcdef")
    assert trade(home, "--lockstep", "--step", 1800, "--symbols", "NIFTY").status == 0


def test_a_process_that_dies_again_and_again_ends_the_run_and_the_day_goes_on_when_it_is_mended(
    tmp_path: Path, calm: tuple[Path, Ended]
) -> None:
    home, config = tmp_path / "home", tmp_path / "own.toml"
    config.write_text("[desk]\nrestarts_max = 2\nstall_max_s = 20\n")
    in_the_way = home / "decisions" / f"{DAY}.jsonl"
    in_the_way.mkdir(parents=True)
    ended = trade(home, *MADE, "--config", config)
    assert (ended.status, ended.out, ended.err.count("\n")) == (3, "", 1)
    for word in ("desk ended 3 times", str(in_the_way), "Is a directory", f"{home}/logs/desk.log"):
        assert word in ended.err
    in_the_way.rmdir()
    mended = trade(home, *MADE, "--config", config)
    assert (mended.status, mended.err) == (0, "")
    assert log_bytes(home) == log_bytes(calm[0])
