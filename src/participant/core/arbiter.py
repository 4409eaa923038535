"""The arbiter: the boards of all providers and the last judgement on them, kept up event by event."""

from collections.abc import Iterable, Mapping, Sequence

from msgspec.structs import replace

from participant.core.board import Board, Fold
from participant.core.feed_contracts import universe
from participant.core.feed_rules import Arbitration
from participant.core.judging import Judgement, is_unsettled, judge, status, trusted
from participant.core.market import SECOND, FeedEvent, Mark, Reference
from participant.core.providers import FeedStatus, Record, ended_instant, remembered, without_the_silent
from participant.core.session import day_of

MILLISECOND = 1_000_000
NOTHING: Mapping[str, Mapping[str, int]] = {}


class Arbiter:
    """Folds what the providers say, each into its own board, and says which of them to believe and what to leave out.

    `names` are in order of priority. It reads no clock: time comes with the events and with each judgement. What the
    arbiter `before` it told last, if any, it remembers: a restart is no pardon.
    """

    def __init__(
        self, names: Iterable[str], known: Sequence[Reference], rule: Arbitration, before: FeedStatus | None = None
    ) -> None:
        self.before = before
        self.rule, self.universe, self.judgement = rule, universe(known), Judgement()
        self.folds = {name: Fold(Board(name), rule, self.universe.quoted) for name in names}
        self.unsettled_since, self.handed, self.due_at, self.asked_at, self.last_at = 0, 0, 0, 0, 0

    @property
    def boards(self) -> dict[str, Board]:
        """What each provider says now; good until its next event."""
        return {name: fold.board() for name, fold in self.folds.items()}

    @property
    def believed(self) -> str:
        """Whom to believe; empty while nobody is."""
        return self.judgement.belief.provider

    @property
    def slowest(self) -> str:
        """Whose last instant ended first."""
        return min(self.folds, key=lambda name: self.folds[name].base.marked_at)

    def take(self, name: str, events: list[FeedEvent]) -> list[FeedEvent]:
        """What a provider said, oldest first, up to the day's last instant; what follows that is left, and told back.

        A provider may leave as soon as the day is over, and its instant is handed on before.
        """
        lasts = ((n, event.at) for n, event in enumerate(events, 1) if isinstance(event, Mark) and event.is_last)
        end, at = next(lasts, (len(events), 0))
        self.last_at = max(self.last_at, at)
        self.folds[name].take(events[:end])
        return events[end:]

    def judge(self, at: int) -> bool:
        """Judge all boards as of `at`; whether the belief has changed."""
        if not self.judgement.at and self.before is not None:
            # A night is no silence: what was told on another day, or in a replay of a later moment, says nothing.
            is_of_now = self.before.at <= at and day_of(self.before.at) == day_of(at)
            self.before = self.before if is_of_now else None
            self.judgement = Judgement(record=remembered(self.before) if self.before is not None else Record())
        before = self.judgement
        self.judgement = judge(self.boards, before, at, self.rule, self.universe)
        if self.judgement.looks.at != before.looks.at:
            for fold in self.folds.values():
                fold.sift(self.universe.ticks)
                fold.changed.clear()
        return self.judgement.belief != before.belief

    def ended(self, at: int) -> int:
        """The newest instant that the believed provider has ended; 0 while nobody is believed, or it is unsettled.

        What jumps on and on holds up the rest for no longer than silence may last; it is left out all the while. An
        instant that comes sooner than `snapshot_every_ms` after the one before waits, and gives way to a newer one; the
        day's last does not: whoever has said it may leave.
        """
        self.asked_at = at
        if not self.believed:
            return 0
        is_waiting = is_unsettled(self.boards, self.judgement, at, self.rule)
        self.unsettled_since = (self.unsettled_since or at) if is_waiting else 0
        if is_waiting and at - self.unsettled_since < self.rule.silence_max_s * SECOND:
            return 0
        newest = self.folds[self.believed].base.marked_at
        if newest > self.handed and (at >= self.due_at or newest == self.last_at):
            self.handed, self.due_at = newest, at + self.rule.snapshot_every_ms * MILLISECOND
        return min(newest, self.handed)

    def patience_s(self, wait_s: float) -> float:
        """How long to wait for more, of `wait_s`: not beyond the time at which an instant that waits is due."""
        left = self.due_at - self.asked_at
        is_held = bool(self.believed) and self.folds[self.believed].base.marked_at > self.handed
        return min(wait_s, left / SECOND) if is_held and left > 0 else wait_s

    def ended_by_all(self, *, is_given_up: bool) -> int:
        """The newest instant that every provider has ended; who lags behind may be given up until it is back."""
        if is_given_up:
            boards = without_the_silent(self.boards)
            self.folds = {name: Fold(board, self.rule, self.universe.quoted) for name, board in boards.items()}
        return ended_instant(list(self.boards.values()))

    def trusted(self) -> tuple[Board, frozenset[str]]:
        """The believed board without the quotes in doubt, and the scrips that nobody should decide on now."""
        self.folds[self.believed].sift(self.universe.ticks)
        board, doubted, self.judgement = trusted(self.boards, self.judgement, self.rule, self.universe)
        return board, doubted

    def status(self, dropped: Mapping[str, Mapping[str, int]] = NOTHING) -> FeedStatus:
        """How the feeds stand; where nobody was believed yet, nobody is since the arbiter before said so, or ended.

        `dropped` is what each provider's feed dropped unread, by reason.
        """
        said = status(self.boards, self.judgement, self.rule, dropped)
        if said.belief.since or self.before is None or not self.before.belief.since:
            return said
        return replace(said, silent_since=self.before.silent_since or self.before.at)
