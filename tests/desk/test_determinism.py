"""The same seed gives the same bytes; and what was decided, at whatever speed, can be decided again from its log."""

import json
import os
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

from participant.links.limits import write_own
from tests.desk.runs import (
    DAY,
    MADE,
    SEED,
    Desk,
    Ended,
    decisions_of,
    log_bytes,
    log_files,
    log_of,
    participant,
    taken_tags,
    trade,
)

# A session of 6 h 25 min in some 40 s: 600 s are 1 s here, in which a worker that was killed can start anew.
FAST = ("--speed", 600, "--date", DAY, "--seed", SEED, "--symbols", "NIFTY")


def test_the_same_seed_gives_the_same_log_to_the_byte(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    assert trade(tmp_path / "again", *MADE).status == 0
    assert log_bytes(tmp_path / "again") == log_bytes(calm[0])
    assert taken_tags(tmp_path / "again") == taken_tags(calm[0])


def test_another_seed_gives_another_log(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    assert trade(tmp_path / "other", *MADE, "--seed", SEED + 1).status == 0
    assert log_bytes(tmp_path / "other") != log_bytes(calm[0])


def test_two_scrips_in_two_workers_give_the_same_log_to_the_byte(tmp_path: Path) -> None:
    config = tmp_path / "two.toml"
    config.write_text("[desk]\nworkers = 2\n")
    for name in ("first", "second"):
        ended = trade(tmp_path / name, *MADE, "--symbols", "NIFTY,BANKNIFTY", "--config", config)
        assert (ended.status, ended.err) == (0, "")
        assert set(ended.summary["positions"]) == {"NIFTY", "BANKNIFTY"}
    assert log_bytes(tmp_path / "first") == log_bytes(tmp_path / "second")
    scrips = [d["scrip"] for d in decisions_of(tmp_path / "first")]
    assert scrips == ["BANKNIFTY", "NIFTY"] * (len(scrips) // 2)


BUSY_LIMITS = {"margin_share_max": 0.9, "orders_day_max": 1_000, "entries_max": 100, "reversals_max": 100}
BUSY_SCRIP = """
[[watchlist]]
symbol = "{}"
[watchlist.weights]
iv_rank_min = 0.0
iv_over_realised_min = 0.1
structure_loss_share_max = 0.00002
spread_max = 0.3
crash_loss_share_max = 0.2
margin_share_max = 0.9
after_call = "resell"
"""


def test_a_busy_day_whose_orders_rest_over_instants_is_the_same_however_slow_a_process_is(tmp_path: Path) -> None:
    """Big structures that are stopped at once: orders above the displayed size rest, fill in parts, are cancelled."""
    config = tmp_path / "busy.toml"
    signed_by = write_own(tmp_path, **BUSY_LIMITS)
    config.write_text(
        f'[desk]\nsigned_by = "{signed_by}"\n' + "".join(BUSY_SCRIP.format(s) for s in ("NIFTY", "BANKNIFTY"))
    )
    options = ("--lockstep", "--step", 600, "--date", "2026-11-26", "--config", config)
    calm = trade(tmp_path / "calm", *options)
    assert calm.summary["fills"] > 4
    for slow in ("dispatch", "gateway", "desk"):
        with Desk(tmp_path / slow, *options) as desk:
            slow_down(desk, slow)
            ended = desk.ended()
        assert ended.summary["orders"] == calm.summary["orders"], slow
        assert log_bytes(tmp_path / slow, "2026-11-26") == log_bytes(tmp_path / "calm", "2026-11-26"), slow


def slow_down(desk: Desk, name: str) -> None:
    """Stop one process again and again for a moment, for most of the day."""
    pid = desk.until(f"{name} runs", lambda: desk.pids().get(name))
    while not desk.is_over and len(log_of(desk.home, "2026-11-26")) < 60:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.05)
            os.kill(pid, signal.SIGCONT)
        time.sleep(0.02)


def test_a_replay_finds_the_same_decisions_in_a_log_of_lockstep(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    home = calm[0]
    ended = participant(tmp_path, "replay", DAY, "--home", home, "--json")
    assert (ended.status, ended.err) == (0, "")
    found = {"day": DAY, "equal": len(decisions_of(home)), "undecided": 0, "differences": []}
    assert json.loads(ended.out) == found


def test_a_replay_finds_the_same_decisions_in_a_log_of_a_fast_day(tmp_path: Path) -> None:
    home = tmp_path / "home"
    ended = trade(home, *FAST)
    assert (ended.status, ended.err) == (0, "")
    assert ended.summary["breaks"] == []
    replayed = participant(tmp_path, "replay", DAY, "--home", home, "--json")
    assert (replayed.status, replayed.err) == (0, "")
    found = json.loads(replayed.out)
    assert found["differences"] == []
    assert found["equal"] + found["undecided"] == len(decisions_of(home))
    assert found["equal"] > 100


def test_a_replay_shows_a_decision_that_was_changed(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    log, _ = changed(tmp_path, calm)
    log.write_bytes(log.read_bytes().replace(b'"action":"open"', b'"action":"close"', 1))
    ended = participant(tmp_path, "replay", DAY, "--home", tmp_path)
    assert (ended.status, ended.err) == (1, "")
    assert "1 not" in ended.out
    assert "line 1: logged close" in ended.out


def test_a_replay_names_the_line_whose_part_is_lost(tmp_path: Path, calm: tuple[Path, Ended]) -> None:
    log, parts = changed(tmp_path, calm)
    parts.write_bytes(parts.read_bytes()[:-1])
    last = len(log_of(tmp_path))
    ended = participant(tmp_path, "replay", DAY, "--home", tmp_path)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert f"{log}, line {last}: its part " in ended.err
    assert f" is not in {parts}; restore that file" in ended.err


def changed(home: Path, calm: tuple[Path, Ended]) -> tuple[Path, Path]:
    """A copy of the log's two files, to be changed."""
    (home / "decisions").mkdir()
    lines, parts = (Path(shutil.copy(path, home / "decisions")) for path in log_files(calm[0]))
    return lines, parts
