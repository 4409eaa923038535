"""Bids and asks for sources that record last prices alone: a model's, around the last price, and marked so.

The spread is the 75th percentile of (ask - bid) / middle by premium, measured on NIFTY and BANKNIFTY chains of 15
October 2018 to 30 April 2019 (nearest expiry) and of June 2019 (up to five expiries), 09:20 to 15:29, 241,781 quotes
of contracts that had traded since the snapshot before. SPREADS holds it in 1/10,000 of the premium at each level;
between two levels it runs straight, outside them it stays:

    spread = share(last) x last;  half = max(1 tick, spread / 2)
    bid = last - half, down to a tick (none where nothing is left);  ask = last + half, up to a tick

On the same quotes 79 % of the real spreads were no wider. A bid so modelled was no better than the real one for 76 %,
an ask for 76 %; for premiums above Rs 100, where the last price is often outside the quote, for 70 %. The tick was
Rs 0.05. The size is the median one at the touch, 3 lots on either side.

A contract that has not traded for TRADED_WITHIN_S seconds has no quote: its last price says nothing of now.
"""

import datetime
from bisect import bisect_right
from collections.abc import Collection, Iterable

import msgspec

from participant.core.market import SECOND
from participant.core.scrip import Kind
from participant.history.pages import Cell, Page

TICK = 500  # Rs 0.05, in 1/10,000 rupee
SIZE_LOTS = 3
TRADED_WITHIN_S = 900
ONE = 10_000
# premium (1/10,000 rupee) -> spread (1/10,000 of it)
SPREADS = (
    (5_000, 3_400), (10_000, 2_000), (20_000, 1_600), (50_000, 500), (100_000, 270), (200_000, 180), (500_000, 120),
    (1_000_000, 100), (2_000_000, 140), (5_000_000, 220),
)  # fmt: skip
LEVELS = tuple(level for level, _ in SPREADS)

Key = tuple[Kind, int]


def quote(last: int) -> tuple[int, int]:
    """A modelled bid and ask (1/10,000 rupee, on ticks) around a last price; bid 0 where none is left."""
    half = max(TICK, -(-last * share(last) // (2 * ONE)))
    return max(0, (last - half) // TICK * TICK), -(-(last + half) // TICK) * TICK


def share(last: int) -> int:
    """The spread at a premium, in 1/10,000 of it."""
    i = bisect_right(LEVELS, last)
    if i in {0, len(LEVELS)}:
        return SPREADS[max(0, i - 1)][1]
    (low, at_low), (high, at_high) = SPREADS[i - 1], SPREADS[i]
    return at_low + (at_high - at_low) * (last - low) // (high - low)


def model(cells: Iterable[Cell], traded: Collection[Key], lot: int) -> tuple[Cell, ...]:
    """The cells with modelled quotes for those that have traded lately; the others without any. `lot` in units."""
    return tuple(_quoted(cell, lot) if (cell.kind, cell.strike) in traded else cell for cell in cells)


def _quoted(cell: Cell, lot: int) -> Cell:
    if cell.last == 0:
        return cell
    (bid, ask), size = quote(cell.last), SIZE_LOTS * lot
    return msgspec.structs.replace(cell, bid=bid, ask=ask, bid_size=size if bid else 0, ask_size=size)


class _Seen(msgspec.Struct):
    """What is known of one contract's trading today."""

    cell: Cell
    traded_at: int | None = None


class Trading:
    """One day's pages without quotes, in time order, to pages with modelled ones.

    With `is_bars` a page shows what each contract traded since the page before it: volumes are summed up to the day's,
    and a contract without a bar stands as it last did while it has traded lately. Otherwise volumes are the day's, and
    a contract has traded once its volume was seen to grow: what a day's first page shows may be old, and has no quote.
    """

    def __init__(self, *, is_bars: bool) -> None:
        self._is_bars = is_bars
        self._seen: dict[tuple[str, datetime.date], dict[Key, _Seen]] = {}

    def quoted(self, page: Page, lot: int) -> Page:
        """The page with the model's bids and asks; `lot` in units, 0 where it is not known (then sizes are 0)."""
        seen = self._seen.setdefault((page.symbol, page.expiry), {})
        for cell in page.cells:
            self._take(seen, cell, page.at)
        traded = {
            key for key, of in seen.items()
            if of.traded_at is not None and page.at - of.traded_at <= TRADED_WITHIN_S * SECOND
        }  # fmt: skip
        shown = {(cell.kind, cell.strike) for cell in page.cells} | (traded if self._is_bars else set())
        cells = sorted((seen[key].cell for key in shown), key=lambda cell: (cell.strike, cell.kind))
        return msgspec.structs.replace(page, cells=model(cells, traded, lot), is_modelled=True)

    def _take(self, seen: dict[Key, _Seen], cell: Cell, at: int) -> None:
        key = (cell.kind, cell.strike)
        before = seen.get(key)
        has_traded = cell.volume > 0 if self._is_bars else before is not None and cell.volume > before.cell.volume
        if self._is_bars and before is not None:
            cell = msgspec.structs.replace(cell, volume=before.cell.volume + cell.volume)
        traded_at = at if has_traded else before.traded_at if before is not None else None
        seen[key] = _Seen(cell, traded_at)
