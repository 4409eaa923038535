"""From files and folders to pages: what is there is found by its columns, read by its layout, a day at a time."""

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
from msgspec import Struct

from participant.history import bhavcopy, nse_json, spots, tables
from participant.history.columns import Array
from participant.history.layouts import Layout, fitting, nearest, read_layout, shipped
from participant.history.official import Official
from participant.history.official_files import is_series, read_official
from participant.history.pages import BadData, Page, Tally
from participant.history.paging import LotOf, pages

__all__ = ["LotOf", "Source", "days_of", "find", "read"]

SCAN_RANGES = {"date", "symbol", "price_scan", "vol_scan"}
JOINED = "an index each second: no chain, but joined to the option bars beside it"
ROWS_AT_ONCE = 250_000  # days are read together up to this many rows, one day at least
_Lots = Mapping[tuple[str, datetime.date], int]
NAMED_MAX = 3  # files that are left aside in one folder for one reason, by name; the others are counted


class Source(Struct, frozen=True):
    """A file of chains or a folder of replies or bhavcopies, and its layout: a shipped one's name or a mapping file.

    `spots` are files that lie elsewhere, for what does not say its spot: of an index each second for bars, of official
    closes for bhavcopies. Where `symbols` names any, the rows of all others are passed over.
    """

    path: Path
    layout: str
    spots: tuple[Path, ...] = ()
    symbols: frozenset[str] = frozenset()


def find(paths: Sequence[Path], mapping: Path | None = None) -> tuple[list[Source], list[str]]:
    """The sources at these places, and a sentence for each kind of file that was left aside; folders whole.

    A file fits the mapping, or a shipped layout. Raises BadData for a file named itself that cannot be read or fits
    neither, and for a mapping file with a fault, or that fits no file where a shipped layout fits one.
    """
    finding = _Finding(mapping)
    for path in paths:
        if path.is_dir():
            finding.walk(path)
        elif path.is_file():
            finding.take(path, is_named=True)
        else:
            raise BadData(f"{path}: no such file or folder")
    sources, aside = finding.sources(), finding.aside()
    if mapping is not None and sources and not any(source.layout == str(mapping) for source in sources):
        why = f" (left aside: {aside[0]})" if aside else ""
        raise BadData(f"{mapping}: no file has all the columns that it names{why}: mend it, or leave out --mapping")
    return sources, aside


def days_of(source: Source) -> dict[tuple[datetime.date, str], int]:
    """How many rows a source has of each IST day and symbol; rows that name neither are not counted."""
    return {(day, symbol): n for (day, symbol), n in sorted(_dated(_count(source)).items()) if symbol}


def read(
    source: Source, days: tuple[datetime.date, datetime.date] | None, lot_of: LotOf, tally: Tally
) -> Iterator[Page]:
    """The pages of these IST days (both included), or of all, by instant, symbol and expiry. Raises BadData.

    `lot_of` gives the units of a lot, for sources that count in lots; where it has none, amounts are 0. Every row is in
    a page or counted in `tally` with its reason; rows without a time are of no day, and counted when all are read.
    """
    counted, layout = _count(source), layout_of(source)
    timeless = sum(n for (day, _), n in counted.items() if day is None)
    if days is None and timeless:
        tally.rows += timeless
        tally.leave_out("no time", timeless)
    by_day: Counter[datetime.date] = Counter()
    for (day, _), n in _dated(counted).items():
        if days is None or days[0] <= day <= days[1]:
            by_day[day] += n
    if layout is bhavcopy.LAYOUT:
        yield from _days_of_closes(source, by_day, lot_of, tally)
        return
    files = () if layout.spot else (*spots.beside(source.path), *source.spots)
    for day, rows in _by_day(source, layout, by_day):
        found = pages(rows, layout, lot_of, tally, source.path.name)
        yield from found if layout.spot else _with_spots(found, files, day)


def layout_of(source: Source) -> Layout:
    """How a source is read."""
    if source.layout == nse_json.NAME:
        return nse_json.LAYOUT
    if source.layout == bhavcopy.NAME:
        return bhavcopy.LAYOUT
    return shipped().get(source.layout) or read_layout(Path(source.layout))


# --- reading ---------------------------------------------------------------------------------------------------------


def _count(source: Source) -> Counter[tuple[datetime.date | None, str]]:
    layout = layout_of(source)
    if layout is nse_json.LAYOUT:
        found = nse_json.count(source.path)
    else:
        found = bhavcopy.count(source.path) if layout is bhavcopy.LAYOUT else tables.count(source.path, layout)
    return Counter({(day, s): n for (day, s), n in found.items() if not source.symbols or s in source.symbols})


def _dated(counted: Counter[tuple[datetime.date | None, str]]) -> dict[tuple[datetime.date, str], int]:
    return {(day, symbol): n for (day, symbol), n in counted.items() if day is not None}


def _groups(by_day: Counter[datetime.date]) -> Iterator[list[datetime.date]]:
    """Days in order, as many together as ROWS_AT_ONCE allows."""
    group: list[datetime.date] = []
    for day in sorted(by_day):
        if group and sum(by_day[d] for d in group) + by_day[day] > ROWS_AT_ONCE:
            yield group
            group = []
        group.append(day)
    if group:
        yield group


def _rows(source: Source, layout: Layout, span: tables.Span) -> Array:
    if layout is nse_json.LAYOUT:
        return nse_json.rows(source.path, span)
    if layout is bhavcopy.LAYOUT:
        return bhavcopy.rows(source.path, span)
    return tables.rows(source.path, layout, span)


def _by_day(source: Source, layout: Layout, by_day: Counter[datetime.date]) -> Iterator[tuple[datetime.date, Array]]:
    """The rows of these days, one day after the other."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for group in _groups(by_day):
        rows = _rows(source, layout, (group[0], group[-1]))
        if source.symbols:
            rows = rows.filter(pc.is_in(rows["symbol"], pa.array(sorted(source.symbols))))
        for day in group:
            yield day, rows.filter(pc.equal(rows["day"], pa.scalar(day, pa.date32())))


def _with_spots(found: Iterator[Page], files: tuple[Path, ...], day: datetime.date) -> Iterator[Page]:
    """Pages with the spot of the index's own file."""
    known: dict[str, spots.Spots] = {}
    for page in found:
        if page.symbol not in known:
            known[page.symbol] = spots.Spots(page.symbol, files, day)
        yield msgspec.structs.replace(page, spot=known[page.symbol].at(page.at))


def _days_of_closes(source: Source, by_day: Counter[datetime.date], lot_of: LotOf, tally: Tally) -> Iterator[Page]:
    """Pages of bhavcopies, with the lots that they tell, and the official close as their spot where they tell none."""
    told = bhavcopy.lots(source.path)
    files = [source.path, *bhavcopy.bhavcopies(source.path), *source.spots]
    official = _official((source.path, *source.spots), max(file.stat().st_mtime_ns for file in files))
    for day, rows in _by_day(source, bhavcopy.LAYOUT, by_day):
        of_day = told.get(day, {})

        def lots(symbol: str, expiry: datetime.date, of_day: _Lots = of_day) -> int | None:
            return of_day.get((symbol, expiry)) or lot_of(symbol, expiry)

        for page in pages(rows, bhavcopy.LAYOUT, lots, tally, source.path.name):
            spot = page.spot or official.close(page.symbol, day) or 0
            yield msgspec.structs.replace(page, spot=spot)


@lru_cache(maxsize=4)
def _official(paths: tuple[Path, ...], _written_ns: int) -> Official:
    """Kept while none of the files is written again."""
    return read_official(paths)


# --- finding ---------------------------------------------------------------------------------------------------------


class _Finding:
    """What was found so far."""

    def __init__(self, mapping: Path | None) -> None:
        self._mapping = read_layout(mapping) if mapping is not None else None
        self._mapping_file = str(mapping)
        self._sources: dict[Path, Source] = {}
        self._spots: list[Path] = []
        self._official: list[Path] = []
        self._aside: dict[tuple[Path, str], list[str]] = {}

    def take(self, file: Path, *, is_named: bool) -> None:
        """Put a file where it belongs; BadData where it belongs nowhere."""
        if bhavcopy.is_one(file) or file.name.lower().endswith(bhavcopy.ZIP):
            self._take_day(file, is_named=is_named)
        elif tables.is_table(file):
            self._take_table(file, is_named=is_named)
        elif file.name.lower().endswith(nse_json.ENDINGS):
            self._take_reply(file, is_named=is_named)
        else:
            raise BadData(f"{file}: neither CSV, Parquet nor a JSON reply")

    def walk(self, folder: Path) -> None:
        """Take what there is in a folder, and leave the rest aside."""
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            try:
                self.take(file, is_named=False)
            except BadData as why:
                reason = str(why).removeprefix(str(file)).lstrip(": ")
                self._aside.setdefault((file.parent, reason), []).append(file.name)

    def sources(self) -> list[Source]:
        """What can be read, in the order found; bars that do not say their spot with the index files found."""
        return [self._with_spots(source) for source in self._sources.values()]

    def aside(self) -> list[str]:
        """A sentence for each folder and reason."""
        return [f"{folder}: {_listed(names)}: {why}" for (folder, why), names in self._aside.items()]

    def _take_table(self, file: Path, *, is_named: bool) -> None:
        columns = tables.columns_of(file)
        missing = self._mapping.missing(columns) if self._mapping is not None else ()
        if self._mapping is not None and not missing:
            tables.prove(file, self._mapping, is_whole=not is_named)
            self._put(file, self._mapping_file)
        elif spots.is_spots(columns):
            self._spots.append(file)
            self._aside.setdefault((file.parent, JOINED), []).append(file.name)
        elif is_series(columns):
            self._official.append(file)
        elif (layout := fitting(columns)) is not None:
            tables.prove(file, layout, is_whole=not is_named)
            self._put(file, layout.name)
        else:
            raise BadData(f"{file}: {self._unfit(columns, missing)}")

    def _unfit(self, columns: tuple[str, ...], missing: Sequence[str]) -> str:
        """Why a table is read by no layout."""
        if set(columns) >= SCAN_RANGES:
            return "the clearing corporation's scan ranges: no chain; [desk] span_scans names it"
        if self._mapping is not None:
            return f"has no column {_listed(missing)}, which {self._mapping_file} names: mend the mapping"
        near = nearest(columns)
        if near is None:
            return "fits no layout: if it is a chain, write a mapping file for it"
        return f"fits no layout ({near.name} needs {_listed(near.missing(columns))} too): write a mapping file for it"

    def _take_reply(self, file: Path, *, is_named: bool) -> None:
        if why := nse_json.fault(file):
            raise BadData(why)
        self._put(file if is_named else file.parent, nse_json.NAME)

    def _take_day(self, file: Path, *, is_named: bool) -> None:
        if why := bhavcopy.fault(file):
            raise BadData(why)
        self._put(file if is_named else file.parent, bhavcopy.NAME)

    def _put(self, path: Path, layout: str) -> None:
        self._sources.setdefault(path.resolve(), Source(path, layout))

    def _with_spots(self, source: Source) -> Source:
        if source.layout == bhavcopy.NAME:
            return msgspec.structs.replace(source, spots=tuple(self._official))
        if source.layout == nse_json.NAME or layout_of(source).spot:
            return source
        elsewhere = tuple(file for file in self._spots if file.resolve().parent != source.path.resolve().parent)
        return msgspec.structs.replace(source, spots=elsewhere)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED_MAX
    return ", ".join(names[:NAMED_MAX]) + (f" and {more} more" if more > 0 else "")
