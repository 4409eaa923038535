"""What the desk's processes stand on: its files, its queues and its broker, opened as a run says."""

from participant.adapters.brokers.http import HttpBroker
from participant.adapters.brokers.shadow import ShadowBroker
from participant.adapters.clocks.system import SystemClock
from participant.adapters.queues.sqlite import QueueSettings, SqliteQueue
from participant.adapters.stores.sqlite import SqliteStore
from participant.config import RECEIVES_MAX, Run
from participant.links.calm import Calm
from participant.links.doorbell import Doorbell
from participant.links.journal import JournalStore
from participant.operate.brokers import DeskBroker, vendor_broker

# A real account's books are read at most so often (wall): a few requests a second, well within every broker's rate.
READ_EVERY_S = 0.15


def books(run: Run, writer: str = "trade") -> JournalStore:
    """Decisions, orders, fills, tickets: what may never be lost, and what each writer did to it, chained by hashes."""
    store = SqliteStore(run.path / "books.sqlite", is_durable=True)
    return JournalStore(store, writer, str(run.day), SystemClock())


def halts(run: Run) -> SqliteStore:
    """What a person asked of the breaker: a file of its own, so that no process can stand in the way of a halt."""
    return SqliteStore(run.path / "halt.sqlite", is_durable=True)


def quotes(run: Run) -> SqliteStore:
    """The newest market states: what the next instant brings again."""
    return SqliteStore(run.path / "market.sqlite", is_durable=False)


def queue(run: Run, name: str, consumer: str, bell: Doorbell | None = None) -> SqliteQueue:
    """One of the queues between the stages; `bell` where its doorbell is to be let go of before the process ends."""
    file = "market.sqlite" if name == "market" else "books.sqlite"
    settings = QueueSettings(2.0 * run.job_timeout_s, RECEIVES_MAX, is_durable=name != "market")
    rung = ("market", "breaker") if name == "market" else (name,)  # an instant is judged when it is published
    return SqliteQueue(run.path / file, name, consumer, bell or Doorbell(run.path, *rung), settings)


def broker(run: Run, *, is_gateway: bool = False) -> DeskBroker:
    """The broker of the settings: the gateway sends through it, the desk reads its books; a shadow can only read."""
    if run.is_shadow:
        return _shadow(run)
    link, timeout_s = run.config.broker, run.config.desk.request_timeout_s
    if link.name == "venue":
        return HttpBroker(run.venue_url, timeout_s, connect_wait_s=timeout_s if is_gateway else 0.0)
    return vendor_broker(link, run.day, books(run), timeout_s, is_gateway=is_gateway)


def _shadow(run: Run) -> ShadowBroker:
    """The account's reading side; the official prices, if any, are those of the venue whose market is watched."""
    link, timeout_s = run.config.broker, run.config.desk.request_timeout_s
    if link.name == "venue":
        venue = HttpBroker(run.venue_url, timeout_s)
        return ShadowBroker(venue, venue.settlements)
    # No exchange settles the account in the watched market, so there is nothing to wait for.
    return ShadowBroker(vendor_broker(link, run.day, None, timeout_s), dict, Calm(READ_EVERY_S))
