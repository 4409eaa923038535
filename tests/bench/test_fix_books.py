"""The session that the measurement of FIX to the top of books plays, and what it says of its goal."""

import re
from typing import Any

import pytest

from bench import fix_books
from bench.fix_books_made import LEVELS, REQUEST, SYMBOLS, made
from participant.wire.fix import books, books_plain


@pytest.mark.parametrize("kernel", [books, books_plain], ids=lambda kernel: str(kernel.__name__))
def test_each_message_of_the_session_changes_some_books_and_none_crosses_or_runs_dry(kernel: Any) -> None:
    snapshots, increments = made(300)
    found = kernel.Books(LEVELS)
    found.ask(REQUEST)
    assert all(found.fold(raw, 0) == len(raw) for raw in snapshots)
    assert [tick.contract for tick in found.stand()] == SYMBOLS
    for raw in increments:
        assert found.fold(raw, 0) == len(raw)
        ticks = found.changed()
        assert 2 <= len(ticks) <= 4
        assert all(0 < tick.bid < tick.ask and tick.bid_size and tick.ask_size for tick in ticks)
    assert (found.misfits, found.broken) == (0, "")
    ladders = [found.ladder(symbol) for symbol in SYMBOLS]
    assert all(ladder.reach(side) == 0 for ladder in ladders for side in (0, 1)), "a side was cut off"


def test_the_session_is_the_same_again_and_has_levels_that_are_new_that_change_and_that_end() -> None:
    snapshots, increments = made(300)
    assert made(300) == (snapshots, increments)
    actions = re.findall(rb"\x01279=(\d)", b"".join(increments))
    assert all(actions.count(action) > len(actions) / 10 for action in (b"0", b"1", b"2"))
    assert {raw.count(b"\x01279=") for raw in increments} == {6, 7, 8, 9, 10}


def test_a_goal_that_is_missed_is_said_beside_what_was_found(capsys: pytest.CaptureFixture[str]) -> None:
    us = {"ours": [2.0, 2.0, 2.0], "QuickFIX 1 + nautilus_trader 1": [88.0, 80.0, 84.0]}
    fix_books.describe({"us": us, "python": "3", "messages": 1, "bytes": 600, "is_compiled": True, "is_equal": True})
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "QuickFIX 1 + nautilus_trader 1: 42.0x ours (worst round 40.0x), goal 45x"
