"""A day of what --data names, whatever it is: chains that were recorded, or what the feeds said."""

import datetime
from collections.abc import Sequence

from participant.core.rulebook import Rulebook
from participant.history import heard
from participant.history.heard_market import HeardMarket
from participant.history.pages import BadData
from participant.history.recorded import RecordedMarket
from participant.history.recordings import WATCHLIST, Recordings, load_day


def play_day(
    recordings: Recordings,
    day: datetime.date,
    rules: Rulebook,
    symbols: Sequence[str] | None = None,
    where: str = WATCHLIST,
) -> RecordedMarket | HeardMarket:
    """The day as it can be played, as `load_day` says. BadData where it was heard twice, or heard and recorded."""
    folders = [folder for folder in recordings.heard if day in heard.days(folder)]
    if not folders:
        return load_day(recordings, day, rules, symbols, where)
    if len(folders) > 1 or recordings.sources or recordings.catalogues:
        raise BadData(
            f"{folders[0] / str(day)} is what the feeds said on {day}: it is played alone, so leave out what else is "
            "in --data"
        )
    return HeardMarket(folders[0], day, symbols, recordings.official)
