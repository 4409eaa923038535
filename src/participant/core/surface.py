"""All that a chain says of volatility, for people and research; a decision reads the little of it that it needs.

An expiry's smile, forward and IV in calendar and in business time, the term of them, the index and what was realised.
"""

import datetime
from math import isfinite, sqrt

from msgspec import Struct

from participant.core.day_count import business_years
from participant.core.market import Chain, MarketState
from participant.core.pricing import rounded
from participant.core.realised import Realised, realised_by
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.core.smile import NoSmile, Smile, smile
from participant.core.volatility import (
    DAYS_PER_YEAR,
    EXPIRY_DAYS_MIN,
    ForwardSource,
    atm_iv,
    constant_maturity,
    forward_to,
    term_slope,
    years_left,
)
from participant.core.volatility_index import Index, NoIndex, volatility_index


class Expiry(Struct, frozen=True):
    """One expiry: days (calendar), forward (price), at-the-money IV by calendar and by business time, its smile.

    None is what is not known: an IV without quotes, business time before the year's holidays are published.
    """

    expiry: datetime.date
    days: float
    forward: float
    forward_source: ForwardSource
    iv: float | None
    iv_business: float | None
    smile: Smile | None
    no_smile: NoSmile | None


class Surface(Struct, frozen=True):
    """The expiries with at least a day left, nearest first, and what they say together."""

    expiries: tuple[Expiry, ...]
    iv30: float | None
    term_slope: float | None
    index: Index | None
    no_index: NoIndex | None
    realised: Realised


def surface(state: MarketState, rules: Rulebook) -> Surface:
    """The volatilities of a market state, figures at 10 significant digits."""
    all_of = [(chain, years_left(state, chain, rules)) for chain in state.chains]
    found = tuple(_expiry(state, c, y, rules) for c, y in all_of if y * DAYS_PER_YEAR >= EXPIRY_DAYS_MIN)
    points = [(e.days, e.iv) for e in found if e.iv is not None]
    index = volatility_index(state, rules)
    return Surface(
        expiries=found,
        iv30=_known(constant_maturity(points)),
        term_slope=_known(term_slope(points)),
        index=index if isinstance(index, Index) else None,
        no_index=index if isinstance(index, NoIndex) else None,
        realised=realised_by(state.look_back),
    )


def _expiry(state: MarketState, chain: Chain, years: float, rules: Rulebook) -> Expiry:
    forward, source = forward_to(state, chain, years)
    iv, curve = atm_iv(chain, forward, years), smile(chain, forward, years)
    business = None
    if isfinite(iv) and rules.is_calendar_known(chain.expiry) and rules.is_calendar_known(day_of(state.exchange_at)):
        business = iv * sqrt(years / business_years(rules, state.exchange_at, rules.expiry_at(chain.expiry)))
    return Expiry(
        chain.expiry,
        rounded(years * DAYS_PER_YEAR),
        rounded(forward),
        source,
        _known(iv),
        None if business is None else _known(business),
        curve if isinstance(curve, Smile) else None,
        curve if isinstance(curve, NoSmile) else None,
    )


def _known(value: float) -> float | None:
    return rounded(value) if isfinite(value) else None
