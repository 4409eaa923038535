"""The rows of a chain read as numbers in plain Python: the twin of the kernel `_rows`, and its oracle in the tests."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, takewhile
from math import isfinite

from participant.core.market import Quote, Strike


def parities(rows: Sequence[Strike], spot: int, reach: float, most: int) -> list[tuple[float, float]]:
    """Strike + call - put and its weight at the nearest strikes that show both, nearest spot first."""
    return list(islice(_parities(rows, spot, reach), most))


def _parities(rows: Sequence[Strike], spot: int, reach: float) -> Iterator[tuple[float, float]]:
    above = bisect_left(rows, spot, key=lambda row: row.strike)
    below = above - 1
    while below >= 0 or above < len(rows):
        is_up = below < 0 or (above < len(rows) and rows[above].strike - spot < spot - rows[below].strike)
        row = rows[above if is_up else below]
        above, below = (above + 1, below) if is_up else (above, below - 1)
        if abs(row.strike - spot) > reach:
            return
        call, put = row.call, row.put
        if call is not None and put is not None and call.is_valid and put.is_valid:
            level = row.strike + (call.bid + call.ask) / 2 - (put.bid + put.ask) / 2
            yield level, 1 / (call.ask - call.bid + put.ask - put.bid)


Solved = Callable[[bool, float, float, int, float], float]
Level = tuple[int, float]


def at_the_money(
    rows: Sequence[Strike], forward: float, reach: float, years: float, solved: Solved
) -> tuple[Level | None, Level | None]:
    """The nearest strike at or under the forward with an IV, and the nearest over it: the mean of call and put."""
    first = bisect_left(rows, forward - reach, key=lambda row: row.strike)
    near = list(takewhile(lambda row: row.strike <= forward + reach, rows[first:]))
    below = (row for row in reversed(near) if row.strike <= forward)
    above = (row for row in near if row.strike > forward)
    return _first_iv(below, forward, years, solved), _first_iv(above, forward, years, solved)


def _first_iv(rows: Iterable[Strike], forward: float, years: float, solved: Solved) -> Level | None:
    for row in rows:
        quotes = ((True, row.call), (False, row.put))
        valid = [(is_call, (q.bid + q.ask) / 2) for is_call, q in quotes if q is not None and q.is_valid]
        ivs = [solved(is_call, middle, forward, row.strike, years) for is_call, middle in valid]
        known = [iv for iv in ivs if isfinite(iv)]
        if known:
            return row.strike, sum(known) / len(known)
    return None


def valid_calls(rows: Sequence[Strike], over: float) -> tuple[list[Strike], bytes, bytes]:
    """The calls with a valid quote at strikes over a level: rows, and as doubles their strikes and their middles."""
    first = bisect_right(rows, over, key=lambda row: row.strike)
    calls = [(row, row.call) for row in rows[first:] if row.call is not None and row.call.is_valid]
    strikes = array("d", [row.strike for row, _ in calls])
    middles = array("d", [(call.bid + call.ask) / 2 for _, call in calls])
    return [row for row, _ in calls], strikes.tobytes(), middles.tobytes()


def closest(measures: Sequence[float], target: float, reach: float) -> list[int]:
    """The places of the numbers within reach of a target, the nearest first."""
    off = [abs(one - target) for one in measures]
    return sorted((i for i, by in enumerate(off) if by <= reach), key=off.__getitem__)


def calls_near(rows: Sequence[Strike], spot: int, reach: float) -> tuple[Quote, ...]:
    """The valid quotes of the calls whose strikes are no further from spot."""
    first = bisect_left(rows, spot - reach - 1, key=lambda row: row.strike)
    near = takewhile(lambda row: row.strike - spot <= reach, rows[first:])
    return tuple(row.call for row in near if row.call is not None and spot - row.strike <= reach and row.call.is_valid)
