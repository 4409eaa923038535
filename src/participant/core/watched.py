"""The rows of the watchlist as they stand together, with the broker that they are traded at."""

from collections.abc import Iterator, Sequence

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
