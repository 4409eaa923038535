"""Cover that a person holds and declares: how much of it there is, and that it is never less than the calls need."""

from participant.core.position import Position
from participant.core.scrip import Contract, Kind


def refusal(position: Position, contract: Contract, quantity: int) -> str:
    """Why the cover declared cannot be so much from now on, or an empty string.

    `position` has with it all that is ordered and not yet filled: what may still sell calls or cover counts as sold.
    """
    held = [h for h in position.holdings if h.contract.kind is Kind.STOCK]
    bought = sum(h.quantity for h in held) - position.adopted
    if bought:
        return f"the desk holds {bought:,} shares that it has bought itself; declare a cover once they are sold"
    if quantity < 0:
        return f"{quantity:,} units cannot be held"
    others = {h.contract: h.quantity for h in position.holdings if h.contract.kind is not Kind.STOCK}
    for one in position.working:
        if one.quantity < 0:
            others[one.contract] = others.get(one.contract, 0) + one.quantity
    calls = sum(max(0, -q) for c, q in others.items() if c.kind is Kind.CALL)
    cover = contract.covers(quantity) + sum(c.covers(q) for c, q in others.items())
    if cover >= calls:
        return ""
    return (
        f"{calls:,} units of calls are written or ordered, and {quantity:,} of {contract.key} would leave "
        f"{cover:,} units of cover: buy the calls back first, or let them expire"
    )
