"""Rolling: a call that is held is bought back and the next one sold against the same cover.

Four rules, each off at 0: few days to expiry, enough of the premium captured, too much delta, too far in the money.
"""

import datetime
from math import isfinite, nan

from msgspec import Struct

from participant.core.market import chain_to, quoted
from participant.core.position import Holding
from participant.core.pricing import greeks, rounded
from participant.core.rulebook import ONE_DAY
from participant.core.scrip import PRICE_UNITS_PER_PAISA
from participant.core.selection import Candidate, days_to
from participant.core.strategy import Case, Figures
from participant.core.volatility import atm_iv, forward_to, strike_iv, years_left
from participant.core.wording import counted, percent


class Measured(Struct, frozen=True):
    """What the rules go by: days to expiry, the share of the premium captured, delta, spot over strike as a share.

    `nan` where it cannot be known: a rule that goes by it does not speak.
    """

    days: int
    profit: float
    delta: float
    in_the_money: float

    @property
    def figures(self) -> Figures:
        """These figures by name."""
        return {
            "held_days": self.days,
            "held_profit": self.profit,
            "held_delta": self.delta,
            "held_in_the_money": self.in_the_money,
        }


def measured(case: Case, candidate: Candidate) -> Measured:
    """A call that might be sold, as the rules would see it then."""
    over = rounded(case.market.spot / candidate.call.strike - 1)
    return Measured(days_to(case, candidate.call.expiry), nan, candidate.delta, over)


def measured_held(case: Case, call: Holding, ask: int) -> Measured:
    """A call that is held, asked at a price. Its delta is at its own IV, else at that of its chain at the money."""
    contract = call.contract
    sold = call.cost * PRICE_UNITS_PER_PAISA / call.quantity if call.quantity else 0
    profit = rounded(1 - ask / sold) if sold > 0 else nan
    over = rounded(case.market.spot / contract.strike - 1) if contract.strike > 0 else nan
    return Measured(days_to(case, contract.expiry), profit, _delta(case, call), over)


def _delta(case: Case, call: Holding) -> float:
    contract = call.contract
    chain = chain_to(case.market, contract.expiry)
    years = years_left(case.market, chain, case.rules) if chain else 0.0
    if chain is None or years <= 0:
        return nan
    forward = forward_to(case.market, chain, years).level
    own = strike_iv(True, quoted(case.market, contract), forward, contract.strike, years)
    iv = own if isfinite(own) else atm_iv(chain, forward, years)
    return rounded(greeks(True, forward, contract.strike, years, iv).delta) if isfinite(iv) else nan


def earliest_next(case: Case, call: Holding) -> datetime.date:
    """The first day on which the next call may expire: that of the one held, but later where its days are too few."""
    at, expiry = case.weights.roll_at_days, call.contract.expiry
    return expiry + ONE_DAY if at and days_to(case, expiry) <= at else expiry


def due_at(case: Case, found: Measured) -> str:
    """Which rule speaks for rolling, or an empty string."""
    weights = case.weights
    if weights.roll_at_days and found.days <= weights.roll_at_days:
        return f"{counted(found.days, 'day')} to expiry, at or under {weights.roll_at_days}"
    if weights.roll_at_profit and found.profit >= weights.roll_at_profit:
        return f"{percent(found.profit)} of the premium is captured, at or over {percent(weights.roll_at_profit)}"
    if weights.roll_at_delta and found.delta >= weights.roll_at_delta:
        return f"its delta is {found.delta:.2f}, at or over {weights.roll_at_delta:.2f}"
    if weights.roll_in_the_money and found.in_the_money >= weights.roll_in_the_money:
        return f"it is {percent(found.in_the_money)} in the money, at or over {percent(weights.roll_in_the_money)}"
    return ""
