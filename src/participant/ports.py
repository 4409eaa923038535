"""The ports: what the stages need of the world, each with the promise that every adapter must keep.

One conformance suite a port (`tests/ports/`) runs over all adapters, the in-memory ones first.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from participant.core.market import FeedEvent, Quote
from participant.core.messages import (
    BrokerPosition,
    Funds,
    Job,
    JobResult,
    Message,
    QueueDepth,
    Row,
    Write,
)
from participant.core.notices import Delivery, Notice
from participant.core.order import Answer, Order, OrderView


class BrokerDown(Exception):
    """The broker could not be asked, or did not answer in full: nothing is known, which is not the same as nothing."""


class LeaseHeld(Exception):
    """Another holds the lease, or it was lost: who, and what to do. Whoever gets this sends nothing."""


class StoreBroken(Exception):
    """The store cannot be read or written: what, where and how to mend it."""


# --- the ports ------------------------------------------------------------------------------------------------------


class Feed(Protocol):
    """One provider of market data. Loses its link quietly: says Down, connects again by itself, never raises."""

    @property
    def counts(self) -> Mapping[str, int]:
        """How much of what arrived was dropped unread so far, by reason: few reasons, none in a provider's words."""

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What arrived, oldest first; waits up to `wait_s` for the first. The first Ticks of a link are a snapshot."""

    def close(self) -> None:
        """End the link and whatever serves it."""


class Queue(Protocol):
    """Messages between two stages. At least once, first in first out per key, bounded receives, dead letters."""

    def put(self, messages: Sequence[Message]) -> int:
        """Add messages, all or none; one whose id was ever put before is passed over. Returns how many were new."""

    def take(self, limit: int, wait_s: float) -> list[Message]:
        """Up to `limit` messages in order; they stay hidden until done, given back, or the visibility time is over."""

    def done(self, ids: Sequence[str]) -> None:
        """These are finished with, for good."""

    def back(self, ids: Sequence[str], delay_s: float) -> None:
        """Give these back, to be taken again after `delay_s`."""

    def bury(self, ids: Sequence[str], reason: str) -> None:
        """Put these among the dead letters, with a reason."""

    def depth(self) -> QueueDepth:
        """How many wait, are taken, and are buried."""


class Store(Protocol):
    """Rows of bytes in named tables, changed only by conditional commits. Committed means on disk."""

    def get(self, table: str, key: str) -> Row | None:
        """One row, or None."""

    def rows(self, table: str, prefix: str = "", since: int = 0) -> list[Row]:
        """The rows whose key begins with `prefix` and whose `seq` is above `since`, in commit order."""

    def commit(self, writes: Sequence[Write]) -> bool:
        """Write all or nothing; False, with nothing written, where an expectation does not hold."""

    def close(self) -> None:
        """Let go of the store."""


class Compute(Protocol):
    """Runs brain jobs apart from us: one process a job at a time, killed at its deadline. Bytes in, bytes out."""

    def submit(self, job: Job) -> None:
        """Hand over a job; it may wait for a free worker, and its time runs."""

    def results(self, wait_s: float) -> list[JobResult]:
        """What ended, one result a job; waits up to `wait_s` for the first."""

    def close(self) -> None:
        """End all workers; jobs that run are lost."""


class Broker(Protocol):
    """Where orders go. Answers are classified; what is not proven is UNKNOWN. Never sends anything a second time."""

    def place(self, order: Order) -> Answer:
        """Send the order once, under `order.tag`, limit, day."""

    def modify(self, order: Order) -> Answer:
        """Ask once for the order's present limit; what it may still fill stays as it is."""

    def cancel(self, order: Order | OrderView) -> Answer:
        """Ask for the end of an order, ours or one that the book shows; only the book proves it."""

    def find(self, tag_stem: str) -> list[OrderView]:
        """Every order of the day whose tag begins so. Raises BrokerDown where the book could not be read in full."""

    def updates(self) -> list[OrderView]:
        """What the update stream brought since the last call; may repeat, miss and reorder."""

    def margin(self, orders: Sequence[Order]) -> int:
        """The margin (paise) that these orders need together on top of the present book. Raises BrokerDown."""


class BrokerBooks(Protocol):
    """The broker's books, for reconciliation. A failed read raises BrokerDown; it is never an empty book."""

    def login(self) -> None:
        """Prove that the session is good today."""

    def orders(self) -> list[OrderView]:
        """All orders of the day."""

    def positions(self) -> list[BrokerPosition]:
        """All open positions."""

    def funds(self) -> Funds:
        """Cash and margin."""

    def quote(self, contract: str) -> Quote | None:
        """The broker's own quote, where it has one."""

    def settlements(self) -> dict[str, int] | None:
        """The day's official settlement prices, by underlying and by future's key; `None` before they are out."""


class Notifier(Protocol):
    """One address of one channel to people. Never raises, and never waits for the channel: its answer comes later."""

    def send(self, notice: Notice) -> None:
        """Take a notice to deliver once; what became of it is among the deliveries sooner or later."""

    def delivered(self) -> list[Delivery]:
        """What has been delivered, or has failed and why, since the last call."""

    def close(self) -> None:
        """Let go of the channel; what is under way may be lost."""


class Archive(Protocol):
    """The decision log as files: JSON lines a day and the parts they refer to, sealed into Parquet in the evening."""

    def append(self, day: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Add lines, each with the pack of its parts, durably; the parts come first. What is torn is repaired first."""

    def count(self, day: str) -> int:
        """How many whole lines with their parts the day's log has."""

    def read(self, day: str) -> Iterator[tuple[bytes, bytes]]:
        """The day's lines in order, each with the pack of the parts that no earlier line of the day refers to."""

    def seal(self, day: str) -> str:
        """Keep the day's log as it is now in one piece; returns where. Sealing again gives the same.

        What is sealed and is not what the log begins with is never overwritten.
        """


class Clock(Protocol):
    """The time of the market that we trade in: the system's, a venue's (scaled or in lockstep), or a virtual one."""

    def now(self) -> int:
        """Nanoseconds since the epoch, UTC."""

    def release(self, at: int) -> None:
        """Say that instant `at` is closed: a venue in lockstep moves on; every other clock takes no notice."""


class Lease(Protocol):
    """Who may run this desk: one holder at a time."""

    def take(self, owner: str) -> str:
        """Take the lease; returns an empty string, or who holds it."""

    def is_held(self) -> bool:
        """Whether we hold it now."""

    def release(self) -> None:
        """Give it up."""
