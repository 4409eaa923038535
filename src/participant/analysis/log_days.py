"""Which days of a decision log lie in a folder or a bucket, and of each: what is sealed, and what came after."""

import datetime
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from participant.links.log_table import Mark, line_row, mark_of
from participant.ports import StoreBroken

NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.(parquet|jsonl)")
OBJECTS = ("scrip", "marketState", "currentPositionInfo", "decisionInfo")
Row = dict[str, Any]


class LogDay(Struct, frozen=True):
    """A day's files: `sealed` is the Parquet in today's form, `older` one in an earlier form, `grows` the JSON lines.

    `since` is the byte of the lines from which on they are not in `sealed`.
    """

    day: datetime.date
    sealed: str = ""
    older: str = ""
    grows: str = ""
    since: int = 0


class LogFolder:
    """The days of a log at `where`: a folder, or what pyarrow opens by its address, s3://BUCKET/PREFIX.

    Raises StoreBroken with what cannot be read and how to mend it.
    """

    def __init__(self, where: str) -> None:
        import pyarrow as pa
        from pyarrow import fs

        self.is_local = "://" not in where
        try:
            local = fs.LocalFileSystem(), str(Path(where).absolute())
            self.files, path = local if self.is_local else fs.FileSystem.from_uri(where)
            found = self.files.get_file_info(fs.FileSelector(path))
        except FileNotFoundError:
            raise StoreBroken(f"decision log {where}: there is no such folder; name another with --log") from None
        except (OSError, pa.ArrowException) as fault:
            raise self._broken(where, fault) from None
        self._found = {info.base_name: info for info in found if NAME.fullmatch(info.base_name)}

    def days(self, first: datetime.date, last: datetime.date) -> list[LogDay]:
        """The days of a span, in order."""
        names = sorted({NAME.fullmatch(name)[1] for name in self._found})  # type: ignore[index]  # all of them match
        return [self._day(on) for on in map(datetime.date.fromisoformat, names) if first <= on <= last]

    def rows(self, day: LogDay) -> Iterator[Row]:
        """What of a day is not sealed in today's form, a row a line; what is torn at the end is left out."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            if day.grows:
                with self.files.open_input_file(day.grows) as file:
                    file.seek(day.since)
                    *lines, _ = file.read().split(b"\n")
                yield from (line_row(day.day, line) for line in lines)
            elif day.older:
                with self.files.open_input_file(day.older) as file:
                    table = pq.read_table(file, columns=[*OBJECTS, "other"])
                for batch in table.to_batches():
                    yield from (line_row(day.day, _line(row)) for row in batch.to_pylist())
        except (OSError, pa.ArrowException) as fault:
            raise self._broken(day.grows or day.older, fault) from None

    def _day(self, on: datetime.date) -> LogDay:
        sealed, grows = self._found.get(f"{on}.parquet"), self._found.get(f"{on}.jsonl")
        mark = self._mark(sealed.path) if sealed else None
        lines = grows.path if grows else ""
        if sealed and mark is None:
            return LogDay(on, older=sealed.path, grows=lines)
        if sealed and mark:
            return LogDay(on, sealed.path, "", lines if grows and grows.size > mark.bytes else "", mark.bytes)
        return LogDay(on, grows=lines)

    def _mark(self, path: str) -> Mark | None:
        try:
            if self.is_local:
                with open(path, "rb") as file:
                    return mark_of(file)
            with self.files.open_input_file(path) as file:
                return mark_of(file)
        except OSError as fault:
            raise self._broken(path, fault) from None

    def _broken(self, path: str, fault: Exception) -> StoreBroken:
        said = " ".join(str(fault).split())[:300]
        return StoreBroken(f"decision log {path}: it cannot be read ({said}); restore it from a copy, or name another")


def _line(row: Row) -> bytes:
    """The line of the log that a row of an earlier form was made of."""
    if row["other"] is not None:
        return str(row["other"]).encode()
    return msgspec.json.encode({name: msgspec.Raw(row[name].encode()) for name in OBJECTS})
