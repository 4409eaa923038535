"""The index each second, for option bars that do not say it: the last value seen when a page was known."""

import datetime
from bisect import bisect_right
from pathlib import Path

from participant.core.market import SECOND
from participant.history import tables
from participant.history.layouts import fitting
from participant.history.pages import BadData

SEEN_WITHIN_S = 5  # an index that is older says nothing of now


def is_spots(columns: tuple[str, ...]) -> bool:
    """Whether a table with these columns is an index each second."""
    layout = fitting(columns)
    return layout is not None and layout.shape == "index"


def beside(file: Path) -> tuple[Path, ...]:
    """The files of an index in a file's folder, by name."""
    near = (near for near in sorted(file.parent.iterdir()) if near.is_file() and tables.is_table(near))
    return tuple(file for file in near if _says_spots(file))


def _says_spots(file: Path) -> bool:
    try:
        return is_spots(tables.columns_of(file))
    except BadData:
        return False  # a damaged neighbour is said where it is read itself


class Spots:
    """A day of an index."""

    def __init__(self, symbol: str, files: tuple[Path, ...], day: datetime.date) -> None:
        """`files`: those whose names begin with the symbol are read. Raises BadData."""
        seen = set()
        for file in files:
            layout = fitting(tables.columns_of(file))
            if layout is None or not file.name.startswith(f"{symbol}_"):
                continue
            rows = tables.rows(file, layout, (day, day))
            if rows is not None:
                seen |= {*zip(rows["at"].to_pylist(), rows["spot"].to_pylist(), strict=True)}
        self._seen: list[tuple[int, int]] = sorted((at, spot) for at, spot in seen if spot)

    def at(self, at: int) -> int:
        """The last value at or before an instant; 0 where it is older than SEEN_WITHIN_S, or there is none."""
        i = bisect_right(self._seen, at, key=lambda seen: seen[0])
        if i == 0 or at - self._seen[i - 1][0] > SEEN_WITHIN_S * SECOND:
            return 0
        return self._seen[i - 1][1]
