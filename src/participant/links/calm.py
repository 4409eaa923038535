"""A pace for reading somebody else's books: in lockstep the market waits for us, and we would ask without a pause."""

import time
from collections.abc import Callable


class Calm:
    """Each call comes `every_s` seconds (wall) after the one before, or later; the first one at once."""

    def __init__(
        self,
        every_s: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._every_s, self._clock, self._sleep = every_s, clock, sleep
        self._next = clock()

    def __call__(self) -> None:
        """Wait for the next turn."""
        left_s = self._next - self._clock()
        if left_s > 0:
            self._sleep(left_s)
        self._next = max(self._next, self._clock()) + self._every_s
