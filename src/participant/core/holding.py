"""Whether a structure that is held stays, and what closing it takes. It is judged as one, never by one of its legs."""

from math import isfinite, nan

from msgspec import Struct

from participant.core.charges import charges
from participant.core.cover import bought, covers, delivery_due, sellable
from participant.core.decision import Action, Leg
from participant.core.margin import margin
from participant.core.market import quoted
from participant.core.position import Holding, unrealised
from participant.core.pricing import price, rounded
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Kind, Side, money
from participant.core.selection import days_to
from participant.core.sizing import share_of_capital
from participant.core.strategy import Case, Figures, Verdict, maintain
from participant.core.volatility import atm_iv, forward_to, years_left
from participant.core.wording import at_price, counted, rupees


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


def hold(case: Case, figures: Figures) -> Verdict:
    """Maintain the structure, or close it: the call first, then the cover that was bought for it."""
    missing = unquoted(case, Kind.CALL, Kind.FUTURE, Kind.STOCK)
    if missing:
        return maintain(missing, figures)
    result = structure_result(case)
    stop = -share_of_capital(case, case.weights.structure_loss_share_max)
    figures = figures | {"structure_result_paise": result, "structure_stop_paise": stop}
    if result <= stop:
        return _close(case, f"the structure stands at {rupees(result)}, its stop is {rupees(stop)}", figures)
    due = delivery_due(case)
    if due:
        return _close(case, due, figures)
    calls = held(case, Kind.CALL)
    offs = [square_off(case, call) for call in calls]
    figures = figures | offs[0].figures
    if all(off.is_due for off in offs):
        return _close(case, _nominal(offs[0]), figures)
    excess = min(case.position.cover - case.position.short_calls, sellable(case.position))
    if excess > 0:
        return _sell_excess(case, excess, figures)
    return maintain(_held_sentence(case, calls[0], offs[0], result), figures)


def held(case: Case, kind: Kind) -> list[Holding]:
    """The holdings of one kind, earliest expiry first."""
    return [h for h in sorted(case.position.holdings, key=lambda h: h.contract) if h.contract.kind is kind]


def unquoted(case: Case, *kinds: Kind) -> str:
    """Why what is held of these kinds cannot be priced, or an empty string."""
    for kind in kinds:
        for holding in held(case, kind):
            if closing_price(case, holding) == 0:
                return f"{holding.contract.key} is held and has no valid quote"
    return ""


def closing_price(case: Case, holding: Holding) -> int:
    """The price at which a holding can be closed now: the bid if long, the ask if short; 0 where nobody quotes it.

    Shares that a person has declared are not ours to close: they count at their part of the underlying.
    """
    if holding.contract.kind is Kind.STOCK and case.position.adopted:
        return case.market.spot // holding.contract.lot
    quote = quoted(case.market, holding.contract)
    return quote.touch(Side.SELL if holding.quantity > 0 else Side.BUY) if quote is not None else 0


def structure_result(case: Case) -> int:
    """What the structure would have brought (paise) since the book was flat, closed now; without closing charges."""
    marks = {h.contract: closing_price(case, h) for h in case.position.holdings}
    return case.position.structure_result + unrealised(case.position, lambda contract: marks[contract])


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


def closing_legs(case: Case, kind: Kind, units: int) -> tuple[Leg, ...]:
    """The legs that close so many units of what is held of a kind, earliest expiry first, at the far touch."""
    side = Side.BUY if kind is Kind.CALL else Side.SELL
    legs = []
    for holding in held(case, kind):
        quantity = min(units, abs(holding.quantity))
        if quantity > 0:
            legs.append(Leg(holding.contract, side, quantity, closing_price(case, holding)))
            units -= quantity
    return tuple(legs)


def selling_legs(case: Case, units: int) -> tuple[Leg, ...]:
    """The legs that sell so many units of the cover that was bought, futures first, at the bid."""
    legs = []
    for holding in covers(case.position):
        quantity = min(units, bought(case.position, holding))
        if quantity > 0:
            legs.append(Leg(holding.contract, Side.SELL, quantity, closing_price(case, holding)))
            units -= quantity
    return tuple(legs)


def _close(case: Case, why: str, figures: Figures) -> Verdict:
    position = case.position
    sales = selling_legs(case, sellable(position))
    legs = closing_legs(case, Kind.CALL, position.short_calls) + sales
    return Verdict(Action.CLOSE, f"buy the call back{', then sell the cover' if sales else ''}: {why}", figures, legs)


def _nominal(off: SquareOff) -> str:
    return (
        f"the call is asked {at_price(off.ask)}, at or under {at_price(off.level)}; buying it back costs "
        f"{rupees(off.cost)}, carrying it to expiry is expected to cost {rupees(round(off.carry))}"
    )


def _sell_excess(case: Case, excess: int, figures: Figures) -> Verdict:
    legs = selling_legs(case, excess)
    return Verdict(Action.CLOSE, f"sell {excess:,} units of cover that no call stands against", figures, legs)


def _held_sentence(case: Case, call: Holding, off: SquareOff, result: int) -> str:
    days = days_to(case, call.contract.expiry)
    lots = counted(-call.quantity // call.contract.lot, "lot")
    ahead = "expires today: carried to expiry and settled" if days <= 0 else f"{counted(days, 'day')} to expiry"
    return (
        f"hold {lots} of {call.contract.key}: {ahead}; structure at {rupees(result)}; the call is asked "
        f"{at_price(off.ask)}, {_why_not_bought_back(off)}"
    )


def _why_not_bought_back(off: SquareOff) -> str:
    if off.ask > off.level:
        return f"square-off at {at_price(off.level)}"
    if not isfinite(off.carry):
        return "nominal, but without an IV in its chain carrying it cannot be priced"
    return f"nominal, but buying it back costs {rupees(off.cost)}, carrying it {rupees(round(off.carry))}"
