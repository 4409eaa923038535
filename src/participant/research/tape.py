"""A tape from Parquet files: depth and trades of one contract, a batch at a time, against a strategy's orders."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from participant.core.tape import Fills, Tape, Terms

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = {"exchange_at": "q", "received_at": "q", "kind": "b", "side": "b", "price": "q", "size": "q"}
FILL_COLUMNS = ("order", "side", "price", "quantity", "is_maker", "at", "known_at")
BATCH_ROWS = 1 << 14


class Played(Struct, frozen=True):
    """What came of it: every fill in columns (FILL_COLUMNS), position in units, cash in paise, wakes of the strategy.

    `misfits` counts the rows that did not fit the ladder: something before them is missing from the tape.
    """

    fills: Fills
    position: int
    cash: int
    wakes: int
    misfits: int


def play_tape(paths: Sequence[str | Path], strategy: Callable[[Tape], Any], terms: Terms) -> Played:
    """Play files, one after the other as one tape; memory holds a batch, what is still on its way, and the fills.

    A file has the columns of COLUMNS, integers without holes: times in ns, kinds of `Change` and TRADE, side 0 or 1,
    price in 1/10,000, size in units. ValueError says which file is none, or which of its rows cannot be.
    """
    tape = Tape(strategy, terms)
    fills: Fills = tape.take_fills()
    for path in paths:
        before = 0
        for columns in _batches(Path(path)):
            try:
                tape.play(columns)
            except ValueError as fault:
                raise ValueError(f"{path}, of the rows from {before} on: {fault}") from fault
            before += len(columns[0])
            fills = _joined(fills, tape.take_fills())
    tape.finish()
    return Played(_joined(fills, tape.take_fills()), tape.position, tape.cash, tape.wakes, tape.misfits)


def _joined(fills: Fills, more: Fills) -> Fills:
    for column, part in zip(fills, more, strict=True):
        column.extend(part)
    return fills


def _batches(path: Path) -> Iterator[list[memoryview]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            full = (batch for batch in file.iter_batches(BATCH_ROWS, columns=list(COLUMNS)) if batch.num_rows)
            for batch in full:
                yield [_column(batch, name, code) for name, code in COLUMNS.items()]
    except (pa.ArrowException, OSError, KeyError) as fault:
        raise ValueError(f"{path} is no tape: {str(fault).strip(chr(39))}") from fault


def _column(batch: "pa.RecordBatch", name: str, code: str) -> memoryview:
    """A column's own memory, of 8 or 64 bits a number; others are converted, and what does not fit is refused."""
    import pyarrow as pa

    width = pa.int64() if code == "q" else pa.int8()
    column = batch.column(name)
    if column.null_count or not pa.types.is_integer(column.type):
        raise pa.ArrowInvalid(f"column {name} must hold integers without holes")
    column = column.cast(width)
    size = width.bit_width // 8
    memory = memoryview(column.buffers()[1])[column.offset * size : (column.offset + len(column)) * size]
    return memory.cast("q") if code == "q" else memory.cast("b")
