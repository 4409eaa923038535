"""The lease as a lock on a file of the home: it ends with the process that holds it, however that ends."""

import datetime
import fcntl
import os
from pathlib import Path

from participant.ports import Clock, StoreBroken

HOLDER_MAX_BYTES = 1_000
SECOND = 1_000_000_000


class FileLease:
    """The lock on `NAME.lock` in `home`. The file says who took it last, since when (UTC, by `clock`), and its pid."""

    def __init__(self, home: Path, clock: Clock, name: str = "desk") -> None:
        self._path = home / f"{name}.lock"
        self._clock = clock
        self._file: int | None = None

    def take(self, owner: str) -> str:
        """Take the lease; returns an empty string, or who holds it."""
        if self.is_held():
            return ""
        self.release()
        try:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _broken(self._path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._sign(file, owner)
        except BlockingIOError:
            holder = os.pread(file, HOLDER_MAX_BYTES, 0).decode(errors="replace").strip()
            os.close(file)
            return holder or "another process"
        except OSError as error:
            os.close(file)
            raise _broken(self._path, error) from error
        self._file = file
        return ""

    def is_held(self) -> bool:
        """Whether we hold it now: a lock on a file that was removed or replaced keeps nobody out."""
        if self._file is None:
            return False
        try:
            return os.path.samestat(os.fstat(self._file), os.stat(self._path))
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Give it up; the file stays, for a removed one could be locked twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _sign(self, file: int, owner: str) -> None:
        since = datetime.datetime.fromtimestamp(self._clock.now() // SECOND, datetime.UTC)
        os.ftruncate(file, 0)
        os.pwrite(file, f"{owner} (pid {os.getpid()}, since {since:%Y-%m-%d %H:%M:%S} UTC)\n".encode(), 0)


def _broken(path: Path, error: OSError) -> StoreBroken:
    return StoreBroken(f"lease {path}: {error.strerror}: see that its folder exists and that this user may write there")
