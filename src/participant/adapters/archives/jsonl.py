"""The decision log as files: a day's lines, the parts that they refer to, and, once sealed, both as Parquet.

One process writes. Readers may come at any time: they leave alone what is still being written.
"""

import datetime
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from participant.links.growing import GrowingFile, OtherPieces, line_ends, member_ends, sync_folder
from participant.links.parts import Part, pack, unpack
from participant.ports import StoreBroken

NO_PARTS = pack([])
ROWS_A_GROUP = 2_000
ZSTD_LEVEL = 9
LINES = ("scrip", "marketState", "currentPositionInfo", "decisionInfo", "symbol", "action", "reason", "decision_id",
         "snapshot_id", "outcome", "other")  # fmt: skip
PARTS = ("id", "kind", "part")
UNIQUE = {
    "part",
    "id",
    "marketState",
    "decisionInfo",
    "decision_id",
    "snapshot_id",
}  # a dictionary of these saves nothing


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
    """The log in `folder`: `2026-11-23.jsonl` and `2026-11-23.parts.jsonl.gz`; a `.parquet` of each once sealed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, tuple[GrowingFile, GrowingFile]] = {}

    def append(self, day: str, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Add lines, each with the pack of its parts, durably; the parts come first. What is torn is repaired first."""
        if any(b"\n" in line for line, _ in records):
            raise ValueError("a line of the log may not hold a line break")
        lines, parts = self._of(day)
        held = self.count(day)
        with _faults_told(lines.path):
            new_lines = lines.missing(held, [line + b"\n" for line, _ in records])
        with _faults_told(parts.path):
            parts.add(parts.missing(held, [pack for _, pack in records]))
        with _faults_told(lines.path):
            lines.add(new_lines)

    def count(self, day: str) -> int:
        """How many whole lines with their parts the day's log has; only what was added since the last call is read."""
        counts = []
        for file in self._of(day):
            with _faults_told(file.path):
                counts.append(file.count())
        return min(counts)

    def read(self, day: str) -> Iterator[tuple[bytes, bytes]]:
        """The day's whole lines in order, each with its pack of parts; an empty one where the parts are lost."""
        self.count(day)  # what cannot be read is told now, not when the first line is asked for
        lines, parts = self._of(day)
        packs = _told(parts)
        return ((line[:-1], next(packs, NO_PARTS)) for line in _told(lines))

    def seal(self, day: str) -> str:
        """Compact the day's log into Parquet beside it; returns where its lines stand. Sealing again gives the same."""
        lines, parts = self._of(day)
        rows = (_part_columns(part) for pack in _told(parts) for part in unpack(pack))
        self._seal(rows, PARTS, parts.path.with_name(f"{day}.parts.parquet"))
        return self._seal((_columns(line[:-1]) for line in _told(lines)), LINES, lines.path.with_suffix(".parquet"))

    def _seal(self, rows: Iterator[dict[str, Any]], texts: Sequence[str], target: Path) -> str:
        unfinished = target.with_suffix(".parquet.unfinished")
        with _faults_told(target):
            _write_parquet(rows, texts, unfinished)
            os.replace(unfinished, target)
            sync_folder(self._folder)
        return str(target)

    def _of(self, day: str) -> tuple[GrowingFile, GrowingFile]:
        if datetime.date.fromisoformat(day).isoformat() != day:
            raise ValueError(f"a day is written as 2026-11-23, not {day!r}")
        if day not in self._files:
            lines = GrowingFile(self._folder / f"{day}.jsonl", line_ends)
            self._files[day] = lines, GrowingFile(self._folder / f"{day}.parts.jsonl.gz", member_ends)
        return self._files[day]


def _write_parquet(rows: Iterator[dict[str, Any]], texts: Sequence[str], path: Path) -> None:
    # Imported here: only sealing needs it, and it takes long to load.
    import pyarrow as pa
    import pyarrow.parquet as pq

    times = [("decided_at", pa.timestamp("ns", tz="UTC"))] if texts is LINES else []
    schema = pa.schema([*times, *((name, pa.string()) for name in texts)])
    style = {
        "compression": "zstd",
        "compression_level": ZSTD_LEVEL,
        "use_dictionary": [n for n in texts if n not in UNIQUE],
    }
    with open(path, "wb") as sink:
        with pq.ParquetWriter(sink, schema, **style) as writer:
            while batch := list(islice(rows, ROWS_A_GROUP)):
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


def _part_columns(part: Part) -> dict[str, Any]:
    return {"id": part.id, "kind": part.kind, "part": bytes(part.part).decode()}


def _told(file: GrowingFile) -> Iterator[bytes]:
    """The pieces of a file, with its faults told to people."""
    with _faults_told(file.path):
        yield from file.pieces()


@contextmanager
def _faults_told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreBroken(
            f"decision log {path}: {error.strerror or error}: see that its folder exists, that this user may write "
            "there and that the disk has space left"
        ) from error
    except OtherPieces as error:
        raise StoreBroken(f"decision log {path}: {error}: move it away, and it is written up again") from error
