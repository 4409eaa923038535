"""What may be traded at all: which underlyings are indices and which are stocks, and how their contracts end."""

import datetime

from msgspec import Struct

from participant.core import rulerows
from participant.core.outside import OutsideRules, row_on

INDEX, STOCK = "*index", "*stock"  # in the place of a symbol: every underlying of the class that has no row of its own
FILE = "underlyings.toml"


class Universe(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, dict=True, omit_defaults=True):
    """The underlyings of futures and options, by class."""

    indices: tuple[rulerows.Underlyings, ...]
    stocks: tuple[rulerows.Underlyings, ...]
    deliveries: tuple[rulerows.Delivery, ...]

    def class_of(self, symbol: str) -> str:
        """INDEX or STOCK, or "" for what no row names."""
        classes = ((INDEX, self.indices), (STOCK, self.stocks))
        return next((name for name, rows in classes if any(symbol in row.symbols for row in rows)), "")

    def physical(self, symbol: str, expiry: datetime.date) -> bool:
        """Whether the contracts of an underlying that expire on a day end in delivery of shares, or else in cash.

        Raises OutsideRules for an underlying of no known class, and for a stock of the years 2018 and 2019 whose day of
        the change is not known.
        """
        named = self.class_of(symbol)
        if not named:
            raise OutsideRules(f"no rule for {symbol}, neither an index nor a stock: add it to a row in {FILE}")
        rows = [row for name in (symbol, named) for row in self.deliveries if name in row.symbols]
        return row_on(rows, expiry, f"the settlement of {symbol}", FILE).is_physical
