"""A queue in the memory of one process, driven by the time that it is given: for simulations and tests."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from participant.core.messages import Message, QueueDepth


@dataclass(slots=True)
class _Entry:
    message: Message
    receives: int = 0
    hidden_until: float = 0.0
    is_taken: bool = False


class MemoryQueue:
    """`now` gives seconds; `visibility_s` hides what was taken; over `receives_max` takes bury a message."""

    def __init__(self, now: Callable[[], float], visibility_s: float = 60.0, receives_max: int = 5) -> None:
        self._now = now
        self._visibility_s = visibility_s
        self._receives_max = receives_max
        self._known: set[str] = set()
        self._live: dict[str, _Entry] = {}
        self._buried: list[tuple[Message, str]] = []

    def put(self, messages: Sequence[Message]) -> int:
        """Add messages, all or none; one whose id was ever put before is passed over. Returns how many were new."""
        before = len(self._known)
        for message in messages:
            if message.id not in self._known:
                self._known.add(message.id)
                self._live[message.id] = _Entry(message)
        return len(self._known) - before

    def take(self, limit: int, wait_s: float) -> list[Message]:
        """Up to `limit` messages in order; never waits, as nobody else could put one meanwhile."""
        now = self._now()
        taken: list[Message] = []
        blocked: set[str] = set()
        for entry in list(self._live.values()):
            if len(taken) >= limit:
                break
            if entry.hidden_until > now:
                blocked.add(entry.message.key)
            elif entry.message.key not in blocked:
                taken += self._receive(entry, now)
        return taken

    def done(self, ids: Sequence[str]) -> None:
        """These are finished with, for good."""
        for message_id in ids:
            self._live.pop(message_id, None)

    def back(self, ids: Sequence[str], delay_s: float) -> None:
        """Give these back, to be taken again after `delay_s`."""
        for message_id in ids:
            entry = self._live.get(message_id)
            if entry is not None and entry.is_taken:
                entry.is_taken = False
                entry.hidden_until = self._now() + delay_s

    def bury(self, ids: Sequence[str], reason: str) -> None:
        """Put these among the dead letters, with a reason."""
        for message_id in ids:
            entry = self._live.pop(message_id, None)
            if entry is not None:
                self._buried.append((entry.message, reason))

    def depth(self) -> QueueDepth:
        """How many wait, are taken, and are buried."""
        now = self._now()
        taken = sum(entry.is_taken and entry.hidden_until > now for entry in self._live.values())
        return QueueDepth(waiting=len(self._live) - taken, taken=taken, buried=len(self._buried))

    def dead_letters(self) -> list[tuple[Message, str]]:
        """What was buried, in the order of putting where equal, with the reasons."""
        return list(self._buried)

    def restart(self) -> None:
        """The consumer starts again after a crash: what it had taken can be taken at once; receives stay counted."""
        for entry in self._live.values():
            if entry.is_taken:
                entry.is_taken, entry.hidden_until = False, 0.0

    def _receive(self, entry: _Entry, now: float) -> list[Message]:
        message = entry.message
        if entry.receives >= self._receives_max:
            self.bury([message.id], f"taken {self._receives_max} times without an end")
            return []
        entry.receives += 1
        entry.is_taken, entry.hidden_until = True, now + self._visibility_s
        return [Message(message.id, message.key, message.body, entry.receives)]
