"""The charts of a data-quality report: coverage, what is kept apart, and each measure through time."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from participant.history.quality import Quality
from participant.research.canvas import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    canvas,
    day_numbers,
    legend,
)  # fmt: skip
from participant.research.quality_figures import QualityFigures

SCRIPS_SHOWN, LINES_SHOWN, REASONS_SHOWN = 30, 6, 14
INKS = (BLUE, ORANGE, GREEN, PURPLE, SKY, RED)
ROW_IN = 0.24
# How much of a day is used, and its colour; what is missing is red.
SHARES = ((0.99, "#2E9E6B", "99 % of its rows or more"), (0.5, "#F2B134", "half or more"), (0.0, "#D98200", "less"))
Measure = Callable[[Quality], float | None]


def coverage(of: QualityFigures) -> str:
    """A square a scrip and day by the share of its rows that is used; missing sessions and unusable days are red."""
    shown = list(of.by_scrip.items())[:SCRIPS_SHOWN]
    with canvas(1, 1.0 + ROW_IN * len(shown)) as page:
        (axes,) = page.axes
        places = {symbol: -i for i, (symbol, _) in enumerate(shown)}
        every = [day for _, days in shown for day in days]
        width = 420 / max(1, len({day.day for day in every}))
        ink = {"marker": "s", "linewidths": 0, "s": min(90.0, max(16.0, width * width / 2))}
        low = 1.01
        for least, colour, label in SHARES:
            mine = [day for day in every if day.pages and least <= _used(day) < low]
            _squares(axes, [(str(day.day), places[day.symbol]) for day in mine], label, {**ink, "color": colour})
            low = least
        lost = [(str(day.day), places[day.symbol]) for day in every if not day.pages and not day.is_shut]
        lost += [(str(day), places[symbol]) for symbol, _ in shown for day in of.of.missing[symbol]]
        _squares(axes, lost, "nothing", {**ink, "color": RED, "marker": "x", "linewidths": 1})
        axes.set_yticks(list(places.values()), list(places))
        axes.set_ylim(-len(shown) + 0.4, 0.6)
        axes.grid(visible=False)
        legend(axes)
        return page.svg()


def reasons(of: QualityFigures) -> str:
    """How often each reason keeps something apart: rows and quotes, on a scale of powers of ten."""
    shown = of.reasons[:REASONS_SHOWN]
    with canvas(1, 0.9 + 0.27 * len(shown), is_dated=False) as page:
        (axes,) = page.axes
        for i, (what, reason, count) in enumerate(shown):
            axes.barh(-i, count, height=0.62, color=BLUE if what == "rows" else ORANGE)
            axes.text(count * 1.08, -i, f"{count:,} {what}", va="center", fontsize=9, color="#374151")
            axes.text(0.9, -i, reason + " ", va="center", ha="right", fontsize=9)
        axes.set_xscale("log")
        axes.set_xlim(0.9, max((count for *_, count in shown), default=1) * 8)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False, axis="y")
        return page.svg()


def spreads(of: QualityFigures) -> str:
    """The median spread near the money, and the share of quotes with one side alone."""
    return _lines(
        of,
        [
            ("Spread within 3 % of spot, % of the middle (median)", lambda day: _percent(day.spread)),
            ("Quotes with one side alone, %", lambda day: _part(day.one_sided, day.quotes)),
        ],
    )


def consistency(of: QualityFigures) -> str:
    """Parity residuals, volatilities out of line and the error of derived futures."""
    return _lines(
        of,
        [
            ("Parity residual, basis points of spot (nine in ten are no larger)", lambda day: day.residual_bp),
            ("Volatilities out of line, %", lambda day: _part(day.volatilities_out, day.volatilities)),
            ("Derived future less official close, basis points", lambda day: day.future_error_bp),
        ],
    )


def stillness(of: QualityFigures) -> str:
    """How long quotes stand, and how long nothing was recorded."""
    return _lines(
        of,
        [
            (
                "Longest that a quote near the money stood still, minutes",
                lambda day: day.still_longest_s / 60 if day.compared else None,
            ),
            ("Longest wait between pages, minutes", lambda day: day.wait_longest_s / 60 or None),
        ],
    )


def _lines(of: QualityFigures, measures: Sequence[tuple[str, Measure]]) -> str:
    """A measure a row, a line a scrip; only those scrips that have most quotes, and measures that say anything."""
    shown = list(of.by_scrip.items())[:LINES_SHOWN]
    measures = [one for one in measures if any(one[1](day) is not None for _, days in shown for day in days)]
    if not measures:
        return ""
    with canvas(len(measures), 0.5 + 1.55 * len(measures)) as page:
        for axes, (title, measure) in zip(page.axes, measures, strict=True):
            for ink, (symbol, days) in zip(INKS, shown, strict=False):
                _line(axes, [(str(day.day), measure(day)) for day in days if day.pages], symbol, ink)
            axes.set_title(title)
            axes.axhline(0, color=GREY, linewidth=0.6)
        lines, names = page.axes[0].get_legend_handles_labels()
        page.figure.legend(lines, names, loc="outside lower center", ncols=LINES_SHOWN)
        return page.svg()


def _line(axes: Any, seen: Sequence[tuple[str, float | None]], label: str, colour: str) -> None:
    """What is known of a measure, day by day."""
    known = [(day, value) for day, value in seen if value is not None]
    if known:
        style = {"color": colour, "linewidth": 1.3, "marker": "o", "markersize": 2.5}
        axes.plot(day_numbers([day for day, _ in known]), [value for _, value in known], label=label, **style)


def _squares(axes: Any, places: Sequence[tuple[str, int]], label: str, ink: Mapping[str, Any]) -> None:
    if places:
        axes.scatter(day_numbers([day for day, _ in places]), [row for _, row in places], label=label, **ink)


def _used(day: Quality) -> float:
    return 1 - day.rows_apart / day.rows if day.rows else 1.0


def _part(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
