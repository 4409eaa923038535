"""Runs the desk as a person does: the command line, its files and its sockets, with a limit on every wait.

Nothing in here knows the inside of the desk, but for the JSON that it writes down.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import httpx

from tests.source import SRC

T = TypeVar("T")

LIMIT_S = 300.0
LOOK_EVERY_S = 0.01
DAY = "2026-11-25"
# A made day on which a covered call is opened with the first instant and held.
SEED = 31
MADE = ("--lockstep", "--date", DAY, "--seed", str(SEED), "--symbols", "NIFTY", "--step", "600")
COARSE = (*MADE[:-1], "1800")  # where no more than the first instants and the end of the day matter
PROCESSES = ("ingest", "dispatch", "gateway", "desk", "breaker", "venue")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str

    @property
    def summaries(self) -> list[dict[str, Any]]:
        """What `trade --json` printed: one summary a day."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, Any]:
        """The only day's summary."""
        (only,) = self.summaries
        return only


def participant(
    folder: Path,
    *words: object,
    through: tuple[str, ...] = (),
    also: Mapping[str, str] = {},
    limit_s: float = LIMIT_S,
) -> Ended:
    """Run one command in `folder` to its end; `through` comes between Python and the module.

    `also` is what stands in its environment beside ours.
    """
    command = [sys.executable, *through, "-m", "participant", *map(str, words)]
    done = subprocess.run(
        command, check=False, cwd=folder, env={**environment(), **also}, capture_output=True, text=True, timeout=limit_s
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def environment() -> dict[str, str]:
    """Ours, with this tree's source and no configuration of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PARTICIPANT_")}
    return {**kept, "PYTHONPATH": str(SRC)}


class Desk:
    """A `participant trade` under way at `home`; leaving it ends whatever of it still runs.

    `also` is what stands in its environment beside ours.
    """

    def __init__(self, home: Path, *options: object, also: Mapping[str, str] = {}) -> None:
        self.home = home
        self.options = options
        self._out, self._err = (home.parent / f"{home.name}.{name}" for name in ("out", "err"))
        command = [sys.executable, "-m", "participant", "trade", "--home", str(home), "--json", *map(str, options)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            # A group of its own, so that its end can be made sure of by its id.
            self.process = subprocess.Popen(
                command,
                cwd=home.parent,
                env={**environment(), **also},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        if any(parent_and_group(pid)[1] == self.process.pid for pid in all_pids()):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(LIMIT_S)

    def ended(self) -> Ended:
        """Wait for its end."""
        status = self.process.wait(LIMIT_S)
        return Ended(status, self._out.read_text(), self._err.read_text())

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.process.poll() is not None

    def pids(self) -> dict[str, int]:
        """Its processes that run now, by name; a brain worker among them."""
        mine = {pid for pid in all_pids() if parent_and_group(pid)[0] == self.process.pid}
        try:
            noted: dict[str, int] = json.loads((self.home / "pids.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return {}  # not written yet, or just now
        found = {name: pid for name, pid in noted.items() if pid in mine}
        for pid in all_pids():
            if parent_and_group(pid)[0] == found.get("dispatch", -1):
                found["brain"] = pid
        return found

    def kill(self, name: str) -> int:
        """Kill one of its processes, as hard as can be; returns the id that it had."""
        pid = self.until(f"{name} runs", lambda: self.pids().get(name))
        os.kill(pid, signal.SIGKILL)
        return pid

    def until(self, what: str, found: Callable[[], T | None]) -> T:
        """Wait until something is found, and return it; fails after LIMIT_S, or where the desk ends before."""

        def look() -> T | None:
            assert not self.is_over, f"the desk ended before this: {what}; {self._err.read_text()}"
            return found()

        return until(what, look)

    def until_decided(self, count: int) -> None:
        """Wait until so many decisions stand in the log."""
        self.until(f"{count} decisions stand in the log", lambda: len(log_of(self.home)) >= count or None)

    def until_first_order(self) -> None:
        """Wait until the broker has taken an order."""
        venue = self.home / "venue.json"
        self.until("the broker has the first order", lambda: (venue.exists() and bool(taken_tags(self.home))) or None)

    @property
    def venue_url(self) -> str:
        """Where its venue answers."""
        return self.until("the run is written down", lambda: _venue_url(self.home / "run.json"))

    def fail_at_venue(self, faults: dict[str, object]) -> None:
        """Let something go wrong at its venue from now on."""
        httpx.post(f"{self.venue_url}/faults", json=faults, timeout=LIMIT_S, trust_env=False).raise_for_status()


def _venue_url(run: Path) -> str | None:
    try:
        return str(json.loads(run.read_bytes())["venue_url"])
    except (FileNotFoundError, ValueError):
        return None


def until(what: str, found: Callable[[], T | None], limit_s: float = LIMIT_S) -> T:
    """Look again and again until something is found; fails after `limit_s`."""
    over_at = time.monotonic() + limit_s
    while (got := found()) is None:
        assert time.monotonic() < over_at, f"waited {limit_s:g} s in vain: {what}"
        time.sleep(LOOK_EVERY_S)
    return got


def trade(home: Path, *options: object) -> Ended:
    """Trade to the end."""
    with Desk(home, *options) as desk:
        return desk.ended()


def log_bytes(home: Path, day: str = DAY) -> bytes:
    """The decision log of a day as it stands: its lines, and after them its parts."""
    return b"".join(path.read_bytes() for path in log_files(home, day) if path.exists())


def log_files(home: Path, day: str = DAY) -> tuple[Path, Path]:
    """Where its lines and its parts stand."""
    return home / "decisions" / f"{day}.jsonl", home / "decisions" / f"{day}.parts.jsonl.gz"


def log_of(home: Path, day: str = DAY) -> list[bytes]:
    """Its whole lines."""
    path = log_files(home, day)[0]
    lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    return [line for line in lines if line.endswith(b"\n")]


def decisions_of(home: Path, day: str = DAY) -> list[dict[str, Any]]:
    """Every decision of a day's log."""
    return [json.loads(line)["decisionInfo"] for line in log_of(home, day)]


def broker_of(home: Path) -> dict[str, Any]:
    """The broker's own books, as the venue keeps them."""
    broker: dict[str, Any] = json.loads((home / "venue.json").read_bytes())["broker"]
    return broker


def taken_tags(home: Path) -> list[str]:
    """The tags of the orders that the broker took today, oldest first."""
    return [order["request"]["tag"] for order in broker_of(home)["orders"] if order["status"] != "rejected"]


def all_pids() -> list[int]:
    """Every process of this machine."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def parent_and_group(pid: int) -> tuple[int, int]:
    """The parent and the group of a process that runs, (0, 0) for one that has ended."""
    try:
        state, parent, group = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:3]
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    return (0, 0) if state == "Z" else (int(parent), int(group))
