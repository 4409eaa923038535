"""A whole desk in one process on recorded days: the real stages over memory adapters, instant after instant."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Protocol

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
from participant.core.feed_rules import Arbitration
from participant.core.limits import Limits
from participant.core.market import SECOND, Quote, Reference
from participant.core.messages import Write
from participant.core.position import Position, apply, revisions
from participant.core.rulebook import Rulebook
from participant.core.scrip import Kind, Scrip
from participant.core.sending import SendRule
from participant.history.recorded import RecordedMarket
from participant.history.synthetic import Instant
from participant.links.broker_book import BrokerState
from participant.links.decision_log import LogRows
from participant.operate.breaker import Watch, judge
from participant.operate.wake import open_day, take_in_revisions
from participant.stages import decide
from participant.stages.book import Book, BookPorts
from participant.stages.dispatch import Dispatch, DispatchPorts, DispatchRule
from participant.stages.execute import Gateway, GatewayPorts, GatewayRule
from participant.stages.ingest import Ingest, IngestPorts
from participant.stages.reconcile import Closed, Reconcile, ReconcilePorts, close_day
from participant.venue.exchange import CLOSE_AFTER_S
from participant.wire.json import decode, encode

ROUNDS_MAX = 40
PAPER = Limits()
# The desk plays what is recorded over its first provider; a backtest says the same, so that the logs are.
PROVIDER = "one"
# What a day leaves in the books that no later day reads: forgotten, so that memory does not grow with the days.
OF_A_DAY = ("log", "parts", "orders", "refusals", "flows", "fills", "events")


class Onlooker(Protocol):
    """Sees a day as it goes by, and changes nothing of it."""

    def decided(self, given: bytes, answer: bytes) -> None:
        """A job's input and its decision."""

    def looked(self) -> None:
        """All stages have gone one round."""


class InlineDesk:
    """A desk whose books and broker outlive the day. It begins with `capital` paise.

    An order of it reaches the exchange `latency_s` after it is sent: it meets the quotes of then.
    """

    latency_s = 0.0
    is_plain = False  # whether every quote comes as a tick of its own, as at a desk: slower, with equal results

    def __init__(self, watchlist: Sequence[Scrip], rules: Rulebook, capital: int, limits: Limits = PAPER) -> None:
        self.watchlist, self.rules, self.limits = {s.symbol: s for s in watchlist}, rules, limits
        self.capital, self.books = capital, MemoryStore()
        self.kept: BrokerState | None = None
        self.books.commit([Write("account", "account", encode(Account(capital, capital)), 0)])

    def positions(self) -> list[Position]:
        """What is held."""
        return [decode(r.value, Position) for r in self.books.rows("positions")]

    def account(self) -> Account:
        """The money."""
        return decode(self.books.rows("account")[0].value, Account)

    def stranded(self, market: RecordedMarket) -> list[str]:
        """What is held that this day could not settle: expired before it, or without an official price tonight."""
        prices, found = market.settlements(), []
        for contract in (h.contract for p in self.positions() for h in p.holdings):
            name = contract.underlying if contract.expiry == market.day else contract.key
            is_due = contract.expiry == market.day or contract.kind is Kind.FUTURE
            if contract.expiry < market.day or (is_due and name not in prices):
                found.append(contract.key)
        return found

    def odd_lots(self, market: RecordedMarket) -> list[str]:
        """What is held that is no whole number of the lots that this day trades in: no order could close it."""
        found = []
        for held in self.positions():
            position = held
            for event in revisions(held, market.contracts(), 0):
                position, _ = apply(position, event)
            found += [f"{h.quantity:+,} {h.contract.key} in lots of {h.contract.lot}" for h in position.odd_lots]
        return found

    def play(self, market: RecordedMarket, onlooker: Onlooker | None = None) -> Closed:
        """One day from its first instant to the comparison of books in the evening."""
        day = _Day(self, market, onlooker)
        for instant, until in self._instants(market):
            day.show(instant, until)
        return day.ended()

    def _instants(self, market: RecordedMarket) -> Iterator[tuple[Instant, int]]:
        return _with_ends(market.instants() if self.is_plain else market.sheets())

    def play_until(self, market: RecordedMarket, at: int, onlooker: Onlooker) -> None:
        """The instants of a day up to one of them (ns), which is not closed."""
        day = _Day(self, market, onlooker)
        for instant, until in self._instants(market):
            if instant.at > at:
                break
            day.show(instant, until)

    def twin(self) -> "InlineDesk":
        """Another desk that stands where this one stands, and goes its own way from here."""
        other = InlineDesk(list(self.watchlist.values()), self.rules, self.capital, self.limits)
        other.books, other.kept, other.latency_s = deepcopy(self.books), deepcopy(self.kept), self.latency_s
        other.is_plain = self.is_plain
        return other

    def forget(self) -> None:
        """Let go of what only the days that were closed needed."""
        self.books.forget(OF_A_DAY)


class _Day:
    """The stages of one day."""

    def __init__(self, desk: InlineDesk, market: RecordedMarket, onlooker: Onlooker | None) -> None:
        self.desk, self.market, self.onlooker = desk, market, onlooker
        session = desk.rules.session(market.day)
        assert session is not None
        self.clock, self.steady = VirtualClock(session.open_at - 1), _Patient(0)
        self.quotes, self.broker = MemoryStore(), self._broker()
        self.queues = {n: MemoryQueue(lambda: self.clock.now() / SECOND) for n in ("market", "orders", "fills")}
        self.feed = MemoryFeed(PROVIDER, self.clock)
        open_day(desk.books, self.quotes, market.day, self._references())
        references = [decode(r.value, Reference) for r in self.quotes.rows("reference")]
        take_in_revisions(desk.books, self.quotes, desk.rules, tuple(references), session.open_at)
        self.reconciling = ReconcilePorts(desk.books, self.quotes, self.broker, self.queues["fills"])
        self.steps = self._stages(references)

    def _broker(self) -> MemoryBroker:
        broker = MemoryBroker(self.market.contracts(), self.desk.rules, self.market.day, self.desk.capital)
        broker.latency_s = self.desk.latency_s
        if self.desk.kept is not None:
            broker.restore(self.desk.kept)
        return broker

    def _references(self) -> tuple[Reference, ...]:
        market = self.market
        of = {s: tuple(c for c in market.contracts() if c.underlying == s) for s in market.symbols}
        return tuple(Reference(s, of[s], market.look_back(s), market.provenance(s)) for s in market.symbols)

    def _stages(self, references: Sequence[Reference]) -> list[Callable[[], object]]:
        desk, books, clock, queues = self.desk, self.desk.books, self.clock, self.queues
        ingest = Ingest(IngestPorts({PROVIDER: self.feed}, queues["market"], self.quotes, clock), references,
                        Arbitration(1e9, 0.0), 1.0)  # fmt: skip
        compute = InlineCompute(self._decide)
        ports = DispatchPorts(queues["market"], queues["orders"], books, compute, clock, lambda *_: "")
        dispatch = Dispatch(ports, desk.watchlist, DispatchRule(600.0, 3, is_lockstep=True))
        dispatch.log = LogRows(books, packs=False)  # a day's parts are read tonight: packing them would be undone
        watch = Watch(books, self.quotes, books, clock, Triggers(), is_lockstep=True)
        gateway = Gateway(
            GatewayPorts(queues["orders"], queues["fills"], books, self.quotes, books, self.broker, clock, clock,
                         MemoryLease({}), self.steady),
            GatewayRule(desk.rules, desk.limits, SendRule(), Triggers(), is_lockstep=True,
                        watched=frozenset(desk.watchlist)),
        )  # fmt: skip
        reconcile = Reconcile(self.reconciling, ReconcileRule(), desk.rules)
        book = Book(BookPorts(queues["fills"], books, self.quotes, None, clock), desk.rules, reconcile.step)
        return [lambda: ingest.step(0.0), lambda: judge(watch), lambda: dispatch.step(0.0), lambda: gateway.step(0.0),
                lambda: book.step(0.0)]  # fmt: skip

    def show(self, instant: Instant, until: int) -> None:
        """An instant, until every stage has closed it; its quotes stand `until` (ns) the next ones come."""
        self.clock.set(max(instant.at, self.clock.now()))
        self.broker.on_quotes(instant.at, _quotes(instant), instant.chains)
        self.feed.publish(instant)
        for _ in range(ROUNDS_MAX):
            for step in self.steps:
                step()
            if self.onlooker is not None:
                self.onlooker.looked()
            arrival = self.broker.arrival_before(until)
            if arrival:
                self.clock.set(max(arrival, self.clock.now()))
                self.broker.on_quotes(arrival, {})
            elif self.clock.released[-1:] == [instant.at]:
                return
        raise AssertionError(f"{self.market.day}: the instant {instant.at} never closed")

    def ended(self) -> Closed:
        """Settlement and the last comparison; what was bought, sold and left."""
        self.clock.advance(CLOSE_AFTER_S * SECOND)
        self.broker.close_day(self.clock.now(), self.market.settlements())
        closed: Closed | None = None
        for _ in range(ROUNDS_MAX):
            closed = closed or close_day(self.reconciling, self.desk.rules, self.market.day)
            self.steps[-1]()
        assert closed is not None, f"{self.market.day}: the day never closed"
        self.desk.kept = self.broker.state
        return closed

    def _decide(self, body: bytes) -> bytes:
        answer = decide.run(body, self.desk.rules)
        if self.onlooker is not None:
            self.onlooker.decided(body, answer)
        return answer


class _Patient(VirtualClock):
    """A second passes whenever it is read: the rate of messages is not what is looked at here."""

    def now(self) -> int:
        self.advance(SECOND)
        return super().now()


def _with_ends(instants: Iterable[Instant]) -> Iterator[tuple[Instant, int]]:
    """Each instant with the time (ns) of the next one, the last with its own: after it nothing arrives any more."""
    following = None
    for instant in instants:
        if following is not None:
            yield following, instant.at
        following = instant
    if following is not None:
        yield following, following.at


def _quotes(instant: Instant) -> dict[str, Quote]:
    """Ticks as the exchange's matching has them: an underlying's value is both its bid and its ask."""
    return {
        t.contract: Quote(t.bid, t.ask, t.bid_size, t.ask_size, t.exchange_at)
        if t.bid or t.ask
        else Quote(t.last, t.last, 0, 0, t.exchange_at)
        for t in instant.ticks
    }
