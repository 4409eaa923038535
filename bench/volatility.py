"""The volatility figures on recorded markets: the index beside India VIX, the errors of smiles, the weight of nights.

    python -m bench.volatility [--data DIR] [--out FILE] [--plot PNG]

DIR is the folder of recorded markets. Prints the tables of docs/volatility.md.
"""

import argparse
import csv
import datetime
import gzip
import math
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.beside import keep
from participant.config import load_rules
from participant.core.board import Board, observe
from participant.core.day_count import business_years
from participant.core.market import LookBack, MarketState, Reference, Ticks
from participant.core.pricing import years_to
from participant.core.realised import realised_by
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.core.smile import NoSmile, Smile
from participant.core.snapshot import snapshot
from participant.core.surface import Surface, surface
from participant.core.volatility_index import volatility_index
from participant.history.recorded import RecordedMarket
from participant.history.recordings import Recordings, days_in, load_day, open_recordings

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("PARTICIPANT_DATA") or ROOT.parent / "shared" / "data")
SYMBOL = "NIFTY"
IST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
BUCKETS = ((1, 7), (7, 35), (35, 100), (100, 400))
# The count of the 2024 election and the days beside it.
ELECTION = {datetime.date(2024, 6, day) for day in (3, 4, 5)}


class Compared(msgspec.Struct, frozen=True):
    """The index of a day's last moment before the close, and what was published of the day; percent."""

    day: datetime.date
    at: int
    ours: float
    published: float
    low: float
    high: float
    near_days: float

    @property
    def off(self) -> float:
        """Ours less the published close."""
        return self.ours - self.published


def recordings(data: Path) -> Recordings:
    """The chains of autumn 2025 and the official series."""
    chains = data / "nse_json_chain_2025" / "nifty_chain_2025-10-13_to_2025-11-07.parquet"
    return open_recordings([chains, data / "nse_daily_official"])


def states(market: RecordedMarket) -> Iterator[MarketState]:
    """The market states of a recorded day of NIFTY."""
    known = Reference(SYMBOL, market.contracts(), market.look_back(SYMBOL), market.provenance(SYMBOL))
    board = Board("recorded")
    for number, instant in enumerate(market.instants()):
        board = observe(board, Ticks("recorded", instant.at, instant.ticks, is_snapshot=number == 0))
        state = snapshot(board, known)
        if state is not None:
            yield state


def published(data: Path) -> Mapping[datetime.date, tuple[float, float, float]]:
    """The close, low and high of India VIX by day, in percent."""
    with gzip.open(data / "nse_daily_official" / "india_vix_daily.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    found = {}
    for row in rows:
        day = _day(row["Date"], "%d-%b-%Y")
        found[day] = (float(row["Close"]), float(row["Low"]), float(row["High"]))
    return found


def _day(text: str, form: str) -> datetime.date:
    return datetime.datetime.strptime(text.strip().title(), form).replace(tzinfo=IST).date()


def last_before_close(market: RecordedMarket, day: datetime.date, rules: Rulebook) -> MarketState | None:
    """The last state of a day that was seen before the session ended."""
    session = rules.session(day)
    assert session is not None
    return max((s for s in states(market) if s.exchange_at < session.close_at), key=_at, default=None)


def _at(state: MarketState) -> int:
    return state.exchange_at


def compared(state: MarketState, vix: tuple[float, float, float], rules: Rulebook) -> Compared | None:
    """The index of a state beside the published one; None where the chain gives none."""
    found = volatility_index(state, rules)
    if isinstance(found, str):
        return None
    close, low, high = vix
    level = 100 * found.level
    return Compared(day_of(state.exchange_at), state.exchange_at, level, close, low, high, found.near.days)


class Night(NamedTuple):
    """The at-the-money IVs of an expiry at two closes that follow each other, by calendar and by business time."""

    days_shut: int
    calendar: float
    business: float


def nights(surfaces: Sequence[tuple[datetime.date, Surface]]) -> Iterator[Night]:
    """How the IV of each expiry of 3 to 21 days changes from one day's last moment to the next's, as a log ratio."""
    for (day, before), (following, after) in pairwise(surfaces):
        ended = {e.expiry: e for e in after.expiries}
        for one in before.expiries:
            other = ended.get(one.expiry)
            if other is None or not 3 <= one.days <= 21 or not (one.iv and other.iv):
                continue
            if one.iv_business and other.iv_business:
                moved = math.log(other.iv / one.iv), math.log(other.iv_business / one.iv_business)
                yield Night((following - day).days - 1, *moved)


def night_share(data: Path, symbol: str, rules: Rulebook) -> None:
    """Print what of the variance came overnight on minute bars of 2024, and the three estimators of the whole span."""
    bars: dict[datetime.date, list[float]] = {}
    count: dict[datetime.date, int] = defaultdict(int)
    with gzip.open(data / "nse_index_minute" / f"{symbol}_1m_2024-01_to_08.csv.gz", "rt") as file:
        for row in csv.DictReader(file):
            day = _day(row["Date"], "%Y%m%d")
            o, h, low, c = (float(row[name]) for name in ("Open", "High", "Low", "Close"))
            held = bars.setdefault(day, [o, h, low, c])
            held[1:] = [max(held[1], h), min(held[2], low), c]
            count[day] += 1
    days = sorted(day for day in bars if count[day] > 300)
    open_, high, low_, close = (tuple(round(bars[d][i] * 10_000) for d in days) for i in range(4))
    was = realised_by(LookBack(close, opens=open_, highs=high, lows=low_), len(days) - 1)
    gaps: dict[bool, list[float]] = {True: [], False: []}
    within = []
    for before, day in pairwise(days):
        if day not in ELECTION:
            gaps[(day - before).days > 1].append(math.log(bars[day][0] / bars[before][3]) ** 2)
            within.append(math.log(bars[day][3] / bars[day][0]) ** 2)
    night = statistics.fmean([*gaps[True], *gaps[False]])
    share = night / (night + statistics.fmean(within))
    longer = statistics.fmean(gaps[True]) / statistics.fmean(gaps[False])
    print(f"{symbol}, {len(days)} sessions: {share:.0%} of the variance overnight, {longer:.2f} times over shut days")
    print(f"  close {was.close:.2%}, Parkinson {was.parkinson:.2%}, Yang-Zhang {was.yang_zhang:.2%}")
    first, last = rules.expiry_at(days[0]), rules.expiry_at(days[-1])
    spans = years_to(last, first), business_years(rules, first, last)
    print(f"  {days[0]} to {days[-1]}: {spans[0]:.3f} years of calendar time, {spans[1]:.3f} of business time")


def smiles(surfaces: Sequence[Surface]) -> None:
    """Print the fit errors of all smiles by days to expiry."""
    print(
        "\n| days | expiries | fitted | rms, median | rms, 90 % | worst strike, median | skew | curvature | strikes |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for low, high in BUCKETS:
        mine = [e for s in surfaces for e in s.expiries if low <= e.days < high]
        fits = [e.smile for e in mine if isinstance(e.smile, Smile)]
        if not fits:
            continue
        rms = sorted(f.rms for f in fits)
        medians = [
            statistics.median(v) * 100 for v in zip(*((f.worst, f.skew, f.curvature) for f in fits), strict=True)
        ]
        print(
            f"| {low}-{high} | {len(mine)} | {len(fits)} | {100 * statistics.median(rms):.2f} | "
            f"{100 * rms[len(rms) * 9 // 10]:.2f} | {medians[0]:.2f} | {medians[1]:+.2f} | {medians[2]:+.2f} | "
            f"{statistics.median(f.strikes for f in fits):.0f} |"
        )
    why = [e.no_smile for s in surfaces for e in s.expiries if e.no_smile]
    print({reason.value: why.count(reason) for reason in NoSmile})
    print(
        "not free of butterflies:", sum(not e.smile.is_butterfly_free for s in surfaces for e in s.expiries if e.smile)
    )


def draw(rows: Sequence[Compared], path: Path) -> None:
    """Ours and the published index, day by day, above their difference."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6), layout="constrained")
    top, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    names = [f"{row.day:%d %b}" for row in rows]
    top.vlines(
        names,
        [r.low for r in rows],
        [r.high for r in rows],
        color="#d9d2c5",
        linewidth=7,
        label="India VIX, low to high",
    )
    top.plot(names, [r.published for r in rows], "o", color="#b0532a", label="India VIX, close")
    top.plot(
        names,
        [r.ours for r in rows],
        "x",
        color="#1f6f5c",
        markersize=8,
        label="from the chain, last snapshot before the close",
    )
    top.set(ylabel="percent", title="A volatility index from the NIFTY chain beside India VIX, autumn 2025")
    top.legend()
    below.bar(names, [r.off for r in rows], color="#1f6f5c")
    below.axhline(0, color="black", linewidth=0.8)
    below.set(ylabel="difference")
    below.tick_params(axis="x", rotation=60)
    for axes in (top, below):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=100)


class Read(NamedTuple):
    """What the recorded days give: the index by day, the surface of each close, and those of every third moment."""

    rows: list[Compared]
    closing: list[tuple[datetime.date, Surface]]
    surfaces: list[Surface]


def read(data: Path, rules: Rulebook) -> Read:
    """Play the recorded days through the figures."""
    recorded, vix, found = recordings(data), published(data), Read([], [], [])
    for day in sorted(days_in(recorded)):
        market = load_day(recorded, day, rules)
        found.surfaces.extend(surface(s, rules) for number, s in enumerate(states(market)) if number % 3 == 0)
        last = last_before_close(market, day, rules)
        if last is not None:
            found.closing.append((day, surface(last, rules)))
            row = compared(last, vix[day], rules)
            found.rows.extend([row] if row else [])
    return found


def indices(rows: Sequence[Compared]) -> None:
    """Print the index day by day beside the published one."""
    print("| day | at | ours | India VIX, close | difference | its day |\n|---|---|---:|---:|---:|---|")
    for row in rows:
        at = datetime.datetime.fromtimestamp(row.at / 1e9, IST)
        span = f"{row.low:.2f}-{row.high:.2f}"
        print(f"| {row.day} | {at:%H:%M} | {row.ours:.2f} | {row.published:.2f} | {row.off:+.2f} | {span} |")
    off, size = [row.off for row in rows], [abs(row.off) for row in rows]
    said = f"mean {statistics.fmean(off):+.3f}, median of the size {statistics.median(size):.3f}, worst {max(size):.3f}"
    print(f"{len(rows)} days: {said}")


def weekends(closing: Sequence[tuple[datetime.date, Surface]]) -> None:
    """Print how IV changes over nights and weekends."""
    by_gap: dict[int, list[Night]] = defaultdict(list)
    for night in nights(closing):
        by_gap[night.days_shut].append(night)
    for shut, found in sorted(by_gap.items()):
        calendar, business = (statistics.fmean(n[i] for n in found) for i in (1, 2))
        print(
            f"{shut} days shut, {len(found)} expiries: IV {calendar:+.2%} in calendar, {business:+.2%} in business time"
        )


def main(words: Sequence[str]) -> None:
    """Read the days, print the tables, draw."""
    parser = argparse.ArgumentParser(prog="bench.volatility")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--plot", type=Path)
    asked = parser.parse_args(words)
    if not asked.data.is_dir():
        print(f"no recorded markets at {asked.data}: name their folder with --data")
        return
    rules = load_rules()
    found = read(asked.data, rules)
    indices(found.rows)
    smiles(found.surfaces)
    weekends(found.closing)
    for symbol in ("NIFTY", "BANKNIFTY"):
        night_share(asked.data, symbol, rules)
    keep(msgspec.to_builtins(found.rows), asked, lambda _, path: draw(found.rows, path))


if __name__ == "__main__":
    main(sys.argv[1:])
