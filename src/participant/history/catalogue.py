"""The catalogue: recorded days in one Parquet format, whatever they came from; docs/catalogue.md describes its columns.

    chains/SYMBOL/DAY.parquet       what may be traded on, one row a contract of a page
    quarantine/SYMBOL/DAY.parquet   what was kept apart, with the reason
    official/                       the official series, as they came; what bhavcopies said, a file a day
    imports.jsonl                   what was imported, line by line

A file is written whole or not at all. Importing the same again changes nothing.
"""

import csv
import datetime
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from participant.core.scrip import Kind
from participant.history.bhavcopy import TOLD, Price
from participant.history.pages import BadData, Cell, Page, is_symbol
from participant.history.sheets import TEXTS, pages_of
from participant.wire.json import Malformed, decode, encode
from participant.wire.rupees import rupees

if TYPE_CHECKING:
    import pyarrow as pa

CHAINS, QUARANTINE, OFFICIAL, IMPORTS = "chains", "quarantine", "official", "imports.jsonl"
NUMBERS = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "open_interest")


class Import(Struct, frozen=True):
    """One symbol's day as it was imported: rows of the source, accepted and kept apart by reason."""

    symbol: str
    day: datetime.date
    source: str
    pages: int
    rows: int
    apart: dict[str, int]
    bad_quotes: dict[str, int]


def is_catalogue(path: Path) -> bool:
    """Whether a folder holds imported days."""
    return (path / CHAINS).is_dir() and (path / IMPORTS).is_file()


def days(folder: Path) -> list[tuple[str, datetime.date]]:
    """Every symbol and day that is in the catalogue."""
    found = []
    for file in sorted((folder / CHAINS).glob("*/*.parquet")):
        try:
            found.append((file.parent.name, datetime.date.fromisoformat(file.stem)))
        except ValueError:
            raise BadData(f"{file} is no day of a catalogue: files are named like 2019-04-12.parquet") from None
    return found


def imports(folder: Path) -> list[Import]:
    """What was imported, the newest word of each source on a symbol's day; a line that was cut off is passed over."""
    newest: dict[tuple[str, datetime.date, str], Import] = {}
    for line in (folder / IMPORTS).read_bytes().splitlines():
        try:
            one = decode(line, Import)
        except Malformed:
            continue
        newest[one.symbol, one.day, one.source] = one
    return list(newest.values())


def read_day(folder: Path, symbol: str, day: datetime.date) -> list[Page]:
    """The pages of a symbol's day, in time order; BadData where the file cannot be read."""
    file = _file(folder, CHAINS, symbol, day)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(file, read_dictionary=list(TEXTS)) as opened:
            table = opened.read(use_threads=False).select(_schema().names)
        pages = pages_of(table)
        if pages is not None:
            return pages
        rows = [table.column(name).to_pylist() for name in _schema().names]
    except (OSError, KeyError, pa.ArrowException) as fault:
        raise BadData(f"{file} is no day of a catalogue: {_first_line(fault)}; import it again") from None
    return list(_pages(zip(*rows, strict=True)))


def damage(folder: Path, symbol: str, day: datetime.date) -> str:
    """Why a symbol's day cannot be opened, by its schema and its end alone; or nothing."""
    file = _file(folder, CHAINS, symbol, day)
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        lacking = set(_schema().names) - set(pq.read_schema(file).names)
    except (OSError, pa.ArrowException) as fault:
        return _first_line(fault)
    return f"no column {', '.join(sorted(lacking))}" if lacking else ""


def write_day(folder: Path, done: Import, pages: Sequence[Page], apart: Sequence[tuple[Page, str]]) -> bool:
    """Put a symbol's day down, what is kept apart beside it; False where exactly this lies there already.

    BadData where the day was imported from elsewhere, or otherwise; what is damaged is written anew.
    """
    target, beside = (_file(folder, kind, done.symbol, done.day) for kind in (CHAINS, QUARANTINE))
    if not pages and beside.exists():
        return False
    there = _readable(folder, done)
    if there is not None:
        if there != list(pages):
            raise BadData(
                f"{done.symbol} on {done.day} of {done.source} differs from what {folder} has of it already, "
                f"which came from {there[0].source}: remove {target} or import into another folder"
            )
        return False
    if apart:
        _write(beside, _table([p for p, _ in apart], [w for _, w in apart]))
    # The line comes first: a day without its line would stay without, one that is written twice does no harm.
    with (folder / IMPORTS).open("ab") as log:
        log.write(encode(done) + b"\n")
        log.flush()
        os.fsync(log.fileno())
    if pages:
        _write(target, _table(pages, None))
    return True


def keep_official(folder: Path, files: Iterable[Path]) -> None:
    """Copy official series into the catalogue, each whole or not at all; BadData where another one lies there."""
    for file in files:
        target = folder / OFFICIAL / file.name
        if target.exists():
            if target.read_bytes() != file.read_bytes():
                raise BadData(
                    f"{target} is there with other contents than {file}: give {file.name} another name, or remove it"
                )
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_name(f"{target.name}.unfinished")
        shutil.copyfile(file, beside)
        os.replace(beside, target)


def keep_prices(folder: Path, prices: Iterable[Price]) -> None:
    """Put down the official prices that bhavcopies said, a CSV a day; BadData where another one lies there."""
    days: dict[datetime.date, dict[tuple[str, str], str]] = {}
    for one in prices:
        days.setdefault(one.day, {})[one.symbol, str(one.expiry or "")] = rupees(one.price)
    for day, said in days.items():
        target = folder / OFFICIAL / f"bhavcopy-{day}.csv"
        there: dict[tuple[str, str], str] = {}
        if target.exists():
            with target.open(encoding="utf-8", newline="") as opened:
                there = {(row["symbol"], row["expiry"]): row[TOLD[-1]] for row in csv.DictReader(opened)}
        for name in there.keys() & said.keys():
            if there[name] != said[name]:
                raise BadData(
                    f"{target}: {' '.join(name)} is {there[name]} there, and {said[name]} now: remove one of both"
                )
        rows = sorted({**there, **said}.items())
        lines = [",".join(TOLD), *(f"{day},{symbol},{expiry},{price}" for (symbol, expiry), price in rows)]
        target.parent.mkdir(parents=True, exist_ok=True)
        beside = target.with_suffix(".unfinished")
        beside.write_text("\n".join(lines) + "\n", encoding="utf-8")
        os.replace(beside, target)


def _readable(folder: Path, done: Import) -> list[Page] | None:
    """What lies there of a day; nothing where there is none, or none that can be read."""
    if not _file(folder, CHAINS, done.symbol, done.day).exists():
        return None
    try:
        return read_day(folder, done.symbol, done.day)
    except BadData:
        return None


def _file(folder: Path, kind: str, symbol: str, day: datetime.date) -> Path:
    if not is_symbol(symbol):
        raise BadData(f"{symbol!r} is no name of a scrip: nothing of it goes into {folder}")
    return folder / kind / symbol / f"{day}.parquet"


def _schema() -> "pa.Schema":
    import pyarrow as pa

    whole = pa.int64()
    head = [("at", whole), ("symbol", pa.string()), ("expiry", pa.date32()), ("spot", whole), ("page_rows", whole)]
    tail = [("is_modelled", pa.bool_()), ("source", pa.string()), ("strike", whole), ("kind", pa.string())]
    return pa.schema([*head, *tail, *((name, whole) for name in NUMBERS)])


def _table(pages: Sequence[Page], reasons: Sequence[str] | None) -> "pa.Table":
    """One row a cell; a page without cells is a row without a kind, so that it is not lost."""
    import pyarrow as pa

    columns: Mapping[str, list[Any]] = {name: [] for name in _schema().names}
    why: list[str] = []
    for i, page in enumerate(pages):
        for cell in page.cells or (None,):
            row = (page.at, page.symbol, page.expiry, page.spot, page.rows, page.is_modelled, page.source)
            rest = _numbers(cell) if cell is not None else (None,) * (2 + len(NUMBERS))
            for column, value in zip(columns.values(), (*row, *rest), strict=True):
                column.append(value)
            why.append(reasons[i] if reasons else "")
    table = pa.Table.from_pydict(dict(columns), schema=_schema())
    return table.append_column("reason", pa.array(why, pa.string())) if reasons is not None else table


def _numbers(cell: Cell) -> tuple[object, ...]:
    return (cell.strike, str(cell.kind), *(getattr(cell, name) for name in NUMBERS))


def _write(target: Path, table: "pa.Table") -> None:
    import pyarrow.parquet as pq

    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_suffix(".unfinished")
    pq.write_table(table, beside, compression="zstd")
    os.replace(beside, target)


def _pages(rows: Iterable[tuple[Any, ...]]) -> Iterator[Page]:
    for head, same in groupby(rows, key=lambda row: row[:7]):
        at, symbol, expiry, spot, page_rows, is_modelled, source = head
        cells = tuple(Cell(Kind(row[8]), row[7], *row[9:]) for row in same if row[8] is not None)
        yield Page(at, symbol, expiry, spot, cells, page_rows, source, is_modelled)


def _first_line(fault: Exception) -> str:
    return (str(fault) or type(fault).__name__).splitlines()[0][:200]
