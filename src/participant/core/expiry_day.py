"""The last day of a call that is held: how it settles, what margin that day asks for, and whether it is there.

On that day short options pay an additional exposure margin, and, but in earlier years, what expires is not set off
against later contracts (`core/margin.py` reckons both; the rates and the settlement method are dated rules).
"""

from collections.abc import Sequence
from math import isfinite

from msgspec import Struct
from msgspec.structs import replace

from participant.core.delivery import ends_physical
from participant.core.margin import Legs, margin
from participant.core.market import chain_to
from participant.core.position import Holding
from participant.core.scrip import money
from participant.core.selection import days_to
from participant.core.session import DAY_S, SECOND
from participant.core.strategy import Case, Figures, Gate
from participant.core.volatility import atm_iv, forward_to, years_left
from participant.core.wording import rupees


class ExpiryDay(Struct, frozen=True):
    """The margin (paise) of all that is held on its calls' last day, by how much that day raises it, and what is there.

    `elm` is the part of the rise that is additional exposure on the short options; the rest is set-off that is lost.
    `to_deliver` is what the shares would bring (paise) that calls in the money now ask for; 0 where cash is paid.
    """

    key: str
    units: int
    method: str
    needed: int
    before: int
    elm: int
    there: int
    is_delivered: bool
    to_deliver: int

    @property
    def shortfall(self) -> int:
        """The margin that is missing, in paise; 0 where it is there."""
        return max(0, self.needed - self.there)

    @property
    def figures(self) -> Figures:
        """These figures by name."""
        return {
            "expires_today": self.key,
            "expiring_units": self.units,
            "settlement": "delivery of shares" if self.is_delivered else self.method,
            "to_deliver_paise": self.to_deliver,
            "expiry_margin_paise": self.needed,
            "expiry_margin_step_paise": self.needed - self.before,
            "expiry_elm_paise": self.elm,
            "expiry_margin_there_paise": self.there,
            "expiry_shortfall_paise": self.shortfall,
        }


def expiry_day(case: Case, calls: Sequence[Holding]) -> ExpiryDay | None:
    """The figures of the last day of calls that are held; None on any other day, or where no IV can be read."""
    ending = [call for call in calls if days_to(case, call.contract.expiry) <= 0]
    chain = chain_to(case.market, ending[0].contract.expiry) if ending else None
    if chain is None:
        return None
    years, symbol = years_left(case.market, chain, case.rules), case.scrip.symbol
    forward = forward_to(case.market, chain, years).level
    iv = atm_iv(chain, forward, years)
    if not isfinite(iv):
        return None
    rates, level = case.rules.margin_rates(symbol, case.day), round(forward)
    legs: Legs = [(h.contract, h.quantity) for h in case.position.holdings]
    needed = margin(rates, legs, level, iv, case.at)
    plain = margin(replace(rates, expiry_day_short_exposure=0.0), legs, level, iv, case.at)
    before = margin(rates, legs, level, iv, case.at - DAY_S * SECOND)
    there = case.account.free + case.account.used.get(symbol, 0)
    units = sum(-call.quantity for call in ending)
    method, is_delivered = (
        case.rules.settlement_method(case.day),
        ends_physical(case.rules, ending[0].contract) is not False,
    )
    inside = sum(money(c.contract.strike, -c.quantity) for c in ending if c.contract.strike < case.market.spot)
    settled = method, needed, before, needed - plain, there, is_delivered, inside if is_delivered else 0
    return ExpiryDay(ending[0].contract.key, units, *settled)


def shortfall_gate(case: Case, day: ExpiryDay | None) -> Gate:
    """Whether the margin of the last day is missing and time has come to do without it."""
    if day is None or not day.shortfall:
        return Gate("expiry day")
    left = (case.rules.expiry_at(case.day) - case.at) // SECOND
    within = case.weights.expiry_shortfall_close_s
    said = (
        f"{day.key} expires today, its day asks for {rupees(day.needed)} of margin and {rupees(day.there)} are there; "
        f"{left:,} s are left"
    )
    return Gate("expiry day", said if left <= within else "", day.needed, day.there)


def short_of(day: ExpiryDay | None) -> str:
    """What is short on the last day, for the sentence of one that is held all the same."""
    return f"; {rupees(day.shortfall)} of margin are missing" if day and day.shortfall else ""
