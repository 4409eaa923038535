"""The one place that wires: what each process of the desk is made of. Read it top to bottom and the flow is told.

feeds -> ingest -> [market] -> dispatch -> brain jobs -> [orders] -> gateway -> broker -> [fills] -> books
"""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.system import SystemClock
from participant.adapters.clocks.venue import VenueClock
from participant.adapters.compute.process import ProcessCompute
from participant.adapters.feeds.fix import FixFeed
from participant.adapters.feeds.json_ws import JsonWsFeed
from participant.adapters.notifiers.console import ConsoleNotifier
from participant.adapters.queues.sqlite import QueueSettings, SqliteQueue
from participant.adapters.stores.sqlite import SqliteStore
from participant.config import Run, load_rules
from participant.core.market import Reference
from participant.core.providers import Arbitration
from participant.links.doorbell import Doorbell
from participant.links.frames import serve_stdio
from participant.operate.breaker import Watch, judge
from participant.ports import BrokerDown, Feed
from participant.stages import decide
from participant.stages.book import Book, BookPorts
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.stages.escalate import Escalate
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.ingest import Ingest, IngestPorts
from participant.stages.reconcile import ReconcilePorts, close_day
from participant.wire.json import decode
from participant.wire.json_three import ThreeReader
from participant.wire.json_two import TwoReader

Step = Callable[[float], object]


def books(run: Run) -> SqliteStore:
    """Decisions, orders, fills, tickets: what may never be lost."""
    return SqliteStore(run.path / "books.sqlite", is_durable=True)


def quotes(run: Run) -> SqliteStore:
    """The newest market states: what the next instant brings again."""
    return SqliteStore(run.path / "market.sqlite", is_durable=False)


def queue(run: Run, name: str, consumer: str) -> SqliteQueue:
    """One of the queues between the stages."""
    is_market = name == "market"
    visibility_s = 2.0 * run.config.desk.job_timeout_s
    settings = QueueSettings(visibility_s, receives_max=run.config.desk.restarts_max, is_durable=not is_market)
    file = "market.sqlite" if is_market else "books.sqlite"
    return SqliteQueue(run.path / file, name, consumer, Doorbell(run.path, name), settings)


def ingest(run: Run) -> Step:
    """Three providers in their order of priority: one speaks FIX, two JSON."""
    clock = VenueClock(run.venue_url)
    socket = run.venue_url.replace("http", "ws", 1)
    feeds: dict[str, Feed] = {
        "one": FixFeed("one", (run.fix_host, run.fix_port), clock),
        "two": JsonWsFeed("two", f"{socket}/two", clock, TwoReader),
        "three": JsonWsFeed("three", f"{socket}/three", clock, ThreeReader),
    }
    market = quotes(run)
    scrips = [decode(r.value, Reference) for r in market.rows("reference")]
    rule = run.config.arbitration
    # What is silent for a second of the machine's time is not late by the market's: at speed it is the machine.
    rule = Arbitration(max(rule.silence_max_s, 1.5 * run.speed), rule.well_before_return_s)
    wait_s = run.config.desk.lockstep_wait_s if run.is_lockstep else 0.0
    stage = Ingest(IngestPorts(feeds, queue(run, "market", "ingest"), market, clock), scrips, rule, wait_s)
    bell = Doorbell(run.path, "breaker")

    def step(wait_s: float) -> None:
        if stage.step(min(wait_s, 0.05)):
            bell.ring()

    return step


def dispatch(run: Run) -> Step:
    """Jobs to the brain workers; their decisions to the books and to the gateway."""
    desk = run.config.desk
    command = [sys.executable, "-m", "participant", "process", "brain", "--home", run.home]
    compute = ProcessCompute(command, desk.workers)
    ports = DispatchPorts(queue(run, "market", "dispatch"), queue(run, "orders", "dispatch"), books(run), compute)
    timeout_s = desk.job_timeout_s / max(run.speed, 1.0)
    rule = DispatchRule(timeout_s, desk.job_attempts_max, run.is_lockstep)
    return Dispatch(ports, {s.symbol: s for s in run.config.watchlist}, rule).step


def brain(run: Run) -> Step:
    """A worker: one job at a time, nothing kept between jobs."""
    rules = load_rules()
    serve_stdio(lambda body: decide.run(body, rules))
    sys.exit(0)


def gateway(run: Run) -> Step:
    """The only process that holds the broker's secret, and the only one that sends."""
    timeout_s = run.config.desk.request_timeout_s
    broker = HttpBroker(run.venue_url, timeout_s, connect_wait_s=timeout_s)
    clock, wall = VenueClock(run.venue_url), SystemClock()
    orders, fills = queue(run, "orders", "gateway"), queue(run, "fills", "gateway")
    ports = GatewayPorts(orders, fills, books(run), quotes(run), broker, clock, wall)
    config = run.config
    rule = GatewayRule(load_rules(), config.limits, config.sending, config.triggers, run.is_lockstep)
    return Gateway(ports, rule).step


def desk(run: Run) -> Step:
    """Books, people, and the end of the day."""
    store, market, rules = books(run), quotes(run), load_rules()
    archive, clock = JsonlArchive(run.path / "decisions"), VenueClock(run.venue_url)
    book = Book(BookPorts(queue(run, "fills", "desk"), store, market, archive, clock), rules)
    people = Escalate(store, ConsoleNotifier(sys.stdout))
    reconcile = ReconcilePorts(store, market, HttpBroker(run.venue_url, run.config.desk.request_timeout_s))

    def step(wait_s: float) -> None:
        book.step(min(wait_s, 0.2))
        people.step()
        with suppress(BrokerDown):  # it is asked again at the next step, until the supervisor finds that nothing moves
            close_day(reconcile, rules, run.day)

    return step


def breaker(run: Run) -> Step:
    """The evaluator: at least once a second, and at once when the market moves."""
    watch = Watch(books(run), quotes(run), SystemClock(), run.config.triggers)
    bell, gateway_bell = Doorbell(run.path, "breaker"), Doorbell(run.path, "orders")

    def step(wait_s: float) -> None:
        judge(watch)
        gateway_bell.ring()
        bell.wait(min(wait_s, 1.0))

    return step


PROCESSES: dict[str, Callable[[Run], Step]] = {
    "ingest": ingest,
    "dispatch": dispatch,
    "gateway": gateway,
    "desk": desk,
    "breaker": breaker,
}


def process(name: str, home: Path) -> None:
    """Be one process of the desk until the one that started us is gone or ends us."""
    run = decode((home / "run.json").read_bytes(), Run)
    parent = os.getppid()
    step = brain(run) if name == "brain" else PROCESSES[name](run)
    while os.getppid() == parent:
        step(1.0)
