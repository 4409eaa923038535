"""Rows that DuckDB takes apart itself: the same values as those that Python would have made of them."""

import datetime
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import duckdb
from hypothesis import given
from hypothesis import strategies as st

from participant.analysis.json_rows import fill, key_of, said_of, time_of
from participant.core.scrip import NEVER, Contract, Kind
from participant.links.log_table import DAY, NUMBER, TEXT, said
from participant.wire.json import encode
from tests.analysis.logs import record, write_log
from tests.core.worlds import chain_state

CONTRACTS = st.builds(
    Contract,
    underlying=st.text("ABC&-", min_size=1, max_size=5),
    expiry=st.dates(datetime.date(1990, 1, 1), NEVER),
    kind=st.sampled_from(Kind),
    strike=st.integers(0, 10**12),
    lot=st.just(1),
    tick=st.just(500),
    freeze=st.just(1),
)
SENTENCES = st.text() | st.text("0123456789.,%₹-( a٣", max_size=12)  # ٣ is a digit elsewhere, and no figure of ours


DATABASE = duckdb.connect()


def made(shape: Mapping[str, object], columns: str, rows: list[object]) -> list[object]:
    DATABASE.execute("DROP TABLE IF EXISTS made")
    fill(DATABASE, "made", shape, columns, (encode(row).decode() for row in rows))
    return [value for (value,) in DATABASE.execute("FROM made").fetchall()]


@given(st.lists(CONTRACTS, max_size=20))
def test_contracts_have_their_keys(contracts: list[Contract]) -> None:
    shape = {"c": {"underlying": TEXT, "kind": TEXT, "expiry": DAY, "strike": NUMBER}}
    assert made(shape, key_of("c"), [{"c": one} for one in contracts]) == [one.key for one in contracts]


@given(st.lists(SENTENCES, max_size=20))
def test_sentences_say_the_same(sentences: list[str]) -> None:
    assert made({"s": TEXT}, said_of("s"), [{"s": one} for one in sentences]) == [said(one) for one in sentences]


@given(st.lists(st.none() | st.integers(0, 2**62), max_size=20))
def test_times_keep_their_nanoseconds(times: list[int | None]) -> None:
    assert made({"t": NUMBER}, f"epoch_ns({time_of('t')})", [{"t": one} for one in times]) == times


def test_rows_beyond_those_that_are_taken_at_once_come_in_their_order() -> None:
    assert made({"n": NUMBER}, "*", [{"n": n} for n in range(40_000)]) == list(range(40_000))


def test_a_question_loads_neither_arrow_nor_the_desk(tmp_path: Path) -> None:
    write_log(tmp_path, "2026-11-26", [record(chain_state())])
    code = (
        "import sys; from participant.cli import main; status = main(sys.argv[1:]);"
        "sys.exit(status or any(name in sys.modules for name in ('pyarrow', 'pandas', 'participant.operate')))"
    )
    for name in ("why-nothing", "refusals"):
        words = ["decisions", "ask", name, "--home", str(tmp_path)]
        assert subprocess.run([sys.executable, "-c", code, *words], check=False).returncode == 0
