"""Rows to Arrow columns, put together from their bytes.

`pa.Table.from_pylist` does the same: it goes by way of a scalar a value, and imports pandas first where that is there.
"""

from array import array
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

CODES = {"int64": "q", "double": "d"}


def table_of(rows: Sequence[Mapping[str, Any]], schema: "pa.Schema") -> "pa.Table":
    """A table of text, 64-bit numbers and booleans; a text is a `str` or its UTF-8 bytes, and None is null.

    The text of a column has to fit 32-bit places: OverflowError where it has 2 GB or more.
    """
    import pyarrow as pa

    columns = [_column([row[field.name] for row in rows], field.type) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(values: list[Any], kind: "pa.DataType") -> "pa.Array":
    import pyarrow as pa

    there = [value is not None for value in values]
    present = None if all(there) else _bits(there)
    if str(kind) == "string":
        texts = [value.encode() if isinstance(value, str) else value or b"" for value in values]
        ends = pa.py_buffer(array("i", accumulate(map(len, texts), initial=0)))
        return pa.StringArray.from_buffers(len(values), ends, pa.py_buffer(b"".join(texts)), present)
    if str(kind) == "bool":
        body = _bits(values)
    else:
        body = pa.py_buffer(array(CODES[str(kind)], values if present is None else [value or 0 for value in values]))
    return pa.Array.from_buffers(kind, len(values), [present, body])


def _bits(values: Sequence[Any]) -> "pa.Buffer":
    """A bit a value, the lowest first."""
    import pyarrow as pa

    whole = sum(1 << i for i, value in enumerate(values) if value)
    return pa.py_buffer(whole.to_bytes(-(-len(values) // 8), "little"))
