"""The hold on the folder of a recorded day: one recorder or sealer at a time, and whether the last recorder ended.

It is a lock on DIR/DAY/recorder.lock, which is free as soon as its holder is gone, however it went. The file holds a
word while a recorder writes, and none once it has written all: where the word is left, its end is missing.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from participant.history.pages import BadData

LOCK, WRITING = "recorder.lock", b"writing\n"


class Hold:
    """The hold itself, taken as it is made; BadData where another has it, or it cannot be taken."""

    def __init__(self, place: Path) -> None:
        self._file = place / LOCK
        try:
            self._at = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as fault:
            raise BadData(f"{place} cannot be written: {fault.strerror}; name a folder that can") from fault
        try:
            fcntl.flock(self._at, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as fault:
            os.close(self._at)
            raise BadData(f"{place} is being recorded by another process: end that, or name another folder") from fault
        self.was_left = os.pread(self._at, len(WRITING), 0) != b""

    def writing(self) -> None:
        """Somebody writes from now on."""
        os.pwrite(self._at, WRITING, 0)

    def ended(self) -> None:
        """All is written down."""
        os.ftruncate(self._at, 0)

    def take_away(self) -> None:
        """The file is needed no more."""
        self._file.unlink(missing_ok=True)

    def release(self) -> None:
        """Let others have it."""
        os.close(self._at)


@contextmanager
def holding(place: Path) -> Iterator[Hold]:
    """The hold for as long as something is done; BadData as Hold."""
    hold = Hold(place)
    try:
        yield hold
    finally:
        hold.release()
