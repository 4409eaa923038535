"""The machine's own time: the one place that reads it."""

import time


class SystemClock:
    """The wall clock of this machine."""

    def now(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return time.time_ns()

    def release(self, at: int) -> None:
        """Real time takes no notice."""
