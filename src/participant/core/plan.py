"""A verdict on the table: what it would make of a scrip's book and of the account, and what a check finds in it."""

from collections.abc import Callable
from itertools import accumulate
from math import isfinite

from msgspec import Struct

from participant.core.account import BookRisk, Portfolio
from participant.core.book_risk import Fills, book_risk, fills_of
from participant.core.decision import Leg
from participant.core.leg_margins import not_in_use, with_own_margins
from participant.core.once import kept
from participant.core.pricing import rounded
from participant.core.risk_limits import RiskLimits
from participant.core.scrip import Contract, Kind
from participant.core.strategy import Case, Figures, Verdict
from participant.core.wording import apart, percent

NOTHING = BookRisk()


class Plan(Struct, frozen=True, dict=True):
    """A verdict on the table: what it would make of the book, beside what the book is without it."""

    case: Case
    verdict: Verdict

    @property
    def limits(self) -> RiskLimits:
        """The scrip's limits."""
        return self.case.scrip.limits

    @kept
    def fills(self) -> Fills:
        """Every way in which the book can change."""
        return fills_of(self.case, self.verdict.legs)

    @kept
    def legs(self) -> tuple[Leg, ...] | None:
        """The verdict's legs with margins that are no lower than our own; None where these cannot be reckoned."""
        return with_own_margins(self.case, self.verdict.legs)

    @property
    def margin(self) -> float:
        """What the legs add to the margin in use (paise), and what the book asks for beyond that already.

        Infinite where it cannot be reckoned.
        """
        if self.legs is None:
            return float("inf")
        return sum(leg.margin for leg in self.legs) + not_in_use(self.case, self.verdict.legs)

    @kept
    def risk(self) -> BookRisk | None:
        """The risk with the verdict's legs; None where there is nothing to be at risk."""
        return book_risk(self.case, self.verdict.legs)

    @property
    def after(self) -> BookRisk:
        """The same, where nothing is a risk of 0."""
        return self.risk or NOTHING

    @kept
    def before(self) -> BookRisk:
        """The risk without them."""
        return book_risk(self.case) or NOTHING

    @property
    def others(self) -> Portfolio:
        """What the other scrips' books can do."""
        return self.case.account.others

    @kept
    def is_reducing(self) -> bool:
        """Whether nothing it can lead to is worse, in any scenario, than the worst that the book can come to now."""
        return not self.after.unknown and worst(self.after.scenarios) <= worst(self.before.scenarios)

    def share(self, paise: float) -> float:
        """An amount as a share of the account's capital."""
        return rounded(paise / self.case.account.capital) if self.case.account.capital > 0 else float("inf")


class Found(Struct, frozen=True):
    """What a check compared: `value` may be at most `limit`, or must be at least where `is_floor`; None is not set.

    Where `is_strict` it must be under the limit, not at it. `reason` says it in words without the comparison's result,
    where it is asked: most checks allow. `of` is what a share is one of.
    """

    value: float
    limit: float | None
    reason: Callable[[], str]
    is_floor: bool = False
    is_share: bool = False
    is_strict: bool = False
    of: str = "the capital"

    @property
    def is_ok(self) -> bool:
        """Whether it is allowed; what has no limit or no figure is not."""
        if self.limit is None or (self.is_strict and self.value == self.limit):
            return False
        return self.value >= self.limit if self.is_floor else self.value <= self.limit


class Check(Struct, frozen=True, dict=True):
    """A row of the list: its name, what it compares, and whether it binds what reduces as well."""

    judge: Callable[[Plan], Found | None]
    binds_all: bool = False

    @kept
    def name(self) -> str:
        """The name that figures and reasons bear."""
        return self.judge.__name__

    @kept
    def figures(self) -> tuple[str, str]:
        """The names under which its figure and its limit are logged."""
        return f"check_{self.name}", f"check_{self.name}_limit"


def figures_of(check: Check, found: Found) -> Figures:
    """The figure and the limit of a check as they are logged."""
    value, limit = check.figures
    return {value: found.value, limit: found.limit}


def refusal(check: Check, found: Found) -> str:
    """Why a check refuses, in a sentence."""
    if found.limit is None:
        return f"refused by {check.name}: its limit is not set in the scrip's limits, and what has no limit is refused"
    over = "at or over" if found.is_strict else "over"
    than = "under the least of" if found.is_floor else f"{over} the limit of"
    limit, reason, share = said(found, found.limit), found.reason(), ""
    if not isfinite(found.value):  # there is no figure, so none that is over the limit
        return f"refused by {check.name}: {reason}, so the limit of {limit} cannot be checked"
    if found.is_share:
        share, limit = apart(found.value, found.limit)
    stands = f" ({share} of {found.of})" if share and share not in reason else ""
    return f"refused by {check.name}: {reason}{stands}, {than} {limit}"


def said(found: Found, value: float) -> str:
    """A figure of a check for people."""
    return percent(value) if found.is_share else f"{value:,.10g}"


def worst(scenarios: tuple[int, ...]) -> int:
    """The largest loss (paise) among scenarios; 0 where all gain."""
    return max(0, -min(scenarios)) if scenarios else 0


def naked_units(fills: Fills, kind: Kind) -> int:
    """The most units of this kind that can stand sold without cover: each sale fills, no purchase but of earlier legs.

    Calls are covered by futures, stock and calls held, puts by puts held, by none that ends before what it covers.
    """
    covers = (Kind.CALL, Kind.FUTURE, Kind.STOCK) if kind is Kind.CALL else (Kind.PUT,)
    sales = [(c, q) for c, q in fills.working if q < 0]
    parts = [[(c, _units(c, q)) for c, q in part if c.kind in covers] for part in (fills.held, sales, fills.legs)]
    naked = 0
    for last in {c.expiry for part in parts for c, _ in part}:
        held, sold, legs = ([q for c, q in part if c.expiry >= last] for part in parts)
        naked = max(naked, -min(accumulate(legs, initial=sum(held) + sum(sold))))
    return naked


def _units(contract: Contract, quantity: int) -> int:
    return contract.covers(quantity) if contract.kind is Kind.STOCK else quantity
