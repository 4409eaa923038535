"""Time that a simulation moves by hand. It never goes back."""


class VirtualClock:
    """Stands at `at` (nanoseconds UTC) until it is moved; `released` keeps every instant that was said to be closed."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.released: list[int] = []

    def now(self) -> int:
        """Nanoseconds since the epoch, UTC."""
        return self._at

    def release(self, at: int) -> None:
        """Note that instant `at` is closed; who moves this clock decides what follows."""
        self.released.append(at)

    def advance(self, by: int) -> None:
        """Move on by `by` nanoseconds."""
        self.set(self._at + by)

    def set(self, at: int) -> None:
        """Move on to `at`, nanoseconds UTC."""
        if at < self._at:
            raise ValueError(f"time does not go back: it is {self._at}, not {at}")
        self._at = at
