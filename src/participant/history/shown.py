"""What a scrip showed before: pages that say nothing new or cannot be believed, and contracts that changed."""

import datetime

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.session import day_of
from participant.history.bounds import is_quoted
from participant.history.pages import ROUND_S, Page
from participant.history.recorded import INDICES

SPOT_MOVE_MAX_BP = 2_000  # beyond it the whole market would be halted
SPOT_OLD_DAYS = 7  # a spot that is older says nothing of today's
BASIS_POINTS = 10_000
SAME_CELLS_BP = 9_000  # so many equal cells under an equal spot are no new page
REPEATS, BACKWARDS = "repeats a page before", "time goes backwards"
TWICE, SPOT = "twice at one time", "spot out of line"
ADJUSTED = "contracts changed: a corporate action?"
STRIKE_GRID = 5_000  # every strike that the exchange makes by itself is a multiple of half a rupee
STRIKES_KEPT, STRIKES_MIN = 2, 6  # less than one in so many of the strikes before, where there were at least so many


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
    adjusted: set[datetime.date] = set()

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


class Before:
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
        # It explains a spot that lies far from the last close, so that it is said in its place.
        reason = _adjusted(page, seen) or reason
        reason = reason or (REPEATS if is_repeated else "")
        reason = reason or (TWICE if page.at == last_at else _spot_fault(page, seen))
        if page.at >= last_at:
            seen.pages[page.expiry] = page
        if reason:
            seen.apart[page.expiry] = page
        return reason

    def accept(self, page: Page) -> tuple[int, list[int]]:
        """Remember a page that is traded on: its spot, its contracts, and when its round began.

        Returns how many contracts are new today, and the wait (s) since the last round where a round began.
        """
        seen, day = self._seen[page.symbol], day_of(page.at)
        seen.believed, seen.doubted = (day, page.spot), None
        held, waits = len(seen.contracts), list[int]()
        seen.contracts.update((page.expiry, cell.strike, cell.kind) for cell in page.cells)
        if page.expiry in seen.in_round or page.at - seen.round_at > ROUND_S * SECOND:
            if seen.round_at:
                waits.append((page.at - seen.round_at) // SECOND)
            seen.round_at, seen.in_round = page.at, set()
        seen.in_round.add(page.expiry)
        return len(seen.contracts) - held, waits


def _is_same(page: Page, before: Page) -> bool:
    if page.spot != before.spot:
        return False
    quoted = {cell for cell in page.cells if is_quoted(cell)}
    return len(quoted & set(before.cells)) * BASIS_POINTS >= SAME_CELLS_BP * len(quoted)


def _adjusted(page: Page, seen: _Seen) -> str:
    """Whether a stock's contracts were changed over night: until they end they are others under the old names.

    The exchange lists a strike until it expires. One vanishes, or lies off the grid, only where a split, a bonus issue
    or the like has changed it, and the lot with it.
    """
    if page.symbol in INDICES:
        return ""
    before, strikes = seen.pages.get(page.expiry), {cell.strike for cell in page.cells}
    if any(strike % STRIKE_GRID for strike in strikes):
        seen.adjusted.add(page.expiry)
    elif before is not None and day_of(before.at) < day_of(page.at):
        earlier = {cell.strike for cell in before.cells}
        if len(earlier) >= STRIKES_MIN and len(earlier & strikes) * STRIKES_KEPT < len(earlier):
            seen.adjusted.add(page.expiry)
    return ADJUSTED if page.expiry in seen.adjusted else ""


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
