"""Black-76 on the forward: prices, implied volatilities and greeks of European options.

Undiscounted, so that put-call parity reads call - put = forward - strike. Prices, forwards and strikes may be in any
one unit; volatilities are per root of a year (0.14 is 14 %). Nothing here raises: what has no answer is `nan`.
The compiled kernel is used where it was built, its plain twin otherwise; `KERNEL` says which.
"""

from collections.abc import Sequence
from math import isfinite
from typing import Any, NamedTuple

from participant.core import pricing_plain

YEAR_NS = 365 * 86_400 * 1_000_000_000


def _choose() -> Any:
    try:
        from participant.core import _pricing
    except ImportError:
        return pricing_plain
    return _pricing if _pricing.IS_COMPILED else pricing_plain


_kernel = _choose()
KERNEL = "plain" if _kernel is pricing_plain else "compiled"


class Greeks(NamedTuple):
    """Undiscounted sensitivities: to the forward (per unit), again, to sigma (per 1.00), time and rate (a year)."""

    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


def price(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> float:
    """The undiscounted price; the intrinsic value where sigma or time is 0, `nan` for negative or endless inputs."""
    value: float = _kernel.price(is_call, forward, strike, years, sigma)
    return value


def implied_volatility(is_call: bool, price: float, forward: float, strike: float, years: float) -> float:
    """The sigma at which the option costs `price`; `nan` outside the no-arbitrage bounds and at expiry.

    The bounds: intrinsic value <= price < forward (call) or strike (put); at the intrinsic value sigma is 0.
    """
    sigma: float = _kernel.implied_volatility(is_call, price, forward, strike, years)
    return sigma


def implied_volatilities(
    is_call: bool, prices: Sequence[float], forward: float, strikes: Sequence[float], years: float
) -> list[float]:
    """The implied volatility at every strike of one expiry, `nan` where there is none."""
    sigmas: list[float] = _kernel.implied_volatilities(is_call, prices, forward, strikes, years)
    return sigmas


def greeks(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> Greeks:
    """The greeks; with the forward held, rho is -years x price. At expiry delta is 0, 0.5 (at the strike) or 1."""
    return Greeks(*_kernel.greeks(is_call, forward, strike, years, sigma))


def years_to(expiry_day_close_at: int, at: int) -> float:
    """Time to expiry in years, actual/365 calendar: nanoseconds to the close of the expiry day, 0 once it is past."""
    return max(0, expiry_day_close_at - at) / YEAR_NS


def rounded(value: float) -> float:
    """A float at 10 significant digits, as it is compared and logged: the last bits of a build decide nothing."""
    return float(f"{value:.10g}") if isfinite(value) else value
