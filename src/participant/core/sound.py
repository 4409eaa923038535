"""What a verdict must be, whatever its strategy says, before the brain looks at its risk: orders that can be sent.

A strategy may come from anybody's package. What it hands over is taken at its word in nothing that can be counted.
"""

from participant.core.book_risk import fills_of
from participant.core.decision import Action, Leg
from participant.core.market import MarketState, option
from participant.core.plan import Plan, naked_units
from participant.core.scrip import Contract, Kind
from participant.core.strategy import Case, Verdict


def unsound(plan: Plan) -> str:
    """Why a verdict cannot be carried out as it stands, or an empty string."""
    case, verdict = plan.case, plan.verdict
    if not _is(verdict.action, Action):  # a mere word is equal to one, and is none: no check would bind it
        return f"its action is {verdict.action!r}, no Action"
    if verdict.action is Action.MAINTAIN:
        return "it maintains, and yet has legs" if verdict.legs else ""
    for leg in verdict.legs:
        fault = _fault(case, leg, verdict)
        if fault:
            return f"the leg in {leg.contract.key} has {fault}"
    return _bares(plan) or _opens(plan) if verdict.action is Action.CLOSE else ""


def _fault(case: Case, leg: Leg, verdict: Verdict) -> str:
    """What of a leg cannot be. A close may have part of a lot: what an exchange's change of lots has left."""
    contract = leg.contract
    if contract.underlying != case.scrip.symbol:
        return f"the underlying {contract.underlying}, not {case.scrip.symbol}"
    if min(contract.lot, contract.tick, contract.freeze) <= 0 or contract.freeze < contract.lot:
        terms = f"lot {contract.lot}, tick {contract.tick} and freeze quantity {contract.freeze}"
        return f"{terms}, of which no order can be made"
    if verdict.action is Action.OPEN and not _has_listed_terms(case.market, contract):
        terms = f"lot {contract.lot}, tick {contract.tick} and freeze quantity {contract.freeze}"
        return f"{terms}, which are not those that the market state lists"
    if leg.quantity <= 0 or (verdict.action is Action.OPEN and leg.quantity % contract.lot):
        return f"{leg.quantity} units where a lot has {contract.lot}"
    is_price = _is(leg.limit, int) and leg.limit > 0
    return "" if is_price and leg.margin >= 0 else f"limit {leg.limit} and margin {leg.margin}"


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind)  # what a package hands over is of the type that it says only if it was checked


def _has_listed_terms(market: MarketState, contract: Contract) -> bool:
    """Whether an option or shares are on the terms of the market state; what it does not list has no quote to open at.

    A future that is not on its terms has no quote either.
    """
    if contract.kind is Kind.STOCK:
        return market.shares is None or contract == market.shares
    chain = next((c for c in market.chains if contract.kind.is_option and c.expiry == contract.expiry), None)
    return chain is None or contract == option(market.scrip, chain, contract.kind, contract.strike)


def _bares(plan: Plan) -> str:
    """A close leaves no more options without cover, at any step of it, than there are before it."""
    for kind in (Kind.CALL, Kind.PUT):
        before, after = naked_units(fills_of(plan.case, ()), kind), naked_units(plan.fills, kind)
        if after > before:
            return f"it closes, and {after:,} units of options sold would have no cover where {before:,} have none now"
    return ""


def _opens(plan: Plan) -> str:
    """A close only makes smaller what is held: as an opening under another name no check would have judged it.

    What works counts as filled where it makes the holding smaller: a second close beside it would turn it round.
    """
    left = dict(plan.fills.held)
    for contract, quantity in plan.fills.working:
        if quantity * left.get(contract, 0) < 0:
            left[contract] += quantity
    working = {contract for contract, _ in plan.fills.working}
    for contract, quantity in plan.fills.legs:
        held = left.get(contract, 0)
        if quantity * held >= 0 or abs(quantity) > abs(held):
            done = "buys" if quantity > 0 else "sells"
            told = "are left once what works has filled" if contract in working else "are held"
            return f"it closes, and {done} {abs(quantity):,} {contract.key} where {held:+,} {told}"
        left[contract] = held + quantity
    return ""
