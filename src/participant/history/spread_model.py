"""Bids and asks for sources that record last prices alone: a model's, around the last price, and marked so.

    spread = flat + share x last + in the money x max(0, last - last of the other option of that strike)
    half = max(1 tick, spread / 2)
    bid = last - half, down to a tick (none where nothing is left);  ask = last + half, up to a tick

The last term is for what a contract is in the money: by parity a call is dearer than its put by the forward less the
strike. So no spot is needed, which some sources lack. Where the other option has no price, all of the premium counts.

The figures (Width) were fitted so that three in four real spreads are no wider, to NIFTY and BANKNIFTY chains of 15
October 2018 to 30 April 2019 (nearest expiry) and of June 2019 (up to five expiries), and of ten stocks in June 2019:
314,851 quotes with both sides, 09:20 to 15:29, of contracts that had traded since the page before. Of those, and of
NIFTY chains of October and November 2025 (all expiries), to which nothing was fitted, in per cent:

                    2018-19: spread no wider,  bid, ask no better    2025: spread no wider,
    group           out of / in the money      than the real ones    out of / in the money
    index, < 8 days         78 / 77                  73, 73                  97 / 97
    index, 8 and more       74 / 76                  73, 73                  79 / 89
    stocks                  78 / 76                  73, 72                     -

A modelled bid or ask may be better than the real one though the spread is wider: where the last price lies outside the
real quote. The tick was Rs 0.05. It is still too kind (two in three) to far index options of Rs 10 to 20 out of the
money, near ones above Rs 500 and, one in three, stocks' of Rs 5 in the money; in 2025 it was hard on near ones.
Underlyings differ: NIFTY near 84 %, far 84 %; BANKNIFTY 74 % and 53 %; stocks from 98 % (YESBANK) to 57 % (HDFC).

The size is 2 lots on either side, the median at the touch within 3 % of spot (index, 2018-19: 3 lots below 8 days, 2
from there on; in 2025 8 and 1).

A contract that has not traded for a time has no quote: its last price says nothing of now. Of index options within 3 %
of spot the next trade was outside the modelled quote for 49 % (minute bars of 2022; 32 % in the chain each minute of
2026) a minute after the last, for 52 % (38 %) after three or four, for 65 % (52 %) after six to ten; in a chain every
five minutes (2026) for 67 % of those that had traded since the page before, for 90 % of those a page older. So an
index's keep their quote for four minutes, less than a page of five. Stocks' show no such rise (57 % after five minutes,
54 % after six to ten, 41 % to fifteen): they keep it for fifteen.
"""

import datetime
from collections.abc import Mapping

import msgspec

from participant.core.market import SECOND
from participant.core.scrip import Kind
from participant.core.session import day_of
from participant.history.pages import Cell, Page
from participant.history.recorded import INDICES

TICK = 500  # Rs 0.05, in 1/10,000 rupee
SIZE_LOTS = 2
NEAR_DAYS = 8  # to expiry: from here on an index's options are far ones
ONE = 10_000


class Width(msgspec.Struct, frozen=True):
    """How wide the quotes of a group are: `flat` in 1/10,000 rupee, the two shares in 1/10,000.

    A contract that has not traded for `traded_within_s` seconds has no quote.
    """

    flat: int
    share: int
    in_the_money: int
    traded_within_s: int


NEAR_INDEX = Width(900, 45, 130, traded_within_s=240)
FAR_INDEX = Width(4_300, 190, 0, traded_within_s=240)
STOCK = Width(1_800, 80, 450, traded_within_s=900)

Key = tuple[Kind, int]


def width(symbol: str, days: int) -> Width:
    """What holds for the options of a symbol so many days before they expire."""
    if symbol not in INDICES:
        return STOCK
    return NEAR_INDEX if days < NEAR_DAYS else FAR_INDEX


def quote(last: int, other: int, of: Width) -> tuple[int, int]:
    """A modelled bid and ask (1/10,000 rupee, on ticks) around a last price; bid 0 where none is left.

    `other` is the last price of the other option of that strike, 0 where it has none.
    """
    spread = of.flat * ONE + of.share * last + of.in_the_money * max(0, last - other)
    half = max(TICK, -(-spread // (2 * ONE)))
    return max(0, (last - half) // TICK * TICK), -(-(last + half) // TICK) * TICK


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
        of = width(page.symbol, (page.expiry - day_of(page.at)).days)
        traded = {
            key for key, of_key in seen.items()
            if of_key.traded_at is not None and page.at - of_key.traded_at <= of.traded_within_s * SECOND
        }  # fmt: skip
        shown = {(cell.kind, cell.strike) for cell in page.cells} | (traded if self._is_bars else set())
        cells = sorted(
            (_modelled(key, seen, of, lot) if key in traded else seen[key].cell for key in shown), key=_place
        )
        return msgspec.structs.replace(page, cells=tuple(cells), is_modelled=True)

    def _take(self, seen: dict[Key, _Seen], cell: Cell, at: int) -> None:
        key = (cell.kind, cell.strike)
        before = seen.get(key)
        has_traded = cell.volume > 0 if self._is_bars else before is not None and cell.volume > before.cell.volume
        if self._is_bars and before is not None:
            cell = msgspec.structs.replace(cell, volume=before.cell.volume + cell.volume)
        traded_at = at if has_traded else before.traded_at if before is not None else None
        seen[key] = _Seen(cell, traded_at)


def _modelled(key: Key, seen: Mapping[Key, _Seen], of: Width, lot: int) -> Cell:
    """The cell with quotes, or as it was where it has no last price."""
    cell, partner = seen[key].cell, seen.get((Kind.PUT if key[0] is Kind.CALL else Kind.CALL, key[1]))
    if cell.last == 0:
        return cell
    (bid, ask), size = quote(cell.last, partner.cell.last if partner else 0, of), SIZE_LOTS * lot
    return msgspec.structs.replace(cell, bid=bid, ask=ask, bid_size=size if bid else 0, ask_size=size)


def _place(cell: Cell) -> tuple[int, Kind]:
    return cell.strike, cell.kind
