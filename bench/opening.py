"""One opening of the real desk: a venue and `participant trade` as processes of their own, watched from outside."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec import Struct

from participant.core.order import Order
from participant.links.limits import write_own
from participant.wire.json import decode

LOOK_EVERY_S = 0.005
LIMIT_S = 120.0
AFTER_S = 5.0  # of quiet, before the last burst counts as worked off; longer than between two instants
ROOT = Path(__file__).parent.parent
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
# A capital and limits that bind nobody: every scrip that wants to open does, all of them at once.
SETTINGS = """\
[desk]
capital = 1_000_000_000_000
workers = {workers}
signed_by = "{signed_by}"
"""
LOTS, MONEY = 1_000, 1_000_000_000_000
LIMITS = {
    **dict.fromkeys(("lots_max", "order_lots_max", "open_lots_max", "short_lots_max"), LOTS),
    **dict.fromkeys(("order_value_max", "order_notional_max", "premium_max", "open_value_max"), MONEY),
    **dict.fromkeys(("open_value_scrip_max", "delta_value_max", "vega_max", "scenario_loss_max"), MONEY),
    # The second is taken for full at the start, so it must be less than the minute, which would be full as well.
    "messages_second_max": 1_000,
    "messages_minute_max": 100_000,
}


class Burst(Struct):
    """One instant, and what came of it; seconds after the exchange's event."""

    at: int
    told: dict[str, tuple[float, float]]
    published: list[float] = []
    decided: list[float] = []
    first_legs: list[float] = []
    orders: list[float] = []
    opened: int = 0
    cpu_s: dict[str, float] = {}


class Run(Struct):
    """One run of the desk."""

    scrips: int
    contracts: int
    bursts: list[Burst] = []
    rss_mb: dict[str, float] = {}
    decisions: int = 0
    bytes_by_file: dict[str, int] = {}
    log_bytes: int = 0


Look = Callable[[Path, Path], object]


def measure(scrips: int, folder: Path, venue_options: Sequence[str], workers: int, also: Look | None = None) -> Run:
    """Run the desk through its opening; `also` is called at each look, with its home and the venue's journal."""
    folder.mkdir(parents=True)
    journal, home = folder / "journal.jsonl", folder / "var"
    command = [sys.executable, "-m", "bench.venue", "--scrips", str(scrips), "--journal", str(journal), *venue_options]
    with _process(command, folder / "venue.err", stdout=subprocess.PIPE) as venue:
        assert venue.stdout is not None
        ready = json.loads(venue.stdout.readline())
        settings = folder / "participant.toml"
        rows = "".join(f'\n[[watchlist]]\nsymbol = "{symbol}"\n' for symbol in ready["symbols"])
        settings.write_text(
            SETTINGS.format(workers=workers, signed_by=write_own(settings.parent, **LIMITS)) + rows, encoding="utf-8"
        )
        day = _day(ready["http"])
        trade = [sys.executable, "-m", "participant", "trade", "--home", str(home), "--config", str(settings), "--date",
                 day, "--venue", f"http://127.0.0.1:{ready['http']}", "--quiet"]  # fmt: skip
        with _process(trade, folder / "trade.err", stdout=subprocess.DEVNULL) as desk:
            run = Run(scrips, ready["contracts"])
            seen = _watch(home, journal, desk, venue.pid, also)
            pids = _pids(home, venue.pid, desk.pid)
            run.rss_mb = {name: sum(_peak_mb(pid) for pid in found) for name, found in pids.items()}
            _size(run, home, day)
            _read(run, journal, home, seen)
    return run


def _day(port: int) -> str:
    said: str = httpx.get(f"http://127.0.0.1:{port}/session", trust_env=False).json()["day"]
    return said


@contextmanager
def _process(command: list[str], errors: Path, stdout: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ours, ended when we leave."""
    environment = {**os.environ, "PYTHONPATH": f"{os.environ.get('BENCH_SRC', ROOT / 'src')}:{ROOT}"}
    with errors.open("wb") as err:
        process = subprocess.Popen(command, stdout=stdout, stderr=err, env=environment)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


# --- while it runs ----------------------------------------------------------------------------------------------------


class Seen(Struct):
    """What became visible in the files of the desk, and when, by the machine's monotonic clock (ns)."""

    published: list[tuple[int, str, str]] = []
    decided: dict[str, int] = {}
    cpu: list[tuple[int, dict[str, float]]] = []


PUBLISHED = "SELECT seq, id, key FROM messages WHERE queue = 'market' AND seq > ?"
DECIDED = "SELECT seq, key FROM rows INDEXED BY rows_in_order WHERE tbl = 'log' AND seq > ?"


def _watch(home: Path, journal: Path, desk: "subprocess.Popen[bytes]", venue: int, also: Look | None) -> Seen:
    """Look at the files of the desk until the last instant is worked off."""
    seen, until = Seen(), time.monotonic() + LIMIT_S
    while not (home / "pids.json").exists():
        _still(desk, until)
    with closing(_reader(home / "market.sqlite")) as market, closing(_reader(home / "books.sqlite")) as books:
        message, row, size, looks = 0, 0, 0, 0
        moved_at = time.monotonic() + LIMIT_S
        while time.monotonic() < moved_at + AFTER_S:
            _still(desk, until)
            if also is not None:
                also(home, journal)
            published = market.execute(PUBLISHED, (message,)).fetchall()
            decided = books.execute(DECIDED, (row,)).fetchall()
            now, before = time.monotonic_ns(), size
            size = journal.stat().st_size
            message, row = max([message, *(p[0] for p in published)]), max([row, *(d[0] for d in decided)])
            seen.published += [(now, name, key) for _, name, key in published]
            seen.decided |= {key.partition("/")[2]: now for _, key in decided}
            if decided or (row and (size != before or published)):
                moved_at = time.monotonic()
            if looks % 10 == 0:
                seen.cpu.append((now, {n: sum(map(_cpu_s, ids)) for n, ids in _pids(home, venue, desk.pid).items()}))
            looks += 1
    return seen


def _still(desk: "subprocess.Popen[bytes]", until: float) -> None:
    """Wait a moment; ends the measurement where the desk has ended, or takes too long."""
    if desk.poll() is not None:
        raise SystemExit(f"the desk ended with status {desk.returncode}: see trade.err")
    if time.monotonic() > until:
        raise SystemExit(f"no burst was worked off within {LIMIT_S:.0f} s")
    time.sleep(LOOK_EVERY_S)


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)


def _pids(home: Path, venue: int, trade: int) -> dict[str, list[int]]:
    """The processes of the desk by name; the brain's workers are children of dispatch."""
    named = {name: [pid] for name, pid in json.loads((home / "pids.json").read_bytes()).items()}
    children = Path(f"/proc/{named['dispatch'][0]}/task/{named['dispatch'][0]}/children")
    brains = [int(pid) for pid in children.read_text().split()] if children.exists() else []
    return {"venue": [venue], **named, "brain": brains, "trade": [trade]}


def _cpu_s(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # a measurement has ended it
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


def _peak_mb(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


# --- afterwards -------------------------------------------------------------------------------------------------------


def _read(run: Run, journal: Path, home: Path, seen: Seen) -> None:
    """Put the journal of the venue, the desk's books and what was seen together, instant by instant."""
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    told: dict[int, dict[str, tuple[float, float]]] = {}
    for event in (e for e in events if e["what"] == "published" and e["zero"] > 0):
        at, zero = event["at"], event["zero"]
        told.setdefault(at, {})[event["provider"]] = (_after(event["began"], at, zero), _after(event["wall"], at, zero))
    zero = next(e["zero"] for e in reversed(events) if e["what"] == "published")
    decisions, orders = _books(home)
    for at in sorted(told)[1:]:
        run.bursts.append(_burst(Burst(at, told[at]), zero, seen, decisions))
    bursts = {burst.at: burst for burst in run.bursts}
    for event in (e for e in events if e["what"] == "order"):
        order = orders[event["tag"][:-1]]
        burst, age = bursts[order.decided_at], _after(event["wall"], order.decided_at, zero)
        burst.orders.append(age)
        if order.leg == 0:
            burst.first_legs.append(age)
    for burst in run.bursts:
        burst.cpu_s = _spent(burst, zero, seen)
    run.decisions = len(decisions)


def _spent(burst: Burst, zero: int, seen: Seen) -> dict[str, float]:
    """CPU seconds of each process from an instant's event until the last decision and order of it."""
    ends = burst.at - zero + round(max([*burst.decided, *burst.orders, 0.5]) * 1e9)
    before = [cpu for wall, cpu in seen.cpu if wall <= burst.at - zero]
    after = [cpu for wall, cpu in seen.cpu if wall >= ends]
    return {name: after[0][name] - before[-1].get(name, 0.0) for name in after[0]} if before and after else {}


def _burst(burst: Burst, zero: int, seen: Seen, decisions: Mapping[str, Mapping[str, Any]]) -> Burst:
    waiting: list[int] = []
    for wall, name, key in seen.published:
        waiting.append(wall)
        if key == "mark":
            burst.published = (
                [_after(w, burst.at, zero) for w in waiting] if name == f"mark-{burst.at}" else burst.published
            )
            waiting = []
    mine = {name: d for name, d in decisions.items() if d["decidedFor"] == burst.at}
    burst.decided = sorted(_after(seen.decided[name], burst.at, zero) for name in mine if name in seen.decided)
    burst.opened = sum(d["action"] == "open" for d in mine.values())
    return burst


def _after(wall: int, at: int, zero: int) -> float:
    """Seconds of the market's time from an event to a moment of the machine's."""
    return (wall + zero - at) / 1e9


def _books(home: Path) -> tuple[dict[str, Any], dict[str, Order]]:
    """Every decision by its id, every order by its tag's stem."""
    with closing(_reader(home / "books.sqlite")) as books:
        log = [value for (value,) in books.execute("SELECT value FROM rows WHERE tbl = 'log'")]
        orders = [decode(value, Order) for (value,) in books.execute("SELECT value FROM rows WHERE tbl = 'orders'")]
    decisions = [json.loads(value)["decisionInfo"] for value in log]
    return {d["decisionId"]: d for d in decisions}, {o.tag_stem: o for o in orders}


def _size(run: Run, home: Path, day: str) -> None:
    files = [path for path in home.rglob("*") if path.is_file()]
    run.bytes_by_file = {str(path.relative_to(home)): path.stat().st_size for path in files}
    run.log_bytes = sum(size for name, size in run.bytes_by_file.items() if name.startswith(f"decisions/{day}"))
