"""The feeds' part of the day's page: a table, and a plot of who was believed when, as inline SVG."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from participant.core.feed_report import FeedReport, Span
from participant.operate.feeds import HEAD, row, when
from participant.operate.view import clock

INKS = {"active": "#1b7f4d", "warm": "#cfe3d8", "quarantined": "#d98a1f", "down": "#b3261e", "nobody": "#b3261e"}
WIDTH, LEFT, LANE, BAR, TICKS, LABEL = 1000, 96, 34, 18, 6, 40


def feeds_section(report: FeedReport) -> str:
    """The section."""
    held = sum(report.held.values())
    kept = f"{report.switches} switches; {held:,} states kept back and {report.hidden:,} quotes left out, in doubt"
    figures = [*zip(HEAD, *map(row, report.providers), strict=True)]  # a line a figure: there are more than providers
    said = [(when(span), span.what, span.reason) for span in report.believed]
    return (
        f"<section><h2>Feeds: who was believed when</h2>{timeline(report)}<p class=soft>{kept}</p>"
        f"{_rows(figures[0], figures[1:])}{_rows(('when', 'believed', 'why'), said)}</section>"
    )


def _rows(head: Iterable[str], body: Iterable[Sequence[str]]) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in head)
    lines = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>" for cells in body)
    return f"<table><tr>{names}</tr>{lines}</table>"


def timeline(report: FeedReport) -> str:
    """A lane a provider with its states, and above them who was believed; a switch is a line through all lanes."""
    lanes: list[tuple[str, Sequence[Span]]] = [("believed", report.believed)]
    lanes += [(one.provider, one.states) for one in report.providers]
    high = 26 + LANE * len(lanes)
    drawn = [mark for i, (name, spans) in enumerate(lanes) for mark in _lane(report, 8 + i * LANE, name, spans)]
    for span in report.believed[1:]:
        x = _x(report, span.begin)
        drawn.append(f"<line x1={x:.1f} x2={x:.1f} y1=4 y2={high - 22} stroke=#1d2733 stroke-dasharray=3 />")
    for i in range(TICKS + 1):
        at = report.begin + (report.end - report.begin) * i // TICKS
        anchor = "start" if i == 0 else "end" if i == TICKS else "middle"
        drawn.append(f"<text x={_x(report, at):.1f} y={high - 4} text-anchor={anchor} class=soft>{clock(at)}</text>")
    keys = "".join(
        f"<span class=soft style='margin-right:14px'><b style='color:{INKS[name]}'>&#9632;</b> {name}</span>"
        for name in ("active", "warm", "quarantined", "down")
    )
    label = "who was believed when"
    return f"<svg viewBox='0 0 {WIDTH} {high}' width=100% role=img aria-label='{label}'>{''.join(drawn)}</svg>{keys}"


def _lane(report: FeedReport, y: int, name: str, spans: Sequence[Span]) -> Iterator[str]:
    yield f"<text x=0 y={y + BAR - 4}>{escape(name)}</text>"
    for span in spans:
        x = _x(report, span.begin)
        wide, ink = max(1.5, _x(report, span.end) - x), INKS.get(span.what, INKS["active"])
        title = f"<title>{escape(f'{span.what}, {when(span)}: {span.reason}')}</title>"
        yield f"<rect x={x:.1f} y={y} width={wide:.1f} height={BAR} rx=2 fill='{ink}'>{title}</rect>"
        if name == "believed" and wide > LABEL:
            yield f"<text x={x + 6:.1f} y={y + BAR - 5} style='fill:#fff'>{escape(span.what)}</text>"


def _x(report: FeedReport, at: int) -> float:
    """Where a time lies on the plot."""
    return LEFT + (WIDTH - LEFT - 10) * min(1.0, max(0.0, (at - report.begin) / max(1, report.end - report.begin)))
