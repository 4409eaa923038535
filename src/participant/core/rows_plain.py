"""The rows of a chain read as numbers in plain Python: the twin of the kernel `_rows`, and its oracle in the tests."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise, takewhile
from math import gcd, isfinite

from participant.core.ids import canonical
from participant.core.market import Quote, Strike

Side = tuple[bytes, ...]
Columns = tuple[int, tuple[int, int, int, int], bytes, Side, Side]


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


Solved = Callable[[bool, float, int], float]
Level = tuple[int, float]


def at_the_money(
    rows: Sequence[Strike], forward: float, reach: float, solved: Solved
) -> tuple[Level | None, Level | None]:
    """The nearest strike at or under the forward with an IV, and the nearest over it: the mean of call and put."""
    first = bisect_left(rows, forward - reach, key=lambda row: row.strike)
    near = list(takewhile(lambda row: row.strike <= forward + reach, rows[first:]))
    below = (row for row in reversed(near) if row.strike <= forward)
    above = (row for row in near if row.strike > forward)
    return _first_iv(below, solved), _first_iv(above, solved)


def _first_iv(rows: Iterable[Strike], solved: Solved) -> Level | None:
    for row in rows:
        quotes = ((True, row.call), (False, row.put))
        ivs = [
            solved(is_call, (q.bid + q.ask) / 2, row.strike) for is_call, q in quotes if q is not None and q.is_valid
        ]
        known = [iv for iv in ivs if isfinite(iv)]
        if known:
            return row.strike, sum(known) / len(known)
    return None


def valid_calls(rows: Sequence[Strike], over: float) -> tuple[list[int], list[float], list[Quote]]:
    """The calls with a valid quote at strikes over a level: their strikes, their middles, their quotes."""
    first = bisect_right(rows, over, key=lambda row: row.strike)
    calls = [(row.strike, row.call) for row in rows[first:] if row.call is not None and row.call.is_valid]
    return [strike for strike, _ in calls], [(q.bid + q.ask) / 2 for _, q in calls], [quote for _, quote in calls]


def calls_near(rows: Sequence[Strike], spot: int, reach: float) -> tuple[Quote, ...]:
    """The valid quotes of the calls whose strikes are no further from spot."""
    first = bisect_left(rows, spot - reach - 1, key=lambda row: row.strike)
    near = takewhile(lambda row: row.strike - spot <= reach, rows[first:])
    return tuple(row.call for row in near if row.call is not None and spot - row.strike <= reach and row.call.is_valid)


def columns(rows: Sequence[Strike]) -> Columns:
    """A chain in columns: its newest time, its units, the steps of its strikes, the columns of its calls and puts.

    A unit is what divides all its numbers: of strikes, of prices, of sizes, of ages. Strikes are the lowest and the
    steps from there; a side has bids, spreads, sizes bid, sizes asked, ages back from the newest time, all in units,
    null in each where nobody quotes. A column is the JSON of an array, as it goes into the log.
    """
    calls, puts = [row.call for row in rows], [row.put for row in rows]
    quoted = [q for side in (calls, puts) for q in side if q is not None]
    times, strikes = {q.exchange_at for q in quoted}, [row.strike for row in rows]
    newest = max(times, default=0)
    units = (
        gcd(*strikes) or 1,
        gcd(*[q.bid for q in quoted], *[q.ask for q in quoted]) or 1,
        gcd(*{q.bid_size for q in quoted}, *{q.ask_size for q in quoted}) or 1,
        gcd(*(newest - at for at in times)) or 1,
    )
    counted = [strike // units[0] for strike in strikes]
    steps = counted[:1] + [high - low for low, high in pairwise(counted)]
    ages = {at: (newest - at) // units[3] for at in times}
    return newest, units, canonical(steps), _side(calls, units, ages), _side(puts, units, ages)


def _side(quotes: Sequence[Quote | None], units: tuple[int, int, int, int], ages: Mapping[int, int]) -> Side:
    """The columns of one side: column by column, as a row of its own for each quote would take twice as long."""
    _, price, size, _ = units
    there = [q for q in quotes if q is not None]
    found: tuple[list[int | None], ...] = (
        [q.bid // price for q in there],
        [(q.ask - q.bid) // price for q in there],
        [q.bid_size // size for q in there],
        [q.ask_size // size for q in there],
        [ages[q.exchange_at] for q in there],
    )
    for i, quote in enumerate(quotes):
        if quote is None:
            for column in found:
                column.insert(i, None)
    return tuple(map(canonical, found))
