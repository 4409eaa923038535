"""The life of a provider's link: one thread connects, talks, loses the link and connects again, until it is closed."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread

from msgspec import Struct

from participant.core.market import Down, FeedEvent, Held, Mark, Tick, Ticks
from participant.links.inbox import Inbox
from participant.ports import Clock

BACKOFF_FIRST_S = 0.05
BACKOFF_MAX_S = 2.0
FAULTS_MAX = 20  # of our own, one after the other, until the link is given up
CLOSE_MAX_S = 10.0
EVENTS_MAX = 20_000


class LinkLost(Exception):
    """The link cannot go on, and why; another one may."""


class Intake(Struct, frozen=True):
    """How what a provider says is taken in: `events_max` events may wait to be read.

    `frames` is given the provider, when a message came (ns) and its bytes, on the link's thread. From `ends_at` (ns;
    0: never) on an instant is the last of the day, where the provider does not say so itself.
    """

    events_max: int = EVENTS_MAX
    ends_at: int = 0
    frames: Callable[[str, int, bytes], object] | None = None


INTAKE = Intake()


class FeedLink:
    """Runs `converse` (which returns or raises LinkLost or OSError when its link is over) again and again.

    What it says becomes events of the provider `name`, stamped by `clock`. `counts` tells what was dropped, by reason.
    Whatever else it raises is a fault of ours: that is shown and counted, and ends the link as any other loss does. A
    link that has FAULTS_MAX of them without a snapshot between stays down.
    """

    def __init__(
        self, name: str, clock: Clock, converse: Callable[["FeedLink"], None], intake: Intake = INTAKE
    ) -> None:
        self.name = name
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._converse = converse
        self._inbox = Inbox(intake.events_max)
        self._frames = intake.frames
        self._over = Event()
        self._stamp = 0
        self._is_down = False
        self._held: list[FeedEvent] | None = None
        self._thread = Thread(target=self._run, name=f"feed {name}", daemon=True)

    def start(self) -> None:
        """Begin; the feed that owns the link is complete now."""
        self._thread.start()

    @property
    def stamped_at(self) -> int:
        """What the clock said last (ns)."""
        return self._stamp

    @property
    def is_open(self) -> bool:
        """Whether the feed wants its link."""
        return not self._over.is_set()

    def poll(self, wait_s: float) -> list[FeedEvent]:
        """What arrived, oldest first; waits up to `wait_s` for the first."""
        return self._inbox.take(wait_s)

    def close(self) -> None:
        """End the link."""
        self._over.set()
        self._inbox.close()
        self._thread.join(CLOSE_MAX_S)

    # --- what the conversation says; on its thread ---------------------------------------------------------------

    def stamp(self) -> None:
        """What is said from now on was received now. A clock that cannot be read stands still."""
        try:
            self._stamp = self._clock.now()
        except (OSError, ValueError):  # it does not answer, or refuses
            self.counts["clock unread"] += 1

    def heard(self, message: bytes | str) -> None:
        """A message as it came, before anything is made of it."""
        if self._frames is not None:
            self._frames(self.name, self._stamp, message.encode() if isinstance(message, str) else message)

    def say(self, ticks: Sequence[Tick], *, is_snapshot: bool = False) -> None:
        """A snapshot, or what changed since."""
        self._is_down = False if is_snapshot else self._is_down
        self._put(Ticks(self.name, self._stamp, tuple(ticks), is_snapshot))

    def mark(self, at: int, is_last: bool) -> None:
        """The end of an instant."""
        self._put(Mark(self.name, self._stamp, at, is_last))

    def hold(self) -> None:
        """The whole book stands."""
        self._put(Held(self.name, self._stamp))

    def down(self, reason: str) -> None:
        """The book is void; said once until the next snapshot."""
        if not self._is_down:
            self._is_down = True
            self._put(Down(self.name, self._stamp, reason))

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is said meanwhile is handed over at its end, all at once: who waits is woken once."""
        held = self._held = []
        try:
            yield
        finally:
            self._held = None
            if held:
                self._hand_over(held)

    def _put(self, event: FeedEvent) -> None:
        if self._held is None:
            self._hand_over([event])
        else:
            self._held.append(event)

    def _hand_over(self, events: Sequence[FeedEvent]) -> None:
        if not self._inbox.put(events):
            self._is_down = True
            self.counts["overflow"] += 1
            raise LinkLost("events were not read in time")

    def _run(self) -> None:
        backoff_s, faults = BACKOFF_FIRST_S, 0
        while not self._over.is_set() and faults < FAULTS_MAX:
            try:
                self._converse(self)
                reason = "the provider ended the link"
            except (LinkLost, OSError) as error:
                reason = str(error) or type(error).__name__
            except Exception as error:  # noqa: BLE001 - one bad message must not silence a provider for good
                threading.excepthook(threading.ExceptHookArgs((type(error), error, error.__traceback__, self._thread)))
                self.counts["fault of our own"] += 1
                faults = faults + 1 if self._is_down else 1
                reason = f"a fault of our own: {type(error).__name__}"  # its words may hold a key of the address
            if self._over.is_set():
                return
            backoff_s = min(BACKOFF_MAX_S, backoff_s * 2) if self._is_down else BACKOFF_FIRST_S
            self.stamp()
            with suppress(LinkLost):  # where there is no room for it, the inbox itself says Down
                self.down(reason)
            self._over.wait(backoff_s)
