"""The pricing kernel beside other libraries: implied volatility and greeks, nanoseconds an option beside the error.

    python -m bench.pricing [--peers DIR] [--rounds N] [--out FILE] [--plot PNG]

The other libraries are installed into a virtual environment of their own (DIR, else a temporary one), and our kernel is
built anew for three machines. docs/pricing.md says how it is measured.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.beside import keep, options
from bench.environment import ROOT, python_in, said_by

# py_vollib_vectorized asks for an old numba and NumPy; fast-vollib was no faster with new ones.
PEERS = [
    "fast-vollib==0.2.4", "py_vollib_vectorized==0.1.1", "py_vollib==1.0.1", "py_lets_be_rational==1.0.1",
    "QuantLib==1.44", "numba==0.59.1", "numpy==1.26.4", "mpmath==1.3.0",
]  # fmt: skip
# -march of the wide build; x86-64 is the baseline, SSE2.
MACHINES = {"native": "wide, this machine", "x86-64-v3": "wide, AVX2", "x86-64": "wide, SSE2"}
GOALS = {"implied volatility": 5.0, "greeks": 6.0}


def build(march: str, into: Path) -> Path:
    """The wide kernel for `march`, by the project's own setup.py in a copy of what it needs."""
    core = into / "src" / "participant" / "core"
    core.mkdir(parents=True)
    for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, into)
    for name in ("__init__.py", "core/__init__.py", "core/_pricing.py"):
        shutil.copy(ROOT / "src" / "participant" / name, core.parent / name)
    command = [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"]
    subprocess.run(command, cwd=into, env={**os.environ, "PARTICIPANT_MARCH": march}, check=True, capture_output=True)
    return next(core.glob("_pricing_wide.*"))


def measure(peers: Path, rounds: int, work: Path) -> dict[str, Any]:
    """One run of bench/pricing_peers.py over all builds and libraries: what it printed."""
    builds = {name: str(build(march, work / march)) for march, name in MACHINES.items()}
    deciding = next((ROOT / "src" / "participant" / "core").glob("_pricing.*.so"))
    asked = {"builds": {"deciding": str(deciding), **builds}, "rounds": rounds}
    return said_by(python_in(peers, PEERS), "pricing_peers.py", asked)


def describe(result: dict[str, Any]) -> None:
    """The tables of docs/pricing.md."""
    for task, rows in result["tasks"].items():
        best = min((row["ns"], name) for name, row in rows.items() if not row["is_ours"])
        print(f"\n| {task} | ns | against {best[1]} | error, chain | of the plane solved | error |")
        print("|---|---:|---:|---:|---:|---:|")
        for name, row in sorted(rows.items(), key=lambda item: item[1]["ns"]):
            plane = f"{row['solved']:.1%} | {row['plane']:.1e}" if "solved" in row else "- | -"
            print(f"| {name} | {row['ns']:,.1f} | {best[0] / row['ns']:.2f}x | {row['chain']:.1e} | {plane} |")
        ours = rows["wide, this machine"]["ns"]
        print(f"{task}: {best[0] / ours:.1f}x {best[1]}, goal {GOALS[task]:.0f}x")
    for name, ms in result["passes"].items():
        print(f"a chain of 50 x 100 x 2, {name}: {ms:.2f} ms a pass")


def draw(result: dict[str, Any], path: Path) -> None:
    """Speed beside accuracy, a panel a task."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    for axes, (task, rows) in zip(figure.subplots(1, 2), result["tasks"].items(), strict=True):
        for number, (name, row) in enumerate(sorted(rows.items(), key=lambda item: item[1]["ns"])):
            colour = "#1f6f5c" if row["is_ours"] else "#b0532a"
            axes.plot(row["ns"], max(row["chain"], 1e-17), "o", color=colour)
            turn = {"rotation": -50, "va": "top"} if number % 2 else {"rotation": 50, "va": "bottom"}
            axes.annotate(name, (row["ns"], max(row["chain"], 1e-17)), xytext=(3, -3 if number % 2 else 3),
                          textcoords="offset points", fontsize=8, color=colour, **turn)  # fmt: skip
        axes.set(xscale="log", yscale="log", title=task, xlabel="ns an option (one core)")
        axes.set_ylabel("worst relative error on the chain")
        axes.margins(0.25, 0.4)
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def main(words: Sequence[str]) -> None:
    """Measure, print the tables, draw."""
    asked = options("pricing", rounds=25).parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        result = measure(asked.peers or Path(work, "peers"), asked.rounds, Path(work))
    describe(result)
    keep(result, asked, draw)


if __name__ == "__main__":
    main(sys.argv[1:])
