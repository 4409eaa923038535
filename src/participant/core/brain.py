"""The brain: one pure function from what is known of a scrip to a decision. The same input gives the same bytes."""

from participant.core.account import Account
from participant.core.brain_checks import judged
from participant.core.decision import DEADLINE_S, Decision
from participant.core.ids import digest
from participant.core.market import SECOND, MarketState
from participant.core.position import Position
from participant.core.pricing import KERNEL
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip
from participant.core.strategies.table import build_of, strategy_of
from participant.core.strategy import Case, Strategy, logged, refusing

# Raise a module's version with every change that can change a decision; it enters the ids of all decisions.
MODULE_VERSIONS = {"brain": 19, "covered_call": 10, "pricing": 2, "volatility": 4, "margin": 3, "charges": 2}
BUILD_ID = digest(MODULE_VERSIONS, KERNEL)


def decide(scrip: Scrip, market: MarketState, position: Position, account: Account, rules: Rulebook) -> Decision:
    """Decide on one scrip. Its id does not depend on the position: a snapshot that is redelivered decides only once."""
    return _decided(strategy_of(scrip.strategy), Case(scrip, market, position, account, rules))


def refuse(case: Case, fault: str) -> Decision:
    """Maintain, on a row of the watchlist whose settings cannot be read, and say why."""
    return _decided(refusing(f"nothing is done on a row of the watchlist that cannot be: {fault}"), case)


def _decided(strategy: Strategy, case: Case) -> Decision:
    scrip, market, rules = case.scrip, case.market, case.rules
    verdict, risk = judged(strategy, case)
    build = build_of(scrip.strategy, BUILD_ID)
    decision_id = digest(scrip.symbol, market.snapshot_id, build, rules.content_hash)
    said = (verdict.action, verdict.reason, logged(verdict.figures), verdict.legs)
    when = (market.snapshot_id, market.exchange_at, market.exchange_at + DEADLINE_S * SECOND)
    return Decision(decision_id, scrip.symbol, *said, *when, rules.content_hash, build, risk=risk)
