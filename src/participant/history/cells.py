"""The cells of a page as they lie in the columns of a file, and the chains that pages show.

A cell becomes a value only where somebody asks for it.
"""

import datetime
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import overload

from msgspec import Struct

from participant.core.chain_columns import Figures, Listed
from participant.core.market import Chain
from participant.core.scrip import Contract, Kind
from participant.history.pages import Cell, Page


class Shape:
    """Which options a page shows, row by row; pages that show the same ones share it."""

    __slots__ = ("is_sorted", "kinds", "options", "strikes")

    def __init__(self, strikes: Sequence[int], kinds: Sequence[Kind]) -> None:
        self.strikes, self.kinds = tuple(strikes), tuple(kinds)
        self.options = tuple((k, kind is Kind.CALL) for k, kind in zip(self.strikes, self.kinds, strict=True))
        self.is_sorted = all(low <= high for low, high in pairwise(self.strikes))


class Columns(Struct, frozen=True):
    """The figures of many pages, a column each of 64-bit whole numbers."""

    quoted: Figures
    last: Sequence[int]
    volume: Sequence[int]
    open_interest: Sequence[int]


class Cells(Sequence[Cell]):
    """The cells of one page, whose figures stand in `columns` from `begin` on."""

    __slots__ = ("begin", "columns", "shape")

    def __init__(self, shape: Shape, columns: Columns, begin: int) -> None:
        self.shape, self.columns, self.begin = shape, columns, begin

    @classmethod
    def of(cls, cells: Sequence[Cell]) -> "Cells":
        """These cells in columns."""
        if isinstance(cells, Cells):
            return cells
        names = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "open_interest")
        figures = [array("q", [getattr(cell, name) for cell in cells]) for name in names]
        shape = Shape([cell.strike for cell in cells], [cell.kind for cell in cells])
        return cls(shape, Columns(Figures(*figures[:4]), *figures[4:]), 0)

    def __len__(self) -> int:
        return len(self.shape.strikes)

    @overload
    def __getitem__(self, at: int) -> Cell: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Cell, ...]: ...
    def __getitem__(self, at: int | slice) -> Cell | tuple[Cell, ...]:
        if isinstance(at, slice):
            return tuple(self[i] for i in range(*at.indices(len(self))))
        shape, of = self.shape, self.columns
        at = range(len(shape.strikes))[at]
        row, (bids, asks, bid_sizes, ask_sizes) = self.begin + at, of.quoted
        sides = (bids[row], asks[row], bid_sizes[row], ask_sizes[row])
        return Cell(shape.kinds[at], shape.strikes[at], *sides, of.last[row], of.volume[row], of.open_interest[row])

    def __iter__(self) -> Iterator[Cell]:
        return map(self.__getitem__, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def strikes_near(cells: Sequence[Cell], spot: int, reach: int) -> Iterator[int]:
    """The strikes of a page no further than `reach` from spot (prices), the nearest first, of two the lower."""
    is_sorted = isinstance(cells, Cells) and cells.shape.is_sorted
    strikes = cells.shape.strikes if isinstance(cells, Cells) and is_sorted else sorted({c.strike for c in cells})
    above, last = bisect_left(strikes, spot), -1
    below = above - 1
    while below >= 0 or above < len(strikes):
        is_up = below < 0 or (above < len(strikes) and strikes[above] - spot < spot - strikes[below])
        strike = strikes[above if is_up else below]
        above, below = (above + 1, below) if is_up else (above, below - 1)
        if abs(strike - spot) > reach:
            return
        if strike != last:  # its call and its put stand side by side
            yield strike
        last = strike


def cells_at(cells: Sequence[Cell], strike: int) -> Sequence[Cell]:
    """The cells of a page of one strike."""
    if isinstance(cells, Cells) and cells.shape.is_sorted:
        strikes = cells.shape.strikes
        first = bisect_left(strikes, strike)
        return [cells[i] for i in range(first, bisect_right(strikes, strike, first))]
    return [cell for cell in cells if cell.strike == strike]


def options_on(pages: Iterable[Page]) -> set[tuple[datetime.date, int, Kind]]:
    """Expiry, strike and kind of every option on these pages."""
    found, shapes = set[tuple[datetime.date, int, Kind]](), set[tuple[datetime.date, Shape]]()
    for page in pages:
        if isinstance(page.cells, Cells):
            shapes.add((page.expiry, page.cells.shape))
        else:
            found.update((page.expiry, cell.strike, cell.kind) for cell in page.cells)
    for expiry, shape in shapes:
        found.update((expiry, strike, kind) for strike, kind in zip(shape.strikes, shape.kinds, strict=True))
    return found


# --- chains of a day --------------------------------------------------------------------------------------------------


def by_symbol(pages: Iterable[Page]) -> dict[str, list[Page]]:
    """Pages by their scrip."""
    found: dict[str, list[Page]] = {}
    for page in pages:
        found.setdefault(page.symbol, []).append(page)
    return found


def listed_of(contracts: Iterable[Contract]) -> dict[datetime.date, Listed]:
    """The options of a scrip's master by expiry, in its order."""
    options: dict[datetime.date, list[Contract]] = {}
    for contract in contracts:
        if contract.kind.is_option:
            options.setdefault(contract.expiry, []).append(contract)
    return {expiry: Listed(mine) for expiry, mine in options.items()}


def chains_of(listed: Mapping[datetime.date, Listed], pages: Sequence[Page]) -> dict[datetime.date, Chain]:
    """The chains that the pages of a round show of a scrip; an expiry that is not in the master shows nothing."""
    by_expiry: dict[datetime.date, list[Page]] = {}
    for page in pages:
        by_expiry.setdefault(page.expiry, []).append(page)
    found = {}
    for expiry, mine in by_expiry.items():
        if expiry in listed:
            together = mine[0].cells if len(mine) == 1 else [cell for page in mine for cell in page.cells]
            cells = Cells.of(together)
            found[expiry] = listed[expiry].shown(cells.shape.options, cells.columns.quoted, cells.begin, mine[-1].at)
    return found
