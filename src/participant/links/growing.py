"""A file that grows by whole pieces: lines, or members of gzip.

What is torn at its end is no piece, and is cut by the next addition. One process adds; others may read at any time.
"""

import os
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 1 << 16
GZIP = 31  # zlib's number for a gzip frame


class OtherPieces(Exception):
    """Pieces are to be added after some that the file holds, and it holds others there."""


class GrowingFile:
    """The file at `path`; `ends` finds the whole pieces from where a file stands, and yields where each ends."""

    def __init__(self, path: Path, ends: Callable[[BinaryIO], Iterator[int]]) -> None:
        self.path, self._find_ends = path, ends
        self._ends = array("Q")  # kept, so that only what was added since the last look is read

    def count(self) -> int:
        """How many whole pieces there are. Raises OSError."""
        present = self.path.stat().st_size if self.path.exists() else 0
        if present < self._end(len(self._ends)):  # somebody cut it: count again
            self._ends = array("Q")
        start = self._end(len(self._ends))
        if present > start:
            with open(self.path, "rb") as file:
                file.seek(start)
                self._ends.extend(start + end for end in self._find_ends(file))
        return len(self._ends)

    def size(self, count: int) -> int:
        """How many bytes the first `count` pieces have, of those that were counted."""
        return self._end(count)

    def pieces(self) -> Iterator[bytes]:
        """The whole pieces, in order. Raises OSError."""
        count = self.count()
        if count:
            with open(self.path, "rb") as file:
                for i in range(count):
                    yield file.read(self._end(i + 1) - self._end(i))

    def missing(self, after: int, pieces: Sequence[bytes]) -> Sequence[bytes]:
        """Which of these pieces, that follow the first `after`, the file lacks. Raises OtherPieces and OSError."""
        held = self._held(after, self.count())
        if any(had != piece for had, piece in zip(held, pieces, strict=False)):
            raise OtherPieces(f"it holds something else after its first {after} records than the books")
        return pieces[len(held) :]

    def add(self, pieces: Sequence[bytes]) -> None:
        """Add these after the last whole piece, durably, all or none. Raises OSError."""
        if not pieces:
            return
        count, is_new = self.count(), not self.path.exists()
        with open(self.path, "ab") as file:
            _write_whole(file.fileno(), self._end(count), b"".join(pieces))
        self._ends.extend(self._end(count) + end for end in accumulate(map(len, pieces)))
        if is_new:
            sync_folder(self.path.parent)

    def _held(self, after: int, count: int) -> list[bytes]:
        if count <= after:
            return []
        with open(self.path, "rb") as file:
            file.seek(self._end(after))
            return [file.read(self._end(i + 1) - self._end(i)) for i in range(after, count)]

    def _end(self, count: int) -> int:
        return self._ends[count - 1] if count else 0


def line_ends(file: BinaryIO) -> Iterator[int]:
    """Where each whole line ends, counted from where the file stands."""
    at = 0
    for line in file:
        at += len(line)
        if line.endswith(b"\n"):
            yield at


def member_ends(file: BinaryIO) -> Iterator[int]:
    """Where each whole and sound member of a gzip file ends, counted from where the file stands."""
    at, left, member = 0, b"", zlib.decompressobj(GZIP)
    while chunk := left or file.read(CHUNK_BYTES):
        try:
            member.decompress(chunk)
        except zlib.error:
            return
        left = member.unused_data
        at += len(chunk) - len(left)
        if member.eof:
            yield at
            member = zlib.decompressobj(GZIP)


def sync_folder(folder: Path) -> None:
    """Make a new name in a folder outlive a loss of power. Raises OSError."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_whole(file: int, before: int, added: bytes) -> None:
    """Cut what is torn, then write all of `added` to the disk, or nothing."""
    os.ftruncate(file, before)
    try:
        left = memoryview(added)
        while left:
            left = left[os.write(file, left) :]
        os.fsync(file)
    except OSError:
        os.ftruncate(file, before)
        raise
