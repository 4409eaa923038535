"""The gateway killed with -9 in the opening burst: from the kill to its first send, or refusal, after the restart.

    python -m bench.recovery [--scrips 60] [--rounds N] [--data PATH ... --date DAY]

It is killed when the broker has its first order; the supervisor starts it again. Figures in docs/speed.md.
"""

import argparse
import json
import os
import signal
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from bench.opening import measure
from participant.core.order import Order, OrderStatus
from participant.wire.json import decode

GOAL_S = 5.0


class Killing:
    """Looks on: kills the gateway at the first order, and notes when another runs, and when that one refuses."""

    def __init__(self) -> None:
        self.pid, self.killed_at, self.started_at, self.refused_at = 0, 0, 0, 0
        self.refused_before = 0

    def look(self, home: Path, journal: Path) -> None:
        """One look at the files of a running desk."""
        pid = json.loads((home / "pids.json").read_bytes())["gateway"]
        if not self.killed_at and b'"order"' in journal.read_bytes():
            os.kill(pid, signal.SIGKILL)
            self.pid, self.killed_at = pid, time.monotonic_ns()
        elif self.killed_at and not self.started_at:
            self.refused_before = _refused(home)
            self.started_at = time.monotonic_ns() if pid != self.pid else 0
        elif self.started_at and not self.refused_at and _refused(home) > self.refused_before:
            self.refused_at = time.monotonic_ns()

    def told(self, journal: Path) -> str:
        """What came of it; ends the measurement where an order came twice, or nothing came any more."""
        events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
        orders = [e for e in events if e["what"] == "order"]
        if len({e["tag"][:-1] for e in orders}) != len(orders):
            raise SystemExit("an order reached the broker twice")
        # What was on the wire when it was killed may still arrive, but not from the one that runs now.
        after = [e["wall"] for e in orders if e["wall"] > self.started_at] + [self.refused_at] * bool(self.refused_at)
        if not self.started_at or not after:
            raise SystemExit("the gateway did nothing any more after it was killed")
        before = sum(e["wall"] <= self.started_at for e in orders)
        started, first = ((at - self.killed_at) / 1e9 for at in (self.started_at, min(after)))
        return (
            f"killed with {before} orders at the broker; another runs after {started:.2f} s, its first send or refusal "
            f"{first:.2f} s after the kill (goal {GOAL_S:g}); {len(orders)} orders in all, none twice"
        )


def _refused(home: Path) -> int:
    with closing(sqlite3.connect(f"file:{home / 'books.sqlite'}?mode=ro", uri=True)) as books:
        rows = books.execute("SELECT value FROM rows WHERE tbl = 'orders'").fetchall()
    return sum(decode(value, Order).status is OrderStatus.DENIED for (value,) in rows)


def main(words: Sequence[str] | None = None) -> None:
    """Measure and say so; what is not ours goes to the venue."""
    parser = argparse.ArgumentParser(prog="python -m bench.recovery")
    parser.add_argument("--scrips", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    args, venue_options = parser.parse_known_args(words)
    for number in range(args.rounds):
        killing = Killing()
        with tempfile.TemporaryDirectory() as made:
            measure(args.scrips, Path(made) / "run", venue_options, 1, killing.look)
            print(f"round {number}: {killing.told(Path(made) / 'run' / 'journal.jsonl')}", flush=True)


if __name__ == "__main__":
    main()
