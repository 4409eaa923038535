"""The matching and replay kernel alone beside hftbacktest and nautilus_trader: rows a second, and the same fills.

    python -m bench.replay [--peers DIR] [--rows N] [--quotes N] [--rounds N] [--out FILE] [--plot PNG]

The peers are installed into a virtual environment of their own (DIR, else a temporary one), and the compiled strategies
are built anew. docs/replay.md says how it is measured, and where the models coincide.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.beside import bars, demand, keep, options
from bench.environment import ROOT, python_in, said_by

PEERS = ["nautilus_trader==1.221.0", "hftbacktest==2.4.4"]
COMPILED, PYTHON = "ours, compiled strategy", "ours, strategy in Python"
# task, ours, the peer, how many times as fast ours is to be
GOALS = [
    ("queue", COMPILED, "hftbacktest, ROIVector", 3.0),
    ("queue", PYTHON, "hftbacktest, ROIVector", 0.0),
    ("touch", PYTHON, "nautilus", 15.0),
    ("touch", COMPILED, "nautilus", 0.0),
]


def build(into: Path) -> None:
    """The compiled strategies, under a name of their own."""
    source = into / "compiled_strategies.py"
    shutil.copy(ROOT / "bench" / "replay_strategies.py", source)
    flags = {"CFLAGS": "-O3 -fno-strict-aliasing", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-m", "Cython.Build.Cythonize", "-3", "-i", "-q", source.name]
    subprocess.run(command, cwd=into, env={**os.environ, **flags}, check=True)


def ratios(ways: dict[str, Any], ours: str, theirs: str) -> list[float]:
    """How many times longer theirs took, round by round."""
    return [b / a for a, b in zip(ways[ours]["s"], ways[theirs]["s"], strict=True)]


def are_equal(ways: dict[str, Any]) -> bool:
    """Whether all ways have as many fills, the same position and, to the paisa, the same cash."""
    return len({(way["fills"], way["position"], round(100 * way["cash"])) for way in ways.values()}) == 1


def describe(result: dict[str, Any]) -> None:
    """The tables of docs/replay.md, and the goals."""
    print(", ".join(f"{name} {version}" for name, version in result["versions"].items()))
    for name, task in result["tasks"].items():
        print(f"\n{name}: {task['rows']:,} rows; the twin's every fill is the kernel's: {task['is_twin_equal']}")
        print("| | ns a row, median | rows a second | fills | position | cash |\n|---|---:|---:|---:|---:|---:|")
        for way, row in sorted(task["ways"].items(), key=lambda item: median(item[1]["s"])):
            seconds = median(row["s"])
            print(f"| {way} | {seconds / task['rows'] * 1e9:,.0f} | {task['rows'] / seconds:,.0f} | {row['fills']:,} | "
                  f"{row['position']:,} | {row['cash']:,.2f} |")  # fmt: skip
    for name, ours, theirs, goal in GOALS:
        found = ratios(result["tasks"][name]["ways"], ours, theirs)
        asked = f", goal {goal:.0f}x" if goal else ""
        print(f"{name}, {ours}: {median(found):.1f}x {theirs} (worst round {min(found):.1f}x){asked}")


def draw(result: dict[str, Any], path: Path) -> None:
    """A panel a task, a bar a way."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.5), layout="constrained")
    for axes, (name, task) in zip(figure.subplots(1, 2), result["tasks"].items(), strict=True):
        rows = sorted(task["ways"].items(), key=lambda item: -median(item[1]["s"]))
        rates = {way: task["rows"] / median(row["s"]) for way, row in rows}
        bars(axes, rates, "{:,.0f}", "rows a second (one core, median)")
        axes.set_title(name)
        axes.margins(x=0.3)
    figure.savefig(path, dpi=110)


def main(words: Sequence[str]) -> None:
    """Measure, print, draw."""
    asked = options("replay", rows=300_000, quotes=50_000, rounds=9).parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        build(Path(work))
        python = python_in(asked.peers or Path(work, "peers"), PEERS)
        counts = {"rows": asked.rows, "quotes": asked.quotes, "rounds": asked.rounds}
        result = said_by(python, "replay_peers.py", counts, [ROOT / "src", ROOT, Path(work)])
    for name, task in result["tasks"].items():
        demand(task["is_twin_equal"] and are_equal(task["ways"]), f"replay, {name}")
    describe(result)
    keep(result, asked, draw)


if __name__ == "__main__":
    main(sys.argv[1:])
