"""What a person watches: everything of the running day, read from the books, as plain values."""

import datetime
from collections import Counter
from typing import TypeVar

from msgspec import Struct

from participant.core.books import Fill
from participant.core.breaker import BreakerState, Level
from participant.core.decision import Decision
from participant.core.escalation import Attempt, quiet
from participant.core.market import MarketState
from participant.core.messages import Ticket
from participant.core.order import Order
from participant.core.position import Position
from participant.core.providers import FeedStatus
from participant.links.books import Books, Shadowed, worth
from participant.links.superseded import superseded
from participant.ports import Queue, Store
from participant.wire.json import decode

T = TypeVar("T")


class ScripLine(Struct, frozen=True):
    """One scrip: prices are in 1/10,000 rupee, times ns; `said` is the last decision's sentence."""

    symbol: str
    spot: int
    iv_rank: float | None
    holds: str
    action: str
    said: str
    decided_for: int
    marks: tuple[str, ...] = ()

    @property
    def not_quoted(self) -> str:
        """What of its data no exchange quoted, for a line of text."""
        return f"{self.symbol}: {', '.join(self.marks)}" if self.marks else ""


class Screen(Struct, frozen=True):
    """One look at the day. Money in paise; `quiet` names channels by which the test did not arrive, and why.

    `passed_over` counts the states of each scrip that a newer one took the place of before they were decided on.
    `shadow` says whose account is watched where nothing is sent; empty at a desk.
    """

    day: datetime.date
    at: int
    scrips: tuple[ScripLine, ...]
    feeds: FeedStatus | None
    breaker: Level
    breaker_why: str
    decisions: dict[str, int]
    orders: dict[str, int]
    queues: dict[str, int]
    buried: dict[str, int]
    fills: int
    charges: int
    result: int
    tickets: tuple[Ticket, ...]
    quiet: dict[str, str] = {}
    shadow: str = ""
    passed_over: dict[str, int] = {}


class _Logged(Struct, rename="camel"):
    decision_info: Decision


class Watcher:
    """Looks again and again; remembers how far it has read the log."""

    def __init__(self, books: Store, quotes: Store, queues: dict[str, Queue], day: datetime.date) -> None:
        self.books, self.quotes, self.queues, self.day = books, quotes, queues, day
        self.read_to = 0
        self.last: dict[str, Decision] = {}
        self.news: list[Decision] = []
        self.decisions: Counter[str] = Counter()

    def look(self) -> Screen:
        """The day as it stands now; `news` holds the decisions made since the last look."""
        self._read_log()
        states = {s.scrip: s for s in _all(self.quotes, "quotes", MarketState)}
        positions = {p.scrip: p for p in _all(self.books, "positions", Position)}
        orders = _all(self.books, "orders", Order, f"{self.day}/")
        fills = _all(self.books, "fills", Fill, f"{self.day}/")
        breaker = _one(self.books, "breaker", "state", BreakerState)
        return Screen(
            self.day,
            max((s.exchange_at for s in states.values()), default=0),
            tuple(self._line(s, positions.get(s.scrip, Position(s.scrip))) for s in states.values()),
            _one(self.quotes, "feeds", "status", FeedStatus),
            breaker.level if breaker else Level.OPEN,
            "; ".join(breaker.reasons) if breaker else "not evaluated yet",
            dict(self.decisions),
            dict(Counter(o.status.value for o in orders)),
            {name: queue.depth().waiting for name, queue in self.queues.items()},
            {name: queue.depth().buried for name, queue in self.queues.items()},
            len(fills),
            sum(f.charges for f in fills),
            self._result(),
            tuple(_all(self.books, "tickets", Ticket)),
            quiet(_all(self.books, "attempts", Attempt, f"test-{self.day}/")),
            _said(Books(self.books).shadowed),
            superseded(self.books, self.day),
        )

    def _read_log(self) -> None:
        rows = self.books.rows("log", prefix=f"{self.day}/", since=self.read_to)
        self.news = [decode(r.value, _Logged).decision_info for r in rows]
        for decision in self.news:
            self.last[decision.scrip] = decision
            self.decisions[decision.action.value if decision.outcome == "decided" else decision.outcome] += 1
        self.read_to = rows[-1].seq if rows else self.read_to

    def _line(self, state: MarketState, position: Position) -> ScripLine:
        last = self.last.get(state.scrip)
        rank = last.figures.get("iv_rank") if last else None
        return ScripLine(
            state.scrip,
            state.spot,
            float(rank) if isinstance(rank, int | float) else None,
            holds(position),
            last.action.value if last else "",
            last.reason if last else "no decision yet",
            last.decided_for if last else 0,
            state.marks,
        )

    def _result(self) -> int:
        """What the day has brought so far (paise): our worth now less our worth as it began."""
        start = self.books.get("starts", str(self.day))
        return (worth(self.books, self.quotes, at_cost=True) or 0) - int(start.value) if start else 0


def _said(account: Shadowed | None) -> str:
    return f"a shadow of {account.broker}, {account.profile}: nothing is sent" if account else ""


def _all(store: Store, table: str, kind: type[T], prefix: str = "") -> list[T]:
    return [decode(r.value, kind) for r in store.rows(table, prefix=prefix)]


def _one(store: Store, table: str, key: str, kind: type[T]) -> T | None:
    row = store.get(table, key)
    return decode(row.value, kind) if row else None


def holds(position: Position) -> str:
    """What a position is, in a few words."""
    if position.is_flat:
        return "flat"
    return ", ".join(f"{h.quantity:+d} {h.contract.key.removeprefix(position.scrip + '-')}" for h in position.holdings)
