"""The books as values: orders, account, positions and decisions, read from and written to the Store's rows."""

import datetime
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account
from participant.core.books import equity, report
from participant.core.breaker import NO_HALT, BreakerState, Halt
from participant.core.cover import mark
from participant.core.decision import Decision
from participant.core.market import MarketState
from participant.core.messages import Message, Ticket, Write
from participant.core.order import OPEN, Order, denied
from participant.core.position import Position
from participant.core.risk import Refusal
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract
from participant.core.session import day_of
from participant.core.tickets import order_ticket
from participant.links.outbox import promise
from participant.ports import Store
from participant.wire.json import decode, decode_once, encode


class Held(Struct, frozen=True):
    """An order as it stands in the books, and the version that a write must find there."""

    order: Order
    version: int

    @property
    def key(self) -> str:
        """Its row: the day it was decided on, and its id."""
        return f"{day_of(self.order.decided_at)}/{self.order.order_id}"


class Disabled(Struct, frozen=True):
    """A scrip that a control has disabled: why, by which control, since when."""

    scrip: str
    why: str
    control: str
    at: int


class Enabled(Struct, frozen=True):
    """What a person said when they enabled a scrip again."""

    scrip: str
    why: str
    at: int


class Shadowed(Struct, frozen=True):
    """Whose account a shadow home watches: the broker's name and its profile. Such a home never trades."""

    broker: str
    profile: str


class _Logged(Struct, rename="camel"):
    decision_info: Decision


class Books:
    """Typed access to a store. Of one day's orders it keeps what it has read, and asks only for what changed since."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._day, self._read_to = datetime.date.min, 0
        self._read: dict[str, Held] = {}

    @property
    def shadowed(self) -> Shadowed | None:
        """The account that these books are the shadow of; None where they are a desk's own."""
        row = self.store.get("mode", "shadow")
        return decode(row.value, Shadowed) if row else None

    def orders(self, day: datetime.date, prefix: str = "") -> list[Held]:
        """The day's orders whose id begins with `prefix`, in the order of their last change."""
        return [held for key, held in self._orders(day).items() if key.startswith(f"{day}/{prefix}")]

    def _orders(self, day: datetime.date) -> dict[str, Held]:
        """The day's orders by their row, as they stand now; no order is ever deleted."""
        if day != self._day:
            self._day, self._read_to, self._read = day, 0, {}
        for row in self.store.rows("orders", prefix=f"{day}/", since=self._read_to):
            self._read.pop(row.key, None)
            self._read[row.key] = Held(decode(row.value, Order), row.version)
            self._read_to = row.seq
        return self._read

    def orders_ever(self, order_id: str) -> list[Held]:
        """The order of this id, of whatever day; nothing where `order_id` is empty."""
        rows = self.store.rows("orders") if order_id else []
        return [Held(decode(r.value, Order), r.version) for r in rows if r.key.endswith(f"/{order_id}")]

    def legs(self, day: datetime.date, decision_id: str) -> list[Held]:
        """The orders of one decision, by leg and slice."""
        mine = [held for held in self._orders(day).values() if held.order.decision_id == decision_id]
        return sorted(mine, key=lambda held: (held.order.leg, held.order.part))

    def unfinished(self, day: datetime.date) -> list[str]:
        """The decisions with orders that are not over, in the order of (instant, scrip)."""
        alive = [h.order for h in self.orders(day) if h.order.status in OPEN]
        alive.sort(key=lambda o: (o.decided_at, o.scrip, o.decision_id))
        return list(dict.fromkeys(o.decision_id for o in alive))

    def account(self) -> tuple[Account, int]:
        """The account and its version; nothing and 0 where there is none."""
        row = self.store.get("account", "account")
        return (decode_once(row.value, Account), row.version) if row else (Account(0, 0), 0)

    def position(self, symbol: str) -> tuple[Position, int]:
        """A scrip's booked position and its version."""
        row = self.store.get("positions", symbol)
        return (decode_once(row.value, Position), row.version) if row else (Position(symbol), 0)

    def positions(self) -> list[Position]:
        """The booked positions of all scrips."""
        return [decode_once(r.value, Position) for r in self.store.rows("positions")]

    def breaker(self) -> BreakerState | None:
        """The breaker as it was last evaluated."""
        row = self.store.get("breaker", "state")
        return decode(row.value, BreakerState) if row else None

    def halt(self) -> Halt:
        """What a person last asked of the breaker."""
        row = self.store.get("breaker", "halt")
        return decode(row.value, Halt) if row else NO_HALT

    def decision(self, order: Order) -> Decision | None:
        """The logged decision that an order belongs to."""
        row = self.store.get("log", f"{day_of(order.decided_at)}/{order.decision_id}")
        return decode(row.value, _Logged).decision_info if row else None

    def save(self, held: Held, after: Order, extra: Iterable[Write] = ()) -> bool:
        """Write an order down, and promise the books what filled, in one commit; False where another was first."""
        return self.store.commit([*self.writes(held, after), *extra])

    def writes(self, held: Held, after: Order) -> list[Write]:
        """What a commit must hold to change an order: its row, and where something filled the promise to the books."""
        writes = [Write("orders", held.key, encode(after), held.version)]
        ended = after.status not in OPEN and held.order.status in OPEN
        is_corrected = after.revision != held.order.revision
        if ended or is_corrected or after.cum_quantity > held.order.cum_quantity:
            told = report(after)
            again = f"-{after.revision}" if after.revision else ""  # figures may come back to what they were
            name = f"{after.order_id}-{after.cum_quantity}-{int(told.is_final)}{again}"
            writes.append(promise("fills", Message(name, after.scrip, encode(told))))
        return writes

    def deny(self, held: Held, reason: str) -> bool:
        """Write down that our own checks refuse an order, and why."""
        return self.save(held, denied(held.order, reason))

    def refuse(self, held: Held, refusal: Refusal, now: int) -> bool:
        """Write down which control refuses an order, with its figures; one that disables the scrip does so with it."""
        return self.store.commit(self.refusal(held, refusal, now))

    def refusal(self, held: Held, refusal: Refusal, now: int) -> list[Write]:
        """What a commit must hold for `refuse`."""
        rows = refusal_rows(held.key, held.order.scrip, refusal, now)
        return [*self.writes(held, denied(held.order, refusal.said, refusal.control)), *rows]

    def hand_over(self, held: Held, order: Order, now: int) -> bool:
        """Give an order to a person: one ticket, however often, and the order marked so in the same commit."""
        decision = None if order.is_ticketed else self.decision(order)
        ticket = order_ticket(order, now, decision.reason if decision else "")
        extra = [] if order.is_ticketed else [Write("tickets", ticket.ticket_id, encode(ticket), 0)]
        return self.save(held, replace(order, is_ticketed=True), extra)

    def ticket(self, ticket_id: str) -> tuple[Ticket | None, int]:
        """A ticket and its version."""
        row = self.store.get("tickets", ticket_id)
        return (decode(row.value, Ticket), row.version) if row else (None, 0)


def refusal_rows(key: str, scrip: str, refusal: Refusal, now: int) -> list[Write]:
    """What a refusal leaves in the books: itself, and where it says so the scrip disabled."""
    rows = [Write("refusals", key, encode(refusal))]
    if refusal.disables:
        off = Disabled(scrip, f"{refusal.control} {refusal.said}", refusal.control, now)
        rows.append(Write("disabled", off.scrip, encode(off)))
    return rows


def worth(store: Store, quotes: Store, *, at_cost: bool = False) -> int | None:
    """What the desk is worth now (paise): cash, futures and options at the middle of their newest quotes.

    None where something that is held has no valid quote, unless it may stand in the sum at its cost.
    """
    books = Books(store)
    positions, marks = books.positions(), dict[Contract, int]()
    for holding in (h for p in positions for h in p.holdings):
        now = mark(market_state(quotes, holding.contract.underlying), holding.contract)
        if now is not None:
            marks[holding.contract] = now
        elif at_cost:
            marks[holding.contract] = abs(holding.cost * PRICE_UNITS_PER_PAISA // holding.quantity)
        else:
            return None
    return equity(books.account()[0], positions, marks.__getitem__)


def market_state(quotes: Store, symbol: str) -> MarketState | None:
    """The newest market state of a scrip, as ingest put it down."""
    row = quotes.get("quotes", symbol)
    return decode(row.value, MarketState) if row else None
