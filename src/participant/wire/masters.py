"""Contract masters as brokers publish them (CSV, packed with gzip or not): Kite's, Upstox's, ICICI Breeze's.

Which one it is the columns say. Underlyings are named as the exchange names them. Rows of no future or option are
passed over.
"""

import csv
import datetime
import io
from collections.abc import Callable, Iterator, Mapping

from msgspec import Struct

from participant.core.master import Listing
from participant.core.scrip import Kind
from participant.wire.json import Malformed
from participant.wire.kite import COLUMNS as KITE
from participant.wire.kite import listings
from participant.wire.packed import text_of
from participant.wire.rupees import price_of

BYTES_MAX = 200_000_000
UPSTOX = {
    "instrument_key", "tradingsymbol", "name", "expiry", "strike", "tick_size", "lot_size", "option_type", "exchange",
}  # fmt: skip
BREEZE = {
    "Token", "ShortName", "InstrumentName", "ExpiryDate", "StrikePrice", "OptionType", "LotSize", "TickSize",
    "FreezeQty", "ExchangeCode",
}  # fmt: skip
# Breeze's own names of the indices; a stock's `ExchangeCode` is the exchange's symbol.
BREEZE_INDICES = {"CNXBAN": "BANKNIFTY", "NIFFIN": "FINNIFTY", "NIFSEL": "MIDCPNIFTY", "NIFTY": "NIFTY"}
FUTURES = {"FF": Kind.FUTURE, "XX": Kind.FUTURE, "FUT": Kind.FUTURE}
KINDS = {**FUTURES, "CE": Kind.CALL, "PE": Kind.PUT}

Row = Mapping[str, str]


class MasterFile(Struct, frozen=True):
    """Whose master it is, its futures and options, and the freeze quantities (units) that it tells, by underlying."""

    broker: str
    listings: tuple[Listing, ...]
    freezes: dict[str, int]


def parse_master(body: bytes) -> MasterFile:
    """The futures and options of a master; raises Malformed with the line and the reason."""
    text = text_of(body, BYTES_MAX)
    columns = set(csv.DictReader(io.StringIO(text)).fieldnames or ())
    if columns >= UPSTOX:
        return _file("Upstox", text, _upstox)
    if columns >= BREEZE:
        return _file("ICICI Breeze", text, _breeze)
    if columns >= KITE:
        return _checked("Kite", list(listings(text)), {})
    raise Malformed(f"no contract master of Kite, Upstox or ICICI Breeze: it begins {text[:60]!r}")


def _file(broker: str, text: str, read: Callable[[Row], tuple[Listing, int] | None]) -> MasterFile:
    found: list[Listing] = []
    freezes: dict[str, int] = {}
    for listing, freeze in _rows(text, read):
        found.append(listing)
        if freeze and freezes.setdefault(listing.underlying, freeze) != freeze:
            raise Malformed(f"{listing.underlying} has freeze quantities of {freezes[listing.underlying]} and {freeze}")
    return _checked(broker, found, freezes)


def _rows(text: str, read: Callable[[Row], tuple[Listing, int] | None]) -> Iterator[tuple[Listing, int]]:
    reader = csv.DictReader(io.StringIO(text))
    try:
        for row in reader:
            one = read(row)
            if one is not None:
                yield one
    except (ValueError, TypeError, AttributeError, csv.Error) as fault:
        raise Malformed(f"line {reader.line_num}: {fault}: mend the row, or fetch the file again") from None


def _checked(broker: str, found: list[Listing], freezes: dict[str, int]) -> MasterFile:
    if not found:
        raise Malformed(f"the master of {broker} has no future or option of an underlying that it names")
    return MasterFile(broker, tuple(found), freezes)


def _upstox(row: Row) -> tuple[Listing, int] | None:
    kind = KINDS.get(row["option_type"])
    if kind is None or row["exchange"] != "NSE_FO":
        return None
    expiry, strike = datetime.date.fromisoformat(row["expiry"]), price_of(row["strike"])
    head = (row["tradingsymbol"], row["name"], expiry, kind)
    return Listing(*head, strike, _units(row["lot_size"]), price_of(row["tick_size"])), 0


def _breeze(row: Row) -> tuple[Listing, int] | None:
    kind = KINDS.get(row["OptionType"])
    if kind is None:
        return None
    is_index = row["InstrumentName"].endswith("IDX")
    symbol = BREEZE_INDICES.get(row["ShortName"], row["ShortName"]) if is_index else row["ExchangeCode"]
    day, month, year = row["ExpiryDate"].split("-")
    expiry = datetime.date(int(year), MONTHS.index(month.lower()) + 1, int(day))
    tick = _units(row["TickSize"]) * 100  # its ticks are paise
    listing = Listing(row["Token"], symbol, expiry, kind, price_of(row["StrikePrice"]), _units(row["LotSize"]), tick)
    return listing, int(row["FreezeQty"])


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _units(text: str) -> int:
    units = int(text)
    if units < 1:
        raise ValueError(f"{text!r} is no quantity")
    return units
