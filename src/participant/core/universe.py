"""What may be traded at all: which underlyings are indices and which are stocks, what an index is made of.

An underlying's own rows go before those of its class.
"""

import datetime
from collections.abc import Sequence
from typing import Protocol, TypeVar

from msgspec import Struct

from participant.core import rulerows
from participant.core.once import kept, once
from participant.core.outside import OutsideRules, row_on

INDEX, STOCK = "*index", "*stock"  # in the place of a symbol: every underlying of the class that has no row of its own
FILE, MEMBERSHIP = "underlyings.toml", "membership.toml"


class _Named(Protocol):
    @property
    def symbol(self) -> str: ...


Named = TypeVar("Named", bound=_Named)


class _Listing(Protocol):
    @property
    def symbols(self) -> tuple[str, ...]: ...


Listing = TypeVar("Listing", bound=_Listing)


class Universe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True, omit_defaults=True):
    """The underlyings of futures and options."""

    indices: tuple[rulerows.Underlyings, ...]
    stocks: tuple[rulerows.Underlyings, ...]
    deliveries: tuple[rulerows.Delivery, ...]
    memberships: tuple[rulerows.Members, ...]
    sectors: tuple[rulerows.Sector, ...]
    betas: tuple[rulerows.Beta, ...]

    def class_of(self, symbol: str) -> str:
        """INDEX or STOCK, or "" for what no row names."""
        return INDEX if symbol in self._indices else STOCK if symbol in self._stocks else ""

    @kept
    def _indices(self) -> frozenset[str]:
        return frozenset(symbol for row in self.indices for symbol in row.symbols)

    @kept
    def _stocks(self) -> frozenset[str]:
        """Those that are named as stocks, and all that an index was ever made of."""
        return frozenset(symbol for rows in (self.stocks, self.memberships) for row in rows for symbol in row.symbols)

    @kept
    def doubts(self) -> dict[tuple[str, datetime.date], int]:
        """How many rows of low confidence a scrip's orders rest on, by scrip and day, as far as it was asked for."""
        return {}

    def rows_of(self, rows: Sequence[Named], symbol: str) -> list[Named]:
        """Of rows about one underlying each: its own, and then those of its class."""
        names = tuple(filter(None, (symbol, self.class_of(symbol))))
        return [row for name in names for row in rows if row.symbol == name]

    def naming(self, rows: Sequence[Listing], symbol: str) -> list[Listing]:
        """Of rows about several underlyings: those that name it, and then those of its class."""
        names = tuple(filter(None, (symbol, self.class_of(symbol))))
        return [row for name in names for row in rows if name in row.symbols]

    def members(self, index: str, on: datetime.date) -> tuple[str, ...]:
        """The stocks that an index is made of on a day, by name. Raises OutsideRules."""
        rows = [row for row in self.memberships if row.index == index]
        row_on(rows, on, f"the members of {index}", MEMBERSHIP)
        return tuple(sorted(symbol for row in rows if row.holds(on) for symbol in row.symbols))

    def sector(self, symbol: str, on: datetime.date) -> str:
        """The sector of a stock. Raises OutsideRules."""
        return row_on(self.naming(self.sectors, symbol), on, f"the sector of {symbol}", MEMBERSHIP).sector

    def beta(self, symbol: str, on: datetime.date) -> float:
        """How many percent an underlying moves where NIFTY moves one. Raises OutsideRules."""
        return row_on(self.naming(self.betas, symbol), on, f"the beta of {symbol}", MEMBERSHIP).beta

    @once
    def physical(self, symbol: str, expiry: datetime.date) -> bool:
        """Whether the contracts of an underlying that expire on a day end in delivery of shares, or else in cash.

        Raises OutsideRules for an underlying of no known class, and for a stock of the years 2018 and 2019 whose day of
        the change is not known.
        """
        if not self.class_of(symbol):
            raise OutsideRules(f"no rule for {symbol}, neither an index nor a stock: add it to a row in {FILE}")
        return row_on(self.naming(self.deliveries, symbol), expiry, f"the settlement of {symbol}", FILE).is_physical
