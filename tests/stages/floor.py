"""A trading floor in memory for the tests of the stages: two scrips, an exchange, stores, queues, clocks."""

import datetime
from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Raw
from msgspec.structs import replace

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.brokers.memory import MemoryBroker
from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.leases.memory import MemoryLease
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.board import Board, observe
from participant.core.breaker import BreakerState, Halt, Level, Triggers
from participant.core.decision import Action, Decision, DecisionInput, DecisionRecord, Leg, PositionInfo
from participant.core.ids import digest
from participant.core.market import SECOND, LookBack, Mark, MarketState, Quote, Reference, Tick, Ticks
from participant.core.messages import Message, Stamp, Ticket, Write
from participant.core.order import Answer, Order, OrderStatus, OrderView, Verdict, orders_of
from participant.core.position import Position
from participant.core.risk import Limits
from participant.core.scrip import PRICE_UNITS, Contract, Kind, Scrip, Side
from participant.core.sending import SendRule
from participant.core.session import at_time
from participant.core.snapshot import snapshot
from participant.links.decision_log import DecisionLog, LogRows
from participant.links.faults import Fault, FaultKind, Faults
from participant.links.outbox import promise, relay
from participant.links.parts import unpack, whole
from participant.operate.desk import end
from participant.ports import Archive, Store
from participant.stages.book import Book, BookPorts
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.wire.json import decode, encode
from tests.core.worlds import RULES

DAY = datetime.date(2026, 11, 25)
EXPIRY = datetime.date(2026, 12, 29)
START = at_time(DAY, 10, 0)
CAPITAL = 3_00_00_000_00
LAKH = 1_00_000_00
SPOTS = {"NIFTY": 24_000 * PRICE_UNITS, "BANKNIFTY": 54_000 * PRICE_UNITS}
LOTS = {"NIFTY": 65, "BANKNIFTY": 30}


def future(symbol: str = "NIFTY") -> Contract:
    return Contract(symbol, EXPIRY, Kind.FUTURE, 0, LOTS[symbol], 1_000, LOTS[symbol] * 20)


def call(symbol: str = "NIFTY") -> Contract:
    strike = SPOTS[symbol] + 1_000 * PRICE_UNITS
    return Contract(symbol, EXPIRY, Kind.CALL, strike, LOTS[symbol], 500, LOTS[symbol] * 20)


def small() -> Contract:
    """A later future of NIFTY of which one order may have two lots and no more."""
    return replace(future(), expiry=datetime.date(2027, 1, 26), freeze=2 * LOTS["NIFTY"])


def ending() -> Contract:
    """A call of NIFTY that expires today."""
    return replace(call(), expiry=DAY)


CONTRACTS = {"NIFTY": (ending(), future(), small(), call()), "BANKNIFTY": (future("BANKNIFTY"), call("BANKNIFTY"))}
REFERENCES = tuple(Reference(s, CONTRACTS[s], LookBack((SPOTS[s],), (0.15,))) for s in SPOTS)


def quoted(contract: Contract) -> Quote:
    """Ten lots on either side, one tick round a middle."""
    middle = SPOTS[contract.underlying] if contract.kind is Kind.FUTURE else 150 * PRICE_UNITS
    return Quote(middle - contract.tick, middle + contract.tick, 10 * contract.lot, 10 * contract.lot, START)


class Crash(BaseException):
    """A process dies here. Not an Exception, so that nothing can catch it."""


class Exchange(MemoryBroker):
    """The broker in memory; a test may look on, or let the gateway die, just before and just after an order arrives."""

    before_place: Callable[[Order], object] | None = None
    after_place: Callable[[Order], object] | None = None
    before_cancel: Callable[[], object] | None = None
    before_change: Callable[[Order], object] | None = None
    after_change: Callable[[Order], object] | None = None
    is_unreachable = False

    def place(self, order: Order) -> Answer:
        if self.before_place:
            self.before_place(order)
        if self.is_unreachable:
            return Answer(Verdict.NOT_SENT, "connection refused")
        answer = super().place(order)
        if self.after_place:
            self.after_place(order)
        return answer

    def modify(self, order: Order) -> Answer:
        if self.before_change:
            self.before_change(order)
        answer = super().modify(order)
        if self.after_change:
            self.after_change(order)
        return answer

    def cancel(self, order: Order | OrderView) -> Answer:
        if self.before_cancel:
            self.before_cancel()
        return super().cancel(order)

    def plan(self, *kinds: FaultKind, **changes: Any) -> None:
        """These things go wrong with the next requests, one each, and nothing after them."""
        self.fail(Faults(plan={i: Fault(kind) for i, kind in enumerate(kinds, 1)}, **changes))


class Ticking(VirtualClock):
    """A second passes whenever it is read: whoever goes by it never finds the rate used up."""

    def now(self) -> int:
        self.advance(SECOND)
        return super().now()


class Contended(MemoryStore):
    """A store that others write too: before each of our commits to `table` the next of `others` acts, once."""

    def __init__(self, table: str) -> None:
        super().__init__()
        self.table = table
        self.others: list[Callable[[], object]] = []

    def commit(self, writes: Sequence[Write]) -> bool:
        if self.others and any(w.table == self.table for w in writes):
            other = self.others.pop(0)
            held, self.others = self.others, []
            other()
            self.others = held
        return super().commit(writes)


def spread(decision: Decision, floor: "Floor") -> list[Write]:
    """The rows that a committed decision leaves, as dispatch writes them."""
    info = PositionInfo(Position(decision.scrip), floor.account())
    given = DecisionInput(Scrip(decision.scrip), floor.states[decision.scrip], info)
    writes = LogRows(floor.books).of(DAY, given, decision)
    writes += [Write("orders", f"{DAY}/{o.order_id}", encode(o), 0) for o in orders_of(decision)]
    return [*writes, promise("orders", Message(decision.decision_id, decision.scrip, b""))]


class Floor:
    """Everything around the stages. What a test changes here is what the world does to them."""

    def __init__(self, books: MemoryStore | None = None) -> None:
        self.clock, self.wall = VirtualClock(START), VirtualClock(START)
        self.leases: dict[str, MemoryLease] = {}
        self.steady: VirtualClock = Ticking(0)
        self.books, self.market = books or MemoryStore(), MemoryStore()
        self.queues = {n: MemoryQueue(lambda: self.wall.now() / SECOND) for n in ("market", "orders", "fills")}
        contracts = [c for of in CONTRACTS.values() for c in of]
        self.exchange = Exchange(contracts, RULES, DAY, CAPITAL)
        self.quotes = {c.key: quoted(c) for c in contracts}
        self.states: dict[str, MarketState] = {}
        self.parked: dict[str, bytes] = {}
        self.books.commit([Write("account", "account", encode(Account(CAPITAL, CAPITAL)))])
        self.at(0)
        master = [Write("reference", r.scrip, encode(r)) for r in REFERENCES]
        self.market.commit([*master, Write("master", "day", str(DAY).encode())])
        self.breaker(Level.CLOSED)

    # --- the world ---

    def park(self, name: str, given: bytes) -> str:
        """Where a job's input is kept that nobody can decide on; the sentence says so."""
        self.parked[name] = given
        return f"It is parked as {name}."

    def at(self, seconds: float) -> None:
        """So many seconds after the start every contract is quoted anew, and the exchange matches what rests."""
        self.clock.set(START + int(seconds * SECOND))
        now = self.clock.now()
        self.quotes = {k: replace(q, exchange_at=now) for k, q in self.quotes.items()}
        ticks = [Tick(k, q.bid, q.ask, q.bid_size, q.ask_size, 0, now) for k, q in self.quotes.items()]
        ticks += [Tick(s, 0, 0, 0, 0, spot, now) for s, spot in SPOTS.items()]
        board = observe(Board("one"), Ticks("one", now, tuple(ticks), is_snapshot=True))
        for known in REFERENCES:
            state = snapshot(board, known)
            assert state is not None
            self.states[known.scrip] = state
            self.market.commit([Write("quotes", known.scrip, encode(state))])
        self.exchange.on_quotes(now, self.quotes)

    def reprice(self, contract: Contract, **changes: int) -> None:
        """A contract is quoted otherwise from now on."""
        self.quotes[contract.key] = replace(self.quotes[contract.key], **changes)
        self.at((self.clock.now() - START) / SECOND)

    def move_away(self, contract: Contract) -> None:
        """The exchange's quote leaves ours behind, so that an order rests until the market is shown anew."""
        quote, away = self.quotes[contract.key], 20 * contract.tick
        there = replace(quote, bid=quote.bid - away, ask=quote.ask + away)
        self.exchange.see({contract.key: there})

    def breaker(self, level: Level, at: int = START) -> None:
        """The breaker was evaluated just now, for the market as of `at`."""
        reasons = () if level is Level.CLOSED else ("a test asked for it",)
        state = BreakerState(level, reasons, at, self.wall.now())
        self.books.commit([Write("breaker", "state", encode(state))])

    def halt(self, level: Level) -> None:
        """A person pulls the breaker, or lets go of it; the evaluator has not seen it yet."""
        self.books.commit([Write("breaker", "halt", encode(Halt(level, "a person asked for it", self.wall.now())))])

    def mark(self, name: str, at: int, *, is_last: bool = False) -> None:
        """An instant has ended, as far as the stage before this queue is concerned."""
        self.queues[name].put([Message(f"mark-{at}", "mark", encode(Mark("one", at, at, is_last)))])

    # --- decisions ---

    def leg(self, contract: Contract, side: Side, lots: int = 1, margin: int = 2 * LAKH) -> Leg:
        """A leg at the far touch."""
        quote = self.quotes[contract.key]
        limit = quote.ask if side is Side.BUY else quote.bid
        return Leg(contract, side, lots * contract.lot, limit, margin)

    def decide(self, *legs: Leg, action: Action = Action.OPEN, **changes: Any) -> Decision:
        """A decision as dispatch commits and hands it on; by default to buy a future and to sell a call against it."""
        legs = legs or (self.leg(future(), Side.BUY), self.leg(call(), Side.SELL))
        symbol, now = legs[0].contract.underlying, self.clock.now()
        name = digest(symbol, now, action, [leg.side for leg in legs])
        deadline = now + 600 * SECOND
        made = Decision(name, symbol, action, "because", {}, legs, "s", now, deadline, "rules", "build")
        made = replace(made, **changes)
        assert self.books.commit(spread(made, self))
        relay(self.books, "orders", self.queues["orders"])
        return made

    # --- the gateway ---

    def gateway(self, *, is_lockstep: bool = False, limits: Limits | None = None) -> Gateway:
        """A gateway that has just been started."""
        self.queues["orders"].restart()
        orders, fills = self.queues["orders"], self.queues["fills"]
        self.leases.clear()  # what a process held is free when it has ended
        lease = MemoryLease(self.leases)
        stores = self.books, self.market, self.books
        ports = GatewayPorts(orders, fills, *stores, self.exchange, self.clock, self.wall, lease, self.steady)
        rule = GatewayRule(RULES, limits or Limits(), SendRule(), Triggers(), is_lockstep, frozenset(SPOTS))
        return Gateway(ports, rule)

    def desk(self, archive: Archive | None = None) -> Book:
        """Books that have just been opened."""
        self.queues["fills"].restart()
        made = archive or MemoryArchive()
        return Book(BookPorts(self.queues["fills"], self.books, self.market, made, self.clock), RULES)

    # --- looking ---

    def orders(self, decision: Decision | None = None) -> list[Order]:
        """The orders in the books, by scrip and leg."""
        found = [decode(r.value, Order) for r in self.books.rows("orders")]
        mine = [o for o in found if decision is None or o.decision_id == decision.decision_id]
        return sorted(mine, key=lambda o: (o.scrip, o.decided_at, o.leg, o.part))

    def statuses(self, decision: Decision | None = None) -> list[OrderStatus]:
        """Where each order stands."""
        return [o.status for o in self.orders(decision)]

    def sent(self) -> list[str]:
        """The tags that the broker has in its book, oldest first."""
        return [o.request.tag for o in self.exchange.state.orders]

    def account(self) -> Account:
        """The account in the books."""
        row = self.books.get("account", "account")
        assert row is not None
        return decode(row.value, Account)

    def position(self, symbol: str = "NIFTY") -> Position:
        """A booked position."""
        row = self.books.get("positions", symbol)
        return decode(row.value, Position) if row else Position(symbol)

    def tickets(self) -> list[Ticket]:
        """Every ticket in the books."""
        return [decode(r.value, Ticket) for r in self.books.rows("tickets")]


def close_ticket(store: Store, name: str, reason: str) -> Ticket:
    """A person ends a ticket."""
    return end(store, name, "closed", Stamp("a person", START), reason)


def everything(store: Store, *tables: str) -> list[tuple[str, str, bytes]]:
    """What stands in these tables, without versions: two of these are equal when nothing has changed."""
    return sorted((r.table, r.key, r.value) for t in tables for r in store.rows(t))


def logged(store: Store) -> list[DecisionRecord]:
    """The day's records as they were decided, put together from the books by way of an archive."""
    archive = MemoryArchive()
    DecisionLog(store, archive).write(str(DAY))
    return records(archive)


def records(archive: Archive) -> list[DecisionRecord]:
    """The day's records as they were decided, put together from an archive."""
    parts: dict[str, Raw] = {}
    found = []
    for line, pack in archive.read(str(DAY)):
        parts |= {part.id: part.part for part in unpack(pack)}
        found.append(decode(whole(line, parts), DecisionRecord))
    return found
