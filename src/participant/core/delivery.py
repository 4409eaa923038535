"""Contracts on stocks that end by delivery: which shares change hands, at which price, at which charges.

All that ends on one day in one underlying nets out: a long future takes the shares that a call in the money gives away.
Only what is left is delivered, and only that bears charges (`core/charges.py`).
"""

import datetime
from collections.abc import Iterator, Sequence
from math import ceil

from participant.core.charges import ChargeRates, delivery_charges
from participant.core.events import Delivered
from participant.core.position import Holding, Position, delivered_units, delivery_price
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.scrip import Contract, Kind, Side, money, shares_of

NEAR_DAYS = 14  # before that no contract asks a margin for its delivery; no four sessions take longer
SESSIONS_SEARCHED = 20


def ends_physical(rules: Rulebook, contract: Contract) -> bool | None:
    """Whether a contract ends by delivery of shares; None where no rule says it."""
    try:
        return rules.physical(contract.underlying, contract.expiry)
    except OutsideRules:
        return None


def sessions_until(rules: Rulebook, day: datetime.date, end: datetime.date) -> int:
    """The sessions after a day up to another, it included; SESSIONS_SEARCHED at most."""
    left = 0
    while left < SESSIONS_SEARCHED and (day := rules.next_session(day)) <= end:
        left += 1
    return left


def delivery_margin(rules: Rulebook, legs: Sequence[tuple[Contract, int]], spot: int, day: datetime.date) -> int:
    """What long options in the money ask (paise, rounded up) in the last sessions before they end in shares.

    A share of VaR + ELM of the stock, for which the least scan range and the exposure stand; all of it where no rule
    has the share.
    """
    asked = 0.0
    for contract, quantity in legs:
        is_in = spot > contract.strike if contract.kind is Kind.CALL else spot < contract.strike
        is_near = day <= contract.expiry and (contract.expiry - day).days <= NEAR_DAYS
        if contract.kind.is_option and quantity > 0 and is_in and is_near:
            rates = rules.margin_rates(contract.underlying, day)
            whole = (rates.price_scan_min + rates.exposure) * money(spot, quantity)
            asked += _delivery_share(rules, contract, day) * whole
    return ceil(round(asked, 4))


def _delivery_share(rules: Rulebook, contract: Contract, day: datetime.date) -> float:
    try:
        left = sessions_until(rules, day, contract.expiry)
        return rules.delivery_margin(contract.underlying, left, contract.expiry)
    except OutsideRules:
        return 1.0


def deliveries(
    position: Position, ended: Sequence[Holding], price: int, rates: ChargeRates, at: int
) -> Iterator[Delivered]:
    """The book events by which these holdings of a position end at the official price of their underlying."""
    shares = _shares(position, ended[0].contract) if ended else None
    legs = [(h.contract, h.quantity) for h in ended]
    for contract, cost in delivery_costs(legs, price, rates):
        assert shares is not None  # there is a holding
        yield Delivered(contract, price, shares, at, cost)


def delivery_costs(legs: Sequence[tuple[Contract, int]], price: int, rates: ChargeRates) -> list[tuple[Contract, int]]:
    """Each contract that ends, in the order of delivery (futures first), and the charges (paise) that it bears."""
    ordered = sorted(legs, key=lambda leg: (leg[0].kind is not Kind.FUTURE, leg[0]))
    units = {contract: delivered_units(contract, quantity, price) for contract, quantity in ordered}
    net = sum(units.values())
    side, left, costs = Side.BUY if net > 0 else Side.SELL, abs(net), []
    for contract, delivered in units.items():
        charged = min(left, abs(delivered)) if delivered * net > 0 else 0
        left -= charged
        value = money(delivery_price(contract, price), charged)
        costs.append((contract, delivery_charges(rates, side, value).total))
    return costs


def _shares(position: Position, ended: Contract) -> Contract:
    """The shares of what ended: those that are held, else in the steps of the contract."""
    held = (h.contract for h in position.holdings if h.contract.kind is Kind.STOCK)
    return next(held, shares_of(ended.underlying, ended.tick, ended.freeze))
