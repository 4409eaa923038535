"""A day of a catalogue from its Parquet file to pages whose cells stay in the file's columns."""

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from participant.core.chain_columns import Figures
from participant.core.scrip import Kind
from participant.history.cells import Cells, Columns, Shape
from participant.history.pages import Page

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = ("at", "symbol", "expiry", "spot", "page_rows", "is_modelled", "source")
TEXTS = ("symbol", "source", "kind")  # said again and again: read as numbers of a dictionary
WHOLE = ("at", "spot", "page_rows", "strike")
FIGURES = ("bid", "ask", "bid_size", "ask_size", "last", "volume", "open_interest")
EPOCH_ORDINAL = datetime.date(1970, 1, 1).toordinal()


def pages_of(table: "pa.Table") -> list[Page] | None:
    """The pages of a table that was read with TEXTS as dictionaries; None where a cell is empty or of another type."""
    import pyarrow as pa

    table = table.unify_dictionaries().combine_chunks()
    whole = all(table.schema.field(name).type == pa.int64() for name in (*WHOLE, *FIGURES))
    if not whole or any(column.null_count for column in table.columns) or not table.num_rows:
        return None
    columns = {name: table.column(name).chunk(0) for name in table.column_names}
    texts = {name: columns[name].dictionary.to_pylist() for name in TEXTS}
    numbers = {name: _view(columns[name], "q") for name in (*WHOLE, *FIGURES)}
    indices = {name: _view(columns[name].indices, "i") for name in TEXTS}
    expiries = _view(columns["expiry"], "i")
    figures = Columns(Figures(*(numbers[name] for name in FIGURES[:4])), *(numbers[name] for name in FIGURES[4:]))
    shapes, found = _Shapes(numbers["strike"], indices["kind"], [Kind(kind) for kind in texts["kind"]]), list[Page]()
    starts = _starts(columns)
    bits, first = memoryview(columns["is_modelled"].buffers()[1]), columns["is_modelled"].offset
    for begin, end in zip(starts, [*starts[1:], table.num_rows], strict=True):
        found.append(
            Page(
                numbers["at"][begin],
                texts["symbol"][indices["symbol"][begin]],
                datetime.date.fromordinal(EPOCH_ORDINAL + expiries[begin]),
                numbers["spot"][begin],
                Cells(shapes.of(begin, end), figures, begin),
                numbers["page_rows"][begin],
                texts["source"][indices["source"][begin]],
                bool(bits[(first + begin) // 8] >> (first + begin) % 8 & 1),
            )
        )
    return found


class _Shapes:
    """The shapes of a table's pages, each once."""

    def __init__(self, strikes: Any, kinds: Any, names: Sequence[Kind]) -> None:
        self._strikes, self._kinds, self._names = strikes, kinds, names
        self._known: dict[tuple[bytes, bytes], Shape] = {}

    def of(self, begin: int, end: int) -> Shape:
        strikes, kinds = self._strikes[begin:end], self._kinds[begin:end]
        key = strikes.tobytes(), kinds.tobytes()
        if key not in self._known:
            self._known[key] = Shape(strikes.tolist(), [self._names[i] for i in kinds])
        return self._known[key]


def _view(column: Any, kind: Literal["q", "i"]) -> Any:
    """A column's numbers where they lie in memory."""
    numbers = memoryview(column.buffers()[1]).cast("B").cast(kind)
    return numbers[column.offset : column.offset + len(column)]


def _starts(columns: dict[str, Any]) -> list[int]:
    """The rows with which a page begins: any of HEAD is another than in the row before."""
    import pyarrow.compute as pc

    changes = None
    for name in HEAD:
        column = columns[name].indices if name in TEXTS else columns[name]
        if name not in TEXTS or len(columns[name].dictionary) > 1:
            differs = pc.not_equal(column.slice(1), column.slice(0, len(column) - 1))
            changes = differs if changes is None else pc.or_(changes, differs)
    return [0, *(at + 1 for at in pc.indices_nonzero(changes).to_pylist())]
