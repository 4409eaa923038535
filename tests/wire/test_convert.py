"""`participant convert`: a log of FIX messages becomes lines of JSON, what is refused a side file with its reasons."""

import gzip
import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from participant.cli import main
from participant.commands import convert
from participant.wire.fix.reader import Reader
from tests.history.recorded import DATA, needs_data
from tests.wire.fix_messages import framed, message

LOG = b"04:00:00 IN: %b\nno message\n04:00:01 OUT: %b\n" % (message("snapshot"), message("execution"))
BAD = message("reject").replace(b"58=m", b"58=n")


def test_a_log_becomes_lines_of_json(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log, out = tmp_path / "day.log", tmp_path / "day.jsonl"
    log.write_bytes(LOG)
    assert main(["convert", str(log), "--out", str(out)]) == 0
    assert [json.loads(line)["kind"] for line in out.read_text(encoding="utf-8").splitlines()] == [
        "snapshot",
        "execution",
    ]
    said = capfd.readouterr()
    assert said.out == ""
    assert re.match(rf"2 messages in {len(LOG)} bytes and .* 40 bytes of no message, 0 messages refused\n", said.err)
    assert main(["convert", str(log), "--quiet"]) == 0
    said = capfd.readouterr()
    assert said.out.encode("utf-8") == out.read_bytes()
    assert said.err == ""


def test_what_is_refused_stands_in_the_side_file_with_its_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log, side = tmp_path / "day.log", tmp_path / "rejects.jsonl"
    log.write_bytes(LOG + BAD + b"\n" + message("reject").replace(b"\x01", b"|"))
    assert main(["convert", str(log), "--rejects", str(side), "--json"]) == 1
    said = capfd.readouterr()
    (refused,) = map(json.loads, side.read_text(encoding="utf-8").splitlines())
    assert (refused["offset"], refused["byte"]) == (len(LOG), len(BAD) - 7)
    assert refused["reason"] == "its CheckSum is wrong"
    assert refused["head"].encode("latin-1") == (BAD + b"\n" + message("reject").replace(b"\x01", b"|"))[:160]
    summary = json.loads(said.err)
    assert (summary["messages"], summary["refused"]) == (3, 1)
    assert summary["reasons"] == {"its CheckSum is wrong": 1}
    assert len(said.out.splitlines()) == 3
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []


def test_without_a_side_file_it_is_said_how_to_get_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "day.log"
    log.write_bytes(BAD)
    assert main(["convert", str(log)]) == 1
    assert capfd.readouterr().err.splitlines()[1:] == [
        "  1: its CheckSum is wrong",
        "each with its place and reason: say --rejects FILE",
    ]


def test_of_many_reasons_it_is_said_how_many_more_there_are(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "day.log"
    bad = [framed(b"35=0|34=1|%d=|" % tag) for tag in range(6_001, 6_008)]
    log.write_bytes(BAD * 2 + b"".join(bad))
    assert main(["convert", str(log)]) == 1
    told = capfd.readouterr().err.splitlines()[1:]
    assert told[0] == "  2: its CheckSum is wrong"
    assert [line[:5] for line in told[1:5]] == ["  1: "] * 4
    assert told[5:] == ["  3: 3 more reasons, which --json tells", "each with its place and reason: say --rejects FILE"]


@pytest.mark.parametrize(
    "options",
    [("--out", "day.log"), ("--out", "./day.log"), ("--rejects", "link.log"), ("--queue", "day.log"),
     ("--out", "one", "--rejects", "one")],
)  # fmt: skip
def test_what_is_written_never_takes_the_place_of_the_log_or_of_each_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("day.log").write_bytes(LOG)
    Path("link.log").symlink_to("day.log")
    assert main(["convert", "day.log", *options]) == 2
    assert "give each a name of its own" in capfd.readouterr().err
    assert Path("day.log").read_bytes() == LOG


def test_a_pipe_is_written_to_and_stays_one(tmp_path: Path) -> None:
    log, pipe = tmp_path / "day.log", tmp_path / "pipe"
    log.write_bytes(LOG)
    os.mkfifo(pipe)
    end = os.open(pipe, os.O_RDWR)
    try:
        assert main(["convert", str(log), "--out", str(pipe), "--quiet"]) == 0
        assert pipe.is_fifo()
        assert len(os.read(end, 65_536).splitlines()) == 2
    finally:
        os.close(end)


def test_prices_and_unknown_fields_as_asked(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "day.log"
    log.write_bytes(message("ohlc"))
    assert main(["convert", str(log), "--decimals", "2", "--quiet"]) == 1  # one price of it is 99.9999
    log.write_bytes(message("snapshot"))
    assert main(["convert", str(log), "--decimals", "6", "--drop-other", "--quiet"]) == 0
    said = json.loads(capfd.readouterr().out)
    assert said["entries"][0]["price"] == 105_250_000
    assert "other" not in said


@pytest.mark.parametrize("content", [b"", b"nothing of that kind", b"8=FIX but no message"])
def test_a_file_without_a_message_is_wrong_use(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], content: bytes
) -> None:
    log, out = tmp_path / "day.log", tmp_path / "out.jsonl"
    log.write_bytes(content)
    assert main(["convert", str(log), "--out", str(out)]) == 2
    assert capfd.readouterr().err.startswith(
        f"participant: convert: no message in {log}: none of its {len(content)} bytes"
    )
    assert not out.exists()


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["convert", str(tmp_path / "none.log")]) == 2
    assert capfd.readouterr().err == (
        f"participant: convert: {tmp_path}/none.log: No such file or directory; "
        "name files that can be read and written\n"
    )
    assert main(["convert", os.devnull, "--out", str(tmp_path / "no" / "out.jsonl")]) == 2
    assert "No such file or directory" in capfd.readouterr().err


def test_what_is_piped_in_is_converted_and_a_closed_pipe_is_an_end() -> None:
    command = [sys.executable, "-m", "participant", "convert", "-"]
    piped = subprocess.run(command, input=LOG, capture_output=True, check=False, timeout=60)
    assert (piped.returncode, len(piped.stdout.splitlines())) == (0, 2)
    read_end, write_end = os.pipe()
    os.close(read_end)
    ended = subprocess.run(
        command, input=LOG * 2_000, stdout=write_end, stderr=subprocess.PIPE, check=False, timeout=60
    )
    os.close(write_end)
    assert (ended.returncode, ended.stderr) == (0, b"")


class Endless(io.RawIOBase):
    """So many bytes without an end of line, then a message."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int = -1) -> bytes:
        if self.left < 0:
            return b""
        self.left -= size
        return b"x" * size if self.left >= 0 else message("reject")


def test_a_line_of_any_length_needs_no_more_memory_than_a_short_one() -> None:
    tracemalloc.start()
    source = cast(BinaryIO, Endless(1 << 28))
    found = [portion.messages for _, portion in convert._portions(source, Reader())]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(found) == 1
    assert peak < 5 * convert.CHUNK_BYTES


@needs_data
def test_recorded_logs_of_real_sessions_are_read(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logs = DATA / "fix" / "logs"
    log = tmp_path / "session.log"
    log.write_bytes(gzip.decompress((logs / "FIX.4.2-KOD-BON_first600.log.gz").read_bytes()))
    assert main(["convert", str(log), "--quiet"]) == 0
    lines = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert len(lines) == 600
    assert {line["version"] for line in lines} == {"FIX.4.2"}
    fills = str(logs / "FIX.4.4-MUREX-360T.body")  # of currency pairs, finer than our prices
    assert main(["convert", fills, "--quiet"]) == 1
    assert main(["convert", fills, "--quiet", "--decimals", "7"]) == 0
    assert [json.loads(line)["lastPrice"] for line in capfd.readouterr().out.splitlines()] == [10_779_100, 10_955_647]
