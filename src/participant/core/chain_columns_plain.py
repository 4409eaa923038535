"""A chain in columns in plain Python: the twin of the kernel `_chain_columns`, and its oracle in the tests."""

from array import array
from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import gcd, nan

from participant.core.ids import canonical
from participant.core.market import Quote, Strike

Side = tuple[bytes, ...]
Columns = tuple[int, tuple[int, int, int, int], bytes, Side, Side]


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


def middles(rows: Sequence[Strike]) -> tuple[bytes, bytes]:
    """The middles of all calls and then all puts, nan where a quote is not valid, and the strikes, twice: doubles."""
    quotes = [*(row.call for row in rows), *(row.put for row in rows)]
    found = array("d", [(q.bid + q.ask) / 2 if q is not None and q.is_valid else nan for q in quotes])
    return found.tobytes(), array("d", [row.strike for row in rows] * 2).tobytes()


def shown(
    strikes: Sequence[int], seen: bytearray, page: Sequence[Sequence[int]], begin: int, at: int
) -> tuple[tuple[Strike, ...], bytes, None]:
    """A page as a chain: its strikes, and those as JSON; the kernel's numbers are its own.

    `strikes` are all of the expiry. `page` is where each of its cells stands among all calls and then all puts, and the
    columns of bids, asks and their sizes, the page's from `begin` on. `seen` says of which cells anything was quoted so
    far, and is kept up: what was not is not there, and what was is dark where the page lacks it.
    """
    places, *cells = page
    full = [(0, 0, 0, 0)] * len(seen)
    for i, place in enumerate(places):
        bid, ask, bid_size, ask_size = (int(column[begin + i]) for column in cells)
        full[place] = (bid, ask, bid_size, ask_size)
    for place, (bid, ask, *_) in enumerate(full):
        seen[place] |= bool(bid or ask)
    quotes = [Quote(*cell, at) if seen[place] else None for place, cell in enumerate(full)]
    sides = zip(strikes, quotes[: len(strikes)], quotes[len(strikes) :], strict=True)
    rows = tuple(Strike(strike, call, put) for strike, call, put in sides if call is not None or put is not None)
    return rows, canonical(rows), None
