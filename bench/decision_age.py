"""How old a decision is at the opening burst: from the exchange's event to the decision and to the order on the wire.

    python -m bench.decision_age [--scrips 2,8,20,40,60] [--rounds N] [--out FILE] [--plot PNG] [--keep DIR]
                                 [--data PATH ... --date DAY --symbols A,B]

docs/speed.md says how it is measured. Results are added to FILE as JSON lines; PNG is drawn of all that FILE holds.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from bench.opening import Burst, Run, measure

GOAL_S = 1.0
DECISIONS_A_DAY = 376  # of one scrip: one a minute from 9:15 to 15:30, were nothing else due

Picked = Callable[[Burst], Sequence[float]]
STAGES: tuple[tuple[str, Picked], ...] = (
    ("state published", lambda burst: burst.published),
    ("decision committed", lambda burst: burst.decided),
    ("first leg at the broker", lambda burst: burst.first_legs),
    ("any order at the broker", lambda burst: burst.orders),
)


def share(values: Sequence[float], part: float) -> float:
    """The smallest value that this part of all values does not exceed; nan where there is none."""
    return sorted(values)[max(0, -(-round(part * 1000) * len(values) // 1000) - 1)] if values else float("nan")


def describe(run: Run) -> Iterator[str]:
    """A run in lines for a terminal."""
    yield f"{run.scrips} scrips, {run.contracts} contracts, {run.decisions} decisions"
    for number, burst in enumerate(run.bursts):
        told = ", ".join(f"{name} {began:.3f}..{ended:.3f}" for name, (began, ended) in burst.told.items())
        yield f"  instant {number}: {len(burst.decided)} decisions, {burst.opened} open; the venue told {told}"
        for name, of in STAGES:
            p50, p99, worst = (share(of(burst), part) for part in (0.5, 0.99, 1.0))
            yield f"    {name:24s} n={len(of(burst)):4d}  p50 {p50:7.3f}  p99 {p99:7.3f}  worst {worst:7.3f} s"
        yield "    CPU s to the last: " + ", ".join(f"{n} {s:.2f}" for n, s in burst.cpu_s.items() if s > 0.005)
    yield "  peak memory MB: " + ", ".join(f"{n} {mb:.0f}" for n, mb in run.rss_mb.items())
    if run.decisions:
        each = run.log_bytes / run.decisions
        day_mb = each * DECISIONS_A_DAY * run.scrips / 1e6
        yield f"  log: {each:,.0f} bytes a decision as it is written, at least {day_mb:.0f} MB a day"


def draw(runs: Sequence[Run], path: Path) -> None:
    """p50, p99 and worst of the opening burst over the number of scrips; of several rounds the calmest (by p99)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.subplots(1, 2)
    sizes = sorted({run.scrips for run in runs})
    for (name, of), colour in zip(STAGES[:3], ("tab:grey", "tab:blue", "tab:red"), strict=True):
        calm = [
            of(min((r.bursts[0] for r in runs if r.scrips == size), key=lambda b: share(of(b), 0.99))) for size in sizes
        ]
        for part, style in ((0.5, ":"), (0.99, "-"), (1.0, "--")):
            label = f"{name}, {'worst' if part == 1.0 else f'p{100 * part:.0f}'}"
            axes[0].plot(sizes, [share(c, part) for c in calm], style, color=colour, marker=".", label=label)
    axes[0].axhline(GOAL_S, color="black", linewidth=0.8)
    axes[0].set(
        xlabel="scrips", ylabel="seconds after the exchange's event", title="Age at the opening burst", ylim=(0, None)
    )
    for name in runs[0].rss_mb:
        mb = [max(r.rss_mb[name] for r in runs if r.scrips == size) for size in sizes]
        axes[1].plot(sizes, mb, marker=".", label=name)
    axes[1].set(xlabel="scrips", ylabel="peak memory, MB", title="Memory", ylim=(0, None))
    for one in axes:
        one.legend(fontsize=7)
        one.grid(alpha=0.3)
    figure.savefig(path, dpi=110)


def read(path: Path) -> list[Run]:
    """Results as they were written."""
    return [msgspec.json.decode(line, type=Run) for line in path.read_bytes().splitlines()]


def main(words: Sequence[str] | None = None) -> None:
    """Measure and say so; what is not ours goes to the venue."""
    parser = argparse.ArgumentParser(prog="python -m bench.decision_age")
    parser.add_argument("--scrips", default="2,8,20,40,60")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    args, venue_options = parser.parse_known_args(words)
    runs = []
    for number, scrips in [(n, int(s)) for n in range(args.rounds) for s in args.scrips.split(",")]:
        with tempfile.TemporaryDirectory() as made:
            folder = (args.keep or Path(made)) / f"{scrips}.{number}"
            runs.append(measure(scrips, folder, venue_options, args.workers))
        print("\n".join(describe(runs[-1])), flush=True)
        if args.out:
            with args.out.open("ab") as out:
                out.write(msgspec.json.encode(runs[-1]) + b"\n")
    if args.plot:
        draw(read(args.out) if args.out else runs, args.plot)


if __name__ == "__main__":
    main()
