"""A decision log as one table that is asked in SQL: sealed days and lines that still grow, and the orders of a home.

DuckDB does the reading. The connection is locked before the first question: it reads the files of the log and nothing
else, writes none, and cannot be told otherwise.
"""

import datetime
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from participant.analysis.json_rows import fill, time_of
from participant.analysis.log_days import LogFolder
from participant.analysis.order_rows import COLUMNS as ORDER
from participant.analysis.order_rows import fill_orders
from participant.links.log_table import LEG, LEGS, LINE, NUMBER, TIME, line_row, lines_schema
from participant.wire.json import encode

ALL_DAYS = (datetime.date.min, datetime.date.max)
ROWS_AT_ONCE = 2_000
SHAPE = {name: {LEGS: [LEG], TIME: NUMBER}.get(kind, kind) for name, kind in LINE.items()}
COLUMNS = f"* REPLACE ({time_of('decided_at')} AS decided_at)"
VIEW = "CREATE VIEW decisions AS SELECT * EXCLUDE (other) FROM lines WHERE other IS NULL"
SETTINGS = {
    "TimeZone": "'Asia/Kolkata'",
    "temp_directory": "''",  # a question that does not fit into memory is refused, not written to the disk
    "python_enable_replacements": "false",  # or a name in a question could be one of our own variables
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "lock_configuration": "true",
}


class BadQuestion(Exception):
    """A question that cannot be asked: what is wrong with it, and how to mend it."""


class Answer(Struct, frozen=True):
    """The columns of an answer, and its rows as they are asked for."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Wanted(Struct, frozen=True):
    """The columns of the views that will be asked for: of lines that grow and of books no other is read."""

    decisions: Collection[str]
    orders: Collection[str]


EVERYTHING = Wanted(LINE, ORDER)


class LogTable:
    """The log at `where` between two days, both included, with the orders in the books at `books` where there are any.

    Views: `decisions`, `orders`. Raises StoreBroken.
    """

    def __init__(
        self,
        where: str,
        span: tuple[datetime.date, datetime.date] = ALL_DAYS,
        books: Path | None = None,
        wanted: Wanted = EVERYTHING,
    ) -> None:
        import duckdb

        self._database = duckdb.connect()
        self._error = duckdb.Error
        folder = LogFolder(where)
        self.days = folder.days(*span)
        self._lines(folder, wanted.decisions)
        if wanted.orders:
            fill_orders(self._database, books, span, wanted.orders)
        for name, value in SETTINGS.items():
            self._database.execute(f"SET {name} = {value}")

    def ask(self, question: str, values: Mapping[str, object] | None = None) -> Answer:
        """The answer to one SELECT; `values` stand for $names in it. Raises BadQuestion."""
        import duckdb

        try:
            statements = duckdb.extract_statements(question)
            if [one.type for one in statements] != [duckdb.StatementType.SELECT]:
                raise BadQuestion(_refusal(len(statements)))
            done = self._database.execute(statements[0], values)
            return Answer(tuple(column[0] for column in done.description or ()), self._rows())
        except self._error as fault:
            raise BadQuestion(_told(fault)) from None

    def close(self) -> None:
        """Let go of it."""
        self._database.close()

    def _rows(self) -> Iterator[tuple[Any, ...]]:
        try:
            while rows := self._database.fetchmany(ROWS_AT_ONCE):
                yield from rows
        except self._error as fault:
            raise BadQuestion(_told(fault)) from None

    def _lines(self, folder: LogFolder, wanted: Collection[str]) -> None:
        """The view of all lines: of sealed files as they lie there, of what is not sealed from memory."""
        sealed = [day.sealed for day in self.days if day.sealed]
        days = self.days if wanted else []
        rows = (encode(line_row(day.day, line, wanted)).decode() for day in days for line in folder.lines(day))
        fill(self._database, "growing", SHAPE, COLUMNS, rows)
        views = ["SELECT * FROM growing"]
        if sealed and folder.is_local:
            names = "[" + ", ".join("'" + name.replace("'", "''") + "'" for name in sealed) + "]"
            self._database.execute(f"SET allowed_paths = {names}")
            views.append(f"SELECT * FROM read_parquet({names})")  # noqa: S608  # no text of a person: names, quoted
        elif sealed:
            from pyarrow import dataset

            found = dataset.dataset(sealed, lines_schema(), "parquet", folder.files)
            self._database.register("sealed", found)
            views.append("SELECT * FROM sealed")
        self._database.execute(f"CREATE VIEW lines AS {' UNION ALL '.join(views)}")
        self._database.execute(VIEW)


def _refusal(count: int) -> str:
    if count != 1:
        return f"a question is one SELECT; this is {count or 'no'} statements"
    return "a question is a SELECT: nothing is written, attached, copied or set"


def _told(fault: Exception) -> str:
    said: Sequence[str] = str(fault).partition("\n\nLINE ")[0].splitlines()
    names = type(fault).__name__ in {"BinderException", "CatalogException"}
    return f"{' '.join(' '.join(said).split())}{'; `DESCRIBE decisions` names the columns' if names else ''}"
