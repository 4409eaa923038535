"""The files of the exchange's official daily series, found by their columns, whatever their names.

Index closes and ranges, futures closes by expiry, India VIX, all indices of a day as the exchange publishes them, the
cash market's bhavcopy (closes of stocks), and what F&O bhavcopies say (`bhavcopy.py`).
"""

import csv
import datetime
import gzip
import io
import zlib
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from participant.history import bhavcopy
from participant.history.official import Official, Range
from participant.history.pages import BadData
from participant.wire.rupees import price_of

Row = tuple[int, Sequence[str]]
VOLATILITY_UNITS = 1_000_000  # India VIX is a percentage: 20.9575 is 0.209575
ENDINGS = (".csv", ".csv.gz", ".parquet")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# The exchange's names of the indices that have options, in small letters.
INDEX_NAMES = {
    "nifty 50": "NIFTY", "nifty bank": "BANKNIFTY", "nifty financial services": "FINNIFTY",
    "nifty midcap select": "MIDCPNIFTY", "nifty next 50": "NIFTYNXT50",
}  # fmt: skip
INDIA_VIX = "india vix"
T = TypeVar("T")


def read_official(paths: Sequence[Path]) -> Official:
    """The official series among files and folders (searched whole); nothing found is an empty value.

    A file with other columns is passed over. Raises BadData for one of them that is cut off or has a broken row, and
    where two rows contradict each other.
    """
    found = _Found()
    for file in {file.resolve(): file for file in _files(paths)}.values():
        if bhavcopy.is_one(file):
            _take_bhavcopy(file, found)
            continue
        with closing(_rows(file)) as rows:
            _take(file, rows, found)
    return found.official()


def official_files(paths: Sequence[Path]) -> list[Path]:
    """The files among these that hold an official series and nothing else: bhavcopies are none of them."""
    found = []
    for file in dict.fromkeys(_files(paths)):
        with closing(_rows(file)) as rows:
            found += [file] if _series(_header(rows)) is not None else []
    return found


def is_series(columns: Collection[str]) -> bool:
    """Whether a table with these columns is an official series."""
    return _series(columns) is not None


def _rows(file: Path) -> Generator[Row, None, None]:
    return _parquet_rows(file) if file.name.lower().endswith(".parquet") else _csv_rows(file)


class _Found:
    """What was read so far."""

    def __init__(self) -> None:
        self._closes: dict[str, dict[datetime.date, int]] = {}
        self._boards: dict[str, dict[datetime.date, dict[datetime.date, int]]] = {}
        self._volatilities: dict[datetime.date, float] = {}
        self._ranges: dict[str, dict[datetime.date, Range]] = {}
        self._settled: list[bhavcopy.Price] = []

    def close(self, day: str, symbol: str, close: str) -> None:
        _put(self._closes.setdefault(symbol, {}), _day(day), _price(close))

    def bar(self, day: str, symbol: str, *bar: str) -> None:
        opened, high, low, close = map(_price, bar)
        if not low <= min(opened, close) <= max(opened, close) <= high:
            raise ValueError(f"open, high, low and close of {', '.join(bar)} cannot be")
        _put(self._ranges.setdefault(symbol, {}), _day(day), (opened, high, low))
        self.close(day, symbol, bar[-1])

    def future(self, day: str, symbol: str, expiry: str, close: str) -> None:
        on, until = _day(day), _day(expiry)
        if until < on:
            raise ValueError(f"its expiry {until} lies before {on}")
        _put(self._boards.setdefault(symbol, {}).setdefault(on, {}), until, _price(close))

    def volatility(self, day: str, close: str) -> None:
        _put(self._volatilities, _day(day), _price(close) / VOLATILITY_UNITS)

    def index(self, day: str, name: str, *bar: str) -> None:
        """One index of all that the exchange publishes; those without options are passed over."""
        if name.strip().lower() == INDIA_VIX:
            self.volatility(day, bar[-1])
        elif symbol := INDEX_NAMES.get(name.strip().lower()):
            self.bar(day, symbol, *bar)

    def share(self, day: str, symbol: str, series: str, close: str) -> None:
        """A security of the cash market's bhavcopy: the close of a stock."""
        if series.strip() == "EQ":
            self.close(day, symbol, close)

    def told(self, day: str, symbol: str, expiry: str, price: str) -> None:
        """A price that a bhavcopy said when it was imported."""
        self.say(bhavcopy.Price(_day(day), symbol, _day(expiry) if expiry else None, _price(price)))

    def say(self, price: bhavcopy.Price) -> None:
        """A price of a bhavcopy: a future's settlement stands where no series of futures says its close."""
        if price.expiry is None:
            _put(self._closes.setdefault(price.symbol, {}), price.day, price.price)
        else:
            self._settled.append(price)

    def official(self) -> Official:
        """All of it, oldest day first."""
        for one in self._settled:
            if one.expiry is not None:
                self._boards.setdefault(one.symbol, {}).setdefault(one.day, {}).setdefault(one.expiry, one.price)
        closes = {symbol: dict(sorted(known.items())) for symbol, known in self._closes.items()}
        boards = {
            symbol: {day: dict(sorted(board.items())) for day, board in sorted(known.items())}
            for symbol, known in self._boards.items()
        }
        return Official(closes, boards, dict(sorted(self._volatilities.items())), self._ranges)


class _Series(NamedTuple):
    """How a series is told (all of `marks` and `columns` are there) and which columns go where."""

    columns: tuple[str, ...]
    marks: frozenset[str]
    put: Callable[..., None]


INDEX_BAR = ("Open Index Value", "High Index Value", "Low Index Value", "Closing Index Value")
BARS = ("spot_open", "spot_high", "spot_low", "spot_close")
SERIES = (
    _Series(("date", "symbol", *BARS), frozenset(), _Found.bar),
    _Series(("date", "symbol", "spot_close"), frozenset(("spot_prev", "sigma_underlying")), _Found.close),
    _Series(("date", "symbol", "expiry", "close"), frozenset(("open_interest", "stated_lot")), _Found.future),
    _Series(("Date", "Close"), frozenset(("Open", "High", "Low", "Prev. Close", "% Change")), _Found.volatility),
    _Series(("Index Date", "Index Name", *INDEX_BAR), frozenset(), _Found.index),
    _Series(("TIMESTAMP", "SYMBOL", "SERIES", "CLOSE"), frozenset(("PREVCLOSE", "TOTTRDQTY")), _Found.share),
    _Series(bhavcopy.TOLD, frozenset(), _Found.told),
)


def _take(file: Path, rows: Iterator[Row], found: _Found) -> None:
    """Read a file if its first row names the columns of a series."""
    header = _header(rows)
    series = _series(header)
    if series is None:
        return
    columns = [header.index(name) for name in series.columns]
    read = 1
    try:
        for line, cells in rows:
            read = line
            if len(cells) < len(header):
                raise ValueError(f"{len(cells)} columns of {len(header)}")
            series.put(found, *(cells[i] for i in columns))
    except UNREADABLE as broken:
        raise BadData(f"{file}: cut off or damaged after line {read} ({broken}): fetch it again") from None
    except ValueError as wrong:
        raise BadData(f"{file}: line {read}: {wrong}: mend the row, or fetch the file again") from None


def _take_bhavcopy(file: Path, found: _Found) -> None:
    """The prices of a bhavcopy; one that cannot be used whole says none, and why is said where chains are found."""
    if bhavcopy.fault(file):
        return
    for price in bhavcopy.contents(file).prices:
        try:
            found.say(price)
        except ValueError as wrong:
            raise BadData(f"{file}: the close of {price.symbol}: {wrong}: leave out one of the two files") from None


def _header(rows: Iterator[Row]) -> list[str]:
    try:
        return [name.strip() for name in next(rows)[1]]
    except (StopIteration, *UNREADABLE):
        return []


def _series(header: Collection[str]) -> _Series | None:
    return next((s for s in SERIES if s.marks.union(s.columns) <= set(header)), None)


def _files(paths: Sequence[Path]) -> Iterable[Path]:
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else (path,):
            if file.name.lower().endswith((*ENDINGS, bhavcopy.ZIP)) and file.is_file():
                yield file


# UnicodeDecodeError is a ValueError as well: it must be caught before one.
UNREADABLE = (OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError)


def _csv_rows(file: Path) -> Generator[Row, None, None]:
    with file.open("rb") as raw:
        unpacked = gzip.GzipFile(fileobj=raw) if file.name.lower().endswith(".gz") else raw
        reader = csv.reader(io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline=""))
        for cells in reader:
            if cells:
                yield reader.line_num, cells


def _parquet_rows(file: Path) -> Generator[Row, None, None]:
    """As the lines of a CSV would be, the header first; nothing for a file that is none of a series."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file) as table:
            yield 1, table.schema_arrow.names
            rows = table.read().to_pylist()
    except pa.ArrowInvalid as broken:
        raise OSError(str(broken).partition("\n")[0]) from None
    for i, row in enumerate(rows):
        yield i + 2, [f"{v:.4f}" if isinstance(v, float) else str(v) for v in row.values()]


# --- texts to values --------------------------------------------------------------------------------------------------


def _put(known: dict[datetime.date, T], key: datetime.date, value: T) -> None:
    if known.setdefault(key, value) != value:
        raise ValueError(f"{key} is there already, with another value")


def _price(text: str) -> int:
    price = price_of(text.strip())
    if price == 0:
        raise ValueError("a price of 0")
    return price


@lru_cache(maxsize=16_384)
def _day(text: str) -> datetime.date:
    """A date as ISO says it, with or without a time of day, or as 26-Jul-2012 or 26-07-2012."""
    text = text.strip()
    if text[2:3] != "-":
        return datetime.date.fromisoformat(text[:10])
    day, month, year = text.split("-")
    if month.isdecimal():
        return datetime.date(int(year), int(month), int(day))
    if month.lower() not in MONTHS:
        raise ValueError(f"{text!r} is not a date")
    return datetime.date(int(year), MONTHS.index(month.lower()) + 1, int(day))
