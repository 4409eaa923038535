"""Which days a run on recorded days plays, why it passes over one, and before which one it ends."""

import datetime
from collections.abc import Callable, Sequence

from msgspec import Struct

from participant.core.rulebook import OutsideRules, Rulebook
from participant.history.pages import BadData
from participant.history.recorded import RecordedMarket
from participant.history.recordings import Recordings, days_in, days_settled, load_day
from participant.research.engine import InlineDesk

Load = Callable[[Recordings, datetime.date, Rulebook, Sequence[str]], RecordedMarket]


def load_played(
    recordings: Recordings, day: datetime.date, rules: Rulebook, underlyings: Sequence[str]
) -> RecordedMarket:
    """A day as a backtest plays it."""
    return load_day(recordings, day, rules, underlyings, "in this run")


class Span(Struct, frozen=True):
    """The first and the last day of a run."""

    first: datetime.date
    last: datetime.date

    def holds(self, day: datetime.date) -> bool:
        """Whether a day lies in it."""
        return self.first <= day <= self.last


class Ahead(Struct, frozen=True):
    """A day to come: its market, or none and why it is not played; `ends` says that the run ends before it."""

    market: RecordedMarket | None = None
    why: str = ""
    ends: bool = False


class Days:
    """The days of a span: those recorded, and those of official prices alone, which are played while anything is held.

    Raises BadData where nothing of the span is recorded.
    """

    def __init__(self, recordings: Recordings, underlyings: Sequence[str], span: Span) -> None:
        if recordings.heard:
            raise BadData(
                f"{recordings.heard[0]} holds what feeds said, not chains: `participant trade --data` plays it"
            )
        self.recordings, self.underlyings = recordings, underlyings
        self.recorded = {day for day in days_in(recordings) if span.holds(day)}
        if not self.recorded:
            where = ", ".join(str(one.path) for one in recordings.sources) or ", ".join(map(str, recordings.catalogues))
            raise BadData(f"nothing is recorded from {span.first} to {span.last} in {where}")
        self.all = sorted(self.recorded | {day for day in days_settled(recordings) if span.holds(day)})

    def look(self, desk: InlineDesk, day: datetime.date, load: Load = load_played) -> Ahead:
        """What a desk has before it on a day; `load` reads it otherwise than a backtest does."""
        if day not in self.recorded and not any(position.holdings for position in desk.positions()):
            return Ahead()
        try:
            if desk.rules.session(day) is None:
                return Ahead()
            market = load(self.recordings, day, desk.rules, self.underlyings)
        except (BadData, OutsideRules) as why:
            return Ahead(why=str(why))
        if stranded := desk.stranded(market):
            return Ahead(why=f"{', '.join(stranded)} cannot be settled at an official price", ends=True)
        if changed := [h.contract.key for p in desk.positions() if p.scrip in market.adjusted for h in p.holdings]:
            return Ahead(why=f"a corporate action has changed {', '.join(changed)}: into what is not known", ends=True)
        if odd := desk.odd_lots(market):
            return Ahead(why=f"the lot has changed and nothing can close {', '.join(odd)}", ends=True)
        return Ahead(market)
