"""The terminal view and the plain lines: what a person sees of a day."""

import datetime
import io

import pytest
from msgspec.structs import replace
from rich.console import Console

from participant.core.breaker import Level
from participant.core.decision import Action, Decision
from participant.core.market import SECOND
from participant.core.messages import Ticket
from participant.core.providers import Belief, FeedStatus
from participant.core.session import Session, at_time
from participant.operate.screen import Screen, ScripLine
from participant.operate.view import DEEDS_MAX, PlainView, TerminalView, deeds, frame, progress, view

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
        DAY,
        at,
        (line,),
        None,
        level,
        "asked for",
        {"maintain": 1},
        {"filled": 2},
        {"market": 0},
        {},
        2,
        27684,
        -5,
        tickets,
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
    plain = PlainView(SESSION, lines.append)
    plain.show(screen(), [DONE])
    for _ in range(3):
        plain.show(screen(Level.REDUCE_ONLY, (LOST,)), [])
    assert lines == [
        "09:15:00 BANKNIFTY open: buy 30, then sell 30\n",
        "09:15:00 0.0% of the session; decisions: 1 maintain\n",
        "09:15:00 breaker REDUCE ONLY: asked for\n",
        "09:15:00 TICKET ba5a3116 buy 30 of it: MAY ALREADY BE LIVE\n",
    ]


def test_a_person_is_told_what_asks_for_orders_and_what_was_not_reached() -> None:
    kept = replace(DONE, action=Action.MAINTAIN)
    late = replace(kept, outcome="timed out")
    assert deeds([DONE, kept, late]) == [DONE, late]


def test_plain_lines_tell_how_far_the_day_is_every_half_hour() -> None:
    lines: list[str] = []
    plain = PlainView(SESSION, lines.append)
    for minute in range(0, 61, 5):
        plain.show(screen(at=OPEN + minute * 60 * SECOND), [])
    assert [line.split(" ", 1)[0] for line in lines] == ["09:15:00", "09:45:00", "10:15:00"]


def test_before_the_market_is_known_plain_lines_say_nothing_of_the_breaker() -> None:
    lines: list[str] = []
    PlainView(SESSION, lines.append).show(screen(Level.OPEN, at=0), [])
    assert lines == []


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (None, "no provider has spoken yet"),
        (FeedStatus(OPEN, Belief("one", OPEN, "x"), ("one", "two"), 0, (Belief(),)), "one is believed; well: one, two"),
        (
            FeedStatus(OPEN, Belief("two", OPEN, "one fell silent"), ("two",), 0, (Belief(), Belief())),
            "two is believed since 09:15:00 (one fell silent); well: two",
        ),
        (FeedStatus(OPEN, Belief("", OPEN, "x"), (), OPEN, (Belief(),)), "no provider is believed; well: none"),
    ],
)
def test_the_picture_tells_whom_we_believe(status: FeedStatus | None, told: str) -> None:
    assert told in drawn(replace(screen(), feeds=status), 160)


def test_a_scrip_that_was_not_decided_on_yet_has_no_action_and_no_rank() -> None:
    line = ScripLine("NIFTY", 250_000_000, None, "flat", "", "no decision yet", 0)
    picture = drawn(replace(screen(at=0), scrips=(line,)), 120)
    assert "?" in picture
    assert "no decision yet" in picture
    assert "--:--:-- IST" in picture


# --- on a terminal ---


def terminal() -> tuple[TerminalView, io.StringIO]:
    out = io.StringIO()
    return TerminalView(SESSION, Console(file=out, width=120, force_terminal=True)), out


def test_on_a_terminal_each_look_is_drawn_and_lines_stay_above_it() -> None:
    shown, out = terminal()
    with shown:
        shown.say("desk ended with status -9 and was [started] again")
        shown.show(screen(), [DONE])
    assert "desk ended with status -9 and was [started] again" in out.getvalue()
    assert "buy 30, then sell 30" in out.getvalue()


def test_the_last_deeds_stay_in_sight() -> None:
    shown, _ = terminal()
    with shown:
        for number in range(DEEDS_MAX + 2):
            shown.show(screen(), [replace(DONE, reason=f"deed {number}")])
        shown.show(screen(), [])
    assert [d.reason for d in shown.deeds] == [f"deed {n}" for n in range(2, DEEDS_MAX + 2)]


def test_the_view_suits_where_the_output_goes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    with view(SESSION, is_quiet=False) as plain:
        plain.say("a line")
    with view(SESSION, is_quiet=True) as quiet:
        quiet.say("nothing")
        quiet.show(screen(), [DONE])
    assert isinstance(plain, PlainView)
    assert capsys.readouterr().out == "a line\n"
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert isinstance(view(SESSION, is_quiet=False), TerminalView)


def test_what_needs_a_person_stands_before_what_a_small_terminal_cuts_off() -> None:
    picture = drawn(screen(Level.OPEN, (LOST,)), 60)
    assert picture.index("breaker OPEN: asked for") < picture.index("holds")
    assert picture.index("TICKET ba5a3116") < picture.index("holds")
