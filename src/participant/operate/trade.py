"""A day from wake to summary: starts the processes, watches them, shows what happens, and puts the day together."""

import datetime
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
import msgspec
from msgspec import Struct
from msgspec.structs import replace

from participant.core.session import Session
from participant.operate.environment import environment
from participant.operate.screen import Watcher
from participant.operate.summary import Summary, summarise
from participant.operate.supervisor import Supervisor
from participant.operate.view import view
from participant.operate.wake import NotReady, is_told
from participant.ports import Archive, Queue, Store
from participant.stages.reconcile import Closed
from participant.wire.json import decode

LOOK_EVERY_S = 0.25
READY_WITHIN_S = 120.0
START_WITHIN_S = 10.0
STOPS = (signal.SIGINT, signal.SIGTERM)
TOLD_WITHIN_S = 15.0


class Ready(Struct, frozen=True):
    """What a venue prints once it answers: its HTTP and its FIX port."""

    http: int
    fix: int


class VenueProcess(Struct):
    """A venue of our own: where it answers, and the command that starts it again at the same place."""

    url: str
    fix_port: int
    command: Sequence[str]
    process: "subprocess.Popen[bytes]"


class Day(Struct, frozen=True):
    """What a day runs on."""

    day: datetime.date
    home: Path
    session: Session
    books: Store
    quotes: Store
    queues: Mapping[str, Queue]
    archive: Archive
    commands: Mapping[str, Sequence[str]]
    restarts_max: int
    stall_max_s: float
    is_quiet: bool
    notes: tuple[str, ...] = ()
    is_unplayed: bool = False


class Stopped(Exception):
    """A person ended the run before the day was over."""


def start_venue(command: Sequence[str], host: str, log: Path) -> VenueProcess:
    """Start a venue and wait until it answers; raises NotReady with what it said if it does not."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as errors:
        env = environment("venue", os.environ)
        process = subprocess.Popen(
            list(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=env
        )
    assert process.stdout is not None
    line = b""
    until = time.monotonic() + READY_WITHIN_S
    while not line.endswith(b"\n") and time.monotonic() < until and process.poll() is None:
        if select.select([process.stdout], [], [], 0.2)[0]:
            line += os.read(process.stdout.fileno(), 65_536)
    try:
        ready = msgspec.json.decode(line, type=Ready)
    except msgspec.DecodeError:
        process.kill()
        process.wait()
        process.stdout.close()
        said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        why = said[-1].removeprefix("participant: ") if said else f"venue: it did not start; its log is {log}"
        raise NotReady(why) from None
    again = [*command, "--port", str(ready.http), "--fix-port", str(ready.fix)]
    return VenueProcess(f"http://{host}:{ready.http}", ready.fix, again, process)


def run_day(day: Day, venue: VenueProcess | None, start_url: str) -> Summary:
    """Run one day to its end. Raises TooManyRestarts, TimeoutError on a stall, Stopped when a person ends it."""
    supervisor = Supervisor(day.commands, day.home / "logs", day.restarts_max)
    if venue is not None:
        supervisor.adopt("venue", venue.command, venue.process)
    watcher = Watcher(day.books, day.quotes, dict(day.queues), day.day)
    before = {number: signal.getsignal(number) for number in STOPS}
    asked_to_stop = stop_signals()
    try:
        return _run(day, supervisor, watcher, start_url, asked_to_stop)
    finally:
        for number, listener in before.items():
            signal.signal(number, listener)


def _run(day: Day, supervisor: Supervisor, watcher: Watcher, start_url: str, asked_to_stop: list[int]) -> Summary:
    supervisor.start()
    try:
        if start_url:
            start_market(start_url)
        (day.home / "pids.json").write_bytes(msgspec.json.encode(supervisor.pids))
        closed = _watch(day, supervisor, watcher, asked_to_stop)
    finally:
        supervisor.stop()
    sealed = day.archive.seal(str(day.day))
    summary = summarise(watcher.look(), closed, supervisor.restarts, (str(day.home), sealed), day.notes)
    return replace(summary, is_unplayed=day.is_unplayed)


def start_market(url: str) -> None:
    """Let a venue that runs by itself begin; one in lockstep takes no notice. Raises NotReady."""
    try:
        httpx.post(f"{url}/start", timeout=START_WITHIN_S, trust_env=False).raise_for_status()
    except httpx.HTTPError as fault:
        raise NotReady(f"venue: {url} cannot be started ({fault}); is it still running?") from fault


def _watch(day: Day, supervisor: Supervisor, watcher: Watcher, asked_to_stop: list[int]) -> Closed:
    """Show the day until it is closed."""
    moved_at, before = time.monotonic(), (0, 0)
    with view(day.session, is_quiet=day.is_quiet) as shown:
        while True:
            for sentence in supervisor.tend():
                shown.say(sentence)
                (day.home / "pids.json").write_bytes(msgspec.json.encode(supervisor.pids))
            screen = watcher.look()
            shown.show(screen, watcher.news)
            row = day.books.get("days", str(day.day))
            if row is not None:
                _wait_until_told(day.books)
                return decode(row.value, Closed)
            now = (screen.at, watcher.read_to)
            moved_at, before = (moved_at, before) if now == before else (time.monotonic(), now)
            if time.monotonic() - moved_at > day.stall_max_s:
                raise TimeoutError(f"nothing has moved for {day.stall_max_s:g} s; the logs are in {day.home}/logs")
            if asked_to_stop:
                raise Stopped(f"stopped by signal {asked_to_stop[0]}; run the same command again to go on with the day")
            time.sleep(LOOK_EVERY_S)


def _wait_until_told(books: Store) -> None:
    """What the day's end brought to light goes out before the processes stop, as far as the channels answer in time."""
    until = time.monotonic() + TOLD_WITHIN_S
    while not is_told(books) and time.monotonic() < until:
        time.sleep(LOOK_EVERY_S)


def stop_signals() -> list[int]:
    """A list that fills when somebody asks us to end."""
    asked: list[int] = []
    for number in STOPS:
        signal.signal(number, lambda got, _: asked.append(got))
    return asked
