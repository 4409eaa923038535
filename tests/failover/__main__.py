"""`python -m tests.failover [--runs N] [--data FOLDER]`: seeded runs with a fault at the first provider each.

Prints how long it took to believe another provider, by kind of fault, and what was published that was not true. Ends
with status 1 where something was not as it must be.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

from participant.core.market import SECOND
from tests.failover.days import BEFORE_S, DAYS, day, filled, gaps, window
from tests.failover.lines import KINDS, RECORDED, Fault
from tests.failover.run import RULE, SWITCH_MAX_S, Outcome, Run, fault_of
from tests.failover.tape import made

SECONDS, MARKETS = 28, 20
# A minute's bars come once in most windows: what shows on them alone need not lead to a switch there.
SELDOM = {"crossed book", "5 % garbage", "shifted prices"}


def runs(count: int) -> Iterator[tuple[str, int, Outcome]]:
    """So many runs, the kinds of fault in turn, over some made markets."""
    for seed in range(count):
        kind = KINDS[seed % len(KINDS)]
        tape = made(seed % MARKETS, SECONDS)
        yield kind, seed, Run(tape, fault_of(kind, seed, tape.beats[0].at), str(seed)).play()


def recorded_runs(data: Path, count: int) -> Iterator[tuple[str, int, Outcome]]:
    """The gaps that stand in the recorded index, and the kinds of fault in turn at drawn moments of the days."""
    for name in DAYS:
        whole = day(data, name)
        for seed, (start, end) in enumerate(gaps(whole)):
            span = start - BEFORE_S * SECOND, end + BEFORE_S * SECOND
            own, full = window(whole, *span), window(filled(whole, (start, end)), *span)
            fault = Fault(RECORDED, start + SECOND, end)
            yield f"{name}: {RECORDED}", seed, Run(full, fault, str(seed), own=own).play()
    for seed in range(count):
        name, kind = DAYS[seed % len(DAYS)], KINDS[seed % len(KINDS)]
        whole = day(data, name)
        start = Random(f"{name}/{seed}").choice(whole.beats[60:-120]).at
        tape = window(whole, start, start + SECONDS * SECOND)
        yield kind, seed, Run(tape, fault_of(kind, seed, tape.beats[0].at), str(seed)).play()


def told(found: dict[str, list[Outcome]]) -> list[str]:
    """The table, as Markdown."""
    lines = [
        "| fault | runs | p50 s | p99 s | most s | switches, at most | quotes left out | states kept back | untrue |"
    ]
    lines.append("|---|" + "---:|" * 8)
    for kind, outs in found.items():
        times = sorted(o.switched_s for o in outs)
        at = [f"{times[min(len(times) - 1, int(share * len(times)))]:.2f}" for share in (0.5, 0.99, 1.0)]
        counts = (max(o.switches for o in outs), sum(o.hidden for o in outs), sum(o.held for o in outs))
        figures = [str(len(outs)), *at, *map(str, counts), str(sum(len(o.bad) for o in outs))]
        lines.append(f"| {kind} | {' | '.join(figures)} |")
    return lines


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def main() -> int:
    """Run them."""
    words = argparse.ArgumentParser(prog="python -m tests.failover")
    words.add_argument("--runs", type=int, default=500)
    words.add_argument("--data", type=Path)
    args = words.parse_args()
    found: dict[str, list[Outcome]] = {}
    is_sound = True
    for kind, seed, out in recorded_runs(args.data, args.runs) if args.data else runs(args.runs):
        found.setdefault(kind, []).append(out)
        is_late = not 0 <= out.switched_s <= SWITCH_MAX_S and not (args.data and kind in SELDOM)
        wrong = out.bad or is_late or out.switches > RULE.switches_max
        if wrong:
            is_sound = False
            _say(f"{kind}, seed {seed}: {out.switched_s:.2f} s, {out.switches} switches, {out.bad[:3]}, {out.changes}")
    _say(*told({**found, "all": [o for outs in found.values() for o in outs]}))
    return 0 if is_sound else 1


if __name__ == "__main__":
    sys.exit(main())
