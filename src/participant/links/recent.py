"""A reading that serves several looks within a moment, so that each of them does not spend a request of its own."""

from collections.abc import Callable
from time import monotonic_ns
from typing import Generic, TypeVar

from participant.core.market import SECOND

T = TypeVar("T")


class Recent(Generic[T]):
    """The last reading, for `for_s` seconds of the steady clock `now` (ns) and until it is dropped.

    A reading that failed is none: what `read` raises goes through, and the next look asks again.
    """

    def __init__(self, read: Callable[[], T], for_s: float, now: Callable[[], int] = monotonic_ns) -> None:
        self._read, self._for_ns, self._now = read, int(for_s * SECOND), now
        self._kept: tuple[T, int] | None = None

    def get(self) -> T:
        """What was read just now, else what is read now."""
        asked_at = self._now()  # a reading is as old as the question
        if self._kept is None or not 0 <= asked_at - self._kept[1] < self._for_ns:
            self._kept = None
            self._kept = self._read(), asked_at
        return self._kept[0]

    def drop(self) -> None:
        """Something may have changed: the next look reads."""
        self._kept = None
