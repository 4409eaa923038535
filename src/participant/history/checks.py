"""What of recorded pages may be traded on: the rest is counted, kept apart with its reason, and never traded on.

A page is judged by the calendar, by its units (`units.py`), and by what was shown before; quotes in `bounds.py`.
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
from participant.history.recorded import ROUND_S
from participant.history.units import Scale, cannot_be

SPOT_MOVE_MAX_BP = 2_000  # beyond it the whole market would be halted
SPOT_OLD_DAYS = 7  # a spot that is older says nothing of today's
BASIS_POINTS = 10_000
SAME_CELLS_BP = 9_000  # so many equal cells under an equal spot are no new page
GAP_MEDIANS = 2

OUTSIDE, HOLIDAY, WEEKEND = "outside the rulebook", "holiday polled", "weekend polled"
EARLY, LATE = "before the open", "after the close"
NO_SPOT, NO_QUOTES = "no spot", "no quotes"
MOVES_EARLY = "moves before the open: wrong time zone?"
# Before the pre-open session the index stands: three values from before it are of another hour.
STILL_S, STILL_SPOTS_MAX = 900, 2
EXPIRY = "wrong expiry"
REPEATS, BACKWARDS = "repeats a page before", "time goes backwards"
TWICE, SPOT = "twice at one time", "spot out of line"


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
    calendar, scale, before = _Calendar(rules), Scale(rules, official), _Before()
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
        before.accept(good, of)
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


class _Seen(Struct):
    """What a scrip showed: the newest page of each expiry and the newest kept apart; two days in short; its spot.

    `doubted` is a spot out of line and when it was seen first; `contracts` and the round are those of `today`.
    """

    pages: dict[datetime.date, Page] = {}
    apart: dict[datetime.date, Page] = {}
    contents: set[int] = set()
    older: set[int] = set()
    believed: tuple[datetime.date, int] | None = None
    doubted: tuple[datetime.date, int] | None = None
    today: datetime.date = datetime.date.min
    contracts: set[tuple[datetime.date, int, str]] = set()
    round_at: int = 0
    in_round: set[datetime.date] = set()

    def turn(self, day: datetime.date) -> None:
        """A new day forgets the contracts of the last, what was shown the session before that, and what is over."""
        if self.contracts:  # a day of which nothing was accepted pushes no session out
            self.contents, self.older = set(), self.contents
        old = day - datetime.timedelta(days=SPOT_OLD_DAYS)
        for pages in (self.pages, self.apart):
            for expiry in [expiry for expiry in pages if expiry < old]:
                del pages[expiry]
        self.today, self.contracts, self.round_at, self.in_round = day, set(), 0, set()

    def is_repeated(self, page: Page) -> bool:
        """Whether this very page was shown before, under whatever expiry; or nearly, the spot standing still.

        An inferred expiry may have moved on while the page stood still; and a source with several caches goes to and
        fro between what is new and the session before, a little cut or not.
        """
        content = hash((page.spot, page.cells))
        is_known = content in self.contents or content in self.older
        self.contents.add(content)
        shown = (pages.get(page.expiry) for pages in (self.pages, self.apart))
        return is_known or any(_is_same(page, before) for before in shown if before is not None)


class _Before:
    """What was shown before; bounded by the pages of two days and the expiries that are alive."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def misfit(self, page: Page, reason: str) -> str:
        """Why a page says nothing new, or nothing that can be believed; or nothing. `reason` is what is known so far.

        What was kept apart is remembered too: Monday's first page may repeat what was polled after Friday's close.
        """
        seen = self._seen.setdefault(page.symbol, _Seen())
        if day_of(page.at) > seen.today:
            seen.turn(day_of(page.at))
        last_at = seen.pages[page.expiry].at if page.expiry in seen.pages else 0
        reason = reason or (BACKWARDS if page.at < last_at else "")
        is_repeated = seen.is_repeated(page)
        reason = reason or (REPEATS if is_repeated else "")
        reason = reason or (TWICE if page.at == last_at else _spot_fault(page, seen))
        if page.at >= last_at:
            seen.pages[page.expiry] = page
        if reason:
            seen.apart[page.expiry] = page
        return reason

    def accept(self, page: Page, of: DayFound) -> None:
        """Remember a page that is traded on: its spot, its contracts, and when its round began."""
        seen, day = self._seen[page.symbol], day_of(page.at)
        seen.believed, seen.doubted = (day, page.spot), None
        held = len(seen.contracts)
        seen.contracts.update((page.expiry, cell.strike, cell.kind) for cell in page.cells)
        of.contracts += len(seen.contracts) - held
        if page.expiry in seen.in_round or page.at - seen.round_at > ROUND_S * SECOND:
            if seen.round_at:
                of.waits_s.append((page.at - seen.round_at) // SECOND)
            seen.round_at, seen.in_round = page.at, set()
        seen.in_round.add(page.expiry)


def _is_same(page: Page, before: Page) -> bool:
    if page.spot != before.spot:
        return False
    quoted = {cell for cell in page.cells if is_quoted(cell)}
    return len(quoted & set(before.cells)) * BASIS_POINTS >= SAME_CELLS_BP * len(quoted)


def _spot_fault(page: Page, seen: _Seen) -> str:
    """A spot far from the last: believed only when a later day shows it still (a stock that was split)."""
    day = day_of(page.at)
    if seen.believed is None or _is_near(page.spot, seen.believed[1]) or page.spot <= 0:
        return ""
    if (day - seen.believed[0]).days > SPOT_OLD_DAYS:
        return ""
    if seen.doubted is None or not _is_near(page.spot, seen.doubted[1]):
        seen.doubted = (day, page.spot)
    return SPOT if seen.doubted[0] == day else ""


def _is_near(spot: int, other: int) -> bool:
    return abs(spot - other) * BASIS_POINTS <= SPOT_MOVE_MAX_BP * other
