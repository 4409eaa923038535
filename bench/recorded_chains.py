"""The rows of recorded chains that have an `iv` column, for bench/recorded_iv.py. Volatilities are in percent."""

import datetime
import os
from collections.abc import Iterator, Mapping
from math import isfinite, log
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
DATA = Path(os.environ.get("PARTICIPANT_DATA") or ROOT.parent / "shared" / "data")
SETS = {
    "NIFTY 2018-19": "nse_chain_2018_10_to_2019_04/NIFTY_near_expiry.parquet",
    "BANKNIFTY 2018-19": "nse_chain_2018_10_to_2019_04/BANKNIFTY_near_expiry.parquet",
    "NIFTY June 2019": "nse_chain_multi_expiry_2019_06/NIFTY.parquet",
    "BANKNIFTY June 2019": "nse_chain_multi_expiry_2019_06/BANKNIFTY.parquet",
    "10 stocks June 2019": "nse_stock_chain_2019_06/constituents.parquet",
    "NIFTY autumn 2025": "nse_json_chain_2025/nifty_chain_2025-10-13_to_2025-11-07.parquet",
    "NIFTY August 2026": "nse_minute_chain_2026/NIFTY_20260819.parquet",
}
FIRST, CLOSE = datetime.time(9, 20), datetime.time(15, 30)
YEAR = 365.0


class Recorded(NamedTuple):
    """One side of a strike as a recorded chain; prices in rupees."""

    at: datetime.datetime
    symbol: str
    expiry: datetime.date
    is_call: bool
    spot: float
    strike: float
    last: float
    middle: float
    volume: float
    iv: float

    @property
    def days(self) -> int:
        """Whole calendar days from the day to the expiry's day."""
        return (self.expiry - self.at.date()).days

    @property
    def years(self) -> float:
        """Calendar time to 15:30 of the expiry's day."""
        end = datetime.datetime.combine(self.expiry, CLOSE, self.at.tzinfo)
        return (end - self.at).total_seconds() / 86_400 / YEAR

    @property
    def away(self) -> float:
        """The logarithm of strike over spot."""
        return log(self.strike / self.spot)


def read(file: Path) -> list[Recorded]:
    """The rows that have a recorded iv, a trade, a spot, and lie in the session of a day before their expiry."""
    import pyarrow.parquet as pq

    rows = pq.read_table(file).to_pylist()
    sides = (side for row in rows for side in _sides(row))
    return [r for r in sides if r.iv > 0 and r.last > 0 and r.spot > 0 and r.days >= 1 and FIRST <= r.at.time() < CLOSE]


def _sides(row: Mapping[str, Any]) -> Iterator[Recorded]:
    spot = row.get("spot") or row.get("records_underlying")
    expiry = datetime.date.fromisoformat(str(row["expiry"])[:10])
    marks = {row["cp"]: ""} if "cp" in row else {"CE": "call_", "PE": "put_"}
    for kind, mark in marks.items():
        last, iv, volume = (_number(row.get(mark + name)) for name in ("ltp", "iv", "volume"))
        bid, ask = _number(row.get(mark + "bid")), _number(row.get(mark + "ask"))
        middle = (bid + ask) / 2 if 0 < bid < ask else 0.0
        strike = float(row["strike"])
        yield Recorded(
            row["ts_ist"],
            row.get("symbol") or "NIFTY",
            expiry,
            kind == "CE",
            _number(spot),
            strike,
            last,
            middle,
            volume,
            iv,
        )


def _number(value: Any) -> float:
    return float(value) if value is not None and isfinite(value) else 0.0
