"""A halt in the middle of an opening burst: from the latch to the last order on the wire, and to the last one refused.

    python -m bench.halting [--scrips 60] [--rounds N] [--data PATH ... --date DAY]

The latch is written, as `participant halt` writes it, when the broker has its first order; figures in docs/speed.md.
"""

import argparse
import json
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench.opening import measure
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.breaker import Halt, Level
from participant.core.messages import Write
from participant.core.order import Order, OrderStatus
from participant.wire.json import decode, encode

WAITING = (OrderStatus.DECIDED, OrderStatus.CLAIMED)


class Halting:
    """Looks on: pulls the breaker at the first order, and notes when no order waits to be sent any more."""

    def __init__(self) -> None:
        self.halted_at, self.settled_at, self.refused = 0, 0, 0

    def look(self, home: Path, journal: Path) -> None:
        """One look at the files of a running desk."""
        if not self.halted_at and b'"order"' in journal.read_bytes():
            halts = SqliteStore(home / "halt.sqlite", is_durable=True)
            halts.commit([Write("breaker", "halt", encode(Halt(Level.OPEN, "a measurement", time.time_ns())))])
            self.halted_at = time.monotonic_ns()
            halts.close()
        elif self.halted_at:
            with closing(sqlite3.connect(f"file:{home / 'books.sqlite'}?mode=ro", uri=True)) as books:
                rows = books.execute("SELECT value FROM rows WHERE tbl = 'orders'").fetchall()
            orders = [decode(value, Order) for (value,) in rows]
            refused = sum(o.status is OrderStatus.DENIED for o in orders)
            if refused != self.refused or any(o.status in WAITING for o in orders):
                self.refused, self.settled_at = refused, time.monotonic_ns()


def late_ms(journal: Path, halted_at: int) -> list[float]:
    """How long after the latch each later order reached the broker (ms)."""
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return [(e["wall"] - halted_at) / 1e6 for e in events if e["what"] == "order" and e["wall"] > halted_at]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and say so; what is not ours goes to the venue."""
    parser = argparse.ArgumentParser(prog="python -m bench.halting")
    parser.add_argument("--scrips", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    args, venue_options = parser.parse_known_args(words)
    for number in range(args.rounds):
        halting = Halting()
        with tempfile.TemporaryDirectory() as made:
            run = measure(args.scrips, Path(made) / "run", venue_options, 1, halting.look)
            late = late_ms(Path(made) / "run" / "journal.jsonl", halting.halted_at)
        settled = (halting.settled_at - halting.halted_at) / 1e6
        last = f"{len(late)} orders reached the broker after it, the last {max(late, default=0.0):.1f} ms after it"
        print(
            f"round {number}: {run.scrips} scrips, {run.decisions} decisions; the latch on disk, {last}; "
            f"{halting.refused} orders refused, the last seen {settled:.0f} ms after it",
            flush=True,
        )


if __name__ == "__main__":
    main()
