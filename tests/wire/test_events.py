"""A user's own events: what the file says, and what is said of faults in it."""

from datetime import date
from pathlib import Path

import pytest

from participant.config import BadConfig, load_config, with_own_events
from participant.core.scrip import OwnEvent
from participant.wire.events import BadEvents, parse_events

HEAD = "symbol,day,name,source\n"
GOOD = HEAD + "NIFTY,2026-11-26,GDP,the ministry's calendar\n\nBANKNIFTY,2026-12-04,RBI policy,RBI\n"


def test_the_events_of_each_scrip_are_read() -> None:
    found = parse_events(GOOD.encode("utf-8-sig"), ["NIFTY", "BANKNIFTY"])
    assert found == {
        "NIFTY": (OwnEvent(date(2026, 11, 26), "GDP", "the ministry's calendar"),),
        "BANKNIFTY": (OwnEvent(date(2026, 12, 4), "RBI policy", "RBI"),),
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "line 1: the head of the file must be symbol,day,name,source"),
        (b"day,symbol,name,source\n", "line 1: the head of the file must be"),
        (HEAD.encode() + b"NIFTY,2026-11-26,GDP\n", "line 2: 3 fields, there must be 4: symbol,day,name,source"),
        (HEAD.encode() + b"\nNIFTY,26-11-2026,GDP,x\n", "line 3: day: Invalid RFC3339 encoded date"),
        (HEAD.encode() + b"NIFTY,2026-11-26,,x\n", "line 2: name: Expected `str` of length >= 1"),
        (HEAD.encode() + b"SENSEX,2026-11-26,GDP,x\n", "line 2: 'SENSEX' is not on the watchlist; there are NIFTY"),
        (HEAD.encode() + b'NIFTY,2026-11-26,"GDP"s,x\n', "line 2: ',' expected after '\"'"),
        (b"\xff\xfe", "it is no text in UTF-8: invalid start byte"),
        (HEAD.encode() + b"\n" * 100_001, "line 100001: a file of events has at most 100,000 lines"),
    ],
)
def test_a_fault_is_named_by_its_line(body: bytes, said: str) -> None:
    with pytest.raises(BadEvents) as caught:
        parse_events(body, ["NIFTY"])
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


def configured(folder: Path, events: str) -> Path:
    file = folder / "participant.toml"
    file.write_text(f'[desk]\nevents_file = "{events}"\n[[watchlist]]\nsymbol = "NIFTY"\n', encoding="utf-8")
    return file


def test_the_file_that_the_configuration_names_fills_the_rows_of_its_scrips(tmp_path: Path) -> None:
    own = tmp_path / "events.csv"
    own.write_text(HEAD + "NIFTY,2026-11-26,GDP,the ministry\n", encoding="utf-8")
    (scrip,) = with_own_events(load_config(configured(tmp_path, str(own)), {})).watchlist
    assert scrip.events == (OwnEvent(date(2026, 11, 26), "GDP", "the ministry"),)


def test_a_file_that_cannot_be_used_ends_the_configuration_in_one_line(tmp_path: Path) -> None:
    own = tmp_path / "events.csv"
    with pytest.raises(BadConfig, match=r"\[desk\] events_file: .*events\.csv cannot be read: No such file"):
        with_own_events(load_config(configured(tmp_path, str(own)), {}))
    own.write_text("nothing\n", encoding="utf-8")
    with pytest.raises(BadConfig, match=r"\[desk\] events_file: .*events\.csv: line 1: the head of the file"):
        with_own_events(load_config(configured(tmp_path, str(own)), {}))
