"""The Archive port's promise, held by every adapter; then what the files promise besides."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.archives.memory import MemoryArchive
from participant.ports import Archive, StoreBroken
from tests.source import SRC

DAY = "2026-11-23"
NEXT_DAY = "2026-11-24"
DECIDED_AT = 1_795_405_500_123_456_789  # 2026-11-23 09:15:00.123456789 in India

ADAPTERS: dict[str, Callable[[Path], Archive]] = {"memory": lambda _: MemoryArchive(), "jsonl": JsonlArchive}


@pytest.fixture(params=ADAPTERS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return ADAPTERS[request.param](tmp_path)


def record(n: int = 1) -> bytes:
    info = (
        f'{{"decisionId":"d{n}","scrip":"NIFTY","action":"maintain","reason":"look-back too short: 5 of 60 — ₹",'
        f'"figures":{{"ivRank":0.50}},"legs":[],"snapshotId":"s{n}","decidedFor":{DECIDED_AT + n},"outcome":"decided"}}'
    )
    return (
        f'{{"scrip":{{"symbol":"NIFTY", "weights":{{}}}},"marketState":{{"spot": 250000000}},'
        f'"currentPositionInfo":{{"position":{{}}}},"decisionInfo":{info}}}'
    ).encode()


# --- every archive ----------------------------------------------------------------------------------------------------


def test_a_day_without_lines_has_none(archive: Archive) -> None:
    assert archive.count(DAY) == 0
    assert archive.read(DAY) == []


def test_lines_come_back_whole_and_in_order(archive: Archive) -> None:
    archive.append(DAY, [b'{"a":1}', '{"b":"₹"}'.encode()])
    archive.append(DAY, [])
    archive.append(DAY, [b"{}"])
    assert archive.read(DAY) == [b'{"a":1}', '{"b":"₹"}'.encode(), b"{}"]
    assert archive.count(DAY) == 3


def test_days_are_apart(archive: Archive) -> None:
    archive.append(DAY, [b"1"])
    archive.append(NEXT_DAY, [b"2", b"3"])
    assert (archive.count(DAY), archive.count(NEXT_DAY)) == (1, 2)
    assert archive.read(DAY) == [b"1"]


def test_a_line_that_holds_a_line_break_is_refused_and_nothing_is_added(archive: Archive) -> None:
    with pytest.raises(ValueError, match="line break"):
        archive.append(DAY, [b"1", b"2\n3"])
    assert archive.count(DAY) == 0


def test_sealing_keeps_the_log_and_sealing_again_says_the_same(archive: Archive) -> None:
    archive.append(DAY, [record(1), record(2)])
    where = archive.seal(DAY)
    assert DAY in where
    assert archive.seal(DAY) == where
    assert archive.read(DAY) == [record(1), record(2)]
    archive.append(DAY, [record(3)])
    assert archive.count(DAY) == 3


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_days_log_is_a_file_of_lines_that_outlives_the_archive(tmp_path: Path) -> None:
    JsonlArchive(tmp_path).append(DAY, [b"1", b"2"])
    assert (tmp_path / f"{DAY}.jsonl").read_bytes() == b"1\n2\n"
    assert JsonlArchive(tmp_path).count(DAY) == 2


@pytest.mark.parametrize("torn", [b"3", b'{"scrip":' * 500_000])
def test_a_torn_last_line_is_not_counted_not_read_and_cut_by_the_next_append(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / f"{DAY}.jsonl"
    path.write_bytes(b"1\n2\n" + torn)
    archive = JsonlArchive(tmp_path)
    assert archive.count(DAY) == 2
    assert archive.read(DAY) == [b"1", b"2"]
    assert path.read_bytes().endswith(torn), "a reader cuts nothing: the line may be one that is being written"
    archive.append(DAY, [b"three"])
    assert path.read_bytes() == b"1\n2\nthree\n"
    assert archive.count(DAY) == 3


def test_a_log_that_is_nothing_but_a_torn_line_begins_anew(tmp_path: Path) -> None:
    (tmp_path / f"{DAY}.jsonl").write_bytes(b'{"scrip"')
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, [b"1"])
    assert archive.read(DAY) == [b"1"]


def test_the_count_follows_what_another_process_adds_or_cuts(tmp_path: Path) -> None:
    writer, reader = JsonlArchive(tmp_path), JsonlArchive(tmp_path)
    writer.append(DAY, [b"1"])
    assert reader.count(DAY) == 1
    writer.append(DAY, [b"2", b"3"])
    assert reader.count(DAY) == 3
    (tmp_path / f"{DAY}.jsonl").write_bytes(b"1\n")
    assert reader.count(DAY) == 1


@pytest.mark.parametrize("day", ["../2026-11-23", "20261123", "2026-13-01", ""])
def test_what_is_not_a_day_names_no_file(tmp_path: Path, day: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month|a day is written as"):
        JsonlArchive(tmp_path).append(day, [b"1"])
    assert list(tmp_path.iterdir()) == []


def test_a_sealed_day_is_a_table_of_the_four_objects_and_typed_columns(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, [record(1), b'{"command":"stop"}', b"not even \xff JSON"])
    where = archive.seal(DAY)
    assert where == str(tmp_path / f"{DAY}.parquet")
    rows = parquet.read_table(where).drop_columns("decided_at").to_pylist()
    assert rows[0] == {
        "scrip": '{"symbol":"NIFTY", "weights":{}}',
        "marketState": '{"spot": 250000000}',
        "currentPositionInfo": '{"position":{}}',
        "decisionInfo": record(1).decode().partition('"decisionInfo":')[2][:-1],
        "symbol": "NIFTY",
        "action": "maintain",
        "reason": "look-back too short: 5 of 60 — ₹",
        "decision_id": "d1",
        "snapshot_id": "s1",
        "outcome": "decided",
        "other": None,
    }
    assert [row["other"] for row in rows] == [None, '{"command":"stop"}', "not even \ufffd JSON"]
    assert rows[1]["scrip"] is rows[1]["action"] is None


def test_the_time_of_a_sealed_decision_is_whole_to_the_nanosecond(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, [record(1)])
    column = parquet.read_table(archive.seal(DAY)).column("decided_at")
    assert str(column.type) == "timestamp[ns, tz=UTC]"
    assert column.cast("int64").to_pylist() == [DECIDED_AT + 1]


def test_sealing_twice_gives_the_same_bytes_and_leaves_nothing_unfinished(tmp_path: Path) -> None:
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, [record(n) for n in range(5_000)])
    sealed = Path(archive.seal(DAY))
    before = sealed.read_bytes()
    assert JsonlArchive(tmp_path).seal(DAY) == str(sealed)
    assert sealed.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{DAY}.jsonl", f"{DAY}.parquet"]
    parquet = pytest.importorskip("pyarrow.parquet")
    ids = parquet.read_table(sealed).column("decision_id").to_pylist()
    assert ids == [f"d{n}" for n in range(5_000)]


def test_an_empty_day_seals_to_an_empty_table(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(JsonlArchive(tmp_path).seal(DAY)).num_rows == 0


def test_importing_the_archive_does_not_load_pyarrow() -> None:
    code = "import sys, participant.adapters.archives.jsonl; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=ENV, timeout=60, check=False).returncode == 0


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    archive = JsonlArchive(tmp_path / "missing")
    with pytest.raises(StoreBroken, match=r"^decision log .*2026-11-23\.jsonl: No such file or directory: see that"):
        archive.append(DAY, [b"1"])
    with pytest.raises(StoreBroken, match=r"^decision log .*2026-11-23\.parquet: No such file or directory: see that"):
        archive.seal(DAY)


def test_lines_that_the_disk_does_not_take_are_told_and_not_half_written(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from participant.adapters.archives.jsonl import JsonlArchive
from participant.ports import StoreBroken
archive = JsonlArchive(Path(sys.argv[1]))
archive.append("2026-11-23", [b"1"])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
try:
    archive.append("2026-11-23", [b"2", b"x" * 2_000])
except StoreBroken as broken:
    print(broken)
archive.append("2026-11-23", [b"3"])
print(archive.count("2026-11-23"))
"""
    command = [sys.executable, "-c", code, str(tmp_path)]
    said = subprocess.run(command, env=ENV, capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()
    assert said[0].startswith(f"decision log {tmp_path}/{DAY}.jsonl: File too large: see that")
    assert said[1:] == ["2"]
    assert (tmp_path / f"{DAY}.jsonl").read_bytes() == b"1\n3\n"


APPENDS = """
import sys
from pathlib import Path
from participant.adapters.archives.jsonl import JsonlArchive
archive = JsonlArchive(Path(sys.argv[1]))
for n in range(1_000_000):
    archive.append("2026-11-23", [b"%d" % n + b"x" * 100_000] * 3)
    print(n, flush=True)
"""
ENV = os.environ | {"PYTHONPATH": str(SRC)}


@pytest.mark.parametrize("acknowledged", [1, 8, 20])
def test_an_append_killed_in_the_middle_loses_no_line_that_was_answered(tmp_path: Path, acknowledged: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", APPENDS, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=ENV)
    assert child.stdout is not None
    said = [child.stdout.readline() for _ in range(acknowledged)]
    child.send_signal(signal.SIGKILL)
    said += child.stdout.read().splitlines()
    child.wait(30)
    child.stdout.close()
    answered = max(int(line) for line in said)
    archive = JsonlArchive(tmp_path)
    count = archive.count(DAY)
    assert 3 * (answered + 1) <= count <= 3 * (answered + 2)
    archive.append(DAY, [b"end"])
    lines = archive.read(DAY)
    assert lines[:-1] == [b"%d" % (n // 3) + b"x" * 100_000 for n in range(count)]
    assert lines[-1] == b"end"
