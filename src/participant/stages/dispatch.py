"""Market states to decisions: one job a scrip at a time; decision, log, orders and outbox in one commit."""

from msgspec import Struct

from participant.core.account import Account
from participant.core.books import view
from participant.core.brain import DEADLINE_S
from participant.core.decision import Action, Decision, DecisionInput, DecisionRecord, PositionInfo
from participant.core.due import Seen, due, seen
from participant.core.ids import digest
from participant.core.market import SECOND, Mark, MarketState
from participant.core.order import Order, orders_of
from participant.core.position import Position
from participant.core.scrip import Scrip
from participant.core.session import day_of
from participant.links.outbox import promise, relay
from participant.ports import Compute, Job, JobResult, Message, Queue, Store, Write
from participant.wire.json import decode, encode


class DispatchPorts(Struct, frozen=True):
    """What dispatch needs of the world."""

    market: Queue
    orders: Queue
    books: Store
    compute: Compute


class DispatchRule(Struct, frozen=True):
    """Times in seconds of wall time. In lockstep an instant is closed as a whole, in the order of the scrips."""

    job_timeout_s: float
    attempts_max: int
    is_lockstep: bool


class Running(Struct):
    """A job under way: what it decides on, and how often it was tried."""

    message: Message
    seen: Seen
    body: bytes
    attempts: int = 1


class Dispatch:
    """Takes states, supersedes older ones that wait, runs what is due, commits what was decided."""

    def __init__(self, ports: DispatchPorts, watchlist: dict[str, Scrip], rule: DispatchRule) -> None:
        """Begins with nothing running; what was taken before a crash comes again from the queue."""
        self.ports, self.watchlist, self.rule = ports, watchlist, rule
        self.waiting: dict[str, tuple[Message, MarketState]] = {}
        self.running: dict[str, Running] = {}
        self.ended: dict[str, JobResult] = {}
        self.marks: list[Message] = []
        self.superseded = 0

    def step(self, wait_s: float) -> bool:
        """Take what waits, submit what is due, commit what ended; False when nothing happened."""
        messages = self.ports.market.take(500, 0.0 if self.running or self.waiting else wait_s)
        for message in messages:
            if message.key == "mark":
                self.marks.append(message)
            else:
                self._keep_newest(message)
        self._submit()
        results = self.ports.compute.results(min(wait_s, 0.1)) if self.running else []
        for result in results:
            self._end(result)
        if not self.rule.is_lockstep or len(self.ended) == len(self.running):
            self._commit_ended()
        return bool(messages or results)

    def _keep_newest(self, message: Message) -> None:
        state = decode(message.body, MarketState)
        older = self.waiting.get(state.scrip)
        if older is not None:
            self.superseded += 1
            self.ports.market.done([older[0].id])
        self.waiting[state.scrip] = message, state

    def _submit(self) -> None:
        for symbol in sorted(self.waiting.keys() - self.running.keys()):
            message, state = self.waiting.pop(symbol)
            scrip, now = self.watchlist[symbol], seen(state)
            if not scrip.is_enabled or not due(scrip, self._last_seen(symbol), now):
                self.ports.market.done([message.id])
                continue
            body = encode(DecisionInput(scrip, state, self._gather(symbol, state.exchange_at)))
            self.running[symbol] = Running(message, now, body)
            self.ports.compute.submit(Job(message.id, body, self.rule.job_timeout_s))

    def _last_seen(self, symbol: str) -> Seen | None:
        row = self.ports.books.get("seen", symbol)
        return decode(row.value, Seen) if row else None

    def _gather(self, symbol: str, at: int) -> PositionInfo:
        """The position with every fill and every working order that the books know of, and the account."""
        books, day = self.ports.books, day_of(at)
        orders = [decode(r.value, Order) for r in books.rows("orders", prefix=f"{day}/")]
        row, account = books.get("positions", symbol), books.get("account", "account")
        position = decode(row.value, Position) if row else Position(symbol)
        return PositionInfo(view(position, orders, day), decode(account.value, Account) if account else Account(0, 0))

    def _end(self, result: JobResult) -> None:
        symbol = next(s for s, r in self.running.items() if r.message.id == result.id)
        run = self.running[symbol]
        if result.outcome == "error" and run.attempts < self.rule.attempts_max:
            run.attempts += 1
            self.ports.compute.submit(Job(result.id, run.body, self.rule.job_timeout_s))
        else:
            self.ended[symbol] = result

    def _commit_ended(self) -> None:
        for symbol in sorted(self.ended):
            run, result = self.running.pop(symbol), self.ended.pop(symbol)
            self._commit(run, result)
        relay(self.ports.books, "orders", self.ports.orders)
        if self.marks and not (self.running and decode(self.marks[-1].body, Mark).is_last):
            self.ports.orders.put(self.marks[-1:])
            self.ports.market.done([m.id for m in self.marks])
            self.marks = []

    def _commit(self, run: Running, result: JobResult) -> None:
        given = decode(run.body, DecisionInput)
        decision = decode(result.body, Decision) if result.outcome == "done" else undecided(given, result)
        day = day_of(decision.decided_for)
        record = DecisionRecord(given.scrip, given.market_state, given.current_position_info, decision)
        writes = [Write("log", f"{day}/{decision.decision_id}", encode(record), expect=0)]
        writes += [Write("orders", f"{day}/{o.order_id}", encode(o), expect=0) for o in orders_of(decision)]
        writes.append(Write("seen", decision.scrip, encode(run.seen)))
        if decision.legs:
            writes.append(promise("orders", Message(decision.decision_id, decision.scrip, str(day).encode())))
        self.ports.books.commit(writes)
        if decision.outcome == "parked":
            self.ports.market.bury([run.message.id], result.reason)
        else:
            self.ports.market.done([run.message.id])


def undecided(given: DecisionInput, result: JobResult) -> Decision:
    """What is logged of a job that gave no decision: that it timed out or was parked, and why."""
    market = given.market_state
    outcome = "timed out" if result.outcome == "timeout" else "parked"
    return Decision(
        digest(market.scrip, market.snapshot_id, outcome),
        market.scrip,
        Action.MAINTAIN,
        f"No decision: the job {outcome} ({result.reason}).",
        {},
        (),
        market.snapshot_id,
        market.exchange_at,
        market.exchange_at + DEADLINE_S * SECOND,
        "",
        "",
        outcome,
    )
