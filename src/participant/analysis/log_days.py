"""Which days of a decision log lie in a folder or a bucket, and of each: what is sealed, and what came after."""

import datetime
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from participant.links.log_table import OBJECTS, Mark, Row, mark_of
from participant.ports import StoreBroken

NAME = re.compile(r"(\d{4}-\d\d-\d\d)\.(parquet|jsonl)")


class LogDay(Struct, frozen=True):
    """A day's files: `sealed` is the Parquet in today's form, `older` one in an earlier form, `grows` the JSON lines.

    `since` is the byte of the lines from which on they are not in `sealed`.
    """

    day: datetime.date
    sealed: str = ""
    older: str = ""
    grows: str = ""
    since: int = 0


class _File(Struct, frozen=True):
    path: str
    size: int


class LogFolder:
    """The days of a log at `where`: a folder, or what pyarrow opens by its address, s3://BUCKET/PREFIX.

    Raises StoreBroken with what cannot be read and how to mend it.
    """

    def __init__(self, where: str) -> None:
        self.is_local = "://" not in where
        self.files: Any = None  # of pyarrow, which takes long to load: a folder is read without it
        try:
            self._found = self._near(where) if self.is_local else self._far(where)
        except FileNotFoundError:
            raise StoreBroken(f"decision log {where}: there is no such folder; name another with --log") from None
        except OSError as fault:
            raise _broken(where, fault) from None

    def days(self, first: datetime.date, last: datetime.date) -> list[LogDay]:
        """The days of a span, in order."""
        names = sorted({name.partition(".")[0] for name in self._found})
        return [self._day(on) for on in map(datetime.date.fromisoformat, names) if first <= on <= last]

    def lines(self, day: LogDay) -> Iterator[bytes]:
        """What of a day is not sealed in today's form; what is torn at the end is left out."""
        try:
            if day.grows:
                with self._open(day.grows) as file:
                    file.seek(day.since)
                    lines = file if self.is_local else io.BytesIO(file.read())
                    yield from (line[:-1] for line in lines if line.endswith(b"\n"))
            elif day.older:
                yield from self._older(day.older)
        except OSError as fault:
            raise _broken(day.grows or day.older, fault) from None

    def _older(self, path: str) -> Iterator[bytes]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with self._open(path) as file:
                table = pq.read_table(file, columns=[*OBJECTS, "other"])
            for batch in table.to_batches():
                yield from map(_line, batch.to_pylist())
        except pa.ArrowException as fault:
            raise _broken(path, fault) from None

    def _near(self, where: str) -> dict[str, _File]:
        with os.scandir(Path(where).absolute()) as found:
            return {one.name: _File(one.path, one.stat().st_size) for one in found if NAME.fullmatch(one.name)}

    def _far(self, where: str) -> dict[str, _File]:
        import pyarrow as pa
        from pyarrow import fs

        try:
            self.files, path = fs.FileSystem.from_uri(where)
            found = self.files.get_file_info(fs.FileSelector(path))
        except pa.ArrowException as fault:
            raise _broken(where, fault) from None
        return {one.base_name: _File(one.path, one.size) for one in found if NAME.fullmatch(one.base_name)}

    def _open(self, path: str) -> Any:
        return open(path, "rb") if self.is_local else self.files.open_input_file(path)

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
            with self._open(path) as file:
                return mark_of(file)
        except OSError as fault:
            raise _broken(path, fault) from None


def _broken(path: str, fault: Exception) -> StoreBroken:
    said = " ".join(str(fault).split())[:300]
    return StoreBroken(f"decision log {path}: it cannot be read ({said}); restore it from a copy, or name another")


def _line(row: Row) -> bytes:
    """The line of the log that a row of an earlier form was made of."""
    if row["other"] is not None:
        return str(row["other"]).encode()
    return msgspec.json.encode({name: msgspec.Raw(row[name].encode()) for name in OBJECTS})
