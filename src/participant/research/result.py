"""The saved result of a backtest: a folder with `summary.json` and five Parquet files (docs/backtest.md).

The files grow day by day, so that a year of days needs no more memory than one. A result is whole once its summary
stands: that is written last.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from participant.core.decision import Figure
from participant.core.wording import rupees
from participant.history.pages import BadData
from participant.research.arrow_columns import table_of
from participant.wire.json import Malformed, decode, encode

if TYPE_CHECKING:
    import pyarrow as pa

Row = Mapping[str, object]
SUMMARY = "summary.json"
ROWS_AT_ONCE = 10_000
UNFINISHED = ".unfinished"
# Prices are in 1/10,000 rupee, money in paise, quantities in units, `at` in ns UTC, days as 2019-04-12.
TABLES: Mapping[str, Mapping[str, str]] = {
    "equity": dict.fromkeys(("day", "scrip"), "string")
    | dict.fromkeys(("cash", "worth", "margin", "free", "drawdown", "cover_alone", "overwrite"), "int64")
    | dict.fromkeys(("delta", "gamma", "vega", "theta", "spot"), "int64"),
    "decisions": {"decision_id": "string", "at": "int64"}
    | dict.fromkeys(("day", "scrip", "action", "reason"), "string")
    | {"score": "float64", "strike": "int64", "expiry": "string", "premium": "int64"}
    | dict.fromkeys(("scripRow", "marketState", "currentPositionInfo", "decisionInfo"), "string"),
    "parts": dict.fromkeys(("id", "kind", "part"), "string"),
    "fills": {"order_id": "string", "decision_id": "string", "at": "int64"}
    | dict.fromkeys(("day", "scrip", "contract", "side"), "string")
    | dict.fromkeys(("quantity", "price", "value", "charges"), "int64")
    | {"is_modelled": "bool_"},
    "events": dict.fromkeys(("day", "scrip", "kind", "contract"), "string")
    | {"quantity": "int64", "price": "int64", "amount": "int64", "text": "string"},
}


class Note(Struct, frozen=True):
    """What is to be said of the data of a day; `scrip` is empty where it is of the whole day."""

    day: str
    scrip: str
    note: str


class Data(Struct, frozen=True):
    """What was played: the paths as they were given, and the notes of the days."""

    paths: tuple[str, ...]
    notes: tuple[Note, ...] = ()


class Summary(Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """A run in figures, money in paise. `status`: `done`, `partly` (days not played) or `stopped`: docs/backtest.md."""

    strategy: str
    scrips: tuple[str, ...]
    since: str
    until: str
    capital: int
    worth: int
    weights: dict[str, dict[str, Figure | bool]]
    rules_hash: str
    build_id: str
    data: Data
    totals: dict[str, int]
    counts: dict[str, int]
    status: str
    latency_s: float = 0.0


class Result:
    """A finished run: its summary, and its tables, which are read when they are asked for."""

    def __init__(self, folder: Path, summary: Summary) -> None:
        self.folder, self.summary = folder, summary

    @property
    def gain(self) -> int:
        """What was made (paise), after charges."""
        return self.summary.worth - self.summary.capital

    def table(self, name: str) -> "pa.Table":
        """One of TABLES as an Arrow table; `.to_pylist()` gives its rows, `.to_pandas()` a frame."""
        import pyarrow.parquet as pq

        if name not in TABLES:
            raise KeyError(f"a result has no table {name}; it has {', '.join(TABLES)}")
        return pq.read_table(self.folder / f"{name}.parquet")

    def rows(self, name: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, a batch at a time in memory."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.folder / f"{name}.parquet") as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()

    def save(self, folder: Path | str) -> "Result":
        """A copy of the whole result in another folder, which may not hold one yet."""
        target = Path(folder)
        _check_free(target)
        target.mkdir(parents=True, exist_ok=True)
        for name in (*(f"{table}.parquet" for table in TABLES), SUMMARY):
            (target / name).write_bytes((self.folder / name).read_bytes())
        return Result(target, self.summary)

    def __str__(self) -> str:
        """The run in a few lines."""
        return "\n".join(f"{name:<12} {text}" for name, text in self._lines())

    def _repr_html_(self) -> str:
        """The same as a small table, for notebooks."""
        rows = (f"<tr><th>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in self._lines())
        return f"<table>{''.join(rows)}</table>"

    def _lines(self) -> list[tuple[str, str]]:
        of = self.summary
        return [
            ("strategy", f"{of.strategy} on {', '.join(of.scrips)}, {of.since} to {of.until} ({of.status})"),
            ("capital", rupees(of.capital)),
            ("worth", f"{rupees(of.worth)} at the last close, after charges"),
            ("counts", ", ".join(f"{count:,} {name}" for name, count in of.counts.items())),
            ("totals", ", ".join(f"{name} {rupees(paise)}" for name, paise in of.totals.items())),
            ("data", f"{len(of.data.notes):,} notes on {', '.join(of.data.paths)}"),
            ("saved in", str(self.folder)),
        ]


def load(folder: Path | str) -> Result:
    """A saved result; BadData where the folder holds none, or one that was never finished."""
    path = Path(folder)
    lacking = [name for name in (SUMMARY, *(f"{t}.parquet" for t in TABLES)) if not (path / name).is_file()]
    if lacking:
        raise BadData(f"{path} holds no finished result of a backtest: {lacking[0]} is missing; run it again")
    try:
        return Result(path, decode((path / SUMMARY).read_bytes(), Summary))
    except Malformed as fault:
        raise BadData(f"{path / SUMMARY}: {fault}; run the backtest again") from fault


class ResultWriter:
    """Writes a result table by table as the days go by; leave it without `finish`, and there is no result."""

    def __init__(self, folder: Path) -> None:
        _check_free(folder)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._files = {name: _writer(folder / f"{name}.parquet", columns) for name, columns in TABLES.items()}
        except OSError as fault:
            raise BadData(f"{folder} cannot be written: {fault.strerror}; choose another folder") from fault
        self.folder = folder

    def add(self, name: str, rows: Sequence[Row]) -> None:
        """Append rows; a row has every column of its table, and text as `str` or as its UTF-8 bytes."""
        file = self._files[name]
        for begin in range(0, len(rows), ROWS_AT_ONCE):
            file.write_table(table_of(rows[begin : begin + ROWS_AT_ONCE], file.schema))

    def finish(self, summary: Summary) -> Result:
        """Close the files and write the summary."""
        self.close()
        beside = self.folder / f"{SUMMARY}{UNFINISHED}"
        beside.write_bytes(encode(summary))
        os.replace(beside, self.folder / SUMMARY)
        return Result(self.folder, summary)

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


def _check_free(folder: Path) -> None:
    if (folder / SUMMARY).exists():
        raise BadData(f"{folder} holds a result already; choose another folder, or remove it")


def _writer(path: Path, columns: Mapping[str, str]) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, getattr(pa, kind)()) for name, kind in columns.items()])
    return pq.ParquetWriter(path, schema, compression="zstd")
