"""The exchange's official daily series as one value: index closes and ranges, futures closes by expiry, India VIX.

They are found by the columns of a file, whatever its name. Prices are 1/10,000 rupee, days IST trading days. Whatever
is asked for "before" a day comes from earlier days alone. The series have holes of months and years: a step of more
than GAP_DAYS_MAX calendar days back ends what is known, so that no look-back spans one.
"""

import csv
import datetime
import gzip
import io
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple, TypeVar

from msgspec import Struct

from participant.history.pages import BadData
from participant.wire.rupees import price_of

GAP_DAYS_MAX = 7  # no run of holidays in India shuts the market for longer
Row = tuple[int, Sequence[str]]
ONE_DAY = datetime.timedelta(days=1)
VOLATILITY_UNITS = 1_000_000  # India VIX is a percentage: 20.9575 is 0.209575
ENDINGS = (".csv", ".csv.gz", ".parquet")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

Board = Mapping[datetime.date, int]
Range = tuple[int, int, int]  # open, high and low of a session (prices)
T = TypeVar("T")


class Basis(Struct, frozen=True):
    """A future's official close and its underlying's on one day (prices)."""

    day: datetime.date
    future: int
    spot: int

    @property
    def points(self) -> int:
        """What the future costs above its underlying (a price, below 0 where it costs less)."""
        return self.future - self.spot


class Official(Struct, frozen=True):
    """What was published, by symbol and day: `closes`, `ranges`, `boards` (each a day's futures), `volatilities`."""

    closes: Mapping[str, Mapping[datetime.date, int]] = {}
    boards: Mapping[str, Mapping[datetime.date, Board]] = {}
    volatilities: Mapping[datetime.date, float] = {}
    ranges: Mapping[str, Mapping[datetime.date, Range]] = {}

    def days(self, symbol: str) -> tuple[datetime.date, ...]:
        """The days of which the official close is known, oldest first."""
        return tuple(self.closes.get(symbol, {}))

    def close(self, symbol: str, day: datetime.date) -> int | None:
        """The official close of an index: the average of the last half hour."""
        return self.closes.get(symbol, {}).get(day)

    def closes_before(self, symbol: str, day: datetime.date, sessions: int) -> tuple[int, ...]:
        """At most this many official closes of the sessions just before a day, oldest first; fewer after a hole."""
        known = self.closes.get(symbol, {})
        return tuple(known[d] for d in run_before(known, day, sessions))

    def ranges_before(self, symbol: str, day: datetime.date, sessions: int) -> tuple[Range, ...]:
        """The ranges of the same sessions as `closes_before`, back from the last one to the first that is not known."""
        days = run_before(self.closes.get(symbol, {}), day, sessions)
        known = takewhile(lambda of: of is not None, (self.ranges.get(symbol, {}).get(d) for d in reversed(days)))
        return tuple(of for of in known if of is not None)[::-1]

    def futures(self, symbol: str, day: datetime.date) -> Board:
        """The official close of each future on a day, by expiry; none where the day is not known."""
        return self.boards.get(symbol, {}).get(day, {})

    def listed(self, symbol: str, day: datetime.date) -> tuple[datetime.date, ...]:
        """The expiries of the futures that are sure to trade on a day, nearest first: those listed on the one before.

        A month listed on the day itself (after an expiry) is not known before its close.
        """
        boards = self.boards.get(symbol, {})
        last = _last_before(boards, day)
        return tuple(sorted(e for e in boards[last] if e >= day)) if last is not None else ()

    def basis_before(self, symbol: str, expiry: datetime.date, day: datetime.date) -> Basis | None:
        """A future's basis at the last close before a day."""
        last = _last_before(self.boards.get(symbol, {}), day)
        if last is None:
            return None
        future, spot = self.futures(symbol, last).get(expiry), self.close(symbol, last)
        return Basis(last, future, spot) if future is not None and spot is not None else None

    def volatility_before(self, day: datetime.date, sessions: int) -> tuple[tuple[datetime.date, float], ...]:
        """At most this many published closes of India VIX before a day, as fractions, oldest first."""
        return tuple((d, self.volatilities[d]) for d in run_before(self.volatilities, day, sessions))


NOTHING = Official()  # where no official series is at hand


def _last_before(known: Mapping[datetime.date, object], day: datetime.date) -> datetime.date | None:
    earlier = (day - i * ONE_DAY for i in range(1, GAP_DAYS_MAX + 1))
    return next((d for d in earlier if d in known), None)


def run_before(known: Mapping[datetime.date, object], day: datetime.date, sessions: int) -> list[datetime.date]:
    """At most this many of the known days just before a day, oldest first, back to the last hole at most."""
    found: list[datetime.date] = []
    last = _last_before(known, day)
    while last is not None and len(found) < sessions:
        found.append(last)
        last = _last_before(known, last)
    return found[::-1]


# --- reading ---------------------------------------------------------------------------------------------------------


def read_official(paths: Sequence[Path]) -> Official:
    """The official series among files and folders (searched whole); nothing found is an empty value.

    A file with other columns is passed over. Raises BadData for one of them that is cut off or has a broken row, and
    where two rows contradict each other.
    """
    found = _Found()
    for file in {file.resolve(): file for file in _files(paths)}.values():
        with closing(_rows(file)) as rows:
            _take(file, rows, found)
    return found.official()


def official_files(paths: Sequence[Path]) -> list[Path]:
    """The files among these that hold an official series."""
    found = []
    for file in dict.fromkeys(_files(paths)):
        with closing(_rows(file)) as rows:
            found += [file] if _series(_header(rows)) is not None else []
    return found


def _rows(file: Path) -> Generator[Row, None, None]:
    return _parquet_rows(file) if file.name.lower().endswith(".parquet") else _csv_rows(file)


class _Found:
    """What was read so far."""

    def __init__(self) -> None:
        self._closes: dict[str, dict[datetime.date, int]] = {}
        self._boards: dict[str, dict[datetime.date, dict[datetime.date, int]]] = {}
        self._volatilities: dict[datetime.date, float] = {}
        self._ranges: dict[str, dict[datetime.date, Range]] = {}

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

    def official(self) -> Official:
        """All of it, oldest day first."""
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


BARS = ("spot_open", "spot_high", "spot_low", "spot_close")
SERIES = (
    _Series(("date", "symbol", *BARS), frozenset(), _Found.bar),
    _Series(("date", "symbol", "spot_close"), frozenset(("spot_prev", "sigma_underlying")), _Found.close),
    _Series(("date", "symbol", "expiry", "close"), frozenset(("open_interest", "stated_lot")), _Found.future),
    _Series(("Date", "Close"), frozenset(("Open", "High", "Low", "Prev. Close", "% Change")), _Found.volatility),
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


def _header(rows: Iterator[Row]) -> list[str]:
    try:
        return [name.strip() for name in next(rows)[1]]
    except (StopIteration, *UNREADABLE):
        return []


def _series(header: Sequence[str]) -> _Series | None:
    return next((s for s in SERIES if s.marks.union(s.columns) <= set(header)), None)


def _files(paths: Sequence[Path]) -> Iterable[Path]:
    for path in paths:
        for file in sorted(path.rglob("*")) if path.is_dir() else (path,):
            if file.name.lower().endswith(ENDINGS) and file.is_file():
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
    """A date as ISO says it, with or without a time of day, or as 26-Jul-2012."""
    text = text.strip()
    if text[2:3] != "-":
        return datetime.date.fromisoformat(text[:10])
    day, month, year = text.split("-")
    if month.lower() not in MONTHS:
        raise ValueError(f"{text!r} is not a date")
    return datetime.date(int(year), MONTHS.index(month.lower()) + 1, int(day))
