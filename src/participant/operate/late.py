"""What filled while no desk ran, such as a fill entered by hand in the evening, booked by the desk's own stage."""

import os
from contextlib import closing

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.clocks.system import SystemClock
from participant.adapters.leases.file import FileLease
from participant.adapters.queues.memory import MemoryQueue
from participant.config import Run, load_rules
from participant.core.rulebook import Rulebook
from participant.links.doorbell import Doorbell
from participant.links.outbox import relay
from participant.operate.stores import queue, quotes
from participant.ports import Queue, Store
from participant.stages.book import Book, BookPorts

ALL = 1_000_000


def book_late(run: Run, books: Store) -> None:
    """Book what waits, where no desk holds the home; a desk that runs books by itself."""
    with closing(Doorbell(run.path, "fills")) as bell, closing(queue(run, "fills", "late", bell)) as fills:
        if not books.rows("outbox", prefix="fills/") and not fills.depth().waiting:
            return
    lease = FileLease(run.path, SystemClock())
    if lease.take(f"participant, booking what came late, process {os.getpid()}"):
        return
    try:
        book_waiting(run, books)
    finally:
        lease.release()


def book_waiting(run: Run, books: Store) -> None:
    """Book what waits; only for who holds the home's lease."""
    # Under the desk's name, so that what a desk had taken when it died is there at once.
    with (
        closing(Doorbell(run.path, "fills")) as bell,
        closing(queue(run, "fills", "desk", bell)) as fills,
        closing(quotes(run)) as market,
    ):
        drain(fills, books, market, load_rules(run.config.desk.span_scans))


def drain(fills: Queue, books: Store, market: Store, rules: Rulebook) -> None:
    """Relay and book every report; the marks of instants stay for the desk that goes on with the day."""
    relay(books, "fills", fills)
    taken = fills.take(ALL, 0.0)
    reports = [m for m in taken if m.key != "mark"]
    apart = MemoryQueue(lambda: 0.0)
    apart.put(reports)
    book = Book(BookPorts(apart, books, market, MemoryArchive(), SystemClock()), rules)
    while book.step(0.0):
        pass
    # Struck off only now: a crash before this books again, and what is known books nothing.
    fills.done([m.id for m in reports])
    fills.back([m.id for m in taken if m.key == "mark"], 0.0)
