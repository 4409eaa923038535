"""Black-76 on the forward: prices, implied volatilities and greeks of European options (docs/pricing.md).

Undiscounted, so that put-call parity reads call - put = forward - strike. Prices, forwards and strikes may be in any
one unit; volatilities are per root of a year (0.14 is 14 %). What has no answer is `nan`, and `fault` says why.
The compiled kernel is used where it was built, its plain twin otherwise, with equal bits; `KERNEL` says which. A second
build, `wide`, takes all that the machine has: for screening and research, never for a decision.
"""

from collections.abc import Callable, MutableSequence, Sequence
from enum import StrEnum
from math import exp
from typing import Any, NamedTuple

from participant.core import pricing_plain
from participant.core.kernels import choose

YEAR_NS = 365 * 86_400 * 1_000_000_000
YEAR, EXACT = float(YEAR_NS), 1 << 53


def _load() -> Any:
    from participant.core import _pricing

    return _pricing


_kernel = choose(_load, pricing_plain)
KERNEL = "plain" if _kernel is pricing_plain else "compiled"


class NoVolatility(StrEnum):
    """Why a price has no implied volatility."""

    INPUTS = "price, forward, strike or time is no number, not positive or beyond all measure"
    EXPIRED = "no time is left"
    BELOW_INTRINSIC = "the price is below the intrinsic value"
    ABOVE_BOUND = "the price is not below the forward (call) or the strike (put)"
    TOO_SMALL = "the time value is under 1e-300 of forward or strike"


# By the number that the kernels give.
FAULTS: tuple[NoVolatility | None, ...] = (None, *NoVolatility)


class Greeks(NamedTuple):
    """Undiscounted sensitivities: to the forward (per unit), again, to sigma (per 1.00), time and rate (a year)."""

    delta: float
    gamma: float
    vega: float
    theta: float
    rho: float


class Options(NamedTuple):
    """Many options as columns of one length: bytes (1 is a call) and doubles, as `array` or NumPy hold them."""

    is_call: Sequence[int]
    forward: Sequence[float]
    strike: Sequence[float]
    years: Sequence[float]


class Spot(NamedTuple):
    """An underlying that carries: its price, the rate and the yield that it pays, both continuous and a year."""

    price: float
    rate: float
    dividend: float


def price(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> float:
    """The undiscounted price; the intrinsic value where sigma or time is 0, `nan` for negative or endless inputs."""
    value: float = _kernel.price(is_call, forward, strike, years, sigma)
    return value


def prices(is_call: bool, strike: float, years: float, cases: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    """The price of one option in each case of a forward and a sigma."""
    found: tuple[float, ...] = _kernel.prices(is_call, strike, years, cases)
    return found


def worst_loss(quantities: tuple[int, ...], worths: tuple[tuple[float, ...], ...], covers: tuple[float, ...]) -> float:
    """The most that quantities lose in any case, at least 0: each loss counts by its cover.

    `worths` are those of one unit of each, now and then in each case of `covers`: ValueError where they are not.
    """
    loss: float = _kernel.worst_loss(quantities, worths, covers)
    return loss


def implied_volatility(is_call: bool, price: float, forward: float, strike: float, years: float) -> float:
    """The sigma at which the option costs `price`; `nan` outside the no-arbitrage bounds and at expiry.

    The bounds: intrinsic value <= price < forward (call) or strike (put); at the intrinsic value sigma is 0.
    """
    sigma: float = _kernel.implied_volatility(is_call, price, forward, strike, years)
    return sigma


def fault(is_call: bool, price: float, forward: float, strike: float, years: float) -> NoVolatility | None:
    """Why `implied_volatility` of the same is `nan`; None where it is not."""
    number: int = _kernel.fault(is_call, price, forward, strike, years)
    return FAULTS[number]


def greeks(is_call: bool, forward: float, strike: float, years: float, sigma: float) -> Greeks:
    """The greeks; with the forward held, rho is -years x price. At expiry delta is 0, 0.5 (at the strike) or 1."""
    return Greeks(*_kernel.values(is_call, forward, strike, years, sigma)[1:])


def wide() -> Any:
    """The build of the kernel for this very machine, where there is one: equal to the deciding one to about 1e-14."""
    try:
        from participant.core import _pricing_wide  # type: ignore[attr-defined] # setup.py makes it from _pricing
    except ImportError:
        return _kernel
    return _pricing_wide


def implied_volatilities(
    options: Options,
    prices: Sequence[float],
    sigmas: MutableSequence[float],
    faults: MutableSequence[int],
    kernel: Any = _kernel,
) -> None:
    """The implied volatility of each into `sigmas` (doubles); `faults` (bytes) gets 0, or for nan its place in FAULTS.

    ValueError where a column is of another length or kind.
    """
    size = len(prices)
    _expect("B", size, options.is_call, faults)
    _expect("d", size, *options[1:], prices, sigmas)
    kernel.implied_volatilities(options, prices, sigmas, faults)


def values(options: Options, sigmas: Sequence[float], out: MutableSequence[float], kernel: Any = _kernel) -> None:
    """Price and greeks of every option into `out` (doubles): all prices, then all deltas, gammas, vegas, thetas, rhos.

    ValueError where a column is of another length or kind, or `out` is not six times as long.
    """
    size = len(sigmas)
    _expect("B", size, options.is_call)
    _expect("d", size, *options[1:], sigmas)
    _expect("d", 6 * size, out)
    kernel.values_of(options, sigmas, out)


def _expect(kind: str, size: int, *columns: Any) -> None:
    for column in columns:
        view = memoryview(column)
        if len(view) != size or view.format not in ((kind, "?") if kind == "B" else kind):
            raise ValueError(f"{len(view)} numbers of kind {view.format!r} in a column of {size} of kind {kind!r}")


def forward_of(spot: Spot, years: float) -> float:
    """What the underlying costs at expiry by carry alone: spot x e^((rate - dividend) x years)."""
    return spot.price * exp((spot.rate - spot.dividend) * years)


def spot_price(is_call: bool, spot: Spot, strike: float, years: float, sigma: float) -> float:
    """Black-Scholes-Merton, which is Black-76 on the forward by carry, discounted."""
    return exp(-spot.rate * years) * price(is_call, forward_of(spot, years), strike, years, sigma)


def spot_implied_volatility(is_call: bool, price: float, spot: Spot, strike: float, years: float) -> float:
    """The sigma of a price paid today; `nan` outside the bounds, which lie at the discounted forward and strike."""
    return implied_volatility(is_call, price * exp(spot.rate * years), forward_of(spot, years), strike, years)


def spot_greeks(is_call: bool, spot: Spot, strike: float, years: float, sigma: float) -> Greeks:
    """Sensitivities of the price paid today: to the spot, again, to sigma, time and rate; `dividend` is held."""
    forward, discount = forward_of(spot, years), exp(-spot.rate * years)
    worth, delta, gamma, vega, theta, _ = _kernel.values(is_call, forward, strike, years, sigma)
    growth = exp((spot.rate - spot.dividend) * years)
    drift = discount * delta * forward  # what a relative move of the forward is worth
    return Greeks(
        delta=discount * delta * growth,
        gamma=discount * gamma * growth * growth,
        vega=discount * vega,
        theta=discount * theta + spot.rate * discount * worth - (spot.rate - spot.dividend) * drift,
        rho=years * (drift - discount * worth),
    )


def years_to(expiry_day_close_at: int, at: int) -> float:
    """Time to expiry in years, actual/365 calendar: nanoseconds to the close of the expiry day, 0 once it is past."""
    left = expiry_day_close_at - at
    if left <= 0:
        return 0.0
    return left / (YEAR if left < EXACT else YEAR_NS)  # below EXACT both are as doubles what they are: it is quicker


# A float at 10 significant digits, as it is compared and logged: the last bits of a build decide nothing. What is no
# number or endless stays so.
rounded: Callable[[float], float] = _kernel.rounded
# The same of all floats among figures by name; None for what is no number or endless.
all_rounded: Callable[[dict[str, Any]], dict[str, Any]] = _kernel.all_rounded
