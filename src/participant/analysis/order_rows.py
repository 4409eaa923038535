"""The orders of a home's books as a table: what was asked for, what became of it, at what price and cost."""

import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from participant.core.scrip import Contract
from participant.links.log_table import said
from participant.links.sqlite import faults_told
from participant.wire.json import decode

ROWS = "SELECT key, value FROM rows WHERE tbl = ? AND key >= ? AND key < ? ORDER BY seq"
Row = tuple[Any, ...]


class _Order(Struct):
    """An order of the books as far as the table has it: of a hundred thousand, the rest would take half the time."""

    order_id: str
    decision_id: str
    scrip: str
    contract: Contract
    side: str
    quantity: int
    limit: int
    decided_at: int
    status: str
    reason: str
    denied_by: str
    sends: int
    changes: int
    cum_quantity: int
    cum_value: int
    filled_at: int


class _Fill(Struct):
    charges: int


def orders_table(books: Path | None, span: tuple[datetime.date, datetime.date]) -> Any:
    """The orders of the days of a span, in their order; none where there are no books. Raises StoreBroken."""
    import pyarrow as pa

    names, kinds = zip(*_columns().items(), strict=True)
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    columns = list(zip(*_rows(books, span), strict=True)) if books and books.exists() else []
    if not columns:
        return pa.Table.from_batches([], schema=schema)
    return pa.Table.from_arrays([pa.array(c, k) for c, k in zip(columns, kinds, strict=True)], schema=schema)


def _rows(books: Path, span: tuple[datetime.date, datetime.date]) -> Iterator[Row]:
    keys = str(span[0]), f"{span[1]}0"  # a key is DAY/ORDER, and / comes before 0
    with faults_told(books):
        connection = sqlite3.connect(f"{books.absolute().as_uri()}?mode=ro", uri=True)
        orders = connection.execute(ROWS, ("orders", *keys)).fetchall()
        fills = connection.execute(ROWS, ("fills", *keys)).fetchall()
        connection.close()
    charges = {key: decode(value, _Fill).charges for key, value in fills}
    order_of = msgspec.json.Decoder(_Order).decode
    for key, value in orders:
        yield _row(datetime.date.fromisoformat(key[:10]), order_of(value), charges.get(key, 0))


def _row(day: datetime.date, order: _Order, charges: int) -> Row:
    of = order.contract
    whose = (day, order.decided_at, order.scrip, order.decision_id, order.order_id)
    asked = (of.key, of.kind.value, of.expiry, of.strike, of.tick, order.side, order.quantity, order.limit)
    told = (order.status, order.reason, said(order.reason) if order.reason else "", order.denied_by)
    filled = (order.cum_quantity, order.cum_value, charges, order.filled_at or None)
    return (*whose, *asked, *told, order.sends, order.changes, *filled)


def _columns() -> dict[str, Any]:
    """The columns in the order of a row: `limit`, `strike` and `tick` are prices, `value` and `charges` paise."""
    import pyarrow as pa

    text, number, day, time = pa.string(), pa.int64(), pa.date32(), pa.timestamp("ns", tz="UTC")
    whose = {"day": day, "decided_at": time, "symbol": text, "decision_id": text, "order_id": text}
    terms = {"contract": text, "kind": text, "expiry": day, "strike": number, "tick": number}
    asked = {"side": text, "quantity": number, "limit": number}
    told = {"status": text, "reason": text, "said": text, "denied_by": text, "sends": number, "changes": number}
    return whose | terms | asked | told | {"filled": number, "value": number, "charges": number, "filled_at": time}
