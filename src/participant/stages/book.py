"""What filled becomes position, cash and tradebook; what was decided becomes the day's log."""

from collections.abc import Callable

from msgspec import Struct

from participant.core.books import Fill, OrderReport, fill_of, filled, is_news
from participant.core.charges import charges
from participant.core.market import Mark
from participant.core.messages import Write
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.links.books import market_state
from participant.links.decision_log import DecisionLog
from participant.links.ledger import Entry, enter
from participant.links.marks import flow_row
from participant.ports import Archive, Clock, Queue, Store
from participant.wire.json import decode, encode

BOOKINGS_MAX = 10  # of one instant, before it is released whatever is still on its way


class BookPorts(Struct, frozen=True):
    """What the books need of the world; without an archive the log stays in them."""

    fills: Queue
    books: Store
    quotes: Store
    archive: Archive | None
    clock: Clock


class Book:
    """Books reports in order. When an instant's mark comes by, all of the instant is booked, and it is released."""

    def __init__(self, ports: BookPorts, rules: Rulebook, is_due: Callable[[int], bool] = lambda _: False) -> None:
        """Begins where queue and archive stand; before an instant is released, `is_due` may want more booked."""
        self.ports, self.rules, self.is_due = ports, rules, is_due
        self.log = DecisionLog(ports.books, ports.archive)

    def step(self, wait_s: float) -> bool:
        """Book what came and write the log up; False when nothing happened."""
        messages = self.ports.fills.take(100, wait_s)
        for message in messages:
            if message.key == "mark":
                self._close(decode(message.body, Mark))
            else:
                self._book(decode(message.body, OrderReport))
            self.ports.fills.done([message.id])
        return bool(messages)

    def _book(self, told: OrderReport) -> None:
        """A report that brings nothing new changes nothing, however often and in whatever order it comes."""
        day, key = day_of(told.at), f"{day_of(told.decided_at)}/{told.order_id}"
        quantity, rates = told.cum_quantity, self.rules.charge_rates(day)
        cost = charges(rates, told.contract, told.side, told.cum_value).total if quantity else 0
        row = self.ports.books.get("fills", key)
        known = decode(row.value, Fill) if row else None
        market = market_state(self.ports.quotes, told.scrip)
        rows = [Write("fills", key, encode(fill_of(told, cost)), row.version if row else 0)]
        rows = [*rows, flow_row(market, told, known, cost)] if is_news(told, known) else []
        left = 0 if told.is_final else told.margin * (told.quantity - quantity) // told.quantity
        entry = Entry(told.scrip, told.at, [filled(told, cost, day)] if rows else [], rows, told.order_id, left, known)
        enter(self.ports.books, self.rules, market, entry)

    def _close(self, mark: Mark) -> None:
        day = str(day_of(mark.at))
        self.log.write(day)
        if mark.is_last:
            self.ports.books.commit([Write("ended", day, encode(mark))])
        for _ in range(BOOKINGS_MAX):
            if not self.is_due(mark.at):
                break
            self.step(0.0)
        self.ports.clock.release(mark.at)
