"""A broker's order book only grows within a day: one that lacks an order it had shown was not read in full."""

from collections.abc import Iterable


class SeenBook:
    """The ids that the book ever showed."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def lacks(self, ids: Iterable[str]) -> str:
        """What this reading of the book lacks, in words, or an empty string; what it has is remembered."""
        shown = set(ids)
        lacking = self._ids - shown
        self._ids |= shown
        return f"the book lacks {len(lacking)} orders that it had shown, {min(lacking)} is one" if lacking else ""

    @property
    def ids(self) -> frozenset[str]:
        """Every id that it ever showed."""
        return frozenset(self._ids)
