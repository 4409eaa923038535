"""The broker's own books of one client: cash, and what is held at which cost.

Told the same fills it must come to the same cash as our tradebook, by another way: the tradebook adds up what each
event realised, while here all money ever paid stands in one sum, and the cost of open futures, which nobody has to pay,
is added back. A break between the two is therefore a fault in one of them.
"""

import datetime
from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from participant.core.charges import ChargeRates
from participant.core.delivery import delivery_costs, ends_physical
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, Side, money, shares_of


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


def settle(
    ledger: Ledger, day: datetime.date, prices: Mapping[str, int], rules: Rulebook
) -> tuple[Ledger, tuple[Unpriced, ...]]:
    """The ledger after the day's end: futures are marked, what expires is paid out or delivered, at official prices.

    What lacks its price or a rule stays as it is, for nothing is ever settled by a guess, and is named beside it; so
    does what expired before this day, whose price was that of then.
    """
    unpriced: list[Unpriced] = []
    ending: dict[str, list[Line]] = {}
    for key, line in list(ledger.lines.items()):
        has_expired = line.contract.expiry <= day
        if not has_expired and line.contract.kind is not Kind.FUTURE:
            continue
        name = line.contract.underlying if has_expired else key
        is_late = line.contract.expiry < day
        price = None if is_late else prices.get(name)
        if price is None:
            unpriced.append(Unpriced(key, f"{name} on {line.contract.expiry}" if is_late else name))
        elif has_expired and (is_physical := ends_physical(rules, line.contract)) is not False:
            unpriced += [Unpriced(key, f"{name}, nor a rule of its settlement")] if is_physical is None else []
            ending.setdefault(name, []).extend([line] if is_physical else [])
        elif has_expired:
            worth = money(_worth(line.contract, price), line.quantity)
            ledger = replace(ledger, traded=ledger.traded + worth, lines=_with(ledger.lines, Line(line.contract)))
        else:
            # The difference is paid: it leaves with the old cost and comes back as the new one.
            ledger = replace(ledger, lines=_with(ledger.lines, replace(line, cost=money(price, line.quantity))))
    for name, lines in ending.items():
        ledger = _deliver(ledger, lines, prices[name], rules.charge_rates(day))
    return ledger, tuple(unpriced)


def _deliver(ledger: Ledger, lines: Sequence[Line], price: int, rates: ChargeRates) -> Ledger:
    """The ledger after lines of one underlying ended by delivery, each share at its strike, a future's at `price`.

    Shares that are not in this book come from the client's demat account, which is not part of it.
    """
    for line in lines:
        contract = line.contract
        worth = _worth(contract, price)
        signs = {Kind.FUTURE: 1, Kind.CALL: 1, Kind.PUT: -1}
        units = signs[contract.kind] * line.quantity if worth > 0 else 0
        at = price if contract.kind is Kind.FUTURE else contract.strike
        settled = money(price, line.quantity) if contract.kind is Kind.FUTURE else 0
        ledger = replace(ledger, traded=ledger.traded + settled, lines=_with(ledger.lines, Line(contract)))
        shares = shares_of(contract.underlying, contract.tick, contract.freeze)
        if units:
            held = ledger.lines.get(shares.key, Line(shares)).contract
            ledger = book(ledger, Line(held, units, money(at, units)), 0)
    charges = sum(cost for _, cost in delivery_costs([(one.contract, one.quantity) for one in lines], price, rates))
    gone = [one for one in ledger.lines.values() if one.contract.kind is Kind.STOCK and one.quantity < 0]
    kept = {key: one for key, one in ledger.lines.items() if one not in gone}
    return replace(ledger, charges=ledger.charges + charges, lines=kept)


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
