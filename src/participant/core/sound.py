"""What a verdict must be, whatever its strategy says, before the brain looks at its risk: orders that can be sent.

A strategy may come from anybody's package. What it hands over is taken at its word in nothing that can be counted.
"""

from participant.core.book_risk import fills_of
from participant.core.decision import Action, Leg
from participant.core.plan import Plan, naked_units
from participant.core.scrip import Kind
from participant.core.strategy import Case, Verdict


def unsound(plan: Plan) -> str:
    """Why a verdict cannot be carried out as it stands, or an empty string."""
    case, verdict = plan.case, plan.verdict
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
    if leg.quantity <= 0 or (verdict.action is Action.OPEN and leg.quantity % contract.lot):
        return f"{leg.quantity} units where a lot has {contract.lot}"
    return f"limit {leg.limit} and margin {leg.margin}" if leg.limit <= 0 or leg.margin < 0 else ""


def _bares(plan: Plan) -> str:
    """A close leaves no more options without cover, at any step of it, than there are before it."""
    for kind in (Kind.CALL, Kind.PUT):
        before, after = naked_units(fills_of(plan.case, ()), kind), naked_units(plan.fills, kind)
        if after > before:
            return f"it closes, and {after:,} units of options sold would have no cover where {before:,} have none now"
    return ""


def _opens(plan: Plan) -> str:
    """A close only makes smaller what is held: as an opening under another name no check would have judged it."""
    left = dict(plan.fills.held)
    for contract, quantity in plan.fills.legs:
        held = left.get(contract, 0)
        if quantity * held >= 0 or abs(quantity) > abs(held):
            done = "buys" if quantity > 0 else "sells"
            return f"it closes, and {done} {abs(quantity):,} {contract.key} where {held:+,} are held"
        left[contract] = held + quantity
    return ""
