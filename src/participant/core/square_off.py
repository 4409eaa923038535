"""Whether calls that are held are nominal, and cheaper to buy back than to carry to their expiry."""

from math import isfinite, nan

from msgspec import Struct

from participant.core.charges import charges
from participant.core.margin import margin
from participant.core.position import Holding
from participant.core.pricing import price, rounded
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Side, money
from participant.core.strategy import Case, Figures
from participant.core.structure import closing_price
from participant.core.volatility import atm_iv, forward_to, years_left
from participant.core.wording import at_price, rupees


class SquareOff(Struct, frozen=True):
    """What decides on buying a call back: its price against the level (prices), and cost against carrying (paise)."""

    ask: int
    level: int
    cost: int
    carry: float

    @property
    def is_due(self) -> bool:
        """Nominal in price, and cheaper to buy back than to carry."""
        return self.ask <= self.level and self.cost < self.carry

    @property
    def figures(self) -> Figures:
        """These figures by name."""
        return {
            "call_ask": self.ask,
            "square_off_level": self.level,
            "buy_back_paise": self.cost,
            "carry_paise": self.carry,
        }

    @property
    def nominal(self) -> str:
        """Why it is bought back, in a sentence."""
        return (
            f"the call is asked {at_price(self.ask)}, at or under {at_price(self.level)}; buying it back costs "
            f"{rupees(self.cost)}, carrying it to expiry is expected to cost {rupees(round(self.carry))}"
        )

    @property
    def why_not(self) -> str:
        """Why it is not bought back, in a few words."""
        if self.ask > self.level:
            return f"square-off at {at_price(self.level)}"
        if not isfinite(self.carry):
            return "nominal, but without an IV in its chain carrying it cannot be priced"
        return f"nominal, but buying it back costs {rupees(self.cost)}, carrying it {rupees(round(self.carry))}"


def square_off(case: Case, call: Holding) -> SquareOff:
    """What speaks for buying a call back.

    Carrying is expected to cost what the call is worth by Black-76 at its chain's at-the-money IV, the expectation of
    what is paid at expiry, and interest at `carry_cost_rate` until then on the margin that the structure ties up.
    """
    weights, units, ask = case.weights, -call.quantity, closing_price(case, call)
    sold = call.cost * PRICE_UNITS_PER_PAISA // call.quantity
    level = max(weights.square_off_ticks * call.contract.tick, int(weights.square_off_share * sold))
    value = money(ask, units)
    cost = value + charges(case.rules.charge_rates(case.day), call.contract, Side.BUY, value).total
    return SquareOff(ask, level, cost, carrying(case, call))


def carrying(case: Case, call: Holding) -> float:
    """What carrying a call to its expiry is expected to cost, in whole paise; `nan` where its chain shows no IV."""
    chain = next(c for c in case.market.chains if c.expiry == call.contract.expiry)  # the call's quote is from it
    years = years_left(case.market, chain, case.rules)
    forward = forward_to(case.market, chain, years).level
    iv = atm_iv(chain, forward, years)
    if not isfinite(iv):
        return nan
    worth = price(True, forward, call.contract.strike, years, iv) * -call.quantity / PRICE_UNITS_PER_PAISA
    legs = [(h.contract, h.quantity) for h in case.position.holdings]
    tied = margin(case.rules.margin_rates(case.scrip.symbol, case.day), legs, round(forward), iv, case.at)
    return float(round(rounded(worth + tied * case.weights.carry_cost_rate * years)))
