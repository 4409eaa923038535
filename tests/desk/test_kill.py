"""Kill -9 whatever runs, at any moment: the day goes on, ends clean, and its log is that of an undisturbed day."""

from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from tests.desk.runs import (
    MADE,
    PROCESSES,
    Desk,
    Ended,
    all_pids,
    broker_of,
    decisions_of,
    log_bytes,
    log_of,
    parent_and_group,
    taken_tags,
    trade,
    until,
)

LAST_MOMENT = 30  # decisions; the day has some 40 of them
CHILDREN_END_WITHIN_S = 8.0
# The broker takes the first order, and its answer hangs that long: time enough to kill somebody in between.
HANGS = '[broker]\nhang_s = 3.0\n[broker.plan.1]\nkind = "accept silently"\n'

Calm = tuple[Path, Ended]


def assert_clean(home: Path, ended: Ended) -> None:
    """Nothing is broken, nothing was sent twice, every decision stands once."""
    assert ended.status == 0, ended.err
    day = ended.summary
    assert (day["breaks"], day["unknown"], day["tickets"]) == ([], [], [])
    stems = [tag[:-1] for tag in taken_tags(home)]
    assert sorted(set(stems)) == sorted(stems)
    ids = [d["decisionId"] for d in decisions_of(home)]
    assert len(set(ids)) == len(ids)
    assert pq.read_metadata(day["sealed"]).num_rows == len(ids)


def assert_same_day(home: Path, calm: Calm) -> None:
    """To the byte in the log, and order by order at the broker."""
    assert log_bytes(home) == log_bytes(calm[0])
    assert taken_tags(home) == taken_tags(calm[0])
    assert broker_of(home)["ledger"] == broker_of(calm[0])["ledger"]


@pytest.mark.parametrize("name", [*PROCESSES, "brain"])
def test_a_killed_process_comes_back_and_nothing_is_lost_or_done_twice(name: str, tmp_path: Path, calm: Calm) -> None:
    with Desk(tmp_path / "home", *MADE) as desk:
        desk.until_decided(Random(f"kill {name}").randrange(1, LAST_MOMENT))
        desk.kill(name)
        ended = desk.ended()
    assert_clean(desk.home, ended)
    assert_same_day(desk.home, calm)
    assert ended.summary["restarts"] == ({} if name == "brain" else {name: 1})


def test_all_of_them_killed_one_after_the_other(tmp_path: Path, calm: Calm) -> None:
    rng = Random("kill all")
    names = rng.sample([*PROCESSES, "brain"], k=len(PROCESSES) + 1)
    with Desk(tmp_path / "home", *MADE) as desk:
        for name, count in zip(names, sorted(rng.sample(range(1, LAST_MOMENT), k=len(names))), strict=True):
            desk.until_decided(count)
            desk.kill(name)
        ended = desk.ended()
    assert_clean(desk.home, ended)
    assert_same_day(desk.home, calm)
    assert ended.summary["restarts"] == dict.fromkeys(PROCESSES, 1)


@pytest.mark.parametrize("name", ["gateway", "venue"])
def test_an_order_on_the_wire_is_not_sent_again_by_who_was_killed(name: str, tmp_path: Path, calm: Calm) -> None:
    with hanging(tmp_path) as desk:
        desk.until_first_order()
        desk.kill(name)
        ended = desk.ended()
    assert_clean(desk.home, ended)
    assert_same_day(desk.home, calm)  # the book proved the order in the same instant


@pytest.mark.parametrize("moment", ["first order", "in the day"])
def test_a_killed_desk_takes_its_processes_along_and_goes_on_when_called_again(
    moment: str, tmp_path: Path, calm: Calm
) -> None:
    with hanging(tmp_path) as desk:
        if moment == "first order":
            desk.until_first_order()
        else:
            desk.until_decided(Random(moment).randrange(2, LAST_MOMENT))
        running = desk.until("all processes run", lambda: all_running(desk))
        desk.process.kill()
        desk.process.wait()
        until("its processes have ended", lambda: all_gone(running), CHILDREN_END_WITHIN_S)
        assert len(log_of(desk.home)) < len(log_of(calm[0]))
    ended = trade(desk.home, *desk.options)
    assert_clean(desk.home, ended)
    assert_same_day(desk.home, calm)


def test_a_desk_that_is_asked_to_stop_says_how_to_go_on_and_does(tmp_path: Path, calm: Calm) -> None:
    with Desk(tmp_path / "home", *MADE) as desk:
        desk.until_decided(10)
        running = desk.until("all processes run", lambda: all_running(desk))
        desk.process.terminate()
        stopped = desk.ended()
        assert all_gone(running)
    assert stopped.status != 0
    assert stopped.err == "participant: stopped by signal 15; run the same command again to go on with the day\n"
    ended = trade(desk.home, *desk.options)
    assert_clean(desk.home, ended)
    assert_same_day(desk.home, calm)


def hanging(tmp_path: Path) -> Desk:
    """A desk whose broker hangs after it took the first order."""
    faults = tmp_path / "faults.toml"
    faults.write_text(HANGS)
    return Desk(tmp_path / "home", *MADE, "--faults", faults)


def all_running(desk: Desk) -> list[int] | None:
    pids = desk.pids()
    return list(pids.values()) if len(pids) == len(PROCESSES) + 1 else None


def all_gone(pids: list[int]) -> bool | None:
    left = set(pids) & set(all_pids())
    return not any(parent_and_group(pid) != (0, 0) for pid in left) or None
