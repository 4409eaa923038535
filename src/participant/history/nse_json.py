"""The exchange's own option chain replies (JSON, one file each) as rows in the house's units.

A row is one side of a strike. The time is the reply's (`records.timestamp`, IST), whatever the file is called; the spot
is `records.underlyingValue`. Volume and open interest (which may be a fraction) are in lots, sizes in units.
"""

import datetime
import zlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from participant.core.session import day_of
from participant.history import columns
from participant.history.columns import Array, UnusableValue
from participant.history.layouts import Layout, OptionColumns, TimeColumns, Units
from participant.history.pages import BadData
from participant.history.tables import Span, head_of, unpacked

NAME = "nse_json"
TIME_FORMAT, DATE_FORMAT = "%d-%b-%Y %H:%M:%S", "%d-%b-%Y"
ENDINGS = (".json", ".json.gz")
MARKS = (b'"records"', b'"strikePrice"')
# The house's names to the exchange's.
NAMES = {
    "bid": "bidprice", "ask": "askPrice", "bid_size": "bidQty", "ask_size": "askQty", "last": "lastPrice",
    "volume": "totalTradedVolume", "open_interest": "openInterest",
}  # fmt: skip
LAYOUT = Layout(
    NAME, "long", TimeColumns("timestamp", format=TIME_FORMAT), spot="underlyingValue",
    option=OptionColumns(**NAMES), units=Units(volume="lots", open_interest="lots"),
)  # fmt: skip


class Side(Struct, frozen=True, rename=NAMES):
    """A call or a put of a reply."""

    underlying: str = ""
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    last: float | None = None
    volume: float | None = None
    open_interest: float | None = None


class Strike(Struct, frozen=True, rename="camel"):
    """A strike of one expiry."""

    strike_price: float | None = None
    expiry_date: str = ""
    call: Side | None = msgspec.field(default=None, name="CE")
    put: Side | None = msgspec.field(default=None, name="PE")


class Records(Struct, frozen=True, rename="camel"):
    """The chain of all expiries."""

    data: tuple[Strike, ...]
    timestamp: str = ""
    underlying_value: float | None = None


class Reply(Struct, frozen=True):
    """What the exchange answers."""

    records: Records


def is_reply(file: Path) -> bool:
    """Whether a file looks like a chain reply; OSError, EOFError or zlib.error where it cannot be read."""
    head = head_of(file) if file.name.lower().endswith(ENDINGS) else b""
    return all(mark in head for mark in MARKS)


def replies(path: Path) -> list[Path]:
    """The replies of a folder that can be used whole, or the one that is named."""
    if path.is_file():
        return [path]
    files = (file for file in sorted(path.iterdir()) if file.is_file() and file.name.lower().endswith(ENDINGS))
    return [file for file in files if not fault(file)]


def fault(file: Path) -> str:
    """Why a file is no reply, or none that can be used whole; nothing where it is one."""
    return _fault(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=16_384)
def _fault(file: Path, _written_ns: int) -> str:
    """Kept while the file is not written again."""
    try:
        if not is_reply(file):
            return f"{file}: not one of the exchange's option chain replies"
        _table(file, _read(file))
    except (OSError, EOFError, zlib.error) as broken:
        return f"{file}: cut off or damaged ({broken}): fetch it again"
    except BadData as wrong:
        return str(wrong)
    return ""


def count(path: Path) -> Counter[tuple[datetime.date | None, str]]:
    """The rows of each IST day and symbol."""
    found: Counter[tuple[datetime.date | None, str]] = Counter()
    for file in replies(path):
        day, by_symbol = _contents(file, file.stat().st_mtime_ns)
        for symbol, sides in by_symbol:
            found[day, symbol] += sides
    return found


def rows(path: Path, span: Span | None) -> Array | None:
    """The rows of these IST days (both included), or of all; None where there are none. Raises BadData."""
    import pyarrow as pa

    found = []
    for file in replies(path):
        day, _ = _contents(file, file.stat().st_mtime_ns)
        if span is None or (day is not None and span[0] <= day <= span[1]):
            found.append(_table(file, _read(file)))
    return pa.concat_tables(found).combine_chunks() if found else None


@lru_cache(maxsize=16_384)
def _contents(file: Path, _written_ns: int) -> tuple[datetime.date | None, tuple[tuple[str, int], ...]]:
    """The day of a reply, and how many sides it holds of each symbol; kept while the file is not written again."""
    reply = _read(file)
    at = _instant(file, reply)
    symbols = Counter(side.underlying for _, _, side in _sides(reply))
    return None if at is None else day_of(at), tuple(symbols.items())


def _read(file: Path) -> Reply:
    try:
        return msgspec.json.decode(unpacked(file), type=Reply)
    except (OSError, EOFError, zlib.error, msgspec.DecodeError, UnicodeDecodeError) as broken:
        raise BadData(f"{file}: cut off, damaged or no chain reply ({broken}): fetch it again") from None


def _instant(file: Path, reply: Reply) -> int | None:
    text = reply.records.timestamp.strip()
    try:
        return columns.instant(text, TIME_FORMAT, LAYOUT.time.offset_s, "records.timestamp") if text else None
    except UnusableValue as wrong:
        raise BadData(f"{file}: {wrong}") from None


def _sides(reply: Reply) -> Iterator[tuple[int, Strike, Side]]:
    for strike in reply.records.data:
        for kind, side in enumerate((strike.call, strike.put)):
            if side is not None:
                yield kind, strike, side


def _table(file: Path, reply: Reply) -> Array:
    """A reply as `columns.normalised` gives a table."""
    import pyarrow as pa

    at, sides = _instant(file, reply), list(_sides(reply))
    try:
        days = [columns.date(s.expiry_date, DATE_FORMAT, "expiryDate") if s.expiry_date else None for _, s, _ in sides]
    except UnusableValue as wrong:
        raise BadData(f"{file}: {wrong}") from None

    def numbers(values: list[Any]) -> Array:
        return pa.array(values, pa.float64())

    made = {
        "at": pa.array([at] * len(sides), pa.int64()),
        "day": pa.array([None if at is None else day_of(at)] * len(sides), pa.date32()),
        "symbol": pa.array([side.underlying or None for _, _, side in sides], pa.string()),
        "expiry": pa.array(days, pa.date32()),
        "kind": pa.array([kind for kind, _, _ in sides], pa.int8()),
        "strike": columns.strikes(numbers([strike.strike_price for _, strike, _ in sides])),
        "spot": columns.prices(numbers([reply.records.underlying_value] * len(sides))),
    }
    for field in NAMES:
        made[f"0_{field}"] = columns.figures(numbers([getattr(side, field) for _, _, side in sides]), LAYOUT, field)
    return pa.table(made)
