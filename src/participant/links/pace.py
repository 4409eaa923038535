"""The pace of our messages to the broker: every place, modify and cancel is counted, whoever asks for it.

An order that finds no room waits, claimed; it is denied only once its deadline has passed.
"""

from collections.abc import Iterable, Sequence

from participant.core.limits import Limits
from participant.core.order import Answer, Order, OrderView, Verdict
from participant.core.rate import Bucket, spend, started, wait
from participant.links.books import Held
from participant.ports import Broker, Clock


class Pace:
    """Counts messages by a steady clock. `is_waiting` says that something waits for room that will come by itself."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        """Begins empty-handed, as if the last second had been full."""
        self.limits, self.clock = limits, clock
        self.bucket: Bucket = started(clock.now(), limits, 0)
        self.is_waiting = False

    def begin(self, sends: int) -> None:
        """Count at least so many messages today: those that the books know of, from before we started."""
        if sends > self.bucket.today:
            self.bucket = Bucket(self.bucket.sent, sends, self.bucket.at)

    def has_room(self, *, is_halt: bool = False) -> bool:
        """Whether one more message may go now."""
        waits = wait(self.bucket, self.clock.now(), self.limits, is_halt=is_halt)
        self.is_waiting = self.is_waiting or bool(waits)
        return waits == 0

    def spend(self) -> None:
        """Count a message that is about to go."""
        self.bucket = spend(self.bucket, self.clock.now())

    def may_end(self) -> bool:
        """Whether an order's end may be asked for now: for that some room is kept, and no day's count stops it."""
        return self.has_room(is_halt=True)

    def throttled(self) -> None:
        """The broker counts otherwise than we do: its second is full, and nothing goes before it is over."""
        full = started(self.clock.now(), self.limits, self.bucket.today)
        self.bucket = Bucket((*self.bucket.sent, *full.sent), full.today, full.at)


def messages_of(orders: Iterable[Held]) -> int:
    """How many messages about these orders have gone to the broker."""
    return sum(h.order.sends + h.order.changes + h.order.cancels for h in orders)


class PacedBroker:
    """Implements Broker over another: what changes something at the broker is counted before it goes."""

    def __init__(self, broker: Broker, pace: Pace) -> None:
        self.broker, self.pace = broker, pace

    def place(self, order: Order) -> Answer:
        """Send the order once."""
        self.pace.spend()
        answer = self.broker.place(order)
        if answer.verdict is Verdict.REJECTED and answer.is_retriable:
            self.pace.throttled()
        return answer

    def modify(self, order: Order) -> Answer:
        """Ask for the order's present limit."""
        self.pace.spend()
        return self.broker.modify(order)

    def cancel(self, order: Order | OrderView) -> Answer:
        """Ask for the order's end."""
        self.pace.spend()
        return self.broker.cancel(order)

    def find(self, tag_stem: str) -> list[OrderView]:
        """Every order of the day whose tag begins so."""
        return self.broker.find(tag_stem)

    def updates(self) -> list[OrderView]:
        """What the update stream brought."""
        return self.broker.updates()

    def margin(self, orders: Sequence[Order]) -> int:
        """The margin (paise) that these orders need together."""
        return self.broker.margin(orders)
