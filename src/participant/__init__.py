"""A derivatives desk: feeds, brain, gateway, books. Importing the package loads nothing else."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from participant.core.ladder import ByOrder, Ladder
    from participant.core.tape import Terms
    from participant.research.backtest import CoveredCall, backtest
    from participant.research.days import Span
    from participant.research.result import load
    from participant.research.tape import play_tape

__version__ = "0.1.0"
__all__ = ["ByOrder", "CoveredCall", "Ladder", "Span", "Terms", "__version__", "backtest", "load", "play_tape"]


def __getattr__(name: str) -> object:
    """What a notebook asks for, loaded when it is asked for."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in ("ByOrder", "Ladder"):
        from participant.core import ladder

        return getattr(ladder, name)
    if name in ("Terms", "play_tape"):
        from participant.research import tape

        return getattr(tape, name)
    from participant.research import backtest, days, result

    return getattr({"load": result, "Span": days}.get(name, backtest), name)
