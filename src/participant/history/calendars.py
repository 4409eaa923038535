"""The sessions of a maintained calendar library, as days with their opens and closes: the extra `calendars`."""

import datetime

from msgspec import Struct

NAME = "XNSE"
MISSING = "it is not installed, so no calendar was compared: say `pip install 'participant[calendars]'`"


class NoCalendar(Exception):
    """The library is not there: how to have it."""


class Known(Struct, frozen=True):
    """What the library says of the exchange: its version, and each session's open and close (ns UTC)."""

    version: str
    sessions: dict[datetime.date, tuple[int, int]]


def sessions(first: datetime.date, last: datetime.date) -> Known:
    """Its sessions of the National Stock Exchange of India from day to day; raises NoCalendar."""
    try:
        import pandas_market_calendars as library
    except ImportError:
        raise NoCalendar(f"pandas_market_calendars: {MISSING}") from None
    table = library.get_calendar(NAME).schedule(first.isoformat(), last.isoformat())
    opens = (stamp.value for stamp in table["market_open"].dt.as_unit("ns"))
    closes = (stamp.value for stamp in table["market_close"].dt.as_unit("ns"))
    days = (stamp.date() for stamp in table.index)
    found = {day: (int(opened), int(shut)) for day, opened, shut in zip(days, opens, closes, strict=True)}
    return Known(library.__version__, found)
