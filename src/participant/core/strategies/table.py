"""The strategies by name. `app.py` adds those that other packages offer, before any worker starts."""

from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Strategy

STRATEGIES: dict[str, Strategy] = {"covered_call": covered_call}


class UnknownStrategy(Exception):
    """A watchlist row names a strategy that nobody provides: a wrong configuration, not a reason to maintain."""


def strategy_of(symbol: str, name: str) -> Strategy:
    """The strategy of this name, for a scrip. Raises UnknownStrategy with those that are known."""
    if name not in STRATEGIES:
        raise UnknownStrategy(f"{symbol}: no strategy {name!r}; known: {', '.join(sorted(STRATEGIES))}")
    return STRATEGIES[name]
