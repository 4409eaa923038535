"""The clearing corporation's risk parameter file of a day (`.spn`), by a maintained reader: the extra `span`.

The reader takes a number that it cannot read as 0, so what a margin stands on is checked here before it is used.
"""

import datetime
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from msgspec import Struct

from participant.core.margin import ONE_DAY, MarginRates, margin
from participant.core.pricing import implied_volatility, rounded, years_to
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS, Contract, Kind
from participant.core.session import at_time, day_of, usual_close
from participant.history.pages import BadData

MISSING = "reading .spn files needs the extra `span`: say `pip install 'participant[span]'`"
SIDES = {Kind.CALL: "C", Kind.PUT: "P"}

Legs = Sequence[tuple[Contract, int]]


class Required(Struct, frozen=True):
    """What a file asks for and what we would have estimated, in paise; and what the estimate stands on.

    `level` is a price, `volatility` a yearly one; where the file implies none there is no estimate.
    """

    symbol: str
    day: datetime.date
    span: int
    exposure: int
    estimate: int | None
    level: int
    volatility: float | None

    @property
    def total(self) -> int:
        """SPAN and exposure together."""
        return self.span + self.exposure


def required(file: Path, legs: Legs, rules: Rulebook) -> Required:
    """The margin of signed quantities in one underlying by a file, and our estimate at the end of its day.

    Raises BadData where the file is damaged or lacks a contract, OutsideRules where no rule is known for its day.
    """
    try:
        from marginism.algorithm import ResolvedPosition, compute_commodity
    except ImportError:
        raise BadData(MISSING) from None
    (symbol,) = {contract.underlying for contract, _ in legs}
    day, commodity = _read(file, symbol)
    found = [(contract, units, _find(file, commodity, contract)) for contract, units in legs]
    span = 0.0
    rates, at = rules.margin_rates(symbol, day), at_time(day, 15, 30)
    first = day if rates.is_offset_on_last_day else day + ONE_DAY
    for part in ([f for f in found if f[0].expiry < first], [f for f in found if f[0].expiry >= first]):
        held = [ResolvedPosition(theirs, float(units)) for _, units, theirs in part]
        span += float(compute_commodity(commodity, held).span_risk)
    exposure = sum(_exposure(rates, one, commodity.underlying_price, day) for one in found)
    level = round(_level(file, commodity, min(contract.expiry for contract, _ in legs)) * PRICE_UNITS)
    sigma = _volatility(commodity, level / PRICE_UNITS, at)
    estimate = margin(rates, legs, level, sigma, at) if sigma is not None else None
    return Required(symbol, day, round(span * 100), round(exposure * 100), estimate, level, sigma)


def _read(file: Path, symbol: str) -> tuple[datetime.date, Any]:
    from marginism.parser import parse_spn

    try:
        parsed = parse_spn(str(file), [symbol])
        day = datetime.date.fromisoformat(parsed.business_date)
    except OSError as fault:
        raise BadData(f"{file} cannot be read: {fault.strerror}") from None
    except (ParseError, ValueError, TypeError) as fault:
        raise BadData(f"{file}: damaged, or no SPAN file ({fault}): fetch it again") from None
    commodity = parsed.get(symbol)
    if commodity is None:
        raise BadData(f"{file} of {day} has nothing of {symbol}: name an underlying of its segment")
    if not commodity.underlying_price > 0:
        raise BadData(f"{file}: {symbol} has no price of the underlying: fetch it again")
    return day, commodity


def _find(file: Path, commodity: Any, contract: Contract) -> Any:
    expiry = f"{contract.expiry:%Y%m%d}"
    if contract.kind is Kind.FUTURE:
        found = commodity.find_future(expiry)
    else:
        found = commodity.find_option(expiry, SIDES[contract.kind], contract.strike / PRICE_UNITS)
    if found is None:
        raise BadData(f"{file} has no {contract.key}: name a contract that was listed on its day")
    if not found.price > 0 or not any(found.risk_array.values):
        raise BadData(f"{file}: {contract.key} has no price or no risks: fetch it again")
    return found


def _exposure(rates: MarginRates, leg: tuple[Contract, int, Any], spot: float, day: datetime.date) -> float:
    """Of a future by its own price, of a short option by the underlying's; the file does not have it."""
    contract, units, theirs = leg
    if contract.kind is Kind.FUTURE:
        return float(abs(units) * theirs.price * rates.exposure)
    extra = rates.expiry_day_short_exposure if contract.expiry == day else 0.0
    return max(0, -units) * spot * (rates.exposure + extra)


def _level(file: Path, commodity: Any, expiry: datetime.date) -> float:
    """The price of the first future that expires no earlier than the first leg."""
    later = sorted((f.expiry, f.price) for f in commodity.futures if f.expiry >= f"{expiry:%Y%m%d}" and f.price > 0)
    if not later:
        raise BadData(f"{file} has no future of {commodity.cc} from {expiry} on: an estimate has no price to go by")
    return float(later[0][1])


def _volatility(commodity: Any, level: float, at: int) -> float | None:
    """The implied volatility of the nearest call at the money that lives on after this instant; None without one."""
    calls = [o for o in commodity.options if o.option_type == "C" and o.expiry > f"{day_of(at):%Y%m%d}" and o.price > 0]
    if not calls:
        return None
    call = min(calls, key=lambda o: (o.expiry, abs(o.strike - level)))
    expiry = datetime.date.fromisoformat(call.expiry)
    sigma = implied_volatility(True, call.price, level, call.strike, years_to(usual_close(expiry), at))
    return rounded(sigma) if isfinite(sigma) else None
