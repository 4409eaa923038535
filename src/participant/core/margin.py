"""What a portfolio in one underlying is likely to need as margin: an estimate; the broker's figure rules.

SPAN-like, futures and options together: `max(0, scan risk + calendar charge - net option value)` plus exposure.
The scan risk is the worst loss over 16 scenarios: the forward moved by 0, 1/3, 2/3 and all of the price scan range,
each with volatility up and down, and two extreme moves of which only a part counts. The net option value is what the
options are worth now, negative for a net short book: what was received for an option is not ours to lose again.

Shares are paid for in full: they need no margin and give none back. A call that is written against them is margined as
if it stood alone, as brokers do.

Three things differ from the clearing corporation. Every option is valued on one forward (`spot`) at one volatility, the
caller's (its at-the-money implied one), where SPAN has a smile and its own slow daily estimate: above 17.4 % a year
ours widens the scan range at once, theirs lags; where the ranges of the day are published and named
(`Rulebook.scans`), those hold instead. There is no look-ahead of a day. And `spot` stands for the future's
price too: hand in the future's for a book with futures in it.
How far off that is, by a broker's figures, a SPAN file's and the published ranges: docs/margins.md.
"""

import datetime
import math
from collections.abc import Mapping, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from participant.core.market import MarketState
from participant.core.once import once
from participant.core.pricing import greeks, price, prices, worst_loss, years_to
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind
from participant.core.session import day_of, usual_close

SESSIONS_A_YEAR = 252
ONE_DAY = datetime.timedelta(days=1)
STEPS = (0.0, 1 / 3, -1 / 3, 2 / 3, -2 / 3, 1.0, -1.0)

Legs = Sequence[tuple[Contract, int]]
NotNegative = Annotated[float, Meta(ge=0.0)]


class MarginRates(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The parameters of an index's margin, all fractions but the sigmas (of a day) and the multiple."""

    price_scan_sigmas: NotNegative
    price_scan_min: NotNegative
    volatility_scan_share: NotNegative
    volatility_scan_min: NotNegative
    extreme_multiple: NotNegative
    extreme_cover: NotNegative
    calendar_charge: NotNegative
    exposure: NotNegative
    expiry_day_short_exposure: NotNegative


class DayRates(MarginRates, frozen=True, kw_only=True):
    """The parameters of a day: with whether what expires on it is still set off against later expiries."""

    is_offset_on_last_day: bool


class Scenario(Struct, frozen=True):
    """A forward and a volatility to value the book at, and how much of the loss counts."""

    forward: float
    volatility: float
    cover: float = 1.0


class _Unit(Struct, frozen=True):
    """One unit of a contract: what it is worth now and then in each scenario, and its delta."""

    contract: Contract
    is_option: bool
    worths: tuple[float, ...]
    delta: float


class Scan(Struct, frozen=True, dict=True):
    """Contracts made ready: their margin is asked for one set of quantities after another.

    `covers` is how much of each scenario's loss counts, `parts` the places of the contracts that are scanned together,
    `together` those of them that are set off against each other across expiries.
    """

    rates: MarginRates
    forward: float
    covers: tuple[float, ...]
    units: tuple[_Unit, ...]
    parts: tuple[tuple[int, ...], ...]
    together: tuple[int, ...]
    today: datetime.date

    @once
    def margin(self, quantities: tuple[int, ...]) -> int:
        """The margin (paise, rounded up) of so many units of each contract, signed."""
        scan = net_option_value = 0.0
        for part in self.parts:
            scan += self._risk(part, quantities)
        for quantity, unit in zip(quantities, self.units, strict=True):
            if unit.is_option:
                net_option_value += quantity * unit.worths[0]
        span = max(0.0, scan + self._calendar_charge(quantities) - net_option_value)
        return _paise_up(span + self._exposure(quantities))

    def _risk(self, part: Sequence[int], quantities: Sequence[int]) -> float:
        """The worst loss over the scenarios of what is scanned together."""
        worths = tuple([self.units[i].worths for i in part])
        return worst_loss(tuple([quantities[i] for i in part]), worths, self.covers)

    def _calendar_charge(self, quantities: Sequence[int]) -> float:
        """What the scan misses: expiries do not move as one. Opposite deltas of different ones are charged per unit."""
        deltas: dict[datetime.date, float] = {}
        for i in self.together:
            expiry, delta = self.units[i].contract.expiry, quantities[i] * self.units[i].delta
            deltas[expiry] = deltas.get(expiry, 0.0) + delta
        return _matched(deltas) * self.rates.calendar_charge * self.forward if len(deltas) > 1 else 0.0

    def _exposure(self, quantities: Sequence[int]) -> float:
        """On futures either way and on short options; short options pay more on their last day."""
        rates, charged = self.rates, 0.0
        for unit, quantity in zip(self.units, quantities, strict=True):
            if not unit.is_option:
                charged += abs(quantity) * rates.exposure
            elif quantity < 0:
                extra = rates.expiry_day_short_exposure if unit.contract.expiry == self.today else 0.0
                charged -= quantity * (rates.exposure + extra)
        return charged * self.forward


class Crash(Struct, frozen=True):
    """What one unit of each contract loses (price units) where the spot falls at once."""

    falls: tuple[float, ...]

    def loss(self, quantities: Sequence[int]) -> int:
        """What so many units of each contract lose together (paise, positive = loss, rounded up)."""
        loss = 0.0
        for quantity, fall in zip(quantities, self.falls, strict=True):
            loss += quantity * fall
        return _paise_up(loss)


def margin(rates: DayRates, legs: Legs, spot: int, volatility: float, at: int) -> int:
    """The margin (paise, rounded up) of signed quantities in one underlying at a spot price and a yearly volatility.

    Each contract comes once. Raises ValueError without a price or a volatility that can be.
    """
    scanned = [leg for leg in legs if leg[0].kind is not Kind.STOCK]
    scan = scan_of(rates, [contract for contract, _ in legs], (spot, volatility), at)
    return scan.margin(tuple(quantity for _, quantity in scanned))


@once
def scan_in(market: MarketState, rates: DayRates, contracts: tuple[Contract, ...], at: tuple[int, float]) -> Scan:
    """`scan_of` at a market state's instant, made ready once for all who ask: `at` is the price and the volatility."""
    return scan_of(rates, contracts, at, market.exchange_at)


def scan_of(rates: DayRates, contracts: Sequence[Contract], market: tuple[int, float], at: int) -> Scan:
    """Contracts of one underlying made ready at a spot price and a yearly volatility: those that are not shares.

    Raises ValueError as `margin` does.
    """
    spot, volatility = market
    if len({contract.underlying for contract in contracts}) > 1:
        raise ValueError("margin is estimated for one underlying at a time")
    if spot <= 0 or not 0 <= volatility < math.inf:
        raise ValueError(f"no margin at a price of {spot} and a volatility of {volatility}: it would come out too low")
    now, today = Scenario(float(spot), volatility), day_of(at)
    scenarios = _scenarios(rates, now)
    units = tuple(_unit(one, (now, *scenarios), at) for one in contracts if one.kind is not Kind.STOCK)
    # What is over is scanned apart from later expiries, and so is what ends today where the day's rules say so.
    first = today if rates.is_offset_on_last_day else today + ONE_DAY
    alone = tuple(i for i, unit in enumerate(units) if unit.contract.expiry < first)
    together = tuple(i for i, unit in enumerate(units) if unit.contract.expiry >= first)
    covers, parts = tuple(then.cover for then in scenarios), tuple(filter(None, (alone, together)))
    return Scan(rates, now.forward, covers, units, parts, together, today)


def crash_loss(legs: Sequence[tuple[Contract, int, int]], spot: int, move: float, volatility: float, at: int) -> int:
    """The loss (paise, positive = loss, rounded up) of (contract, quantity, price) if the spot fell by `move` at once.

    Futures fall by as many points as the spot, shares by their part of them; options are then worth their Black-76
    value on the fallen spot at the same volatility, which for calls goes to 0. `price` is what each contract is carried
    at: its mark, or its entry.
    """
    carried = [(contract, price) for contract, _, price in legs]
    return crash_of(carried, (spot, volatility), move, at).loss([quantity for _, quantity, _ in legs])


def crash_of(carried: Sequence[tuple[Contract, int]], market: tuple[int, float], move: float, at: int) -> Crash:
    """The same of (contract, price), made ready for one set of quantities after another."""
    spot, volatility = market
    fallen = Scenario(_moved(spot, -move), volatility)
    falls = []
    for contract, price_of in carried:
        if contract.kind.is_option:
            after = _value(contract, fallen, at)
        else:
            after = price_of - spot * move / (contract.lot if contract.kind is Kind.STOCK else 1)
        falls.append(price_of - after)
    return Crash(tuple(falls))


def _unit(contract: Contract, scenarios: Sequence[Scenario], at: int) -> _Unit:
    now = scenarios[0]
    if not contract.kind.is_option:
        return _Unit(contract, False, tuple(then.forward for then in scenarios), 1.0)
    is_call, strike, years = contract.kind is Kind.CALL, float(contract.strike), _years(contract, at)
    worths = prices(is_call, strike, years, tuple([(then.forward, then.volatility) for then in scenarios]))
    return _Unit(contract, True, worths, greeks(is_call, now.forward, strike, years, now.volatility).delta)


def _scenarios(rates: MarginRates, now: Scenario) -> tuple[Scenario, ...]:
    reach = max(rates.price_scan_min, rates.price_scan_sigmas * now.volatility / math.sqrt(SESSIONS_A_YEAR))
    shift = max(rates.volatility_scan_min, rates.volatility_scan_share * now.volatility)
    up, down = now.volatility + shift, max(0.0, now.volatility - shift)
    scan = [Scenario(_moved(now.forward, step * reach), v) for step in STEPS for v in (up, down)]
    far = reach * rates.extreme_multiple
    return (*scan, *(Scenario(_moved(now.forward, d), now.volatility, rates.extreme_cover) for d in (far, -far)))


def _moved(forward: float, by: float) -> float:
    """The forward moved by a fraction; it never falls below one price unit."""
    return max(1.0, forward * (1.0 + by))


def _matched(deltas: Mapping[datetime.date, float]) -> float:
    up = down = 0.0
    for delta in deltas.values():
        if delta > 0:
            up += delta
        else:
            down -= delta
    return min(up, down)


def _years(contract: Contract, at: int) -> float:
    return years_to(usual_close(contract.expiry), at)


def _value(contract: Contract, scenario: Scenario, at: int) -> float:
    is_call, strike = contract.kind is Kind.CALL, float(contract.strike)
    return price(is_call, scenario.forward, strike, _years(contract, at), scenario.volatility)


def _paise_up(value: float) -> int:
    """Price units to whole paise, rounded up; the last bits of a float decide nothing."""
    return math.ceil(round(value / PRICE_UNITS_PER_PAISA, 4))
