"""What the feeds said, kept as Parquet: what goes in comes out, whole files alone, each day sealed once."""

import datetime
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.market import Down, FeedEvent, Held, LookBack, Mark, Reference, Tick, Ticks
from participant.core.providers import Belief
from participant.history import heard, recorder
from participant.history.heard_parts import write_part
from participant.history.pages import BadData
from participant.history.recorder import BEGUN_ANEW, Recorder
from tests.source import SRC

DAY = datetime.date(2026, 11, 26)
KNOWN = (Reference("NIFTY", (), LookBack()),)
LIMIT_S = 30.0
NUMBER = st.integers(-(2**63), 2**63 - 1)
NAME = st.sampled_from(["one", "two"])
TICK = st.builds(Tick, st.sampled_from(["NIFTY", "A", "B"]), NUMBER, NUMBER, NUMBER, NUMBER, NUMBER, NUMBER)
EVENT: st.SearchStrategy[FeedEvent] = st.one_of(
    st.builds(Ticks, NAME, NUMBER, st.lists(TICK, max_size=4).map(tuple), st.booleans()),
    st.builds(Mark, NAME, NUMBER, NUMBER, st.booleans()),
    st.builds(Held, NAME, NUMBER),
    st.builds(Down, NAME, NUMBER, st.text(st.characters(exclude_categories=["Cs"]), max_size=10)),
)
TICKS = Ticks("one", 7, (Tick("NIFTY", 1, 2, 3, 4, 5, 6),), is_snapshot=True)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A new folder for each recording of an example."""
    top = tmp_path_factory.mktemp("heard")
    return (top / str(n) for n in range(100_000))


@given(parts=st.lists(st.lists(EVENT, max_size=6), max_size=4))
def test_what_was_said_is_read_again_event_by_event_from_parts_and_when_sealed(
    folders: Iterator[Path], parts: list[list[FeedEvent]]
) -> None:
    folder = next(folders)
    place = heard.begin(folder, DAY, KNOWN)
    for events in parts:
        write_part(place, heard.QUOTES, heard.quotes_of(events, {}))
    said = [event for events in parts for event in events]
    assert list(heard.events(folder, DAY)) == said
    heard.seal(folder, DAY, (), {})
    assert list(heard.events(folder, DAY)) == said
    assert heard.marks(folder, DAY) == [event for event in said if isinstance(event, Mark)]


def test_a_sealed_day_is_one_file_a_kind_and_is_never_written_again(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    writing = Recorder(place)
    writing.hear([TICKS])
    writing.frame("one", 7, b"\x00 as it came")
    writing.close()
    heard.seal(tmp_path, DAY, (Belief("one", 7, "first"),), {"NIFTY": 5})
    names = sorted(file.name for file in place.iterdir())
    assert names == ["day.json", "frames.parquet", "quotes.parquet"]
    assert heard.known(tmp_path, DAY) == heard.HeardDay(
        DAY, KNOWN, (Belief("one", 7, "first"),), {"NIFTY": 5}, is_sealed=True
    )
    before = {file.name: file.read_bytes() for file in place.iterdir()}
    heard.seal(tmp_path, DAY, (), {})
    assert {file.name: file.read_bytes() for file in place.iterdir()} == before
    with pytest.raises(BadData, match="is sealed: a day is recorded once"):
        heard.begin(tmp_path, DAY, KNOWN)


def test_who_dies_while_sealing_can_seal_again(tmp_path: Path) -> None:
    """It stopped before the last step (parts and the whole file are there), or just after it (parts are left)."""
    place = heard.begin(tmp_path, DAY, KNOWN)
    write_part(place, heard.QUOTES, heard.quotes_of([TICKS], {}))
    (place / "quotes.parquet").write_bytes(b"of another life")
    (place / "quotes.parquet.unfinished").write_bytes(b"half")
    assert list(heard.events(tmp_path, DAY)) == [TICKS]
    part = (place / "quotes-000001.parquet").read_bytes()
    heard.seal(tmp_path, DAY, (), {})
    (place / "quotes-000001.parquet").write_bytes(part)
    assert list(heard.events(tmp_path, DAY)) == [TICKS]
    heard.seal(tmp_path, DAY, (), {})
    assert list(heard.events(tmp_path, DAY)) == [TICKS]
    assert not (place / "quotes-000001.parquet").exists()


def test_a_day_goes_on_where_it_stopped_and_says_so_but_not_with_another_master(tmp_path: Path) -> None:
    for _ in range(2):
        writing = Recorder(heard.begin(tmp_path, DAY, KNOWN))
        writing.hear([TICKS])
        writing.close()
    assert list(heard.events(tmp_path, DAY)) == [TICKS, TICKS]
    assert heard.lost(tmp_path, DAY) == 1, BEGUN_ANEW
    with pytest.raises(BadData, match="begun with other contracts"):
        heard.begin(tmp_path, DAY, [replace(KNOWN[0], scrip="BANKNIFTY")])


CHILD = """
import sys
from pathlib import Path
from participant.core.market import Mark
from participant.history.recorder import Recorder
writing = Recorder(Path(sys.argv[1]), flush_every_s=0.02)
for n in range(10_000_000):
    writing.hear([Mark("one", n, n)])
    writing.frame("one", n, b"x" * 100)
"""


def test_a_recorder_that_is_killed_leaves_whole_files_with_all_that_it_was_told_up_to_the_last(tmp_path: Path) -> None:
    place, marks = heard.begin(tmp_path, DAY, KNOWN), list[Mark]()
    for _ in range(3):
        before = len(list(place.glob("quotes-*.parquet")))
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(place)], env={**os.environ, "PYTHONPATH": str(SRC)})
        limit = time.monotonic() + LIMIT_S
        while len(list(place.glob("quotes-*.parquet"))) < before + 3:
            assert time.monotonic() < limit
            assert child.poll() is None
        os.kill(child.pid, signal.SIGKILL)
        child.wait(LIMIT_S)
        marks = heard.marks(tmp_path, DAY)
        starts = [n for n, mark in enumerate(marks) if mark.at == 0]
        runs = [marks[a:b] for a, b in zip(starts, [*starts[1:], len(marks)], strict=True)]
        assert all([mark.at for mark in run] == list(range(len(run))) for run in runs)
        heard.begin(tmp_path, DAY, KNOWN)
    heard.seal(tmp_path, DAY, (), {})
    assert heard.marks(tmp_path, DAY) == marks
    assert not list(place.glob("*.unfinished"))


def test_what_finds_no_room_is_counted_in_the_recording_and_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "PART_ROWS", 10)
    monkeypatch.setattr(recorder, "PART_BYTES", 10)
    place = heard.begin(tmp_path, DAY, KNOWN)
    writing = Recorder(place)
    whole = replace(TICKS, ticks=TICKS.ticks * 35)
    with writing._moved:  # the disk is busy: the thread that writes cannot go on
        writing.hear([whole])
        writing.hear([whole])
        writing.frame("one", 7, b"x" * 30)
        writing.frame("one", 8, b"x" * 30)
    writing.close()
    assert list(heard.events(tmp_path, DAY)) == [whole]
    assert heard.lost(tmp_path, DAY) == 36 + 1


def test_a_disk_that_cannot_be_written_costs_what_was_at_hand_and_no_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    writing = Recorder(place, flush_every_s=0.01)
    place.rename(tmp_path / "away")
    writing.hear([TICKS])
    limit = time.monotonic() + LIMIT_S
    said = ""
    while "lacks a part" not in said:
        assert time.monotonic() < limit
        said += capsys.readouterr().err
    (tmp_path / "away").rename(place)
    writing.hear([TICKS])
    writing.close()
    assert list(heard.events(tmp_path, DAY)) == [TICKS]
    assert heard.lost(tmp_path, DAY) == 1


def test_a_number_that_no_column_holds_costs_its_part_alone(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    writing = Recorder(place)
    writing.hear([Mark("one", 7, 2**70)])
    writing.close()
    assert list(heard.events(tmp_path, DAY)) == []
    assert heard.lost(tmp_path, DAY) == 1


@pytest.mark.parametrize("body", [b"", b"PAR1 and no more"])
def test_a_damaged_file_is_named(tmp_path: Path, body: bytes) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    (place / "quotes-000001.parquet").write_bytes(body)
    with pytest.raises(BadData, match=r"quotes-000001.parquet is no part of a recording"):
        list(heard.events(tmp_path, DAY))
    (place / "day.json").write_bytes(b"{")
    with pytest.raises(BadData, match=r"day.json is no recorded day"):
        heard.known(tmp_path, DAY)


def test_a_place_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BadData, match="cannot be written: Not a directory; name a folder that can"):
        heard.begin(tmp_path / "file", DAY, KNOWN)
