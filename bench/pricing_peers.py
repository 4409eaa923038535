"""What bench/pricing.py runs in the environment of the other libraries: prints one line of JSON.

All candidates take the same chain in turn, round after round; a time is the least of its rounds. An error is relative
to the answer at 50 digits to exactly the doubles that all were given.
"""

import importlib.util
import json
import math
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import fast_vollib
import numpy as np
import py_vollib_vectorized
import QuantLib
from mpmath import mp, mpf
from py_lets_be_rational import implied_volatility_from_a_transformed_rational_guess as lets_be_rational

mp.dps = 50
LOOPED = 400  # options of a round for what takes them one by one


def load(path: str) -> Any:
    spec = importlib.util.spec_from_file_location("_pricing_wide" if "_wide" in path else "_pricing", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Chain:
    """Options as columns, with what each interface wants of them."""

    def __init__(self, *columns: Any) -> None:
        self.columns = columns
        self.call, self.f, self.k, self.t, self.sigma, self.price = columns
        self.flag = np.where(self.call == 1, "c", "p")
        self.zero = np.zeros(len(self.f))
        self.kind = [QuantLib.Option.Call if c else QuantLib.Option.Put for c in self.call]

    def part(self, chosen: Any) -> "Chain":
        return Chain(*(np.ascontiguousarray(column[chosen]) for column in self.columns))


def market(kernel: Any) -> Chain:
    """50 scrips x 100 strikes x call and put within 15 % of the forward, a smile of 12 to 35 %, 2 to 60 days."""
    rng = np.random.default_rng(7)
    forwards = rng.uniform(100, 60_000, 50)
    f = np.repeat(forwards, 200)
    k = np.concatenate([np.repeat(forward * np.linspace(0.85, 1.15, 100), 2) for forward in forwards])
    call = np.tile(np.array([1, 0], np.uint8), 5000)
    t = np.repeat(rng.choice([2, 9, 30, 60], 50) / 365.0, 200)
    sigma = 0.12 + 0.8 * np.log(k / f) ** 2 + rng.uniform(0, 0.2, 10_000)
    out = np.empty(60_000)
    kernel.values_of((call, f, k, t), sigma, out)
    return Chain(call, f, k, t, sigma, out[:10_000].copy())


def plane(kernel: Any) -> Chain:
    """Options out of the money: up to 12 sigma root T away, sigma of 0.5 to 500 %, a minute to five years."""
    rng = np.random.default_rng(8)
    t = np.exp(rng.uniform(math.log(1 / 525_600), math.log(5), 600))
    sigma = np.exp(rng.uniform(math.log(0.005), math.log(5), 600))
    f = np.full(600, 25_000.0)
    k = f * np.exp(rng.uniform(-12, 12, 600) * sigma * np.sqrt(t))
    call = (k >= f).astype(np.uint8)
    out = np.empty(3600)
    kernel.values_of((call, f, k, t), sigma, out)
    return Chain(call, f, k, t, sigma, out[:600].copy())


def normal(x: Any) -> Any:
    return mp.erfc(-x / mp.sqrt(2)) / 2


def exact_volatility(c: Chain, i: int) -> float:
    f, k, t, s = mpf(c.f[i]), mpf(c.k[i]), mpf(c.t[i]), mpf(c.sigma[i]) * mp.sqrt(mpf(c.t[i]))
    low, high = min(f, k), max(f, k)
    value = mpf(c.price[i]) - max(0, f - k if c.call[i] else k - f)
    for _ in range(200):
        d = s / 2 - mp.log(high / low) / s
        worth, left = low * normal(d) - high * normal(d - s), low * normal(-d) + high * normal(d - s)
        slope = low * mp.exp(-d * d / 2) / mp.sqrt(2 * mp.pi)
        by = worth * mp.log(value / worth) if 2 * value < low else -left * mp.log((low - value) / left)
        s += by / slope
        if abs(by / slope) < s * mpf(10) ** -30:
            return float(s / mp.sqrt(t))
    raise RuntimeError("the reference did not converge")


def exact_greeks(c: Chain, i: int) -> tuple[float, ...]:
    f, k, t, v = mpf(c.f[i]), mpf(c.k[i]), mpf(c.t[i]), mpf(c.sigma[i])
    s = v * mp.sqrt(t)
    d = mp.log(f / k) / s + s / 2
    density = mp.exp(-d * d / 2) / mp.sqrt(2 * mp.pi)
    delta = normal(d) if c.call[i] else -normal(-d)
    return tuple(map(float, (delta, density / (f * s), f * density * mp.sqrt(t), -f * density * v / (2 * mp.sqrt(t)))))


def ours_iv(kernel: Any) -> Callable[[Chain], Any]:
    def solve(c: Chain) -> Any:
        sigmas, faults = np.empty(len(c.f)), np.empty(len(c.f), np.uint8)
        kernel.implied_volatilities((c.call, c.f, c.k, c.t), c.price, sigmas, faults)
        return sigmas

    return solve


def ours_greeks(kernel: Any) -> Callable[[Chain], Any]:
    def find(c: Chain) -> Any:
        out = np.empty(6 * len(c.f))
        kernel.values_of((c.call, c.f, c.k, c.t), c.sigma, out)
        return out.reshape(6, -1)[1:5]

    return find


def ours_whole(kernel: Any) -> Callable[[Chain], Any]:
    """A pass over the chain as screening makes it: implied volatility, then price and greeks at the same."""
    solve, find = ours_iv(kernel), ours_greeks(kernel)
    return lambda c: (solve(c), find(c))


def fast_vollib_iv(backend: str) -> Callable[[Chain], Any]:
    return lambda c: fast_vollib.fast_implied_volatility_black(
        c.price, c.f, c.k, c.zero, c.t, c.flag, return_as="numpy", backend=backend, on_error="ignore"
    )


def fast_vollib_greeks(backend: str) -> Callable[[Chain], Any]:
    def find(c: Chain) -> Any:
        g = fast_vollib.get_all_greeks(
            c.flag, c.f, c.k, c.t, c.zero, c.sigma, model="black", return_as="dict", backend=backend
        )
        return [g["delta"], g["gamma"], g["vega"], g["theta"]]

    return find


def vectorized_iv(c: Chain) -> Any:
    return py_vollib_vectorized.vectorized_implied_volatility_black(
        c.price, c.f, c.k, c.zero, c.t, c.flag, return_as="numpy", on_error="ignore"
    )


def vectorized_greeks(c: Chain) -> Any:
    g = py_vollib_vectorized.get_all_greeks(c.flag, c.f, c.k, c.t, c.zero, c.sigma, model="black", return_as="dict")
    return [g["delta"], g["gamma"], g["vega"], g["theta"]]


def one_by_one(solve: Callable[[Chain, int], float]) -> Callable[[Chain], Any]:
    def each(c: Chain) -> Any:
        found = np.full(len(c.f), np.nan)
        for i in range(len(c.f)):
            with suppress(Exception):  # whatever a library raises, it has no answer
                found[i] = solve(c, i)
        return found

    return each


def rational(c: Chain, i: int) -> float:
    return float(lets_be_rational(c.price[i], c.f[i], c.k[i], c.t[i], 1.0 if c.call[i] else -1.0))


def quantlib_lirs(c: Chain, i: int) -> float:
    return float(
        QuantLib.blackFormulaImpliedStdDevLiRS(
            c.kind[i], c.k[i], c.f[i], c.price[i], 1.0, 0.0, QuantLib.nullDouble(), 1.0, 1e-14, 100
        )
    ) / math.sqrt(c.t[i])


def quantlib_newton(c: Chain, i: int) -> float:
    deviation = QuantLib.blackFormulaImpliedStdDev(
        c.kind[i], c.k[i], c.f[i], c.price[i], 1.0, 0.0, QuantLib.nullDouble(), 1e-14, 100
    )
    return float(deviation) / math.sqrt(c.t[i])


def quantlib_greeks(c: Chain) -> Any:
    rows = []
    for i in range(len(c.f)):
        root = math.sqrt(c.t[i])
        payoff = QuantLib.PlainVanillaPayoff(c.kind[i], c.k[i])
        b = QuantLib.BlackCalculator(payoff, c.f[i], c.sigma[i] * root, 1.0)
        f, t = c.f[i], c.t[i]
        rows.append((b.deltaForward(), b.gammaForward(), b.vega(t), b.theta(f, t), b.rho(t)))
    return list(zip(*rows, strict=True))[:4]


def volatilities(kernels: dict[str, Any]) -> dict[str, tuple[bool, bool, Callable[[Chain], Any]]]:
    """By name: whether it is ours, whether it goes one by one, and the call."""
    return {
        **{name: (True, False, ours_iv(kernel)) for name, kernel in kernels.items()},
        "fast-vollib, numba": (False, False, fast_vollib_iv("numba")),
        "fast-vollib, NumPy": (False, False, fast_vollib_iv("numpy")),
        "py_vollib_vectorized": (False, False, vectorized_iv),
        "QuantLib LiRS": (False, True, one_by_one(quantlib_lirs)),
        "QuantLib Newton": (False, True, one_by_one(quantlib_newton)),
        "py_lets_be_rational": (False, True, one_by_one(rational)),
    }


def sensitivities(kernels: dict[str, Any]) -> dict[str, tuple[bool, bool, Callable[[Chain], Any]]]:
    return {
        **{name: (True, False, ours_greeks(kernel)) for name, kernel in kernels.items()},
        "fast-vollib, numba": (False, False, fast_vollib_greeks("numba")),
        "fast-vollib, NumPy": (False, False, fast_vollib_greeks("numpy")),
        "py_vollib_vectorized": (False, False, vectorized_greeks),
        "QuantLib": (False, True, quantlib_greeks),
    }


def timed(candidates: dict[str, Any], chain: Chain, rounds: int) -> dict[str, float]:
    """Nanoseconds an option, the least of the rounds, as others on the machine only add; a loop takes a part alone."""
    part = chain.part(slice(0, LOOPED))
    spent: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds + 2):
        for name, (_, is_looped, call) in candidates.items():
            given = part if is_looped else chain
            began = time.perf_counter()
            call(given)
            spent[name].append((time.perf_counter() - began) / len(given.f) * 1e9)
    return {name: min(times[2:]) for name, times in spent.items()}


def off(found: Any, exact: Any) -> tuple[float, float]:
    """The share that has an answer within 1 % and its worst relative error."""
    error = np.abs(np.asarray(found, dtype=float).ravel() / exact - 1)
    solved = error < 0.01
    return float(solved.mean()), float(error[solved].max())


def greeks_off(found: Any, exact: Any) -> float:
    """The worst relative error of delta, gamma, vega, theta; vega may be for a per cent and theta for a day."""
    worst = 0.0
    for ours, theirs in zip(found, exact, strict=True):
        ratio = np.asarray(ours, dtype=float).ravel() / theirs
        unit = min((1.0, 0.01, 1 / 365), key=lambda u: abs(math.log(abs(float(np.median(ratio))) / u)))
        worst = max(worst, float(np.abs(ratio / unit - 1).max()))
    return worst


def main() -> None:
    asked = json.loads(sys.argv[1])
    kernels = {name: load(path) for name, path in asked["builds"].items()}
    whole = market(kernels["deciding"])
    time_value = whole.price - np.maximum(np.where(whole.call == 1, whole.f - whole.k, whole.k - whole.f), 0)
    priced = whole.part(time_value > 1e-7 * whole.f)
    sample, wide = priced.part(slice(0, None, 11)), plane(kernels["deciding"])
    tasks: dict[str, dict[str, Any]] = {}
    candidates = volatilities(kernels)
    ns = timed(candidates, priced, asked["rounds"])
    exact, exact_wide = (np.array([exact_volatility(c, i) for i in range(len(c.f))]) for c in (sample, wide))
    tasks["implied volatility"] = {}
    for name, (is_ours, _, call) in candidates.items():
        solved, worst = off(call(wide), exact_wide)
        chain = off(call(sample), exact)
        row = {"is_ours": is_ours, "ns": ns[name], "chain": chain[1], "chain_solved": chain[0]}
        tasks["implied volatility"][name] = row | {"solved": solved, "plane": worst}
    candidates = sensitivities(kernels)
    ns = timed(candidates, priced, asked["rounds"])
    exact = list(zip(*(exact_greeks(sample, i) for i in range(len(sample.f))), strict=True))
    tasks["greeks"] = {
        name: {"is_ours": is_ours, "ns": ns[name], "chain": greeks_off(call(sample), exact)}
        for name, (is_ours, _, call) in candidates.items()
    }
    both = {name: (True, False, ours_whole(kernel)) for name, kernel in kernels.items()}
    passes = {name: each * len(whole.f) / 1e6 for name, each in timed(both, whole, asked["rounds"]).items()}
    print(json.dumps({"options": len(priced.f), "sample": len(sample.f), "tasks": tasks, "passes": passes}))


if __name__ == "__main__":
    main()
