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
from collections.abc import Sequence
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
Cases = tuple[tuple[float, float], ...]  # forwards and volatilities to value a book at
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


class Scan(Struct, frozen=True, dict=True):
    """Contracts made ready: their margin is asked for one set of quantities after another.

    `covers` is how much of each scenario's loss counts; `parts` are the places of the contracts that are scanned
    together, and what a unit of each is worth now and then in each scenario. Of the options `options` has places and
    present worths, of those that are set off against each other across expiries `expiries` places and deltas, an expiry
    each. `exposures` is what a unit of each asks for as exposure, a share of the forward: one bought, and one sold.
    """

    rates: MarginRates
    forward: float
    covers: tuple[float, ...]
    parts: tuple[tuple[tuple[int, ...], tuple[tuple[float, ...], ...]], ...]
    options: tuple[tuple[int, float], ...]
    expiries: tuple[tuple[tuple[int, float], ...], ...]
    exposures: tuple[tuple[float, float], ...]

    @once
    def margin(self, quantities: tuple[int, ...]) -> int:
        """The margin (paise, rounded up) of so many units of each contract, signed."""
        scan = net_option_value = charged = 0.0
        for places, worths in self.parts:
            scan += worst_loss(tuple([quantities[i] for i in places]), worths, self.covers)
        for i, worth in self.options:
            net_option_value += quantities[i] * worth
        span = max(0.0, scan + self._calendar_charge(quantities) - net_option_value)
        for quantity, (bought, sold) in zip(quantities, self.exposures, strict=True):
            charged += quantity * bought if quantity > 0 else -quantity * sold
        return _paise_up(span + charged * self.forward)

    def _calendar_charge(self, quantities: Sequence[int]) -> float:
        """What the scan misses: expiries do not move as one. Opposite deltas of different ones are charged per unit."""
        if len(self.expiries) < 2:
            return 0.0
        up = down = 0.0
        for of in self.expiries:
            delta = 0.0
            for i, each in of:
                delta += quantities[i] * each
            if delta > 0:
                up += delta
            else:
                down -= delta
        return min(up, down) * self.rates.calendar_charge * self.forward


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
    now, today = (float(spot), volatility), day_of(at)
    cases, covers = _scenarios(rates, *now)
    scanned = [one for one in contracts if one.kind is not Kind.STOCK]
    units = [_unit(one, (now, *cases), at) for one in scanned]
    # What is over is scanned apart from later expiries, and so is what ends today where the day's rules say so.
    first = today if rates.is_offset_on_last_day else today + ONE_DAY
    alone, together, expiries = list[int](), list[int](), dict[datetime.date, list[tuple[int, float]]]()
    for i, one in enumerate(scanned):
        (together if one.expiry >= first else alone).append(i)
        if one.expiry >= first:
            expiries.setdefault(one.expiry, []).append((i, units[i][1]))
    return Scan(
        rates=rates,
        forward=now[0],
        covers=covers,
        parts=tuple([(tuple(part), tuple([units[i][0] for i in part])) for part in (alone, together) if part]),
        options=tuple([(i, units[i][0][0]) for i, one in enumerate(scanned) if one.kind.is_option]),
        expiries=tuple(map(tuple, expiries.values())),
        exposures=tuple([_exposure(rates, one, today) for one in scanned]),
    )


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
    fallen, falls = (_moved(spot, -move), volatility), []
    for contract, price_of in carried:
        if contract.kind.is_option:
            after = _value(contract, fallen, at)
        else:
            after = price_of - spot * move / (contract.lot if contract.kind is Kind.STOCK else 1)
        falls.append(price_of - after)
    return Crash(tuple(falls))


def _unit(contract: Contract, cases: Cases, at: int) -> tuple[tuple[float, ...], float]:
    """What a unit is worth in each case of a forward and a volatility, and its delta in the first."""
    if not contract.kind.is_option:
        return tuple([forward for forward, _ in cases]), 1.0
    is_call, strike, years = contract.kind is Kind.CALL, float(contract.strike), _years(contract, at)
    return prices(is_call, strike, years, cases), greeks(is_call, cases[0][0], strike, years, cases[0][1]).delta


def _exposure(rates: MarginRates, contract: Contract, today: datetime.date) -> tuple[float, float]:
    """On futures either way and on short options; short options pay more on their last day."""
    if not contract.kind.is_option:
        return rates.exposure, rates.exposure
    extra = rates.expiry_day_short_exposure if contract.expiry == today else 0.0
    return 0.0, rates.exposure + extra


def _scenarios(rates: MarginRates, forward: float, volatility: float) -> tuple[Cases, tuple[float, ...]]:
    """The cases that are scanned, and how much of the loss in each of them counts."""
    reach = max(rates.price_scan_min, rates.price_scan_sigmas * volatility / math.sqrt(SESSIONS_A_YEAR))
    shift = max(rates.volatility_scan_min, rates.volatility_scan_share * volatility)
    up, down = volatility + shift, max(0.0, volatility - shift)
    moved = [_moved(forward, step * reach) for step in STEPS]
    far = reach * rates.extreme_multiple
    scan = [(then, sigma) for then in moved for sigma in (up, down)]
    extreme = (_moved(forward, far), volatility), (_moved(forward, -far), volatility)
    return (*scan, *extreme), (1.0,) * len(scan) + (rates.extreme_cover,) * len(extreme)


def _moved(forward: float, by: float) -> float:
    """The forward moved by a fraction; it never falls below one price unit."""
    return max(1.0, forward * (1.0 + by))


def _years(contract: Contract, at: int) -> float:
    return years_to(usual_close(contract.expiry), at)


def _value(contract: Contract, case: tuple[float, float], at: int) -> float:
    is_call, strike, (forward, sigma) = contract.kind is Kind.CALL, float(contract.strike), case
    return price(is_call, forward, strike, _years(contract, at), sigma)


def _paise_up(value: float) -> int:
    """Price units to whole paise, rounded up; the last bits of a float decide nothing."""
    paise = value / PRICE_UNITS_PER_PAISA
    whole = math.floor(paise)
    rest = paise - whole
    if 4e-5 < rest < 6e-5:  # only so near to where four decimals are rounded does it take the rounding to tell
        return math.ceil(round(paise, 4))
    return whole + (rest > 5e-5)
