"""The terminal view and the plain lines: what a person sees of a day."""

import datetime
import io

import pytest
from rich.console import Console

from participant.core.breaker import Level
from participant.core.decision import Action, Decision
from participant.core.market import SECOND
from participant.core.messages import Ticket
from participant.core.session import Session, at_time
from participant.operate.screen import Screen, ScripLine
from participant.operate.view import PlainView, frame, progress

DAY = datetime.date(2026, 11, 26)
OPEN, CLOSE = at_time(DAY, 9, 15), at_time(DAY, 15, 40)
SESSION = Session(DAY, OPEN, CLOSE, CLOSE, "made")
SAID = "hold 1 lot of BANKNIFTY-20261229-62000CE: 33 days to expiry; structure at -₹7,715; the call is asked ₹449.85"
DONE = Decision(
    "d" * 32, "BANKNIFTY", Action.OPEN, "buy 30, then sell 30", {}, (), "s", OPEN, OPEN + 600 * SECOND, "", ""
)
LOST = Ticket("ba5a3116" + "0" * 24, OPEN, "BANKNIFTY", "buy 30 of it", "MAY ALREADY BE LIVE", "o" * 32)


def screen(level: Level = Level.CLOSED, tickets: tuple[Ticket, ...] = (), at: int = OPEN) -> Screen:
    line = ScripLine("BANKNIFTY", 58_778_9500, 1.0, "-30 20261229-62000CE, +30 20261229-FUT", "maintain", SAID, OPEN)
    return Screen(
        DAY, at, (line,), None, level, "asked for", {"maintain": 1}, {"filled": 2}, {"market": 0}, 2, 27684, -5, tickets
    )


def drawn(shown: Screen, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    with console.capture() as said:
        console.print(frame(shown, SESSION, [DONE]))
    return said.get()


@pytest.mark.parametrize("width", [80, 100, 120, 140])
def test_nothing_is_cut_off_at_any_usual_width(width: int) -> None:
    picture = drawn(screen(Level.OPEN, (LOST,)), width)
    assert {len(line) for line in picture.splitlines()} == {width}
    assert "…" not in picture
    letters = "".join(picture.replace("│", "").split())
    for text in (
        DONE.reason,
        "breaker OPEN: asked for",
        "TICKET ba5a3116",
        "2 filled; fills 2, charges ₹276.84",
        "-₹0.05",
    ):
        assert "".join(text.split()) in letters


def test_a_whole_sentence_stands_beside_what_is_held() -> None:
    picture = drawn(screen(), 240)
    assert f"09:15:00 maintain: {SAID}" in picture
    assert "-30 20261229-62000CE" in picture
    assert "TICKET" not in picture


def test_progress_stays_between_nothing_and_all() -> None:
    hours = [at_time(DAY, 8, 0), OPEN, (OPEN + CLOSE) // 2, CLOSE, at_time(DAY, 18, 0)]
    assert [progress(screen(at=at), SESSION) for at in hours] == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_plain_lines_tell_of_decisions_tickets_and_the_breaker_once() -> None:
    lines: list[str] = []
    view = PlainView(SESSION, lines.append)
    view.show(screen(), [DONE])
    for _ in range(3):
        view.show(screen(Level.REDUCE_ONLY, (LOST,)), [])
    assert lines == [
        "09:15:00 BANKNIFTY open: buy 30, then sell 30\n",
        "09:15:00 0.0% of the session; decisions: 1 maintain\n",
        "09:15:00 breaker REDUCE ONLY: asked for\n",
        "09:15:00 TICKET ba5a3116 buy 30 of it: MAY ALREADY BE LIVE\n",
    ]
