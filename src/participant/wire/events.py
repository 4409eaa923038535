"""A user's own file of events (CSV) to values, and every fault in it named by its line."""

import csv
import io
from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import replace

from participant.core.scrip import OwnEvent, Scrip

COLUMNS = ["symbol", "day", "name", "source"]
ROWS_MAX = 100_000


class BadEvents(ValueError):
    """A file of events that cannot be used: which line, what is wrong and how to mend it."""


def with_events(watchlist: Sequence[Scrip], body: bytes) -> tuple[Scrip, ...]:
    """The rows of a watchlist with the events of a file added to those of their own. Raises BadEvents."""
    own = parse_events(body, [scrip.symbol for scrip in watchlist])
    return tuple(replace(scrip, events=(*scrip.events, *own.get(scrip.symbol, ()))) for scrip in watchlist)


def parse_events(body: bytes, symbols: Collection[str]) -> dict[str, tuple[OwnEvent, ...]]:
    """The events of a file by scrip: `symbol,day,name,source`, days as 2026-11-26. Raises BadEvents.

    Every symbol must be one of `symbols`: a day that is meant for another scrip would keep nobody out of anything.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        raise BadEvents(f"it is no text in UTF-8: {fault.reason}") from fault
    rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        found: dict[str, tuple[OwnEvent, ...]] = {}
        if next(rows, None) != COLUMNS:
            raise BadEvents(f"line 1: the head of the file must be {','.join(COLUMNS)}")
        for row in rows:
            if rows.line_num > ROWS_MAX:
                raise BadEvents(f"line {rows.line_num}: a file of events has at most {ROWS_MAX:,} lines")
            if row:
                symbol, event = _event(row, rows.line_num, symbols)
                found[symbol] = (*found.get(symbol, ()), event)
    except csv.Error as fault:
        raise BadEvents(f"line {rows.line_num}: {fault}") from fault
    return found


def _event(row: list[str], line: int, symbols: Collection[str]) -> tuple[str, OwnEvent]:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(COLUMNS):
        raise BadEvents(f"line {line}: {len(cells)} fields, there must be {len(COLUMNS)}: {','.join(COLUMNS)}")
    symbol, *rest = cells
    if symbol not in symbols:
        raise BadEvents(f"line {line}: {symbol!r} is not on the watchlist; there are {', '.join(sorted(symbols))}")
    try:
        return symbol, msgspec.convert(dict(zip(COLUMNS[1:], rest, strict=True)), OwnEvent)
    except msgspec.ValidationError as fault:
        what, _, where = str(fault).partition(" - at `$.")
        raise BadEvents(f"line {line}: {where.removesuffix('`')}: {what}") from fault
