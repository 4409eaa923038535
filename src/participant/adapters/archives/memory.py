"""The decision log in the memory of one process: for simulations and tests."""

from collections.abc import Iterator, Sequence


class MemoryArchive:
    """Keeps each day's lines and packs of parts, and what was sealed of them."""

    def __init__(self) -> None:
        self._days: dict[str, list[tuple[bytes, bytes]]] = {}
        self.sealed: dict[str, tuple[tuple[bytes, bytes], ...]] = {}

    def append(self, day: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Add lines to a day's log, each with the pack of its parts."""
        if any(b"\n" in line for line, _ in records):
            raise ValueError("a line of the log may not hold a line break")
        self._days.setdefault(day, []).extend(records)

    def count(self, day: str) -> int:
        """How many lines the day's log has."""
        return len(self._days.get(day, ()))

    def read(self, day: str) -> Iterator[tuple[bytes, bytes]]:
        """The day's lines in order, each with its pack of parts."""
        return iter(tuple(self._days.get(day, ())))

    def seal(self, day: str) -> str:
        """Keep the day's log as it is now; returns where."""
        self.sealed[day] = tuple(self._days.get(day, ()))
        return f"memory:{day}"
