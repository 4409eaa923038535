"""A small file that is there whole or not at all, whatever dies in between."""

import os
from pathlib import Path

from participant.links.growing import sync_folder


def write_whole(file: Path, body: bytes) -> None:
    """Put `body` in the place of `file`, on the disk, or leave what was there. Raises OSError."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with beside.open("wb") as out:
            out.write(body)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync_folder(file.parent)
