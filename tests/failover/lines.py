"""Three providers that tell a tape, each with a delay of its own, and what goes wrong with one of them."""

from collections.abc import Callable, Mapping, Sequence
from random import Random

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import SECOND, Down, FeedEvent, Held, Mark, Tick, Ticks
from participant.history.synthetic import Instant
from tests.failover.tape import said

NAMES = ("one", "two", "three")
MILLISECOND = 1_000_000
DELAYS_MS = {"one": (2, 20), "two": (10, 60), "three": (20, 90)}
CLOCK_AHEAD = 3 * SECOND
GARBAGE = 0.05
MEND_S = 8  # how long a provider takes to send its whole book again after a gap
Garble = Callable[[Tick, Random], Tick]

KINDS = (
    "silent, socket open", "heartbeats alone", "old data again", "gap", "link lost", "crossed book",
    "frozen underlying", "5 % garbage", "clock 3 s ahead", "shifted prices",
)  # fmt: skip
OUTVOTED, RECORDED = "shifted prices", "as recorded"  # what only the vote finds is believed until then
GARBLED: tuple[Garble, ...] = (
    lambda t, r: _scaled(t, 10, 1),
    lambda t, r: _scaled(t, 100, 1),
    lambda t, r: _scaled(t, 1, 10),
    lambda t, r: replace(t, bid=t.ask, ask=t.bid) if t.bid else replace(t, last=-t.last),
    lambda t, r: replace(t, bid=-t.bid, last=-t.last, ask_size=-1),
    lambda t, r: replace(t, ask=t.ask * 10, last=t.last * 10),
)


class Fault(Struct, frozen=True):
    """What is wrong with some providers, from `start` to `end` (ns)."""

    kind: str
    start: int
    end: int
    names: tuple[str, ...] = ("one",)

    def holds(self, name: str, at: int) -> bool:
        """Whether it holds for this provider now."""
        return name in self.names and self.start <= at < self.end


class Line:
    """One provider: a Feed that says a tape's beats a little later than they were, and the fault as it holds."""

    def __init__(self, name: str, fault: Fault, seed: str) -> None:
        self.name, self.fault, self._rng = name, fault, Random(f"{seed}/{name}")
        self._coming: list[tuple[int, FeedEvent]] = []
        self.counts: dict[str, int] = {}
        self._book: dict[str, Tick] = {}
        self._frozen: dict[str, Tick] = {}
        self._up_at, self._is_up, self.now, self.first_at = 0, False, 0, 0

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What has arrived by now."""
        due = [event for at, event in self._coming if at <= self.now]
        self._coming = [(at, event) for at, event in self._coming if at > self.now]
        return due

    def close(self) -> None:
        """Nothing is held."""

    def beat(self, instant: Instant) -> None:
        """What became new, and that it is all; as the fault has it."""
        at, kind = instant.at, self.fault.kind if self.fault.holds(self.name, instant.at) else ""
        is_news = any(said(t) != said(self._book.get(t.contract, t)) for t in instant.ticks)
        self._book.update({t.contract: t for t in instant.ticks})
        if kind in ("silent, socket open", "heartbeats alone"):
            self.first_at = self.first_at or (at if is_news else 0)
            return
        if kind in ("gap", "link lost") and self._is_up and self._up_at < self.fault.start:
            self._is_up, mend_s = False, MEND_S if kind == "gap" else (self.fault.end - at) // SECOND
            self._up_at = at + mend_s * SECOND
            self._say(
                at, Down(self.name, at, "messages from number 17 on were lost" if kind == "gap" else "reset by peer")
            )
        if at < self._up_at:
            return
        ticks = instant.ticks if self._is_up else tuple(self._book.values())
        self._say(at, Ticks(self.name, at, self._told(kind, ticks, at), is_snapshot=not self._is_up))
        self._say(at, Mark(self.name, at, at + CLOCK_AHEAD * (kind == "clock 3 s ahead")))
        self._is_up = True

    def hold(self, at: int) -> None:
        """Once a second: the book stands."""
        is_silent = self.fault.holds(self.name, at) and self.fault.kind == "silent, socket open"
        if self._is_up and not is_silent:
            self._say(at, Held(self.name, at))

    def _told(self, kind: str, ticks: Sequence[Tick], at: int) -> tuple[Tick, ...]:
        change = CHANGES.get(kind)
        if not change:
            return tuple(ticks)
        told = change(self, ticks)
        self.first_at = self.first_at or (at if told != tuple(ticks) else 0)
        return told

    def _say(self, at: int, event: FeedEvent) -> None:
        """It arrives later, and never before what was said earlier."""
        low, high = DELAYS_MS[self.name]
        arrival = at + self._rng.randint(low, high) * MILLISECOND
        arrival = max([arrival, *(then for then, _ in self._coming[-1:])])
        self._coming.append((arrival, replace(event, received_at=arrival)))

    # --- faults that change what is said ---

    def stale(self, ticks: Sequence[Tick]) -> tuple[Tick, ...]:
        """What was said when the fault began, again and again."""
        return tuple(self._frozen.setdefault(t.contract, t) for t in ticks)

    def frozen(self, ticks: Sequence[Tick]) -> tuple[Tick, ...]:
        """The underlying says again what it said, with the time of now; the rest goes on."""
        return tuple(replace(t, last=self._frozen.setdefault(t.contract, t).last) if t.last else t for t in ticks)

    def crossed(self, ticks: Sequence[Tick]) -> tuple[Tick, ...]:
        """Every fourth option is crossed, as it is where one side of a book is lost."""
        return tuple(replace(t, ask=t.bid - 5 * 100) if hash_of(t) % 4 == 0 and t.bid > 1000 else t for t in ticks)

    def garbled(self, ticks: Sequence[Tick]) -> tuple[Tick, ...]:
        """Five of a hundred ticks say something that cannot be."""
        rng = self._rng
        return tuple(rng.choice(GARBLED)(t, rng) if rng.random() < GARBAGE else t for t in ticks)

    def ahead(self, ticks: Sequence[Tick]) -> tuple[Tick, ...]:
        """Every time is three seconds ahead."""
        return tuple(replace(t, exchange_at=t.exchange_at + CLOCK_AHEAD) for t in ticks)

    def shifted(self, ticks: Sequence[Tick]) -> tuple[Tick, ...]:
        """Every price is two percent too high."""
        return tuple(_scaled(t, 102, 100) for t in ticks)


CHANGES: Mapping[str, Callable[[Line, Sequence[Tick]], tuple[Tick, ...]]] = {
    "old data again": Line.stale,
    "crossed book": Line.crossed,
    "frozen underlying": Line.frozen,
    "5 % garbage": Line.garbled,
    "clock 3 s ahead": Line.ahead,
    "shifted prices": Line.shifted,
}


def hash_of(tick: Tick) -> int:
    """The same for a contract in every run."""
    return sum(tick.contract.encode())


def _scaled(tick: Tick, up: int, down: int) -> Tick:
    return replace(tick, bid=tick.bid * up // down, ask=tick.ask * up // down, last=tick.last * up // down)
