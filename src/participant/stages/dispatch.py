"""Market states to decisions: one job a scrip at a time; decision, log, orders and outbox in one commit."""

from msgspec import Struct

from participant.core.books import view
from participant.core.decision import DecisionInput, PositionInfo, share_left
from participant.core.due import Seen, due, seen
from participant.core.market import Mark, MarketState
from participant.core.messages import Job, JobResult, Message, Write
from participant.core.order import orders_of
from participant.core.scrip import Scrip
from participant.core.session import day_of
from participant.links.books import Books
from participant.links.decision_log import LogRows
from participant.links.outbox import promise, relay
from participant.links.risks import Risks
from participant.links.superseded import Superseded
from participant.links.verdicts import Park, sound, verdict
from participant.ports import Clock, Compute, Queue, Store
from participant.wire.json import decode, encode
from participant.wire.told import tell_job


class DispatchPorts(Struct, frozen=True):
    """What dispatch needs of the world."""

    market: Queue
    orders: Queue
    books: Store
    compute: Compute
    clock: Clock
    park: Park


class DispatchRule(Struct, frozen=True):
    """`job_timeout_s` of wall time is what a job has from its snapshot on. In lockstep an instant closes as a whole."""

    job_timeout_s: float
    attempts_max: int
    is_lockstep: bool


class Running(Struct):
    """A job under way: what it decides on, and how often it was tried."""

    message: Message
    seen: Seen
    given: DecisionInput
    attempts: int = 1


class Dispatch:
    """Takes states, supersedes older ones that wait, runs what is due, commits what was decided."""

    def __init__(self, ports: DispatchPorts, watchlist: dict[str, Scrip], rule: DispatchRule) -> None:
        """Begins with nothing running; what was taken before a crash comes again from the queue."""
        self.ports, self.watchlist, self.rule = ports, watchlist, rule
        self.books, self.log, self.passed = Books(ports.books), LogRows(ports.books), Superseded(ports.books)
        self.risks = Risks(self.books)
        self.waiting: dict[str, tuple[Message, MarketState]] = {}
        self.running: dict[str, Running] = {}
        self.ended: dict[str, JobResult] = {}
        self.marks: list[Message] = []

    def step(self, wait_s: float) -> bool:
        """Take what waits, submit what is due, commit what ended; False when nothing happened."""
        messages = self.ports.market.take(500, 0.0 if self.running or self.waiting else wait_s)
        self.marks += [m for m in messages if m.key == "mark"]
        for message in (m for m in messages if m.key != "mark"):
            superseded = self.waiting.get(message.key)
            self.waiting[message.key] = message, decode(message.body, MarketState)
            if superseded is not None:
                self.ports.market.done([superseded[0].id])
                self.passed.add(message.key)
        for symbol in sorted(self.waiting.keys() - self.running.keys()):
            self._submit(symbol, *self.waiting.pop(symbol))
        results = self.ports.compute.results(min(wait_s, 0.1)) if self.running else []
        for result in results:
            self._end(result)
        if not self.rule.is_lockstep or len(self.ended) == len(self.running):
            self._commit_ended()
        return bool(messages or results)

    def _submit(self, symbol: str, message: Message, state: MarketState) -> None:
        scrip, now, row = self.watchlist[symbol], seen(state), self.ports.books.get("seen", symbol)
        if not scrip.is_enabled or not due(scrip, decode(row.value, Seen) if row else None, now):
            self.ports.market.done([message.id])
            return
        day = day_of(state.exchange_at)
        position = view(self.books.position(symbol)[0], [h.order for h in self.books.orders(day)], day)
        given = DecisionInput(scrip, state, PositionInfo(position, self.risks.account(scrip, state.exchange_at)))
        self.running[symbol] = Running(message, now, given)
        self._run(self.running[symbol])
        self.log.prepare(given)

    def _run(self, run: Running) -> None:
        """Hand a job over; its time began with its snapshot, however long that waited."""
        timeout_s = self.rule.job_timeout_s * share_left(run.given.market_state, self.ports.clock.now())
        self.ports.compute.submit(Job(run.message.id, tell_job(run.given, run.message.body), timeout_s))

    def _end(self, result: JobResult) -> None:
        symbol, run = next((s, r) for s, r in self.running.items() if r.message.id == result.id)
        result = sound(run.given.market_state, result)
        if result.outcome == "error" and run.attempts < self.rule.attempts_max:
            run.attempts += 1
            self._run(run)
        else:
            self.ended[symbol] = result

    def _commit_ended(self) -> None:
        """Commit in the order of the scrips, hand orders on, and then the marks; the last mark waits for every job."""
        for symbol in sorted(self.ended):
            self._commit(self.running.pop(symbol), self.ended.pop(symbol))
        relay(self.ports.books, "orders", self.ports.orders)
        if self.marks and not (self.running and decode(self.marks[-1].body, Mark).is_last):
            self.ports.orders.put(self.marks[-1:])
            self.ports.market.done([m.id for m in self.marks])
            self.marks = []

    def _commit(self, run: Running, result: JobResult) -> None:
        given = run.given
        decision = verdict(given, result, self.ports.park)
        day = day_of(decision.decided_for)
        writes = self.log.of(day, given, decision) + self.passed.rows(day, decision.scrip)
        writes += [Write("orders", f"{day}/{o.order_id}", encode(o), expect=0) for o in orders_of(decision)]
        writes += [Write("seen", decision.scrip, encode(run.seen)), *self.risks.row(decision)]
        if decision.legs:
            writes.append(promise("orders", Message(decision.decision_id, decision.scrip, str(day).encode())))
        self.ports.books.commit(writes)
        if decision.outcome == "parked":
            self.ports.market.bury([run.message.id], decision.reason)
        self.ports.market.done([run.message.id])
