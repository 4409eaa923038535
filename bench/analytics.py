"""How long the named questions take over 10 million decisions: sealed days of 60 scrips, and one day that still grows.

The log is made of a real one (`--log`, else a made day is traded first): each of its scrips' days is repeated under
other names on other days, with ids of their own, spots, ranks and times moved; sentences and the four objects stay.
"""

import argparse
import datetime
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.stores.sqlite import SqliteStore
from participant.analysis.log_query import LogTable
from participant.analysis.questions import QUESTIONS, ask
from participant.core.ids import digest
from participant.core.messages import Write
from participant.core.order import Order, OrderStatus
from participant.links.log_table import Mark, lines_schema, parquet_writer
from participant.wire.json import decode, encode

SCRIPS, INSTANTS = 60, 375
A_DAY = SCRIPS * INSTANTS
FIRST = datetime.date(2018, 1, 1)
ROUNDS = 5
# One day of all scrips out of the real rows: scrip `s` has those of one real scrip, in their order.
DAY_OF_ROWS = """
SELECT DATE '2018-01-01' + $n::INTEGER AS day, decided_at + to_days(moved) AS decided_at,
  'SCRIP' || lpad(s::VARCHAR, 2, '0') AS symbol, action, reason, said,
  md5(decision_id || s || '-' || $n) AS decision_id, md5(snapshot_id || s || '-' || $n) AS snapshot_id,
  outcome, provider, build_id, rules_hash,
  (spot * (1 + (($n * 7 + s * 13) % 21 - 10) / 150.0))::BIGINT AS spot, delay_ns + s * 1000000 AS delay_ns,
  iv_rank * (0.8 + (($n * 3 + s) % 5) / 25.0) AS iv_rank, iv30 * (0.9 + (($n + s * 3) % 7) / 35.0) AS iv30,
  iv_over_realised, list_transform(legs, lambda l: struct_update(l, expiry := l.expiry + moved)) AS legs,
  scrip, marketState, currentPositionInfo, decisionInfo, NULL::VARCHAR AS other
FROM (SELECT *, $n::INTEGER - (day - DATE '2018-01-01')::INTEGER AS moved FROM real),
  range(1, $scrips + 1) AS scrips(s)
WHERE place < $instants AND nth = s % $kinds ORDER BY decided_at, symbol
"""
RANKED = """
SELECT *, dense_rank() OVER (ORDER BY day, symbol) - 1 AS nth,
  row_number() OVER (PARTITION BY day, symbol ORDER BY decided_at) - 1 AS place
FROM read_parquet($files) WHERE other IS NULL
"""


def main(words: list[str]) -> None:
    """Make the log where it is not there yet, and print a line a question."""
    parser = argparse.ArgumentParser("bench analytics")
    parser.add_argument("--records", type=int, default=10_000_000, help="decisions in sealed days")
    parser.add_argument("--log", type=Path, help="a home whose log is repeated (default: a made day is traded)")
    parser.add_argument("--keep", type=Path, help="a folder that keeps the log that is made, for the next run")
    args = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as scratch:
        home = args.keep or Path(scratch) / "many"
        days = -(-args.records // A_DAY)
        if not (home / "books.sqlite").exists():
            _make(args.log or _traded(Path(scratch)), home, days)
        size = sum(f.stat().st_size for f in (home / "decisions").glob("*.parquet"))
        print(f"{days * A_DAY:,} decisions in {days} sealed days, {size / 1e9:.2f} GB", flush=True)
        _measure(home)
        growing = home / "growing"
        print(f"... and {A_DAY:,} of a day that still grows:", flush=True)
        _measure(home, str(growing))


def _measure(home: Path, also: str = "") -> None:
    """A line a question: rows of the answer, wall of the first, the best wall and CPU of the next, and of a command."""
    print(f"{'question':14} {'rows':>7} {'first':>7} {'best':>7} {'CPU':>6} {'command':>8} {'CPU':>6}   (seconds)")
    growing = home / "decisions" / f"{_day(_count(home))}.jsonl"
    growing.unlink(missing_ok=True)  # of a run with --keep that was ended in the middle
    if also:
        growing.symlink_to(Path(also).absolute() / "lines.jsonl")
    try:
        for name in QUESTIONS:
            print(f"{name:14} {' '.join(_times(home, name))}", flush=True)
    finally:
        if also:
            growing.unlink()


def _times(home: Path, name: str) -> Iterator[str]:
    """A question on a log just opened, and again; then the whole command, from the shell."""
    books = home / "books.sqlite" if QUESTIONS[name].of_orders else None
    log = LogTable(str(home / "decisions"), books=books)
    first, _, rows = _timed(lambda: sum(1 for _ in ask(log, name).rows))
    again = [_timed(lambda: sum(1 for _ in ask(log, name).rows)) for _ in range(ROUNDS)]
    log.close()
    command = [sys.executable, "-m", "participant", "decisions", "ask", name, "--csv", "--home", str(home)]
    whole = [_timed(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL).returncode)
             for _ in range(ROUNDS // 2)]  # fmt: skip
    yield f"{rows:>7,} {first:>7.2f}"
    for runs, width in ((again, 7), (whole, 8)):
        wall, cpu, _ = zip(*runs, strict=True)
        yield f"{min(wall):>{width}.2f} {statistics.median(cpu):>6.2f}"


def _timed(work: Callable[[], int]) -> tuple[float, float, int]:
    """Wall and CPU seconds (of this process, or of the one that it waits for), and what came of it."""
    wall, cpu = time.perf_counter(), sum(os.times()[:4])
    done = work()
    return time.perf_counter() - wall, sum(os.times()[:4]) - cpu, done


# --- making the log ---------------------------------------------------------------------------------------------------


def _traded(scratch: Path) -> Path:
    home = scratch / "real"
    command = [sys.executable, "-m", "participant", "trade", "--lockstep", "--quiet", "--home", str(home)]
    subprocess.run(command, check=True)
    return home


def _make(real: Path, home: Path, days: int) -> None:
    (home / "decisions").mkdir(parents=True, exist_ok=True)
    since = time.perf_counter()
    rows = _real_rows(real)
    for n in range(days):
        path = home / "decisions" / f"{_day(n)}.parquet"
        if path.exists():
            continue
        unfinished, table = path.with_suffix(".unfinished"), _day_of(rows, n)
        with unfinished.open("wb") as sink, parquet_writer(sink, lines_schema(), Mark(0, "a bench")) as writer:
            writer.write_table(table, row_group_size=len(table))
        unfinished.replace(path)
    _make_growing(real, home / "growing")
    _make_orders(real, home)
    print(f"made in {time.perf_counter() - since:.0f} s", flush=True)


def _real_rows(real: Path) -> Any:
    """The real rows, by scrip (`nth`) and in their order (`place`)."""
    import duckdb

    folder = real / "decisions"
    with tempfile.TemporaryDirectory() as scratch:  # sealed anew: the desk that traded may be an older one
        for file in folder.glob("????-??-??.*jsonl*"):
            shutil.copy(file, scratch)
        days = sorted({file.name[:10] for file in Path(scratch).iterdir()})
        files = [JsonlArchive(Path(scratch)).seal(day) for day in days]
        return duckdb.sql(RANKED, params={"files": files}).to_arrow_table()


def _day_of(real: Any, n: int) -> Any:
    import duckdb

    with duckdb.connect() as database:
        database.register("real", real)
        kinds = len(set(real.column("nth").to_pylist()))
        values = {"n": n, "scrips": SCRIPS, "instants": INSTANTS, "kinds": kinds}
        return database.sql(DAY_OF_ROWS, params=values).to_arrow_table().cast(lines_schema())


def _make_growing(real: Path, folder: Path) -> None:
    """The lines of a day of all scrips, as a desk would have them in the evening."""
    folder.mkdir(exist_ok=True)
    day = next((real / "decisions").glob("*.jsonl")).name.partition(".")[0]
    lines = [line for line, _ in JsonlArchive(real / "decisions").read(day)]
    with (folder / "lines.jsonl").open("wb") as sink:
        for i in range(A_DAY):
            sink.write(lines[i % len(lines)].replace(b'"decisionId":"', b'"decisionId":"%d-' % i) + b"\n")


def _make_orders(real: Path, home: Path) -> None:
    """The orders of every day and scrip, as the real ones went; a tenth of them refused."""
    books = SqliteStore(real / "books.sqlite", is_durable=False)
    orders = [decode(row.value, Order) for row in books.rows("orders")]
    books.close()
    made = SqliteStore(home / "books.sqlite", is_durable=False)
    for n in range(_count(home)):
        made.commit([_order(order, n, s) for s in range(1, SCRIPS + 1) for order in orders])
    made.close()


def _order(order: Order, n: int, s: int) -> Write:
    name = digest(order.order_id, n, s)
    one = replace(order, order_id=name, scrip=f"SCRIP{s:02}", cum_value=order.cum_value + (n + s) % 50 * 100)
    if (n + s) % 10 == 0:
        said = f"a limit of ₹{n} is too far off"
        one = replace(one, status=OrderStatus.DENIED, denied_by="PT-03", reason=said, cum_quantity=0, cum_value=0)
    return Write("orders", f"{_day(n)}/{name}", encode(one))


def _count(home: Path) -> int:
    return len(list((home / "decisions").glob("*.parquet")))


def _day(n: int) -> str:
    return str(FIRST + datetime.timedelta(n))
