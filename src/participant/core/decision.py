"""The verdict of the brain, and the record of it that is logged: four JSON objects."""

from enum import StrEnum

from msgspec import Struct

from participant.core.account import Account, BookRisk
from participant.core.ids import digest
from participant.core.market import SECOND, MarketState
from participant.core.messages import JobResult
from participant.core.position import Position
from participant.core.scrip import Contract, Scrip, Side

DEADLINE_S = 600  # from the snapshot, by the design


def share_left(market: MarketState, now: int) -> float:
    """How much of the time to decide on a snapshot is left, from 1 down to 0."""
    return max(0.0, 1 - (now - market.exchange_at) / (DEADLINE_S * SECOND))


class Action(StrEnum):
    """What to do about a scrip."""

    OPEN = "open"
    CLOSE = "close"
    MAINTAIN = "maintain"


class Leg(Struct, frozen=True, rename="camel"):
    """One contract of a decision. Legs are worked strictly in their order, each when the one before is filled.

    `limit` is the price that the decision saw (the far touch); `margin` (paise) is what the leg adds to the margin, in
    a decision never less than the brain's own figure.
    """

    contract: Contract
    side: Side
    quantity: int
    limit: int
    margin: int = 0

    @property
    def slices(self) -> list[tuple[int, int]]:
        """What each order of it begins after, and its units: as many whole lots as one may have, then the rest."""
        most = self._order_max
        if not 0 < most < self.quantity:
            return [(0, self.quantity)]  # one order; where that cannot be sent, it is for the checks to say why
        return [(done, min(most, self.quantity - done)) for done in range(0, self.quantity, most)]

    @property
    def order_count(self) -> int:
        """How many slices those are, without making them: a quantity that is refused may have no end of them."""
        most = self._order_max
        return -(-self.quantity // most) if 0 < most < self.quantity else 1

    @property
    def _order_max(self) -> int:
        return self.contract.freeze // self.contract.lot * self.contract.lot


Figure = int | float | str | None


class Decision(Struct, frozen=True, rename="camel"):
    """Open, close or maintain, in a sentence that a trader can read, with the figures behind it.

    `risk` is what the scrip's book can do to the account once this is carried out, None where there is no book.
    """

    decision_id: str
    scrip: str
    action: Action
    reason: str
    figures: dict[str, Figure]
    legs: tuple[Leg, ...]
    snapshot_id: str
    decided_for: int
    deadline: int
    rules_hash: str
    build_id: str
    outcome: str = "decided"
    risk: BookRisk | None = None


class PositionInfo(Struct, frozen=True, rename="camel"):
    """What we hold and what we can spend, as the brain was told."""

    position: Position
    account: Account


class DecisionInput(Struct, frozen=True, rename="camel"):
    """All that a brain job is given."""

    scrip: Scrip
    market_state: MarketState
    current_position_info: PositionInfo


class DecisionRecord(Struct, frozen=True, rename="camel"):
    """One line of the decision log: the whole input, and the decision."""

    scrip: Scrip
    market_state: MarketState
    current_position_info: PositionInfo
    decision_info: Decision


def undecided(market: MarketState, result: JobResult) -> Decision:
    """What is logged of a job that gave no decision: that it timed out or was parked, and why."""
    outcome = "timed out" if result.outcome == "timeout" else "parked"
    return Decision(
        decision_id=digest(market.scrip, market.snapshot_id, outcome),
        scrip=market.scrip,
        action=Action.MAINTAIN,
        reason=f"No decision: the job {outcome} ({result.reason}).",
        figures={},
        legs=(),
        snapshot_id=market.snapshot_id,
        decided_for=market.exchange_at,
        deadline=market.exchange_at + DEADLINE_S * SECOND,
        rules_hash="",
        build_id="",
        outcome=outcome,
    )
