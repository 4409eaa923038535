"""Which call to sell against which cover: the structure that a covered call would open."""

import datetime
from collections.abc import Iterator, Sequence
from math import isfinite, log, sqrt

from msgspec import Struct

from participant.core.market import Chain, Future, Quote, option
from participant.core.pricing import greeks, rounded
from participant.core.scrip import PRICE_UNITS, Contract, Kind
from participant.core.strategy import Case, Figures
from participant.core.volatility import atm_iv, forward_of, middle, strike_iv, years_left
from participant.core.wording import percent


class Candidate(Struct, frozen=True):
    """A call to sell and the future that covers it, as quoted; `years` to the call's expiry.

    `iv` is the call's own, `atm_iv` that of its expiry at the money (where it has none, the call's).
    """

    call: Contract
    quote: Quote
    cover: Future
    forward: float
    years: float
    iv: float
    atm_iv: float
    delta: float

    @property
    def spread(self) -> float:
        """The call's bid-ask spread as a share of its middle."""
        return rounded((self.quote.ask - self.quote.bid) / middle(self.quote))


def choose(case: Case, covers: Sequence[Future]) -> Candidate | str:
    """The call nearest the target, days to expiry within the window, with its cover; or why there is none.

    Calls whose spread is acceptable go before all others, of equal ones the earlier expiry is taken. The cover is the
    earliest of `covers` that lives as long as the call.
    """
    window = f"{days_min(case)}-{case.weights.days_to_expiry_max} days"
    chains = chains_of(case)
    if not chains:
        return f"no expiry within {window} is listed"
    covered = [(chain, cover) for chain in chains if (cover := cover_of(chain, covers)) is not None]
    if not covered:
        return f"no future lives as long as a call within {window}"
    calls = [candidate for chain, cover in covered for candidate in _calls(case, chain, cover)]
    if not calls:
        return f"no call within {window} has a valid quote"
    # A far weekly that hardly trades must not stand in front of a call that does.
    tight = [c for c in calls if c.spread <= case.weights.spread_max]
    best = min(tight or calls, key=lambda c: (_error(case, c), c.call))
    target, most = target_of(case)
    if _error(case, best) > most:
        near, has = told(case, target), told(case, measure(case, best))
        return f"no call within {window} is near {LABELS[case.weights.choose_by]} {near}: the nearest has {has}"
    return _fault(best) or best


def _fault(best: Candidate) -> str:
    cover = best.cover
    if not cover.quote.is_valid:
        return f"the cover {cover.contract.key} has no valid quote"
    if cover.contract.lot != best.call.lot:
        return f"a lot of {cover.contract.key} does not cover a lot of {best.call.key}"
    return ""


LABELS = {
    "delta": "delta",
    "moneyness": "moneyness",
    "sigmas": "deviations",
    "premium": "premium",
    "yield": "yield a year",
}


def target_of(case: Case) -> tuple[float, float]:
    """What the call is chosen by: the target, and how far from it one may lie."""
    weights = case.weights
    if weights.choose_by == "delta":
        return weights.target_delta, weights.delta_error_max
    return weights.choose_target, weights.choose_error_max


def measure(case: Case, candidate: Candidate) -> float:
    """How far out of the money, or how dear, a call is by the scrip's measure.

    Moneyness is `strike / forward - 1`; in deviations `ln(strike / forward) / (IV at the money x root of the years)`.
    A premium is the bid in rupees a unit, a yield the bid over spot times 365 / days to expiry.
    """
    by, strike = case.weights.choose_by, candidate.call.strike
    if by == "moneyness":
        return rounded(strike / candidate.forward - 1)
    if by == "sigmas":
        return rounded(log(strike / candidate.forward) / (candidate.atm_iv * sqrt(candidate.years)))
    if by == "premium":
        return rounded(candidate.quote.bid / PRICE_UNITS)
    if by == "yield":
        return rounded(candidate.quote.bid / case.market.spot / candidate.years)
    return candidate.delta


def told(case: Case, value: float) -> str:
    """A measure for a sentence."""
    by = case.weights.choose_by
    if by in {"moneyness", "yield"}:
        return percent(value)
    return f"₹{value:,.2f}" if by == "premium" else f"{value:.2f}"


def _error(case: Case, candidate: Candidate) -> float:
    return rounded(abs(measure(case, candidate) - target_of(case)[0]))


def chains_of(case: Case) -> list[Chain]:
    """The chains whose calls may be sold by the window of days, earliest expiry first."""
    most = case.weights.days_to_expiry_max
    return [c for c in case.market.chains if days_min(case) <= days_to(case, c.expiry) <= most]


def days_to(case: Case, expiry: datetime.date) -> int:
    """Calendar days from the trading day to an expiry."""
    return (expiry - case.day).days


def days_min(case: Case) -> int:
    """The fewest days to expiry that a call is sold with: never 0, for that is expiry day."""
    return max(1, case.weights.days_to_expiry_min)


def cover_of(chain: Chain, covers: Sequence[Future]) -> Future | None:
    """The earliest of these futures that lives as long as a chain's calls."""
    alive = [c for c in covers if c.contract.expiry >= chain.expiry]
    return min(alive, key=lambda c: c.contract.expiry, default=None)


def _calls(case: Case, chain: Chain, cover: Future) -> Iterator[Candidate]:
    forward, years = forward_of(case.market, chain), years_left(case.market, chain, case.rules)
    at_the_money = rounded(atm_iv(chain, forward, years))
    for row in chain.strikes:
        iv = rounded(strike_iv(True, row.call, forward, row.strike, years))
        if row.call is not None and isfinite(iv):
            delta = rounded(greeks(True, forward, row.strike, years, iv).delta)
            contract = option(case.market.scrip, chain, Kind.CALL, row.strike)
            level = at_the_money if isfinite(at_the_money) else iv
            yield Candidate(contract, row.call, cover, forward, years, iv, level, delta)


def figures_of(case: Case, candidate: Candidate) -> Figures:
    """The candidate in figures. The basis is the cover's premium over spot; it decays as the expiry nears."""
    call, quote, cover = candidate.call, candidate.quote, candidate.cover
    return {
        "call": call.key,
        "call_strike": call.strike,
        "call_expiry": call.expiry.isoformat(),
        "call_days": days_to(case, call.expiry),
        "call_bid": quote.bid,
        "call_ask": quote.ask,
        "call_delta": candidate.delta,
        "call_iv": candidate.iv,
        "atm_iv": candidate.atm_iv,
        "spread": candidate.spread,
        "forward": rounded(candidate.forward),
        "cover": cover.contract.key,
        "cover_bid": cover.quote.bid,
        "cover_ask": cover.quote.ask,
        "basis": rounded(middle(cover.quote) - case.market.spot),
        **({"call_measure": measure(case, candidate)} if case.weights.choose_by != "delta" else {}),
    }
