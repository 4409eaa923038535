"""A whole desk in one process on recorded days: the real stages over memory adapters, instant after instant."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from participant.adapters.archives.memory import MemoryArchive
from participant.adapters.brokers.memory import MemoryBroker
from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.compute.inline import InlineCompute
from participant.adapters.feeds.memory import MemoryFeed
from participant.adapters.leases.memory import MemoryLease
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.account import Account
from participant.core.breaker import Triggers
from participant.core.breaks import ReconcileRule
from participant.core.decision import Action, Decision, DecisionInput
from participant.core.limits import Limits
from participant.core.market import SECOND, Quote, Reference, quoted
from participant.core.messages import Write
from participant.core.order import OVER, Order
from participant.core.position import Position
from participant.core.providers import Arbitration
from participant.core.risk import Refusal
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, Scrip, Side
from participant.core.sending import SendRule
from participant.history.recorded import RecordedMarket
from participant.history.synthetic import Instant
from participant.links.broker_book import BrokerState
from participant.operate.breaker import Watch, judge
from participant.stages import decide
from participant.stages.book import Book, BookPorts
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.ingest import Ingest, IngestPorts
from participant.stages.reconcile import Closed, Reconcile, ReconcilePorts, close_day
from participant.venue.exchange import CLOSE_AFTER_S
from participant.wire.json import decode, encode

CAPITAL = 1_00_00_000_00
ROUNDS_MAX = 40
PATIENT = Limits(messages_second_max=1_000, messages_minute_max=100_000, messages_day_max=1_000_000)


@dataclass
class Told:
    """What became of one day: verdicts, why nothing was done, and what should never have been."""

    day: str
    symbols: tuple[str, ...]
    decisions: int = 0
    opens: int = 0
    closes: int = 0
    fills: int = 0
    denied: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    breaks: int = 0
    worth: int = 0


class InlineDesk:
    """A desk whose books and broker outlive the day."""

    def __init__(self, watchlist: Sequence[Scrip], rules: Rulebook, limits: Limits = PATIENT) -> None:
        self.watchlist, self.rules, self.limits = {s.symbol: s for s in watchlist}, rules, limits
        self.books = MemoryStore()
        self.kept: BrokerState | None = None
        self.books.commit([Write("account", "account", encode(Account(CAPITAL, CAPITAL)), 0)])

    def positions(self) -> list[Position]:
        """What is held."""
        return [decode(r.value, Position) for r in self.books.rows("positions")]

    def stranded(self, market: RecordedMarket) -> list[str]:
        """What is held that this day could not settle: expired before it, or without an official price tonight."""
        prices, found = market.settlements(), []
        for contract in (h.contract for p in self.positions() for h in p.holdings):
            name = contract.underlying if contract.expiry == market.day else contract.key
            is_due = contract.expiry == market.day or contract.kind is Kind.FUTURE
            if contract.expiry < market.day or (is_due and name not in prices):
                found.append(contract.key)
        return found

    def play(self, market: RecordedMarket) -> Told:
        """One day from its first instant to the comparison of books in the evening."""
        day = _Day(self, market)
        for instant in market.instants():
            day.show(instant)
        return day.ended()


class _Day:
    """The stages of one day."""

    def __init__(self, desk: InlineDesk, market: RecordedMarket) -> None:
        self.desk, self.market, self.told = desk, market, Told(str(market.day), tuple(market.symbols))
        session = desk.rules.session(market.day)
        assert session is not None
        self.clock, self.steady = VirtualClock(session.open_at - 1), _Patient(0)
        self.quotes, self.broker = MemoryStore(), self._broker()
        self.queues = {n: MemoryQueue(lambda: self.clock.now() / SECOND) for n in ("market", "orders", "fills")}
        self.feed = MemoryFeed("recorded", self.clock)
        references = self._references()
        self.quotes.commit([Write("reference", r.scrip, encode(r)) for r in references])
        self.quotes.commit([Write("master", "day", str(market.day).encode())])
        account = decode(desk.books.rows("account")[0].value, Account)
        desk.books.commit([Write("starts", str(market.day), str(account.cash).encode())])
        self.reconciling = ReconcilePorts(desk.books, self.quotes, self.broker, self.queues["fills"])
        self.steps = self._stages(references)

    def _broker(self) -> MemoryBroker:
        broker = MemoryBroker(self.market.contracts(), self.desk.rules, self.market.day, CAPITAL)
        if self.desk.kept is not None:
            broker.restore(self.desk.kept)
        return broker

    def _references(self) -> list[Reference]:
        market = self.market
        of = {s: tuple(c for c in market.contracts() if c.underlying == s) for s in market.symbols}
        return [Reference(s, of[s], market.look_back(s), market.provenance(s)) for s in market.symbols]

    def _stages(self, references: Sequence[Reference]) -> list[Callable[[], object]]:
        desk, books, clock, queues = self.desk, self.desk.books, self.clock, self.queues
        ingest = Ingest(IngestPorts({"recorded": self.feed}, queues["market"], self.quotes, clock), references,
                        Arbitration(1e9, 0.0), 1.0)  # fmt: skip
        compute = InlineCompute(self._decide)
        ports = DispatchPorts(queues["market"], queues["orders"], books, compute, clock, lambda *_: "")
        dispatch = Dispatch(ports, desk.watchlist, DispatchRule(600.0, 3, is_lockstep=True))
        watch = Watch(books, self.quotes, books, clock, Triggers(), is_lockstep=True)
        gateway = Gateway(
            GatewayPorts(queues["orders"], queues["fills"], books, self.quotes, books, self.broker, clock, clock,
                         MemoryLease({}), self.steady),
            GatewayRule(desk.rules, desk.limits, SendRule(), Triggers(), is_lockstep=True,
                        watched=frozenset(desk.watchlist)),
        )  # fmt: skip
        reconcile = Reconcile(self.reconciling, ReconcileRule(), desk.rules)
        book = Book(BookPorts(queues["fills"], books, self.quotes, MemoryArchive(), clock), desk.rules, reconcile.step)
        return [lambda: ingest.step(0.0), lambda: judge(watch), lambda: dispatch.step(0.0), lambda: gateway.step(0.0),
                lambda: book.step(0.0)]  # fmt: skip

    # --- the day ---

    def show(self, instant: Instant) -> None:
        """An instant, until every stage has closed it."""
        self.clock.set(max(instant.at, self.clock.now()))
        self.broker.on_quotes(instant.at, _quotes(instant))
        self.feed.publish(instant)
        for _ in range(ROUNDS_MAX):
            for step in self.steps:
                step()
            self._look()
            if self.clock.released[-1:] == [instant.at]:
                return
        raise AssertionError(f"{self.told.day}: the instant {instant.at} never closed")

    def ended(self) -> Told:
        """Settlement and the last comparison; what was bought, sold and left."""
        self.clock.advance(CLOSE_AFTER_S * SECOND)
        self.broker.close_day(self.clock.now(), self.market.settlements())
        closed: Closed | None = None
        for _ in range(ROUNDS_MAX):
            closed = closed or close_day(self.reconciling, self.desk.rules, self.market.day)
            self.steps[-1]()
        assert closed is not None
        self.told.breaks, self.told.worth = len(closed.breaks), closed.worth
        self.told.faults += [f"{self.told.day}: {b.kind} {b.key} {b.ours} {b.theirs}" for b in closed.breaks]
        for order in self._orders():
            self.told.fills += order.cum_quantity > 0
        for row in self.desk.books.rows("refusals", prefix=f"{self.market.day}/"):
            refusal = decode(row.value, Refusal)
            self.told.denied[f"{refusal.control} {refusal.check}"] += 1
        self.desk.kept = self.broker.state
        return self.told

    def _orders(self) -> Iterator[Order]:
        rows = self.desk.books.rows("orders", prefix=f"{self.market.day}/")
        return (decode(r.value, Order) for r in rows)

    # --- what must hold ---

    def _decide(self, body: bytes) -> bytes:
        """Decide as a job does, and look at what was decided on."""
        answer = decide.run(body, self.desk.rules)
        given, decision = decode(body, DecisionInput), decode(answer, Decision)
        self.told.decisions += 1
        self.told.opens += decision.action is Action.OPEN
        self.told.closes += decision.action is Action.CLOSE
        if decision.action is Action.MAINTAIN:
            self.told.refusals[kind_of(decision.reason)] += 1
        for leg in decision.legs:
            quote = quoted(given.market_state, leg.contract)
            if quote is None or not _may_be_traded(quote, leg.side):
                self.told.faults.append(f"{self.told.day}: {decision.action} of {leg.contract.key} on {quote}")
            elif given.market_state.exchange_at - quote.exchange_at > QUOTE_AGE_MAX_S * SECOND:
                self.told.faults.append(f"{self.told.day}: {decision.action} of {leg.contract.key} on an old quote")
        return answer

    def _look(self) -> None:
        """Calls sold never exceed the cover, whichever of the orders that work or are unknown fill."""
        alive = [o for o in self._orders() if o.status not in OVER]
        for position in self.desk.positions():
            held: dict[Contract, int] = {h.contract: h.quantity for h in position.holdings}
            booked = position.booked
            for order in (o for o in self._orders() if o.scrip == position.scrip):
                done = booked[order.order_id].quantity if order.order_id in booked else 0
                late = order.side.sign * (order.cum_quantity - done)
                held[order.contract] = held.get(order.contract, 0) + late
            for order in (o for o in alive if o.scrip == position.scrip and o.side is Side.SELL and o.sends):
                held[order.contract] = held.get(order.contract, 0) + order.unfilled
            cover = sum(q for c, q in held.items() if c.kind not in (Kind.CALL, Kind.PUT))
            calls = sum(max(0, -q) for c, q in held.items() if c.kind is Kind.CALL)
            if calls > cover:
                self.told.faults.append(f"{self.told.day}: {calls} {position.scrip} calls against {cover} of cover")


QUOTE_AGE_MAX_S = 180  # pages that a collector polled within this are one instant (history/recorded.py)


class _Patient(VirtualClock):
    """A second passes whenever it is read: the rate of messages is not what is looked at here."""

    def now(self) -> int:
        self.advance(SECOND)
        return super().now()


def _quotes(instant: Instant) -> dict[str, Quote]:
    """Ticks as the exchange's matching has them: an underlying's value is both its bid and its ask."""
    return {
        t.contract: Quote(t.bid, t.ask, t.bid_size, t.ask_size, t.exchange_at)
        if t.bid or t.ask
        else Quote(t.last, t.last, 0, 0, t.exchange_at)
        for t in instant.ticks
    }


def _may_be_traded(quote: Quote, side: Side) -> bool:
    """Neither crossed nor locked, with a price and a size on the side that is taken."""
    return quote.touch(side) > 0


def kind_of(reason: str) -> str:
    """A reason without its figures, so that reasons of one kind can be counted."""
    words = []
    for word in reason.split(":", maxsplit=1)[0].split():
        is_figure = any(c.isdigit() for c in word) or word.isupper()
        words.append("…" if is_figure else word)
    return " ".join(words)
