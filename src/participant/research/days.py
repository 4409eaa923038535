"""Which days a run on recorded days plays, why it passes over one, and before which one it ends."""

import datetime
from collections.abc import Callable, Sequence

from msgspec import Struct

from participant.core.rulebook import OutsideRules, Rulebook
from participant.history import catalogue, readers
from participant.history.pages import BadData
from participant.history.recorded import RecordedMarket
from participant.history.recordings import Recordings, days_settled, load_day
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
        self.recordings, self.underlyings, self.span = recordings, underlyings, span
        recorded = _recorded(recordings)
        self.chains = {(symbol, day) for symbol, day in recorded if span.holds(day)}
        self.recorded = {day for _, day in self.chains}
        if not self.recorded:
            places = ", ".join(map(str, [*(one.path for one in recordings.sources), *recordings.catalogues]))
            days = [day for _, day in recorded]
            reach = f", which hold days from {min(days)} to {max(days)}" if days else ""
            raise BadData(f"nothing is recorded from {span.first} to {span.last} in {places}{reach}")
        if lacking := sorted({*underlyings} - {symbol for symbol, _ in self.chains}):
            there = ", ".join(sorted({symbol for symbol, _ in self.chains}))
            raise BadData(
                f"nothing of {', '.join(lacking)} is recorded from {span.first} to {span.last}, but {there}: name one "
                "of these, or chains of what you asked for"
            )
        self.all = sorted(self.recorded | {day for day in days_settled(recordings) if span.holds(day)})

    def lacking(self, symbol: str, rules: Rulebook) -> list[datetime.date]:
        """The sessions of the span of which no row of an underlying is recorded."""
        days = (self.span.first + datetime.timedelta(n) for n in range((self.span.last - self.span.first).days + 1))
        return [day for day in days if (symbol, day) not in self.chains and _is_session(rules, day)]

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


def _recorded(recordings: Recordings) -> set[tuple[str, datetime.date]]:
    """Every symbol and day of which a row is recorded, whether it can be traded on or not."""
    found = {(symbol, day) for source in recordings.sources for day, symbol in readers.days_of(source)}
    for folder in recordings.catalogues:
        found |= {*catalogue.days(folder), *((one.symbol, one.day) for one in catalogue.imports(folder))}
    return found


def _is_session(rules: Rulebook, day: datetime.date) -> bool:
    """Whether the market is known to have been open; a day outside the rules is not."""
    try:
        return rules.session(day) is not None
    except OutsideRules:
        return False
