"""The one place that wires: what each process of the desk is made of. Read it top to bottom and the flow is told.

feeds -> ingest -> [market] -> dispatch -> brain jobs -> [orders] -> gateway -> broker -> [fills] -> books
"""

from collections.abc import Callable, Sequence
from functools import partial

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.clocks.steady import SteadyClock
from participant.adapters.clocks.system import SystemClock
from participant.adapters.clocks.venue import VenueClock
from participant.adapters.feeds.fix import FixFeed
from participant.adapters.feeds.json_ws import JsonWsFeed
from participant.adapters.leases.file import FileLease
from participant.config import Run, load_rules
from participant.core.market import Reference
from participant.history.recorder import Recorder
from participant.links.limits import in_force
from participant.links.verdicts import park
from participant.operate.brains import compute
from participant.operate.people import people_ports, people_rule
from participant.operate.providers import with_mapped
from participant.operate.recording import intake_of, kept, recorder_of
from participant.operate.stores import books, broker, halts, queue, quotes
from participant.ports import Clock, Feed
from participant.stages.book import Book, BookPorts
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.stages.escalate import Escalate
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.ingest import Ingest, IngestPorts
from participant.stages.reconcile import Reconcile, ReconcilePorts, close_day
from participant.wire.json import decode
from participant.wire.json_three import ThreeReader
from participant.wire.json_two import TwoReader

__all__ = ["Step", "books", "broker", "desk", "dispatch", "gateway", "halts", "ingest", "queue", "quotes"]

Step = Callable[[float], object]


def feeds(run: Run, clock: Clock, scrips: Sequence[Reference], recorder: Recorder | None) -> dict[str, Feed]:
    """Three providers in their order of priority: one speaks FIX, two JSON; before or after them those of [[feeds]]."""
    socket, intake = run.venue_url.replace("http", "ws", 1), intake_of(recorder)
    venue: dict[str, Feed] = {
        "one": FixFeed("one", (run.fix_host, run.fix_port), clock, intake=intake),
        "two": JsonWsFeed("two", f"{socket}/two", clock, TwoReader, intake),
        "three": JsonWsFeed("three", f"{socket}/three", clock, ThreeReader, intake),
    }
    return kept(with_mapped(venue, run, clock, scrips, intake), recorder)


def ingest(run: Run) -> Step:
    """What the providers say, to one market state a scrip and instant."""
    clock, market = VenueClock(run.venue_url), quotes(run)
    scrips = [decode(r.value, Reference) for r in market.rows("reference")]
    ports = IngestPorts(feeds(run, clock, scrips, recorder_of(run)), queue(run, "market", "ingest"), market, clock)
    stage = Ingest(ports, scrips, run.arbitration, run.lockstep_wait_s)
    return lambda wait_s: stage.step(min(wait_s, 0.05))


def dispatch(run: Run) -> Step:
    """Jobs to the brain workers; their decisions to the books and to the gateway."""
    market, orders = queue(run, "market", "dispatch"), queue(run, "orders", "dispatch")
    clock, keep = VenueClock(run.venue_url), partial(park, run.path)
    ports = DispatchPorts(market, orders, books(run, "dispatch"), compute(run), clock, keep)
    rule = DispatchRule(run.job_timeout_s, run.config.desk.job_attempts_max, run.is_lockstep)
    return Dispatch(ports, {s.symbol: s for s in run.config.watchlist}, rule).step


def gateway(run: Run) -> Step:
    """The only process that holds the broker's secret, and the only one that sends."""
    clock, wall = VenueClock(run.venue_url), SystemClock()
    orders, fills = queue(run, "orders", "gateway"), queue(run, "fills", "gateway")
    lease, watched = FileLease(run.path, wall, "gateway"), frozenset(scrip.symbol for scrip in run.config.watchlist)
    stores = books(run, "gateway"), quotes(run), halts(run)
    ports = GatewayPorts(orders, fills, *stores, broker(run, is_gateway=True), clock, wall, lease, SteadyClock())
    limits = in_force(ports.books, str(run.day), run.terms)
    settings = limits, run.config.sending, run.config.triggers
    return Gateway(ports, GatewayRule(load_rules(run.config.desk.span_scans), *settings, run.is_lockstep, watched)).step


def desk(run: Run) -> Step:
    """Books, people, and the end of the day."""
    store, market, rules = books(run, "desk"), quotes(run), load_rules(run.config.desk.span_scans)
    archive, clock = JsonlArchive(run.path / "decisions"), VenueClock(run.venue_url)
    ports = ReconcilePorts(store, market, broker(run), queue(run, "fills", "reconcile"))
    reconcile = Reconcile(ports, run.reconcile, rules)
    is_due = reconcile.step if run.is_lockstep else lambda _: False  # in lockstep an instant is compared as it closes
    book = Book(BookPorts(queue(run, "fills", "desk"), store, market, archive, clock), rules, is_due)
    people = Escalate(people_ports(run, store), people_rule(run))

    def step(wait_s: float) -> None:
        book.step(min(wait_s, 0.2))
        people.step()
        if not run.is_lockstep:
            reconcile.step(clock.now())
        close_day(ports, rules, run.day)

    return step
