"""The live terminal view of a day, and the plain lines that stand in for it where there is no terminal."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from types import TracebackType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from participant.core.breaker import Level
from participant.core.decision import Action, Decision
from participant.core.session import Session
from participant.core.wording import at_price, percent, rupees
from participant.operate.screen import Screen

IST = timezone(timedelta(hours=5, minutes=30), "IST")
PLAIN_EVERY_NS = 30 * 60 * 1_000_000_000
COLOURS = {Level.CLOSED: "green", Level.REDUCE_ONLY: "yellow", Level.OPEN: "red"}
ACTIONS = {"open": "bold green", "close": "bold magenta", "maintain": "dim"}


class TerminalView:
    """Draws each look over the one before."""

    def __init__(self, session: Session, console: Console) -> None:
        self.session, self.console = session, console
        self.live = Live(console=console, auto_refresh=False)

    def __enter__(self) -> "TerminalView":
        self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.live.stop()

    def show(self, screen: Screen, news: list[Decision]) -> None:
        """Draw the day as it stands."""
        self.live.update(frame(screen, self.session), refresh=True)

    def say(self, text: str) -> None:
        """Put a line above the picture, to stay."""
        self.live.console.print(text, markup=False, highlight=False)


class PlainView:
    """Writes a line for each decision that is not `maintain`, and one each half hour of the market's time."""

    def __init__(self, session: Session, write: Callable[[str], object]) -> None:
        self.session, self.write = session, write
        self.told_at = 0

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        pass

    def show(self, screen: Screen, news: list[Decision]) -> None:
        """Write what is new."""
        for decision in news:
            if decision.action is not Action.MAINTAIN or decision.outcome != "decided":
                self.say(f"{clock(decision.decided_for)} {decision.scrip} {decision.action}: {decision.reason}")
        if screen.at - self.told_at >= PLAIN_EVERY_NS:
            self.told_at = screen.at
            counts = ", ".join(f"{n} {name}" for name, n in sorted(screen.decisions.items()))
            self.say(f"{clock(screen.at)} {percent(progress(screen, self.session))} of the session; decisions: {counts}")

    def say(self, text: str) -> None:
        """Write one line."""
        self.write(text + "\n")


def view(session: Session, *, is_quiet: bool) -> TerminalView | PlainView:
    """The view that suits where the output goes."""
    if is_quiet:
        return PlainView(session, lambda _: None)
    console = Console()
    return TerminalView(session, console) if console.is_terminal else PlainView(session, sys.stdout.write)


def clock(at: int) -> str:
    """The time of day in India: `09:31:00`."""
    return datetime.fromtimestamp(at / 1e9, UTC).astimezone(IST).strftime("%H:%M:%S")


def progress(screen: Screen, session: Session) -> float:
    """How much of the session is over, from 0 to 1."""
    whole = session.close_at - session.open_at
    return min(1.0, max(0.0, (screen.at - session.open_at) / whole))


def frame(screen: Screen, session: Session) -> RenderableType:
    """The whole picture."""
    done = progress(screen, session)
    head = Table.grid(padding=(0, 2))
    now = clock(screen.at) if screen.at else "--:--:--"
    level = Text(f"breaker {screen.breaker.name.replace('_', ' ')}", style=COLOURS[screen.breaker])
    result = Text(rupees(screen.result), style="green" if screen.result >= 0 else "red")
    head.add_row(
        Text(f"{screen.day}  {now} IST", style="bold"),
        ProgressBar(total=1.0, completed=done, width=30),
        percent(done),
        level,
        Text.assemble("day ", result),
    )
    parts = [head, _scrips(screen), _state(screen)]
    if screen.breaker is not Level.CLOSED:
        parts.append(Text(f"breaker: {screen.breaker_why}", style="yellow"))
    for ticket in [t for t in screen.tickets if not t.is_closed][-5:]:
        parts.append(Text(f"TICKET {ticket.ticket_id[:8]} {ticket.title}: {ticket.detail}", style="bold red"))
    return Panel(Group(*parts), title="participant · paper", border_style="blue")


def _scrips(screen: Screen) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, header_style="bold")
    for name, justify in (("scrip", "left"), ("spot", "right"), ("IV rank", "right"), ("holds", "left"), ("", "left")):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("last decision", ratio=1)
    for line in screen.scrips:
        rank = percent(line.iv_rank) if line.iv_rank is not None else "?"
        action = Text(line.action, style=ACTIONS.get(line.action, ""))
        said = Text(f"{clock(line.decided_for)} {line.said}") if line.decided_for else Text(line.said)
        table.add_row(line.symbol, at_price(line.spot), rank, line.holds.replace(", ", "\n"), action, said)
    return table


def _state(screen: Screen) -> Table:
    table = Table.grid(padding=(0, 2), expand=False)
    feeds = screen.feeds
    believed = feeds.belief.provider or "nobody" if feeds else "nobody"
    well = ", ".join(feeds.well) if feeds else "-"
    changes = max(0, len(feeds.changes) - 1) if feeds else 0
    rows = {
        "feeds": f"provider {believed} is believed; well: {well or 'none'}; changes: {changes}",
        "queues": ", ".join(f"{name} {count}" for name, count in screen.queues.items()),
        "decisions": _counts(screen.decisions),
        "orders": f"{_counts(screen.orders)}; fills {screen.fills}, charges {rupees(screen.charges)}",
    }
    for name, text in rows.items():
        table.add_row(Text(name, style="bold"), text)
    return table


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "none"
