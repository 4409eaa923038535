"""Whether a decision knows what comes after it: the future is changed, and nothing decided before may change.

Each day is played as it was, and again up to some of its instants with every page after them changed, and with the
official prices of that day and all later ones changed. What the two decided up to there must be the same to the byte.
"""

import datetime
import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.decision import Decision, DecisionInput
from participant.core.wording import counted
from participant.history.official import Official
from participant.history.pages import BadData, Cell, Page
from participant.history.recordings import Recordings, open_recordings
from participant.research.backtest import CoveredCall
from participant.research.days import Days, Load, Span, load_played
from participant.wire.json import decode

CUTS = 2  # instants of a day after which the future is changed
SEED = 20_261_129
# By how much the future is changed: enough to change any decision that knows of it, not so much that the checks of what
# was recorded take it for damage.
SPOT, CALL, PUT, VOLATILITY = 1.013, 1.21, 0.83, 1.3


class Leak(Struct, frozen=True):
    """A decision that changed with the future after `cut` (ns UTC)."""

    day: str
    cut: int
    scrip: str
    decided_for: int
    was: str
    became: str


class Checked(Struct, frozen=True):
    """What was looked at, and what was found."""

    days: int
    cuts: int
    decisions: int
    leaks: tuple[Leak, ...]

    def __str__(self) -> str:
        """The finding in lines."""
        looked = (
            f"{counted(self.decisions, 'decision')} before {counted(self.cuts, 'cut')} of {counted(self.days, 'day')}"
        )
        if not self.leaks:
            return f"look-ahead: none; {looked} did not change with what came after"
        first = self.leaks[0]
        return (
            f"look-ahead: {counted(len(self.leaks), 'decision')} knew what came after; {looked} were held against it; "
            f"the first: {first.scrip} on {first.day}: {first.was!r} became {first.became!r}"
        )


def check_lookahead(
    strategy: CoveredCall, data: Sequence[Path | str], span: Span, capital: int, load: Load = load_played
) -> Checked:
    """Play the days of a span against changed futures; `capital` in rupees, `load` is what is looked at for leaks.

    Raises BadData where nothing can be read.
    """
    days = Days(open_recordings([Path(path) for path in data]), strategy.underlyings, span)
    desk, draw = strategy.desk(load_rules(), capital * 100), random.Random(SEED)
    played, cuts, decisions, leaks = 0, 0, 0, list[Leak]()
    for day in days.all:
        ahead = days.look(desk, day, load)
        if ahead.ends:
            break
        if ahead.market is None:
            continue
        before, told = desk.twin(), _Told()
        desk.play(ahead.market, told)
        desk.forget()
        instants = [instant.at for instant in ahead.market.instants()]
        for at in sorted(draw.sample(instants[:-1], min(CUTS, len(instants) - 1))):
            again, changed = _Told(), _changed(days.recordings, day, at)
            before.twin().play_until(load(changed, day, desk.rules, strategy.underlyings), at, again)
            leaks += _leaks(told, again, str(day), at)
            cuts, decisions = cuts + 1, decisions + len(told.until(at))
        played += 1
    if not cuts:
        raise BadData(
            f"nothing to look at: no day from {span.first} to {span.last} has two instants that can be played"
        )
    return Checked(played, cuts, decisions, tuple(leaks))


class _Told:
    """What was decided, and for which instant: an onlooker."""

    def __init__(self) -> None:
        self.decided_by: list[tuple[int, bytes]] = []

    def decided(self, given: bytes, answer: bytes) -> None:
        """Keep it."""
        self.decided_by.append((decode(given, DecisionInput).market_state.exchange_at, answer))

    def looked(self) -> None:
        """Nothing to see between decisions."""

    def until(self, at: int) -> list[bytes]:
        """What was decided up to an instant."""
        return [answer for decided_for, answer in self.decided_by if decided_for <= at]


def _leaks(told: _Told, again: _Told, day: str, at: int) -> Iterator[Leak]:
    """Every decision up to the cut that is not the same."""
    was, became = told.until(at), again.until(at)
    for n in range(max(len(was), len(became))):
        one, other = was[n] if n < len(was) else b"", became[n] if n < len(became) else b""
        if one != other:
            known = decode(one or other, Decision)
            said = [decode(b, Decision).reason if b else "nothing" for b in (one, other)]
            yield Leak(day, at, known.scrip, known.decided_for, *said)


def _changed(recordings: Recordings, day: datetime.date, at: int) -> Recordings:
    """The same recordings with another future after an instant of a day."""
    changed = replace(recordings, official=_changed_official(recordings.official, day))
    return replace(changed, change=lambda page: _changed_page(page) if page.at > at else page)


def _changed_page(page: Page) -> Page:
    return replace(page, spot=round(page.spot * SPOT), cells=tuple(_changed_cell(cell) for cell in page.cells))


def _changed_cell(cell: Cell) -> Cell:
    by = CALL if cell.kind.value == "CE" else PUT
    bid, ask, last = (_ticks(price * by) for price in (cell.bid, cell.ask, cell.last))
    return replace(cell, bid=bid, ask=ask, last=last, bid_size=2 * cell.bid_size, ask_size=2 * cell.ask_size)


def _ticks(price: float) -> int:
    """A price on the grid of five paise."""
    return round(price / 500) * 500


def _changed_official(official: Official, day: datetime.date) -> Official:
    """Other closes, futures, ranges and volatilities of this day and all later ones."""
    return Official(
        {s: {d: round(p * SPOT) if d >= day else p for d, p in of.items()} for s, of in official.closes.items()},
        {s: {d: {e: round(p * SPOT) if d >= day else p for e, p in board.items()} for d, board in of.items()}
         for s, of in official.boards.items()},
        {d: v * VOLATILITY if d >= day else v for d, v in official.volatilities.items()},
        {s: {d: (round(r[0] * SPOT), round(r[1] * SPOT), round(r[2] * SPOT)) if d >= day else r for d, r in of.items()}
         for s, of in official.ranges.items()},
    )  # fmt: skip
