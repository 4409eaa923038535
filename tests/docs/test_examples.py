"""The documents' examples run as they stand there."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pyarrow.parquet as pq
import pytest

from participant.config import Config
from participant.history.layouts import (
    ExpiryColumn,
    KindColumn,
    Layout,
    OptionColumns,
    SymbolColumn,
    TickerColumn,
    TimeColumns,
    Units,
)
from participant.links.faults import Faults
from participant.venue.lines import FeedFaults
from participant.venue.server import VenueFaults
from tests.docs.pages import blocks, text
from tests.source import SRC

DAY = Config().venue.day
LIMIT_S = 120
CODE = re.compile(r"`([^`\n]+)`")


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """A command in a folder of its own, with our code and no settings of the caller."""
    return subprocess.run(
        words, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False
    )


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(SRC), "PYTHONIOENCODING": "utf-8"}


def participant(*words: str) -> tuple[str, ...]:
    return sys.executable, "-m", "participant", *words


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in whose `var` the default day was traded, with the faults of docs/venue.md and few instants."""
    folder = tmp_path_factory.mktemp("traded")
    (folder / "participant.toml").write_text("[desk]\nlockstep_wait_s = 1.0\n", encoding="utf-8")
    (folder / "faults.toml").write_text(blocks(text("docs/venue.md"), "toml")[0], encoding="utf-8")
    ended = run(*participant("trade", "--json", "--step", "1800", "--faults", "faults.toml"), cwd=folder)
    assert ended.returncode in {0, 1}, ended.stderr
    summary = json.loads(ended.stdout)
    assert summary["day"] == DAY
    assert summary["breaks"] == []
    return folder


def test_the_faults_file_is_one_that_the_venue_takes() -> None:
    faults = msgspec.toml.decode(blocks(text("docs/venue.md"), "toml")[0], type=VenueFaults)
    assert faults.broker is not None
    assert faults.broker.accept_silently == 0.5
    assert faults.providers["one"].is_silent


@pytest.mark.parametrize("faults", [Faults, FeedFaults])
def test_the_page_names_every_fault(faults: type[Faults] | type[FeedFaults]) -> None:
    page = text("docs/venue.md")
    assert [name for name in faults.__struct_fields__ if f"`{name}`" not in page] == []


def test_the_mapping_file_reads_the_table_that_the_page_shows_with_it(tmp_path: Path) -> None:
    page = text("docs/catalogue.md")
    (table,) = blocks(page, "csv")
    (mapping,) = [block for block in blocks(page, "toml") if "shape" in block]
    (tmp_path / "own.csv").write_text(table, encoding="utf-8")
    (tmp_path / "own.toml").write_text(mapping, encoding="utf-8")
    ended = run(*participant("catalogue", "check", "own.csv", "--mapping", "own.toml", "--json"), cwd=tmp_path)
    assert ended.returncode == 0, ended.stderr
    (source,) = json.loads(ended.stdout)["sources"]
    (found,) = source["days"]
    assert (found["symbol"], found["day"], found["pages"], found["accepted_rows"]) == ("NIFTY", "2019-04-12", 1, 2)
    assert (source["left_out"], found["bad_quotes"]) == ({}, {})


def test_the_page_names_every_key_of_a_mapping_file() -> None:
    page = text("docs/catalogue.md")
    said = "\n".join([*blocks(page, "toml"), *CODE.findall(page)])
    parts = (TimeColumns, SymbolColumn, ExpiryColumn, KindColumn, TickerColumn, OptionColumns, Units, Layout)
    assert [key for part in parts for key in part.__struct_fields__ if not re.search(rf"\b{key}\b", said)] == []


def test_the_log_is_read_as_the_page_says(traded: Path) -> None:
    for code in blocks(text("docs/decision-log.md"), "python"):
        ended = run(sys.executable, "-c", code, cwd=traded)
        assert ended.returncode == 0, ended.stderr
        assert "maintain" in ended.stdout


def test_the_log_has_the_objects_and_fields_that_the_page_names(traded: Path) -> None:
    page = text("docs/decision-log.md")
    line = json.loads((traded / "var" / "decisions" / f"{DAY}.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert [name for name in [*line, *line["decisionInfo"]] if f"`{name}`" not in page] == []
    columns = pq.read_schema(traded / "var" / "decisions" / f"{DAY}.parquet").names
    assert [name for name in columns if f"`{name}`" not in page] == []


def test_the_log_is_asked_as_the_page_says(traded: Path) -> None:
    lines = "\n".join(blocks(text("docs/analytics.md"), "sh")).splitlines()
    for command in (line for line in lines if line.startswith("participant ")):
        ended = run(*participant(*shlex.split(command)[1:]), cwd=traded)
        assert ended.returncode == 0, ended.stderr
        assert "(nothing)" not in ended.stdout


def test_the_replay_that_the_page_shows_finds_every_decision_equal(traded: Path) -> None:
    command = blocks(text("docs/decision-log.md"), "sh")[0].split()
    ended = run(*participant(*command[1:]), cwd=traded)
    assert ended.returncode == 0, ended.stderr
    assert "equal to the byte, 0 not" in ended.stdout


def test_the_venue_answers_and_takes_faults_as_the_page_says(tmp_path: Path) -> None:
    page = text("docs/venue.md")
    command = participant("venue", "--home", "var", "--step", "1800")
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stdout=subprocess.PIPE) as venue:
        try:
            assert venue.stdout is not None
            ready = json.loads(venue.stdout.readline())
            assert ready.keys() == json.loads(blocks(page, "json")[0]).keys()
            statuses = list(asked(f"http://127.0.0.1:{ready['http']}", page))
        finally:
            venue.terminate()
    assert len(statuses) >= 8
    assert set(statuses) == {200}
    assert venue.returncode == 0


def asked(url: str, page: str) -> Iterator[int]:
    """The statuses of the page's POST examples and of what it says can be read."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        for line in blocks(page, "sh")[1].splitlines():
            yield client.post("/faults", content=line.partition("-d '")[2].rstrip("'")).status_code
        for path in ("/clock", "/session", "/master", "/lookback/NIFTY", "/orders", "/settlements"):
            yield client.get(path).status_code
