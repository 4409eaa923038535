"""The orders of a home's books as a table: what was asked for, what became of it, at what price and cost.

Of a hundred thousand orders the bytes go from SQLite to DuckDB as they are: as values of Python's they would take
three times as long.
"""

import datetime
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from participant.analysis.json_rows import fill, key_of, said_of, time_of
from participant.links.log_table import DAY, NUMBER, TEXT
from participant.links.sqlite import faults_told
from participant.ports import StoreBroken

# Sorted by `seq` alone: with the orders beside it, sorting would take as long as reading. A fill has its order's key.
ROWS = """
SELECT '{"day":"' || substr(o.key, 1, 10) || '","o":' || CAST(o.value AS TEXT)
  || ',"fill":' || coalesce(CAST(f.value AS TEXT), 'null') || '}'
FROM rows o LEFT JOIN rows f ON f.tbl = 'fills' AND f.key = o.key
WHERE o.seq IN (SELECT seq FROM rows WHERE tbl = 'orders' AND key >= ? AND key < ?) ORDER BY o.seq
"""
SHAPE = {
    "day": DAY,
    "o": {
        **dict.fromkeys(("order_id", "decision_id", "scrip", "side", "status", "reason", "denied_by"), TEXT),
        **dict.fromkeys(("quantity", "limit", "decided_at", "sends", "changes"), NUMBER),
        **dict.fromkeys(("cum_quantity", "cum_value", "filled_at"), NUMBER),
        "contract": {"underlying": TEXT, "kind": TEXT, "expiry": DAY, "strike": NUMBER, "tick": NUMBER},
    },
    "fill": {"charges": NUMBER},
}
# `limit`, `strike` and `tick` are prices, `value` and `charges` paise.
COLUMNS = {
    "day": "day",
    "decided_at": time_of("o.decided_at"),
    "symbol": "o.scrip",
    "decision_id": "o.decision_id",
    "order_id": "o.order_id",
    "contract": key_of("o.contract"),
    **{name: f"o.contract.{name}" for name in ("kind", "expiry", "strike", "tick")},
    **{name: f"o.{name}" for name in ("side", "quantity", "limit", "status", "reason")},
    "said": said_of("o.reason"),
    **{name: f"o.{name}" for name in ("denied_by", "sends", "changes")},
    "filled": "o.cum_quantity",
    "value": "o.cum_value",
    "charges": "coalesce(fill.charges, 0)",
    "filled_at": time_of("nullif(o.filled_at, 0)"),
}
ALWAYS = ("decided_at", "symbol", "decision_id", "order_id", "contract", "kind", "side", "quantity", "limit", "status")


def fill_orders(
    database: Any, books: Path | None, span: tuple[datetime.date, datetime.date], wanted: Collection[str]
) -> None:
    """The table `orders` of the days of a span, in their order; empty where there are no books. Raises StoreBroken."""
    import duckdb

    told = {**COLUMNS, **{name: _there(name, COLUMNS[name]) for name in ALWAYS}}
    columns = ", ".join(f'{sql} AS "{name}"' for name, sql in told.items() if name in wanted)
    try:
        fill(database, "orders", SHAPE, columns, _rows(books, span) if books and books.exists() else ())
    except duckdb.Error as fault:
        what = f"an order or a fill in it is none of ours ({str(fault).splitlines()[0]:.200})"
        raise StoreBroken(f"database {books}: {what}: restore it from a copy") from None


def _there(name: str, sql: str) -> str:
    """A column that every order has: an error where one lacks it, or has it of another kind."""
    return f"coalesce({sql}, error('its {name} is not there'))"


def _rows(books: Path, span: tuple[datetime.date, datetime.date]) -> Iterator[str]:
    with faults_told(books):
        connection = sqlite3.connect(f"{books.absolute().as_uri()}?mode=ro", uri=True)
        for (row,) in connection.execute(ROWS, (str(span[0]), f"{span[1]}0")):  # a key is DAY/ORDER: / is before 0
            yield row
        connection.close()
