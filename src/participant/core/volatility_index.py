"""A volatility index made from the chain as the exchange makes India VIX: what 30 days of variance cost.

The published method (NSE, *India VIX* white paper, which is CBOE's of 2003 with two changes): of the near and the next
month, out-of-the-money options by the middle of bid and ask; the forward is the future's price; a strike without an
appropriate quote gets its price from a natural cubic spline over the others. In variance a year, of one month

    2/T x sum over strikes of (dK / K^2) e^(RT) Q(K)  -  1/T x (F / K0 - 1)^2

with K0 the first strike below the forward, where Q is the mean of call and put, and dK half the distance between the
neighbours; and linear in total variance between the two months to 30 days, by the minute.

What the method leaves open is chosen here and compared with the published index in docs/volatility.md: `APART_MAX`,
where strikes end, and the rate.
"""

from collections.abc import Sequence
from enum import StrEnum
from math import exp, fsum, log, sqrt

from msgspec import Struct

from participant.core.market import Chain, MarketState, Quote, Strike
from participant.core.pricing import rounded
from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.core.spline import natural_spline
from participant.core.volatility import DAYS_PER_YEAR, forward_to, middle, years_left

DAYS = 30.0
# From so many sessions before its end a month is too near to speak of 30 days: the next and the one after serve.
ROLL_SESSIONS = 3
# A quote wider than this share of its middle is not appropriate.
APART_MAX = 0.30
STRIKES_MIN = 5
# MIBOR of the tenure is not in the data. A point of it moves the index by under 0.01.
RATE = 0.055


class NoIndex(StrEnum):
    """Why a chain gives no index."""

    MONTHS = "two months after each other are not in the chain"
    STRIKES = "too few strikes of a month show an appropriate quote"
    VARIANCE = "the two months leave no variance at 30 days"


class Month(Struct, frozen=True):
    """One month's part: days to its end, its forward and the first strike below, its variance a year, its strikes."""

    days: float
    forward: float
    below: int
    variance: float
    strikes: int


class Index(Struct, frozen=True):
    """The index as a fraction (0.12 is 12 %), and the two months that it is made of."""

    level: float
    near: Month
    next: Month


def volatility_index(state: MarketState, rules: Rulebook) -> Index | NoIndex:
    """The index of a market state, at 10 significant digits."""
    chains = _months(state, rules)
    if len(chains) < 2:
        return NoIndex.MONTHS
    near, after = (month(state, chain, years_left(state, chain, rules)) for chain in chains)
    if near is None or after is None:
        return NoIndex.STRIKES
    share = (DAYS - near.days) / (after.days - near.days)
    total = (1 - share) * near.days * near.variance + share * after.days * after.variance
    return Index(rounded(sqrt(total / DAYS)), near, after) if total > 0 else NoIndex.VARIANCE


def _months(state: MarketState, rules: Rulebook) -> list[Chain]:
    """The chains of the near and the next month, those after them where the near one is about to end."""
    day = day_of(state.exchange_at)
    expiries = rules.future_expiries(state.scrip, day)
    rolls = day
    for _ in range(ROLL_SESSIONS):
        rolls = rules.next_session(rolls)
    wanted = [expiry for expiry in expiries if expiry >= rolls][:2]
    by_expiry = {chain.expiry: chain for chain in state.chains}
    return [by_expiry[expiry] for expiry in wanted if expiry in by_expiry]


def month(state: MarketState, chain: Chain, years: float) -> Month | None:
    """What one month's chain says; None where too few of its strikes show an appropriate quote."""
    forward = forward_to(state, chain, years).level
    below = max((row.strike for row in chain.strikes if row.strike <= forward), default=0)
    prices = out_of_the_money(chain.strikes, below)
    if len(prices) < STRIKES_MIN or not prices[0][0] < below < prices[-1][0]:
        return None
    strikes = [strike for strike, _ in prices]
    steps = _steps(strikes)
    growth = exp(RATE * years)
    sum_of = fsum(step / strike**2 * price for step, (strike, price) in zip(steps, prices, strict=True))
    variance = (2 * growth * sum_of - (forward / below - 1) ** 2) / years
    return Month(years * DAYS_PER_YEAR, rounded(forward), below, rounded(variance), len(prices))


def _steps(strikes: Sequence[int]) -> list[float]:
    """Half the distance between the neighbours of each; at the ends the distance to the only one."""
    first, last = strikes[1] - strikes[0], strikes[-1] - strikes[-2]
    return [first, *((strikes[i + 1] - strikes[i - 1]) / 2 for i in range(1, len(strikes) - 1)), last]


def out_of_the_money(rows: Sequence[Strike], below: int) -> list[tuple[int, float]]:
    """Each strike and its price: puts under `below`, calls over it, the mean of both at it; a spline fills the gaps.

    A side ends at its last strike with an appropriate quote: beyond it nobody says what an option costs. Nothing where
    the strike `below` itself shows none.
    """
    puts = _filled([(row.strike, row.put) for row in rows if row.strike <= below])
    calls = _filled([(row.strike, row.call) for row in rows if row.strike >= below])
    if below not in puts or below not in calls:
        return []
    mean = (puts.pop(below) + calls.pop(below)) / 2
    return sorted([*puts.items(), (below, mean), *calls.items()])


def _filled(side: Sequence[tuple[int, Quote | None]]) -> dict[int, float]:
    """The prices of one side's strikes from its first appropriate quote to its last."""
    known = [(strike, middle(quote)) for strike, quote in side if quote is not None and is_appropriate(quote)]
    if len(known) < STRIKES_MIN // 2:
        return {}
    asked = [strike for strike, _ in side if known[0][0] <= strike <= known[-1][0]]
    # The spline runs through logarithms: a price falls by orders of magnitude and must stay above 0.
    logs = natural_spline([float(k) for k, _ in known], [log(price) for _, price in known], [float(k) for k in asked])
    found = {strike: exp(value) for strike, value in zip(asked, logs, strict=True)}
    return found | dict(known)


def is_appropriate(quote: Quote) -> bool:
    """Whether a quote is two-sided and narrow enough to count."""
    return quote.is_valid and quote.ask - quote.bid <= APART_MAX * middle(quote)
