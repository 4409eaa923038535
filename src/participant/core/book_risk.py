"""What a scrip's book can do to the account: its greeks, and what it gains or loses where spot and volatility move.

What is held counts in full, each working or unknown order as it hurts most, filled or not, and the legs of a decision
as far as they may get, one after the other. All figures are sums of what each order adds, so the worst of all these
ways is found without trying them; tests/core/test_brain_checks.py tries them.
"""

from collections.abc import Iterable, Sequence
from math import isfinite, nan

from msgspec import Struct

from participant.core.account import BookRisk
from participant.core.cover import mark, unpaid_of
from participant.core.decision import Leg
from participant.core.market import chain_to, quoted
from participant.core.once import kept, once
from participant.core.position import Holding
from participant.core.pricing import greeks, prices, rounded, years_to
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind, money
from participant.core.strategy import Case
from participant.core.volatility import DAYS_PER_YEAR, atm_iv, forward_to, middle, strike_iv

SPOT_MOVES = (-0.10, -0.05, 0.0, 0.05, 0.10)
VOLATILITY_FACTORS = (0.5, 1.0, 1.5)
SCENARIOS = tuple((move, factor) for move in SPOT_MOVES for factor in VOLATILITY_FACTORS)
DELTA, GAMMA, VEGA, THETA, FIRST_SCENARIO = range(5)

Amounts = tuple[float, ...]


class Fills(Struct, frozen=True, dict=True):
    """Signed units: what is held, what each working order may add, and what a decision's legs add in their order."""

    held: Sequence[tuple[Contract, int]]
    working: Sequence[tuple[Contract, int]]
    legs: Sequence[tuple[Contract, int]]

    @kept
    def contracts(self) -> list[Contract]:
        """Every contract of it, once."""
        return list(dict.fromkeys(c for part in (self.held, self.working, self.legs) for c, _ in part))


def fills_of(case: Case, legs: Iterable[Leg]) -> Fills:
    """The ways in which the position can change from here."""
    position = case.position
    return Fills(
        [(h.contract, h.quantity) for h in position.holdings],
        [(w.contract, w.quantity) for w in position.working],
        [(leg.contract, leg.side.sign * leg.quantity) for leg in legs],
    )


def book_risk(case: Case, legs: Iterable[Leg] = ()) -> BookRisk | None:
    """The risk of what is held, works and is decided; None of a scrip with nothing of these."""
    fills = fills_of(case, legs)
    units = {contract: unit(case, contract) for contract in fills.contracts}
    if not units:
        return None
    amounts = {contract: found for contract, found in units.items() if found is not None}
    low, high = bounds(fills, {c: amounts.get(c) or unvalued(case, c) for c in units})
    greeks_of = zip(low[:FIRST_SCENARIO], high[:FIRST_SCENARIO], strict=True)
    at_most = [_paise(max(ends, key=abs)) for ends in greeks_of]
    return BookRisk(
        delta=at_most[DELTA],
        gamma=at_most[GAMMA],
        vega=at_most[VEGA],
        theta=at_most[THETA],
        worth=sum(_worth(case, h) for h in case.position.holdings),
        scenarios=tuple(map(_paise, low[FIRST_SCENARIO:])),
        short=short_values(fills),
        beta=case.scrip.beta,
        sector=case.scrip.sector,
        unknown=min((c.key for c in units if c not in amounts), default=""),
    )


def bounds(fills: Fills, units: dict[Contract, Amounts]) -> tuple[list[float], list[float]]:
    """The least and the most of each figure over every set of working orders and every part of the legs that fills."""
    nothing = [0.0] * (FIRST_SCENARIO + len(SCENARIOS))
    base = [sum(column) for column in zip(*_scaled(fills.held, units), strict=True)] or nothing
    if not (fills.working or fills.legs):
        return base, base
    least, most = nothing, nothing
    for adds in _scaled(fills.working, units):
        least = [total + min(0.0, one) for total, one in zip(least, adds, strict=True)]
        most = [total + max(0.0, one) for total, one in zip(most, adds, strict=True)]
    step = low = high = nothing
    for adds in _scaled(fills.legs, units):
        step = [total + one for total, one in zip(step, adds, strict=True)]
        low = [end if end < so_far else so_far for end, so_far in zip(step, low, strict=True)]
        high = [end if end > so_far else so_far for end, so_far in zip(step, high, strict=True)]
    low = [start + add + end for start, add, end in zip(base, least, low, strict=True)]
    high = [start + add + end for start, add, end in zip(base, most, high, strict=True)]
    return low, high


def _scaled(parts: Sequence[tuple[Contract, int]], units: dict[Contract, Amounts]) -> list[list[float]]:
    return [[quantity * amount for amount in units[contract]] for contract, quantity in parts]


def short_values(fills: Fills) -> dict[str, int]:
    """The strike value (paise) of options sold by day of expiry, if every sale fills and no purchase does."""
    units: dict[Contract, int] = {}
    for contract, quantity in (*fills.held, *((c, q) for c, q in (*fills.working, *fills.legs) if q < 0)):
        units[contract] = units.get(contract, 0) + quantity
    values: dict[str, int] = {}
    for contract, quantity in units.items():
        if quantity < 0 and contract.strike:
            day = contract.expiry.isoformat()
            values[day] = values.get(day, 0) + money(contract.strike, -quantity)
    return values


@once
def unit(case: Case, contract: Contract) -> Amounts | None:
    """Delta, gamma, vega and theta of one unit and its gain in each scenario, in price units; None without an IV.

    Delta and gamma are already those of its underlying's value, gamma for a move of 1 %.
    """
    spot = float(case.market.spot)
    if contract.kind is Kind.STOCK:
        spot /= contract.lot
    if not contract.strike:
        return (spot, 0.0, 0.0, 0.0, *[move * spot for move, _ in SCENARIOS])
    forward, sigma = _forward_and_iv(case, contract)
    if not isfinite(sigma):
        return None
    is_call, strike = contract.kind is Kind.CALL, float(contract.strike)
    years = years_to(case.rules.expiry_at(contract.expiry), case.at)
    g = greeks(is_call, forward, strike, years, sigma)
    moved = {move: max(1.0, forward + move * spot) for move in SPOT_MOVES}
    cases = [(moved[move], sigma * factor) for move, factor in SCENARIOS]
    now, *then = prices(is_call, strike, years, ((forward, sigma), *cases))
    gains = [worth - now for worth in then]
    return (g.delta * spot, g.gamma * spot * spot / 100, g.vega / 100, g.theta / DAYS_PER_YEAR, *gains)


def unvalued(case: Case, contract: Contract) -> Amounts:
    """What stands for an option without any IV: the whole delta, no greeks, and its intrinsic value."""
    spot, sign = float(case.market.spot), 1.0 if contract.kind is Kind.CALL else -1.0
    at = [max(0.0, sign * (spot + move * spot - contract.strike)) for move in (0.0, *SPOT_MOVES)]
    gains = {move: value - at[0] for move, value in zip(SPOT_MOVES, at[1:], strict=True)}
    return (sign * spot, 0.0, 0.0, 0.0, *(gains[move] for move, _ in SCENARIOS))


def _forward_and_iv(case: Case, contract: Contract) -> tuple[float, float]:
    """The forward of a contract's expiry, and its own IV, else that at the money, else the look-back's last."""
    market = case.market
    history = market.look_back.iv30
    last = history[-1] if history and history[-1] > 0 else nan
    chain = chain_to(market, contract.expiry)
    if chain is None:
        return float(market.spot), last
    years = years_to(case.rules.expiry_at(contract.expiry), case.at)
    forward = forward_to(market, chain, years).level
    if years <= 0:
        return forward, 0.0  # over: worth what it is in the money
    own = strike_iv(contract.kind is Kind.CALL, quoted(market, contract), forward, contract.strike, years)
    if isfinite(own):
        return forward, own
    return forward, next((iv for iv in (atm_iv(chain, forward, years), last) if isfinite(iv)), nan)


def _worth(case: Case, holding: Holding) -> int:
    """What a holding adds to the account's cash (paise), by the middle of its quote; at its cost where it has none.

    Of a future, and of shares that a person has declared, that is the gain on what they cost.
    """
    contract, quote, unpaid = holding.contract, quoted(case.market, holding.contract), unpaid_of(case.position, holding)
    if quote is not None and quote.is_valid:
        return money(round(middle(quote)), holding.quantity) - unpaid
    known = mark(case.market, contract) if contract.kind is Kind.STOCK else None
    return (money(known, holding.quantity) if known is not None else holding.cost) - unpaid


def _paise(value: float) -> int:
    return round(rounded(value / PRICE_UNITS_PER_PAISA))
