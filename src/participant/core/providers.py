"""Which provider to believe, and how the feeds stand."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from participant.core.market import SECOND, Board


class Belief(Struct, frozen=True):
    """Which provider is believed, since when, and why it was chosen."""

    provider: str = ""
    since: int = 0
    reason: str = "no provider has spoken yet"


class Arbitration(Struct, frozen=True, forbid_unknown_fields=True):
    """When a provider counts as silent, and how long it must be well before it is believed again."""

    silence_max_s: float = 3.0
    well_before_return_s: float = 20.0


def arbitrate(boards: Sequence[Board], belief: Belief, at: int, rule: Arbitration) -> Belief:
    """Believe the first provider, in order of priority, whose book stands and which is not silent.

    Stepping down is immediate; stepping up again waits until the better provider has been well for a while.
    With nobody well the belief is in nobody (`provider` is empty).
    """
    well = [b for b in boards if is_well(b, at, rule)]
    names = [b.provider for b in well]
    if belief.provider in names:
        better = well[: names.index(belief.provider)]
        settled = [b for b in better if at - b.healthy_since >= rule.well_before_return_s * SECOND]
        if not settled:
            return belief
        return Belief(settled[0].provider, at, f"{settled[0].provider} is well again")
    if not well:
        return belief if not belief.provider else Belief("", at, "no provider is well")
    if belief.provider:
        return Belief(well[0].provider, at, f"{belief.provider} fell silent")
    return Belief(well[0].provider, at, f"{well[0].provider} is well again" if belief.since else "the session began")


def is_well(board: Board, at: int, rule: Arbitration) -> bool:
    """Whether a provider's book stands and it has been heard of lately."""
    return board.is_standing and at - board.received_at <= rule.silence_max_s * SECOND


CHANGES_KEPT = 100  # the first so many of a day, and the last


class FeedStatus(Struct, frozen=True):
    """How the feeds stand at `at`: whom we believe, who is well, since when nobody is (0: somebody is), the changes."""

    at: int
    belief: Belief
    well: tuple[str, ...]
    silent_since: int
    changes: tuple[Belief, ...]


def feed_status(boards: Sequence[Board], changes: Sequence[Belief], at: int, rule: Arbitration) -> FeedStatus:
    """The feeds as a person is shown them; `changes` are all beliefs of the day, the last one holds."""
    well = tuple(b.provider for b in boards if is_well(b, at, rule))
    belief = changes[-1] if changes else Belief()
    kept = (*changes[:CHANGES_KEPT], *changes[CHANGES_KEPT:][-CHANGES_KEPT:])
    return FeedStatus(at, belief, well, 0 if belief.provider else belief.since or at, kept)


def ended_instant(boards: Sequence[Board]) -> int:
    """The newest instant that every provider has ended, but for those that were given up; 0 while no book stands."""
    if not any(b.is_standing for b in boards):
        return 0
    return min((b.marked_at for b in boards if not b.is_given_up), default=0)


def without_the_silent(boards: Mapping[str, Board]) -> dict[str, Board]:
    """The boards with those given up that lag behind the newest instant: void until they send a whole book again."""
    newest = max(b.marked_at for b in boards.values())
    void = {n: Board(n, {}, b.received_at, b.marked_at, is_given_up=True) for n, b in boards.items()}
    return {n: b if b.marked_at == newest else void[n] for n, b in boards.items()}
