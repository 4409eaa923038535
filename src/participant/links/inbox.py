"""A bounded inbox between the thread that serves a link and whoever polls it."""

from collections import deque
from collections.abc import Sequence
from threading import Condition

from participant.core.market import Down, FeedEvent


class Inbox:
    """Events in order, at most `events_max`; on overflow all are let go, for what is left could not be trusted."""

    def __init__(self, events_max: int) -> None:
        self._events_max = events_max
        self._events: deque[FeedEvent] = deque()
        self._arrived = Condition()
        self._is_closed = False

    def put(self, events: Sequence[FeedEvent]) -> bool:
        """Add events (at least one); False where nobody polled for too long: the inbox then says Down alone."""
        with self._arrived:
            is_full = len(self._events) + len(events) > self._events_max
            if is_full:
                self._events.clear()
                last = events[-1]
                events = [Down(last.provider, last.received_at, f"{self._events_max} events waited to be read")]
            self._events.extend(events)
            self._arrived.notify()
        return not is_full

    def take(self, wait_s: float) -> list[FeedEvent]:
        """Everything that waits, oldest first; waits up to `wait_s` for the first."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._events or self._is_closed, wait_s)
            events = list(self._events)
            self._events.clear()
        return events

    def close(self) -> None:
        """Let nobody wait any longer."""
        with self._arrived:
            self._is_closed = True
            self._arrived.notify_all()
