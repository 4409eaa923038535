"""How good recorded days are, scrip by scrip and day by day, in figures that a person can compare.

Only pages that may be traded on are measured; of the others the reasons are counted (`checks.py`). Near is within
NEAR_BP of spot. A parity residual is how far the forward that one strike says (K + call - put, middles) lies from the
median of its page, in basis points of spot; only strikes within PARITY_BP of spot that are quoted on four sides say
one, and of all residuals of a day nine in ten are no larger than what is told. A volatility is out of line if it lies
further from the median of the two strikes on either side than both IV_POINTS and IV_SHARE of it. A quote stands still
while bid, ask and sizes are the same from page to page.
"""

import datetime
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from math import isfinite
from statistics import median

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.pricing import implied_volatility
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.scrip import Kind
from participant.core.session import DAY_S, day_of, usual_close
from participant.history.bounds import is_quoted
from participant.history.checks import HOLIDAY, WEEKEND
from participant.history.derived import is_quoted as is_two_sided
from participant.history.official import Official
from participant.history.pages import ROUND_S, Cell, Page

NEAR_BP, PARITY_BP, BASIS_POINTS = 300, 100, 10_000
IV_POINTS, IV_SHARE, IV_BESIDE = 0.02, 0.15, 2
GAP_TIMES = 2  # a wait of more than so many of the day's median wait is a gap


class Quality(Struct, frozen=True):
    """One scrip's day. Spreads are shares of the middle, residuals basis points of spot, waits and stillness seconds.

    What could not be measured is None. `unpriced` are futures listed without an official price that evening.
    """

    symbol: str
    day: datetime.date
    pages: int = 0
    modelled_pages: int = 0
    quotes: int = 0
    one_sided: int = 0
    spread: float | None = None
    residual_bp: float | None = None
    volatilities: int = 0
    volatilities_out: int = 0
    still: int = 0
    compared: int = 0
    still_longest_s: int = 0
    gaps: int = 0
    wait_longest_s: int = 0
    has_close: bool = False
    unpriced: int = 0
    rows: int = 0
    bad_rows: dict[str, int] = {}
    bad_quotes: dict[str, int] = {}
    future_error_bp: float | None = None
    future_how: str = ""

    @property
    def rows_apart(self) -> int:
        """Rows of pages that are kept apart."""
        return sum(self.bad_rows.values())

    @property
    def is_shut(self) -> bool:
        """Whether it is a day without a session on which a collector asked all the same."""
        return not self.pages and bool(self.bad_rows) and self.bad_rows.keys() <= {HOLIDAY, WEEKEND}

    @property
    def crossed(self) -> int:
        """Quotes that were emptied as crossed or locked."""
        return self.bad_quotes.get("crossed", 0) + self.bad_quotes.get("locked", 0)


class Measuring:
    """Sees a set's accepted pages in the order of time; a scrip's day is measured as its next one begins."""

    def __init__(self, official: Official) -> None:
        self._official = official
        self._open: dict[str, _Day] = {}
        self._closed: dict[tuple[str, datetime.date], Quality] = {}

    def see(self, page: Page) -> None:
        """One more page."""
        day = day_of(page.at)
        if page.symbol not in self._open or self._open[page.symbol].day != day:
            self._close(page.symbol)
            self._open[page.symbol] = _Day(page.symbol, day)
        self._open[page.symbol].see(page)

    def measured(self, symbol: str, day: datetime.date) -> Quality:
        """What was seen of a scrip's day; nothing but official prices where nothing was."""
        for name in list(self._open):
            self._close(name)
        return self._closed.get((symbol, day)) or _Day(symbol, day).quality(self._official)

    def _close(self, symbol: str) -> None:
        of = self._open.pop(symbol, None)
        if of is not None:
            self._closed[symbol, of.day] = of.quality(self._official)


class _Day:
    """A scrip's day as it is seen."""

    def __init__(self, symbol: str, day: datetime.date) -> None:
        self.symbol, self.day = symbol, day
        self._instants = list[int]()
        self._counts: Counter[str] = Counter()
        self._spreads, self._residuals = list[float](), list[float]()
        self._said: dict[tuple[datetime.date, int, Kind], tuple[Cell, int]] = {}
        self._longest_s = 0

    def see(self, page: Page) -> None:
        """One more page."""
        if not self._instants or page.at - self._instants[-1] > ROUND_S * SECOND:
            self._instants.append(page.at)
        near = [cell for cell in page.cells if _is_within(cell.strike, page.spot, NEAR_BP)]
        quoted = [cell for cell in page.cells if is_quoted(cell)]
        self._counts["pages"] += 1
        self._counts["modelled"] += page.is_modelled
        self._counts["quotes"] += len(quoted)
        self._counts["one-sided"] += sum(not (cell.bid and cell.ask) for cell in quoted)
        self._spreads += [2 * (c.ask - c.bid) / (c.ask + c.bid) for c in near if is_two_sided(c)]
        forward = self._parity(page)
        self._volatilities(page, near, forward or page.spot)
        self._stillness(page, near)

    def _parity(self, page: Page) -> float:
        """The median forward of the strikes near spot; 0 where none says one."""
        forwards = parity_forwards(page)
        if not forwards:
            return 0.0
        middle = median(forwards)
        self._residuals += [abs(one - middle) / page.spot * BASIS_POINTS for one in forwards if len(forwards) > 1]
        return middle

    def _volatilities(self, page: Page, near: Sequence[Cell], forward: float) -> None:
        """Volatilities at the middle of what is out of the money, by strike; on the last day they say nothing."""
        years = (usual_close(page.expiry) - page.at) / SECOND / DAY_S / 365
        if years * 365 < 1:
            return
        outside = sorted(
            (c for c in near if is_two_sided(c) and (c.strike >= forward) == (c.kind is Kind.CALL)),
            key=lambda cell: cell.strike,
        )
        found = [
            implied_volatility(c.kind is Kind.CALL, (c.bid + c.ask) / 2, forward, c.strike, years) for c in outside
        ]
        known = [sigma for sigma in found if isfinite(sigma)]
        self._counts["volatilities"] += len(known)
        self._counts["volatilities out"] += out_of_line(known)

    def _stillness(self, page: Page, near: Sequence[Cell]) -> None:
        for cell in near:
            if not is_two_sided(cell):
                continue
            name = (page.expiry, cell.strike, cell.kind)
            said, since = self._said.get(name, (None, page.at))
            self._counts["compared"] += said is not None
            if said is not None and _touch(said) == _touch(cell):
                self._counts["still"] += 1
                self._longest_s = max(self._longest_s, (page.at - since) // SECOND)
            else:
                self._said[name] = (cell, page.at)

    def quality(self, official: Official) -> Quality:
        """All of it in figures."""
        waits = [(b - a) // SECOND for a, b in pairwise(self._instants)]
        usual = median(waits) if waits else 0
        gaps = sum(wait > GAP_TIMES * usual for wait in waits)
        counts, priced = self._counts, official.futures(self.symbol, self.day)
        return Quality(
            self.symbol,
            self.day,
            counts["pages"],
            counts["modelled"],
            counts["quotes"],
            counts["one-sided"],
            median(self._spreads) if self._spreads else None,
            nine_in_ten(self._residuals),
            counts["volatilities"],
            counts["volatilities out"],
            counts["still"],
            counts["compared"],
            self._longest_s,
            gaps,
            max(waits, default=0),
            official.close(self.symbol, self.day) is not None,
            sum(expiry not in priced for expiry in official.listed(self.symbol, self.day)),
        )


def parity_forwards(page: Page) -> list[float]:
    """The forward (a price) that each strike near spot says which is quoted on four sides."""
    near = [c for c in page.cells if is_two_sided(c) and _is_within(c.strike, page.spot, PARITY_BP)]
    puts = {cell.strike: cell for cell in near if cell.kind is Kind.PUT}
    return [
        c.strike + (c.bid + c.ask - puts[c.strike].bid - puts[c.strike].ask) / 2
        for c in near
        if c.kind is Kind.CALL and c.strike in puts
    ]


def out_of_line(sigmas: Sequence[float]) -> int:
    """How many volatilities, by strike, lie far from those beside them."""
    found = 0
    for i, sigma in enumerate(sigmas):
        beside = [*sigmas[max(0, i - IV_BESIDE) : i], *sigmas[i + 1 : i + 1 + IV_BESIDE]]
        if len(beside) > IV_BESIDE:
            usual = median(beside)
            found += abs(sigma - usual) > max(IV_POINTS, IV_SHARE * usual)
    return found


def nine_in_ten(values: Sequence[float]) -> float | None:
    """What nine in ten of some values do not exceed; None of none."""
    return sorted(values)[max(0, -(-9 * len(values) // 10) - 1)] if values else None


def sessions_missing(rules: Rulebook, days: Sequence[datetime.date]) -> list[datetime.date]:
    """The sessions between the first and the last of these days that are not among them."""
    if not days:
        return []
    between = (min(days) + datetime.timedelta(i) for i in range((max(days) - min(days)).days))
    return [day for day in between if day not in set(days) and _is_session(rules, day)]


def _is_session(rules: Rulebook, day: datetime.date) -> bool:
    try:
        return rules.session(day) is not None
    except OutsideRules:
        return False


def _is_within(strike: int, spot: int, reach_bp: int) -> bool:
    return abs(strike - spot) * BASIS_POINTS <= reach_bp * spot


def _touch(cell: Cell) -> tuple[int, int, int, int]:
    return cell.bid, cell.ask, cell.bid_size, cell.ask_size
