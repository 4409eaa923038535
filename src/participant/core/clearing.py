"""The broker's own books of one client: cash, and what is held at which cost.

Told the same fills it must come to the same cash as our tradebook, by another way: the tradebook adds up what each
event realised, while here all money ever paid stands in one sum, and the cost of open futures, which nobody has to pay,
is added back. A break between the two is therefore a fault in one of them.
"""

import datetime
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from participant.core.scrip import Contract, Kind, Side, money


class Line(Struct, frozen=True):
    """What is held of one contract: units (short is negative) and their cost in paise (received is negative)."""

    contract: Contract
    quantity: int = 0
    cost: int = 0


class Unpriced(Struct, frozen=True):
    """What is held and could not be settled, and the name of the official price that it lacks."""

    contract: str
    lacks: str

    @property
    def said(self) -> str:
        """The fact in one line."""
        return f"{self.contract} is held and stays unsettled: there is no official price of {self.lacks}"


class Ledger(Struct, frozen=True):
    """All the money of one client in paise: brought in, received less paid for contracts, charged."""

    opening: int
    traded: int = 0
    charges: int = 0
    lines: dict[str, Line] = {}

    @property
    def cash(self) -> int:
        """Paise at hand: premiums and charges at once, futures when they are closed or settled."""
        not_due = sum(line.cost for line in self.lines.values() if line.contract.kind is Kind.FUTURE)
        return self.opening + self.traded - self.charges + not_due


def book(ledger: Ledger, line: Line, charges: int) -> Ledger:
    """The ledger after a fill, given as what it would be on its own: a line of signed units and signed value."""
    key = line.contract.key
    held = ledger.lines.get(key, Line(line.contract))
    quantity = held.quantity + line.quantity
    if held.quantity * line.quantity >= 0:
        cost = held.cost + line.cost
    elif abs(line.quantity) <= abs(held.quantity):
        cost = held.cost - _part(held.cost, -line.quantity, held.quantity)
    else:
        cost = line.cost - _part(line.cost, -held.quantity, line.quantity)
    return replace(
        ledger,
        traded=ledger.traded - line.cost,
        charges=ledger.charges + charges,
        lines=_with(ledger.lines, Line(line.contract, quantity, cost)),
    )


def fill_line(contract: Contract, side: Side, quantity: int, value: int) -> Line:
    """A fill of ours on its own, as a line."""
    return Line(contract, side.sign * quantity, side.sign * value)


def settle(ledger: Ledger, day: datetime.date, prices: Mapping[str, int]) -> tuple[Ledger, tuple[Unpriced, ...]]:
    """The ledger after the day's end: futures are marked, and what expires is paid out, at the official prices.

    What lacks its price stays as it is, for nothing is ever settled at another one, and is named beside the ledger.
    """
    unpriced: list[Unpriced] = []
    for key, line in list(ledger.lines.items()):
        has_expired = line.contract.expiry <= day
        if not has_expired and line.contract.kind is not Kind.FUTURE:
            continue
        name = line.contract.underlying if has_expired else key
        price = prices.get(name)
        if price is None:
            unpriced.append(Unpriced(key, name))
        elif has_expired:
            worth = money(_worth(line.contract, price), line.quantity)
            ledger = replace(ledger, traded=ledger.traded + worth, lines=_with(ledger.lines, Line(line.contract)))
        else:
            # The difference is paid: it leaves with the old cost and comes back as the new one.
            ledger = replace(ledger, lines=_with(ledger.lines, replace(line, cost=money(price, line.quantity))))
    return ledger, tuple(unpriced)


def _with(lines: Mapping[str, Line], line: Line) -> dict[str, Line]:
    kept = {key: held for key, held in lines.items() if key != line.contract.key}
    if line.quantity:
        kept[line.contract.key] = line
    return kept


def _part(amount: int, part: int, whole: int) -> int:
    """The share of an amount in whole paise, cut towards zero; `part` and `whole` have the same sign."""
    paise = abs(amount) * abs(part) // abs(whole)
    return paise if amount >= 0 else -paise


def _worth(contract: Contract, settlement: int) -> int:
    if contract.kind is Kind.FUTURE:
        return settlement
    above = settlement - contract.strike
    return max(0, above if contract.kind is Kind.CALL else -above)
