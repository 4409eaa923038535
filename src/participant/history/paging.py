"""Rows in the house's units (history/columns.py) to pages: complete, in order, each contract once."""

import datetime
from collections.abc import Callable, Iterator
from functools import cache, reduce
from heapq import merge
from itertools import chain, groupby, repeat

from msgspec.structs import asdict

from participant.core.scrip import Kind
from participant.history.columns import UNIT_OF, Array
from participant.history.layouts import Layout, OptionColumns
from participant.history.pages import SYMBOL, Cell, Doubted, Page, Tally
from participant.history.spread_model import Trading

LotOf = Callable[[str, datetime.date], int | None]
KINDS = (Kind.CALL, Kind.PUT)
# What a row must have, and what is said where it does not; the first that fits is counted.
NEEDED = {
    "at": "no time",
    "kind": "not an option",
    "symbol": "no symbol",
    "expiry": "no sure expiry",
    "strike": "no strike",
}
NO_NAME, TWO_SPOTS = "symbol that is no name", "two spots at one moment"
FIGURES = OptionColumns.__struct_fields__


def pages(rows: Array, layout: Layout, lot_of: LotOf, tally: Tally, source: str) -> Iterator[Page]:
    """One day's rows as pages by instant, symbol and expiry; every row is in a page or counted in `tally`.

    Pages of two replies at once come as `Doubted`.
    """
    import pyarrow.compute as pc

    tally.rows += rows.num_rows
    rows = _sorted(_complete(rows, tally))
    mixed = _mixed(rows)
    lot = cache(lambda symbol, expiry: lot_of(symbol, expiry) or 0)
    trading = Trading(is_bars=layout.bar_s > 0)
    whole = _grouped(_once(rows.filter(pc.invert(mixed)), tally), layout, lot, source)
    doubted = _grouped(rows.filter(mixed), layout, lot, source)
    for page in merge(whole, (Doubted(**asdict(page), doubt=TWO_SPOTS) for page in doubted), key=_place):
        is_whole = not isinstance(page, Doubted)
        yield trading.quoted(page, lot(page.symbol, page.expiry)) if layout.is_modelled and is_whole else page


def _place(page: Page) -> tuple[int, str, datetime.date]:
    return page.at, page.symbol, page.expiry


def _complete(rows: Array, tally: Tally) -> Array:
    """The rows that say what they are of."""
    import pyarrow.compute as pc

    for name, reason in NEEDED.items():
        if name in rows.column_names and (lacking := rows[name].null_count):
            tally.leave_out(reason, lacking)
            rows = rows.filter(pc.is_valid(rows[name]))
    is_name = pc.match_substring_regex(rows["symbol"], SYMBOL)
    if nameless := rows.num_rows - (pc.sum(is_name).as_py() or 0):
        tally.leave_out(NO_NAME, nameless)
        rows = rows.filter(is_name)
    return rows


def _mixed(rows: Array) -> Array:
    """Whether each row is of a page whose rows say two spots: two replies under one stamp, of which none is whole."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = ["at", "symbol", "expiry"]
    said = rows.select(names).append_column("said", pc.if_else(pc.equal(rows["spot"], 0), None, rows["spot"]))
    spots = said.group_by(names).aggregate([("said", "count_distinct")])
    two = spots.filter(pc.greater(spots["said_count_distinct"], 1))
    if two.num_rows == 0:
        return pa.repeat(pa.scalar(value=False), rows.num_rows)
    mixed = set(zip(*(two[name].to_pylist() for name in names), strict=True))
    return pa.array([name in mixed for name in zip(*(rows[name].to_pylist() for name in names), strict=True)])


def _sorted(rows: Array) -> Array:
    keys = _keys(rows)
    return rows.sort_by([(name, "ascending") for name in keys])


def _keys(rows: Array) -> list[str]:
    return [name for name in ("at", "symbol", "expiry", "strike", "kind") if name in rows.column_names]


def _once(rows: Array, tally: Tally) -> Array:
    """Sorted rows without repetitions, and without those that contradict another one of the same contract."""
    import pyarrow as pa

    keys = _keys(rows)
    repeats = _like_before(rows, keys)
    if not any(repeats):
        return rows
    agrees = _like_before(rows, [name for name in rows.column_names if name[0] in "01"])
    keep = [True] * rows.num_rows
    start = 0
    for i in range(1, rows.num_rows + 1):
        if i < rows.num_rows and repeats[i]:
            continue
        if i - start > 1:
            same = all(agrees[start + 1 : i])
            keep[start:i] = [same] + [False] * (i - start - 1)
            tally.leave_out("duplicate row" if same else "conflicting rows", i - start - 1 if same else i - start)
        start = i
    return rows.filter(pa.array(keep))


def _like_before(rows: Array, names: list[str]) -> list[bool]:
    """Whether each row has the same values in these columns as the one before it."""
    import pyarrow.compute as pc

    if rows.num_rows == 0:
        return []
    before, after = rows.slice(0, rows.num_rows - 1), rows.slice(1)
    like = (pc.equal(before[name], after[name]) for name in names)
    return [False, *reduce(pc.and_, like).to_pylist()]


def _grouped(rows: Array, layout: Layout, lot: Callable[[str, datetime.date], int], source: str) -> Iterator[Page]:
    """Sorted rows as pages."""
    symbols, expiries = rows["symbol"].to_pylist(), rows["expiry"].to_pylist()
    spots = rows["spot"].to_pylist()
    lots = list(map(lot, symbols, expiries))
    sides = len(layout.sides)
    cells = list(chain.from_iterable(zip(*(_cells(rows, layout, i, lots) for i in range(sides)), strict=True)))
    start = 0
    for (at, symbol, expiry), group in groupby(zip(rows["at"].to_pylist(), symbols, expiries, strict=True)):
        end = start + sum(1 for _ in group)
        mine = tuple(cells[start * sides : end * sides])
        yield Page(at, symbol, expiry, _spot(spots[start:end]), mine, end - start, source)
        start = end


def _cells(rows: Array, layout: Layout, side: int, lots: list[int]) -> Iterator[Cell]:
    """One option of each row."""
    kinds = [KINDS[k] for k in rows["kind"].to_pylist()] if "kind" in rows.column_names else repeat(KINDS[side])
    figures = []
    for field in FIGURES:
        values = rows[f"{side}_{field}"].to_pylist()
        if getattr(layout.units, UNIT_OF.get(field, ""), "units") == "lots":
            values = [int(value * lot + 0.5) for value, lot in zip(values, lots, strict=True)]
        figures.append(values)
    return map(Cell, kinds, rows["strike"].to_pylist(), *figures)


def _spot(spots: list[int]) -> int:
    """The spot that most rows of a page say, the lower one of two; 0 where none says any."""
    said = [spot for spot in spots if spot]
    return min(set(said), key=lambda spot: (-said.count(spot), spot), default=0)
