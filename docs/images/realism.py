"""Measures the made market against recorded days: the tables of docs/synthetic.md and docs/images/realism-*.png.

    python docs/images/realism.py > tables.md

Needs matplotlib (which brings numpy and Pillow) and, in PARTICIPANT_DATA or ../shared/data beside the repository,
nse_chain_2018_10_to_2019_04, nse_chain_multi_expiry_2019_06, nse_json_chain_2025, nse_daily_official,
nse_index_minute and nse_minute_bars. It takes about a quarter of a minute.
"""

import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from math import erfc, exp, sqrt

import matplotlib as mpl
import numpy as np
from PIL import Image
from realism_data import (
    ROOT,
    Board,
    Daily,
    Minutes,
    Option,
    boards_2019,
    boards_2025,
    boards_made,
    daily_made,
    daily_real,
    india_vix,
    minutes_2022,
    minutes_made,
    minutes_real,
)

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter

REAL = ("NIFTY 2018-19", "BANKNIFTY 2018-19", "NIFTY June 2019", "NIFTY 2025")
MADE = ("made NIFTY", "made BANKNIFTY")
COMPARED = ("NIFTY 2018-19", "NIFTY 2025")  # in June 2019 NIFTY's weeklies were four months old
INK = dict(zip((*REAL, *MADE), ("#8fb3d9", "#4c72b0", "#6aa584", "#16365c", "#e8792b", "#f2b279"), strict=True))
FEW = 6  # values: fewer say nothing
FAR, OUT, TARGET, NEAR = (0.02, 0.05), (0.05, 0.10), (0.15, 0.35), (0.35, 0.50)
WEEK, MONTH = (3.0, 9.0), (20.0, 37.0)


# --- figures ----------------------------------------------------------------------------------------------------------


def kurtosis(values: np.ndarray) -> float:
    """Excess kurtosis: 0 for a normal distribution."""
    z = values - values.mean()
    return float((z**4).mean() / (z**2).mean() ** 2 - 3)


def realised(returns: np.ndarray) -> np.ndarray:
    """The volatility of the 20 sessions up to each, from the 20th on."""
    return np.array([returns[i - 20 : i].std(ddof=1) for i in range(20, len(returns) + 1)]) * sqrt(252)


def ranks(volatility: np.ndarray) -> np.ndarray:
    spans = ((volatility[i], volatility[i - 250 : i]) for i in range(250, len(volatility), 5))
    return np.array([min(1.0, max(0.0, (now - past.min()) / (past.max() - past.min()))) for now, past in spans])


def years(volatility: np.ndarray) -> list[float]:
    spans = (volatility[i - 250 : i] for i in range(250, len(volatility) + 1, 25))
    return [float(past.max() / past.min()) for past in spans]


def pick(boards: Iterable[Board], days: tuple[float, float], is_monthly: bool | None = None) -> list[Board]:
    return [b for b in boards if days[0] <= b.days < days[1] and is_monthly in {None, b.is_monthly}]


def calls(boards: Iterable[Board], delta: tuple[float, float]) -> list[Option]:
    return [o for b in boards for o in b.options if o.x > 0 and o.is_quoted and delta[0] <= o.delta < delta[1]]


def spreads(boards: Iterable[Board], delta: tuple[float, float]) -> list[float]:
    return [100 * o.spread for o in calls(boards, delta)]


def sizes(boards: Iterable[Board], delta: tuple[float, float]) -> list[float]:
    return [lots for o in calls(boards, delta) for lots in o.lots]


def smiles(boards: Iterable[Board], x: float, reach: float = 0.2) -> list[float]:
    """IV over the IV at the money, where the spread is narrow enough to know it."""
    return [o.iv / b.atm for b in boards for o in b.options if abs(o.x - x) < reach and o.is_quoted and o.spread < 0.15]


def terms(boards: Sequence[Board]) -> dict[str, list[tuple[float, float]]]:
    """(days to expiry, IV at the money over that of the monthly nearest to 30 days on the same page), by group."""
    pages, found = defaultdict(list), defaultdict(list)
    for b in boards:
        pages[b.group, b.at.date(), b.at.hour].append(b)
    for (group, *_), page in pages.items():
        months = [b for b in page if b.is_monthly and 16 <= b.days <= 45]
        if months and len(page) > 1:
            month = min(months, key=lambda b: abs(b.days - 30))
            found[group] += [(b.days, b.atm / month.atm) for b in page if b is not month]
    return found


def said(values: Sequence[float]) -> str:
    """The median (and quartiles), or a dash where there are too few."""
    if len(values) < FEW:
        return "–"
    low, middle, high = np.percentile(values, [25, 50, 75])
    digits = 2 if abs(middle) < 10 else 0
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def tell(title: str, rows: Sequence[tuple[str, Callable[[str], Sequence[float]]]]) -> None:
    """A table by group: median and quartiles; the last column is made NIFTY over the geometric mean of COMPARED."""
    print(f"\n{title}\n\n| | {' | '.join((*REAL, *MADE))} | made ÷ real |\n|---|{'---|' * 7}")
    for name, values in rows:
        found = {group: values(group) for group in (*REAL, *MADE)}
        real = [np.median(found[g]) for g in COMPARED if len(found[g]) >= FEW]
        is_known = real and len(found[MADE[0]]) >= FEW
        ratio = f"{np.median(found[MADE[0]]) / exp(np.mean(np.log(real))):.2f}" if is_known else "–"
        print(f"| {name} | {' | '.join(said(found[g]) for g in found)} | {ratio} |")


def tell_pairs(
    title: str, rows: Sequence[tuple[str, Sequence[float], float]], names: Sequence[str] = ("real",)
) -> None:
    """A table of one figure a column: the real ones, made, and made over the first."""
    print(f"\n{title}\n\n| | {' | '.join(names)} | made | made ÷ real |\n|---|{'---|' * (len(names) + 2)}")
    for name, real, made in rows:
        print(f"| {name} | {' | '.join(f'{value:.3g}' for value in real)} | {made:.3g} | {made / real[0]:.2f} |")


# --- plots ------------------------------------------------------------------------------------------------------------


def panels(*titles: str) -> tuple[plt.Figure, Sequence[plt.Axes]]:
    figure, axes = plt.subplots(1, len(titles), figsize=(12, 4.4), dpi=100, layout="constrained")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=11)
        axis.grid(alpha=0.25)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, axes


def line(axis: plt.Axes, group: str, points: Iterable[tuple[float, Sequence[float]]], style: str = "o-") -> None:
    """The medians where there are enough values, with the quartiles as a band."""
    known = [(x, *np.percentile(values, [25, 50, 75])) for x, values in points if len(values) >= FEW]
    if known:
        x, low, middle, high = zip(*known, strict=True)
        axis.plot(x, middle, style, color=INK[group], label=group, ms=4, lw=1.8)
        axis.fill_between(x, low, high, color=INK[group], alpha=0.13, lw=0)


def plain(axis: plt.Axes, **both: object) -> None:
    """A logarithmic axis with figures that people read."""
    axis.set(**both)
    for scale, part in ((axis.get_xscale(), axis.xaxis), (axis.get_yscale(), axis.yaxis)):
        if scale == "log":
            part.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0)))
            part.set_major_formatter("{x:g}")
            part.set_minor_formatter(NullFormatter())


def save(figure: plt.Figure, name: str) -> None:
    figure.axes[0].legend(fontsize=9, frameon=False)
    raw = io.BytesIO()
    figure.savefig(raw, format="png")
    few = Image.open(raw).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    few.save(ROOT / "docs" / "images" / f"realism-{name}.png", optimize=True)
    plt.close(figure)


DELTAS = [(0.02, 0.05), (0.05, 0.10), (0.10, 0.15), (0.15, 0.25), (0.25, 0.35), (0.35, 0.50)]
SPANS = [(1.0, 3.0), (3.0, 9.0), (9.0, 16.0), (16.0, 23.0), (23.0, 37.0), (37.0, 60.0)]
PREMIUMS = [(1, 2), (2, 4), (4, 8), (8, 16), (16, 32), (32, 64), (64, 128)]


def by_premium(boards: Sequence[Board], premium: tuple[float, float]) -> list[float]:
    """Spreads (%) of calls whose middle is so many basis points of spot."""
    found = ((o, (o.bid + o.ask) / 2 / b.spot * 1e4) for b in boards for o in b.options if o.x > 0 and o.is_quoted)
    return [100 * o.spread for o, bp in found if premium[0] <= bp < premium[1]]


def spread_page(by: dict[str, list[Board]]) -> None:
    figure, axes = panels("calls, 3 to 9 days", "calls, 3 to 9 days", "calls of delta 0.15 to 0.35")
    for group in (*REAL, *MADE):
        near = pick(by[group], WEEK)
        line(axes[0], group, ((sum(d) / 2, spreads(near, d)) for d in DELTAS))
        line(axes[1], group, ((sqrt(p[0] * p[1]), by_premium(near, p)) for p in PREMIUMS))
        for is_monthly, style in ((False, "o-"), (True, "s--")):
            spans = ((sum(s) / 2, spreads(pick(by[group], s, is_monthly), TARGET)) for s in SPANS)
            line(axes[2], group, spans, style)
    for axis, name in zip(axes, ("delta", "premium, bp of spot", "days to expiry: weekly —, monthly - -"), strict=True):
        plain(axis, yscale="log", xlabel=name, ylabel="spread, % of the middle")
    plain(axes[1], xscale="log")
    save(figure, "spread")
    week = {group: pick(found, WEEK) for group, found in by.items()}
    rows = [
        *((f"3-9 days, delta {d[0]:.2f}-{d[1]:.2f}", lambda g, d=d: spreads(week[g], d)) for d in (OUT, TARGET, NEAR)),
        *((f"3-9 days, premium {p[0]}-{p[1]} bp", lambda g, p=p: by_premium(week[g], p)) for p in PREMIUMS[1::2]),
        ("monthly, 20-37 days, delta 0.15-0.35", lambda g: spreads(pick(by[g], MONTH, True), TARGET)),
        ("weekly, 16-23 days, delta 0.15-0.35", lambda g: spreads(pick(by[g], SPANS[3], False), TARGET)),
        ("weekly, 23-37 days, delta 0.15-0.35", lambda g: spreads(pick(by[g], SPANS[4], False), TARGET)),
    ]
    tell("Spread, % of the middle (calls)", rows)


def size_page(by: dict[str, list[Board]]) -> None:
    figure, axes = panels("calls, 3 to 9 days", "calls of delta 0.15 to 0.35, monthly or within 16 days")
    for group in (*REAL, *MADE):
        line(axes[0], group, ((sum(d) / 2, sizes(pick(by[group], WEEK), d)) for d in DELTAS))
        liquid = [b for b in by[group] if b.is_monthly or b.days < 16]
        line(axes[1], group, ((sum(s) / 2, sizes(pick(liquid, s), TARGET)) for s in SPANS))
    for axis, name in zip(axes, ("delta", "days to expiry"), strict=True):
        plain(axis, yscale="log", xlabel=name, ylabel="lots at the touch, either side")
    save(figure, "size")
    tell(
        "Size at the touch, lots, either side (calls)",
        [
            ("3-9 days, delta 0.02-0.05", lambda g: sizes(pick(by[g], WEEK), FAR)),
            ("3-9 days, delta 0.05-0.10", lambda g: sizes(pick(by[g], WEEK), OUT)),
            ("3-9 days, delta 0.15-0.35", lambda g: sizes(pick(by[g], WEEK), TARGET)),
            ("3-9 days, delta 0.35-0.50", lambda g: sizes(pick(by[g], WEEK), NEAR)),
            ("9-16 days, delta 0.15-0.35", lambda g: sizes(pick(by[g], SPANS[2]), TARGET)),
            ("monthly, 20-37 days, delta 0.15-0.35", lambda g: sizes(pick(by[g], MONTH, True), TARGET)),
            ("weekly, 16-37 days, delta 0.15-0.35", lambda g: sizes(pick(by[g], (16, 37), False), TARGET)),
        ],
    )


def smile_page(by: dict[str, list[Board]]) -> None:
    figure, axes = panels("3 to 9 days", "20 to 37 days")
    for group in (*REAL, *MADE):
        for axis, span in zip(axes, (WEEK, MONTH), strict=True):
            seen = pick(by[group], span)
            line(axis, group, ((x / 4, smiles(seen, x / 4)) for x in range(-10, 11)), "-")
            axis.set(xlabel="log moneyness / (IV at the money × √time)", ylabel="IV / IV at the money")
    save(figure, "smile")

    def skew(span: tuple[float, float], group: str) -> list[float]:
        seen = (([*smiles([b], -1.0)], [*smiles([b], 1.0)]) for b in pick(by[group], span))
        return [np.mean(low) - np.mean(high) for low, high in seen if low and high]  # of each page

    rows = [
        (f"{name}, {x:+.1f} deviations", lambda g, s=s, x=x: smiles(pick(by[g], s), x))
        for name, s in (("week", WEEK), ("month", MONTH))
        for x in (-2.0, -1.0, 0.5, 1.0, 1.5)
    ]
    skews = [(f"{n}: skew, −1 less +1", lambda g, s=s: skew(s, g)) for n, s in (("week", WEEK), ("month", MONTH))]
    tell("IV over IV at the money", [*rows, *skews])


def term_page(boards: Sequence[Board]) -> None:
    found = terms(boards)
    figure, axes = panels("medians and quartiles", "every expiry of every page")
    for group in ("NIFTY June 2019", "NIFTY 2025", "made NIFTY"):
        points = found[group]
        line(axes[0], group, ((sum(s) / 2, [r for d, r in points if s[0] <= d < s[1]]) for s in SPANS))
        axes[1].plot(*zip(*points, strict=True), "o", color=INK[group], ms=3, alpha=0.35)
    for axis in axes:
        axis.set(xlabel="days to expiry", ylabel="IV at the money / that of the month", xlim=(0, 60), ylim=(0.7, 1.5))
    save(figure, "term")
    rows = []
    for low, high in SPANS[1:5]:
        real, made = (np.median([r for d, r in found[g] if low <= d < high]) for g in ("NIFTY 2025", "made NIFTY"))
        rows.append((f"{low:.0f}-{high:.0f} days", (real,), made))
    tell_pairs("IV at the money over that of the monthly nearest to 30 days", rows)


def standard(sessions: Iterable[np.ndarray]) -> np.ndarray:
    return np.concatenate([r / r.std() for r in sessions])


def return_page() -> None:
    real, made = daily_real(), daily_made()
    fast, seconds, quick = minutes_real(), minutes_2022(), minutes_made()
    counts = (len(real.returns), len(fast.sessions), len(seconds.sessions), len(quick.sessions))
    print("\nSessions by the day, by the minute in 2024, in 2022 and made:", *counts)
    figure, axes = panels("days", "minutes, each over its session's deviation", "variance by half hour")
    pooled = np.concatenate([one.returns / one.returns.std() for one in made])
    pairs = ((real.returns / real.returns.std(), pooled), (standard(fast.sessions), standard(quick.sessions)))
    for axis, pair in zip(axes, pairs, strict=False):
        for z, group in zip(pair, ("NIFTY 2025", "made NIFTY"), strict=True):
            kept = np.sort(np.abs(z))
            name = "real" if group == "NIFTY 2025" else "made"
            axis.plot(kept, 1 - np.arange(len(kept)) / len(kept), color=INK[group], lw=1.8, label=name)
        x = np.linspace(0, 4.5, 90)
        axis.plot(x, [erfc(v / sqrt(2)) for v in x], ":", color="#888888", label="normal")
        axis.set(yscale="log", ylim=(1e-4, 1), xlim=(0, 8), xlabel="deviations", ylabel="share of moves beyond")
    for kind, group in ((fast, "NIFTY 2025"), (quick, "made NIFTY")):
        axes[2].plot(range(1, 14), profile(kind), "o-", color=INK[group], ms=4)
    axes[2].set(xlabel="half hour of the session (the last is a quarter)", ylabel="share of the session's variance")
    save(figure, "returns")
    rows = [(name, (f(real.returns),), np.mean([f(one.returns) for one in made])) for name, f in DAILY.items()]
    tell_pairs("Daily log returns (closes)", rows)
    rows = [(name, (f(fast), f(seconds)), f(quick)) for name, f in MINUTE.items()]
    tell_pairs("Minutes", rows, ("2024", "2022, 6 sessions"))
    volatility_page(real, made)


def profile(minutes: Minutes) -> np.ndarray:
    sums = np.array([[(r[i : i + 30] ** 2).sum() for i in range(0, 375, 30)] for r in minutes.sessions])
    shares = sums / sums.sum(axis=1, keepdims=True)
    return shares.mean(axis=0)


DAILY: dict[str, Callable[[np.ndarray], float]] = {
    "deviation × √252": lambda r: r.std() * sqrt(252),
    "excess kurtosis": kurtosis,
    "skewness": lambda r: ((r - r.mean()) ** 3).mean() / r.std() ** 3,
    "lowest 1 %, deviations": lambda r: np.percentile(r, 1) / r.std(),
    "highest 1 %, deviations": lambda r: np.percentile(r, 99) / r.std(),
    "share beyond 3 deviations": lambda r: np.mean(np.abs(r) > 3 * r.std()),
    "20-day realised volatility, 95 % over 5 %": lambda r: np.divide(*np.percentile(realised(r), [95, 5])),
}
MINUTE: dict[str, Callable[[Minutes], float]] = {
    "deviation, bp": lambda m: np.concatenate(m.sessions).std() * 1e4,
    "excess kurtosis within a session": lambda m: kurtosis(standard(m.sessions)),
    "share beyond 4 deviations": lambda m: np.mean(np.abs(standard(m.sessions)) > 4),
    "first half hour, share of variance": lambda m: profile(m)[0],
    "night, share of variance": lambda m: m.nights.var() / (m.nights.var() + np.var([r.sum() for r in m.sessions])),
    "largest minute, %": lambda m: 100 * max(np.abs(r).max() for r in m.sessions),
}


def volatility_page(real: Daily, made: list[Daily]) -> None:
    figure, axes = panels(
        "daily changes of 30-day volatility", "change against the day's return", "volatility over realised"
    )
    for group, name, some in (("NIFTY 2025", "India VIX", [real]), ("made NIFTY", "made", made)):
        changes = np.concatenate([np.diff(np.log(one.volatility)) for one in some])
        returns = np.concatenate([one.returns[1:] for one in some])
        ratio = np.concatenate([one.volatility[19:] / realised(one.returns) for one in some])
        style = {"density": True, "histtype": "step", "color": INK[group], "lw": 1.8}
        axes[0].hist(100 * changes, np.arange(-25, 26, 1), label=name, **style)
        axes[1].plot(100 * returns[:1_600], 100 * changes[:1_600], ".", color=INK[group], ms=3, alpha=0.5)
        axes[2].hist(ratio, np.arange(0.4, 3, 0.05), **style)
    axes[0].set(xlabel="%", ylabel="density")
    axes[1].set(xlabel="return, %", ylabel="change, %", xlim=(-4, 4), ylim=(-30, 30))
    axes[2].set(xlabel="ratio", ylabel="density")
    save(figure, "volatility")
    rows = [(name, (f(real),), np.mean([f(one) for one in made])) for name, f in VOLATILITY.items()]
    tell_pairs("30-day volatility (India VIX; made IV × 1.09)", rows)


def moved(days: int) -> Callable[[Daily], float]:
    return lambda d: 100 * np.std(np.log(d.volatility[days:] / d.volatility[:-days]))


VOLATILITY: dict[str, Callable[[Daily], float]] = {
    "median": lambda d: np.median(d.volatility),
    "deviation of the daily change, %": moved(1),
    "... over 5 sessions": moved(5),
    "... over 20 sessions": moved(20),
    "excess kurtosis of the daily change": lambda d: kurtosis(np.diff(np.log(d.volatility))),
    "largest 1 % of daily rises, %": lambda d: 100 * np.percentile(np.diff(np.log(d.volatility)), 99),
    "correlation with the return": lambda d: np.corrcoef(np.diff(np.log(d.volatility)), d.returns[1:])[0, 1],
    "change on a return of −1 %, %": lambda d: -np.polyfit(d.returns[1:], np.diff(np.log(d.volatility)), 1)[0],
    "highest over lowest in 250 sessions, median": lambda d: np.median(years(d.volatility)),
    "rank, lower quartile": lambda d: np.percentile(ranks(d.volatility), 25),
    "rank, median": lambda d: np.median(ranks(d.volatility)),
    "rank, upper quartile": lambda d: np.percentile(ranks(d.volatility), 75),
    "sessions of rank 0.5 and more, share": lambda d: np.mean(ranks(d.volatility) >= 0.5),
    "over realised, lower quartile": lambda d: np.percentile(d.volatility[19:] / realised(d.returns), 25),
    "over realised, median": lambda d: np.median(d.volatility[19:] / realised(d.returns)),
    "over realised, upper quartile": lambda d: np.percentile(d.volatility[19:] / realised(d.returns), 75),
    "less realised, median, points": lambda d: 100 * np.median(d.volatility[19:] - realised(d.returns)),
}


def main() -> None:
    near, june = "nse_chain_2018_10_to_2019_04/{}_near_expiry.parquet", "nse_chain_multi_expiry_2019_06/NIFTY.parquet"
    sources = (
        *(boards_2019(f"{symbol} 2018-19", near.format(symbol)) for symbol in ("NIFTY", "BANKNIFTY")),
        boards_2019("NIFTY June 2019", june),
        boards_2025(),
        boards_made(),
    )
    by = defaultdict(list)
    for one in (one for source in sources for one in source if one is not None):
        by[one.group].append(one)
    print("Pages:", ", ".join(f"{group} {len(boards)}" for group, boards in by.items()))
    vix = india_vix()
    for group in COMPARED + REAL[2:3]:
        months = [b.atm / vix[b.at.date()] for b in by[group] if b.is_monthly and 20 <= b.days <= 45]
        print(f"IV at the money of the month over India VIX, {group}: {said(months)}")
    spread_page(by)
    size_page(by)
    smile_page(by)
    term_page([b for boards in by.values() for b in boards])
    return_page()


if __name__ == "__main__":
    main()
