"""The feed-quality report of a day: read from the books, and told as text."""

import datetime

from participant.core.feed_report import FeedReport, Quality, Span, feed_report
from participant.core.providers import FeedStatus
from participant.core.wording import percent
from participant.operate.view import clock
from participant.ports import Store
from participant.wire.json import decode

HEAD = (
    "provider", "coverage", "active s", "quarantined s", "down s", "instants", "ticks", "gaps", "duplicates", "late",
    "refused or in doubt", "ahead", "still", "outvoted", "dropped unread",
    "latency ms: median, 99 %, longest",
)  # fmt: skip


def feeds_of(books: Store, day: datetime.date) -> FeedReport | None:
    """The report of a closed day; None where none was kept."""
    row = books.get("feeds", str(day))
    return feed_report(decode(row.value, FeedStatus)) if row else None


def row(one: Quality) -> tuple[str, ...]:
    """A provider's figures, in the order of HEAD."""
    count = one.counted
    seconds = (f"{s:,.0f}" for s in (one.active_s, one.quarantined_s, one.down_s))
    counts = (count.marks, count.ticks, count.gaps, count.duplicates, count.late, count.odd, count.ahead)
    faults = (one.still, one.outvoted)
    delays = " · ".join(f"{ms:,.1f}" for ms in one.latency_ms) if any(one.latency_ms) else "no delay"
    figures = (f"{n:,}" for n in (*counts, *faults))
    return one.provider, percent(one.coverage), *seconds, *figures, _dropped(one), delays


def _dropped(one: Quality) -> str:
    """How many messages and rows, and of more than none which."""
    total = f"{sum(one.dropped.values()):,}"
    return f"{total} ({' · '.join(f'{why} {n:,}' for why, n in one.dropped.items())})" if one.dropped else total


def lines(report: FeedReport) -> list[str]:
    """The report for a terminal: a line a provider and figure that is not nought, and who was believed when."""
    text = [f"Feeds from {clock(report.begin)} to {clock(report.end)}: {_switches(report)}"]
    for one in report.providers:
        figures = [(name, value) for name, value in zip(HEAD, row(one), strict=True) if value != "0"]
        text.append(f"  {one.provider:<6} {', '.join(f'{name} {value}' for name, value in figures[1:])}")
    text += [f"  {when(span)}  {span.what}: {span.reason}" for span in report.believed]
    return text


def when(span: Span) -> str:
    """From when until when."""
    return f"{clock(span.begin)} to {clock(span.end)}"


def _switches(report: FeedReport) -> str:
    held = sum(report.held.values())
    parts = [f"{report.switches} switches", f"nobody believed for {report.nobody_s:,.0f} s"]
    return ", ".join([*parts, f"{held:,} states kept back, {report.hidden:,} quotes left out"])
