"""The Archive port's promise, held by every adapter; then what the files promise besides."""

import datetime
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import Raw

from participant.adapters.archives.jsonl import JsonlArchive
from participant.adapters.archives.memory import MemoryArchive
from participant.links.parts import Part, pack, unpack
from participant.ports import Archive, StoreBroken
from tests.source import SRC

DAY = "2026-11-23"
NEXT_DAY = "2026-11-24"
DECIDED_AT = 1_795_405_500_123_456_789  # 2026-11-23 09:15:00.123456789 in India

LEG = (
    '{"contract":{"underlying":"NIFTY","expiry":"2026-12-01","kind":"CE","strike":267500000,"lot":65,"tick":500,'
    '"freeze":1800},"side":"sell","quantity":65,"limit":500000,"margin":7}'
)

ADAPTERS: dict[str, Callable[[Path], Archive]] = {"memory": lambda _: MemoryArchive(), "jsonl": JsonlArchive}


@pytest.fixture(params=ADAPTERS)
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Archive:
    return ADAPTERS[request.param](tmp_path)


def record(n: int = 1) -> bytes:
    info = (
        f'{{"decisionId":"d{n}","scrip":"NIFTY","action":"maintain","reason":"look-back too short: 5 of 60 — ₹",'
        f'"figures":{{"iv_rank":0.50}},"legs":[{LEG}],"snapshotId":"s{n}",'
        f'"decidedFor":{DECIDED_AT + n},"outcome":"decided"}}'
    )
    return (
        f'{{"scrip":{{"symbol":"NIFTY", "weights":{{}}}},"marketState":{{"spot": 250000000}},'
        f'"currentPositionInfo":{{"position":{{}}}},"decisionInfo":{info}}}'
    ).encode()


def plain(*lines: bytes) -> list[tuple[bytes, bytes]]:
    """Lines that bring no parts."""
    return [(line, pack([])) for line in lines]


def part(n: int) -> Part:
    return Part(f"p{n}", "chain", Raw(b'{"n": %d}' % n))


def full(*numbers: int) -> list[tuple[bytes, bytes]]:
    """Records, each with a part of its own."""
    return [(record(n), pack([part(n)])) for n in numbers]


def lines_of(archive: Archive, day: str = DAY) -> list[bytes]:
    return [line for line, _ in archive.read(day)]


# --- every archive ----------------------------------------------------------------------------------------------------


def test_a_day_without_lines_has_none(archive: Archive) -> None:
    assert archive.count(DAY) == 0
    assert list(archive.read(DAY)) == []


def test_lines_come_back_whole_and_in_order(archive: Archive) -> None:
    archive.append(DAY, plain(b'{"a":1}', '{"b":"₹"}'.encode()))
    archive.append(DAY, [])
    archive.append(DAY, plain(b"{}"))
    assert lines_of(archive) == [b'{"a":1}', '{"b":"₹"}'.encode(), b"{}"]
    assert archive.count(DAY) == 3


def test_each_line_comes_back_with_the_parts_that_it_brought(archive: Archive) -> None:
    archive.append(DAY, full(1))
    archive.append(DAY, [(record(2), pack([part(2), part(3)])), *plain(record(4))])
    packs = [unpack(packed) for _, packed in archive.read(DAY)]
    assert packs == [[part(1)], [part(2), part(3)], []]


def test_days_are_apart(archive: Archive) -> None:
    archive.append(DAY, plain(b"1"))
    archive.append(NEXT_DAY, plain(b"2", b"3"))
    assert (archive.count(DAY), archive.count(NEXT_DAY)) == (1, 2)
    assert lines_of(archive) == [b"1"]


def test_a_line_that_holds_a_line_break_is_refused_and_nothing_is_added(archive: Archive) -> None:
    with pytest.raises(ValueError, match="line break"):
        archive.append(DAY, plain(b"1", b"2\n3"))
    assert archive.count(DAY) == 0


def test_sealing_keeps_the_log_and_sealing_again_says_the_same(archive: Archive) -> None:
    archive.append(DAY, full(1, 2))
    where = archive.seal(DAY)
    assert DAY in where
    assert archive.seal(DAY) == where
    assert list(archive.read(DAY)) == full(1, 2)
    archive.append(DAY, full(3))
    assert archive.count(DAY) == 3


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_days_log_is_a_file_of_lines_that_outlives_the_archive(tmp_path: Path) -> None:
    JsonlArchive(tmp_path).append(DAY, full(1, 2))
    assert (tmp_path / f"{DAY}.jsonl").read_bytes() == record(1) + b"\n" + record(2) + b"\n"
    with gzip.open(tmp_path / f"{DAY}.parts.jsonl.gz") as parts:
        assert (
            parts.read() == b'{"id":"p1","kind":"chain","part":{"n": 1}}\n{"id":"p2","kind":"chain","part":{"n": 2}}\n'
        )
    assert JsonlArchive(tmp_path).count(DAY) == 2


@pytest.mark.parametrize("torn", [b"3", b'{"scrip":' * 500_000])
def test_a_torn_last_line_is_not_counted_not_read_and_cut_by_the_next_append(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / f"{DAY}.jsonl"
    JsonlArchive(tmp_path).append(DAY, plain(b"1", b"2"))
    path.write_bytes(path.read_bytes() + torn)
    archive = JsonlArchive(tmp_path)
    assert archive.count(DAY) == 2
    assert lines_of(archive) == [b"1", b"2"]
    assert path.read_bytes().endswith(torn), "a reader cuts nothing: the line may be one that is being written"
    archive.append(DAY, plain(b"three"))
    assert path.read_bytes() == b"1\n2\nthree\n"
    assert archive.count(DAY) == 3


def test_a_log_that_is_nothing_but_a_torn_line_begins_anew(tmp_path: Path) -> None:
    (tmp_path / f"{DAY}.jsonl").write_bytes(b'{"scrip"')
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, plain(b"1"))
    assert lines_of(archive) == [b"1"]


@pytest.mark.parametrize("cut", [1, 10, 50])
def test_parts_that_are_torn_count_for_nothing_and_are_completed_to_the_same_bytes(tmp_path: Path, cut: int) -> None:
    path = tmp_path / f"{DAY}.parts.jsonl.gz"
    JsonlArchive(tmp_path).append(DAY, full(1, 2, 3))
    sound = path.read_bytes()
    path.write_bytes(sound[:-cut])
    archive = JsonlArchive(tmp_path)
    assert archive.count(DAY) == 2
    assert [len(unpack(packed)) for _, packed in archive.read(DAY)] == [1, 1, 0]
    assert path.read_bytes() == sound[:-cut], "a reader cuts nothing: the pack may be one that is being written"
    archive.append(DAY, full(3, 4))
    assert list(archive.read(DAY)) == full(1, 2, 3, 4)
    assert path.read_bytes().startswith(sound)
    assert JsonlArchive(tmp_path).count(DAY) == 4


def test_parts_that_are_damaged_are_written_again_from_there(tmp_path: Path) -> None:
    path = tmp_path / f"{DAY}.parts.jsonl.gz"
    JsonlArchive(tmp_path).append(DAY, full(1, 2, 3))
    sound = path.read_bytes()
    at = len(full(1)[0][1]) + 15
    path.write_bytes(sound[:at] + bytes([sound[at] ^ 255]) + sound[at + 1 :])
    archive = JsonlArchive(tmp_path)
    assert archive.count(DAY) == 1
    archive.append(DAY, full(2, 3))
    assert path.read_bytes() == sound


def test_parts_that_were_written_before_their_lines_are_not_written_again(tmp_path: Path) -> None:
    undisturbed, path = tmp_path / "undisturbed", tmp_path / f"{DAY}.jsonl"
    undisturbed.mkdir()
    JsonlArchive(undisturbed).append(DAY, full(1, 2, 3, 4))
    JsonlArchive(tmp_path).append(DAY, full(1, 2, 3))
    path.write_bytes(record(1) + b"\n")
    JsonlArchive(tmp_path).append(DAY, full(2))
    JsonlArchive(tmp_path).append(DAY, full(3, 4))
    for name in (f"{DAY}.jsonl", f"{DAY}.parts.jsonl.gz"):
        assert (tmp_path / name).read_bytes() == (undisturbed / name).read_bytes()


def test_lost_parts_are_written_again_beside_the_lines_that_stand(tmp_path: Path) -> None:
    JsonlArchive(tmp_path).append(DAY, full(1, 2))
    (tmp_path / f"{DAY}.parts.jsonl.gz").unlink()
    archive = JsonlArchive(tmp_path)
    assert archive.count(DAY) == 0
    archive.append(DAY, full(1, 2, 3))
    assert list(archive.read(DAY)) == full(1, 2, 3)


def test_a_whole_record_is_never_cut_for_another(tmp_path: Path) -> None:
    """Where the books say otherwise than the files, a person decides which are right."""
    JsonlArchive(tmp_path).append(DAY, full(1, 2))
    lost = tmp_path / f"{DAY}.parts.jsonl.gz"
    lost.unlink()
    with pytest.raises(StoreBroken, match=rf"^decision log .*{DAY}\.jsonl: it holds something else .*: move it away"):
        JsonlArchive(tmp_path).append(DAY, full(3))
    assert lines_of(JsonlArchive(tmp_path)) == [record(1), record(2)]
    assert not lost.exists()


def test_the_count_follows_what_another_process_adds_or_cuts(tmp_path: Path) -> None:
    writer, reader = JsonlArchive(tmp_path), JsonlArchive(tmp_path)
    writer.append(DAY, plain(b"1"))
    assert reader.count(DAY) == 1
    writer.append(DAY, plain(b"2", b"3"))
    assert reader.count(DAY) == 3
    (tmp_path / f"{DAY}.jsonl").write_bytes(b"1\n")
    assert reader.count(DAY) == 1


@pytest.mark.parametrize("day", ["../2026-11-23", "20261123", "2026-13-01", ""])
def test_what_is_not_a_day_names_no_file(tmp_path: Path, day: str) -> None:
    with pytest.raises(ValueError, match=r"isoformat|month|a day is written as"):
        JsonlArchive(tmp_path).append(day, plain(b"1"))
    assert list(tmp_path.iterdir()) == []


def test_a_sealed_day_is_a_table_of_the_four_objects_and_typed_columns(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, plain(record(1), b'{"command":"stop"}', b"not even \xff JSON"))
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
        "day": datetime.date(2026, 11, 23),
        "said": "look-back too short: # of # — ₹",
        "spot": 250000000,
        "legs": [
            {
                "contract": "NIFTY-20261201-26750CE",
                "kind": "CE",
                "expiry": datetime.date(2026, 12, 1),
                "strike": 267500000,
                "side": "sell",
                "quantity": 65,
                "limit": 500000,
                "margin": 7,
            }
        ],
        "iv_rank": 0.5,
        **dict.fromkeys(("iv30", "iv_over_realised", "provider", "delay_ns", "build_id", "rules_hash")),
    }
    assert [row["other"] for row in rows] == [None, '{"command":"stop"}', "not even \ufffd JSON"]
    assert rows[1]["scrip"] is rows[1]["action"] is None


def test_the_parts_of_a_sealed_day_are_a_table_beside_it(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, full(1, 2))
    archive.seal(DAY)
    assert parquet.read_table(tmp_path / f"{DAY}.parts.parquet").to_pylist() == [
        {"id": "p1", "kind": "chain", "part": '{"n": 1}'},
        {"id": "p2", "kind": "chain", "part": '{"n": 2}'},
    ]


def test_the_time_of_a_sealed_decision_is_whole_to_the_nanosecond(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, full(1))
    column = parquet.read_table(archive.seal(DAY)).column("decided_at")
    assert str(column.type) == "timestamp[ns, tz=UTC]"
    assert column.cast("int64").to_pylist() == [DECIDED_AT + 1]


def test_sealing_twice_gives_the_same_bytes_and_leaves_nothing_unfinished(tmp_path: Path) -> None:
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, full(*range(5_000)))
    sealed = Path(archive.seal(DAY))
    both = sealed, tmp_path / f"{DAY}.parts.parquet"
    before = [path.read_bytes() for path in both]
    assert JsonlArchive(tmp_path).seal(DAY) == str(sealed)
    assert [path.read_bytes() for path in both] == before
    names = [path.name.removeprefix(DAY) for path in tmp_path.iterdir()]
    assert sorted(names) == [".jsonl", ".parquet", ".parts.jsonl.gz", ".parts.parquet"]
    parquet = pytest.importorskip("pyarrow.parquet")
    ids = parquet.read_table(sealed).column("decision_id").to_pylist()
    assert ids == [f"d{n}" for n in range(5_000)]


def test_what_goes_on_from_a_sealed_day_takes_its_place_and_nothing_else_does(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, full(1, 2))
    sealed = archive.seal(DAY)
    archive.append(DAY, full(3))
    assert archive.seal(DAY) == sealed
    assert parquet.read_table(sealed).column("decision_id").to_pylist() == ["d1", "d2", "d3"]
    both = Path(sealed), tmp_path / f"{DAY}.parts.parquet"
    before = [path.read_bytes() for path in both]
    lines, packs = (tmp_path / f"{DAY}.jsonl", tmp_path / f"{DAY}.parts.jsonl.gz")
    kept = lines.read_bytes(), packs.read_bytes()
    lost: list[tuple[Path, bytes]] = [(lines, b""), (lines, kept[0].replace(b"d1", b"dX")), (packs, kept[1][:-3])]
    for path, body in lost:
        path.write_bytes(body)
        with pytest.raises(StoreBroken, match=r"\.parquet: it was not made from what .* move this one away"):
            JsonlArchive(tmp_path).seal(DAY)
        assert [path.read_bytes() for path in both] == before
        lines.write_bytes(kept[0])
        packs.write_bytes(kept[1])


def test_a_parquet_file_that_is_not_ours_is_not_overwritten(tmp_path: Path) -> None:
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, full(1))
    (tmp_path / f"{DAY}.parquet").write_bytes(b"somebody's")
    with pytest.raises(StoreBroken, match="is not overwritten"):
        archive.seal(DAY)
    assert (tmp_path / f"{DAY}.parquet").read_bytes() == b"somebody's"


def test_figures_and_legs_of_another_kind_leave_the_line_a_decision(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    archive = JsonlArchive(tmp_path)
    archive.append(DAY, plain(record(1).replace(b'"iv_rank":0.50', b'"iv_rank":"high"')))
    (row,) = parquet.read_table(archive.seal(DAY)).to_pylist()
    assert (row["decision_id"], row["iv_rank"], row["other"]) == ("d1", None, None)


def test_an_empty_day_seals_to_an_empty_table(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert parquet.read_table(JsonlArchive(tmp_path).seal(DAY)).num_rows == 0


def test_importing_the_archive_does_not_load_pyarrow() -> None:
    code = "import sys, participant.adapters.archives.jsonl; sys.exit('pyarrow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=ENV, timeout=60, check=False).returncode == 0


def test_a_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    archive = JsonlArchive(tmp_path / "missing")
    with pytest.raises(StoreBroken, match=r"^decision log .*2026-11-23\.parts\.jsonl\.gz: No such file .*: see that"):
        archive.append(DAY, plain(b"1"))
    with pytest.raises(
        StoreBroken, match=r"^decision log .*2026-11-23\.parts\.parquet: No such file or directory: see that"
    ):
        archive.seal(DAY)


def test_lines_that_the_disk_does_not_take_are_told_and_not_half_written(tmp_path: Path) -> None:
    code = """
import resource, sys
from pathlib import Path
from participant.adapters.archives.jsonl import NO_PARTS, JsonlArchive
from participant.ports import StoreBroken
archive = JsonlArchive(Path(sys.argv[1]))
archive.append("2026-11-23", [(b"1", NO_PARTS)])
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))
try:
    archive.append("2026-11-23", [(b"2", NO_PARTS), (b"x" * 2_000, NO_PARTS)])
except StoreBroken as broken:
    print(broken)
archive.append("2026-11-23", [(b"3", NO_PARTS)])
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
from msgspec import Raw
from participant.adapters.archives.jsonl import JsonlArchive
from participant.links.parts import Part, pack
archive = JsonlArchive(Path(sys.argv[1]))
for n in range(1_000_000):
    archive.append("2026-11-23", [(b"%d" % n + b"x" * 100_000, pack([Part(str(n), "k", Raw(b"0"))]))] * 3)
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
    archive.append(DAY, [made(n) for n in range(count, 3 * (answered + 2))])
    undisturbed = tmp_path / "undisturbed"
    undisturbed.mkdir()
    JsonlArchive(undisturbed).append(DAY, [made(n) for n in range(3 * (answered + 2))])
    for name in (f"{DAY}.jsonl", f"{DAY}.parts.jsonl.gz"):
        assert (tmp_path / name).read_bytes() == (undisturbed / name).read_bytes()


def made(n: int) -> tuple[bytes, bytes]:
    """What APPENDS adds as its n-th record."""
    return b"%d" % (n // 3) + b"x" * 100_000, pack([Part(str(n // 3), "k", Raw(b"0"))])
