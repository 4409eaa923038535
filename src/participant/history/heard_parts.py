"""The files of a recorded day: parts that are written whole or not at all, and put together as the day is sealed."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from participant.history.pages import BadData

if TYPE_CHECKING:
    import pyarrow as pa

UNFINISHED = ".unfinished"
GROUP_ROWS, GROUP_BYTES = 500_000, 32_000_000  # of a sealed file: so much of it is held at once


def parts_of(place: Path, kind: str) -> list[Path]:
    """The parts of a kind that are there, oldest first."""
    return sorted(place.glob(f"{kind}-[0-9]*.parquet"))


def write_part(place: Path, kind: str, table: "pa.Table") -> None:
    """Put a part down behind those that are there. Raises OSError."""
    import pyarrow.parquet as pq

    numbers = [int(file.stem.rpartition("-")[2]) for file in parts_of(place, kind)]
    target = place / f"{kind}-{max(numbers, default=0) + 1:06d}.parquet"
    put_whole(target, lambda beside: pq.write_table(table, beside, compression="zstd"))


def put_whole(target: Path, write: Callable[[Path], object]) -> None:
    """Put what `write` writes in the place of `target`, on the disk, or leave what was there. Raises OSError."""
    beside = target.with_name(target.name + UNFINISHED)
    write(beside)
    _sync(beside)
    beside.replace(target)
    _sync(target.parent)  # the new name, before the parts that it takes the place of are gone


def _sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlive a loss of power."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def merge(parts: Sequence[Path], target: Path) -> None:
    """Parts as one file; it holds no more of them at once than a group."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    def write(beside: Path) -> None:
        with pq.ParquetWriter(beside, pq.read_schema(parts[0]), compression="zstd") as out:
            for group in _groups(parts):
                out.write_table(pa.concat_tables([pq.read_table(part) for part in group]))

    try:
        if parts:
            put_whole(target, write)
    except ValueError as fault:  # Arrow's own of a damaged file are such
        raise BadData(f"{target.parent}: a part of it cannot be read: {str(fault).splitlines()[0][:200]}") from None


def _groups(parts: Sequence[Path]) -> Iterator[list[Path]]:
    import pyarrow.parquet as pq

    group: list[Path] = []
    rows = size = 0
    for part in parts:
        told: Any = pq.read_metadata(part)
        more = sum(told.row_group(i).total_byte_size for i in range(told.num_row_groups))
        if group and (rows + told.num_rows > GROUP_ROWS or size + more > GROUP_BYTES):
            yield group
            group, rows, size = [], 0, 0
        group, rows, size = [*group, part], rows + told.num_rows, size + more
    if group:
        yield group


@contextmanager
def named(file: Path) -> Iterator[None]:
    """What fails as a file of a recording is read is said of that file, as BadData."""
    import pyarrow as pa

    try:
        yield
    except (OSError, ValueError, pa.ArrowException) as fault:
        said = str(fault).partition("\n")[0][:200]
        raise BadData(f"{file} is no part of a recording: {said}; put it back, or take it away") from None
