"""The versions of the watchlist in the books: put down once and never changed, taken by each day that begins.

`watchlist` holds the versions by number, `watched` which one each day began with. Both kinds of commit move one row,
so that no version can begin on a day that has just taken another.
"""

import datetime

from msgspec import Struct

from participant.core.ids import digest
from participant.core.messages import Write
from participant.core.scrip import Scrip
from participant.core.watchlist import FIRST, Version, in_force
from participant.ports import Store
from participant.wire.json import decode, encode

VERSIONS, WATCHED, HEAD = "watchlist", "watched", "watchlist_head"


class Head(Struct, frozen=True):
    """How many versions there are, and the newest day that has taken one."""

    versions: int = 0
    day: datetime.date | None = None


def versions(books: Store) -> list[Version]:
    """Every version, oldest first. Raises Malformed for one that cannot be read."""
    return sorted((decode(row.value, Version) for row in books.rows(VERSIONS)), key=lambda v: v.number)


def first(rows: tuple[Scrip, ...], by: str, at: int) -> Version:
    """The configuration's rows as the first version."""
    return Version(1, None, at, by, "the first version", FIRST, digest(rows), rows)


def newest_day(books: Store) -> datetime.date | None:
    """The newest day that has begun here or has taken a version."""
    days = [datetime.date.fromisoformat(row.key) for table in ("starts", WATCHED) for row in books.rows(table)]
    return max(days, default=None)


def version_of(books: Store, day: datetime.date, own: Version) -> Version:
    """What a day begins or has begun with; `own` where no version has been put down yet."""
    row, known = books.get(WATCHED, str(day)), versions(books)
    if row is not None:
        number = decode(row.value, int)
        return next(version for version in known if version.number == number)
    return in_force(known, day) or own


def add(books: Store, known: list[Version], version: Version) -> bool:
    """Put a version down after the ones that are known; False where another was first, or a day has begun with one."""
    head, at = _head(books)
    if head.versions != len(known) or (head.day and version.since and version.since <= head.day):
        return False
    return books.commit([_put(version), _moved(Head(version.number, head.day), at)])


def take(books: Store, day: datetime.date, version: Version) -> bool:
    """Put down which version a day begins with, once; False where it is no longer the one that rules the day."""
    if books.get(WATCHED, str(day)) is not None:
        return True
    (head, at), known = _head(books), versions(books)
    writes = [Write(WATCHED, str(day), encode(version.number), expect=0)]
    if not known:
        writes.append(_put(version))
    elif in_force(known, day) != version:
        return False
    newest = max(filter(None, (head.day, day)))
    return books.commit([*writes, _moved(Head(max(head.versions, version.number), newest), at)])


def _put(version: Version) -> Write:
    return Write(VERSIONS, f"{version.number:06}", encode(version), expect=0)


def _head(books: Store) -> tuple[Head, int]:
    row = books.get(HEAD, HEAD)
    return (decode(row.value, Head), row.version) if row else (Head(), 0)


def _moved(head: Head, at: int) -> Write:
    return Write(HEAD, HEAD, encode(head), expect=at)
