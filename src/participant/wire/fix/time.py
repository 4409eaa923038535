"""FIX's UTCTimestamp: milliseconds where they say it all, else nanoseconds."""

import datetime
import re
from functools import lru_cache

_UTC = datetime.UTC
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=_UTC)
_SHAPE = re.compile(r"(\d{8}-\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?")
_SECOND = 1_000_000_000
FIRST, END = (int(datetime.datetime(year, 1, 1, tzinfo=_UTC).timestamp()) * _SECOND for year in (1971, 2262))


@lru_cache(maxsize=1_024)
def timestamp(at: int) -> str:
    """A time (ns UTC) as FIX writes it: `20261229-04:00:00.000`."""
    seconds, rest = divmod(at, _SECOND)
    text = f"{_EPOCH + datetime.timedelta(seconds=seconds):%Y%m%d-%H:%M:%S}"
    return f"{text}.{rest:09d}" if rest % 1_000_000 else f"{text}.{rest // 1_000_000:03d}"


@lru_cache(maxsize=1_024)
def nanoseconds(text: str) -> int:
    """The time (ns UTC) that a UTCTimestamp says; ValueError where it is none."""
    found = _SHAPE.fullmatch(text, 0, 32)
    if found is None:
        raise ValueError(f"{text[:32]!r} is not a UTCTimestamp")
    moment = datetime.datetime.strptime(found[1], "%Y%m%d-%H:%M:%S").replace(tzinfo=_UTC)
    seconds = (moment - _EPOCH) // datetime.timedelta(seconds=1)
    return seconds * _SECOND + int((found[2] or "0").ljust(9, "0"))


def moment(text: str) -> int:
    """The time (ns UTC) that a UTCTimestamp of 1971 to 2261 says; ValueError where it is none."""
    at = nanoseconds(text)
    if not FIRST <= at < END:
        raise ValueError(f"{text[:32]!r} is not of 1971 to 2261")
    return at
