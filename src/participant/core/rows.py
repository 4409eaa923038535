"""What is read of a chain row by row: by the compiled kernel, or by its plain twin (`kernels`)."""

from collections.abc import Sequence
from typing import Any

from participant.core import kernels, rows_plain
from participant.core.market import Quote, Strike
from participant.core.rows_plain import Level, Solved


def _load() -> Any:
    from participant.core import _rows

    return _rows


_kernel = kernels.choose(_load, rows_plain)
Rows = tuple[Strike, ...]


def _read(name: str, strikes: Rows, *given: Any) -> Any:
    whole = strikes if type(strikes) is tuple else getattr(strikes, "whole", strikes)  # tuples are asked for nothing
    return kernels.call(_kernel, rows_plain, name, whole, *given)


def parities(rows: Rows, spot: int, reach: float, most: int) -> Sequence[tuple[float, float]]:
    """Strike + call - put (a price) at `most` of the strikes nearest spot that show both, and its weight.

    None further from spot than `reach`; the weight is 1 / (spread of the call + spread of the put).
    """
    found: Sequence[tuple[float, float]] = _read("parities", rows, spot, reach, most)
    return found


def at_the_money(
    rows: Rows, forward: float, reach: float, years: float, solved: Solved
) -> tuple[Level | None, Level | None]:
    """The nearest strike at or under the forward with an IV, the nearest over it, within reach: each with that IV.

    It is the mean of call and put, or the one that has any; `solved` is `pricing.implied_volatility`.
    """
    found: tuple[Level | None, Level | None] = _read("at_the_money", rows, forward, reach, years, solved)
    return found


def valid_calls(rows: Rows, over: float) -> tuple[list[Strike], bytes, bytes]:
    """The calls with a valid quote at strikes over a level: rows, and as doubles their strikes and their middles."""
    found: tuple[list[Strike], bytes, bytes] = _read("valid_calls", rows, over)
    return found


def closest(measures: Sequence[float], target: float, reach: float) -> list[int]:
    """The places of the numbers (doubles, as an array has them) within reach of a target, the nearest first.

    Of equally near ones the first goes first; what is no number is nowhere.
    """
    found: list[int] = _kernel.closest(measures, target, reach)
    return found


def calls_near(rows: Rows, spot: int, reach: float) -> tuple[Quote, ...]:
    """The valid quotes of the calls whose strikes are no further from spot than `reach`."""
    found: tuple[Quote, ...] = _read("calls_near", rows, spot, reach)
    return found
