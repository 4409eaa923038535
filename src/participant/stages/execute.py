"""The gateway: decisions to the broker. The last hop, the only one that sends, and it fails closed."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from participant.core.account import Account, reserve
from participant.core.books import report, view
from participant.core.breaker import BreakerState, Triggers, effective
from participant.core.decision import Decision
from participant.core.ids import digest
from participant.core.market import SECOND, Mark, MarketState
from participant.core.order import (
    LIVE,
    OPEN,
    Happening,
    Order,
    OrderStatus,
    OrderView,
    Verdict,
    advance,
    answered,
    evidenced,
)
from participant.core.position import Position
from participant.core.risk import Ask, Limits, affordable, check, reprice
from participant.core.rulebook import Rulebook
from participant.core.sending import Act, SendRule, next_step
from participant.core.session import day_of, phase
from participant.links.outbox import promise, relay
from participant.ports import Broker, BrokerDown, Clock, Message, Queue, Store, Ticket, Write
from participant.wire.json import decode, encode


class GatewayPorts(Struct, frozen=True):
    """What the gateway needs of the world. `clock` is the market's time, `wall` the machine's."""

    orders: Queue
    fills: Queue
    books: Store
    quotes: Store
    broker: Broker
    clock: Clock
    wall: Clock


class GatewayRule(Struct, frozen=True):
    """What the gateway goes by."""

    rules: Rulebook
    limits: Limits
    sending: SendRule
    triggers: Triggers
    conflicts_max: int = 20


class Logged(Struct, frozen=True, rename="camel"):
    """The part of a log record that the gateway needs: what was decided."""

    decision_info: Decision


class Held(Struct, frozen=True):
    """An order as it stands in the books, and the version that a write must find there."""

    order: Order
    version: int

    @property
    def key(self) -> str:
        """Its row: the day it was decided on, and its id."""
        return f"{day_of(self.order.decided_at)}/{self.order.order_id}"


class Gateway:
    """Works the orders of each decision, leg after leg, as `next_step` says, and tells the books what filled."""

    def __init__(self, ports: GatewayPorts, rule: GatewayRule, is_lockstep: bool = False) -> None:
        """Begins in RECOVER: nothing is sent until every order of the day at the broker has been adopted."""
        self.ports, self.rule, self.is_lockstep = ports, rule, is_lockstep
        self.is_recovered = False
        self.marks: list[Message] = []
        self.polled: dict[str, int] = {}
        self.seen: set[str] = set()

    def step(self, wait_s: float) -> bool:
        """Hear the broker, work every order that is not over, pass on what filled; False when nothing happened."""
        messages = self.ports.orders.take(100, 0.01 if self.marks else wait_s)
        self.marks += [m for m in messages if m.key == "mark"]
        self.ports.orders.done([m.id for m in messages if m.key != "mark"])
        now = self._now()
        self.seen.clear()
        heard = self._hear(now)
        self.is_recovered = self.is_recovered or self._recover(now)
        if self.is_recovered and self._is_judged():
            for decision_id in self._decisions(now):
                self._work(decision_id, now)
            self._pass_marks()
        relay(self.ports.books, "fills", self.ports.fills)
        return bool(messages or heard)

    def _now(self) -> int:
        """The market's time; after the last mark nothing more will come, so every wait is over."""
        over = any(decode(m.body, Mark).is_last for m in self.marks)
        return self.ports.clock.now() + (self.rule.sending.absent_after_s * SECOND if over else 0)

    def _orders(self, now: int, prefix: str = "") -> list[Held]:
        rows = self.ports.books.rows("orders", prefix=f"{day_of(now)}/{prefix}")
        return [Held(decode(r.value, Order), r.version) for r in rows]

    def _decisions(self, now: int) -> list[str]:
        """The decisions with orders that are not over, in the order of (instant, scrip)."""
        live = sorted(
            (h.order.decided_at, h.order.scrip, h.order.decision_id)
            for h in self._orders(now)
            if h.order.status in OPEN
        )
        return list(dict.fromkeys(decision_id for _, _, decision_id in live))

    def _hear(self, now: int) -> bool:
        updates = self.ports.broker.updates()
        for view_ in updates:
            for held in self._orders(now, view_.tag[:-1]) if view_.tag else []:
                self._evidence(held, [view_])
        return bool(updates)

    def _recover(self, now: int) -> bool:
        try:
            views = self.ports.broker.find("")
        except BrokerDown:
            return False
        for held in self._orders(now):
            if held.order.status in LIVE:
                self._evidence(held, [v for v in views if v.tag.startswith(held.order.tag_stem)])
        return True

    def _is_judged(self) -> bool:
        """In lockstep nothing is worked until the breaker has judged the instant."""
        row, feeds = self.ports.books.get("breaker", "state"), self.marks
        newest = max((decode(m.body, Mark).at for m in feeds), default=0)
        return not self.is_lockstep or (row is not None and decode(row.value, BreakerState).at >= newest)

    def _pass_marks(self) -> None:
        if self.marks:
            relay(self.ports.books, "fills", self.ports.fills)
            self.ports.fills.put(self.marks[-1:])
            self.ports.orders.done([m.id for m in self.marks])
            self.marks = []

    def _work(self, decision_id: str, now: int) -> None:
        for _ in range(STEPS_MAX):
            held = {h.order.order_id: h for h in self._orders(now) if h.order.decision_id == decision_id}
            orders = sorted((h.order for h in held.values()), key=lambda o: o.leg)
            step = next_step(orders, now, self.rule.sending)
            if step.order is None or not self._act(step.act, held[step.order.order_id], list(held.values()), now):
                return

    def _act(self, act: Act, held: Held, legs: list[Held], now: int) -> bool:
        """Do one step; False when there is nothing more to do for now."""
        order = held.order
        match act:
            case Act.CLAIM:
                return self._claim(legs)
            case Act.SEND:
                return self._send(held, now)
            case Act.DOUBT:
                return self._save(held, advance(order, Happening.DOUBT, reason="the gateway stopped while sending it"))
            case Act.DENY_REST:
                return self._save(held, advance(order, Happening.DENY, reason="an earlier leg did not fill"))
            case Act.TICKET:
                return self._save(held, replace(order, is_ticketed=True), [ticket(order, now)])
            case Act.GIVE_UP:
                dead = advance(order, Happening.GIVE_UP, is_ticketed=True)
                return self._save(held, dead, [ticket(dead, now)])
            case Act.FIND | Act.CANCEL:
                return self._ask_broker(act, held, now)
        return False

    def _claim(self, legs: list[Held]) -> bool:
        """Take the decision on: every leg claimed and its margin reserved in one commit, or all denied."""
        for _ in range(self.rule.conflicts_max):
            row = self.ports.books.get("account", "account")
            decision = self._decision(legs[0])
            if row is None or decision is None:
                return all(self._deny(h, "provenance: no account or no logged decision") for h in legs)
            account, orders = decode(row.value, Account), [h.order for h in legs]
            refusal = affordable(account, orders, decision.action, self.rule.limits)
            if refusal is not None:
                return all(self._deny(h, f"{refusal.check}: {refusal.reason}") for h in legs)
            reserved = reserve(account, {o.order_id: o.margin for o in orders})
            writes = [Write("orders", h.key, encode(advance(h.order, Happening.CLAIM)), h.version) for h in legs]
            if self.ports.books.commit([*writes, Write("account", "account", encode(reserved), row.version)]):
                return True
        return False

    def _deny(self, held: Held, reason: str) -> bool:
        return self._save(held, advance(held.order, Happening.DENY, reason=reason))

    def _send(self, held: Held, now: int) -> bool:
        """Check, write down, send: the intent is on disk before the first byte leaves."""
        ask = self._ask(held, now)
        refusal = check(ask)
        if refusal is not None:
            return self._deny(held, f"{refusal.check}: {refusal.reason}")
        sending = advance(ask.order, Happening.SEND, sends=ask.order.sends + 1, sent_at=now)
        if not self._save(held, sending):
            return False
        after = answered(sending, self.ports.broker.place(sending))
        return self._save(Held(sending, held.version + 1), after)

    def _ask(self, held: Held, now: int) -> Ask:
        books, order = self.ports.books, held.order
        orders = tuple(h.order for h in self._orders(now))
        position, account, breaker = (
            books.get(t, k) for t, k in (("positions", order.scrip), ("account", "account"), ("breaker", "state"))
        )
        state = self.ports.quotes.get("quotes", order.scrip)
        market = decode(state.value, MarketState) if state else None
        quote = market.quote(order.contract.key) if market else None
        level, why = effective(
            decode(breaker.value, BreakerState) if breaker else None, self.ports.wall.now(), self.rule.triggers
        )
        held_now = decode(position.value, Position) if position else Position(order.scrip)
        return Ask(
            reprice(order, quote),
            orders,
            self._decision(held),
            view(held_now, orders, day_of(now)),
            decode(account.value, Account) if account else Account(0, 0),
            quote,
            market.spot if market else 0,
            level,
            why,
            phase(self.rule.rules, now),
            now,
            self.rule.limits,
        )

    def _decision(self, held: Held) -> Decision | None:
        row = self.ports.books.get("log", f"{day_of(held.order.decided_at)}/{held.order.decision_id}")
        return decode(row.value, Logged).decision_info if row else None

    def _ask_broker(self, act: Act, held: Held, now: int) -> bool:
        """Look the order up, or ask for its end; once a step, and no oftener than the rule allows."""
        order = held.order
        due = now - self.polled.get(order.order_id, 0) >= self.rule.sending.poll_every_s * SECOND or bool(self.marks)
        if order.order_id in self.seen or not due:
            return False
        self.seen.add(order.order_id)
        self.polled[order.order_id] = now
        if act is Act.CANCEL:
            answer = self.ports.broker.cancel(order)
            if answer.verdict is not Verdict.UNKNOWN:
                self._save(held, replace(order, is_cancelling=True))
            held = next(h for h in self._orders(now, order.order_id))
        try:
            return self._evidence(held, self.ports.broker.find(order.tag_stem))
        except BrokerDown:
            return False

    def _evidence(self, held: Held, views: list[OrderView]) -> bool:
        after = evidenced(held.order, views)
        return after != held.order and self._save(held, after)

    def _save(self, held: Held, after: Order, extra: Iterable[Write] = ()) -> bool:
        """Write an order down, with the report of what filled in the same commit."""
        writes = [Write("orders", held.key, encode(after), held.version), *extra]
        ended = after.status not in OPEN and held.order.status in OPEN
        if ended or after.cum_quantity > held.order.cum_quantity:
            told = report(after)
            name = f"{after.order_id}-{after.cum_quantity}-{int(told.is_final)}"
            writes.append(promise("fills", Message(name, after.scrip, encode(told))))
        return self.ports.books.commit(writes)


STEPS_MAX = 50


def ticket(order: Order, now: int) -> Write:
    """The one ticket of an order that a machine cannot finish: everything needed to act by hand."""
    doubt = "MAY ALREADY BE LIVE: check the broker's book first. " if order.status is OrderStatus.UNKNOWN else ""
    what = f"{order.side} {order.quantity} {order.contract.key} at limit {order.limit / 10_000:.2f}"
    evidence = f"sent {order.sends} times, last tag {order.tag}, filled {order.cum_quantity}; {order.reason}"
    ticket_id = digest("ticket", order.order_id)
    body = Ticket(ticket_id, now, order.scrip, what, doubt + evidence, order.order_id)
    return Write("tickets", ticket_id, encode(body), expect=0)
