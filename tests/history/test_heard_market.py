"""A recorded day played again: instant by instant what was believed then, whoever said it."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.market import Down, FeedEvent, Held, LookBack, Mark, Provenance, Reference, Tick, Ticks
from participant.core.providers import Belief
from participant.core.scrip import Contract, Kind
from participant.history import heard
from participant.history.heard_market import HeardMarket
from participant.history.heard_parts import write_part
from participant.history.pages import BadData
from participant.history.playing import play_day
from participant.history.recordings import days_in, open_recordings
from participant.history.synthetic import Instant

DAY = datetime.date(2026, 11, 26)
FUTURE = Contract("NIFTY", datetime.date(2026, 11, 26), Kind.FUTURE, 0, 65, 500, 1_800)
OTHER = replace(FUTURE, underlying="BANKNIFTY")
BACK = LookBack(closes=(1, 2))
KNOWN = (
    Reference("NIFTY", (FUTURE,), BACK, Provenance(("recorded",))),
    Reference("BANKNIFTY", (OTHER,), LookBack()),
)
SPOT = Tick("NIFTY", 0, 0, 0, 0, 26_000, 1)
QUOTE = Tick(FUTURE.key, 10, 11, 65, 65, 0, 1)
BANK = Tick("BANKNIFTY", 0, 0, 0, 0, 52_000, 1)


def kept(folder: Path, events: Sequence[FeedEvent], believed: Sequence[Belief] = (), *, seals: bool = True) -> Path:
    """A folder with a recording of these events."""
    place = heard.begin(folder, DAY, KNOWN)
    write_part(place, heard.QUOTES, heard.quotes_of(events, {}))
    if seals:
        heard.seal(folder, DAY, believed, {"NIFTY": 26_001})
    return folder


def said(name: str, at: int, *ticks: Tick, whole: bool = False) -> list[FeedEvent]:
    """An instant of a provider, received at its own time."""
    return [Ticks(name, at, ticks, whole), Mark(name, at, at)]


def test_each_mark_of_whoever_was_believed_is_an_instant_and_the_last_is_the_last(tmp_path: Path) -> None:
    later = replace(QUOTE, bid=9, exchange_at=20)
    events = [
        *said("one", 10, SPOT, QUOTE, whole=True),
        *said("two", 11, replace(SPOT, last=1), whole=True),
        Held("one", 15),
        *said("one", 20, later),
        *said("two", 21),
        *said("one", 30),
        *said("one", 30),
    ]
    market = HeardMarket(kept(tmp_path, events, [Belief("one", 12, "first")]), DAY)
    instants = [Instant(10, (SPOT, QUOTE), False), Instant(20, (later,), False), Instant(30, (), True)]
    assert list(market.instants()) == instants
    assert list(market.instants()) == instants


def test_with_another_believed_its_whole_book_is_told_where_it_differs_and_what_it_lacks_goes_dark(
    tmp_path: Path,
) -> None:
    other = replace(SPOT, last=26_010, exchange_at=2)
    events = [
        *said("one", 10, SPOT, QUOTE, whole=True),
        *said("two", 11, other, BANK, whole=True),
        Down("one", 20, "gone"),
        *said("two", 25, replace(BANK, last=1)),
        *said("two", 30),
        *said("one", 35, SPOT, QUOTE, whole=True),
        *said("one", 40),
    ]
    beliefs = [Belief("one", 10, ""), Belief("two", 21, ""), Belief("", 31, "nobody"), Belief("one", 36, "")]
    told = list(HeardMarket(kept(tmp_path, events, beliefs), DAY).instants())
    dark = Tick(FUTURE.key, 0, 0, 0, 0, 0, 25)
    assert told == [
        Instant(10, (SPOT, QUOTE), False),
        Instant(25, (dark, other, replace(BANK, last=1)), False),
        Instant(30, (), False),
        Instant(40, (Tick("BANKNIFTY", 0, 0, 0, 0, 0, 40), SPOT, QUOTE), True),
    ]


def test_where_nobody_told_who_was_believed_it_is_who_ended_most_instants(tmp_path: Path) -> None:
    events = [*said("two", 9, BANK, whole=True), *said("one", 10, SPOT, whole=True), *said("one", 20)]
    market = HeardMarket(kept(tmp_path, events, seals=False), DAY)
    assert [i.at for i in market.instants()] == [10, 20]
    assert "the recording is not sealed: it may have been cut off" in market.notes()
    assert any("no official prices" in note for note in market.notes())


def test_the_day_is_what_the_desk_had_of_it_or_some_scrips_of_that(tmp_path: Path) -> None:
    folder = kept(tmp_path, said("one", 10, SPOT, QUOTE, BANK, whole=True), [Belief("one", 10, "")])
    whole, part = HeardMarket(folder, DAY), HeardMarket(folder, DAY, ["NIFTY"])
    assert (whole.symbols, whole.contracts()) == (("NIFTY", "BANKNIFTY"), (FUTURE, OTHER))
    assert (part.symbols, part.contracts()) == (("NIFTY",), (FUTURE,))
    assert (part.look_back("NIFTY"), part.provenance("NIFTY")) == (BACK, Provenance(("recorded",)))
    assert [i.ticks for i in part.instants()] == [(SPOT, QUOTE)]
    assert whole.settlements() == {"NIFTY": 26_001}
    assert whole.seed != part.seed
    assert whole.seed == HeardMarket(folder, DAY).seed
    with pytest.raises(BadData, match="has NIFTY, BANKNIFTY, and nothing of RELIANCE"):
        HeardMarket(folder, DAY, ["RELIANCE"])


def test_what_is_missing_is_noted_and_a_day_without_an_instant_is_refused(tmp_path: Path) -> None:
    place = heard.begin(tmp_path, DAY, KNOWN)
    write_part(place, heard.QUOTES, heard.quotes_of([Held("one", 9)], {"too fast": 7}))
    with pytest.raises(BadData, match="no instant of the day was heard to its end"):
        HeardMarket(tmp_path, DAY)
    write_part(place, heard.QUOTES, heard.quotes_of(said("one", 10, SPOT, whole=True), {}))
    assert "the recording lacks 7 rows and frames that could not be written" in HeardMarket(tmp_path, DAY).notes()


def test_a_folder_of_recordings_is_found_and_its_day_played_alone(tmp_path: Path) -> None:
    folder = kept(tmp_path / "one", said("one", 10, SPOT, whole=True), [Belief("one", 10, "")])
    recordings = open_recordings([folder])
    assert days_in(recordings) == {DAY}
    assert isinstance(play_day(recordings, DAY, load_rules(), ["NIFTY"]), HeardMarket)
    again = kept(tmp_path / "two", said("one", 10, SPOT, whole=True))
    with pytest.raises(BadData, match="it is played alone"):
        play_day(open_recordings([folder, again]), DAY, load_rules())
