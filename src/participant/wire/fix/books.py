"""What a provider's FIX market data add up to, by the compiled kernel or by its plain twin (`kernels`).

From the bytes of 35=W and 35=X, verified, to a ladder or the top of book of each instrument, and to ticks.
"""

from typing import TYPE_CHECKING, Any

from participant.core import kernels
from participant.wire.fix import books_plain

__all__ = ["Books"]


def _load() -> Any:
    from participant.wire.fix import _books

    return _books


_kernel = kernels.choose(_load, books_plain)

if TYPE_CHECKING:
    Books = books_plain.Books
else:
    Books = _kernel.Books
