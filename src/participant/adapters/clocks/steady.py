"""A clock that only ever goes forward, at the pace of time: for how long things take, not for when they are."""

import time


class SteadyClock:
    """The machine's time as it was when this was made, and from there on by the monotonic clock: it never steps."""

    def __init__(self) -> None:
        self._ahead = time.time_ns() - time.monotonic_ns()

    def now(self) -> int:
        """Nanoseconds since the epoch, UTC, but for what the wall clock was set since."""
        return self._ahead + time.monotonic_ns()

    def release(self, at: int) -> None:
        """Real time takes no notice."""
