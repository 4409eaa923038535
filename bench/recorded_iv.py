"""The `iv` column of recorded chains: which formula it is, and how far our implied volatility lies from it, and why.

    python -m bench.recorded_iv [--data DIR] [--plot PNG]

DIR is the folder of recorded markets. Prints the tables of docs/pricing.md. All volatilities are in percent.
"""

import argparse
import datetime
import statistics
import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from math import exp, isfinite
from pathlib import Path
from typing import NamedTuple

from bench.recorded_chains import DATA, SETS, YEAR, Recorded, read
from participant.core.market import Chain, Quote, Strike
from participant.core.pricing import Options, implied_volatilities, spot_greeks
from participant.core.pricing import Spot as Carried
from participant.core.scrip import PRICE_UNITS
from participant.core.volatility import parity

NEAR = 0.03  # ln(strike / spot) within which options count as near the money
MONEYNESS = ((-0.06, -0.03), (-0.03, -0.01), (-0.01, 0.01), (0.01, 0.03), (0.03, 0.06))
DAYS = ((1, 4), (4, 10), (10, 35), (35, 100))


Page = tuple[datetime.datetime, str, datetime.date]


class Convention(NamedTuple):
    """What an implied volatility is made of: the price, the rate that carries spot, the years."""

    price: str
    rate: float
    time: str


PRICES: Mapping[str, Callable[[Recorded], float]] = {"last": lambda r: r.last, "middle": lambda r: r.middle}
TIMES: Mapping[str, Callable[[Recorded], float]] = {
    "whole days / 365": lambda r: r.days / YEAR,
    "whole days and one / 365": lambda r: (r.days + 1) / YEAR,
    "whole days / 360": lambda r: r.days / 360,
    "to the minute / 365": lambda r: r.years,
}
RATES = (0.0, 0.05, 0.06, 0.07, 0.08, 0.09, 0.10, 0.11)
EXCHANGE = Convention("last", 0.10, "whole days / 365")


def solved(
    rows: Sequence[Recorded], forwards: Sequence[float], prices: Sequence[float], years: Sequence[float]
) -> list[float]:
    """The implied volatility of each undiscounted price, in percent."""
    options = Options(
        array("B", [r.is_call for r in rows]),
        array("d", forwards),
        array("d", [r.strike for r in rows]),
        array("d", years),
    )
    found, faults = array("d", bytes(8 * len(rows))), array("B", bytes(len(rows)))
    implied_volatilities(options, array("d", prices), found, faults)
    return [100 * sigma for sigma in found]


def by_convention(rows: Sequence[Recorded], how: Convention, shifts: Sequence[float] | None = None) -> list[float]:
    """Black-Scholes on spot (moved by `shifts`) as a convention has it, no dividend; in percent."""
    years = [TIMES[how.time](r) for r in rows]
    moved = shifts or [0.0] * len(rows)
    growth = [exp(how.rate * t) for t in years]
    forwards = [(r.spot + shift) * g for r, shift, g in zip(rows, moved, growth, strict=True)]
    return solved(rows, forwards, [PRICES[how.price](r) * g for r, g in zip(rows, growth, strict=True)], years)


def best_price(r: Recorded) -> float:
    """The middle where both sides are quoted, else the last price."""
    return r.middle or r.last


def ours(
    rows: Sequence[Recorded], levels: Mapping[Page, float], price: Callable[[Recorded], float] = best_price
) -> list[float]:
    """As the desk reads them: the middle, else the last price, on their page's forward, to the minute; in percent."""
    forwards = [levels[page_of(r)] for r in rows]
    return solved(rows, forwards, [price(r) for r in rows], [r.years for r in rows])


def page_of(r: Recorded) -> Page:
    """What was recorded at once of one expiry."""
    return r.at, r.symbol, r.expiry


def forwards(rows: Sequence[Recorded]) -> dict[Page, float]:
    """The forward of each page by parity across its strikes, nan where none shows a call and a put."""
    pages = defaultdict[Page, list[Recorded]](list)
    for r in rows:
        pages[page_of(r)].append(r)
    return {page: _forward(each) for page, each in pages.items()}


def _forward(page: Sequence[Recorded]) -> float:
    sides = {(r.strike, r.is_call): _quote(best_price(r)) for r in page}
    strikes = sorted({r.strike for r in page})
    rows = tuple(Strike(_units(k), sides.get((k, True)), sides.get((k, False))) for k in strikes)
    return parity(Chain(page[0].expiry, 1, 1, 1, rows), _units(page[0].spot)) / PRICE_UNITS


def _quote(price: float) -> Quote:
    return Quote(_units(price) - 1, _units(price) + 1, 1, 1, 0)


def _units(price: float) -> int:
    return round(price * PRICE_UNITS)


def shifts_of(rows: Sequence[Recorded], off: Sequence[float]) -> list[float]:
    """By how much the spot of each page's options must move, the median of them, for the recorded iv to come out."""
    pages = defaultdict[datetime.datetime, list[float]](list)
    for r, residual in zip(rows, off, strict=True):
        greeks = spot_greeks(r.is_call, Carried(r.spot, EXCHANGE.rate, 0.0), r.strike, r.days / YEAR, r.iv / 100)
        if isfinite(residual) and abs(greeks.delta) > 0.05:
            pages[r.at].append(residual / 100 * greeks.vega / greeks.delta)
    middles = {at: statistics.median(each) for at, each in pages.items()}
    return [middles.get(r.at, 0.0) for r in rows]


def known(values: Sequence[float]) -> list[float]:
    """The finite ones, sorted."""
    return sorted(v for v in values if isfinite(v))


def size(values: Sequence[float]) -> float:
    """The median of the sizes."""
    return statistics.median(map(abs, known(values)))


def off(rows: Sequence[Recorded], found: Sequence[float]) -> list[float]:
    """What was found less what is recorded."""
    return [sigma - r.iv for r, sigma in zip(rows, found, strict=True)]


def traded_near(rows: Sequence[Recorded]) -> list[Recorded]:
    """Options out of the money, near it and traded on the day: where an iv means most and its price is freshest."""
    return [r for r in rows if abs(r.away) < NEAR and r.volume > 0 and r.is_call == (r.strike >= r.spot)]


def conventions(rows: Sequence[Recorded]) -> list[tuple[float, Convention]]:
    """Every convention that was tried, with the median of its residual's size, the best first."""
    tried = [
        Convention(p, r, t) for p in PRICES for r in RATES for t in TIMES if p == "last" or any(x.middle for x in rows)
    ]
    kept = {"last": rows, "middle": [r for r in rows if r.middle]}
    return sorted((size(off(kept[c.price], by_convention(kept[c.price], c))), c) for c in tried)


def describe(sets: Mapping[str, Sequence[Recorded]]) -> None:
    """Print how well the exchange's convention reproduces each set, and the next best."""
    print("| set | options | best convention | residual | next best | residual | with spot moved | by |")
    print("|---|---:|---|---:|---|---:|---:|---:|")
    for name, rows in sets.items():
        near = traded_near(rows)
        (least, best), *others = conventions(near)
        other = next((worth, c) for worth, c in others if c.time != best.time or abs(c.rate - best.rate) > 0.015)
        residual = off(near, by_convention(near, EXCHANGE))
        moved = shifts_of(near, residual)
        after = size(off(near, by_convention(near, EXCHANGE, moved)))
        by = statistics.median(abs(s) / r.spot * 1e4 for s, r in zip(moved, near, strict=True))
        print(
            f"| {name} | {len(near):,} | {best.price}, {best.rate:.0%}, {best.time} | {least:.3f} | {other[1].price}, "
            f"{other[1].rate:.0%}, {other[1].time} | {other[0]:.3f} | {after:.3f} | {by:.1f} bp |"
        )


def differences(rows: Sequence[Recorded]) -> list[tuple[Recorded, float]]:
    """Each traded option with our implied volatility less the recorded one, where both are known."""
    traded = [r for r in rows if r.volume > 0]
    return [(r, d) for r, d in zip(traded, off(traded, ours(traded, forwards(rows))), strict=True) if isfinite(d)]


def bridge(name: str, rows: Sequence[Recorded]) -> None:
    """Print what leads from the recorded iv to ours, step by step, near the money: the medians of calls and of puts."""
    near, levels = traded_near(rows), forwards(rows)
    steps = [
        [r.iv for r in near],
        by_convention(near, EXCHANGE),
        by_convention(near, EXCHANGE._replace(time="to the minute / 365")),
        ours(near, levels, lambda r: r.last),
        ours(near, levels),
    ]
    cells = []
    for before, after in [*pairwise(steps), (steps[0], steps[-1])]:
        moved = [(r.is_call, b - a) for r, a, b in zip(near, before, after, strict=True) if isfinite(b - a)]
        cells.append(
            " / ".join(f"{statistics.median(m for c, m in moved if c is side):+.2f}" for side in (True, False))
        )
    print(f"| {name} | {' | '.join(cells)} |")


def by_cell(name: str, found: Sequence[tuple[Recorded, float]]) -> None:
    """Print our iv less the recorded one by days and moneyness: the medians of calls and of puts."""
    print(f"\n| {name}: days | " + " | ".join(f"{low:+.0%} to {high:+.0%}" for low, high in MONEYNESS) + " |")
    print("|---|" + "---:|" * len(MONEYNESS))
    for first, last in DAYS:
        cells = []
        for low, high in MONEYNESS:
            mine = [(r, d) for r, d in found if first <= r.days < last and low <= r.away < high]
            sides = [[d for r, d in mine if r.is_call is is_call] for is_call in (True, False)]
            cells.append(" / ".join(f"{statistics.median(s):+.2f}" if len(s) > 20 else "-" for s in sides))
        print(f"| {first}-{last} | " + " | ".join(cells) + " |")


def draw(
    sets: Mapping[str, Sequence[tuple[Recorded, float]]], sources: Mapping[str, Sequence[Recorded]], path: Path
) -> None:
    """Ours less recorded for calls and puts near the money, and what the exchange's convention leaves."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    names = list(sets)
    for side, colour, shift in ((True, "#1f6f5c", -0.18), (False, "#b0532a", 0.18)):
        drawn = [[d for r, d in sets[n] if r.is_call is side and abs(r.away) < NEAR] for n in names]
        boxes = left.boxplot(drawn, positions=[i + shift for i in range(len(names))], widths=0.3, showfliers=False,
                             whis=(5, 95), patch_artist=True, medianprops={"color": "black"})  # fmt: skip
        for box in boxes["boxes"]:
            box.set(facecolor=colour, alpha=0.7)
        left.plot([], [], "s", color=colour, label="calls" if side else "puts")
    left.set_xticks(range(len(names)), names, rotation=35, ha="right", fontsize=8)
    left.set(
        ylabel="vol points", title="our IV less the recorded one, within 3 % of spot (box: quartiles, whiskers 90 %)"
    )
    left.title.set_fontsize(9)
    left.axhline(0, color="black", linewidth=0.8)
    left.legend()
    kept = []
    for name in names:
        near = traded_near(sources[name])
        kept.append(known(off(near, by_convention(near, EXCHANGE))))
    right.boxplot(kept, showfliers=False, whis=(5, 95), medianprops={"color": "black"})
    right.set_xticks(range(1, len(names) + 1), names, rotation=35, ha="right", fontsize=8)
    right.set_title("recomputed as the exchange does, less recorded", fontsize=9)
    right.axhline(0, color="black", linewidth=0.8)
    for axes in (left, right):
        axes.grid(alpha=0.3, axis="y")
    figure.savefig(path, dpi=100)


def main(words: Sequence[str]) -> None:
    """Read the sets, print the tables, draw."""
    parser = argparse.ArgumentParser(prog="bench.recorded_iv")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--plot", type=Path)
    options = parser.parse_args(words)
    if not options.data.is_dir():
        print(f"no recorded markets at {options.data}: name their folder with --data")
        return
    sets = {name: read(options.data / file) for name, file in SETS.items()}
    describe(sets)
    print("\n| set | recomputed as they do | time to the minute | the market's forward | middle | ours less recorded |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, rows in sets.items():
        bridge(name, rows)
    found = {name: differences(rows) for name, rows in sets.items()}
    for name, pairs in found.items():
        by_cell(name, pairs)
    if options.plot:
        draw(found, sets, options.plot)


if __name__ == "__main__":
    main(sys.argv[1:])
