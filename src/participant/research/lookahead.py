"""Whether a decision knows what comes after it: the future is changed, and nothing decided before may change.

Each day is played as it was, and again up to some of its instants with every page after them changed, and with the
official prices of that day and all later ones changed. What the two decided up to there must be the same to the byte.
"""

import datetime
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.decision import Decision, DecisionInput
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.wording import counted
from participant.history.official import Official
from participant.history.pages import BadData, Cell, Page
from participant.history.recorded import RecordedMarket
from participant.history.recordings import Recordings, days_in, load_day, open_recordings
from participant.research.backtest import CoveredCall, Span
from participant.research.engine import InlineDesk
from participant.wire.json import decode

CUTS = 2  # instants of a day after which the future is changed
SEED = 20_261_129
# By how much the future is changed: enough to change any decision that knows of it, not so much that the checks of what
# was recorded take it for damage.
SPOT, CALL, PUT, VOLATILITY = 1.013, 1.21, 0.83, 1.3

Load = Callable[[Recordings, datetime.date, Rulebook, Sequence[str]], RecordedMarket]


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


def load_played(
    recordings: Recordings, day: datetime.date, rules: Rulebook, underlyings: Sequence[str]
) -> RecordedMarket:
    """A day as the backtest plays it."""
    return load_day(recordings, day, rules, underlyings, "in this run")


def check_lookahead(
    strategy: CoveredCall, data: Sequence[Path | str], span: Span, capital: int, load: Load = load_played
) -> Checked:
    """Play the days of a span against changed futures; `capital` in rupees, `load` is what is looked at for leaks.

    Raises BadData where nothing can be read.
    """
    recordings, rules = open_recordings([Path(path) for path in data]), load_rules()
    desk, draw = strategy.desk(rules, capital * 100), random.Random(SEED)
    played, cuts, decisions, leaks = 0, 0, 0, list[Leak]()
    for day in sorted(d for d in days_in(recordings) if span.first <= d <= span.last):
        market = _loaded(load, recordings, day, desk, strategy.underlyings)
        if market is None:
            continue
        before, told = desk.twin(), _Told()
        desk.play(market, told)
        desk.forget()
        instants = [instant.at for instant in market.instants()]
        for at in sorted(draw.sample(instants[:-1], min(CUTS, len(instants) - 1))):
            again, changed = _Told(), load(_changed(recordings, day, at), day, rules, strategy.underlyings)
            before.twin().play_until(changed, at, again)
            leaks += _leaks(told, again, str(day), at)
            cuts, decisions = cuts + 1, decisions + len(told.until(at))
        played += 1
    if not cuts:
        raise BadData(
            f"nothing to look at: no day from {span.first} to {span.last} has two instants that can be played"
        )
    return Checked(played, cuts, decisions, tuple(leaks))


def _loaded(
    load: Load, recordings: Recordings, day: datetime.date, desk: InlineDesk, underlyings: Sequence[str]
) -> RecordedMarket | None:
    """The day, where it can be played and what is held can be settled on it."""
    try:
        market = load(recordings, day, desk.rules, underlyings) if desk.rules.session(day) else None
    except (BadData, OutsideRules):
        return None
    return market if market is not None and not desk.stranded(market) else None


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
