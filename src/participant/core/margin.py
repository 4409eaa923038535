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
from functools import lru_cache
from typing import Annotated

from msgspec import Meta, Struct

from participant.core.pricing import greeks, price, years_to
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
    """What one unit of a contract is valued by."""

    is_option: bool
    is_call: bool
    strike: float
    years: float


class _Held(Struct, frozen=True):
    """A contract and its signed quantity, made ready to be valued again and again."""

    quantity: int
    expiry: datetime.date
    unit: _Unit


def margin(rates: DayRates, legs: Legs, spot: int, volatility: float, at: int) -> int:
    """The margin (paise, rounded up) of signed quantities in one underlying at a spot price and a yearly volatility.

    Each contract comes once. Raises ValueError without a price or a volatility that can be.
    """
    if len({contract.underlying for contract, _ in legs}) > 1:
        raise ValueError("margin is estimated for one underlying at a time")
    if spot <= 0 or not 0 <= volatility < math.inf:
        raise ValueError(f"no margin at a price of {spot} and a volatility of {volatility}: it would come out too low")
    legs = [leg for leg in legs if leg[0].kind is not Kind.STOCK]
    today, held = day_of(at), [_held(contract, quantity, at) for contract, quantity in legs]
    # What is over is scanned apart from later expiries, and so is what ends today where the day's rules say so.
    first = today if rates.is_offset_on_last_day else today + ONE_DAY
    alone = [one for one in held if one.expiry < first]
    together = [one for one in held if one.expiry >= first]
    now = Scenario(float(spot), volatility)
    scan = sum(_scan_risk(rates, part, now) for part in (alone, together) if part)
    net_option_value = sum(one.quantity * _values(one.unit, rates, now)[0] for one in held if one.unit.is_option)
    span = max(0.0, scan + _calendar_charge(rates, together, now) - net_option_value)
    return _paise_up(span + _exposure(rates, legs, spot, today))


def crash_loss(legs: Sequence[tuple[Contract, int, int]], spot: int, move: float, volatility: float, at: int) -> int:
    """The loss (paise, positive = loss, rounded up) of (contract, quantity, price) if the spot fell by `move` at once.

    Futures fall by as many points as the spot, shares by their part of them; options are then worth their Black-76
    value on the fallen spot at the same volatility, which for calls goes to 0. `price` is what each contract is carried
    at: its mark, or its entry.
    """
    fallen = Scenario(_moved(spot, -move), volatility)
    loss = 0.0
    for contract, quantity, carried in legs:
        if contract.kind.is_option:
            after = _value(_held(contract, quantity, at).unit, fallen)
        else:
            after = carried - spot * move / (contract.lot if contract.kind is Kind.STOCK else 1)
        loss += quantity * (carried - after)
    return _paise_up(loss)


def _scan_risk(rates: MarginRates, held: Sequence[_Held], now: Scenario) -> float:
    scaled = ([one.quantity * value for value in _values(one.unit, rates, now)] for one in held)
    worth, *worths = map(sum, zip(*scaled, strict=True))
    return max(0.0, *(s.cover * (worth - then) for s, then in zip(_scenarios(rates, now), worths, strict=True)))


@lru_cache(maxsize=256)  # a decision asks for the same again and again, as it tries one number of lots after another
def _values(unit: _Unit, rates: MarginRates, now: Scenario) -> tuple[float, ...]:
    """What one unit is worth now, and then in each scenario."""
    return (_value(unit, now), *(_value(unit, then) for then in _scenarios(rates, now)))


@lru_cache(maxsize=64)  # for the same reason
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


def _calendar_charge(rates: MarginRates, held: Sequence[_Held], now: Scenario) -> float:
    """What the scan misses: expiries do not move as one. Opposite deltas of different expiries are charged per unit."""
    deltas: dict[datetime.date, float] = {}
    for one in held:
        deltas[one.expiry] = deltas.get(one.expiry, 0.0) + one.quantity * _delta(one.unit, now)
    return _matched(deltas) * rates.calendar_charge * now.forward


def _matched(deltas: Mapping[datetime.date, float]) -> float:
    return min(sum(max(0.0, d) for d in deltas.values()), sum(max(0.0, -d) for d in deltas.values()))


def _exposure(rates: MarginRates, legs: Legs, spot: int, today: datetime.date) -> float:
    """On futures either way and on short options; short options pay more on their last day."""
    charged = 0.0
    for contract, quantity in legs:
        if contract.kind is Kind.FUTURE:
            charged += abs(quantity) * rates.exposure
        elif quantity < 0:
            extra = rates.expiry_day_short_exposure if contract.expiry == today else 0.0
            charged -= quantity * (rates.exposure + extra)
    return charged * spot


def _held(contract: Contract, quantity: int, at: int) -> _Held:
    years = years_to(usual_close(contract.expiry), at)
    is_option, is_call = contract.kind is not Kind.FUTURE, contract.kind is Kind.CALL
    return _Held(quantity, contract.expiry, _Unit(is_option, is_call, float(contract.strike), years))


def _value(one: _Unit, scenario: Scenario) -> float:
    if not one.is_option:
        return scenario.forward
    return price(one.is_call, scenario.forward, one.strike, one.years, scenario.volatility)


@lru_cache(maxsize=64)  # as above
def _delta(one: _Unit, now: Scenario) -> float:
    if not one.is_option:
        return 1.0
    return greeks(one.is_call, now.forward, one.strike, one.years, now.volatility).delta


def _paise_up(value: float) -> int:
    """Price units to whole paise, rounded up; the last bits of a float decide nothing."""
    return math.ceil(round(value / PRICE_UNITS_PER_PAISA, 4))
