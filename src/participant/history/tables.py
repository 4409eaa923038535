"""CSV and Parquet tables, read by a layout: only the columns it names, and a span of days at most."""

import csv
import datetime
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from participant.core.session import EPOCH_ORDINAL, IST_S, SECOND
from participant.history.columns import BLANKS, Array, UnusableValue, days, labels, normalised, symbols
from participant.history.layouts import Layout
from participant.history.pages import BadData

Span = tuple[datetime.date, datetime.date]
HEAD_BYTES = 65_536
CSV, PARQUET = (".csv", ".csv.gz"), (".parquet",)


def is_table(file: Path) -> bool:
    """Whether a file's name ends as a table's does."""
    return file.name.lower().endswith(CSV + PARQUET)


def is_csv(file: Path) -> bool:
    """Whether a file's name ends as a CSV's does."""
    return file.name.lower().endswith(CSV)


def columns_of(file: Path) -> tuple[str, ...]:
    """The names of a table's columns. Raises BadData where it cannot be read."""
    with reading(file):
        head = head_of(file)
        if not head:
            raise BadData(f"{file} is empty: fetch it again")
        kind = "Parquet file" if file.name.lower().endswith(PARQUET) else "CSV"
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
            raise BadData(f"{file} is an HTML page, not a {kind}: fetch it again")
        if kind == "Parquet file":
            import pyarrow.parquet as pq

            return tuple(pq.read_schema(file).names)
        text = io.StringIO(head.decode("utf-8-sig", errors="replace"), newline="")
        columns = tuple(next(csv.reader(text), ()))
    if len(set(columns)) < len(columns):
        raise BadData(f"{file}: two columns have the same name: give each its own")
    return columns


def head_of(file: Path) -> bytes:
    """The first bytes of a file, unpacked if it is a .gz."""
    return unpacked(file, HEAD_BYTES)


def unpacked(file: Path, bytes_max: int = -1) -> bytes:
    """The bytes of a file, unpacked if it is a .gz; OSError, EOFError or zlib.error where it cannot be read."""
    with file.open("rb") as raw:
        body = gzip.GzipFile(fileobj=raw) if file.name.lower().endswith(".gz") else raw
        return body.read(bytes_max)


def prove(file: Path, layout: Layout, *, is_whole: bool) -> None:
    """Raises BadData for a table without rows and, of a CSV where `is_whole`, for whatever in it cannot be used."""
    is_parquet = file.name.lower().endswith(PARQUET)
    with reading(file):
        if is_parquet:
            import pyarrow.parquet as pq

            has_rows = pq.read_metadata(file).num_rows > 0
        else:
            has_rows = sum(bool(line.strip()) for line in head_of(file).splitlines()) > 1
    if not has_rows:
        raise BadData(f"{file}: has a header and no rows: fetch it again")
    if is_whole and not is_parquet:
        present = set(columns_of(file))
        for batch in _batches(file, layout, [name for name in layout.columns if name in present], None):
            with reading(file):
                normalised(batch, layout)


def count(file: Path, layout: Layout) -> Counter[tuple[datetime.date | None, str]]:
    """The rows of each IST day and symbol, of no day where they lack a time, and of '' where they name no symbol."""
    import pyarrow as pa

    names = [*layout.time.columns, layout.symbol.column, layout.ticker.column if layout.ticker else ""]
    found: Counter[tuple[datetime.date | None, str]] = Counter()
    for batch in _batches(file, layout, [name for name in names if name], None):
        with reading(file):
            keys = pa.table({"day": days(labels(batch, layout)), "symbol": symbols(batch, layout)})
            for row in keys.group_by(["day", "symbol"]).aggregate([([], "count_all")]).to_pylist():
                found[row["day"], row["symbol"] or ""] += row["count_all"]
    return found


def rows(file: Path, layout: Layout, span: Span | None) -> Array:
    """A table's rows of these IST days (both included), or all, those without a time too; None where there are none.

    Raises BadData.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    found = []
    present = set(columns_of(file))
    for batch in _batches(file, layout, [name for name in layout.columns if name in present], span):
        with reading(file):
            table = normalised(batch, layout)
            if span is not None:
                first, last = (pa.scalar(day, pa.date32()) for day in span)
                table = table.filter(pc.and_(pc.greater_equal(table["day"], first), pc.less_equal(table["day"], last)))
            found.append(table)
    return pa.concat_tables(found).combine_chunks() if found else None


@contextmanager
def reading(file: Path) -> Iterator[None]:
    """Turns what readers say of a damaged file, or of a value that cannot be used, into BadData."""
    import pyarrow as pa

    try:
        yield
    except UnusableValue as wrong:
        raise BadData(f"{file}: {wrong}") from None
    except (pa.ArrowException, OSError, EOFError, zlib.error, csv.Error, UnicodeDecodeError) as broken:
        what = str(broken).strip().partition("\n")[0]
        raise BadData(f"{file}: cut off, damaged or no table ({what}): fetch it again") from None


# --- reading ---------------------------------------------------------------------------------------------------------


def _batches(file: Path, layout: Layout, columns: Sequence[str], span: Span | None) -> Iterator[Array]:
    """A table piece by piece, with these columns; days outside the span are passed over where the file can tell."""
    wanted = list(dict.fromkeys(columns))
    with reading(file):
        source = _parquet(file, layout, wanted, span) if file.name.lower().endswith(PARQUET) else _csv(file, wanted)
        for batch in source:
            if batch.num_rows:
                yield batch


def _csv(file: Path, columns: list[str]) -> Iterable[Array]:
    """All as text: what a text means is said by the layout, not guessed from the first rows."""
    import pyarrow as pa
    import pyarrow.csv as pc

    as_text = pc.ConvertOptions(
        include_columns=columns, column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=True,
        null_values=list(BLANKS),
    )  # fmt: skip
    packing = "gzip" if file.name.lower().endswith(".gz") else None
    found: Iterable[Array] = pc.open_csv(pa.input_stream(file, compression=packing), convert_options=as_text)
    return found


def _parquet(file: Path, layout: Layout, columns: list[str], span: Span | None) -> Iterable[Array]:
    import pyarrow as pa
    import pyarrow.dataset as ds

    data = ds.dataset(file, format="parquet")
    wanted = None
    if span is not None and layout.time.column and pa.types.is_timestamp(data.schema.field(layout.time.column).type):
        kind = data.schema.field(layout.time.column).type
        shift = 0 if kind.tz else layout.time.offset_s
        start, end = (((day.toordinal() - EPOCH_ORDINAL) * 86_400 - IST_S + shift) * SECOND for day in span)
        first, after = (pa.scalar(at, pa.timestamp("ns", kind.tz)).cast(kind) for at in (start, end + 86_400 * SECOND))
        column = ds.field(layout.time.column)
        wanted = (column >= first) & (column < after)
    found: Iterable[Array] = data.to_batches(columns=columns, filter=wanted)
    return found
