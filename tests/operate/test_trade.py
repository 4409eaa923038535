"""A day from its start to its summary: the venue's start, the watching, and each way in which a run can end."""

import datetime
import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.messages import Row, Write
from participant.core.session import Session, at_time
from participant.operate import trade
from participant.operate.supervisor import TooManyRestarts
from participant.operate.trade import Day, Stopped, VenueProcess, run_day, start_venue
from participant.operate.wake import NotReady
from participant.stages.reconcile import Closed
from participant.venue.server import FREE
from participant.wire.json import encode
from tests.venue import made

DAY = datetime.date(2026, 11, 25)
SESSION = Session(DAY, at_time(DAY, 9, 15), at_time(DAY, 15, 40), at_time(DAY, 15, 40), "made")
SLEEPS = ["sleep", "300"]


class Books(MemoryStore):
    """Shows the day as closed as soon as `is_over` says so."""

    def __init__(self, is_over: Callable[[], bool]) -> None:
        super().__init__()
        self.is_over = is_over

    def get(self, table: str, key: str) -> Row | None:
        if table != "days":
            return super().get(table, key)
        return Row(table, key, encode(Closed(key, 1, (), (), {}, 1)), 1, 1) if self.is_over() else None


@pytest.fixture(autouse=True)
def signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run listens to signals; afterwards they do again what they did before."""
    monkeypatch.setattr(trade, "LOOK_EVERY_S", 0.01)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, deed in before.items():
        signal.signal(number, deed)


def a_day(home: Path, is_over: Callable[[], bool], *, stall_max_s: float = 10.0, **commands: list[str]) -> Day:
    queues = {name: MemoryQueue(lambda: 0.0) for name in ("market", "orders", "fills")}
    books, restarts_max, archive = Books(is_over), 1, MemoryArchive()
    market = MemoryStore()
    return Day(DAY, home, SESSION, books, market, queues, archive, commands, restarts_max, stall_max_s, is_quiet=True)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def pids(home: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((home / "pids.json").read_bytes())
    return found


def test_after_a_day_signals_are_heard_by_whoever_heard_them_before(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in trade.STOPS]
    run_day(a_day(tmp_path, lambda: True, one=SLEEPS), None, "")
    assert [signal.getsignal(number) for number in trade.STOPS] == before


# --- the venue ---


def venue(script: str, home: Path) -> VenueProcess:
    return start_venue(["sh", "-c", script], "127.0.0.1", home / "logs" / "venue.log")


def ended(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


def test_a_venue_is_started_and_says_where_it_answers(tmp_path: Path) -> None:
    script = """printf '{"http":81'; sleep 0.05; echo '23,"fix":8124}'; exec sleep 300"""
    started = venue(script, tmp_path)
    try:
        assert (started.url, started.fix_port) == ("http://127.0.0.1:8123", 8124)
        assert started.command == ["sh", "-c", script, "--port", "8123", "--fix-port", "8124"]
        assert started.process.poll() is None
    finally:
        ended(started.process)


@pytest.mark.parametrize(
    ("script", "told"),
    [
        (
            "echo starting >&2; echo 'participant: venue: port 8123 is in use' >&2; exit 2",
            "^venue: port 8123 is in use$",
        ),
        ("exit 1", r"venue: it did not start; its log is .*venue\.log"),
        ("echo hello; exec sleep 300", r"venue: it did not start; its log is .*venue\.log"),
    ],
)
def test_a_venue_that_does_not_start_is_told_with_what_it_said(tmp_path: Path, script: str, told: str) -> None:
    with pytest.raises(NotReady, match=told):
        venue(script, tmp_path)


def test_a_venue_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trade, "READY_WITHIN_S", 0.1)
    with pytest.raises(NotReady, match="it did not start"):
        venue("exec sleep 300", tmp_path)


# --- the day ---


def test_a_day_runs_until_it_is_closed_and_leaves_no_process_behind(tmp_path: Path) -> None:
    day = a_day(tmp_path, (tmp_path / "pids.json").exists, gateway=SLEEPS, desk=SLEEPS)
    summary = run_day(day, None, "")
    assert (summary.day, summary.restarts, summary.sealed) == (str(DAY), {}, f"memory:{DAY}")
    assert not summary.needs_a_person
    assert sorted(pids(tmp_path)) == ["desk", "gateway"]
    assert all(is_gone(pid) for pid in pids(tmp_path).values())


def test_the_venue_of_our_own_is_tended_and_ended_too(tmp_path: Path) -> None:
    process = subprocess.Popen(SLEEPS)
    own = VenueProcess("http://127.0.0.1:1", 1, SLEEPS, process)
    run_day(a_day(tmp_path, lambda: True, desk=SLEEPS), own, "")
    assert pids(tmp_path)["venue"] == process.pid
    assert process.returncode == -signal.SIGTERM


def test_a_process_that_dies_is_started_again_and_counted(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "desk.log"
    once = f"echo started; test -e {tmp_path}/flag && exec sleep 300; touch {tmp_path}/flag; exit 7"
    day = a_day(tmp_path, lambda: log.read_text() == "started\n" * 2, desk=["sh", "-c", once])
    summary = run_day(day, None, "")
    assert summary.restarts == {"desk": 1}
    assert all(is_gone(pid) for pid in pids(tmp_path).values())


def test_a_process_that_cannot_be_kept_alive_ends_the_run(tmp_path: Path) -> None:
    day = a_day(tmp_path, lambda: False, desk=["sh", "-c", "exit 7"], gateway=SLEEPS)
    with pytest.raises(TooManyRestarts, match="desk ended 2 times, last with status 7"):
        run_day(day, None, "")
    assert is_gone(pids(tmp_path)["gateway"])


def test_a_day_in_which_nothing_moves_is_ended(tmp_path: Path) -> None:
    day = a_day(tmp_path, lambda: False, stall_max_s=0.05, desk=SLEEPS)
    with pytest.raises(TimeoutError, match=r"nothing has moved for 0\.05 s; the logs are in .*/logs"):
        run_day(day, None, "")
    assert is_gone(pids(tmp_path)["desk"])


def test_as_long_as_something_moves_a_day_goes_on(tmp_path: Path) -> None:
    looks = 0

    def moves() -> bool:
        nonlocal looks
        looks += 1
        decision = f'{{"decisionInfo":{LOGGED.decode()}}}'.encode()
        day.books.commit([Write("log", f"{DAY}/{looks}", decision)])
        return looks == 20

    day = a_day(tmp_path, moves, stall_max_s=0.1, desk=SLEEPS)
    assert run_day(day, None, "").decisions == {"maintain": 20}


LOGGED = encode({
    "decisionId": "d", "scrip": "NIFTY", "action": "maintain", "reason": "because", "figures": {}, "legs": [],
    "snapshotId": "s", "decidedFor": 1, "deadline": 2, "rulesHash": "", "buildId": "",
})  # fmt: skip


@pytest.mark.parametrize("name", ["INT", "TERM"])
def test_a_person_may_end_the_run(tmp_path: Path, name: str) -> None:
    day = a_day(tmp_path, lambda: False, desk=["sh", "-c", f"kill -{name} {os.getpid()}; exec sleep 300"])
    number = int(getattr(signal, f"SIG{name}"))
    with pytest.raises(Stopped, match=f"stopped by signal {number}; run the same command again to go on with the day"):
        run_day(day, None, "")
    assert is_gone(pids(tmp_path)["desk"])


def test_a_free_running_venue_is_told_to_start(tmp_path: Path) -> None:
    with made.running(made.MadeMarket(), mode=FREE, speed=60.0) as there:

        def has_begun() -> bool:
            return there.venue.exchange.started_at > 0

        assert not has_begun()
        run_day(a_day(tmp_path, has_begun, desk=SLEEPS), None, there.url)
