"""What a recorded set shows of one expiry of one scrip at one moment: a page, whatever its source, in one set of units.

Prices are 1/10,000 rupee, sizes, volume and open interest units (not lots), instants ns UTC; 0 is 'not there'.
"""

import datetime
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.scrip import Kind

ROUND_S = 180
# Symbols become names of folders and contracts: what is none never gets that far.
SYMBOL = r"^[A-Za-z0-9][A-Za-z0-9&._ -]*$"


class BadData(Exception):
    """A file that cannot be used: which, what is wrong with it and how to mend it, in one line."""


class Cell(Struct, frozen=True, array_like=True):
    """One option of a page: its best bid and ask, the last trade, and what was traded and is open."""

    kind: Kind
    strike: int
    bid: int = 0
    ask: int = 0
    bid_size: int = 0
    ask_size: int = 0
    last: int = 0
    volume: int = 0
    open_interest: int = 0


class Page(Struct, frozen=True):
    """A page as its source gave it, in the house's units: `cells` by strike, the call before the put.

    `rows` is how many rows of the source it was read from. `is_modelled` says that bids and asks are a model's.
    """

    at: int
    symbol: str
    expiry: datetime.date
    spot: int
    cells: Sequence[Cell]
    rows: int
    source: str
    is_modelled: bool = False


class Doubted(Page, frozen=True):
    """A page whose rows cannot be one, and why: it is counted as it came, and never traded on."""

    doubt: str = ""


def is_symbol(text: str) -> bool:
    """Whether this can be the name of a scrip."""
    return re.fullmatch(SYMBOL, text) is not None


class Tally(Struct):
    """What became of a source's rows while it was read: how many there were, and how many were left out, by reason."""

    rows: int = 0
    left_out: dict[str, int] = {}

    def leave_out(self, reason: str, rows: int = 1) -> None:
        """Count rows that become no page."""
        self.left_out[reason] = self.left_out.get(reason, 0) + rows


def newest(pages: Iterable[Page]) -> Page:
    """The page that was seen last."""
    return max(pages, key=lambda page: page.at)


def rounds(pages: Iterable[Page]) -> Iterator[list[Page]]:
    """Pages in time order, put together while no expiry comes twice and at most ROUND_S seconds have passed."""
    group: list[Page] = []
    seen: set[tuple[str, datetime.date]] = set()
    for at, same in groupby(sorted(pages, key=lambda p: (p.at, p.symbol, p.expiry)), key=lambda page: page.at):
        block = list(same)
        names = {(page.symbol, page.expiry) for page in block}
        if group and (names & seen or at - group[0].at > ROUND_S * SECOND):
            yield group
            group, seen = [], set()
        group += block
        seen |= names
    if group:
        yield group
