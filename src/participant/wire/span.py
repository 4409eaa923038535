"""The clearing corporation's published scan ranges, as a table of days, to rows of the rulebook.

CSV, packed with gzip or not, with the columns of COLUMNS among others: a row a day and underlying, known before that
day's open. Prices are rupees, `vol_scan` is a volatility (0.04 is four points a year).
"""

import csv
import io
from collections.abc import Mapping
from datetime import date
from math import isfinite

from participant.core.pricing import rounded
from participant.core.rulerows import Confidence, ScanRow
from participant.wire.json import Malformed
from participant.wire.packed import text_of

COLUMNS = ("date", "symbol", "futures_price", "price_scan", "vol_scan")
BYTES_MAX = 50_000_000


class BadScans(ValueError):
    """A table of scan ranges that cannot be used: the line, what is wrong, how to mend it."""


def parse_scans(body: bytes, source: str) -> tuple[ScanRow, ...]:
    """Its rows, oldest first, each good for its one day; `source` is what they say of their origin. Raises BadScans."""
    try:
        reader = csv.DictReader(io.StringIO(text_of(body, BYTES_MAX)))
    except Malformed as fault:
        raise BadScans(str(fault)) from None
    lacking = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if lacking:
        raise BadScans(f"no column {lacking[0]}; needed are {', '.join(COLUMNS)}")
    found: dict[tuple[str, date], ScanRow] = {}
    try:
        for row in reader:
            one = _row(row, source)
            if found.setdefault((one.symbol, one.since), one) != one:
                raise ValueError(f"{one.symbol} on {one.since} is there already, with other figures")
    except (ValueError, csv.Error) as wrong:
        raise BadScans(f"line {reader.line_num}: {wrong}: mend the row, or fetch the file again") from None
    return tuple(sorted(found.values(), key=lambda one: (one.since, one.symbol)))


def _row(row: Mapping[str, str | None], source: str) -> ScanRow:
    day, symbol = date.fromisoformat(row["date"] or ""), (row["symbol"] or "").strip()
    level, reach, volatility = (float(row[name] or "") for name in COLUMNS[2:])
    if not symbol:
        raise ValueError("no symbol")
    if not all(map(isfinite, (level, reach, volatility))) or not 0 < reach < level or not 0 < volatility < 1:
        raise ValueError(f"a scan of {reach:g} on {level:g} with {volatility:g} of volatility cannot be")
    share = rounded(reach / level)
    return ScanRow(
        since=day, until=day, source=source, confidence=Confidence.SECOND_HAND, symbol=symbol,
        price_scan=share, volatility_scan=volatility,
    )  # fmt: skip
