"""What is held as one: a cover and its calls, what they have brought, and the legs that close them."""

from participant.core.cover import bought, covers
from participant.core.decision import Leg
from participant.core.market import SECOND, Quote, chain_to, levels, option, quoted
from participant.core.position import Holding, unrealised
from participant.core.scrip import Contract, Kind, Side
from participant.core.strategy import Case


def held(case: Case, kind: Kind) -> list[Holding]:
    """The holdings of one kind, earliest expiry first."""
    return [h for h in sorted(case.position.holdings, key=lambda h: h.contract) if h.contract.kind is kind]


def unquoted(case: Case, *kinds: Kind) -> str:
    """Why what is held of these kinds cannot be priced, or an empty string."""
    for kind in kinds:
        for holding in held(case, kind):
            if closing_price(case, holding) == 0:
                return f"{holding.contract.key} is held and {_absence(case, holding.contract)}"
    return ""


def _absence(case: Case, contract: Contract) -> str:
    """Why a contract has no price to close at: it is over, on other terms, not listed, or not quoted now."""
    kind, expiry = contract.kind, contract.expiry
    if case.is_over(contract):
        return f"expired on {expiry}: the books have not settled it yet"
    chain = chain_to(case.market, expiry) if kind.is_option else None
    listed = [f.contract for f in case.market.futures if f.contract.key == contract.key]
    if chain is not None and contract.strike in levels(chain):
        listed = [option(contract.underlying, chain, kind, contract.strike)]
    if kind is not Kind.STOCK and not listed:
        return "the market state does not list it"
    if listed and listed[0].lot != contract.lot:
        return f"its lot has changed from {contract.lot} to {listed[0].lot} units: the books have it on its old terms"
    if listed and listed[0] != contract:
        return "its tick or freeze quantity has changed: the books have it on its old terms"
    quote = quoted(case.market, contract)
    return (quote and _aged(case, quote)) or "has no valid quote"


def _aged(case: Case, quote: Quote) -> str:
    """How far a quote is from now where that is too far, or an empty string. One from the future has a wrong clock."""
    age, most = (case.at - quote.exchange_at) / SECOND, case.weights.quote_age_max_s
    where = f"is {age:,.0f} s old" if age >= 0 else f"is dated {-age:,.0f} s after the market state"
    return f"its quote {where}, over {most} s" if abs(age) > most else ""


def closing_price(case: Case, holding: Holding) -> int:
    """The price at which a holding can be closed now: the bid if long, the ask if short; 0 where nobody quotes it.

    What is over has none, whatever its last quote says while others trade on, nor has what was quoted too long ago, nor
    what is held on terms of before: it would be ordered in the lots and slices of before. Shares that a person has
    declared are not ours to close: they count at their part of the underlying.
    """
    if case.is_over(holding.contract):
        return 0
    if holding.contract.kind is Kind.STOCK and case.position.adopted:
        return case.market.spot // holding.contract.lot
    quote = quoted(case.market, holding.contract) if _is_on_listed_terms(case, holding.contract) else None
    if quote is None or _aged(case, quote):
        return 0
    return quote.touch(Side.SELL if holding.quantity > 0 else Side.BUY)


def _is_on_listed_terms(case: Case, contract: Contract) -> bool:
    """Whether an option has the terms that its chain lists; a future on others has no quote anyway."""
    chain = chain_to(case.market, contract.expiry) if contract.kind.is_option else None
    listed = (chain.lot, chain.tick, chain.freeze) if chain is not None else None
    return listed in (None, (contract.lot, contract.tick, contract.freeze))


def structure_result(case: Case) -> int:
    """What the structure would have brought (paise) since the book was flat, closed now; without closing charges."""
    marks = {h.contract: closing_price(case, h) for h in case.position.holdings}
    return case.position.structure_result + unrealised(case.position, lambda contract: marks[contract])


def closing_legs(case: Case, kind: Kind, units: int) -> tuple[Leg, ...]:
    """The legs that close so many units of what is held of a kind, earliest expiry first, at the far touch.

    In whole lots, rather more than less: no order can have a part of one. What has no price is left out.
    """
    side = Side.BUY if kind is Kind.CALL else Side.SELL
    legs = []
    for holding in held(case, kind):
        lot = holding.contract.lot
        quantity, price = min(-(-units // lot) * lot, abs(holding.quantity)), closing_price(case, holding)
        if quantity > 0 and price > 0:
            legs.append(Leg(holding.contract, side, quantity, price))
            units -= quantity
    return tuple(legs)


def selling_legs(case: Case, units: int) -> tuple[Leg, ...]:
    """The legs that sell so many units of the cover that was bought, futures first, at the bid; no part of a lot."""
    legs = []
    for holding in covers(case.position):
        lot = holding.contract.lot if holding.contract.kind is Kind.FUTURE else 1
        quantity = min(units // lot * lot, bought(case.position, holding))
        if quantity > 0:
            legs.append(Leg(holding.contract, Side.SELL, quantity, closing_price(case, holding)))
            units -= quantity
    return tuple(legs)
