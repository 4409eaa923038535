"""NSE's F&O bhavcopies, a day's totals of every contract, and what is told in them (`bhavcopy_table.py` reads one).

A file is a CSV, packed with gzip or not, or a zip of one or many: the old format until July 2024, and UDiFF since.
The day is played as one instant, at 15:29 IST: the market trades until 15:30, and not at it. A file is used whole or
not at all.
"""

import datetime
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from participant.core.session import at_time
from participant.history.bhavcopy_table import BYTES_MAX, header, is_bhavcopy, read_table
from participant.history.columns import Array
from participant.history.layouts import DAY_S, Layout, OptionColumns, TimeColumns, Units
from participant.history.pages import BadData
from participant.history.tables import HEAD_BYTES, Span, columns_of, is_csv, unpacked

NAME = "nse_bhavcopy"
LAYOUT = Layout(
    NAME, "long", TimeColumns("day"), spot="spot", option=OptionColumns(last="close", volume="volume"),
    units=Units(volume="lots", open_interest="units"), bar_s=DAY_S,
)  # fmt: skip
ZIP = ".zip"
TOLD = ("day", "symbol", "expiry", "official_price")  # the columns in which a catalogue keeps these prices
PLAYED = (15, 29)
MEMBERS_MAX, FILES_MAX = 2_000, 8_192
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


class Price(Struct, frozen=True):
    """An official price of a day: a future's settlement, or without an expiry the underlying's close."""

    day: datetime.date
    symbol: str
    expiry: datetime.date | None
    price: int


class Contents(Struct, frozen=True):
    """What a file holds: option rows by day and symbol, the official prices, and the lots by day, symbol and expiry."""

    rows: Mapping[tuple[datetime.date, str], int]
    prices: tuple[Price, ...]
    lots: Mapping[tuple[datetime.date, str, datetime.date], int]


def is_one(file: Path) -> bool:
    """Whether a file is a bhavcopy by its columns, whole or not; a zip of anything else is none."""
    return _is_one(file, file.stat().st_mtime_ns)


@lru_cache(maxsize=FILES_MAX)
def _is_one(file: Path, _written_ns: int) -> bool:
    try:
        if file.name.lower().endswith(ZIP):
            with _reading(file):
                return any(is_bhavcopy(header(body)) for _, body in _unzipped(file, HEAD_BYTES))
        return is_csv(file) and is_bhavcopy(columns_of(file))
    except BadData:
        return False


def bhavcopies(path: Path) -> list[Path]:
    """The bhavcopies of a folder (not of those in it) that can be used whole, or the one that is named."""
    if path.is_file():
        return [path]
    return [file for file in sorted(path.iterdir()) if file.is_file() and is_one(file) and not fault(file)]


def fault(file: Path) -> str:
    """Why a bhavcopy cannot be used whole, with the line and the column; nothing where it can."""
    try:
        contents(file)
    except BadData as wrong:
        return str(wrong)
    return ""


def contents(file: Path) -> Contents:
    """What a file holds, kept while it is not written again. Raises BadData."""
    return _contents(file, file.stat().st_mtime_ns)


def count(path: Path) -> Counter[tuple[datetime.date | None, str]]:
    """The option rows of each IST day and symbol. Raises BadData where two files have the same ones."""
    found: Counter[tuple[datetime.date | None, str]] = Counter()
    whose: dict[tuple[datetime.date, str], Path] = {}
    for file in bhavcopies(path):
        for name, rows in contents(file).rows.items():
            if whose.setdefault(name, file) != file:
                day, symbol = name
                raise BadData(f"{file}: {symbol} on {day} is in {whose[name].name} too: remove one of them")
            found[name] += rows
    return found


def lots(path: Path) -> dict[datetime.date, dict[tuple[str, datetime.date], int]]:
    """The units of a lot by day, symbol and expiry, as far as the files tell them."""
    found: dict[datetime.date, dict[tuple[str, datetime.date], int]] = {}
    for file in bhavcopies(path):
        for (day, symbol, expiry), lot in contents(file).lots.items():
            found.setdefault(day, {})[symbol, expiry] = lot
    return found


def prices(path: Path, span: Span | None) -> Iterator[Price]:
    """The official prices of these IST days (both included), or of all."""
    for file in bhavcopies(path):
        yield from (one for one in contents(file).prices if span is None or span[0] <= one.day <= span[1])


def rows(path: Path, span: Span | None) -> Array | None:
    """The option rows of these IST days (both included), or of all, as `columns.normalised` gives a table."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    for file in bhavcopies(path):
        if span is not None and not any(span[0] <= day <= span[1] for day, _ in contents(file).rows):
            continue
        found += [_options(table) for table in _tables(file)]
    whole = pa.concat_tables(found).combine_chunks() if found else None
    if whole is None or span is None:
        return whole
    first, last = (pa.scalar(day, pa.date32()) for day in span)
    return whole.filter(pc.and_(pc.greater_equal(whole["day"], first), pc.less_equal(whole["day"], last)))


# --- one file --------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=FILES_MAX)
def _contents(file: Path, _written_ns: int) -> Contents:
    import pyarrow.compute as pc

    counted: Counter[tuple[datetime.date, str]] = Counter()
    prices: dict[tuple[datetime.date, str, datetime.date | None], int] = {}
    lots: dict[tuple[datetime.date, str, datetime.date], int] = {}
    for table in _tables(file):
        keys = table.filter(pc.is_valid(table["kind"])).group_by(["day", "symbol"]).aggregate([([], "count_all")])
        counted.update({(row["day"], row["symbol"]): row["count_all"] for row in keys.to_pylist()})
        names = ["day", "symbol", "expiry", "lot"]
        for row in table.group_by(names).aggregate([]).to_pylist():
            if row["lot"]:
                lots[row["day"], row["symbol"], row["expiry"]] = row["lot"]
        for key, price in _prices(table):
            if prices.setdefault(key, price) != price:
                raise BadData(f"{file}: {key[1]} on {key[0]} has two official prices: fetch it again")
    if not counted and not prices:
        raise BadData(f"{file}: no future or option of the F&O segment is in there: fetch it again")
    return Contents(counted, tuple(Price(*key, price) for key, price in prices.items()), lots)


def _prices(table: Array) -> Iterator[tuple[tuple[datetime.date, str, datetime.date | None], int]]:
    """The official prices that rows tell. A future's last settlement is its underlying's close."""
    import pyarrow.compute as pc

    seen = ["day", "symbol", "spot"]
    for row in table.filter(pc.greater(table["spot"], 0)).group_by(seen).aggregate([]).to_pylist():
        yield (row["day"], row["symbol"], None), row["spot"]
    futures = table.filter(pc.and_(table["is_future"], pc.greater(table["settlement"], 0)))
    for row in futures.select(["day", "symbol", "expiry", "settlement", "spot"]).to_pylist():
        yield (row["day"], row["symbol"], row["expiry"]), row["settlement"]
        if row["expiry"] == row["day"] and not row["spot"]:
            yield (row["day"], row["symbol"], None), row["settlement"]


def _tables(file: Path) -> Iterator[Array]:
    """A file's tables in the house's units. Raises BadData with the line and the column of what cannot be used."""
    for name, body in _members(file):
        where = f"{file}" if name == file.name else f"{file}: {name}"
        table = read_table(where, body)
        days = set(table["day"].to_pylist())
        named = day_named(name) or day_named(file.name)
        if others := days - {named} if named is not None else ():
            other = min(others)
            raise BadData(f"{where} is named for {named}, but has rows of {other}: fetch it again, or name it rightly")
        yield table


def day_named(name: str) -> datetime.date | None:
    """The day that a file's name says: 04OCT2017, 20240708 or 2024-07-08; none where it says none."""
    found = re.search(r"(?<!\d)(\d{2})([A-Z]{3})(\d{4})(?!\d)", name.upper())
    try:
        if found and found[2] in MONTHS:
            return datetime.date(int(found[3]), MONTHS.index(found[2]) + 1, int(found[1]))
        found = re.search(r"(?<!\d)(\d{4})-?(\d{2})-?(\d{2})(?!\d)", name)
        return datetime.date(*map(int, found.groups())) if found else None
    except ValueError:
        return None


def _members(file: Path) -> Iterator[tuple[str, bytes]]:
    """The CSVs in a file, by name. Raises BadData for one that is torn, too large, or none."""
    with _reading(file):
        if file.name.lower().endswith(ZIP):
            yield from _unzipped(file, BYTES_MAX + 1)
        else:
            yield file.name, unpacked(file, BYTES_MAX + 1)


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError) as broken:
        raise BadData(f"{file}: cut off or damaged ({broken}): fetch it again") from None


def _unzipped(file: Path, bytes_max: int) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(file) as packed:
        inside = [one for one in packed.infolist() if one.filename.lower().endswith(".csv")]
        if not inside or len(inside) > MEMBERS_MAX:
            raise BadData(f"{file}: {len(inside)} CSVs are in there, 1 to {MEMBERS_MAX:,} can be read")
        for one in inside:
            with packed.open(one) as member:
                yield Path(one.filename).name, member.read(bytes_max)


def _options(table: Array) -> Array:
    """The options of a table as `columns.normalised` gives them; a price is of what traded that day alone."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = table.filter(pc.is_valid(table["kind"]))
    at = {day: at_time(day, *PLAYED) for day in pc.unique(table["day"]).to_pylist()}
    nothing = pa.nulls(table.num_rows, pa.int64()).fill_null(0)
    made = dict.fromkeys(("0_bid", "0_ask", "0_bid_size", "0_ask_size"), nothing)
    made["0_last"] = pc.if_else(pc.greater(table["volume"], 0), table["close"], 0)
    made |= {"0_volume": table["volume"].cast(pa.float64()), "0_open_interest": table["open_interest"]}
    head = {name: table[name] for name in ("day", "symbol", "expiry", "kind", "strike", "spot")}
    return pa.table({"at": pa.array([at[day] for day in table["day"].to_pylist()], pa.int64()), **head, **made})
