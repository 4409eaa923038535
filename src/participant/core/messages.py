"""The values that cross the ports: messages, rows, jobs, the broker's books, tickets."""

from msgspec import Struct

from participant.core.scrip import Contract, Side


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


class Stamp(Struct, frozen=True):
    """Who did something, and when by the machine's clock (ns): people live by that one, whatever the market's says."""

    by: str
    at: int


class Closing(Struct, frozen=True):
    """How a ticket ended: `filled`, `rejected`, `closed` by a person, or `found` (by the machine: `by` is empty)."""

    how: str
    by: str
    at: int
    reason: str


class Evidence(Struct, frozen=True):
    """What is known of an order at the broker: how often it was sent, under which tag, and what the book showed.

    `shown` holds units and paise by the broker's order id.
    """

    sends: int
    tag: str
    said: str
    shown: dict[str, tuple[int, int]] = {}


class Work(Struct, frozen=True):
    """What is to be done by hand: units still to do, limit, why, until when (market time), and what is known of it."""

    contract: Contract
    side: Side
    quantity: int
    limit: int
    why: str
    deadline: int
    is_doubtful: bool
    evidence: Evidence


class Entry(Struct, frozen=True):
    """A fill made by hand, as a person entered it: units, average price, and when it filled (market time)."""

    broker_order_id: str
    quantity: int
    price: int
    filled_at: int
    stamp: Stamp


class BookLook(Struct, frozen=True):
    """A look into the broker's live book before a person acts: whose, when, what it said, in words.

    `is_checked` says that it left no doubt, `ruled_out` names orders that may be the ticket's and that the person says
    are not, `is_double` that an order of ours had appeared beside what was done by hand.
    """

    stamp: Stamp
    said: str
    is_checked: bool = True
    ruled_out: tuple[str, ...] = ()
    is_double: bool = False


class Ticket(Struct, frozen=True):
    """Work for a person: everything needed to act by hand, why, and what has become of it. `at` is market time.

    A ticket of an order carries `work`; a break with the broker's books has only its words.
    """

    ticket_id: str
    at: int
    scrip: str
    title: str
    detail: str
    order_id: str = ""
    work: Work | None = None
    acknowledged: Stamp | None = None
    claimed: Stamp | None = None
    entries: tuple[Entry, ...] = ()
    closed: Closing | None = None
    looks: tuple[BookLook, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to do."""
        return self.closed is not None

    @property
    def is_answered(self) -> bool:
        """Whether a person has it in hand: to claim or to end it is to acknowledge it."""
        return bool(self.acknowledged or self.claimed or self.closed)

    @property
    def state(self) -> str:
        """Where it stands, in one word."""
        if self.closed is not None:
            return "closed"
        return "claimed" if self.claimed else "acknowledged" if self.acknowledged else "open"
