"""P&L explain: where a day's result of a structure came from, in paise; the parts add up to the booked result.

For each lot of q units that went from a state (price p, spot S, forward F, implied volatility v, years to expiry t) to
the day's end (p', S', F', v', t'), by the Taylor expansion of Black-76 at the first state (Hull, Options, Futures and
Other Derivatives, chapter "The Greek Letters": dP = delta dF + 1/2 gamma dF^2 + vega dv + theta dt):

    delta     q Delta (S' - S)                    what the underlying moved
    carry     q Delta ((F' - S') - (F - S))       what the basis, the cost of carrying, moved
    gamma     q 1/2 Gamma (F' - F)^2
    theta     q Theta (t - t')
    vega      q Vega (v' - v); 0 where the end has no volatility, as at expiry
    charges   less all charges of the day's fills
    residual  the booked result less all of the above: higher orders, rounding, what had no market to be explained by

A lot is what was held as the day began (from the last close), or a fill (from its own price, in the market that it was
booked in). A fill that closes is a lot of the other sign: the two cancel from there on. A future has Delta 1 and no
other greek. It settles in cash every day: what is paid and the new cost cancel, so its result is the move of its mark.
Shares are explained by the move of their own price: all of it is delta.
The booked result is the change of the desk's worth: units x price at the end, less the same at the start, less paid.
"""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import Struct, structs

from participant.core.pricing import greeks
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind, money


class PriceMark(Struct, frozen=True):
    """A contract's price in its market: prices in 1/10,000 rupee, `sigma` annual; spot 0: no market is known."""

    price: int
    spot: int = 0
    forward: float = 0.0
    years: float = 0.0
    sigma: float | None = None


class Flow(Struct, frozen=True):
    """Units that came in (bought) or went out (sold, negative), what was paid for them (paise), and charges on it."""

    contract: Contract
    quantity: int
    value: int
    charges: int = 0
    mark: PriceMark | None = None


class Leg(Struct, frozen=True):
    """One contract's day: units and mark as it began, what flowed, and the mark that it ended at."""

    contract: Contract
    held: int
    start: PriceMark
    flows: tuple[Flow, ...]
    end: PriceMark


class Explained(Struct, frozen=True):
    """Where a result came from, in paise; `total` is the booked result, and the rest adds up to it."""

    delta: int = 0
    gamma: int = 0
    theta: int = 0
    vega: int = 0
    carry: int = 0
    charges: int = 0
    residual: int = 0
    total: int = 0


class _Parts(Struct):
    delta: float = 0.0
    gamma: float = 0.0
    theta: float = 0.0
    vega: float = 0.0
    carry: float = 0.0


def explain(legs: Sequence[Leg]) -> Explained:
    """The day's result of a structure, taken apart."""
    parts = _Parts()
    for leg in legs:
        for quantity, mark in _lots(leg):
            _add(parts, leg, quantity, mark)
    delta, gamma, theta, vega, carry = (round(v / PRICE_UNITS_PER_PAISA) for v in structs.astuple(parts))
    charges = -sum(f.charges for leg in legs for f in leg.flows)
    total = sum(booked(leg) for leg in legs)
    residual = total - charges - delta - gamma - theta - vega - carry
    return Explained(delta, gamma, theta, vega, carry, charges, residual, total)


def booked(leg: Leg) -> int:
    """What a contract's day brought (paise): its worth at the end, less that at the start, less paid and charged."""
    units = leg.held + sum(f.quantity for f in leg.flows)
    paid = sum(f.value + f.charges for f in leg.flows)
    return money(leg.end.price, units) - money(leg.start.price, leg.held) - paid


def added(explained: Iterable[Explained]) -> Explained:
    """Several structures together."""
    rows = [structs.astuple(e) for e in explained]
    return Explained(*(sum(column) for column in zip(*rows, strict=True)))


def _lots(leg: Leg) -> Iterator[tuple[int, PriceMark]]:
    if leg.held:
        yield leg.held, leg.start
    for flow in leg.flows:
        if flow.mark is not None:
            yield flow.quantity, flow.mark


def _add(parts: _Parts, leg: Leg, quantity: int, start: PriceMark) -> None:
    end = leg.end
    if not (start.spot and end.spot):
        return
    spot_move = end.spot - start.spot
    basis_move = (end.forward - end.spot) - (start.forward - start.spot)
    if leg.contract.kind is Kind.STOCK:
        parts.delta += quantity * (end.price - start.price)
        return
    if leg.contract.kind is Kind.FUTURE:
        parts.delta += quantity * spot_move
        parts.carry += quantity * basis_move
        return
    if start.sigma is None:
        return
    is_call, strike = leg.contract.kind is Kind.CALL, float(leg.contract.strike)
    slope = greeks(is_call, start.forward, strike, start.years, start.sigma)
    if not all(abs(g) < float("inf") for g in (slope.delta, slope.gamma, slope.theta, slope.vega)):
        return
    parts.delta += quantity * slope.delta * spot_move
    parts.carry += quantity * slope.delta * basis_move
    parts.gamma += quantity * 0.5 * slope.gamma * (spot_move + basis_move) ** 2
    parts.theta += quantity * slope.theta * (start.years - end.years)
    if end.sigma is not None:
        parts.vega += quantity * slope.vega * (end.sigma - start.sigma)
