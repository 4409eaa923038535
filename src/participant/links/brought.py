"""What comes into the desk's worth with a cover that a person declares, and leaves with it: no day's gain and no loss.

A row stands under the last day that was closed before it, so each worth that was written down can be told as if it had
been there then.
"""

import datetime

from msgspec import Struct

from participant.core.attribution import Flow
from participant.core.messages import Write
from participant.ports import Store
from participant.wire.json import decode, encode

TABLE = "brought"


class Brought(Struct, frozen=True):
    """Worth (paise) that came in, negative where it left, and the units that flowed with it, if any did."""

    worth: int
    at: int
    flow: Flow | None = None


def brought_rows(store: Store, running: datetime.date | None, brought: Brought, name: str) -> list[Write]:
    """The rows of what came in: of the day that runs at once, else of the next one to begin."""
    row = Write(TABLE, f"{_last_closed(store)}/{brought.at}-{name}", encode(brought))
    start = store.get("starts", str(running)) if running is not None else None
    if running is None or start is None:
        return [row]
    moved = Write("starts", str(running), str(int(start.value) + brought.worth).encode(), start.version)
    return [row, moved, *_flow(running, brought, name)]


def since(store: Store, day: str) -> int:
    """What came in (paise) after a day was closed; the empty day is before the first."""
    return sum(decode(r.value, Brought).worth for r in store.rows(TABLE) if r.key.partition("/")[0] >= day)


def waiting(store: Store, day: datetime.date) -> list[Write]:
    """The flows of a day that begins: of what came in after the last close."""
    rows = store.rows(TABLE, prefix=f"{_last_closed(store)}/")
    return [w for r in rows for w in _flow(day, decode(r.value, Brought), r.key.partition("-")[2])]


def _flow(day: datetime.date, brought: Brought, name: str) -> list[Write]:
    if brought.flow is None:
        return []
    return [Write("flows", f"{day}/declared-{name}/{brought.at}", encode(brought.flow))]


def _last_closed(store: Store) -> str:
    return max((r.key for r in store.rows("days")), default="")
