"""The gateway: decisions to the broker. The last hop, the only one that sends, and it fails closed."""

import datetime

from msgspec import Struct

from participant.core.breaker import Level, Triggers, effective, is_evaluated_since
from participant.core.market import SECOND, Mark
from participant.core.messages import Message
from participant.core.order import Happening, advance, answered
from participant.core.risk import Ask, Limits, check
from participant.core.rulebook import Rulebook
from participant.core.sending import STEPS_MAX, Act, SendRule, next_step
from participant.core.session import day_of
from participant.links.ask import Gathering, Now
from participant.links.books import Books, Held
from participant.links.changes import Changes
from participant.links.claims import claim
from participant.links.evidence import Evidence
from participant.links.lease import keep, take
from participant.links.outbox import relay
from participant.links.pace import Pace, PacedBroker, messages_of
from participant.ports import Broker, Clock, Lease, Queue, Store
from participant.wire.json import decode


class GatewayPorts(Struct, frozen=True):
    """What the gateway needs of the world.

    `clock` is the market's time, `wall` the machine's, `steady` never steps; people write `halts`.
    """

    orders: Queue
    fills: Queue
    books: Store
    quotes: Store
    halts: Store
    broker: Broker
    clock: Clock
    wall: Clock
    lease: Lease
    steady: Clock


class GatewayRule(Struct, frozen=True):
    """What the gateway goes by. In lockstep it works an instant only once the breaker has judged it."""

    rules: Rulebook
    limits: Limits
    sending: SendRule
    triggers: Triggers
    is_lockstep: bool = False
    watched: frozenset[str] = frozenset()


class Gateway:
    """Works the orders of each decision, leg after leg, as `next_step` says; the order rows alone say what is left."""

    def __init__(self, ports: GatewayPorts, rule: GatewayRule) -> None:
        """Begins in RECOVER: it sends nothing before the breaker was evaluated anew and the broker's orders adopted.

        Raises LeaseHeld where another gateway works on these books: it says who, and nothing is touched.
        """
        take(ports.lease, "the gateway")
        self.ports, self.rule, self.started_at = ports, rule, ports.wall.now()
        self.books, self.halts = Books(ports.books), Books(ports.halts)
        self.pace = Pace(rule.limits, ports.steady)
        self.broker = PacedBroker(ports.broker, self.pace)
        self.evidence = Evidence(self.books, self.broker, rule.sending.poll_every_s, self.pace.may_end)
        self.gathering = Gathering(self.books, ports.quotes, rule.rules, rule.watched, self.broker)
        self.changes = Changes(self.evidence, self.gathering, self.broker, ports.lease)
        self.is_recovered, self.marks = False, list[Message]()
        self.now, self.day = 0, datetime.date.min

    def step(self, wait_s: float) -> bool:
        """Hear the broker, work every order that is not over, pass on what filled; False when nothing happened."""
        keep(self.ports.lease)
        messages = self.ports.orders.take(100, 0.01 if self.marks else wait_s)
        self.marks += [m for m in messages if m.key == "mark"]
        self.ports.orders.done([m.id for m in messages if m.key != "mark"])
        if self.rule.is_lockstep and not self.marks:
            return bool(messages)  # an instant's evidence counts only after all of its decisions
        self.now = self._time()
        self.day, self.pace.is_waiting = day_of(self.now), False
        heard = self.evidence.hear(self.day, self.now)
        if not self.is_recovered and is_evaluated_since(self.books.breaker(), self.started_at):
            self.is_recovered = self.evidence.adopt(self.day)
            self.pace.begin(messages_of(self.books.orders(self.day)))
        is_ready = self.is_recovered and self._is_judged()
        decisions = self.books.unfinished(self.day) if is_ready else []
        claim(self.books, self.now, decisions, self.rule.limits)
        for decision_id in decisions:
            self._work(decision_id, set())
        relay(self.ports.books, "fills", self.ports.fills)
        # In lockstep an instant is not over before the broker's book was read and every message had its turn.
        is_held = self.rule.is_lockstep and (self.evidence.is_down or self.pace.is_waiting)
        if is_ready and self.marks and not is_held:
            self.ports.fills.put(self.marks[-1:])
            self.ports.orders.done([m.id for m in self.marks])
            self.marks = []
        return bool(messages or heard)

    def _time(self) -> int:
        """The market's time for waits; after the last mark nothing more will come, so every wait is over."""
        is_over = bool(self.marks) and decode(self.marks[-1].body, Mark).is_last
        return self.ports.clock.now() + is_over * self.rule.sending.absent_after_s * SECOND

    def _is_judged(self) -> bool:
        newest, breaker = decode(self.marks[-1].body, Mark).at if self.marks else 0, self.books.breaker()
        return not self.rule.is_lockstep or (breaker is not None and breaker.at >= newest)

    def _work(self, decision_id: str, asked: set[str]) -> None:
        for _ in range(STEPS_MAX):
            legs = self.books.legs(self.day, decision_id)
            is_halted = self.halts.halt().level is Level.OPEN
            step = next_step([h.order for h in legs], self.now, self.rule.sending, is_halted=is_halted)
            held = next((h for h in legs if h.order is step.order), None)
            if held is None or not self._act(step.act, held, asked):
                return

    def _act(self, act: Act, held: Held, asked: set[str]) -> bool:
        """Do one step; False when there is nothing more to do for now."""
        match act:
            case Act.SEND:
                # What waits for its turn stays claimed; past its deadline the checks deny it.
                return (self.pace.has_room() or self.now >= held.order.deadline) and self._send(held)
            case Act.DOUBT:
                doubted = advance(held.order, Happening.DOUBT, reason="the gateway stopped while sending it")
                return self.books.save(held, doubted)
            case Act.DENY_REST:
                return self.books.deny(held, "an earlier leg did not fill")
            case Act.TICKET if held.order.order_id in asked:
                return self.books.hand_over(held, self.evidence.doubted(held.order), self.now)
            case Act.GIVE_UP:
                return self.books.hand_over(held, advance(held.order, Happening.GIVE_UP), self.now)
            case Act.REPRICE if held.order.order_id in asked:
                return self.changes.follow(held, self._gather(held))
            case Act.TICKET | Act.FIND | Act.CANCEL | Act.REPRICE if held.order.order_id not in asked:
                asked.add(held.order.order_id)
                return self.evidence.ask(act, held, self.now, is_end=bool(self.marks))
        return False

    def _send(self, held: Held) -> bool:
        """Check, write down, send: the intent is on disk before the first byte leaves."""
        ask = self._gather(held)
        if (refusal := check(ask)) is not None:
            return self.books.refuse(held, refusal, self.now)
        sending = advance(ask.order, Happening.SEND, sends=ask.order.sends + 1, sent_at=ask.now)
        if not self.books.save(held, sending, [self.gathering.passed(held.key, ask)]):
            return False
        keep(self.ports.lease)
        after = answered(sending, self.broker.place(sending))
        return self.evidence.conclude(Held(sending, held.version + 1), after, self.now)

    def _gather(self, held: Held) -> Ask:
        level = effective(self.books.breaker(), self.ports.wall.now(), self.rule.triggers, self.halts.halt())
        return self.gathering.ask(held.order, self.rule.limits, Now(self.ports.clock.now(), *level))
