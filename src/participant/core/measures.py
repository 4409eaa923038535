"""What a call is chosen by: its delta, how far it is out of the money, or how dear it is."""

from math import log, sqrt

from participant.core.scrip import PRICE_UNITS
from participant.core.strategy import Case
from participant.core.wording import percent

LABELS = {
    "delta": "delta",
    "moneyness": "moneyness",
    "sigmas": "deviations",
    "premium": "premium",
    "yield": "yield a year",
}


def target_of(case: Case) -> tuple[float, float]:
    """What the call is chosen by: the target, and how far from it one may lie."""
    weights = case.weights
    if weights.choose_by == "delta":
        return weights.target_delta, weights.delta_error_max
    return weights.choose_target, weights.choose_error_max


def measure_of(case: Case, out: float, level: float, years: float, of_call: tuple[int, float]) -> float:
    """The measure of a call: `out` is its strike over the forward, `of_call` its bid and its delta."""
    (bid, delta), by = of_call, case.weights.choose_by
    if by == "moneyness":
        return out - 1
    if by == "sigmas":
        return log(out) / (level * sqrt(years))
    if by == "premium":
        return bid / PRICE_UNITS
    if by == "yield":
        return bid / case.market.spot / years
    return delta


def told(case: Case, value: float) -> str:
    """A measure for a sentence."""
    by = case.weights.choose_by
    if by in {"moneyness", "yield"}:
        return percent(value)
    return f"₹{value:,.2f}" if by == "premium" else f"{value:.2f}"
