"""One run: a tape, three providers, a fault, and the real ingest in virtual time; what it believed and published."""

from random import Random

from msgspec import Struct

from participant.adapters.clocks.virtual import VirtualClock
from participant.adapters.queues.memory import MemoryQueue
from participant.adapters.stores.memory import MemoryStore
from participant.core.feed_rules import Arbitration
from participant.core.market import SECOND, MarketState, Quote
from participant.core.providers import Belief
from participant.history.synthetic import Instant
from participant.stages.ingest import Ingest, IngestPorts
from participant.wire.json import decode
from tests.failover.lines import NAMES, OUTVOTED, Fault, Line
from tests.failover.tape import Tape, Truth

STEP = 20_000_000  # ns: how often ingest runs
SLACK_S = 0.5  # a delay of a provider, a look and a step
SWITCH_MAX_S = 5.0
RULE = Arbitration()


class Outcome(Struct):
    """What came of a run. `switched_s` is from the fault's start to the belief in another, -1 where there was none."""

    switched_s: float = -1.0
    switches: int = 0
    published: int = 0
    changes: tuple[Belief, ...] = ()
    bad: tuple[str, ...] = ()
    held: int = 0
    hidden: int = 0


class Run:
    """The desk's ingest and what surrounds it."""

    def __init__(self, tape: Tape, fault: Fault, seed: str, rule: Arbitration = RULE, own: Tape | None = None) -> None:
        """Where the first provider's tape is its `own`, the fault stands recorded in it."""
        self.own = {b.at: b for b in own.beats} if own else {}
        self.tape, self.fault, self.rule = tape, fault, rule
        self.clock = VirtualClock(tape.beats[0].at)
        self.lines = [Line(name, fault, seed) for name in NAMES]
        self.queue, self.store = MemoryQueue(lambda: self.clock.now() / SECOND), MemoryStore()
        ports = IngestPorts(dict(zip(NAMES, self.lines, strict=True)), self.queue, self.store, self.clock)
        self.ingest = Ingest(ports, tape.references, rule)
        self.truth, self.outcome, self.bad = Truth(tape.beats), Outcome(), list[str]()
        self.published_at = 0

    def play(self) -> Outcome:
        """The whole tape; each second the providers say that they live."""
        beats, n, held_at = self.tape.beats, 0, self.clock.now()
        end = beats[-1].at + 5 * SECOND
        while self.clock.now() < end:
            now = self.clock.now()
            while n < len(beats) and beats[n].at <= now:
                self._beat(beats[n])
                n += 1
            if now - held_at >= SECOND:
                held_at = now
                for line in self.lines:
                    line.hold(now)
            self._step(now)
            self.clock.set(min(end, now + STEP))
        return self._ended()

    def _beat(self, beat: Instant) -> None:
        for line in self.lines:
            mine = self.own.get(beat.at) if self.own and line.name in self.fault.names else beat
            if mine is not None:
                line.beat(mine)

    def _step(self, now: int) -> None:
        for line in self.lines:
            line.now = now
        self.ingest.step(0.0)
        messages = self.queue.take(100, 0.0)
        self.queue.done([m.id for m in messages])
        for message in (m for m in messages if m.key != "mark"):
            self._check(decode(message.body, MarketState), now)

    def _check(self, state: MarketState, now: int) -> None:
        """A state may be decided on: so it must be true, or have been a moment ago."""
        self.outcome.published += 1
        self.published_at = now
        if self.fault.kind == OUTVOTED and state.provider in self.fault.names and now >= self.fault.start:
            return  # until the vote
        since = self._since(now, self.rule.index_still_max_s)
        if not self.truth.was(state.scrip, (0, 0, 0, 0, state.spot), since, now) and state.underlying is None:
            self.bad.append(f"{state.scrip} at {state.spot} of {state.provider}, {self._after(now):.2f} s")
        if state.exchange_at > now + self.rule.ahead_max_s * SECOND:
            self.bad.append(f"{state.scrip} of the future from {state.provider}, {self._after(now):.2f} s")
        far = self._since(now, 5.0)  # what an option near the money may be old
        quotes = [(c.key, q) for c, q in state.options()] + [(f.contract.key, f.quote) for f in state.futures]
        for key, quote in quotes:
            if quote.is_valid and not self.truth.was(key, _said(quote), far, now):
                self.bad.append(f"{key} {quote.bid}/{quote.ask} of {state.provider}, {self._after(now):.2f} s")

    def _since(self, now: int, limit_s: float) -> int:
        return now - int((max(limit_s, self.tape.apart_s) + SLACK_S) * SECOND)

    def _after(self, now: int) -> float:
        return (now - self.fault.start) / SECOND

    def _ended(self) -> Outcome:
        out, changes = self.outcome, self.ingest.arbiter.judgement.changes
        start = max(self.fault.start, *(line.first_at for line in self.lines))
        left = [c for c in changes if c.since >= start and c.provider not in self.fault.names]
        out.switched_s = (left[0].since - start) / SECOND if left and left[0].provider else -1.0
        out.switches = len(self.ingest.arbiter.judgement.record.switched_at)
        out.changes, out.bad = changes, tuple(self.bad)
        out.held, out.hidden = sum(self.ingest.arbiter.judgement.held.values()), self.ingest.arbiter.judgement.hidden
        return out


def _said(quote: Quote) -> tuple[int, int, int, int, int]:
    return quote.bid, quote.ask, quote.bid_size, quote.ask_size, 0


def fault_of(kind: str, seed: int, first_at: int) -> Fault:
    """A fault of the kind at a moment drawn from the seed, for 12 to 16 s."""
    rng = Random(f"{kind}/{seed}")
    start = first_at + rng.randrange(4 * SECOND, 9 * SECOND)
    return Fault(kind, start, start + rng.randrange(12 * SECOND, 16 * SECOND))
