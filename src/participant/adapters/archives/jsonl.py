"""The decision log as files: a day's lines, the parts that they refer to, and, once sealed, both as Parquet.

One process writes. Readers may come at any time: they leave alone what is still being written.
"""

import datetime
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from participant.links.growing import GrowingFile, OtherPieces, line_ends, member_ends, sync_folder
from participant.links.log_table import (
    Mark,
    digest_of,
    line_row,
    lines_schema,
    mark_of,
    part_rows,
    parts_schema,
    write_parquet,
)
from participant.links.parts import pack
from participant.ports import StoreBroken

NO_PARTS = pack([])
Rows = Callable[[Iterator[bytes]], Iterator[dict[str, Any]]]


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
        """Compact the day's log into Parquet beside it; returns where its lines stand. Sealing again gives the same.

        What is sealed is replaced only by what goes on from it: lines that came later. Raises StoreBroken.
        """
        lines, parts = self._of(day)
        on = datetime.date.fromisoformat(day)
        self._seal(parts, part_rows, parts_schema, self._folder / f"{day}.parts.parquet")
        target = lines.path.with_suffix(".parquet")
        return self._seal(lines, lambda found: (line_row(on, line[:-1]) for line in found), lines_schema, target)

    def _seal(self, file: GrowingFile, rows: Rows, schema: Callable[[], Any], target: Path) -> str:
        with _faults_told(target):
            count = file.count()  # what is added from now on is not in it, and its mark says so
            mark = Mark(file.size(count), digest_of(file.path, file.size(count)) if count else "")
            if not _is_sealed(file.path, mark, target):
                with _put_whole(target) as unfinished:
                    write_parquet(rows(islice(_told(file), count)), schema(), mark, unfinished)
                sync_folder(self._folder)
        return str(target)

    def _of(self, day: str) -> tuple[GrowingFile, GrowingFile]:
        if datetime.date.fromisoformat(day).isoformat() != day:
            raise ValueError(f"a day is written as 2026-11-23, not {day!r}")
        if day not in self._files:
            lines = GrowingFile(self._folder / f"{day}.jsonl", line_ends)
            self._files[day] = lines, GrowingFile(self._folder / f"{day}.parts.jsonl.gz", member_ends)
        return self._files[day]


@contextmanager
def _put_whole(target: Path) -> Iterator[Path]:
    """A file beside `target` to write, which takes its place once it is whole; two who seal do not meet in it."""
    unfinished = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _is_sealed(growing: Path, mark: Mark, target: Path) -> bool:
    """Whether the sealed file holds just this; raises StoreBroken where it holds what the growing one does not."""
    if not target.exists():
        return False
    with open(target, "rb") as file:
        held = mark_of(file)
    if held == mark:
        return True
    if held is None or held.bytes > mark.bytes or (held.bytes and digest_of(growing, held.bytes) != held.digest):
        raise StoreBroken(
            f"decision log {target}: it was not made from what {growing.name} holds now, and is not overwritten: "
            "restore that file from a copy, or move this one away and seal the day again"
        )
    return False


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
