"""The Lease port's promise, held by every adapter; then what the lock on a file promises besides."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.leases.file import FileLease
from participant.adapters.leases.memory import MemoryLease
from participant.ports import Lease, StoreBroken
from tests.source import SRC

START = 1_795_405_500_000_000_000

Maker = Callable[[], Lease]


def memory(_: Path) -> Maker:
    desk: dict[str, MemoryLease] = {}
    return lambda: MemoryLease(desk)


def file(home: Path) -> Maker:
    return lambda: FileLease(home, VirtualClock(START))


ADAPTERS: dict[str, Callable[[Path], Maker]] = {"memory": memory, "file": file}


@pytest.fixture(params=ADAPTERS)
def pair(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Lease, Lease]]:
    """Two desks that contend for one lease."""
    make = ADAPTERS[request.param](tmp_path)
    first, second = make(), make()
    yield first, second
    first.release()
    second.release()


# --- every lease ------------------------------------------------------------------------------------------------------


def test_a_lease_is_not_held_before_it_is_taken(pair: tuple[Lease, Lease]) -> None:
    first, _ = pair
    assert not first.is_held()


def test_one_holds_the_lease_and_the_other_is_told_who(pair: tuple[Lease, Lease]) -> None:
    first, second = pair
    assert first.take("desk in Mumbai") == ""
    assert "desk in Mumbai" in second.take("desk in Pune")
    assert (first.is_held(), second.is_held()) == (True, False)


def test_a_refused_take_leaves_the_holders_name(pair: tuple[Lease, Lease]) -> None:
    first, second = pair
    first.take("desk in Mumbai")
    second.take("desk in Pune")
    assert "desk in Mumbai" in second.take("desk in Pune")


def test_the_holder_may_take_it_again(pair: tuple[Lease, Lease]) -> None:
    first, second = pair
    assert first.take("desk") == ""
    assert first.take("desk") == ""
    assert second.take("desk") != "", "a lease is held by one, whatever it calls itself"
    assert first.is_held()


def test_a_released_lease_can_be_taken_by_the_other(pair: tuple[Lease, Lease]) -> None:
    first, second = pair
    first.take("first")
    first.release()
    assert not first.is_held()
    assert second.take("second") == ""
    assert second.is_held()
    assert "second" in first.take("first")


def test_releasing_what_is_not_held_takes_nothing_from_the_holder(pair: tuple[Lease, Lease]) -> None:
    first, second = pair
    first.take("first")
    second.release()
    assert first.is_held()
    assert second.take("second") != ""


# --- file -------------------------------------------------------------------------------------------------------------


def test_the_file_says_who_holds_the_desk_by_which_process_and_since_when(tmp_path: Path) -> None:
    first, second = file(tmp_path)(), file(tmp_path)()
    first.take("participant trade")
    told = f"participant trade (pid {os.getpid()}, since 2026-11-23 03:45:00 UTC)"
    assert second.take("another") == told
    assert (tmp_path / "desk.lock").read_text() == told + "\n"
    first.release()


HOLDER = """
import sys, time
from pathlib import Path
from participant.adapters.clocks.system import SystemClock
from participant.adapters.leases.file import FileLease
lease = FileLease(Path(sys.argv[1]), SystemClock())
print(repr(lease.take("child")), flush=True)
time.sleep(600)
"""


def test_the_lease_of_a_killed_process_is_free(tmp_path: Path) -> None:
    env = os.environ | {"PYTHONPATH": str(SRC)}
    child = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=env)
    assert child.stdout is not None
    assert child.stdout.readline() == "''\n"
    lease = file(tmp_path)()
    assert lease.take("ours").startswith(f"child (pid {child.pid}, since ")
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    assert lease.take("ours") == ""
    lease.release()


def test_a_process_that_the_holder_starts_does_not_keep_the_lease(tmp_path: Path) -> None:
    first, second = file(tmp_path)(), file(tmp_path)()
    first.take("first")
    child = subprocess.Popen(["sleep", "600"], close_fds=False)
    first.release()
    assert second.take("second") == ""
    child.kill()
    child.wait(30)
    second.release()


def test_a_lease_whose_file_was_removed_is_no_longer_held(tmp_path: Path) -> None:
    first, second = file(tmp_path)(), file(tmp_path)()
    first.take("first")
    (tmp_path / "desk.lock").unlink()
    assert not first.is_held()
    assert second.take("second") == ""
    assert not first.is_held(), "the file is there again, and another's"
    assert first.take("first").startswith("second ")
    second.release()
    first.release()


def test_a_home_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(StoreBroken, match=r"^lease .*missing/desk\.lock: No such file or directory: see that its"):
        file(tmp_path / "missing")().take("desk")
    (tmp_path / "desk.lock").mkdir()
    with pytest.raises(StoreBroken, match=r"^lease .*desk\.lock: Is a directory: see"):
        file(tmp_path)().take("desk")


def test_a_lock_that_cannot_be_signed_is_told_and_not_held(tmp_path: Path) -> None:
    (tmp_path / "desk.lock").symlink_to("/dev/full")
    lease = file(tmp_path)()
    with pytest.raises(StoreBroken, match=r"^lease .*desk\.lock: "):
        lease.take("desk")
    assert not lease.is_held()
