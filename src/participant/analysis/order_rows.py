"""The orders of a home's books as rows of a table: what was asked for, what became of it, at what price and cost."""

import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from participant.core.books import Fill
from participant.core.order import Order
from participant.links.log_table import day_number, said
from participant.links.sqlite import faults_told
from participant.wire.json import decode

ROWS = "SELECT key, value FROM rows WHERE tbl = ? AND key >= ? AND key < ? ORDER BY seq"


def order_rows(books: Path, span: tuple[datetime.date, datetime.date]) -> Iterator[dict[str, Any]]:
    """The orders of the days of a span, in their order; none where there are no books. Raises StoreBroken."""
    if not books.exists():
        return
    keys = str(span[0]), f"{span[1]}0"  # a key is DAY/ORDER, and / comes before 0
    with faults_told(books):
        connection = sqlite3.connect(f"{books.absolute().as_uri()}?mode=ro", uri=True)
        orders = connection.execute(ROWS, ("orders", *keys)).fetchall()
        fills = connection.execute(ROWS, ("fills", *keys)).fetchall()
        connection.close()
    charges = {key: decode(value, Fill).charges for key, value in fills}
    for key, value in orders:
        yield _row(datetime.date.fromisoformat(key.partition("/")[0]), decode(value, Order), charges.get(key, 0))


def _row(day: datetime.date, order: Order, charges: int) -> dict[str, Any]:
    contract = order.contract
    return {
        "day": day_number(day),
        "decided_at": order.decided_at,
        "symbol": order.scrip,
        "decision_id": order.decision_id,
        "order_id": order.order_id,
        "contract": contract.key,
        "kind": str(contract.kind),
        "expiry": day_number(contract.expiry),
        "strike": contract.strike,
        "tick": contract.tick,
        "side": str(order.side),
        "quantity": order.quantity,
        "limit": order.limit,
        "status": str(order.status),
        "reason": order.reason,
        "said": said(order.reason),
        "denied_by": order.denied_by,
        "sends": order.sends,
        "changes": order.changes,
        "filled": order.cum_quantity,
        "value": order.cum_value,
        "charges": charges,
        "filled_at": order.filled_at or None,
    }


def orders_schema() -> Any:
    """The columns of an order: `limit`, `strike` and `tick` are prices, `value` and `charges` paise."""
    import pyarrow as pa

    times, days = ("decided_at", "filled_at"), ("day", "expiry")
    texts = ("symbol", "decision_id", "order_id", "contract", "kind", "side", "status", "reason", "said", "denied_by")
    names = ("day", "decided_at", "symbol", "decision_id", "order_id", "contract", "kind", "expiry", "strike", "tick",
             "side", "quantity", "limit", "status", "reason", "said", "denied_by", "sends", "changes", "filled",
             "value", "charges", "filled_at")  # fmt: skip
    kinds = {
        **dict.fromkeys(names, pa.int64()),
        **dict.fromkeys(times, pa.timestamp("ns", tz="UTC")),
        **dict.fromkeys(days, pa.date32()),
        **dict.fromkeys(texts, pa.string()),
    }
    return pa.schema([(name, kinds[name]) for name in names])
