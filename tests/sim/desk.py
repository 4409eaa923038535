"""A whole desk in one process on memory adapters and a virtual clock; seeded faults, crashes at every effect."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.brokers.memory import MemoryBroker
from participant.adapters.leases.memory import MemoryLease
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.breaker import BreakerState, Halt, Level, Triggers
from participant.core.breaks import ReconcileRule
from participant.core.escalation import Patience, Rung
from participant.core.feed_rules import Arbitration, at_speed
from participant.core.market import Down, FeedEvent, Held, Mark, MarketState, Tick, Ticks
from participant.core.messages import Job, JobResult, Ticket, Write
from participant.core.notices import Delivery, Notice
from participant.core.order import Order
from participant.core.risk import Limits
from participant.core.sending import SendRule
from participant.links.faults import Faults
from participant.operate.breaker import Watch, judge
from participant.stages import decide
from participant.stages.book import Book, BookPorts
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.stages.escalate import Escalate, PeoplePorts, PeopleRule
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.ingest import Ingest, IngestPorts
from participant.stages.reconcile import Closed, Reconcile, ReconcilePorts, close_day
from participant.wire.json import decode, encode
from tests.sim import world
from tests.sim.line import Line

SECOND = 1_000_000_000
CAPITAL = 30_000_000_00
CALM_S, LOOK_S = 240, 5  # the quiet tail of a day, and how often the books are looked at in it
# An instant a minute: what is not heard within the next one and a half is late; and many may fail on a day.
RULE = at_speed(Arbitration(well_before_return_s=180.0, return_apart_s=0.0, switches_max=1_000), 60.0)
PROVIDERS = ("first", "second", "third")


class Crash(BaseException):
    """A process dies here. Not an Exception, so that no handler can catch it."""


class Fragile:
    """Passes every call on; before and after each effect the process may die, and the invariants are looked at."""

    def __init__(self, inner: Any, name: str, effects: Iterable[str], sim: "Sim") -> None:
        self._inner, self._name, self._effects, self._sim = inner, name, frozenset(effects), sim

    def __getattr__(self, attribute: str) -> Any:
        method = getattr(self._inner, attribute)
        if attribute not in self._effects:
            return method

        def call(*arguments: Any) -> Any:
            is_empty = arguments == ([],)  # nothing to put or to be done with
            if not is_empty and attribute != "updates":
                self._sim.may_crash("before", self._name, attribute, arguments)
            self._sim.before(self._name, attribute, arguments)
            result = method(*arguments)
            self._sim.after(self._name, attribute, arguments, result)
            if not is_empty and (attribute != "updates" or result):
                self._sim.may_crash("after", self._name, attribute, arguments)
            return result

        return call


@dataclass(frozen=True)
class Point:
    """Just before or just after something that outlives the gateway, in one of the day's steps."""

    step: int
    when: str
    what: frozenset[str]


def named(port: str, effect: str, arguments: tuple[Any, ...]) -> frozenset[str]:
    """What an effect is, in words: of a commit the rows that it writes, and what it makes of orders."""
    if effect != "commit":
        return frozenset({f"{port}.{effect}"})
    return frozenset(_of_row(write) for write in arguments[0])


def _of_row(write: Write) -> str:
    if write.table != "orders" or write.value is None:
        return f"row of {write.table}" if write.value is not None else f"no row of {write.table}"
    order = decode(write.value, Order)
    changed = " (change asked for)" if order.changes else ""
    asked = " (end taken)" if order.is_cancelling else " (end asked for)" if order.cancels else changed
    return f"order {order.status}{asked}"


class SimClock:
    """The market's time, moved by the simulation alone."""

    def __init__(self) -> None:
        self.at = world.START - 1

    def now(self) -> int:
        return self.at

    def release(self, at: int) -> None:
        """A free-running market waits for nobody."""


class SimFeed:
    """One provider's link: what was sent and not yet read. A new link starts with a snapshot of the present."""

    def __init__(self) -> None:
        self.pending: list[FeedEvent] = []
        self.counts: dict[str, int] = {}

    def poll(self, wait_s: float) -> list[FeedEvent]:
        events, self.pending = self.pending, []
        return events

    def close(self) -> None:
        self.pending = []


class SimCompute:
    """Decides in this process; now and then a job fails or hangs until its deadline."""

    def __init__(self, rng: random.Random, share: float) -> None:
        self.rng, self.share = rng, share
        self.ended: list[JobResult] = []

    def submit(self, job: Job) -> None:
        drawn = self.rng.random()
        if drawn < self.share:
            self.ended.append(JobResult(job.id, "error", reason="the worker died"))
        elif drawn < self.share * 1.2:
            self.ended.append(JobResult(job.id, "timeout", reason="killed at its deadline"))
        else:
            self.ended.append(JobResult(job.id, "done", decide.run(job.body, world.RULES)))

    def results(self, wait_s: float) -> list[JobResult]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        self.ended = []


class SimNotifier:
    """Tells a list; fails now and then."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.told: set[str] = set()
        self.ended: list[Delivery] = []

    def send(self, notice: Notice) -> None:
        has_failed = self.rng.random() < 0.2
        self.ended.append(Delivery(notice.notice_id, "no answer" if has_failed else ""))
        if not has_failed:
            self.told.add(notice.notice_id.partition("/")[0])

    def delivered(self) -> list[Delivery]:
        ended, self.ended = self.ended, []
        return ended

    def close(self) -> None:
        self.ended = []


# Short days full of whole lives of structures: the loop guard and the day's count are tested elsewhere.
LIMITS = Limits(
    margin_share_max=0.9,
    quote_age_max_s=90,
    entries_max=1_000,
    reversals_max=1_000,
    orders_day_max=1_000,
    messages_second_max=1_000,
    messages_minute_max=1_000,
)


@dataclass(frozen=True)
class Plan:
    """What goes wrong on a day, drawn from its seed; each kind is off on a third of the days or more."""

    faults: Faults
    crash: float
    compute: float
    feed: dict[str, float]
    halts: dict[int, Level]
    stale_breaker: float
    pauses: dict[str, range]
    line: float = 0.0


def draw_plan(rng: random.Random, seed: int) -> Plan:
    """A plan of faults."""

    def some(share: float) -> float:
        return share * rng.random() if rng.random() < 0.6 else 0.0

    faults = Faults(
        seed=seed,
        refuse=some(0.2),
        throttle=some(0.2),
        lose=some(0.2),
        accept_silently=some(0.3),
        accept_late=some(0.3),
        partial=some(0.5),
        update_drop=some(0.5),
        update_duplicate=some(0.5),
        update_reorder=some(0.5),
        books_down=some(0.3),
    )
    halts = {rng.randrange(40): rng.choice([Level.OPEN, Level.REDUCE_ONLY]) for _ in range(rng.choice([0, 0, 1, 2]))}
    feed = {kind: some(0.15) for kind in ("drop", "duplicate", "reorder", "silence")}
    return Plan(faults, some(0.02), some(0.1), feed, halts, some(0.05), _pauses(rng), some(0.02))


QUIET = Plan(Faults(), 0.0, 0.0, dict.fromkeys(("drop", "duplicate", "reorder", "silence"), 0.0), {}, 0.0, {})


def _pauses(rng: random.Random) -> dict[str, range]:
    """A process that stands still for some minutes, as a stopped or starved one does."""
    if rng.random() < 0.6:
        return {}
    start = rng.choice([0, rng.randrange(30)])
    name = rng.choice(["dispatch", "gateway", "gateway", "desk", "ingest", "breaker"])
    return {name: range(start, start + rng.randint(1, 16))}


@dataclass(frozen=True)
class Parts:
    """What a process is made of: stores, queues and broker whose effects it may die at."""

    books: Any
    quotes: Any
    queues: dict[str, Any]
    broker: Any


@dataclass
class Sim:
    """One simulated day. `watcher` looks at every effect; the gateway dies at its `crash_at`-th point, if any."""

    seed: int
    instants: int = 45
    watcher: Any = None
    plan: Any = None
    crash_at: int = 0

    def __post_init__(self) -> None:
        self.rng = random.Random(f"day {self.seed}")
        self.plan: Plan = self.plan if self.plan is not None else draw_plan(self.rng, self.seed)
        self.clock = SimClock()
        self.raw_books, self.raw_quotes = MemoryStore(), MemoryStore()
        self.queues = {
            n: MemoryQueue(lambda: self.clock.at / SECOND, receives_max=1000) for n in ("market", "orders", "fills")
        }
        self.exchange = MemoryBroker(world.CONTRACTS, world.RULES, world.DAY, CAPITAL)
        self.exchange.fail(self.plan.faults)
        self.line = Line(self.exchange, self.seed, self.plan.line)
        self.archive, self.notifier = MemoryArchive(), SimNotifier(self.rng)
        self.watchlist = world.watchlist(self.rng)
        self.wire: list[tuple[Order, int]] = []
        self.points: list[Point] = []
        self.died_at: list[Point] = []
        self.stepping, self.steps = "", 0
        self.leases: dict[str, MemoryLease] = {}
        self.crashes = 0
        self.is_calm, self.faults_ended_at = False, 0
        self.closed: Closed | None = None
        self.ticks: tuple[Tick, ...] = ()
        self.silent: dict[str, int] = {}
        self.raw_books.commit([Write("account", "account", encode(Account(CAPITAL, CAPITAL)), 0)])
        master = [Write("reference", r.scrip, encode(r)) for r in world.REFERENCES]
        self.raw_quotes.commit([*master, Write("master", "day", str(world.DAY).encode())])
        self.raw_books.commit([Write("starts", str(world.DAY), str(CAPITAL).encode())])
        self.feeds = {n: SimFeed() for n in PROVIDERS}
        self._fresh = {n: self._builder(n) for n in ("ingest", "dispatch", "gateway", "desk", "breaker")}
        self.stages = {n: build() for n, build in self._fresh.items()}

    # --- effects ---

    def may_crash(self, when: str, port: str, effect: str, arguments: tuple[Any, ...]) -> None:
        """Just before or just after something durable, or the wire: the process may die here."""
        is_due = not self.is_calm and self.rng.random() < self.plan.crash
        if self.stepping == "gateway":
            self.points.append(Point(self.steps, when, named(port, effect, arguments)))
            is_due = is_due or len(self.points) == self.crash_at
            self.died_at += self.points[-1:] if is_due else []
        if is_due:
            raise Crash

    def before(self, port: str, effect: str, arguments: tuple[Any, ...]) -> None:
        if port == "broker" and effect == "place":
            self.wire.append((arguments[0], self.clock.at))
            if self.watcher:
                self.watcher.sending(self, arguments[0])
        if port == "broker" and effect == "modify" and self.watcher:
            self.watcher.changing(self, arguments[0])

    def after(self, port: str, effect: str, arguments: tuple[Any, ...], result: Any) -> None:
        if self.watcher and port == "books" and result:
            self.watcher.committed(self, arguments[0])
        if self.watcher and port == "broker":
            if effect == "place":
                self.watcher.proven |= self.line.proven
            if effect != "updates":
                self.watcher.exchanged(self)

    # --- stages ---

    def _builder(self, name: str) -> Callable[[], Callable[[], object]]:
        """How a process of this name is started, with what is on its disk."""
        build = {
            "ingest": self._ingest,
            "dispatch": self._dispatch,
            "gateway": self._gateway,
            "desk": self._desk,
            "breaker": self._breaker,
        }[name]
        queues = {n: Fragile(q, n, ["put", "done"], self) for n, q in self.queues.items()}
        broker = Fragile(self.line, "broker", ["place", "modify", "cancel", "find", "updates"], self)
        books = Fragile(self.raw_books, "books", ["commit"], self)
        quotes = Fragile(self.raw_quotes, "quotes", ["commit"], self)
        return lambda: build(Parts(books, quotes, queues, broker))

    def _ingest(self, of: Parts) -> Callable[[], object]:
        for provider in PROVIDERS:
            self._connect(provider)
        ports = IngestPorts(dict(self.feeds), of.queues["market"], of.quotes, self.clock)
        stage = Ingest(ports, world.REFERENCES, RULE)
        return lambda: stage.step(0.0)

    def _dispatch(self, of: Parts) -> Callable[[], object]:
        self.queues["market"].restart()
        compute = SimCompute(self.rng, self.plan.compute)
        ports = DispatchPorts(of.queues["market"], of.queues["orders"], of.books, compute, self.clock, lambda *_: "")
        stage = Dispatch(ports, self.watchlist, DispatchRule(600.0, 3, is_lockstep=False))
        return lambda: stage.step(0.0)

    def _gateway(self, of: Parts) -> Callable[[], object]:
        self.queues["orders"].restart()
        self.leases.clear()  # what a process held is free when it has died
        lease, clock = MemoryLease(self.leases), self.clock
        stores = of.books, of.quotes, self.raw_books
        ports = GatewayPorts(
            of.queues["orders"], of.queues["fills"], *stores, of.broker, clock, clock, lease, steady=clock
        )
        triggers = Triggers(stale_after_s=200.0)
        rule = GatewayRule(world.RULES, LIMITS, SendRule(), triggers, watched=frozenset(world.SYMBOLS))
        stage = Gateway(ports, rule)
        return lambda: stage.step(0.0)

    def _desk(self, of: Parts) -> Callable[[], object]:
        self.queues["fills"].restart()
        stage = Book(BookPorts(of.queues["fills"], of.books, of.quotes, self.archive, self.clock), world.RULES)
        self.notifier.close()
        ports = PeoplePorts(of.books, {("console", "all"): self.notifier}, self.clock)
        people = Escalate(ports, PeopleRule((Rung(0.0, "console"),), patience=Patience(50, 0.0)))
        reconcile = Reconcile(
            ReconcilePorts(of.books, of.quotes, of.broker, of.queues["fills"]), ReconcileRule(), world.RULES
        )
        return lambda: (stage.step(0.0), people.step(), reconcile.step(self.clock.now()))

    def _breaker(self, of: Parts) -> Callable[[], object]:
        triggers = Triggers(unknown_open_count=50, stale_after_s=200.0)
        watch = Watch(of.books, of.quotes, self.raw_books, self.clock, triggers)
        return lambda: judge(watch)

    def _connect(self, provider: str) -> None:
        feed = self.feeds[provider]
        feed.pending = []
        if self.ticks and provider not in self.silent:
            at = self.clock.at
            feed.pending = [Ticks(provider, at, self.ticks, is_snapshot=True), Mark(provider, at, at)]

    def step(self, name: str) -> None:
        """One step of one process; where it dies it is started again with what is on its disk."""
        self.stepping, self.steps = name, self.steps + 1
        try:
            self.stages[name]()
        except Crash:
            self.crashes += 1
            self.stages[name] = self._restarted(name)

    def _restarted(self, name: str) -> Callable[[], object]:
        while True:
            try:
                return self._fresh[name]()
            except Crash:
                self.crashes += 1

    # --- the day ---

    def run(self) -> "Sim":
        """The whole day, a quiet tail without further faults, and the evening's reconciliation."""
        for number, (at, ticks) in enumerate(world.instants(random.Random(f"path {self.seed}"), self.instants)):
            self._instant(number, at, ticks)
        self._calm_tail()
        self.exchange.close_day(self.clock.at, world.settlements(self.ticks))
        self._settle_down(is_last=True)
        ports = ReconcilePorts(self.raw_books, self.raw_quotes, self.exchange, self.queues["fills"])
        for _ in range(10):
            self.closed = self.closed or close_day(ports, world.RULES, world.DAY)
            self.step("desk")
        for _ in range(8):
            self.step("desk")
        if self.watcher:
            self.watcher.ended(self)
        return self

    def _instant(self, number: int, at: int, ticks: tuple[Tick, ...]) -> None:
        self.clock.at, self.ticks = at, ticks
        self.exchange.on_quotes(at, world.quotes(ticks))
        if number in self.plan.halts:
            halt = Halt(self.plan.halts[number], "a person pulled it", at)
            self.raw_books.commit([Write("breaker", "halt", encode(halt))])
        if number - 6 in self.plan.halts:
            self.raw_books.commit([Write("breaker", "halt", encode(Halt(Level.CLOSED, "", at)))])
        for provider in PROVIDERS:
            self._publish(provider, number, at)
        for second in range(0, 60, 20):
            self.clock.at = at + second * SECOND
            self.exchange.on_quotes(self.clock.at, {})
            order = ["ingest", "breaker", "dispatch", "gateway", "desk", "gateway", "dispatch", "desk"]
            self.rng.shuffle(order)
            for name in order:
                is_stale = name == "breaker" and self.rng.random() < self.plan.stale_breaker
                if not is_stale and number not in self.plan.pauses.get(name, ()):
                    self.step(name)

    def _publish(self, provider: str, number: int, at: int) -> None:
        shares = self.plan.feed
        if self.silent.get(provider, -1) == number:
            del self.silent[provider]
            self._connect(provider)
            return
        if not self.is_calm and provider not in self.silent and self.rng.random() < shares["silence"]:
            self.silent[provider] = number + self.rng.randint(1, 5)
        if provider in self.silent:
            return
        events: list[FeedEvent] = [Ticks(provider, at, self.ticks, is_snapshot=number == 0), Mark(provider, at, at)]
        drawn = self.rng.random()
        if drawn < shares["drop"]:
            events = [Down(provider, at, "a gap"), Ticks(provider, at, self.ticks, is_snapshot=True), events[1]]
        elif drawn < shares["drop"] + shares["duplicate"]:
            events += events
        elif drawn < shares["drop"] + shares["duplicate"] + shares["reorder"] and self.feeds[provider].pending:
            events = [Held(provider, at), *events]
        self.feeds[provider].pending += events

    def _calm_tail(self) -> None:
        """Faults end; four minutes pass in which what is late arrives and what is unknown becomes a ticket.

        The last fault is over when the last late order has arrived.
        """
        self.is_calm = True
        self.faults_ended_at = max([self.clock.at, *(o.accept_at for o in self.exchange.state.late)])
        self.exchange.fail(Faults(seed=self.seed))
        self.line.mend()
        self.plan = QUIET
        self.silent = {}
        for provider in PROVIDERS:
            self._connect(provider)
        for _ in range(CALM_S // LOOK_S):
            self.clock.at += LOOK_S * SECOND
            self.exchange.on_quotes(self.clock.at, {})
            self._round()
            if self.watcher:
                self.watcher.looked(self)

    def _round(self) -> None:
        for name in ("ingest", "breaker", "dispatch", "gateway", "desk"):
            self.step(name)

    def _settle_down(self, is_last: bool = False) -> None:
        if is_last:
            self.clock.at += SECOND
            mark = Mark("first", self.clock.at, self.clock.at, is_last=True)
            self.feeds["first"].pending.append(mark)
            for name in PROVIDERS[1:]:
                self.feeds[name].pending.append(replace(mark, provider=name))
        for _ in range(4):
            self._round()

    # --- looking ---

    def quoted_at(self, symbol: str, key: str) -> int:
        """When the exchange made the quote that the gateway can see of this contract."""
        row = self.raw_quotes.get("quotes", symbol)
        quote = decode(row.value, MarketState).quote(key) if row else None
        return quote.exchange_at if quote else 0

    def account(self) -> Account:
        """The account in the books."""
        row = self.raw_books.get("account", "account")
        return decode(row.value, Account) if row else Account(0, 0)

    def breaker_level(self) -> Level:
        """Where the breaker stands, as it was last written down."""
        row = self.raw_books.get("breaker", "state")
        return decode(row.value, BreakerState).level if row else Level.OPEN

    def orders(self) -> list[Order]:
        """Every order in the books."""
        return [decode(r.value, Order) for r in self.raw_books.rows("orders")]

    def tickets(self) -> list[Ticket]:
        """Every ticket in the books."""
        return [decode(r.value, Ticket) for r in self.raw_books.rows("tickets")]
