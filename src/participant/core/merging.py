"""How fills merge: units and paise by the broker's order id, whatever comes twice, late, or in another order.

Of each of the broker's orders its own highest figure stands, else what a person entered of it.
"""

from collections.abc import Iterable, Mapping

Told = dict[str, tuple[int, int]]
Figures = tuple[int, int]


def merged(shown: Told, views: Iterable[tuple[str, int, int]]) -> Told:
    """What was shown filled of each order, with these (id, units, paise); less than before changes nothing."""
    after = dict(shown)
    for name, units, paise in views:
        after[name] = max(after.get(name, (0, 0)), (units, paise))
    return dict(sorted(after.items()))


def filled(shown: Told, entered: Mapping[str, Figures], before: Figures) -> Figures:
    """Units and paise in all: never less than `before`, unless the broker's figure takes the place of a person's."""
    counted = {**entered, **shown}.values()
    units, paise = sum(u for u, _ in counted), sum(p for _, p in counted)
    return (units, paise) if entered else (max(before[0], units), max(before[1], paise))


def is_corrected(before: Figures, after: Figures) -> bool:
    """Whether what was told before was not so: fewer units, or as many at another value."""
    return after[0] < before[0] or (after[0] == before[0] > 0 and after[1] != before[1])
