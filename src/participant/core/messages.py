"""The values that cross the ports: messages, rows, jobs, the broker's books, tickets."""

from msgspec import Struct


class Message(Struct, frozen=True):
    """A message on a queue. `id` makes putting it twice harmless, `key` orders it among its like."""

    id: str
    key: str
    body: bytes
    receives: int = 0


class QueueDepth(Struct, frozen=True):
    """How many messages wait, are taken and not yet done, and are buried."""

    waiting: int
    taken: int
    buried: int


class Write(Struct, frozen=True):
    """One row to write: `value` None deletes. `expect` is the version it must have (0: must not exist; None: any)."""

    table: str
    key: str
    value: bytes | None
    expect: int | None = None


class Row(Struct, frozen=True):
    """A stored row. `version` counts its writes from 1, `seq` is the store's commit order."""

    table: str
    key: str
    value: bytes
    version: int
    seq: int


class Job(Struct, frozen=True):
    """Work for a brain: bytes in. It is killed `timeout_s` seconds of wall time after it was submitted."""

    id: str
    body: bytes
    timeout_s: float


class JobResult(Struct, frozen=True):
    """What became of a job: `done` with bytes, `error` with a reason, or `timeout`."""

    id: str
    outcome: str
    body: bytes = b""
    reason: str = ""


class Funds(Struct, frozen=True):
    """The broker's figures, in paise. `cash` is after the day's settlement of futures."""

    cash: int
    margin_used: int


class BrokerPosition(Struct, frozen=True):
    """A line of the broker's position book; `cost` in paise, as in Holding."""

    contract: str
    quantity: int
    cost: int


class Ticket(Struct, frozen=True):
    """Work for a person: everything needed to act by hand, and why."""

    ticket_id: str
    at: int
    scrip: str
    title: str
    detail: str
    order_id: str = ""
    is_closed: bool = False
