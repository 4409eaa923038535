"""One recorder at a time has a day's folder, and one that did not end is counted; what is damaged or gone is named."""

import datetime
import subprocess
import sys
from pathlib import Path

import pytest

from participant.core.market import LookBack, Mark, Reference
from participant.history import heard, recorder
from participant.history.pages import BadData
from participant.history.recorder import Recorder
from tests.source import SRC

DAY = datetime.date(2026, 11, 26)
KNOWN = (Reference("NIFTY", (), LookBack()),)
LIMIT_S = 30.0
DIES = """
import os, sys
from pathlib import Path
from participant.core.market import Mark
from participant.history.recorder import Recorder
Recorder(Path(sys.argv[1]), flush_every_s=1000.0).hear([Mark("one", 1, 1)])
os._exit(9)
"""


def dies(place: Path) -> None:
    """A recorder that is told something and ends before it is written."""
    ended = subprocess.run(
        [sys.executable, "-c", DIES, str(place)], env={"PYTHONPATH": str(SRC)}, timeout=LIMIT_S, check=False
    )
    assert ended.returncode == 9


def test_what_the_last_recorder_left_out_as_it_died_is_counted_as_the_day_is_sealed(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    dies(place)
    heard.seal(tmp_path, DAY, (), {})
    assert heard.lost(tmp_path, DAY) == 1
    assert sorted(file.name for file in place.iterdir()) == ["day.json", "quotes.parquet"]


def test_one_that_is_begun_after_one_that_died_before_its_first_part_says_so_once(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    dies(place)
    writing = Recorder(heard.begin(tmp_path, DAY, KNOWN))
    writing.hear([Mark("one", 2, 2)])
    writing.close()
    heard.seal(tmp_path, DAY, (), {})
    assert heard.lost(tmp_path, DAY) == 1
    assert heard.marks(tmp_path, DAY) == [Mark("one", 2, 2)]


def test_a_second_recorder_is_refused_and_takes_nothing_of_the_first(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    first = Recorder(place)
    half = place / "quotes-000001.parquet.unfinished"
    half.write_bytes(b"of the first")
    for second in (lambda: heard.begin(tmp_path, DAY, KNOWN), lambda: Recorder(place)):
        with pytest.raises(BadData, match=f"{place} is being recorded by another process"):
            second()
    assert half.read_bytes() == b"of the first"
    first.close()
    Recorder(heard.begin(tmp_path, DAY, KNOWN)).close()


def test_an_end_that_is_not_written_in_time_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(recorder, "CLOSE_MAX_S", 0.0)
    writing = Recorder(heard.begin(tmp_path, DAY, KNOWN))
    with writing._moved:  # the disk is busy: the thread that writes cannot go on
        writing.close()
    assert "lacks its end: not written in time" in capsys.readouterr().err
    writing._thread.join(LIMIT_S)


def test_a_folder_that_is_no_day_is_named(tmp_path: Path) -> None:
    (tmp_path / "abcd-ef-gh").mkdir()
    (tmp_path / "abcd-ef-gh" / "day.json").write_bytes(b"{}")
    with pytest.raises(BadData, match=r"holds a recording of no day: .*abcd-ef-gh.*; name its folder YYYY-MM-DD"):
        heard.days(tmp_path)


def test_a_damaged_part_is_named_as_the_day_is_measured(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    (place / "quotes-000001.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadData, match=r"quotes-000001.parquet is no part of a recording: .*; put it back"):
        heard.size(tmp_path, DAY)


def test_a_sealed_day_whose_quotes_are_gone_is_no_empty_day(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    heard.seal(tmp_path, DAY, (), {})
    assert list(heard.events(tmp_path, DAY)) == []
    (place / "quotes.parquet").unlink()
    with pytest.raises(BadData, match=r"quotes.parquet is gone, of a day that is sealed: put it back"):
        list(heard.events(tmp_path, DAY))
