"""The strategies by name. `plugins.py` adds those that installed packages offer, before any of them is needed."""

from participant.core.ids import digest
from participant.core.scrip import Scrip
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Plugin, Strategy

STRATEGIES: dict[str, Plugin] = {"covered_call": Plugin(covered_call)}
SHIPPED = frozenset(STRATEGIES)


class UnknownStrategy(Exception):
    """A watchlist row names a strategy that nobody provides: a wrong configuration, not a reason to maintain."""


def strategy_of(symbol: str, name: str) -> Strategy:
    """The strategy of this name, for a scrip. Raises UnknownStrategy with those that are known."""
    if name not in STRATEGIES:
        raise UnknownStrategy(f"{symbol}: {_unknown(name)}")
    return STRATEGIES[name].judge


def fault_of(scrip: Scrip) -> str:
    """Why a row's strategy cannot decide on it: nobody provides it, or its settings cannot be; else an empty string."""
    if scrip.strategy not in STRATEGIES:
        return f"{scrip.symbol}: {_unknown(scrip.strategy)}"
    fault = STRATEGIES[scrip.strategy].fault(scrip.settings)
    return f"[watchlist.settings] of {scrip.symbol}, for {scrip.strategy}: {fault}" if fault else ""


def _unknown(name: str) -> str:
    known = ", ".join(sorted(STRATEGIES))
    return f"no strategy {name!r}; known: {known}; name one of these, or install the package that offers it"


def build_of(name: str, ours: str) -> str:
    """The build that decides: ours, and of a package's strategy its name and version as well."""
    version = STRATEGIES[name].version
    return digest(ours, name, version) if version else ours
