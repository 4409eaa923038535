"""Rows made Arrow columns from their bytes, beside pyarrow's own way from Python values."""

import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.research.arrow_columns import table_of

SCHEMA = pa.schema([("text", pa.string()), ("whole", pa.int64()), ("real", pa.float64()), ("is", pa.bool_())])
ROW = st.fixed_dictionaries(
    {
        "text": st.none() | st.text(max_size=9),
        "whole": st.none() | st.integers(-(2**63), 2**63 - 1),
        "real": st.none() | st.floats(allow_nan=False),
        "is": st.none() | st.booleans(),
    }
)


@given(st.lists(ROW, max_size=40))
def test_columns_are_those_that_arrow_itself_would_make(rows: list[dict[str, object]]) -> None:
    found = table_of(rows, SCHEMA)
    found.validate(full=True)
    assert found == pa.Table.from_pylist(rows, schema=SCHEMA)
    as_bytes = [row | {"text": text.encode() if isinstance(text := row["text"], str) else None} for row in rows]
    assert table_of(as_bytes, SCHEMA) == found


def test_a_value_that_a_column_cannot_hold_is_refused() -> None:
    row = {"text": "", "whole": 0, "real": 0.0, "is": False}
    for wrong, error in (({"whole": 2**63}, OverflowError), ({"whole": 1.5}, TypeError), ({"real": "1"}, TypeError)):
        with pytest.raises(error):
            table_of([row | wrong], SCHEMA)


def test_pandas_is_not_imported_for_it() -> None:
    code = (
        "import sys, pyarrow as pa; from participant.research.arrow_columns import table_of;"
        "table_of([{'a': 'x'}], pa.schema([('a', pa.string())])); sys.exit('pandas' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
