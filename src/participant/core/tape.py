"""Recorded depth and trades replayed against our orders, by the compiled kernel or by its plain twin (`kernels`).

What happens reaches us late, and our orders reach the exchange late. There they take what is displayed, level by level,
and what rests stands behind all that is displayed at its price. The rules are pessimistic, as those of `matching`, with
which they agree wherever both can say something: an order takes a displayed size once, a resting one fills at its own
limit, nothing fills against a crossed ladder.
"""

from typing import TYPE_CHECKING, Any

from participant.core import kernels, tape_plain
from participant.core.tape_terms import TRADE, Fills, Terms

__all__ = ["TRADE", "Fills", "Tape", "Terms"]


def _load() -> Any:
    from participant.core import _tape

    return _tape


_kernel = kernels.choose(_load, tape_plain)

if TYPE_CHECKING:
    Tape = tape_plain.Tape
else:
    Tape = _kernel.Tape
