"""FIX bytes to the top of books beside QuickFIX and nautilus_trader: microseconds of a core a message, equal results.

    python -m bench.fix_books [--peers DIR] [--messages N] [--rounds N] [--out FILE] [--plot PNG]

The peers are installed into a virtual environment of their own (DIR, else a temporary one); QuickFIX is compiled on the
way, which takes ten minutes. docs/fix.md says more.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.beside import bars, demand, keep, options
from bench.environment import ROOT, python_in, said_by
from bench.ladder import ratios

PEERS = ["quickfix==1.16.0", "nautilus_trader==1.221.0", "numpy==2.2.6", "msgspec==0.22.0"]
OURS = "ours"
GOALS = {"QuickFIX": 45}


def describe(result: dict[str, Any]) -> None:
    """The table of docs/fix.md, and the goal."""
    us = result["us"]
    print(f"Python {result['python']}, {result['messages']:,} messages of "
          f"{result['bytes'] / result['messages']:.0f} bytes, "
          f"compiled: {result['is_compiled']}, tops and levels equal: {result['is_equal']}")  # fmt: skip
    print("| | us a message, median | least | beside ours |\n|---|---:|---:|---:|")
    for name, times in sorted(us.items(), key=lambda item: median(item[1])):
        print(f"| {name} | {median(times):,.2f} | {min(times):,.2f} | {median(ratios(us, OURS, name)):,.1f} |")
    for name in us:
        goal = GOALS.get(name.split()[0])
        if goal:
            found = ratios(us, OURS, name)
            print(f"{name}: {median(found):.1f}x ours (worst round {min(found):.1f}x), goal {goal}x")


def draw(result: dict[str, Any], path: Path) -> None:
    """One bar a way: how many times longer than ours it took in the same run."""
    from matplotlib.figure import Figure

    rows = {name: median(ratios(result["us"], OURS, name)) for name in result["us"]}
    ordered = sorted(rows.items(), key=lambda item: -item[1])
    figure = Figure(figsize=(9, 2.2), layout="constrained")
    axes = figure.subplots()
    bars(axes, dict(ordered), "%.3g", "time a message, ours = 1 (medians of one run)")
    axes.margins(x=0.1)
    figure.savefig(path, dpi=110)


def main(words: Sequence[str]) -> None:
    """Measure, print, draw."""
    asked = options("fix_books", messages=4_000, rounds=11).parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        python = python_in(asked.peers or Path(work, "peers"), PEERS)
        counts = {"messages": asked.messages, "rounds": asked.rounds}
        result = said_by(python, "fix_books_peers.py", counts, [ROOT / "src", ROOT])
    demand(result["is_equal"], "fix_books")
    describe(result)
    keep(result, asked, draw)


if __name__ == "__main__":
    main(sys.argv[1:])
