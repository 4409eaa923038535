"""The live terminal view of a day, and the plain lines that stand in for it where there is no terminal."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
from participant.operate.screen import Screen, ScripLine

IST = timezone(timedelta(hours=5, minutes=30), "IST")
PLAIN_EVERY_NS = 30 * 60 * 1_000_000_000
DEEDS_MAX = 4
TICKETS_MAX = 5
COLOURS = {Level.CLOSED: "green", Level.REDUCE_ONLY: "yellow", Level.OPEN: "red"}
ACTIONS = {"open": "bold green", "close": "bold magenta", "maintain": "cyan"}


class TerminalView:
    """Draws each look over the one before; the last decisions that asked for orders stay in sight."""

    def __init__(self, session: Session, console: Console) -> None:
        self.session, self.console = session, console
        self.live = Live(console=console, auto_refresh=False)
        self.deeds: deque[Decision] = deque(maxlen=DEEDS_MAX)

    def __enter__(self) -> "TerminalView":
        self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def show(self, screen: Screen, news: list[Decision]) -> None:
        """Draw the day as it stands."""
        self.deeds.extend(deeds(news))
        self.live.update(frame(screen, self.session, self.deeds), refresh=True)

    def say(self, text: str) -> None:
        """Put a line above the picture, to stay."""
        self.live.console.print(text, markup=False, highlight=False)


class PlainView:
    """Writes each decision that is not `maintain`, what needs a person, and a line each half hour of market time."""

    def __init__(self, session: Session, write: Callable[[str], object]) -> None:
        self.session, self.write = session, write
        self.told_at = 0
        self.needs: list[str] = []

    def __enter__(self) -> "PlainView":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(self, screen: Screen, news: list[Decision]) -> None:
        """Write what is new."""
        for decision in deeds(news):
            self.say(f"{clock(decision.decided_for)} {decision.scrip} {decision.action}: {decision.reason}")
        before, self.needs = self.needs, [text.plain for text in needs(screen)] if screen.at else []
        for text in self.needs:
            if text not in before:
                self.say(f"{clock(screen.at)} {text}")
        if screen.at - self.told_at >= PLAIN_EVERY_NS:
            self.told_at = screen.at
            done = percent(progress(screen, self.session))
            self.say(f"{clock(screen.at)} {done} of the session; decisions: {_counts(screen.decisions)}")

    def say(self, text: str) -> None:
        """Write one line."""
        self.write(text + "\n")


def view(session: Session, *, is_quiet: bool) -> TerminalView | PlainView:
    """The view that suits where the output goes."""
    if is_quiet:
        return PlainView(session, lambda _: None)
    console = Console()
    return TerminalView(session, console) if console.is_terminal else PlainView(session, sys.stdout.write)


def deeds(news: Iterable[Decision]) -> list[Decision]:
    """The decisions that a person wants to read: those that ask for orders, and those that were not reached."""
    return [d for d in news if d.action is not Action.MAINTAIN or d.outcome != "decided"]


def needs(screen: Screen) -> list[Text]:
    """What a person must know or do: that nothing is sent, why the breaker is not closed, the newest open tickets."""
    lines = [Text(screen.shadow, "bold yellow")] if screen.shadow else []
    if screen.breaker is not Level.CLOSED:
        level = screen.breaker.name.replace("_", " ")
        lines.append(Text(f"breaker {level}: {screen.breaker_why}", COLOURS[screen.breaker]))
    lines += [Text(f"quiet channel {name}: {why}", "bold red") for name, why in screen.quiet.items()]
    tickets = [t for t in screen.tickets if not t.is_closed][-TICKETS_MAX:]
    return lines + [Text(f"TICKET {t.ticket_id[:8]} {t.title}: {t.detail}", "bold red") for t in tickets]


def clock(at: int) -> str:
    """The time of day in India: `09:31:00`."""
    return datetime.fromtimestamp(at / 1e9, UTC).astimezone(IST).strftime("%H:%M:%S")


def progress(screen: Screen, session: Session) -> float:
    """How much of the session is over, from 0 to 1."""
    whole = session.close_at - session.open_at
    return min(1.0, max(0.0, (screen.at - session.open_at) / whole))


def frame(screen: Screen, session: Session, done: Sequence[Decision] = ()) -> RenderableType:
    """The whole picture: time and money, what needs a person, the scrips, what was done, the machinery.

    What needs a person stands first: on a small terminal the end of the picture is cut off.
    """
    parts: list[RenderableType] = [_head(screen, progress(screen, session))]
    person = needs(screen)
    if person:
        parts.append(Group(*person))
    parts.append(_scrips(screen.scrips))
    if done:
        parts.append(_done(done))
    parts.append(_state(screen))
    spaced = [part for one in parts for part in (one, Text(""))][:-1]
    return Panel(Group(*spaced), title="participant · paper", border_style="blue")


def _head(screen: Screen, done: float) -> Table:
    """The time, how far the day is, the breaker and the result: one line, the bar as wide as there is room."""
    head = Table.grid(padding=(0, 2), expand=True)
    for is_bar in (False, True, False, False, False):
        head.add_column(ratio=1 if is_bar else None, no_wrap=True)
    head.add_row(
        Text(f"{screen.day}  {clock(screen.at) if screen.at else '--:--:--'} IST", "bold"),
        ProgressBar(total=1.0, completed=done, complete_style="blue", finished_style="blue"),
        percent(done),
        Text(f"breaker {screen.breaker.name.replace('_', ' ')}", COLOURS[screen.breaker]),
        Text.assemble("result ", (rupees(screen.result), "bold green" if screen.result >= 0 else "bold red")),
    )
    return head


def _scrips(lines: Sequence[ScripLine]) -> Table:
    table = Table(expand=True, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("scrip", "spot", "IV rank", "holds"):
        table.add_column(name, justify="right" if name in {"spot", "IV rank"} else "left", no_wrap=True)
    table.add_column("last decision", ratio=1, overflow="fold")
    for line in lines:
        rank = percent(line.iv_rank) if line.iv_rank is not None else "?"
        at = f"{clock(line.decided_for)} " if line.decided_for else ""
        said = Text.assemble(
            (at, "dim"), (f"{line.action}: " if line.action else "", ACTIONS.get(line.action, "")), line.said
        )
        table.add_row(Text(line.symbol, "bold"), at_price(line.spot), rank, line.holds.replace(", ", "\n"), said)
    return table


def _done(decisions: Sequence[Decision]) -> Table:
    """The last decisions that asked for orders, each in its own sentence."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=True)
    table.add_column(no_wrap=True)
    table.add_column(ratio=1, overflow="fold")
    for decision in decisions:
        head = Text.assemble((f"{clock(decision.decided_for)} ", "dim"), (decision.scrip, "bold"))
        said = Text.assemble((f"{decision.action}: ", ACTIONS.get(decision.action, "")), decision.reason)
        table.add_row(head, said)
    return table


def _state(screen: Screen) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = {
        "feeds": _feeds(screen),
        "queues": ", ".join(f"{name} {count}" for name, count in screen.queues.items()),
        "decisions": _counts(screen.decisions),
        "orders": f"{_counts(screen.orders)}; fills {screen.fills}, charges {rupees(screen.charges)}",
    }
    marked = "; ".join(scrip.not_quoted for scrip in screen.scrips if scrip.marks)
    for name, text in (rows | {"data": marked} if marked else rows).items():
        table.add_row(Text(name, "dim"), text)
    return table


def _feeds(screen: Screen) -> str:
    feeds = screen.feeds
    if feeds is None:
        return "no provider has spoken yet"
    believed = f"provider {feeds.belief.provider} is believed" if feeds.belief.provider else "no provider is believed"
    since = f" since {clock(feeds.belief.since)} ({feeds.belief.reason})" if len(feeds.changes) > 1 else ""
    return f"{believed}{since}; well: {', '.join(feeds.well) or 'none'}"


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items())) or "none"
