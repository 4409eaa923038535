"""The decision log as files: one of JSON lines a day, and beside it, once sealed, the same day as Parquet.

One process writes. Readers may come at any time: they leave a line alone that is still being written.
"""

import datetime
import os
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from participant.ports import StoreBroken

CHUNK_BYTES = 1 << 20
ROWS_A_GROUP = 2_000


class _Record(msgspec.Struct, rename="camel"):
    """A decision record by its four objects, each left as the bytes that it is."""

    scrip: msgspec.Raw
    market_state: msgspec.Raw
    current_position_info: msgspec.Raw
    decision_info: msgspec.Raw


class _Symbol(msgspec.Struct):
    symbol: str | None = None


class _Figures(msgspec.Struct, rename="camel"):
    """What of a decision is worth a column of its own; decided_for is nanoseconds UTC."""

    decided_for: int | None = None
    action: str | None = None
    reason: str | None = None
    decision_id: str | None = None
    snapshot_id: str | None = None
    outcome: str | None = None


class JsonlArchive:
    """The log in `folder`: `2026-11-23.jsonl`, and `2026-11-23.parquet` once sealed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counted: dict[str, tuple[int, int]] = {}  # day -> bytes of whole lines, how many

    def append(self, day: str, lines: Sequence[bytes]) -> None:
        """Add whole lines to a day's log, durably. A torn last line is repaired first."""
        if any(b"\n" in line for line in lines):
            raise ValueError("a line of the log may not hold a line break")
        if not lines:
            return
        path = self._path(day)
        before, count = self._measure(day)
        added = b"".join(line + b"\n" for line in lines)
        try:
            is_new = not path.exists()
            with open(path, "ab") as log:
                _write_whole(log.fileno(), before, added)
            if is_new:
                _sync_folder(self._folder)
        except OSError as error:
            raise _broken(path, error) from error
        self._counted[day] = (before + len(added), count + len(lines))

    def count(self, day: str) -> int:
        """How many whole lines the day's log has; only what was added since the last call is read."""
        return self._measure(day)[1]

    def read(self, day: str) -> list[bytes]:
        """The day's whole lines, in order."""
        try:
            return list(_whole_lines(self._path(day)))
        except OSError as error:
            raise _broken(self._path(day), error) from error

    def seal(self, day: str) -> str:
        """Compact the day's lines into Parquet beside the log; returns where. Sealing again gives the same."""
        target = self._path(day).with_suffix(".parquet")
        unfinished = target.with_suffix(".parquet.unfinished")
        try:
            _write_parquet(_whole_lines(self._path(day)), unfinished)
            os.replace(unfinished, target)
            _sync_folder(self._folder)
        except OSError as error:
            raise _broken(target, error) from error
        return str(target)

    def _path(self, day: str) -> Path:
        if datetime.date.fromisoformat(day).isoformat() != day:
            raise ValueError(f"a day is written as 2026-11-23, not {day!r}")
        return self._folder / f"{day}.jsonl"

    def _measure(self, day: str) -> tuple[int, int]:
        path = self._path(day)
        size, count = self._counted.get(day, (0, 0))
        try:
            present = path.stat().st_size if path.exists() else 0
            if present < size:  # somebody cut it: count again
                size, count = 0, 0
            if present > size:
                size, count = _measure_from(path, size, count)
        except OSError as error:
            raise _broken(path, error) from error
        self._counted[day] = (size, count)
        return size, count


def _measure_from(path: Path, size: int, count: int) -> tuple[int, int]:
    """The bytes of whole lines and their number, going on from what is known."""
    with open(path, "rb") as log:
        log.seek(size)
        at = size
        while chunk := log.read(CHUNK_BYTES):
            breaks = chunk.count(b"\n")
            if breaks:
                count += breaks
                size = at + chunk.rindex(b"\n") + 1
            at += len(chunk)
    return size, count


def _write_whole(log: int, before: int, added: bytes) -> None:
    """Cut what is torn, then write all of `added` to the disk, or nothing."""
    os.ftruncate(log, before)
    try:
        left = memoryview(added)
        while left:
            left = left[os.write(log, left) :]
        os.fsync(log)
    except OSError:
        os.ftruncate(log, before)
        raise


def _whole_lines(path: Path) -> Iterator[bytes]:
    if not path.exists():
        return
    with open(path, "rb") as log:
        for line in log:
            if line.endswith(b"\n"):
                yield line[:-1]


def _write_parquet(lines: Iterator[bytes], path: Path) -> None:
    # Imported here: only sealing needs it, and it takes long to load.
    import pyarrow as pa
    import pyarrow.parquet as pq

    texts = ("scrip", "marketState", "currentPositionInfo", "decisionInfo", "symbol", "action", "reason",
             "decision_id", "snapshot_id", "outcome", "other")  # fmt: skip
    schema = pa.schema([("decided_at", pa.timestamp("ns", tz="UTC")), *((name, pa.string()) for name in texts)])
    with open(path, "wb") as sink:
        with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
            while batch := [_columns(line) for line in islice(lines, ROWS_A_GROUP)]:
                writer.write_table(pa.Table.from_pylist(batch, schema=schema))
        sink.flush()
        os.fsync(sink.fileno())


def _columns(line: bytes) -> dict[str, Any]:
    """A row: the four objects as they are and a few figures of them; a line of another kind stands in `other`."""
    try:
        record = msgspec.json.decode(line, type=_Record)
        figures = msgspec.json.decode(record.decision_info, type=_Figures)
        symbol = msgspec.json.decode(record.scrip, type=_Symbol).symbol
    except msgspec.DecodeError:
        return {"other": line.decode(errors="replace")}
    objects = {field: bytes(getattr(record, name)).decode() for name, field in _OBJECTS.items()}
    columns = msgspec.structs.asdict(figures)
    return {"decided_at": columns.pop("decided_for"), "symbol": symbol, **columns, **objects}


_OBJECTS = dict(zip(_Record.__struct_fields__, _Record.__struct_encode_fields__, strict=True))


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _broken(path: Path, error: OSError) -> StoreBroken:
    return StoreBroken(
        f"decision log {path}: {error.strerror or error}: see that its folder exists, that this user may write there "
        "and that the disk has space left"
    )
