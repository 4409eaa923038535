"""How many lots of a structure: the least of what margin, a crash, the bet on the market and the size shown allow.

What is paid for shares counts as margin until it is paid: it is room that nobody else can have. Of a cover that a
person holds neither a crash nor the bet on the market binds: it is there, and falls, with or without the calls.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import isfinite

from msgspec import Struct

from participant.core.leg_margins import dearest
from participant.core.margin import crash_of, scan_in
from participant.core.position import Holding
from participant.core.scrip import Kind, money
from participant.core.selection import Candidate
from participant.core.strategy import Case, Figures
from participant.core.wording import counted, percent, rupees

LOTS_MAX = 500


class Margins(Struct, frozen=True):
    """Margin in paise of the cover alone, and of cover and call together."""

    cover: int
    structure: int

    @property
    def call(self) -> int:
        """What the call adds to the cover's margin: nothing, where it lowers it."""
        return max(0, self.structure - self.cover)

    @property
    def peak(self) -> int:
        """The most that is needed on the way, for the cover stands alone until the call is sold."""
        return self.cover + self.call


class Sizing(Struct, frozen=True):
    """Lots that each limit allows, the least of the four, and in words the first of them that binds."""

    by_margin: int
    by_crash: int
    by_delta: int
    by_display: int
    lots: int
    why: str

    @property
    def figures(self) -> Figures:
        """Lots by each limit."""
        return {
            "lots_by_margin": self.by_margin,
            "lots_by_crash": self.by_crash,
            "lots_by_delta": self.by_delta,
            "lots_by_display": self.by_display,
            "lots": self.lots,
        }


class Costs(Struct, frozen=True):
    """What a number of lots of a structure needs and may lose, made ready to be asked for one number after another.

    `not_in_use` is the margin (paise) that what is held asks for now beyond what is in use for it.
    """

    margins: Callable[[int], Margins]
    crash: Callable[[int], int]
    not_in_use: int = 0


def size(case: Case, candidate: Candidate, costs: Costs, at_risk: int = 0) -> Sizing:
    """The lots that can be opened now, where what is held would lose `at_risk` paise in the crash already."""
    weights, shown = case.weights, displayed(case, candidate)
    room = margin_room(case) - costs.not_in_use
    loss_max = share_of_capital(case, weights.crash_loss_share_max) - at_risk
    lot_value, bet = money(case.market.spot, candidate.call.lot), delta_room(case)
    lot_margin, lot_loss = costs.margins(1).peak, costs.crash(1)
    by_margin = _most(room, lot_margin, lambda lots: costs.margins(lots).peak)
    by_crash = _most(loss_max, lot_loss, costs.crash) if is_bought(case) else LOTS_MAX
    by_delta = max(0, bet // lot_value) if is_bought(case) else LOTS_MAX
    lots = min(by_margin, by_crash, by_delta, shown)
    if by_margin == lots:
        why = f"margin: a lot needs {rupees(lot_margin)} of the {rupees(room)} left"
    elif by_crash == lots:
        crash = f"a {percent(weights.crash_move)} crash"
        why = f"{crash}: a lot loses {rupees(lot_loss)} of the {rupees(loss_max)} allowed"
    elif by_delta == lots:
        why = _unset(case) or f"the bet on the market: a lot is {rupees(lot_value)} of the {rupees(bet)} left"
    else:
        why = told_of_display(shown)
    return Sizing(by_margin, by_crash, by_delta, shown, lots, why)


def told_of_display(shown: int) -> str:
    """What the touch allows, in words."""
    return f"displayed size: {counted(shown, 'lot')} at the touch"


def _most(budget: int, first: int, cost: Callable[[int], int]) -> int:
    """The most lots whose cost is within the budget; a cost never falls as lots are added.

    It grows about evenly, so the answer lies where that of the `first` lot points; where not, it is searched for.
    """
    if first > budget:
        return 0
    guess = min(LOTS_MAX, budget // first) if first > 0 else LOTS_MAX
    if cost(guess) <= budget and (guess == LOTS_MAX or cost(guess + 1) > budget):
        return guess
    return bisect_right(range(1, LOTS_MAX + 1), budget, key=cost)


def is_bought(case: Case) -> bool:
    """Whether the cover comes with the structure; what is held already falls with or without the calls."""
    return case.weights.cover != "held"


def share_of_capital(case: Case, share: float) -> int:
    """A share of the account's capital in whole paise."""
    return int(share * case.account.capital)


def margin_room(case: Case) -> int:
    """Margin (paise) that this scrip may still take: within the share of capital, and of what is free."""
    within = share_of_capital(case, case.weights.margin_share_max) - case.account.committed
    return min(within, case.account.free)


def delta_room(case: Case) -> int:
    """How much more of the underlying (paise) may be bought: by the scrip's own limit and by that of all books as one.

    The cover stands alone until its call is sold, so it counts whole. A limit that is not set leaves no room.
    """
    limits, beta = case.scrip.limits, case.scrip.beta
    own = share_of_capital(case, limits.delta_share_max or 0.0)
    together = share_of_capital(case, limits.portfolio_delta_share_max or 0.0) - case.account.others.delta
    return max(0, min(own, int(together / beta)) if beta else own)


def _unset(case: Case) -> str:
    """Which limit of the bet on the market is not set, in words; an empty string where both are."""
    limits = case.scrip.limits
    names = [name for name in ("delta_share_max", "portfolio_delta_share_max") if getattr(limits, name) is None]
    are = "is" if len(names) == 1 else "are"
    return f"the bet on the market: {' and '.join(names)} {are} not set in the scrip's limits" if names else ""


def costs_of(case: Case, candidate: Candidate, held: Sequence[Holding] = ()) -> Costs:
    """The margins of lots of the structure, and what they lose at once in a crash, opened at the touch.

    A tranche's margin is what it adds to that of what is `held`, as the brain reckons it in the end
    (`core/leg_margins.py`): what is sold in another expiry may ask for more beside it than alone.
    """
    rates, iv, lot = case.rules.margin_rates(case.scrip.symbol, case.day), candidate.atm_iv, candidate.call.lot
    call, cover, is_stock = candidate.call, candidate.cover, candidate.cover.contract.kind is Kind.STOCK
    shares = cover.contract.lot if is_stock else 1
    carried = [(cover.contract, cover.quote.ask), (call, candidate.quote.bid)]
    crash = crash_of(carried, (case.market.spot, iv), case.weights.crash_move, case.at)

    def lost(lots: int) -> int:
        return crash.loss((lots * lot * shares, -lots * lot))

    if not is_stock:
        book = {h.contract: h.quantity for h in held if h.contract.kind is not Kind.STOCK}
        contracts = tuple(dict.fromkeys((*book, cover.contract, call)))
        sigma = dearest(case, contracts)
        scan = scan_in(case.market, rates, contracts, (cover.quote.mid, sigma if isfinite(sigma) else iv))
        cover_at, call_at = contracts.index(cover.contract), contracts.index(call)
        now = tuple(book.get(c, 0) for c in contracts)
        before = scan.margin(now) if book else 0

        def added(of_cover: int, of_call: int) -> int:
            then = [*now]
            then[cover_at] += of_cover
            then[call_at] += of_call
            return max(0, scan.margin(tuple(then)) - before)

        missing = max(0, before - case.account.used.get(case.scrip.symbol, 0))
        return Costs(lambda n: Margins(added(n * lot, 0), added(n * lot, -n * lot)), lost, missing)
    single = scan_in(case.market, rates, (call,), (round(candidate.forward.level), iv))

    def of_shares(lots: int) -> Margins:
        """With shares as cover the call's margin is that of a call alone."""
        paid = money(cover.quote.ask, lots * lot) if is_bought(case) else 0
        return Margins(paid, paid + single.margin((-lots * lot,)))

    return Costs(of_shares, lost)


def displayed(case: Case, candidate: Candidate) -> int:
    """Whole lots that the touch of both legs and the exchange's quantity per order allow."""
    weights, cover = case.weights, candidate.cover
    lots = weights.derived_cover_lots
    if not is_bought(case):
        return shown_lots(case, candidate)
    if not cover.is_derived:
        lots = int(cover.quote.ask_size * weights.displayed_share_max) // candidate.call.lot
    return min(lots, shown_lots(case, candidate))


def shown_lots(case: Case, candidate: Candidate) -> int:
    """Whole lots of the call that the bid and the exchange's quantity per order allow."""
    shown = int(candidate.quote.bid_size * case.weights.displayed_share_max)
    return shown // candidate.call.lot


def premium(candidate: Candidate, lots: int) -> int:
    """What selling the calls at the bid brings, in paise."""
    return money(candidate.quote.bid, lots * candidate.call.lot)
