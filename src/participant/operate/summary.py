"""The day's summary, as values and as text."""

from msgspec import Struct

from participant.core.breaks import Break
from participant.core.feed_report import FeedReport, feed_report
from participant.core.messages import Ticket
from participant.core.session import day_of
from participant.core.wording import rupees
from participant.operate import feeds
from participant.operate.screen import Screen
from participant.operate.shadow import ShadowDay, did_lines, outside_lines, would_lines
from participant.stages.reconcile import Closed

CHANGES_SHOWN = 8
UNPLAYED = "nothing that is recorded of this day could be played: why stands below, under `of the data`"


class Summary(Struct, frozen=True):
    """How a day went. Money in paise; `restarts` counts the processes that were started again.

    `is_unplayed`: something is recorded of the day, but nothing of it could be played. `shadow`: nothing was sent.
    `watchlist` says which version the day was traded by.
    """

    day: str
    decisions: dict[str, int]
    orders: dict[str, int]
    fills: int
    charges: int
    result: int
    positions: dict[str, str]
    providers: tuple[str, ...]
    breaks: tuple[Break, ...]
    unknown: tuple[str, ...]
    tickets: tuple[Ticket, ...]
    buried: dict[str, int]
    restarts: dict[str, int]
    home: str
    sealed: str
    notes: tuple[str, ...] = ()
    is_unplayed: bool = False
    quiet: dict[str, str] = {}
    shadow: ShadowDay | None = None
    passed_over: dict[str, int] = {}
    watchlist: str = ""
    feeds: FeedReport | None = None

    @property
    def needs_a_person(self) -> bool:
        """Whether something is left that only a person can settle."""
        is_open = any(not t.is_closed for t in self.tickets)
        return bool(self.breaks or self.unknown or self.buried or self.quiet or is_open or self.is_unplayed)


def summarise(
    screen: Screen, closed: Closed, restarts: dict[str, int], where: tuple[str, str], notes: tuple[str, ...] = ()
) -> Summary:
    """Put the day together from its last look and from its reconciliation; `where` is the home and the sealed log."""
    changes = screen.feeds.changes if screen.feeds else ()
    return Summary(
        closed.day,
        screen.decisions,
        screen.orders,
        screen.fills,
        screen.charges,
        screen.result,
        {s.symbol: s.holds for s in screen.scrips},
        tuple(f"{c.provider or 'nobody'}: {c.reason}" for c in changes),
        closed.breaks,
        closed.unknown,
        tuple(t for t in screen.tickets if not t.is_closed or str(day_of(t.at)) == closed.day),
        {name: count for name, count in screen.buried.items() if count},
        {name: count for name, count in restarts.items() if count},
        *where,
        notes,
        quiet=screen.quiet,
        passed_over=screen.passed_over,
        feeds=feed_report(screen.feeds) if screen.feeds and screen.feeds.providers else None,
    )


def lines(summary: Summary) -> list[str]:
    """The summary as lines of text."""
    rows = [
        *([("not played", UNPLAYED)] if summary.is_unplayed else []),
        ("decisions", _counts(summary.decisions)),
        ("states passed over", _counts(summary.passed_over)),
        *(_shadowed(summary.shadow) if summary.shadow else _traded(summary)),
        ("result of the day", f"{rupees(summary.result)} after charges"),
        ("positions", "; ".join(f"{s} {h}" for s, h in summary.positions.items())),
        ("providers", _shortened(summary.providers)),
        *(("feeds" if i == 0 else "", line.strip()) for i, line in enumerate(_feeds(summary))),
        ("breaks with the broker", "; ".join(_break(b) for b in summary.breaks) or "none"),
        ("orders of unknown fate", ", ".join(summary.unknown) or "none"),
        ("tickets", "; ".join(f"{t.ticket_id[:8]} {t.title}" for t in summary.tickets) or "none"),
        ("dead letters", _counts({f"in {name}": count for name, count in summary.buried.items()})),
        ("processes restarted", _counts(summary.restarts)),
        ("decision log", f"{summary.home}/decisions/{summary.day}.jsonl, sealed as {summary.sealed}"),
        ("other logs", f"{summary.home}/logs/"),
        *([("watchlist", summary.watchlist)] if summary.watchlist else []),
        *(("quiet channels", f"{name}: {why}") for name, why in summary.quiet.items()),
        *(("of the data" if i == 0 else "", note) for i, note in enumerate(summary.notes)),
    ]
    width = max(len(name) for name, _ in rows)
    head = f"Summary of {summary.day}{', a shadow: nothing was sent' if summary.shadow else ''}"
    return [head, *(f"  {name:<{width}}  {text}" for name, text in rows)]


def _traded(summary: Summary) -> list[tuple[str, str]]:
    return [
        ("orders", _counts(summary.orders)),
        ("fills", f"{summary.fills}, charges {rupees(summary.charges)}"),
    ]


def _shadowed(day: ShadowDay) -> list[tuple[str, str]]:
    """What would have been done beside what the account did."""
    told = (
        ("would have done", would_lines(day) or ["nothing"]),
        (f"the account ({day.broker}) did", did_lines(day) or ["nothing"]),
        ("not in this market", outside_lines(day)),
    )
    return [(name if i == 0 else "", line) for name, text in told for i, line in enumerate(text)]


def _shortened(changes: tuple[str, ...]) -> str:
    """The first and the last changes of belief; the whole list stands in the summary's JSON."""
    if len(changes) <= CHANGES_SHOWN:
        return " -> ".join(changes) or "none was believed"
    half = CHANGES_SHOWN // 2
    left_out = f"... {len(changes) - 2 * half} more ..."
    return " -> ".join([*changes[:half], left_out, *changes[-half:]])


def _feeds(summary: Summary) -> list[str]:
    """The feed-quality report without who was believed when, which stands above."""
    return feeds.lines(summary.feeds)[: 1 + len(summary.feeds.providers)] if summary.feeds else []


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"


def _break(found: Break) -> str:
    return f"{found.kind} {found.key}: ours {found.ours}, theirs {found.theirs}"
