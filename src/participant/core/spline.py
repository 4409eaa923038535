"""The natural cubic spline through points: two derivatives everywhere, and none left of the second at the ends."""

from bisect import bisect_right
from collections.abc import Sequence


def natural_spline(xs: Sequence[float], ys: Sequence[float], at: Sequence[float]) -> list[float]:
    """The spline through (xs, ys) at each of `at`; a straight line through two points.

    `xs` rise strictly and are at least two; `at` lies between the first and the last. The tridiagonal system of second
    derivatives is solved by elimination (Press et al., *Numerical Recipes*, 3.3).
    """
    bends = _bends(xs, ys)
    found = []
    for x in at:
        i = min(max(bisect_right(xs, x), 1), len(xs) - 1)
        width = xs[i] - xs[i - 1]
        a, b = (xs[i] - x) / width, (x - xs[i - 1]) / width
        bent = ((a**3 - a) * bends[i - 1] + (b**3 - b) * bends[i]) * width**2 / 6
        found.append(a * ys[i - 1] + b * ys[i] + bent)
    return found


def _bends(xs: Sequence[float], ys: Sequence[float]) -> list[float]:
    """The second derivative at each point."""
    n = len(xs)
    upper, right = [0.0] * n, [0.0] * n
    for i in range(1, n - 1):
        share = (xs[i] - xs[i - 1]) / (xs[i + 1] - xs[i - 1])
        pivot = share * upper[i - 1] + 2
        upper[i] = (share - 1) / pivot
        slopes = (ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) - (ys[i] - ys[i - 1]) / (xs[i] - xs[i - 1])
        right[i] = (6 * slopes / (xs[i + 1] - xs[i - 1]) - share * right[i - 1]) / pivot
    bends = [0.0] * n
    for i in range(n - 2, 0, -1):
        bends[i] = upper[i] * bends[i + 1] + right[i]
    return bends
