"""The ladder of price levels of one contract, by the compiled kernels or by their plain twins (`kernels`).

It is kept from single changes, as FIX's W and X bring them (`Ladder`), or from single orders (`ByOrder`). A gap voids
it, and only a snapshot, which replaces the whole, makes it valid again. Prices are `int` in 1/10,000, sizes in units.
"""

from typing import TYPE_CHECKING, Any

from participant.core import by_order_plain, kernels, ladder_plain
from participant.core.by_order_plain import OrderChange
from participant.core.ladder_plain import ASK, BID, LEVELS_MAX, PRICE_MAX, SIZE_MAX, Change, Verdict

__all__ = [
    "ASK", "BID", "LEVELS_MAX", "PRICE_MAX", "SIZE_MAX", "ByOrder", "Change", "Ladder", "OrderChange", "Verdict",
]  # fmt: skip


def _load() -> Any:
    from participant.core import _ladder

    return _ladder


def _load_by_order() -> Any:
    from participant.core import _by_order

    return _by_order


_kernel = kernels.choose(_load, ladder_plain)
_by_order_kernel = kernels.choose(_load_by_order, by_order_plain)

if TYPE_CHECKING:
    Ladder = ladder_plain.Ladder
    ByOrder = by_order_plain.ByOrder
else:
    Ladder = _kernel.Ladder
    ByOrder = _by_order_kernel.ByOrder
