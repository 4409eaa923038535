"""Which quotes of a page cannot be honest: by themselves, against the forward, and against the strikes beside them.

Every bound is free of models, so that any honest market keeps it. Prices are 1/10,000 rupee.
"""

import datetime
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from participant.core.scrip import Kind
from participant.core.session import day_of
from participant.history.derived import from_parity, nearest_row
from participant.history.pages import Cell, Page

# No NSE option of the recorded sets trades in finer steps; those on stocks below 250 rupees do from November 2025.
TICK = 500
FINER_FROM = datetime.date(2025, 11, 3)
# How far a forward may lie from spot beside the carry: what stocks pay out, and a spot that is seconds older.
ROOM_BP = 200
# Deep in the money a price is discounted: no more than this a year, nor does a forward rise faster.
RATE_BP = 1_000
# Quotes of a page are not all of one instant: less than this (of spot) proves nothing. Of the sets of 2018-19 and 2025
# one page in three has strikes a tick out of line, but none in a hundred by 2 bp; deep strikes trail by up to 25.
WORTH_SLACK_BP = 25
STRIKES_SLACK_BP = 2
BASIS_POINTS = 10_000
REACH = 2  # strikes on either side that are asked which of three quotes is the wrong one

CROSSED, LOCKED = "crossed", "locked"
NO_SIZE, NO_STRIKE, NEGATIVE = "price without size", "strike not above 0", "below 0"
TWICE = "contract twice on one page"
OFF_TICK = "off the tick"
TOO_DEAR, TOO_CHEAP = "bid above all that it can be worth", "asked under its intrinsic value"
BESIDE, CONVEX = "dearer than the strike beside it", "above the line of the strikes beside it"

Conflict = tuple[tuple[int, ...], str]


class Emptied(Struct, frozen=True):
    """A cell as it was, and why it cannot be."""

    cell: Cell
    reason: str


class _Limits(Struct, frozen=True):
    """What this page's quotes are held against."""

    tick: int
    low: int
    high: int
    years_bp: int
    worth_slack: int
    strikes_slack: int


def is_quoted(cell: Cell) -> bool:
    """Whether at least one side is there."""
    return cell.bid > 0 or cell.ask > 0


def keep_honest(page: Page) -> tuple[tuple[Cell, ...], list[Emptied]]:
    """The page's cells by strike, call before put, without the quotes that cannot be; and those.

    A contract without a strike, or that is there again, is left out whole; of a quote without size that side alone.
    """
    emptied: list[Emptied] = []
    cells = _distinct(page.cells, emptied)
    limits = _limits(page)
    for i, cell in enumerate(cells):
        if cell.bid or cell.ask or cell.bid_size or cell.ask_size:
            cells[i] = _alone(cell, limits, emptied)
    for kind in (Kind.CALL, Kind.PUT):
        row = [i for i, cell in enumerate(cells) if cell.kind is kind and (cell.bid or cell.ask)]
        # From the dearest to the cheapest: a call falls as the strike rises, a put as it falls.
        row = row if kind is Kind.CALL else row[::-1]
        for place, reason in _wrong([cells[i] for i in row], limits.strikes_slack):
            cells[row[place]] = _empty(cells[row[place]], reason, emptied)
    return tuple(cells), emptied


def _distinct(cells: Sequence[Cell], emptied: list[Emptied]) -> list[Cell]:
    """In their order, each contract once: of two that differ neither can be believed."""
    names = [(cell.strike, cell.kind) for cell in cells]
    if all(a < b for a, b in itertools.pairwise(names)) and (not names or names[0][0] > 0):
        return list(cells)
    found: dict[tuple[int, Kind], Cell] = {}
    for name, cell in zip(names, cells, strict=True):
        if cell.strike <= 0:
            emptied.append(Emptied(cell, NO_STRIKE))
        elif name not in found:
            found[name] = cell
        elif found[name] == cell:
            emptied.append(Emptied(cell, TWICE))
        else:
            emptied.append(Emptied(cell, TWICE))
            found[name] = _empty(found[name], TWICE, emptied)
    return [found[name] for name in sorted(found)]


def _empty(cell: Cell, reason: str, emptied: list[Emptied]) -> Cell:
    if is_quoted(cell) or reason == NEGATIVE:
        emptied.append(Emptied(cell, reason))
    return Cell(cell.kind, cell.strike, last=cell.last, volume=cell.volume, open_interest=cell.open_interest)


# --- by themselves ----------------------------------------------------------------------------------------------------


def _limits(page: Page) -> _Limits:
    """The forward lies between `low` and `high`: by parity near spot, else around spot."""
    day = day_of(page.at)
    years_bp = max(0, (page.expiry - day).days) * BASIS_POINTS // 365
    carry = ROOM_BP + RATE_BP * years_bp // BASIS_POINTS
    low = page.spot * (BASIS_POINTS - ROOM_BP) // BASIS_POINTS
    high = page.spot * (BASIS_POINTS + carry) // BASIS_POINTS
    row = nearest_row(page.cells, page.spot)
    parity = from_parity(*row, row[0].strike, 1) if row is not None else None
    if parity is not None and low <= parity[0] and parity[1] <= high:
        low, high = parity
    slacks = (page.spot * slack_bp // BASIS_POINTS for slack_bp in (WORTH_SLACK_BP, STRIKES_SLACK_BP))
    return _Limits(TICK if day < FINER_FROM else 1, low, high, years_bp, *slacks)


def _alone(cell: Cell, limits: _Limits, emptied: list[Emptied]) -> Cell:
    """The cell, or what is left of it."""
    reason = _fault(cell, limits)
    if reason:
        return _empty(cell, reason, emptied)
    has_bid, has_ask = bool(cell.bid and cell.bid_size), bool(cell.ask and cell.ask_size)
    bid, bid_size = (cell.bid, cell.bid_size) if has_bid else (0, 0)
    ask, ask_size = (cell.ask, cell.ask_size) if has_ask else (0, 0)
    if (bid, bid_size, ask, ask_size) == (cell.bid, cell.bid_size, cell.ask, cell.ask_size):
        return cell
    emptied.append(Emptied(cell, NO_SIZE))
    return Cell(cell.kind, cell.strike, bid, ask, bid_size, ask_size, cell.last, cell.volume, cell.open_interest)


def _fault(cell: Cell, limits: _Limits) -> str:
    """What is wrong with both sides of a cell, or nothing."""
    bid, ask = cell.bid, cell.ask
    if min(bid, ask, cell.bid_size, cell.ask_size) < 0:
        return NEGATIVE
    if 0 < ask <= bid:
        return CROSSED if ask < bid else LOCKED
    if bid % limits.tick or ask % limits.tick:
        return OFF_TICK
    is_call = cell.kind is Kind.CALL
    if bid > (limits.high if is_call else cell.strike):
        return TOO_DEAR
    worth = limits.low - cell.strike if is_call else cell.strike - limits.high
    if ask and worth > 0:
        discount = worth * RATE_BP // BASIS_POINTS * limits.years_bp // BASIS_POINTS
        if ask < worth - discount - limits.worth_slack:
            return TOO_CHEAP
    return ""


# --- against each other -----------------------------------------------------------------------------------------------


def _wrong(row: Sequence[Cell], slack: int) -> list[tuple[int, str]]:
    """The places in a row, dearest first, whose quotes give a sure gain against others of it.

    Where one of them is in more such trades than every other, it is the wrong one; where none is, all that take part.
    """
    if not _has_conflict(row, slack):
        return []
    conflicts, wrong = [*_crossed_strikes(row, slack), *_above_the_line(row, slack)], []
    for _ in range(len(row)):
        counts = Counter(place for places, _ in conflicts for place in places)
        if not counts:
            break
        most = max(counts.values())
        out = {place for place, count in counts.items() if count == most}
        reasons = {place: reason for places, reason in reversed(conflicts) for place in places}
        wrong += [(place, reasons[place]) for place in sorted(out)]
        conflicts = [conflict for conflict in conflicts if not out & set(conflict[0])]
    return wrong


def _has_conflict(row: Sequence[Cell], slack: int) -> bool:
    """Whether there is any: the same bounds, in one pass."""
    least = 0
    asked = []
    for cell in row:
        if least and cell.bid > least + slack:
            return True
        if cell.ask:
            least = min(least or cell.ask, cell.ask)
            asked.append(cell)
    if len(asked) < 3:
        return False
    return any(
        _is_above(low, middle, high, slack) for low, middle, high in zip(asked, asked[1:], asked[2:], strict=False)
    )


def _crossed_strikes(row: Sequence[Cell], slack: int) -> Iterator[Conflict]:
    """Bids above the ask of a strike that is worth more."""
    for j, cheap in enumerate(row):
        yield from (((i, j), BESIDE) for i, dear in enumerate(row[:j]) if 0 < dear.ask < cheap.bid - slack)


def _above_the_line(row: Sequence[Cell], slack: int) -> Iterator[Conflict]:
    """Bids above what two strikes around it are asked for, by the distance to each."""
    asked = [i for i, cell in enumerate(row) if cell.ask]
    for place, i in enumerate(asked):
        around = itertools.product(asked[max(0, place - REACH) : place], asked[place + 1 : place + 1 + REACH])
        yield from (((low, i, high), CONVEX) for low, high in around if _is_above(row[low], row[i], row[high], slack))


def _is_above(low: Cell, middle: Cell, high: Cell, slack: int) -> bool:
    near, far = abs(middle.strike - low.strike), abs(high.strike - middle.strike)
    return (middle.bid - slack) * (near + far) > low.ask * far + high.ask * near
