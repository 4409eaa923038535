"""What of recorded pages may be traded on: the rest is counted, kept apart with its reason, and never traded on.

A page is judged by the calendar, by its units (`units.py`), and by what was shown before (`shown.py`); quotes in
`bounds.py`.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator
from statistics import median

from msgspec import Struct
from msgspec.structs import replace

from participant.core.market import SECOND
from participant.core.rulebook import OutsideRules, Rulebook, Session
from participant.core.session import day_of
from participant.history.bounds import Emptied, is_quoted, keep_honest
from participant.history.official import NOTHING, Official
from participant.history.pages import Doubted, Page
from participant.history.shown import Before
from participant.history.units import Scale, cannot_be

GAP_MEDIANS = 2

OUTSIDE, HOLIDAY, WEEKEND = "outside the rulebook", "holiday polled", "weekend polled"
EARLY, LATE = "before the open", "after the close"
NO_SPOT, NO_QUOTES = "no spot", "no quotes"
MOVES_EARLY = "moves before the open: wrong time zone?"
# Before the pre-open session the index stands: three values from before it are of another hour.
STILL_S, STILL_SPOTS_MAX = 900, 2
EXPIRY = "wrong expiry"


class DayFound(Struct):
    """What was found of one scrip on one day in one source: pages and rows accepted, the rest by reason.

    A quote is what a page says of one contract, on one side or both; those of pages kept apart are in no count.
    """

    source: str = ""
    pages: int = 0
    rows: int = 0
    contracts: int = 0
    quotes: int = 0
    bad_pages: dict[str, int] = {}
    bad_rows: dict[str, int] = {}
    bad_quotes: dict[str, int] = {}
    waits_s: list[int] = []
    gaps_s: list[float] = []

    @property
    def accepted_rows(self) -> int:
        """Rows of the pages that were accepted."""
        return self.rows - sum(self.bad_rows.values())


class Findings(Struct):
    """All that was found, by symbol and day.

    `sink` is given what is kept apart, and why: a page as it was, or of an accepted page the cells (with no rows of
    their own) whose quotes were taken away. Gaps are known at the end.
    """

    days: dict[tuple[str, datetime.date], DayFound] = {}
    sink: Callable[[Page, str], None] | None = None

    def of(self, page: Page) -> DayFound:
        """Where this page's findings go."""
        found = self.days.setdefault((page.symbol, day_of(page.at)), DayFound())
        found.source = found.source or page.source
        return found

    def find_gaps(self) -> None:
        """Waits between rounds of accepted pages of a day that are over GAP_MEDIANS times the scrip's median."""
        for symbol in {symbol for symbol, _ in self.days}:
            days = [found for (name, _), found in self.days.items() if name == symbol]
            waits = [wait for found in days for wait in found.waits_s]
            limit = GAP_MEDIANS * median(waits) if waits else 0
            for found in days:
                found.gaps_s = [float(wait) for wait in found.waits_s if wait > limit]

    def keep_apart(self, page: Page, reason: str) -> None:
        """Hand what may not be traded on to the sink."""
        if self.sink is not None:
            self.sink(page, reason)


def screen(pages: Iterable[Page], rules: Rulebook, found: Findings, official: Official = NOTHING) -> Iterator[Page]:
    """The pages that may be traded on, bad quotes emptied. Pages must come in the order of time."""
    calendar, scale, before = _Calendar(rules), Scale(rules, official), Before()
    for page in pages:
        of = found.of(page)
        of.rows += page.rows
        reason = before.misfit(page, calendar.misfit(page) or scale.misfit(page))
        cells, emptied = keep_honest(page) if not reason else ((), [])
        reason = reason or cannot_be(sum(map(is_quoted, page.cells)), emptied)
        if reason:
            of.bad_pages[reason] = of.bad_pages.get(reason, 0) + 1
            of.bad_rows[reason] = of.bad_rows.get(reason, 0) + page.rows
            found.keep_apart(page, reason)
            continue
        _count(page, emptied, found)
        good = replace(page, cells=cells)
        of.pages += 1
        of.quotes += sum(map(is_quoted, cells))
        contracts, waits_s = before.accept(good)
        of.contracts += contracts
        of.waits_s += waits_s
        yield good
    found.find_gaps()


def _count(page: Page, emptied: Iterable[Emptied], found: Findings) -> None:
    bad = found.of(page).bad_quotes
    for one in emptied:
        bad[one.reason] = bad.get(one.reason, 0) + 1
        found.keep_apart(replace(page, cells=(one.cell,), rows=0), one.reason)


class _Calendar:
    """Whether a page can be of an open market; keeps one day's rules."""

    def __init__(self, rules: Rulebook) -> None:
        self._rules = rules
        self._day = datetime.date.min
        self._session: Session | None = None
        self._is_known = False
        self._is_expiry: dict[tuple[str, datetime.date], bool] = {}
        self._early: dict[str, set[int]] = {}

    def misfit(self, page: Page) -> str:
        """Why it cannot, or nothing."""
        self._turn(day_of(page.at))
        if not self._is_known:
            return OUTSIDE
        if self._session is None:
            return WEEKEND if self._day.isoweekday() > 5 else HOLIDAY
        if self._moves_early(page, self._session.open_at):
            return MOVES_EARLY
        if page.at < self._session.open_at:
            return EARLY
        if page.at > self._session.close_at:
            return LATE
        return _nothing_said(page) or self._wrong_expiry(page)

    def _moves_early(self, page: Page, open_at: int) -> bool:
        """Whether the scrip's spot moved while the market was shut, today and so far."""
        early = self._early.setdefault(page.symbol, set())
        if page.at < open_at - STILL_S * SECOND and page.spot > 0:
            early.add(page.spot)
        return len(early) > STILL_SPOTS_MAX

    def _turn(self, day: datetime.date) -> None:
        if day == self._day:
            return
        self._day, self._session, self._is_known = day, None, True
        self._is_expiry.clear()
        self._early.clear()
        try:
            self._session = self._rules.session(day)
        except OutsideRules:
            self._is_known = False

    def _wrong_expiry(self, page: Page) -> str:
        """Whether it is over, or no contract of the scrip can end on that day."""
        closes_at = self._session.expiring_close_at if self._session is not None else 0
        if page.expiry < self._day or (page.expiry == self._day and page.at > closes_at):
            return EXPIRY
        name = (page.symbol, page.expiry)
        if name not in self._is_expiry:
            self._is_expiry[name] = self._can_end(*name)
        return "" if self._is_expiry[name] else EXPIRY

    def _can_end(self, symbol: str, expiry: datetime.date) -> bool:
        """Whether contracts may end on that day.

        Next year's holidays are not published yet, so what ends in it may still be moved.
        """
        if expiry.year > self._day.year:
            return True
        try:
            return self._rules.is_expiry(symbol, expiry)
        except OutsideRules:
            return True  # a stock whose listing nobody wrote down


def _nothing_said(page: Page) -> str:
    """Whether a page says two things at once, or nothing."""
    if isinstance(page, Doubted):
        return page.doubt
    if page.spot <= 0:
        return NO_SPOT
    return "" if any(map(is_quoted, page.cells)) else NO_QUOTES
