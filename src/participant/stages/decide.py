"""What one brain job runs: the bytes of a DecisionInput in, the bytes of a Decision out."""

from participant.core.brain import decide, refuse
from participant.core.rulebook import Rulebook
from participant.core.strategy import Case
from participant.links.jobs import read_job
from participant.wire.json import encode


def run(body: bytes, rules: Rulebook) -> bytes:
    """Decide once. The worker that calls this has no secret, no network, and keeps nothing between jobs."""
    given, fault = read_job(body)
    info = given.current_position_info
    known = (given.scrip, given.market_state, info.position, info.account, rules)
    return encode(refuse(Case(*known), fault) if fault else decide(*known))
