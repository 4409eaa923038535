"""The data-quality report as one page that stands alone, and in short for a terminal."""

from collections.abc import Iterator
from html import escape

from participant.core.wording import counted
from participant.research import quality_charts as charts
from participant.research.page_parts import bullets, paragraph, section, table, whole_page
from participant.research.quality_figures import WORST, QualityFigures, ScripQuality

SCRIPS_TOLD, WORST_TOLD = 60, 40
QUOTES = (
    "scrip", "days", "pages a day", "quotes", "rows apart", "spread", "one-sided", "crossed", "parity, bp", "IV out",
    "still", "longest",
)  # fmt: skip
SETTLED = (
    "scrip", "none", "missing", "gaps", "longest", "no close", "unpriced", "modelled", "by parity", "by basis",
    "error, bp",
)  # fmt: skip
QUOTES_SAID = (
    "Near the money is within 3 % of spot. The spread is the median share of the middle; parity is how far the forward "
    "of one strike lies from that of its page, nine in ten no further; a volatility is out of line if it is more than "
    "2 points and 15 % from the strikes beside it; still is the share of quotes near the money that are as on the page "
    "before, longest how long one of them was."
)
SETTLED_SAID = (
    "None counts days of which nothing can be used, missing the sessions between the first and the last day, a gap a "
    "wait of more than twice the day's usual one, longest the longest wait. No close and unpriced: days without an "
    "official close, and listed futures without an official price. Modelled: the share of pages whose quotes are a "
    "model's. Every future of recorded days is derived, by parity or from an earlier basis: on how many days the "
    "nearest one by which, and how far from the official close."
)
SHORT = {
    "scrip": 12, "days": 5, "none": 5, "miss": 5, "quotes": 11, "apart": 8, "spread": 8, "1-side": 8, "bp": 6,
    "IV out": 8, "still": 7, "gaps": 6,
}  # fmt: skip


def page(of: QualityFigures) -> str:
    """The whole page."""
    totals, names = of.totals, list(of.by_scrip)
    days = sorted(day.day for day in of.of.days)
    span = f"{days[0]} to {days[-1]}" if days else "no days"
    title = f"Data quality: {', '.join(names[:4])}{' ...' if len(names) > 4 else ''}"
    body = [
        f"<header><h1>{escape(title)}</h1><span class=soft>{span} · {counted(totals['scrip days'], 'day')} of "
        f"{counted(len(names), 'scrip')} that can be traded on</span></header>",
        _cards(of),
        section("What to know first", bullets(of.sentences() or ["nothing stands out"])),
        section("Coverage", charts.coverage(of), _more(len(names), charts.SCRIPS_SHOWN)),
        _apart(of),
        section("Spreads", charts.spreads(of), _more(len(names), charts.LINES_SHOWN)),
        section("Do the prices agree with each other", charts.consistency(of)),
        section("Stale quotes and gaps", charts.stillness(of) or paragraph("one page a day: nothing to compare")),
        section("Quotes, scrip by scrip", table(QUOTES, list(map(_quotes, of.scrips[:SCRIPS_TOLD]))),
                _more(len(names), SCRIPS_TOLD), paragraph(QUOTES_SAID)),
        section("What is missing, modelled or derived", table(SETTLED, list(map(_settled, of.scrips[:SCRIPS_TOLD]))),
                paragraph(SETTLED_SAID)),
        section("Days to look at", _worst(of)),
    ]  # fmt: skip
    return whole_page(escape(title), body)


def summary(of: QualityFigures) -> Iterator[str]:
    """The same in short: the totals, what to know first, a line a scrip, the days to look at."""
    totals = of.totals
    yield ", ".join(f"{number:,} {name}" for name, number in totals.items())
    yield from of.sentences()
    yield ""
    yield _line(*SHORT)
    for one in of.scrips[:SCRIPS_TOLD]:
        shares = (_share(one.apart), _share(one.spread), _share(one.one_sided), _bp(one.residual_bp))
        counts = (one.symbol, one.days, one.days_without, one.sessions_missing, f"{one.quotes:,}")
        yield _line(*counts, *shares, _share(one.volatilities_out), _share(one.still), one.gaps)
    yield from (f"{what}: {reason} {count:,}" for what, reason, count in of.reasons[:WORST])
    yield from (f"look at {day.symbol} on {day.day}: {why}" for day, why in of.worst[:WORST])


def _line(name: str, *cells: object) -> str:
    """Cells in columns, the first to the left."""
    wide, *widths = SHORT.values()
    return name.ljust(wide) + "".join(str(cell).rjust(width) for cell, width in zip(cells, widths, strict=True))


def _cards(of: QualityFigures) -> str:
    totals = of.totals
    apart = totals["rows kept apart"] / totals["rows"] if totals["rows"] else 0.0
    cells = [
        (
            f"{totals['scrip days']:,}",
            f"days of {counted(totals['scrips'], 'scrip')}, on {counted(totals['days'], 'trading day')}",
        ),
        (f"{totals['quotes']:,}", f"quotes on {totals['pages']:,} pages"),
        (f"{apart:.1%}", f"of {totals['rows']:,} rows kept apart; {totals['quotes emptied']:,} quotes emptied"),
        (f"{totals['sessions missing']:,}", "sessions missing between a scrip's first and last day"),
    ]
    found = "".join(f"<div class=card><b>{b}</b><span>{escape(text)}</span></div>" for b, text in cells)
    return f"<div class=cards>{found}</div>"


def _apart(of: QualityFigures) -> str:
    if not of.reasons:
        return section("What is kept apart", paragraph("nothing"))
    said = "Rows of whole pages in blue, single quotes in orange; on a scale of powers of ten."
    return section("What is kept apart, and why", charts.reasons(of), paragraph(said))


def _quotes(one: ScripQuality) -> list[str]:
    shares = map(_share, (one.apart, one.spread, one.one_sided, one.crossed))
    return [
        escape(one.symbol), f"{one.days:,}", f"{one.pages_a_day:g}", f"{one.quotes:,}", *shares, _bp(one.residual_bp),
        _share(one.volatilities_out), _share(one.still), _minutes(one.still_longest_s),
    ]  # fmt: skip


def _settled(one: ScripQuality) -> list[str]:
    return [
        escape(one.symbol), f"{one.days_without:,}", f"{one.sessions_missing:,}", f"{one.gaps:,}",
        _minutes(one.wait_longest_s), f"{one.without_close:,}", f"{one.unpriced:,}", _share(one.modelled),
        f"{one.futures_by_parity:,}", f"{one.futures_by_basis:,}", _bp(one.future_error_bp),
    ]  # fmt: skip


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min"


def _worst(of: QualityFigures) -> str:
    if not of.worst:
        return paragraph("none")
    rows = [[str(day.day), escape(day.symbol), escape(why)] for day, why in of.worst[:WORST_TOLD]]
    return table(["day", "scrip", "why"], rows, texts=3) + _more(len(of.worst), WORST_TOLD)


def _more(there: int, shown: int) -> str:
    return paragraph(f"{there - shown:,} more are not shown; --json has them all.") if there > shown else ""


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.1%}"


def _bp(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
