"""Which call to sell against which cover: the structure that a covered call would open."""

import datetime
from collections.abc import Iterator, Sequence
from math import isfinite

from msgspec import Struct

from participant.core.market import Chain, Future, Quote, option
from participant.core.pricing import greeks, rounded
from participant.core.scrip import Contract, Kind
from participant.core.strategy import Case, Figures
from participant.core.volatility import Forward, atm_iv, forward_to, middle, strike_iv, years_left


class Candidate(Struct, frozen=True):
    """A call to sell and the future that covers it, as quoted; `years` to the call's expiry.

    `iv` is the call's own, `atm_iv` that of its expiry at the money (where it has none, the call's).
    """

    call: Contract
    quote: Quote
    cover: Future
    forward: Forward
    years: float
    iv: float
    atm_iv: float
    delta: float

    @property
    def spread(self) -> float:
        """The call's bid-ask spread as a share of its middle."""
        return rounded((self.quote.ask - self.quote.bid) / middle(self.quote))


def choose(case: Case, covers: Sequence[Future]) -> Candidate | str:
    """The call nearest the target delta, days to expiry within the window, with its cover; or why there is none.

    Calls whose spread is acceptable go before all others, of equal ones the earlier expiry is taken. The cover is the
    earliest of `covers` that lives as long as the call.
    """
    weights = case.weights
    window = f"{days_min(case)}-{weights.days_to_expiry_max} days"
    chains = [c for c in case.market.chains if days_min(case) <= days_to(case, c.expiry) <= weights.days_to_expiry_max]
    if not chains:
        return f"no expiry within {window} is listed"
    covered = [(chain, cover) for chain in chains if (cover := _cover(chain, covers)) is not None]
    if not covered:
        return f"no future lives as long as a call within {window}"
    calls = [candidate for chain, cover in covered for candidate in _calls(case, chain, cover)]
    if not calls:
        return f"no call within {window} has a valid quote"
    # A far weekly that hardly trades must not stand in front of a call that does.
    tight = [c for c in calls if c.spread <= weights.spread_max]
    best = min(tight or calls, key=lambda c: (rounded(abs(c.delta - weights.target_delta)), c.call))
    if abs(best.delta - weights.target_delta) > weights.delta_error_max:
        return f"no call within {window} is near delta {weights.target_delta:.2f}: the nearest has {best.delta:.2f}"
    if not best.cover.quote.is_valid:
        return f"the cover {best.cover.contract.key} has no valid quote"
    if best.cover.contract.lot != best.call.lot:
        return f"a lot of {best.cover.contract.key} does not cover a lot of {best.call.key}"
    return best


def days_to(case: Case, expiry: datetime.date) -> int:
    """Calendar days from the trading day to an expiry."""
    return (expiry - case.day).days


def days_min(case: Case) -> int:
    """The fewest days to expiry that a call is sold with: never 0, for that is expiry day."""
    return max(1, case.weights.days_to_expiry_min)


def _cover(chain: Chain, covers: Sequence[Future]) -> Future | None:
    alive = [c for c in covers if c.contract.expiry >= chain.expiry]
    return min(alive, key=lambda c: c.contract.expiry, default=None)


def _calls(case: Case, chain: Chain, cover: Future) -> Iterator[Candidate]:
    years = years_left(case.market, chain, case.rules)
    known = forward_to(case.market, chain, years)
    forward = known.level
    at_the_money = rounded(atm_iv(chain, forward, years))
    for row in chain.strikes:
        iv = rounded(strike_iv(True, row.call, forward, row.strike, years))
        if row.call is not None and isfinite(iv):
            delta = rounded(greeks(True, forward, row.strike, years, iv).delta)
            contract = option(case.market.scrip, chain, Kind.CALL, row.strike)
            level = at_the_money if isfinite(at_the_money) else iv
            yield Candidate(contract, row.call, cover, known, years, iv, level, delta)


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
        "forward": rounded(candidate.forward.level),
        "forward_source": candidate.forward.source,
        "cover": cover.contract.key,
        "cover_bid": cover.quote.bid,
        "cover_ask": cover.quote.ask,
        "basis": rounded(middle(cover.quote) - case.market.spot),
    }
