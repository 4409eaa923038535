"""A made year of NIFTY's option chain as a catalogue that `participant backtest` reads: always the same.

The quotes are the synthetic market's (docs/synthetic.md), every contract of it at every instant; closes and futures lie
beside them as the official series would. `participant catalogue make` makes such days page by page; here a day is
written in columns, and a year that was begun is gone on with: it has 50 million rows.
"""

import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from participant.config import load_rules
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract
from participant.history.catalogue import CHAINS, IMPORTS, OFFICIAL, Import
from participant.history.making import Series
from participant.history.synthetic import SyntheticMarket
from participant.wire.json import encode

SYMBOL, SEED, YEAR = "NIFTY", 1, 2026
SIDES = ("bid", "ask", "bid_size", "ask_size")
NOT_SEEN = ("last", "volume", "open_interest")


def sessions(rules: Rulebook) -> list[datetime.date]:
    """The sessions of the year, without the first: what is known of the futures is known from the session before."""
    first = datetime.date(YEAR, 1, 1)
    days = (first + datetime.timedelta(days=i) for i in range(365))
    return [day for day in days if rules.is_calendar_known(day) and rules.session(day) is not None][1:]


def make(folder: Path, days: int, step_s: int) -> int:
    """Make the first `days` sessions, an instant every `step_s` seconds, where they are not there yet; their rows."""
    rules, rows = load_rules(), 0
    (folder / CHAINS / SYMBOL).mkdir(parents=True, exist_ok=True)
    (folder / IMPORTS).touch()
    for day in sessions(rules)[:days]:
        file = folder / CHAINS / SYMBOL / f"{day}.parquet"
        if not file.exists():
            _write(file, _table(SyntheticMarket(SEED, day, rules, (SYMBOL,), step_s)))
        rows += pq.read_metadata(file).num_rows
    _imports(folder)
    _official(folder / OFFICIAL, rules, max(days, len(made_days(folder, len(sessions(rules))))))
    return rows


def made_days(folder: Path, days: int) -> list[Path]:
    """The files of the first days."""
    return sorted((folder / CHAINS / SYMBOL).glob("*.parquet"))[:days]


def _write(file: Path, table: pa.Table) -> None:
    beside = file.with_suffix(".unfinished")
    pq.write_table(table, beside, compression="zstd")
    beside.replace(file)


def _table(market: SyntheticMarket) -> pa.Table:
    """A day, one row a contract of an instant: by instant, expiry and strike, the call before the put."""
    options = sorted((c for c in market.contracts() if c.kind.is_option), key=lambda c: (c.expiry, c.strike, c.kind))
    place = {contract.key: i for i, contract in enumerate(options)}
    ats, spots, shown = list[int](), list[int](), list[Any]()
    book, spot = np.zeros((len(SIDES), len(options)), np.int64), 0
    for instant in market.instants():
        for tick in instant.ticks:
            if tick.contract in place:
                book[:, place[tick.contract]] = tick.bid, tick.ask, tick.bid_size, tick.ask_size
            spot = tick.last or spot
        ats.append(instant.at)
        spots.append(spot)
        shown.append(book.copy())
    return _columns(options, np.array(ats), np.array(spots), np.stack(shown, axis=1))


def _columns(options: list[Contract], ats: Any, spots: Any, shown: Any) -> pa.Table:
    n, m = len(ats), len(options)
    of_expiry = {c.expiry: sum(o.expiry == c.expiry for o in options) for c in options}
    whole = {"at": np.repeat(ats, m), "spot": np.repeat(spots, m)}
    whole["page_rows"] = np.tile(np.array([of_expiry[c.expiry] for c in options]), n)
    whole["strike"] = np.tile(np.array([c.strike for c in options]), n)
    whole |= dict(zip(SIDES, shown.reshape(len(SIDES), n * m), strict=True))
    whole |= dict.fromkeys(NOT_SEEN, np.zeros(n * m, np.int64))
    columns: dict[str, Any] = {name: pa.array(values, pa.int64()) for name, values in whole.items()}
    columns["symbol"] = pa.array([SYMBOL] * (n * m), pa.string())
    columns["source"] = pa.array(["made"] * (n * m), pa.string())
    columns["is_modelled"] = pa.array(np.zeros(n * m, bool))
    columns["kind"] = pa.array([c.kind.value for c in options] * n, pa.string())
    columns["expiry"] = pa.array([c.expiry for c in options] * n, pa.date32())
    names = ("at", "symbol", "expiry", "spot", "page_rows", "is_modelled", "source", "strike", "kind", *SIDES)
    return pa.table({name: columns[name] for name in (*names, *NOT_SEEN)})


def _imports(folder: Path) -> None:
    """A line for each day, as an import of it would have left."""
    lines = []
    for file in sorted((folder / CHAINS / SYMBOL).glob("*.parquet")):
        rows = pq.read_metadata(file).num_rows
        lines.append(encode(Import(SYMBOL, datetime.date.fromisoformat(file.stem), "made", 0, rows, {}, {})))
    (folder / IMPORTS).write_bytes(b"\n".join(lines) + b"\n")


def _official(folder: Path, rules: Rulebook, days: int) -> None:
    """The official series, from the session before the first day on; nothing where it reaches as far already."""
    first, *_ = played = sessions(rules)[:days]
    known = folder / "closes.csv"
    if known.exists() and f"{played[-1]}," in known.read_text(encoding="utf-8"):
        return
    before = next(d for d in (first - datetime.timedelta(days=i) for i in range(1, 10)) if rules.session(d) is not None)
    official = Series(rules, before)
    for day in (before, *played):
        official.add(SyntheticMarket(SEED, day, rules, (SYMBOL,)))
    official.write(folder)
