"""What charts of a page that stands alone are drawn on: inline SVG by matplotlib (the extra `sheet`).

The same input gives the same bytes. Colours are those of Okabe and Ito, which people with colour blindness tell apart.
"""

import datetime
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from participant.core.session import EPOCH_ORDINAL
from participant.history.pages import BadData

BLUE, ORANGE, GREEN, RED, PURPLE, SKY, GREY = (
    "#0072B2", "#D98200", "#009E73", "#C0392B", "#9B5C8F", "#56B4E9", "#6B7280",
)  # fmt: skip
WIDTH_IN, SIZE = 10.4, 10
STYLE: Mapping[str, Any] = {
    "svg.fonttype": "none", "svg.hashsalt": "participant", "font.size": SIZE, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#9AA3AF", "axes.grid": True, "grid.color": "#E5E9EE",
    "axes.titlesize": SIZE + 1, "axes.titlelocation": "left", "axes.titleweight": "bold", "legend.frameon": False,
    "legend.fontsize": SIZE, "axes.axisbelow": True, "xtick.color": "#4B5563", "ytick.color": "#4B5563",
}  # fmt: skip


class Canvas:
    """A figure under way, and its axes from top to bottom."""

    def __init__(self, figure: Any, axes: Sequence[Any]) -> None:
        self.figure, self.axes = figure, axes

    def svg(self) -> str:
        """The figure as an `svg` element that takes the width of the page."""
        out = io.StringIO()
        self.figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
        text = out.getvalue()
        text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
        text = re.sub(r'<g id="[^"]*"', "<g", text)  # ids that several charts of one page would share
        return re.sub(r'<svg [^>]*?viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" role="img">', text, count=1)


@contextmanager
def canvas(rows: int, height: float, ratios: Sequence[int] = (), *, is_dated: bool = True) -> Iterator[Canvas]:
    """A figure of so many rows and inches in the house's style; its days are those of `day_numbers`."""
    try:
        mpl, dates, figures = (import_module(f"matplotlib{name}") for name in ("", ".dates", ".figure"))
    except ImportError:
        raise BadData("the charts need matplotlib: pip install 'participant[sheet]'") from None
    with mpl.rc_context(dict(STYLE)):
        figure = figures.Figure(figsize=(WIDTH_IN, height), layout="constrained")
        grid = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=ratios or [1] * rows)
        for axes in grid[:, 0] if is_dated else ():
            locator = dates.AutoDateLocator(maxticks=9)
            axes.xaxis.set_major_locator(locator)
            axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
        yield Canvas(figure, list(grid[:, 0]))


def day_numbers(days: Sequence[str]) -> list[int]:
    """Days as an axis counts them: from 1970 on."""
    return [datetime.date.fromisoformat(day).toordinal() - EPOCH_ORDINAL for day in days]


def legend(axes: Any) -> None:
    """Beside the title, where no line runs through it."""
    names = axes.get_legend_handles_labels()[1]
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.98), ncols=len(names), columnspacing=1.4, borderaxespad=0)
