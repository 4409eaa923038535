"""A broker's list of today's contracts: our contract to its symbol and back, by the list alone, never by guessing.

Rule: what the list does not hold, or holds with another lot or tick than ours, has no symbol.
"""

import datetime
from collections import Counter
from collections.abc import Iterable

from msgspec import Struct

from participant.core.scrip import Contract, Kind, contract_key


class Unlisted(Exception):
    """A contract has no symbol at the broker today: which, and why."""


class Listing(Struct, frozen=True):
    """A line of a broker's list: its symbol for a contract, with lot (units) and tick (a price)."""

    symbol: str
    underlying: str
    expiry: datetime.date
    kind: Kind
    strike: int
    lot: int
    tick: int

    @property
    def key(self) -> str:
        """Our name of the contract."""
        return contract_key(self.underlying, self.expiry, self.kind, self.strike)


class Master:
    """The list of one day. Raises Unlisted where it cannot be that day's; what it names twice it does not name."""

    def __init__(self, listings: Iterable[Listing], day: datetime.date, rows_min: int) -> None:
        rows = list(listings)
        symbols, keys = Counter(row.symbol for row in rows), Counter(row.key for row in rows)
        for row in rows:
            if row.expiry < day:
                raise Unlisted(f"the list holds {row.symbol}, expired on {row.expiry}: it is not of {day}")
        once = [row for row in rows if symbols[row.symbol] == keys[row.key] == 1]
        if len(once) < rows_min:
            raise Unlisted(f"the list has {len(once)} futures and options, at least {rows_min} are expected")
        self._by_symbol = {row.symbol: row for row in once}
        self._by_key = {row.key: row for row in once}

    def __len__(self) -> int:
        return len(self._by_symbol)

    def symbol(self, contract: Contract) -> str:
        """The broker's symbol; raises Unlisted where its lot or tick are not ours."""
        listing = self._by_key.get(contract.key)
        if listing is None:
            raise Unlisted(f"{contract.key} is not in the broker's list of today")
        if (listing.lot, listing.tick) != (contract.lot, contract.tick):
            theirs, ours = f"lot {listing.lot}, tick {listing.tick}", f"lot {contract.lot}, tick {contract.tick}"
            raise Unlisted(f"{contract.key} has {theirs} at the broker, and {ours} here")
        return listing.symbol

    def symbol_of(self, key: str) -> str | None:
        """The broker's symbol of a contract's key, to look it up with; None where it is not listed."""
        listing = self._by_key.get(key)
        return listing.symbol if listing else None

    def key_of(self, symbol: str) -> str | None:
        """Our key of a broker's symbol; None for what is no future or option of the list."""
        listing = self._by_symbol.get(symbol)
        return listing.key if listing else None

    def tick_of(self, symbol: str) -> int:
        """The tick of a symbol; 0 where it is not listed."""
        listing = self._by_symbol.get(symbol)
        return listing.tick if listing else 0
