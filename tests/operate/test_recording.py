"""How long a recording listens, and what of it a person is told."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest

from participant.adapters.feeds.memory import MemoryFeed
from participant.core.market import FeedEvent, Held, Mark
from participant.history import heard
from participant.history.heard_parts import write_part
from participant.history.recorder import CLOSE_MAX_S, Recorder
from participant.operate import recording
from participant.operate.recording import check_recording, listen, seal, told
from participant.operate.supervisor import PATIENCE_S
from participant.operate.wake import NotReady
from tests.ports.test_feed import SetClock

DAY = datetime.date(2026, 11, 26)
LIMIT_S = 30.0


def fed(**said: Sequence[FeedEvent]) -> dict[str, MemoryFeed]:
    """Feeds that have said this, and say no more."""
    feeds = {name: MemoryFeed(name, SetClock()) for name in said}
    for name, feed in feeds.items():
        for event in said[name]:
            feed.say(event)
    return feeds


def test_it_listens_until_all_that_ended_an_instant_have_ended_the_day() -> None:
    ended = [Mark("one", 1, 1), Mark("one", 2, 2, is_last=True)]
    assert listen(fed(one=ended, two=ended, three=[Held("three", 1)]), list, LIMIT_S)


def test_it_waits_for_those_that_do_not_end_the_day_no_longer_than_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "LAST_WITHIN_S", 0.01)
    assert listen(fed(one=[Mark("one", 2, 2, is_last=True)], two=[Mark("two", 1, 1)]), list, LIMIT_S)


def test_it_ends_where_it_is_stopped_and_where_nobody_says_anything() -> None:
    assert not listen(fed(one=[]), lambda: [2], LIMIT_S)
    with pytest.raises(TimeoutError, match=r"no feed has said anything for 0\.01 s"):
        listen(fed(one=[]), list, 0.01)


def test_a_person_is_told_where_it_lies_how_large_it_is_and_what_it_lacks(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, ())
    write_part(place, heard.QUOTES, heard.quotes_of([Mark("one", 1, 1)], {"too fast": 3}))
    assert told(recording.recorded(tmp_path, DAY)).endswith("; not sealed: the same again goes on with it")
    done = told(seal(tmp_path, DAY, (), {}))
    assert done.startswith(f"{place}: 2 rows of ")
    assert done.endswith("bytes, at least 3 rows or frames are missing; sealed")
    with pytest.raises(NotReady, match="is recorded there and sealed"):
        check_recording(tmp_path, DAY)


def test_what_cannot_be_sealed_is_said(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, ())
    check_recording(tmp_path, DAY)
    (place / "quotes-000001.parquet").write_bytes(b"no Parquet")
    with pytest.raises(NotReady, match=r"quotes-000001.parquet is no part of a recording"):
        recording.recorded(tmp_path, DAY)
    with pytest.raises(NotReady, match=r"the recording of 2026-11-26 in .* is not sealed: "):
        seal(tmp_path, DAY, (), {})
    (place / "day.json").write_bytes(b"{")
    with pytest.raises(NotReady, match="is no recorded day"):
        check_recording(tmp_path, DAY)


def test_a_day_that_is_being_recorded_is_not_sealed(tmp_path: Path) -> None:
    writing = Recorder(heard.begin(tmp_path, DAY, ()))
    with pytest.raises(NotReady, match=r"is not sealed: .*/2026-11-26 is being recorded by another process"):
        seal(tmp_path, DAY, (), {})
    writing.close()
    assert seal(tmp_path, DAY, (), {}).is_sealed


def test_a_recorder_has_written_its_end_before_its_process_is_killed() -> None:
    assert CLOSE_MAX_S < PATIENCE_S
