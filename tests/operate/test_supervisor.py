"""The supervisor: every process alive, each start counted, none left behind."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from participant.operate.supervisor import Supervisor, TooManyRestarts

WITHIN_S = 10.0
SLEEPS = ["sleep", "300"]
DIES = ["sh", "-c", "echo first >&2; echo participant: something broke >&2; exit 3"]
STUBBORN = ["sh", "-c", "trap '' TERM; echo ready; while true; do sleep 0.05; done"]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Supervisor]]:
    made: list[Supervisor] = []

    def build(restarts_max: int = 3, **commands: list[str]) -> Supervisor:
        made.append(Supervisor(commands, tmp_path / "logs", restarts_max))
        return made[-1]

    yield build
    for supervisor in made:
        supervisor.stop(0.0)


def is_over(supervisor: Supervisor, name: str) -> bool:
    process = next(c.process for c in supervisor.children if c.name == name)
    return process is not None and process.poll() is not None


def alive(supervisor: Supervisor) -> list[str]:
    return [c.name for c in supervisor.children if c.process is not None and c.process.poll() is None]


def test_every_command_runs_as_a_process_of_its_own(make: Callable[..., Supervisor]) -> None:
    supervisor = make(a=SLEEPS, b=SLEEPS)
    assert supervisor.pids == {}
    supervisor.start()
    assert alive(supervisor) == ["a", "b"]
    assert len(set(supervisor.pids.values())) == 2
    before = supervisor.pids
    assert supervisor.tend() == []
    assert (supervisor.pids, supervisor.restarts) == (before, {"a": 0, "b": 0})


def test_starting_again_starts_nothing_that_runs(make: Callable[..., Supervisor]) -> None:
    supervisor = make(a=SLEEPS)
    supervisor.start()
    before = supervisor.pids
    supervisor.start()
    assert supervisor.pids == before


def test_what_has_died_is_started_again_and_stops_no_other(make: Callable[..., Supervisor]) -> None:
    supervisor = make(a=SLEEPS, b=SLEEPS)
    supervisor.start()
    before = supervisor.pids
    victim = next(c.process for c in supervisor.children if c.name == "a")
    assert victim is not None
    victim.kill()
    until(lambda: is_over(supervisor, "a"))
    assert supervisor.tend() == ["a ended with status -9 and was started again"]
    assert alive(supervisor) == ["a", "b"]
    assert supervisor.pids["b"] == before["b"]
    assert supervisor.pids["a"] != before["a"]
    assert supervisor.restarts == {"a": 1, "b": 0}


def test_a_process_that_dies_again_and_again_ends_the_run_with_a_sentence(
    make: Callable[..., Supervisor], tmp_path: Path
) -> None:
    supervisor = make(restarts_max=2, a=DIES)
    supervisor.start()
    for _ in range(2):
        until(lambda: is_over(supervisor, "a"))
        assert len(supervisor.tend()) == 1
    until(lambda: is_over(supervisor, "a"))
    with pytest.raises(
        TooManyRestarts, match=r"a ended 3 times, last with status 3: something broke; its log is .*a\.log$"
    ):
        supervisor.tend()
    assert (tmp_path / "logs" / "a.log").read_text() == "first\nparticipant: something broke\n" * 3


def test_a_process_that_runs_already_is_taken_care_of(make: Callable[..., Supervisor], tmp_path: Path) -> None:
    process = subprocess.Popen(SLEEPS)
    supervisor = make(a=SLEEPS)
    supervisor.adopt("venue", ["sh", "-c", "echo again; exec sleep 300"], process)
    supervisor.start()
    assert supervisor.pids["venue"] == process.pid
    process.kill()
    until(lambda: is_over(supervisor, "venue"))
    supervisor.tend()
    until(lambda: (tmp_path / "logs" / "venue.log").read_text() == "again\n")
    assert alive(supervisor) == ["a", "venue"]


def test_stopping_ends_every_process(make: Callable[..., Supervisor]) -> None:
    supervisor = make(a=SLEEPS, b=SLEEPS)
    supervisor.start()
    supervisor.stop()
    assert alive(supervisor) == []
    assert {c.process.returncode for c in supervisor.children if c.process} == {-signal.SIGTERM}
    supervisor.stop()


def test_one_that_does_not_listen_is_killed_after_its_time(make: Callable[..., Supervisor], tmp_path: Path) -> None:
    supervisor = make(a=STUBBORN, b=SLEEPS)
    supervisor.start()
    until(lambda: (tmp_path / "logs" / "a.log").read_text() == "ready\n")
    began = time.monotonic()
    supervisor.stop(patience_s=0.2)
    assert time.monotonic() - began < 5.0
    codes = {c.name: c.process.returncode for c in supervisor.children if c.process}
    assert codes == {"a": -signal.SIGKILL, "b": -signal.SIGTERM}
