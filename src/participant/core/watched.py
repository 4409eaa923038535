"""The rows of the watchlist as they stand together, with the broker that they are traded at, and their numbers."""

from collections.abc import Iterable, Iterator, Sequence
from math import isfinite, isnan

from participant.core.scrip import Scrip
from participant.core.strategies.table import fault_of

# No order for shares is sent to these: their positions do not show what has moved on to the demat account.
SHARELESS = ("kite", "openalgo")


def faults(watchlist: Sequence[Scrip], broker: str) -> Iterator[tuple[str, str]]:
    """Each row of the watchlist with why it cannot be traded on, or an empty string."""
    symbols = [scrip.symbol for scrip in watchlist]
    for i, scrip in enumerate(watchlist):
        fault = scrip.weights.fault
        if symbols.index(scrip.symbol) < i:
            fault = f"{scrip.symbol} stands on the watchlist twice: leave one row"
        elif scrip.weights.cover == "stock" and broker in SHARELESS:
            fault = f'{scrip.symbol}: cover = "stock": no shares are ordered at {broker} yet, only at the venue'
        yield f"[[watchlist]] row {i + 1}:", fault or fault_of(scrip)


def no_number(settings: object, at: str = "") -> str:
    """The first of some settings whose number is none, where it stands and how to mend it; else an empty string.

    A bound refuses it too, and then says that it is too small.
    """
    if isinstance(settings, dict):
        return _first(no_number(value, f"{at}{name}.") for name, value in settings.items())
    if isinstance(settings, list):
        return _first(no_number(value, f"{at.removesuffix('.')} row {i}, ") for i, value in enumerate(settings, 1))
    if not isinstance(settings, float) or isfinite(settings):
        return ""
    kind = "not a number" if isnan(settings) else "not a finite number"
    return f"{at.rstrip('., ')} = {settings:g} is {kind}: write one, or leave the setting out to have its default"


def _first(said: Iterable[str]) -> str:
    return next(filter(None, said), "")
