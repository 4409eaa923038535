"""Whether a page is in the units that it should be in: its sizes, its spot, its strikes and its prices.

A page in paise, or with sizes in lots, is well formed: only what it should be near tells. Each limit here was held
against every page of the recorded sets; docs/catalogue.md says how far from it the worst of them lies.
"""

import datetime
from collections.abc import Sequence
from functools import lru_cache
from math import sqrt
from statistics import median

from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.session import day_of
from participant.history.bounds import BESIDE, CONVEX, CROSSED, LOCKED, OFF_TICK, TOO_CHEAP, TOO_DEAR, Emptied
from participant.history.official import Official
from participant.history.pages import Page

BASIS_POINTS = 10_000
LOT_KNOWN_DAYS = 100  # further ahead a lot may still be revised before its contracts expire
NO_LOTS, TOO_DEEP = "sizes are no whole lots: wrong units?", "sizes are lots of lots: wrong units?"
MIXED = "some sizes are lots of lots: mixed units?"
ODD_SIZES_MAX, SIZES_MIN = 0.10, 20
# By chance one size in `lot` is a lot of lots. On real pages no more than 2.2 % are where a lot has 40 units or more.
# In BANKNIFTY's lots of 20 up to 61 % are, as 20 lots is a round number: but then not far larger than the rest.
DEEP_MAX, DEEP_SMALL_MAX, LOT_SMALL, DEEP_RATIO = 0.10, 0.40, 30, 6
UNCHECKED = "unchecked against an official close"
FAR_SPOT = "far from the last official close: wrong units?"
# The market is shut for the day at 20 % (NSE's market-wide breaker): no day can show more. A quiet market moves less:
# nine of the days' moves that India VIX says, at least 12 %. The largest close-to-close move of 2012-19 was 6.4 of them
# (BANKNIFTY, 24 August 2015), or 9.5 % (5 September 2013). On 13 March 2020 India VIX stood at 41, so that all of 20 %
# are allowed, and NIFTY fell by 10.8 % at most; on 4 June 2024 at 21: 12 %, and BANKNIFTY fell by 9.6 %.
DAY_MOVES, MOVE_LEAST_BP, MOVE_MOST_BP = 9, 1_200, 2_000
SESSIONS_A_YEAR = 252
NO_BRACKET, BRACKET_BP = "spot outside its strikes: wrong units?", 1_000  # on real pages up to 840 (a page cut off)
CANNOT_BE = "more than a quarter of its quotes cannot be: wrong units?"
EMPTIED_SHARE, EMPTIED_MIN = 4, 5  # of the quotes; on real pages no more than 19 % cannot be
BY_PRICE = frozenset((BESIDE, CONVEX, CROSSED, LOCKED, OFF_TICK, TOO_CHEAP, TOO_DEAR))


class Scale:
    """What pages are held against: the lots of the rulebook and the official closes before their day."""

    def __init__(self, rules: Rulebook, official: Official) -> None:
        self._rules, self._official = rules, official
        self._bounds = lru_cache(maxsize=1_024)(self._spots)

    def misfit(self, page: Page) -> str:
        """Why a page cannot be in the units that it should be in, or nothing."""
        return self.far_spot(page) or _no_bracket(page) or self._odd_sizes(page)

    def far_spot(self, page: Page) -> str:
        """Whether the spot lies further from the last official close than a day can move it, if one is known."""
        bounds = self._bounds(page.symbol, day_of(page.at))
        return FAR_SPOT if bounds is not None and not bounds[0] <= page.spot <= bounds[1] else ""

    def _spots(self, symbol: str, day: datetime.date) -> tuple[int, int] | None:
        close = self._official.closes_before(symbol, day, 1)
        if not close:
            return None
        reach = close[0] * move_max_bp(self._official, day) // BASIS_POINTS
        return close[0] - reach, close[0] + reach

    def _odd_sizes(self, page: Page) -> str:
        """Whether sizes are no whole lots, or too many whole lots of lots; a model's sizes prove nothing."""
        day = day_of(page.at)
        if page.is_modelled or (page.expiry - day).days > LOT_KNOWN_DAYS:
            return ""
        try:
            lot = self._rules.lot(page.symbol, page.expiry, day)
        except OutsideRules:
            return ""
        sizes = [size for cell in page.cells for size in (cell.bid_size, cell.ask_size) if size > 0]
        if sum(size % lot != 0 for size in sizes) > ODD_SIZES_MAX * len(sizes):
            return NO_LOTS
        return _lots_of_lots(sizes, lot) if lot > 1 and len(sizes) >= SIZES_MIN else ""


def move_max_bp(official: Official, day: datetime.date) -> int:
    """How far from the last official close a spot of the day may lie, by what is known before it."""
    known = official.volatility_before(day, 1)
    if not known:
        return MOVE_MOST_BP
    moves = DAY_MOVES * known[0][1] / sqrt(SESSIONS_A_YEAR)
    return min(MOVE_MOST_BP, max(MOVE_LEAST_BP, round(moves * BASIS_POINTS)))


def cannot_be(quotes: int, emptied: Sequence[Emptied]) -> str:
    """Whether too many of a page's quotes are wrong by their price for the rest to be believed."""
    wrong = sum(one.reason in BY_PRICE for one in emptied)
    return CANNOT_BE if wrong >= EMPTIED_MIN and wrong * EMPTIED_SHARE > quotes else ""


def _no_bracket(page: Page) -> str:
    """Whether the spot lies well outside of all strikes."""
    strikes = [cell.strike for cell in page.cells if cell.strike > 0]
    reach = page.spot * BRACKET_BP // BASIS_POINTS
    return NO_BRACKET if strikes and not min(strikes) - reach <= page.spot <= max(strikes) + reach else ""


def _lots_of_lots(sizes: Sequence[int], lot: int) -> str:
    """Units that are taken for lots are multiplied once too often: whole lots of lots, of all sizes or of some."""
    deep, plain = [z for z in sizes if z % (lot * lot) == 0], [z for z in sizes if z % (lot * lot)]
    if len(deep) >= (1 - ODD_SIZES_MAX) * len(sizes):
        return TOO_DEEP
    if len(deep) <= (DEEP_MAX if lot > LOT_SMALL else DEEP_SMALL_MAX) * len(sizes):
        return ""
    return MIXED if lot > LOT_SMALL or median(deep) > DEEP_RATIO * median(plain) else ""
