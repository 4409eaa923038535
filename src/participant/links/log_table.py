"""A day of the decision log as a table: the four objects of each line, and typed columns of what is asked for most.

The same columns serve the sealed Parquet and the lines that still grow, so that one question reads both.
"""

import datetime
import hashlib
import os
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Generic, TypeVar

import msgspec
from msgspec import Struct

from participant.core.scrip import Contract
from participant.links.parts import unpack

ROWS_A_GROUP = 24_000  # a day of sixty scrips, 40 MB while it is written: many small groups are slow to ask
PAGE_SIZE = 64 << 10  # bytes of a column that are unpacked at once: who asks for few rows leaves the others as they are
ROWS_A_BATCH = 2_000  # ... of which so many at a time stand there as Python's own values
ZSTD_LEVEL = 9
MARK = b"participant.sealed.1"  # the key in a Parquet file under which stands what it was made of
MARKED = re.compile(re.escape(MARK) + rb"..?(\{[^{}]*\})", re.DOTALL)  # a byte or two say how long the text is
END = b"\0\0\0\0PAR1"  # how long a Parquet file's end is, and that it is one
FIGURES = re.compile(r"\d(?:[\d,.]*\d)?%?", re.ASCII)  # as DuckDB reads it as well
SIGNS = (("₹#", "#"), (" -#", " #"), ("(-#", "(#"))  # what belongs to a figure; the hyphens of a contract do not
# Few values, said again and again; a dictionary of the others saves nothing.
REPEATED = ["day", "symbol", "action", "said", "outcome", "provider", "build_id", "rules_hash", "scrip",
            "currentPositionInfo", "reason", "other", "kind"]  # fmt: skip
OBJECTS = ("scrip", "marketState", "currentPositionInfo", "decisionInfo")
BULKY = {*OBJECTS, "other", "part"}  # nobody asks for a span of it
# The columns of a day's lines in their order, in DuckDB's kinds: `spot`, `limit`, `strike` are prices, `margin` paise.
TEXT, NUMBER, REAL, DAY, TIME, LEGS = "VARCHAR", "BIGINT", "DOUBLE", "DATE", "TIMESTAMPTZ_NS", "LEGS"
LEG = {"contract": TEXT, "kind": TEXT, "expiry": DAY, "strike": NUMBER, "side": TEXT, "quantity": NUMBER,
       "limit": NUMBER, "margin": NUMBER}  # fmt: skip
LINE = {
    "day": DAY,
    "decided_at": TIME,
    **dict.fromkeys(("symbol", "action", "reason", "said", "decision_id", "snapshot_id", "outcome", "provider"), TEXT),
    **dict.fromkeys(("build_id", "rules_hash"), TEXT),
    **dict.fromkeys(("spot", "delay_ns"), NUMBER),
    **dict.fromkeys(("iv_rank", "iv30", "iv_over_realised"), REAL),
    "legs": LEGS,
    **dict.fromkeys((*OBJECTS, "other"), TEXT),
}
T = TypeVar("T")
Row = dict[str, Any]


class Mark(Struct, frozen=True):
    """What a sealed file was made of: so many bytes of the growing one, and their digest."""

    bytes: int
    digest: str


class _Symbol(Struct):
    symbol: str | None = None


class _Market(Struct, rename="camel"):
    provider: str | None = None
    spot: int | None = None
    exchange_at: int | None = None
    received_at: int | None = None


class _Leg(Struct):
    contract: Contract
    side: str
    quantity: int
    limit: int
    margin: int = 0


class _Told(Struct):
    iv_rank: float | None = None
    iv30: float | None = None
    iv_over_realised: float | None = None


class _Info(Struct, Generic[T], rename="camel"):
    """What of a decision is worth a column of its own; decided_for is nanoseconds UTC."""

    decided_for: int | None = None
    action: str | None = None
    reason: str | None = None
    decision_id: str | None = None
    snapshot_id: str | None = None
    outcome: str | None = None
    build_id: str | None = None
    rules_hash: str | None = None
    figures: T | None = None
    legs: tuple[_Leg, ...] = ()


class _Line(Struct, Generic[T], rename="camel"):
    """A line as far as it has columns."""

    scrip: _Symbol
    market_state: _Market
    current_position_info: msgspec.Raw
    decision_info: _Info[T]


_AS_IT_IS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_LINE, _OTHER_FIGURES = msgspec.json.Decoder(_Line[_Told]).decode, msgspec.json.Decoder(_Line[Any]).decode


def line_row(day: datetime.date, line: bytes, wanted: Collection[str] = LINE) -> Row:
    """A row of the table, of the columns that are wanted; a line of another kind stands in `other`."""
    try:
        found, told = _columns_of(line)
    except msgspec.DecodeError:
        return {"day": day, "other": line.decode(errors="replace")}
    market, info = found.market_state, found.decision_info
    has_delay = market.received_at is not None and market.exchange_at is not None
    row = {
        "day": day,
        "decided_at": info.decided_for,
        "symbol": found.scrip.symbol,
        "action": info.action,
        "reason": info.reason,
        "said": said(info.reason or "") if "said" in wanted else None,
        "decision_id": info.decision_id,
        "snapshot_id": info.snapshot_id,
        "outcome": info.outcome,
        "provider": market.provider,
        "build_id": info.build_id,
        "rules_hash": info.rules_hash,
        "spot": market.spot,
        "delay_ns": (market.received_at or 0) - (market.exchange_at or 0) if has_delay else None,
        "iv_rank": told.iv_rank,
        "iv30": told.iv30,
        "iv_over_realised": told.iv_over_realised,
        "legs": [_leg(leg) for leg in info.legs] or None,
    }
    if "decisionInfo" in wanted:
        objects = _AS_IT_IS(line)
        row |= {name: bytes(objects[name]).decode() for name in OBJECTS}
    return row if wanted is LINE else {name: row[name] for name in row if name in wanted}


def _columns_of(line: bytes) -> tuple[_Line[Any], _Told]:
    """What of a line has columns; no figures where another package means something else by such a name."""
    try:
        found = _LINE(line)
    except msgspec.DecodeError:
        return _OTHER_FIGURES(line), _Told()
    return found, found.decision_info.figures or _Told()


def said(reason: str) -> str:
    """A sentence with every figure as #: two that say the same are equal."""
    told = FIGURES.sub("#", reason)
    for figure, sign in SIGNS:
        told = told.replace(figure, sign)
    return told


def _leg(leg: _Leg) -> Row:
    one = leg.contract
    terms = {"kind": str(one.kind), "expiry": one.expiry, "strike": one.strike}
    return {"contract": one.key, **terms, "side": leg.side, "quantity": leg.quantity, "limit": leg.limit,
            "margin": leg.margin}  # fmt: skip


def part_rows(packs: Iterable[bytes]) -> Iterator[Row]:
    """The rows of the parts' table. Raises Malformed."""
    for one in (part for pack in packs for part in unpack(pack)):
        yield {"id": one.id, "kind": one.kind, "part": bytes(one.part).decode()}


# --- as Arrow and Parquet; pyarrow takes long to load, so it is imported where it is needed ---------------------------


def lines_schema() -> Any:
    """The columns of a day's lines for Arrow."""
    import pyarrow as pa

    kinds = {TEXT: pa.string(), NUMBER: pa.int64(), REAL: pa.float64(), DAY: pa.date32(),
             TIME: pa.timestamp("ns", tz="UTC")}  # fmt: skip
    kinds[LEGS] = pa.list_(pa.struct([(name, kinds[kind]) for name, kind in LEG.items()]))
    return pa.schema([(name, kinds[kind]) for name, kind in LINE.items()])


def parts_schema() -> Any:
    """The columns of a day's parts."""
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in ("id", "kind", "part")])


def write_parquet(rows: Iterator[Row], schema: Any, mark: Mark, path: Path) -> None:
    """Rows as a Parquet file on the disk that says what it was made of; equal rows give equal bytes. Raises OSError."""
    import pyarrow as pa

    made = batches(rows, schema)
    with open(path, "wb") as sink:
        with parquet_writer(sink, schema, mark) as writer:
            while group := list(islice(made, ROWS_A_GROUP // ROWS_A_BATCH)):
                writer.write_table(pa.Table.from_batches(group), row_group_size=ROWS_A_GROUP)
        sink.flush()
        os.fsync(sink.fileno())


def batches(rows: Iterator[Row], schema: Any) -> Iterator[Any]:
    """Rows as Arrow's batches, a few thousand each, so that no more of them stand there as Python's own values."""
    import pyarrow as pa

    while batch := list(islice(rows, ROWS_A_BATCH)):
        yield pa.RecordBatch.from_pylist(batch, schema=schema)


def parquet_writer(sink: Any, schema: Any, mark: Mark) -> Any:
    """What writes tables of this shape, a row group each."""
    import pyarrow.parquet as pq

    style = {
        "compression": "zstd",
        "compression_level": ZSTD_LEVEL,
        "data_page_size": PAGE_SIZE,
        "use_dictionary": [name for name in REPEATED if name in schema.names],
        "write_statistics": [name for name in schema.names if name not in BULKY],
    }
    return pq.ParquetWriter(sink, schema.with_metadata({MARK: msgspec.json.encode(mark)}), **style)


def mark_of(file: BinaryIO) -> Mark | None:
    """What an open Parquet file was made of; None where it does not say, or is none. Raises OSError.

    It is found in the file's end as the text that it is: to take that apart would cost more than many a question.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - len(END)))
    end = file.read(len(END))
    length = int.from_bytes(end[:4], "little")
    if end[4:] != END[4:] or not 0 < length <= size - len(END):
        return None
    file.seek(size - len(END) - length)
    found = MARKED.findall(file.read(length))
    return msgspec.json.decode(found[-1], type=Mark) if found else None  # figures of the columns come before it


def digest_of(path: Path, size: int) -> str:
    """A digest of the first bytes of a file. Raises OSError."""
    found, left = hashlib.blake2b(digest_size=16), size
    with open(path, "rb") as file:
        while left and (chunk := file.read(min(left, 1 << 20))):
            found.update(chunk)
            left -= len(chunk)
    return found.hexdigest()
