"""The line between the desk and its broker: answers in the broker's own words, and a connection that goes down.

It counts what goes wrong as it happens (`seen`), so that a test can say which faults a day really had.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.responses import Response

from participant.adapters.brokers.memory import MemoryBroker
from participant.core.market import SECOND
from participant.core.messages import BrokerPosition, Funds
from participant.core.order import Answer, Order, OrderView, Verdict
from participant.ports import BrokerDown
from participant.venue.broker_api import error, ok, rejected
from participant.wire.broker import Placed, classify

T = TypeVar("T")

DOWN_MAX_S = 120
ON_THE_WAY = 8  # so many times as often while an order is on its way: there are few of them
NO_CONNECTION = Answer(Verdict.NOT_SENT, "no connection to the broker")
LOST_ANSWER = Answer(Verdict.UNKNOWN, "ReadTimeout: the answer was too late")
LATE = "taken later, and the answer was"


class Line:
    """Implements Broker and BrokerBooks over the exchange; before and after each request it may go down for a while.

    `share` is how often. `proven` holds the tag stems of orders of which an answer said, or a missing connection
    showed, that an attempt was not taken, whatever the desk makes of it; `unchanged` those whose last change was proven
    not to be; `late_s` is how late each late order is.
    """

    def __init__(self, exchange: MemoryBroker, seed: int, share: float) -> None:
        self._exchange, self._rng, self.share = exchange, random.Random(f"line {seed}"), share
        self._down_until = 0
        self.seen: Counter[str] = Counter()
        self.proven: set[str] = set()
        self.unchanged: set[str] = set()
        self.late_s: list[int] = []

    def mend(self) -> None:
        """Up, and it stays up."""
        self.share, self._down_until = 0.0, 0

    # --- requests about orders ---

    def place(self, order: Order) -> Answer:
        """Send the order on, unless there is no connection; the answer may get lost."""
        if self._is_down():
            return self._unsent(order, "the line was down: not sent")
        answer = self._exchange.place(order)
        if self._is_down(ON_THE_WAY):
            self._note(order, "lost with the line")
            return LOST_ANSWER
        if answer.verdict is Verdict.REJECTED:
            self.proven.add(order.tag_stem)
            self.seen["throttled" if answer.is_retriable else "refused"] += 1
        if answer.verdict is Verdict.UNKNOWN and self._rng.random() < 0.5:
            self._note(order, "a time-out")
            return LOST_ANSWER
        if answer.verdict is Verdict.UNKNOWN:
            self._note(order, "a 400")
        return worded(answer)

    def modify(self, order: Order) -> Answer:
        """Ask for another limit, unless there is no connection; the answer may get lost."""
        self.unchanged.discard(order.tag_stem)
        if self._is_down():
            self.seen["the line was down: no change asked for"] += 1
            self.unchanged.add(order.tag_stem)
            return NO_CONNECTION
        answer = self._exchange.modify(order)
        if self._is_down(ON_THE_WAY) or answer.verdict is Verdict.UNKNOWN:
            self.seen["a change of unknown fate"] += 1
            return LOST_ANSWER
        self.seen["changed" if answer.verdict is Verdict.ACCEPTED else "a change was refused"] += 1
        answer = worded(answer)
        if answer.verdict is Verdict.REJECTED:
            self.unchanged.add(order.tag_stem)
        return answer

    def cancel(self, order: Order | OrderView) -> Answer:
        """Ask for the order's end, unless there is no connection."""
        if self._is_down():
            self.seen["the line was down: no end asked for"] += 1
            return NO_CONNECTION
        answer = worded(self._exchange.cancel(order))
        return LOST_ANSWER if self._is_down(ON_THE_WAY) else answer

    def updates(self) -> list[OrderView]:
        """What the stream brings; what was told while the line was down is never said again."""
        told = self._exchange.state.told
        heard = self._exchange.updates()
        fresh = {(v.broker_order_id, v.status, v.cum_quantity) for v in heard}
        self.seen["an update that was never told"] += max(0, self._exchange.state.told - told - len(fresh))
        if self._is_down():
            self.seen["the line was down: an update was lost"] += len(heard)
            return []
        self.seen["an update told twice"] += len(heard) - len(fresh)
        self.seen["an update out of order"] += sum(
            any(_is_older(view, before) for before in heard[:place]) for place, view in enumerate(heard)
        )
        self.seen["filled in part"] += sum(v.status == "open" and v.cum_quantity > 0 for v in heard)
        return heard

    # --- books ---

    def margin(self, orders: Sequence[Order]) -> int:
        """What these orders need."""
        return self._read(lambda: self._exchange.margin(orders))

    def find(self, tag_stem: str) -> list[OrderView]:
        """The orders of the day whose tag begins so."""
        return self._read(lambda: self._exchange.find(tag_stem))

    def orders(self) -> list[OrderView]:
        """All orders of the day."""
        return self._read(self._exchange.orders)

    def positions(self) -> list[BrokerPosition]:
        """What is held."""
        return self._read(self._exchange.positions)

    def funds(self) -> Funds:
        """Cash and margin."""
        return self._read(self._exchange.funds)

    def _read(self, ask: Callable[[], T]) -> T:
        if self._is_down():
            self.seen["the line was down: no book"] += 1
            raise BrokerDown("no connection to the broker")
        try:
            return ask()
        except BrokerDown:
            self.seen["a book that could not be read"] += 1
            raise

    # --- what goes wrong ---

    def _is_down(self, times: int = 1) -> bool:
        now = self._exchange.state.at
        if now >= self._down_until and self._rng.random() < self.share * times:
            self._down_until = now + self._rng.randint(1, DOWN_MAX_S) * SECOND
            self.seen["the line went down"] += 1
        return now < self._down_until

    def _unsent(self, order: Order, what: str) -> Answer:
        self.seen[what] += 1
        self.proven.add(order.tag_stem)
        return NO_CONNECTION

    def _note(self, order: Order, how: str) -> None:
        """Count an answer that proves nothing by what has become of the order meanwhile."""
        state = self._exchange.state
        if any(o.request.tag == order.tag for o in state.orders[-1:]):
            self.seen[f"taken, and the answer was {how}"] += 1
        elif any(o.request.tag == order.tag for o in state.late[-1:]):
            self.seen[f"{LATE} {how}"] += 1
            self.late_s.append((state.late[-1].accept_at - state.at) // SECOND)
        else:
            self.seen[f"never taken, and the answer was {how}"] += 1


def worded(answer: Answer) -> Answer:
    """The answer as the broker's HTTP says it, read back by its guarantees: what does not prove anything is a 400."""
    said = _said(answer)
    return classify(said.status_code, bytes(said.body))


def _said(answer: Answer) -> Response:
    if answer.verdict is Verdict.ACCEPTED:
        return ok(Placed(answer.broker_order_id))
    if answer.verdict is Verdict.REJECTED:
        return error(429, "RateException", answer.reason) if answer.is_retriable else rejected(answer.reason)
    return error(400, "NetworkException", answer.reason)


def _is_older(view: OrderView, other: OrderView) -> bool:
    """Whether a view tells less of the same order than another."""
    is_same = view.broker_order_id == other.broker_order_id
    has_less = view.cum_quantity < other.cum_quantity or (view.status == "open" != other.status)
    return is_same and has_less
