"""The logged days of a home, and what is said where the files of one are not whole."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from participant.adapters.archives.jsonl import JsonlArchive
from participant.commands.errors import Refused
from participant.links.parts import PartMissing


def days_logged(home: Path, span: tuple[datetime.date, datetime.date]) -> list[str]:
    """The days of a span of which the home's log has a whole line, in order."""
    folder = home / "decisions"
    names = sorted(file.name.partition(".")[0] for file in folder.glob("????-??-??.jsonl"))
    archive = JsonlArchive(folder)
    return [name for name in names if str(span[0]) <= name <= str(span[1]) and archive.count(name)]


@contextmanager
def parts_told(home: Path, day: str, command: str) -> Iterator[None]:
    """A part that is missing, as what to restore. Raises Refused."""
    try:
        yield
    except PartMissing as missing:
        files = f"{home}/decisions/{day}"
        told = f"{files}.jsonl, {missing} is not in {files}.parts.jsonl.gz"
        raise Refused(f"{command}: {told}; restore that file from a copy") from None
