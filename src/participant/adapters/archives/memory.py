"""The decision log in the memory of one process: for simulations and tests."""

from collections.abc import Sequence


class MemoryArchive:
    """Keeps each day's lines, and what was sealed of them."""

    def __init__(self) -> None:
        self._days: dict[str, list[bytes]] = {}
        self.sealed: dict[str, tuple[bytes, ...]] = {}

    def append(self, day: str, lines: Sequence[bytes]) -> None:
        """Add whole lines to a day's log."""
        if any(b"\n" in line for line in lines):
            raise ValueError("a line of the log may not hold a line break")
        self._days.setdefault(day, []).extend(lines)

    def count(self, day: str) -> int:
        """How many lines the day's log has."""
        return len(self._days.get(day, ()))

    def read(self, day: str) -> list[bytes]:
        """The day's lines, in order."""
        return list(self._days.get(day, ()))

    def seal(self, day: str) -> str:
        """Keep the day's lines as they are now; returns where."""
        self.sealed[day] = tuple(self._days.get(day, ()))
        return f"memory:{day}"
