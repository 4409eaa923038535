"""A tape in Parquet files plays as its rows do, and a file that is none is refused in one line."""

from array import array
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from participant import Terms, play_tape
from participant.core.ladder import ASK, BID, Change
from participant.core.tape import TRADE, Tape
from participant.research import tape as of_files

NAMES = tuple(of_files.COLUMNS)
ROWS = [
    (10, 12, Change.CLEAR, BID, 0, 0),
    (10, 12, Change.NEW, BID, 1000, 50),
    (10, 12, Change.NEW, ASK, 1010, 50),
    *((20 + i, 22 + i, TRADE, BID, 1000, 10) for i in range(20)),
    (90, 92, Change.CHANGE, ASK, 1010, 60),
]


def quote_once(tape: Any) -> None:
    if tape.wakes == 1:
        tape.submit(BID, 1000, 30)
        tape.submit(BID, 1010, 5, True)


def write(path: Path, rows: list[Any], **types: pa.DataType) -> Path:
    columns = {name: [int(row[i]) for row in rows] for i, name in enumerate(NAMES)}
    pq.write_table(pa.table({name: pa.array(column, types.get(name)) for name, column in columns.items()}), path)
    return path


def test_files_play_as_one_tape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(of_files, "BATCH_ROWS", 7)
    first = write(tmp_path / "a.parquet", ROWS[:11], kind=pa.int8(), side=pa.int32())
    second = write(tmp_path / "b.parquet", ROWS[11:], price=pa.uint32())
    terms = Terms(out_ns=2, back_ns=3, wakes_on_feed=True)
    played = play_tape([first, second], quote_once, terms)
    # Of 200 traded, 50 stood in front of the 30; the taker met the 50 of the ask.
    assert next(zip(*played.fills, strict=True)) == (2, BID, 1010, 5, 0, 14, 17)
    assert [fill[:5] for fill in zip(*played.fills, strict=True)][1:] == [(1, BID, 1000, 10, 1)] * 3
    assert (played.position, played.cash, played.misfits) == (35, -(5 * 10 + 30 * 10 + 1), 0)
    alone = Tape(quote_once, terms)
    alone.play([array(code, [row[i] for row in ROWS]) for i, code in enumerate(of_files.COLUMNS.values())])
    alone.finish()
    assert (played.fills, played.wakes) == (alone.take_fills(), alone.wakes)


def test_what_is_no_tape_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"none\.parquet is no tape"):
        play_tape([tmp_path / "none.parquet"], quote_once, Terms())
    (tmp_path / "text.parquet").write_text("a tape")
    with pytest.raises(ValueError, match=r"text\.parquet is no tape"):
        play_tape([tmp_path / "text.parquet"], quote_once, Terms())
    pq.write_table(pa.table({"price": [1]}), tmp_path / "short.parquet")
    with pytest.raises(ValueError, match=r"short\.parquet is no tape"):
        play_tape([tmp_path / "short.parquet"], quote_once, Terms())
    half = write(tmp_path / "half.parquet", ROWS, size=pa.float64())
    with pytest.raises(ValueError, match=r"half\.parquet is no tape: column size must hold integers without holes"):
        play_tape([half], quote_once, Terms())
    back = write(tmp_path / "back.parquet", [*ROWS, ROWS[0]])
    with pytest.raises(ValueError, match=r"back\.parquet, of the rows from 0 on: row 24 cannot be: its times go back"):
        play_tape([back], quote_once, Terms())
