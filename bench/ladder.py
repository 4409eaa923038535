"""The ladder of price levels beside nautilus_trader's: nanoseconds an update, one call each and in one batch.

    python -m bench.ladder [--peers DIR] [--updates N] [--rounds N] [--out FILE] [--plot PNG]

The peer is installed into a virtual environment of its own (DIR, else a temporary one). docs/ladder.md says how it is
measured.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.beside import bars, demand, keep, options
from bench.environment import ROOT, python_in, said_by

PEERS = ["nautilus_trader==1.221.0", "numpy==2.2.6", "sortedcontainers==2.4.0"]
SINGLE, BATCH = "ours, compiled", "ours, compiled: columns"
AGAINST = {
    "an update each": (SINGLE, "nautilus, apply_delta and top", 1.3),
    "in batch": (BATCH, "nautilus, apply_deltas of all", 4.0),
}


def ratios(rows: dict[str, list[float]], ours: str, theirs: str) -> list[float]:
    """How many times longer theirs took, round by round."""
    return [b / a for a, b in zip(rows[ours], rows[theirs], strict=True)]


def describe(result: dict[str, Any]) -> None:
    """The table of docs/ladder.md, and the goals."""
    rows = result["ns"]
    print(f"{result['updates']:,} updates, nautilus_trader {result['version']}; tops and last levels equal: "
          f"{result['is_equal']}")  # fmt: skip
    print("| | ns an update, median | beside ours, one call each | beside ours, in batch |\n|---|---:|---:|---:|")
    for name, times in sorted(rows.items(), key=lambda item: median(item[1])):
        one, many = (median(ratios(rows, ours, name)) for ours in (SINGLE, BATCH))
        print(f"| {name} | {median(times):,.0f} | {one:.2f} | {many:.2f} |")
    for what, (ours, theirs, goal) in AGAINST.items():
        found = ratios(rows, ours, theirs)
        print(f"{what}: {median(found):.2f}x {theirs} (worst round {min(found):.2f}x), goal {goal:.1f}x")


def draw(result: dict[str, Any], path: Path) -> None:
    """One bar a way, the shortest on top."""
    from matplotlib.figure import Figure

    rows = sorted(result["ns"].items(), key=lambda item: -median(item[1]))
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    values = {name: median(times) for name, times in rows}
    bars(axes, values, "%.0f", "ns an update (one core, median)")
    figure.savefig(path, dpi=110)


def main(words: Sequence[str]) -> None:
    """Measure, print, draw."""
    asked = options("ladder", updates=100_000, rounds=11).parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        python = python_in(asked.peers or Path(work, "peers"), PEERS)
        counts = {"updates": asked.updates, "rounds": asked.rounds}
        result = said_by(python, "ladder_peers.py", counts, [ROOT / "src"])
    demand(result["is_equal"], "ladder")
    describe(result)
    keep(result, asked, draw)


if __name__ == "__main__":
    main(sys.argv[1:])
