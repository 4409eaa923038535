"""The charts of a tear sheet: lines differ in their dashes as well, so that a sheet printed in grey can be read."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import isnan
from typing import Any

from participant.core.session import DAY_S, IST_S, SECOND
from participant.research.canvas import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, canvas, day_numbers, legend
from participant.research.outcomes import Written, expiry_of, strike_of
from participant.research.sheet import GREEKS, SERIES, Mark, Sheet

INKS: Mapping[str, Mapping[str, Any]] = {
    "worth": {"color": BLUE, "linewidth": 2.0},
    "cover_alone": {"color": ORANGE, "linewidth": 1.5, "linestyle": (0, (5, 2))},
    "overwrite": {"color": GREEN, "linewidth": 1.5, "linestyle": (0, (1, 1.2))},
}
SIGNS: Mapping[str, Mapping[str, Any]] = {
    "open": {"marker": "^", "color": GREEN},
    "close": {"marker": "v", "color": RED},
    "roll": {"marker": "D", "color": PURPLE},
    "expired": {"marker": "x", "color": "#111827"},
    "delivered": {"marker": "s", "color": "#111827"},
    "refusal": {"marker": "|", "color": GREY},
}
MONTHS_MIN = 7  # a bar is no wider for there being few
CRORE, LAKH = 1e9, 1e7  # in paise


def equity(sheet: Sheet) -> str:
    """What a rupee of each series has become, and how far each lies under its best close."""
    with canvas(2, 4.9, (2, 1)) as page:
        above, below = page.axes
        days = day_numbers(sheet.days)
        for name, rs in sheet.returns.items():
            grown = list(accumulate((1 + r for r in rs), lambda a, b: a * b, initial=1.0))[-len(days) :]
            above.plot(days, [100 * (g - 1) for g in grown], label=SERIES[name], **INKS[name])
            peaks = list(accumulate(grown, max, initial=1.0))[1:]
            falls = [100 * (g / peak - 1) for g, peak in zip(grown, peaks, strict=True)]
            below.plot(days, falls, **INKS[name])
            if name == "worth":
                below.fill_between(days, falls, color=BLUE, alpha=0.12, linewidth=0)
        above.axhline(0, color=GREY, linewidth=0.8)
        above.set_title("Gain since the beginning, %")
        below.set_title("Below the best close, %")
        legend(above)
        return page.svg()


def exposure(sheet: Sheet) -> str:
    """The cover held and the margin in use, as shares of the book."""
    with canvas(1, 2.5) as page:
        (axes,), days = page.axes, day_numbers(sheet.days)
        margin = [100 * row["margin"] / row["worth"] for row in sheet.whole]
        axes.step(days, [100 * share for share in sheet.exposure], where="post", color=BLUE, label="cover at spot")
        axes.step(days, margin, where="post", color=ORANGE, linestyle=(0, (5, 2)), label="margin in use")
        axes.set_ylim(bottom=0)
        axes.set_title("Exposure, % of the book")
        legend(axes)
        return page.svg()


def greeks(sheet: Sheet) -> str:
    """Delta, gamma, vega and theta of the whole book at each day's last decisions; gaps where they are not known."""
    with canvas(4, 5.6) as page:
        days = day_numbers(sheet.days)
        titles = ("Delta, ₹ crore", "Gamma, ₹ lakh of delta a 1 % move", "Vega, ₹ lakh a point", "Theta, ₹ lakh a day")
        for axes, name, title in zip(page.axes, GREEKS, titles, strict=True):
            unit = CRORE if name == "delta" else LAKH
            values = [float("nan") if row[name] is None else row[name] / unit for row in sheet.whole]
            axes.plot(days, values, color=BLUE, linewidth=1.4, marker=".", markersize=3)
            axes.axhline(0, color=GREY, linewidth=0.8)
            axes.set_ylim(*_usual(values))
            axes.set_title(title)
        return page.svg()


def premium(sheet: Sheet) -> str:
    """What was received for options by their month of expiry, and what it cost to end them."""
    months = sorted({expiry_of(one.contract)[:7] for one in sheet.written})
    with canvas(1, 2.8, is_dated=False) as page:
        (axes,), found = page.axes, {month: [0, 0] for month in months}
        for one in sheet.written:
            mine = found[expiry_of(one.contract)[:7]]
            mine[0] += one.received
            mine[1] += one.paid_back
        taken, given = ([of[i] / LAKH for of in found.values()] for i in (0, 1))
        axes.bar(months, taken, width=0.55, color=GREEN, label="received")
        axes.bar(months, [-g for g in given], width=0.55, color=RED, hatch="//", edgecolor="white", label="paid back")
        kept = [t - g for t, g in zip(taken, given, strict=True)]
        axes.plot(months, kept, color="#111827", marker="o", linewidth=1, label="kept")
        axes.axhline(0, color=GREY, linewidth=0.8)
        axes.set_xlim(-0.6, max(len(months), MONTHS_MIN) - 0.4)
        axes.set_title("Premium by month of expiry, ₹ lakh")
        legend(axes)
        axes.margins(y=0.1)
        return page.svg()


def decisions(sheet: Sheet, scrip: str) -> str:
    """The underlying at every decision, each call from its sale to its end at its strike, and what was decided."""
    with canvas(1, 3.9) as page:
        (axes,) = page.axes
        seen = [(_at(row["at"]), row["spot"] / 1e4) for row in sheet.decisions if row["scrip"] == scrip and row["spot"]]
        axes.plot(*zip(*seen, strict=True), color="#374151", linewidth=1, label="underlying") if seen else None
        mine = [one for one in sheet.written if one.scrip == scrip]
        for i, one in enumerate(mine):
            _strike(axes, one, sheet.days[-1], is_named=i == 0)
        low = min((spot for _, spot in seen), default=0)
        for kind, ink in SIGNS.items():
            _put(axes, [mark for mark in sheet.marks(scrip) if mark.kind == kind], low, kind, ink)
        axes.set_title(scrip)
        legend(axes)
        axes.margins(y=0.08)
        return page.svg()


def _usual(values: Sequence[float]) -> tuple[float, float]:
    """An axis on which the usual can be seen: what is beyond it in one day of fifty runs out of the picture."""
    known = sorted(value for value in values if not isnan(value)) or [0.0]
    cut = len(known) // 50
    low, high = min(0.0, known[cut]), max(0.0, known[-1 - cut])
    room = 0.15 * (high - low) or 1.0
    return low - room, high + room


def _strike(axes: Any, one: Written, last: str, *, is_named: bool) -> None:
    ends = day_numbers([one.since, one.until or last])
    level = strike_of(one.contract)
    label = "call sold, at its strike" if is_named else None
    axes.plot(ends, [level, level], color=SKY, linewidth=2.4, solid_capstyle="butt", alpha=0.8, label=label)


def _put(axes: Any, marks: Sequence[Mark], low: float, kind: str, ink: Mapping[str, Any]) -> None:
    """One kind of marks; refusals stand in a row under the price."""
    if marks:
        levels = [mark.level or low * 0.985 for mark in marks]
        label = {"expired": "expiry", "delivered": "delivery"}.get(kind, kind)
        axes.scatter(
            day_numbers([mark.day for mark in marks]), levels, s=36, zorder=3, label=label, linewidths=1.3, **ink
        )


def _at(at: int) -> float:
    """An instant (ns UTC) on that axis, in the time of India."""
    return (at / SECOND + IST_S) / DAY_S
