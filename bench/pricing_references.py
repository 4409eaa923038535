"""Our kernel beside QuantLib and beside 50 digits, on one grid: run in the environment of the other libraries.

    PEERS/bin/python bench/pricing_references.py KERNEL

PEERS is the environment that `python -m bench.pricing --peers PEERS` makes, KERNEL the file of the deciding build
(src/participant/core/_pricing.*.so). Prints the table of docs/pricing.md: worst relative differences.
"""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import QuantLib
from mpmath import mp, mpf
from pricing_peers import Chain, exact_greeks, exact_volatility, load, market, normal, plane, quantlib_newton

WITHIN = 0.01  # an answer that is further off is counted as none


def exact_price(c: Chain, i: int) -> float:
    """The undiscounted price of exactly these doubles at 50 digits."""
    f, k, s = mpf(c.f[i]), mpf(c.k[i]), mpf(c.sigma[i]) * mp.sqrt(mpf(c.t[i]))
    d = mp.log(f / k) / s + s / 2
    call = f * normal(d) - k * normal(d - s)
    return float(call if c.call[i] else call - f + k)


def quantlib_values(c: Chain, i: int) -> tuple[float, ...]:
    """Price, delta, gamma, vega and theta by QuantLib's Black calculator."""
    f, t = float(c.f[i]), float(c.t[i])
    payoff = QuantLib.PlainVanillaPayoff(c.kind[i], float(c.k[i]))
    b = QuantLib.BlackCalculator(payoff, f, float(c.sigma[i]) * t**0.5, 1.0)
    return b.value(), b.deltaForward(), b.gammaForward(), b.vega(t), b.theta(f, t)


def quantlib_volatility(c: Chain, i: int) -> float:
    """The implied volatility by QuantLib's safe Newton, nan where it gives up."""
    try:
        return quantlib_newton(c, i)
    except RuntimeError:
        return float("nan")


def worst(found: Sequence[float], exact: Sequence[float]) -> str:
    """The worst relative difference of the answers, and how many are none."""
    gap = np.abs(np.array(found) / np.array(exact) - 1)
    answered = gap < WITHIN
    lost = "" if answered.all() else f" ({(~answered).mean():.0%} none)"
    return f"{gap[answered].max():.1e}{lost}"


def compare(name: str, c: Chain, kernel: Any) -> None:
    """Print a line a quantity: ours against QuantLib, ours and QuantLib against 50 digits."""
    size = range(len(c.f))
    ours = [kernel.values(bool(c.call[i]), c.f[i], c.k[i], c.t[i], c.sigma[i])[:5] for i in size]
    theirs = [quantlib_values(c, i) for i in size]
    exact = [(exact_price(c, i), *exact_greeks(c, i)) for i in size]
    columns = zip(("price", "delta", "gamma", "vega", "theta"), zip(*ours), zip(*theirs), zip(*exact), strict=True)  # noqa: B905 - rows of five each
    rows = [(what, mine, other, true) for what, mine, other, true in columns]
    mine_iv = [kernel.implied_volatility(bool(c.call[i]), c.price[i], c.f[i], c.k[i], c.t[i]) for i in size]
    rows.append(
        (
            "implied volatility",
            mine_iv,
            [quantlib_volatility(c, i) for i in size],
            [exact_volatility(c, i) for i in size],
        )
    )
    for what, mine, other, true in rows:
        print(f"| {name}, {what} | {worst(mine, true)} | {worst(other, true)} | {worst(mine, other)} |")


def main() -> None:
    """Compare on the chain of the benchmark and on the plane."""
    kernel = load(sys.argv[1])
    whole = market(kernel)
    value = whole.price - np.maximum(np.where(whole.call == 1, whole.f - whole.k, whole.k - whole.f), 0)
    chain = whole.part(value > 1e-7 * whole.f).part(slice(0, None, 11))
    print(f"| {len(chain.f)} of the chain, 600 of the plane | ours, 50 digits | QuantLib, 50 digits | ours, QuantLib |")
    print("|---|---:|---:|---:|")
    compare("chain", chain, kernel)
    compare("plane", plane(kernel), kernel)


if __name__ == "__main__":
    main()
