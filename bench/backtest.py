"""The backtest over a made year of chains: rows and decisions a second, time and memory, beside nautilus_trader.

    python -m bench backtest [--days N] [--step S] [--data DIR] [--peers DIR] [--rounds N] [--only WORDS] [--out FILE]
                          [--plot PNG]

The year is made once (DIR keeps it). nautilus_trader is installed into a virtual environment of its own (DIR, else a
temporary one) and plays the same days with the same strategy: fills, settlements and cash must be equal, else this ends
with status 1. docs/backtest-speed.md says how it is measured.
"""

import argparse
import datetime
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

from bench.environment import ROOT, python_in
from bench.made_year import SYMBOL, made_days, make
from participant.config import load_rules
from participant.core.scrip import PRICE_UNITS, PRICE_UNITS_PER_PAISA, Kind
from participant.history.catalogue import CHAINS, OFFICIAL
from participant.history.official import Official
from participant.history.official_files import read_official

PEERS = ["nautilus_trader==1.221.0", "pyarrow==22.0.0"]
GOAL, PEAK_MAX_MB = 5.0, 500.0
Figures = dict[str, Any]


def ours(folder: Path, days: int, *asked: str) -> Figures:
    """One run of ours in a process of its own."""
    command = [sys.executable, "-m", "bench.backtest_ours", str(folder), str(days), *asked]
    return _said(command) | {"rows": _rows(folder, days)}


def theirs(folder: Path, days: int, python: Path, kernel: str = "") -> Figures:
    """One run of nautilus_trader, with its own implied volatilities or with our kernel's."""
    official = read_official([folder / OFFICIAL])
    asked = {
        "folder": str(folder / CHAINS / SYMBOL),
        "days": {day.stem: _terms(day, official) for day in made_days(folder, days)},
        "kernel": kernel,
    }
    return _said([str(python), str(ROOT / "bench" / "backtest_peers.py"), json.dumps(asked)])


def _said(command: Sequence[str]) -> Figures:
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    said: Figures = json.loads(done.stdout.splitlines()[-1])
    return said


def _terms(file: Path, official: Official) -> Figures:
    """What the other engine must be told of a day: hours, lots, tick, ends of expiries, and the official close."""
    rules, day = load_rules(), _day(file)
    session = rules.session(day)
    assert session is not None
    expiries = pq.read_table(file, columns=["expiry"])["expiry"].unique().to_pylist()
    return {
        "opens": session.open_at,
        "closes": session.close_at,
        "lots": {str(expiry): rules.lot(SYMBOL, expiry, day) for expiry in expiries},
        "ends": {str(expiry): rules.expiry_at(expiry) for expiry in expiries},
        "tick": rules.tick(SYMBOL, Kind.CALL, PRICE_UNITS, day),
        "close": official.close(SYMBOL, day),
    }


def _day(file: Path) -> datetime.date:
    return datetime.date.fromisoformat(file.stem)


def _rows(folder: Path, days: int) -> int:
    return sum(pq.read_metadata(file).num_rows for file in made_days(folder, days))


# --- the same? --------------------------------------------------------------------------------------------------------


def differences(mine: Figures, other: Figures) -> list[str]:
    """What fills, settlements and cash (before charges, paise) have not in common; nothing where all is equal."""
    found = [] if mine["fills"] == other["fills"] else [f"fills: {mine['fills']} | {other['fills']}"]
    if sorted(mine["ended"]) != sorted(other["ended"]):
        found.append(f"settlements: {mine['ended']} | {other['ended']}")
    if mine["cash"] != other["cash"]:
        found.append(f"cash before charges: {mine['cash']} | {other['cash']}")
    return found + [f"ours alone has {kind}" for kind in mine["other"]]


def in_our_words(said: Figures) -> Figures:
    """The other engine's fills, settlements and cash as `differences` compares them."""
    held, cash, ended = dict[str, int](), 0, list[list[Any]]()
    for _, contract, side, quantity, price in said["fills"]:
        signed = quantity if side == "buy" else -quantity
        held[contract] = held.get(contract, 0) + signed
        cash -= signed * price // PRICE_UNITS_PER_PAISA
    for day, contract, worth, quantity in said["ended"]:
        amount = quantity * worth // PRICE_UNITS_PER_PAISA
        ended.append([day, contract, amount])
        cash += amount
    return said | {"ended": ended, "cash": cash}


# --- measures ---------------------------------------------------------------------------------------------------------


def measure_speed(folder: Path, days: int, python: Path | None, rounds: int) -> Figures:
    """Rounds of ours and theirs in turn. Raises SystemExit where they did not do the same."""
    kernel = str(next((ROOT / "src" / "participant" / "core").glob("_pricing.*.so"), ""))
    found: dict[str, list[Figures]] = {}
    for _ in range(rounds):
        found.setdefault("ours", []).append(ours(folder, days))
        if python is not None:
            found.setdefault("nautilus", []).append(theirs(folder, days, python))
            found.setdefault("nautilus, our kernel", []).append(theirs(folder, days, python, kernel))
    for name in found.keys() - {"ours"}:
        apart = differences(found["ours"][0], in_our_words(found[name][0]))
        if apart:
            sys.exit(f"bench backtest: {name} did not do the same: {'; '.join(apart)}")
    return {"days": days, "runs": found, "shares": ours(folder, days, "sampled")["shares"]}


def measure_plain(folder: Path, days: int) -> Figures:
    """Our fast path beside the plain one, which plays every quote as a tick of its own."""
    fast, plain = ours(folder, days), ours(folder, days, "plain")
    apart = differences(fast, plain)
    if apart:
        sys.exit(f"bench backtest: the plain path did not do the same: {'; '.join(apart)}")
    return {"fast": fast, "plain": plain}


def measure_memory(folder: Path, days: int) -> list[Figures]:
    """Peak memory by the length of history: one run, looked at at each day's end."""
    counts = accumulate(pq.read_metadata(file).num_rows for file in made_days(folder, days))
    return [{"rows": n, "peak_mb": peak} for n, peak in zip(counts, ours(folder, days)["peaks"], strict=True)]


# --- telling ----------------------------------------------------------------------------------------------------------


def describe(result: Mapping[str, Any]) -> None:
    """A line a figure."""
    speed, plain = result.get("speed"), result.get("plain")
    if speed:
        _describe_speed(speed)
    if plain:
        fast, slow = plain["fast"], plain["plain"]
        by = _rate(fast) / _rate(slow)
        print(f"the plain path: {_rate(slow):,.0f} rows/s, the fast one {_rate(fast):,.0f}: {by:.1f}x")
    rows = result.get("memory", [])
    for row in rows[:1] + [low for low, high in pairwise(rows) if _size(low) < _size(high)][1:] + rows[-1:]:
        over = "" if row["peak_mb"] <= PEAK_MAX_MB else f", over {PEAK_MAX_MB:.0f}"
        print(f"{row['rows']:>13,} rows: {row['peak_mb']:.0f} MB at most{over}")


def _describe_speed(speed: Mapping[str, Any]) -> None:
    runs = speed["runs"]
    mine = runs["ours"]
    print(f"{mine[0]['rows']:,} rows of {speed['days']} days, CPU of one core, medians of {len(mine)} rounds")
    a_second = median(one["decisions"] / one["cpu_s"] for one in mine)
    print(f"ours: {median(map(_rate, mine)):,.0f} rows/s, {a_second:,.0f} decisions/s, {_peak(mine):.0f} MB")
    for name in runs.keys() - {"ours"}:
        other = runs[name]
        for what, key in (("its run alone", "run_s"), ("its data loaded as well", "whole_s")):
            rates = [one["rows"] / one[key] for one in other]
            ratios = [_rate(one) / rate for one, rate in zip(mine, rates, strict=True)]
            print(f"{name}, {what}: {median(rates):,.0f} rows/s, {_peak(other):.0f} MB; "
                  f"ours is {median(ratios):.1f}x (worst round {min(ratios):.1f}x), goal {GOAL:.0f}x")  # fmt: skip
    for name, share in sorted(speed["shares"].items(), key=lambda item: -item[1]):
        print(f"  {share:6.1%} {name}")


def _size(row: Figures) -> int:
    """The power of two that a history's rows have reached: it is told of where they double."""
    return int(row["rows"]).bit_length()


def _rate(one: Figures) -> float:
    return float(one["rows"] / one["cpu_s"])


def _peak(runs: Sequence[Figures]) -> float:
    return max(float(one["peak_mb"]) for one in runs)


def draw(result: Mapping[str, Any], file: Path) -> None:
    """Rows a second of each engine, and the peak of memory by the length of history."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, 3.2), layout="constrained")
    rates, peaks = figure.subplots(1, 2)
    runs = result["speed"]["runs"]
    bars = {"ours, reading included": median(map(_rate, runs["ours"]))}
    for name in (name for name in runs if name != "ours"):
        for what, key in (("its run alone", "run_s"), ("reading included", "whole_s")):
            bars[f"{name}, {what}"] = median(one["rows"] / one[key] for one in runs[name])
    names = list(bars)[::-1]
    rates.barh(names, [bars[name] / 1e3 for name in names], color=["C0" if "ours, r" in n else "C7" for n in names])
    rates.set_xlabel("thousand rows a second of one core")
    rows = result["memory"]
    peaks.semilogx([row["rows"] for row in rows], [row["peak_mb"] for row in rows])
    theirs_now = runs.get("nautilus", [])
    peaks.plot([one["rows"] for one in theirs_now], [one["peak_mb"] for one in theirs_now], "o", color="C7")
    peaks.axhline(PEAK_MAX_MB, color="C3", linewidth=0.8)
    peaks.set_ylim(0)
    peaks.set_xlabel("rows of history")
    peaks.set_ylabel("peak memory, MB")
    figure.savefig(file, dpi=110, metadata={"Software": None})


def main(words: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="bench backtest")
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--step", type=int, default=60, help="seconds between two instants of the made year")
    parser.add_argument("--data", type=Path, help="keeps the made year")
    parser.add_argument("--peers", type=Path, help="keeps nautilus_trader's environment")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="speed,plain,memory")
    parser.add_argument("--alone", action="store_true", help="without nautilus_trader")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path, help="draw speed and memory; both must be measured")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        folder = options.data or Path(work, "year")
        make(folder, options.days, options.step)
        python = None if options.alone else python_in(options.peers or Path(work, "peers"), PEERS)
        result: Figures = {}
        for name in options.only.split(","):
            if name == "speed":
                result[name] = measure_speed(folder, options.days, python, options.rounds)
            elif name == "plain":
                result[name] = measure_plain(folder, min(options.days, 3))
            else:
                result[name] = measure_memory(folder, options.days)
            describe({name: result[name]})
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        draw(result, options.plot)


if __name__ == "__main__":
    main(sys.argv[1:])
