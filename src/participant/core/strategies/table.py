"""The strategies by name. `plugins.py` adds those that installed packages offer, before any of them is needed."""

from participant.core.ids import digest
from participant.core.scrip import Scrip
from participant.core.strategies.covered_call import covered_call
from participant.core.strategy import Plugin, Strategy, refusing

STRATEGIES: dict[str, Plugin] = {"covered_call": Plugin(covered_call)}
SHIPPED = frozenset(STRATEGIES)
NOBODY = "nothing is done by a strategy that nobody provides"


class UnknownStrategy(Exception):
    """What a strategy has decided cannot be decided again: nobody provides it here."""


def strategy_of(name: str) -> Strategy:
    """The strategy of this name; where nobody provides it, one that maintains and says so."""
    return STRATEGIES[name].judge if name in STRATEGIES else refusing(f"{NOBODY}: {_unknown(name)}")


def must_be_there(scrip: Scrip, logged: str) -> None:
    """Raises UnknownStrategy where the one that gave this reason is gone; that it was not there is said again."""
    if scrip.strategy not in STRATEGIES and not logged.startswith(NOBODY):
        raise UnknownStrategy(f"{scrip.symbol}: {_unknown(scrip.strategy)}")


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
    version = STRATEGIES[name].version if name in STRATEGIES else 0
    return digest(ours, name, version) if version else ours
