"""What recorded sets hold, day by day: accepted or why not, and how far derived futures lie from official closes."""

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct

from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.scrip import Kind
from participant.core.session import day_of
from participant.history import readers
from participant.history.checks import DayFound, Findings, screen
from participant.history.derived import Round, Terms, derive, error_bp
from participant.history.official import Official
from participant.history.pages import Page, Tally
from participant.history.readers import LotOf, Source

Days = tuple[datetime.date, datetime.date]


class DaySurvey(Struct, frozen=True):
    """One scrip's day: counts of rows and quotes, why some are kept apart, the front future's error, and whether spots
    were held against an official close.
    """

    symbol: str
    day: datetime.date
    pages: int
    rows: int
    accepted_rows: int
    contracts: int
    quotes: int
    bad_rows: dict[str, int]
    bad_quotes: dict[str, int]
    gaps: int
    longest_gap_s: float
    error_bp: float | None = None
    how: str = ""
    is_checked: bool = False


class SourceSurvey(Struct, frozen=True):
    """One source: its rows within the days asked for, those that became no page, and its days."""

    source: str
    rows: int
    left_out: dict[str, int]
    days: tuple[DaySurvey, ...]


def lots_of(rules: Rulebook) -> LotOf:
    """The lot by the rulebook, None where it knows none."""

    def lot_of(symbol: str, expiry: datetime.date) -> int | None:
        try:
            return rules.lot(symbol, expiry)
        except OutsideRules:
            return None

    return lot_of


class Surveyor:
    """Goes through sources; `keep` is given what is accepted, `apart` what is not, and why."""

    def __init__(self, official: Official, rules: Rulebook) -> None:
        self._official, self._rules = official, rules
        self.keep: Callable[[Page], None] | None = None
        self.apart: Callable[[Page, str], None] | None = None

    def survey(self, source: Source, days: Days | None) -> SourceSurvey:
        """Read and screen one source. Raises BadData where it cannot be read."""
        tally, found = Tally(), Findings(sink=self.apart)
        newest: dict[tuple[str, datetime.date], dict[datetime.date, Page]] = {}
        pages = readers.read(source, days, lots_of(self._rules), tally)
        for page in screen(pages, self._rules, found, self._official):
            newest.setdefault((page.symbol, day_of(page.at)), {})[page.expiry] = page
            if self.keep is not None:
                self.keep(page)
        surveyed = [self._day(name, of, newest.get(name, {})) for name, of in sorted(found.days.items())]
        return SourceSurvey(str(source.path), tally.rows, tally.left_out, tuple(surveyed))

    def _day(self, name: tuple[str, datetime.date], of: DayFound, newest: dict[datetime.date, Page]) -> DaySurvey:
        gaps, (error, how) = of.gaps_s, self.error(*name, newest)
        counted = (of.pages, of.rows, of.accepted_rows, of.contracts, of.quotes)
        longest = max(gaps, default=0.0)
        is_checked = bool(self._official.closes_before(*name, 1))
        return DaySurvey(*name, *counted, of.bad_rows, of.bad_quotes, len(gaps), longest, error, how, is_checked)

    def error(self, symbol: str, day: datetime.date, newest: dict[datetime.date, Page]) -> tuple[float | None, str]:
        """The error (basis points) of the nearest listed future as derived from a day's last pages, and from what."""
        official = self._official.futures(symbol, day)
        listed = [expiry for expiry in self._official.listed(symbol, day) if expiry in official][:1]
        if not listed or not newest:
            return None, ""
        last = max(newest.values(), key=lambda page: page.at)
        terms = Terms(self._rules.tick(symbol, Kind.FUTURE, last.spot, day), self._rules.expiry_at)
        seen = Round(symbol, last.at, last.spot, tuple(newest.values()))
        for future in derive(listed, seen, self._official, terms):
            return error_bp(future.bid, future.ask, official[future.expiry]), future.how
        return None, ""


def by_set(surveys: list[SourceSurvey]) -> Iterator[tuple[str, str, list[DaySurvey]]]:
    """The days put together by folder and symbol."""
    found: dict[tuple[str, str], list[DaySurvey]] = {}
    for survey in surveys:
        path = Path(survey.source)
        name = path.name if path.is_dir() else f"{path.parent.name}/{path.name}"
        for day in survey.days:
            found.setdefault((name, day.symbol), []).append(day)
    for (name, symbol), days in found.items():
        yield name, symbol, days
