"""What one brain job runs: the bytes of a DecisionInput in, the bytes of a Decision out."""

from participant.core.brain import decide
from participant.core.decision import DecisionInput
from participant.core.rulebook import Rulebook
from participant.wire.json import decode, encode


def run(body: bytes, rules: Rulebook) -> bytes:
    """Decide once. The worker that calls this has no secret, no network, and keeps nothing between jobs."""
    given = decode(body, DecisionInput)
    info = given.current_position_info
    return encode(decide(given.scrip, given.market_state, info.position, info.account, rules))
