"""Brain jobs: decisions and whole jobs a second on recorded snapshots, small jobs through a worker, a hang, beside Ray.

    python -m bench.jobs [--data DIR] [--peers DIR] [--rounds N] [--only decisions,jobs,pipeline,pipes,...] [--out FILE]

Ray is installed into a virtual environment of its own (DIR, else a temporary one). Where no recorded market is at hand
the snapshots of a made day stand in. docs/speed.md says how it is measured.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench.jobs_pool import BRAIN, LIMIT_S, fetched, measure_hangs, measure_pipes, measure_ray, pool
from bench.jobs_snapshots import Snapshots, anew, recorded
from bench.sampling import Sampler
from participant.adapters.clocks.system import SystemClock
from participant.adapters.stores.sqlite import SqliteStore
from participant.config import load_rules
from participant.core.brain import decide
from participant.core.decision import Decision, DecisionInput
from participant.core.messages import Job
from participant.core.session import day_of
from participant.links.decision_log import LogRows
from participant.links.journal import JournalStore
from participant.wire.json import decode, encode

ROOT = Path(__file__).resolve().parents[1]
RULES = load_rules()


# --- decisions and whole jobs -----------------------------------------------------------------------------------------


def measure_decisions(places: Sequence[Snapshots], rounds: int) -> list[dict[str, Any]]:
    """Decisions a second of one core on values that are decoded already: of processor time, and by the wall."""
    rows = []
    for place in places:
        for branch, inputs in place.branches.items():
            times = [_timed(_deciding(anew(inputs, turn))) for turn in range(2 * rounds)]
            cpu, wall = min(used for used, _ in times), min(took for _, took in times)
            shares = _shares_of_time(inputs, range(2 * rounds, 12 * rounds))
            verdicts = [_decide(one) for one in inputs]
            rows.append({
                "data": place.name, "branch": branch, "snapshots": len(inputs), "strikes": place.strikes(inputs),
                "a_second": len(inputs) / cpu, "wall": len(inputs) / wall, "said": _counts(verdicts),
                "shares": shares,
            })  # fmt: skip
    return rows


def measure_jobs(places: Sequence[Snapshots], rounds: int) -> list[dict[str, Any]]:
    """Whole jobs a second of one core: decode, decide, encode, log rows in columns and packed, one synced commit."""
    rows = []
    for place in places:
        for branch, inputs in place.branches.items():
            spent = Counter[str]()
            times = [_logged_day([encode(one) for one in anew(inputs, turn)], spent) for turn in range(2 * rounds)]
            cpu, wall = min(used for used, _ in times), min(took for _, took in times)
            whole = sum(spent.values())
            rows.append({
                "data": place.name, "branch": branch, "bytes": len(encode(inputs[0])), "a_second": len(inputs) / cpu,
                "wall": len(inputs) / wall, "shares": {k: v / whole for k, v in spent.items()},
            })  # fmt: skip
    return rows


def measure_pipeline(places: Sequence[Snapshots], rounds: int) -> list[dict[str, Any]]:
    """Whole jobs a second by the wall as a desk runs them: one warm worker decides, beside it the log is made ready."""
    rows = []
    for place in places:
        for branch, inputs in place.branches.items():
            compute = pool("workers", BRAIN)
            rates = [_through_a_worker(compute, inputs) for _ in range(rounds)]
            compute.close()
            rows.append({"data": place.name, "branch": branch, "rates": rates})
    return rows


def _through_a_worker(compute: Any, inputs: Sequence[DecisionInput]) -> float:
    """Two jobs are under way at a time, each with log rows of its own; every decision is committed, synced."""
    waiting: dict[str, tuple[DecisionInput, LogRows]] = {}

    def commit_some() -> None:
        for result in fetched(compute, 1):
            decision, (given, log) = decode(result.body, Decision), waiting.pop(result.id)
            if not books.commit(log.of(day_of(decision.decided_for), given, decision)):
                raise SystemExit("a decision was in the log already")

    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder, "books.sqlite"), is_durable=True)
        books = JournalStore(store, "dispatch", "day", SystemClock())
        logs, began = [LogRows(books), LogRows(books)], time.perf_counter()
        for n, given in enumerate(inputs):
            waiting[str(n)] = given, logs[n % 2]
            compute.submit(Job(str(n), encode(given), LIMIT_S))
            logs[n % 2].prepare(given)
            if len(waiting) == len(logs):
                commit_some()
        while waiting:
            commit_some()
        rate = len(inputs) / (time.perf_counter() - began)
        store.close()
    return rate


def _logged_day(bodies: Sequence[bytes], spent: Counter[str]) -> tuple[float, float]:
    """Seconds of the processor and of the wall for these jobs, on books of their own; `spent` by part is added to."""
    with tempfile.TemporaryDirectory() as folder:
        store = SqliteStore(Path(folder, "books.sqlite"), is_durable=True)
        books = JournalStore(store, "dispatch", "day", SystemClock())
        log = LogRows(books)
        times = _timed(lambda: [_job(body, books, log, spent) for body in bodies])
        store.close()
    return times


def _deciding(inputs: Sequence[DecisionInput]) -> Callable[[], object]:
    return lambda: [_decide(one) for one in inputs]


def _shares_of_time(inputs: Sequence[DecisionInput], turns: Iterable[int]) -> dict[str, float]:
    """Apart from the rates: while a sampler runs, the processor's clock goes in steps of its ticks."""
    sampler = Sampler()
    for turn in turns:
        deciding = _deciding(anew(inputs, turn))
        with sampler:
            deciding()
    return sampler.shares


def _decide(given: DecisionInput) -> Decision:
    info = given.current_position_info
    return decide(given.scrip, given.market_state, info.position, info.account, RULES)


def _job(body: bytes, books: JournalStore, log: LogRows, spent: Counter[str]) -> None:
    at = [time.process_time()]

    def done(part: str) -> None:
        at.append(time.process_time())
        spent[part] += at[-1] - at[-2]

    given = decode(body, DecisionInput)
    done("decode")
    decision = _decide(given)
    done("decide")
    encode(decision)
    done("encode")
    rows = log.of(day_of(decision.decided_for), given, decision)
    done("log: the chain in columns, packed")
    if not books.commit(rows):
        raise SystemExit("a decision was in the log already")
    done("log: the commit")


def _counts(verdicts: Sequence[Decision]) -> dict[str, int]:
    said: dict[str, int] = {}
    for one in verdicts:
        words = one.action.value if one.legs else f"{one.action.value}: {' '.join(one.reason.split()[:4])}"
        said[words] = said.get(words, 0) + 1
    return dict(sorted(said.items(), key=lambda item: -item[1])[:4])


def _timed(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and of the wall; the least of rounds counts, as others on the machine only add."""
    cpu, wall = time.process_time(), time.perf_counter()
    call()
    return time.process_time() - cpu, time.perf_counter() - wall


# --- telling ----------------------------------------------------------------------------------------------------------


def describe(result: dict[str, Any]) -> None:
    """The tables of docs/speed.md."""
    print(f"{os.cpu_count()} cores, load {', '.join(f'{load:.1f}' for load in os.getloadavg())}", flush=True)
    for row in result.get("decisions", []):
        said = ", ".join(f"{count} {what}" for what, count in row["said"].items())
        print(f"decisions, {row['data']}, {row['strikes']:.0f} strikes, {row['branch']}: {row['a_second']:,.0f}/s of "
              f"processor ({row['wall']:,.0f} by the wall); {row['snapshots']} snapshots: {said}")  # fmt: skip
        print(f"  {_shares(row['shares'])}")
    for row in result.get("jobs", []):
        print(f"whole jobs, {row['data']}, {row['bytes']:,} bytes, {row['branch']}: {row['a_second']:,.0f}/s of "
              f"processor ({row['wall']:,.0f} by the wall): {_shares(row['shares'])}")  # fmt: skip
    for row in result.get("pipeline", []):
        print(f"whole jobs through one worker, {row['data']}, {row['branch']}: {_rates(row['rates'])} by the wall")
    for row in result.get("pipes", []):
        print(f"1 KB, {row['processes']} {row['kind']}: one at a time {_rates(row['singly'])}, "
              f"pipelined {_rates(row['pipelined'])}")  # fmt: skip
    for row in result.get("hangs", []):
        told, after = row["told_s"], row["next_s"]
        print(f"a hang, {row['kind']}: told {_ms(told)} after its deadline, the next decision there {_ms(after)}")
    ray = result.get("ray")
    if ray:
        for name, rates in ray.items():
            print(f"beside Ray, {name}: {_rates(rates)}")
        for ours, theirs in (("ours, one at a time", "task, one at a time"), ("ours", "task, pipelined")):
            ratios = [a / b for a, b in zip(ray[ours], ray[theirs], strict=True)]
            print(f"against a Ray {theirs}: {median(ratios):.1f}x (worst round {min(ratios):.1f}x), goal 15x")


def _shares(shares: dict[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in sorted(shares.items(), key=lambda item: -item[1]))


def _rates(rates: Sequence[float]) -> str:
    return f"{median(rates):,.0f}/s (best round {max(rates):,.0f})"


def _ms(seconds: Sequence[float]) -> str:
    return f"{1e3 * median(seconds):.1f} ms (worst {1e3 * max(seconds):.1f})"


def main(words: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench.jobs")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--peers", type=Path)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="decisions,jobs,pipeline,pipes,hangs,ray")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args(words)
    places = recorded(options.data, RULES)
    some = next(iter(places[-1].branches.values()))[0]
    gc.collect()
    gc.freeze()  # the snapshots are ours: no process of a desk holds so many, nor searches them for cycles
    with tempfile.TemporaryDirectory() as work:
        measures: dict[str, Callable[[], Any]] = {
            "decisions": lambda: measure_decisions(places, options.rounds),
            "jobs": lambda: measure_jobs(places, options.rounds),
            "pipeline": lambda: measure_pipeline(places, options.rounds),
            "pipes": lambda: measure_pipes(options.rounds),
            "hangs": lambda: measure_hangs(some),
            "ray": lambda: measure_ray(options.peers or Path(work, "peers"), options.rounds),
        }
        result = {}
        for name in options.only.split(","):
            result[name] = measures[name]()
            describe({name: result[name]})
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
