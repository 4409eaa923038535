"""What filled becomes position, cash and tradebook; what was decided becomes the day's log."""

from msgspec import Struct

from participant.core.books import Fill, OrderReport, filled
from participant.core.charges import charges
from participant.core.market import Mark
from participant.core.messages import Write
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.links.books import market_state
from participant.links.ledger import Entry, enter
from participant.ports import Archive, Clock, Queue, Store
from participant.wire.json import decode, encode


class BookPorts(Struct, frozen=True):
    """What the books need of the world."""

    fills: Queue
    books: Store
    quotes: Store
    archive: Archive
    clock: Clock


class Book:
    """Books reports in order. When an instant's mark comes by, all of the instant is booked, and it is released."""

    def __init__(self, ports: BookPorts, rules: Rulebook) -> None:
        """Begins where the queue and the archive stand."""
        self.ports, self.rules = ports, rules
        self.logged: dict[str, int] = {}

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
        quantity, value = told.cum_quantity, told.cum_value
        cost = charges(self.rules.charge_rates(day), told.contract, told.side, value).total if quantity else 0
        row = self.ports.books.get("fills", key)
        rows = []
        if quantity > (decode(row.value, Fill).quantity if row else 0):
            fill = Fill(
                told.order_id, told.decision_id, told.scrip, told.contract, told.side, quantity, value, cost, told.at
            )
            rows = [Write("fills", key, encode(fill), row.version if row else 0)]
        left = 0 if told.is_final else told.margin * (told.quantity - quantity) // told.quantity
        entry = Entry(told.scrip, told.at, [filled(told, cost, day)], rows, told.order_id, left)
        enter(self.ports.books, self.rules, market_state(self.ports.quotes, told.scrip), entry)

    def _close(self, mark: Mark) -> None:
        day = str(day_of(mark.at))
        self.write_log(day)
        if mark.is_last:
            self.ports.books.commit([Write("ended", day, encode(mark))])
        self.ports.clock.release(mark.at)

    def write_log(self, day: str) -> None:
        """Project the decisions committed since into the archive; what it holds already is never written again."""
        rows = self.ports.books.rows("log", prefix=f"{day}/", since=self.logged.get(day, 0))
        news = rows if day in self.logged else rows[self.ports.archive.count(day) :]
        if news:
            self.ports.archive.append(day, [r.value for r in news])
        self.logged[day] = rows[-1].seq if rows else self.logged.get(day, 0)
