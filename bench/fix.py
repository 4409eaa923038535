"""FIX to JSON beside QuickFIX, simplefix and refix: microseconds of a core a message, with equal results.

    python -m bench.fix [--peers DIR] [--newer PYTHON] [--without-quickfix] [--messages N] [--rounds N] [--out FILE]
                        [--plot PNG]

The peers are installed into virtual environments of their own (below DIR, else temporary ones); QuickFIX is compiled on
the way, which takes ten minutes. refix wants Python 3.12, for which our kernel is compiled anew. docs/fix.md says more.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.beside import bars, demand, keep, options
from bench.environment import ROOT, python_in, said_by

COMMON = ["orjson==3.13.0", "msgspec==0.22.0"]
PEERS = {"simplefix": ["simplefix==1.0.17"], "quickfix": ["quickfix==1.16.0"], "refix": ["refix==0.3.0"]}
GOALS = {"quickfix": 50, "simplefix": 150, "refix": 8}
KERNEL = "participant/wire/fix/_reader.py"


def compiled_for(python: Path, work: Path) -> Path:
    """Our source with the kernel compiled for another interpreter."""
    source = work / "src"
    shutil.copytree(ROOT / "src", source, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    flags = {"CFLAGS": "-O3 -g0 -fno-strict-aliasing -DCYTHON_INLINE=__attribute__((always_inline))__inline__"}
    command = [str(python), "-m", "Cython.Build.Cythonize", "-i", "-3", KERNEL]
    subprocess.run(command, cwd=source, env={**os.environ, **flags}, check=True, stdout=subprocess.DEVNULL)
    return source


def measured(wanted: argparse.Namespace, work: Path) -> list[dict[str, Any]]:
    """What each environment says."""
    asked = {"messages": wanted.messages, "rounds": wanted.rounds}
    names = ["simplefix"] if wanted.without_quickfix else ["simplefix", "quickfix"]
    python = python_in(wanted.peers / "this", [*COMMON, *(one for name in names for one in PEERS[name])])
    results = [said_by(python, "fix_peers.py", {**asked, "peers": names}, [ROOT / "src"])]
    if not wanted.newer:
        print("refix is not measured: it wants Python 3.12; say --newer PATH")
        return results
    newer = python_in(wanted.peers / "newer", [*COMMON, *PEERS["refix"], "cython", "setuptools"], wanted.newer)
    return [*results, said_by(newer, "fix_peers.py", {**asked, "peers": ["refix"]}, [compiled_for(newer, work)])]


def ratios(us: Mapping[str, list[float]], name: str, to: str = "ours: JSON") -> list[float]:
    """How many times longer it took, round by round."""
    return [b / a for a, b in zip(us[to], us[name], strict=True)]


def describe(result: dict[str, Any]) -> None:
    """The table of docs/fix.md, and the goals."""
    us = result["us"]
    print(f"Python {result['python']}, {result['messages']} messages of "
          f"{result['bytes'] / result['messages']:.0f} bytes, "
          f"compiled: {result['is_compiled']}, results equal: {result['is_equal']}")  # fmt: skip
    print("| | us a message, median | least | beside ours |\n|---|---:|---:|---:|")
    for name, times in sorted(us.items(), key=lambda item: median(item[1])):
        print(f"| {name} | {median(times):,.2f} | {min(times):,.2f} | {median(ratios(us, name)):,.1f} |")
    for name in us:
        goal = GOALS.get(name.split()[0])
        if goal:
            found = ratios(us, name)
            print(f"{name}: {median(found):.0f}x ours (worst round {min(found):.0f}x), goal {goal}x")
    twin = ratios(us, "our twin: values", "ours: values")
    print(f"values by our twin: {median(twin):.0f}x ours (worst round {min(twin):.0f}x), goal 10x")


def draw(results: Sequence[dict[str, Any]], path: Path) -> None:
    """One bar a way: how many times longer than our JSON it took in the same run."""
    from matplotlib.figure import Figure

    rows = {name: median(ratios(result["us"], name)) for result in reversed(results) for name in result["us"]}
    ordered = sorted(rows.items(), key=lambda item: -item[1])
    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots()
    bars(axes, dict(ordered), "%.3g", "time a message, ours to JSON = 1 (medians of one run)")
    figure.savefig(path, dpi=110)


def running(name: str) -> str:
    """An interpreter of this name that runs, else nothing: a name in the path may lead to one that is not there."""
    found = shutil.which(name) or ""
    tried = [found, "-c", ""]
    return found if found and not subprocess.run(tried, check=False, stderr=subprocess.DEVNULL).returncode else ""


def main(words: Sequence[str]) -> None:
    """Measure, print, draw."""
    parser = options("fix", messages=400, rounds=11)
    parser.add_argument("--newer", default=running("python3.12"))
    parser.add_argument("--without-quickfix", action="store_true")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        asked.peers = asked.peers or Path(work, "peers")
        results = measured(asked, Path(work))
    for result in results:
        demand(result["is_equal"], "fix")
        describe(result)
    keep(results, asked, draw)


if __name__ == "__main__":
    main(sys.argv[1:])
