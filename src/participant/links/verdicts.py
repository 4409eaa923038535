"""What becomes of a brain job: a decision, or none; a job that failed for good is parked with its input in a file."""

import shlex
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from participant.core.decision import Decision, DecisionInput, undecided
from participant.core.market import MarketState
from participant.core.messages import JobResult
from participant.links.whole import write_whole
from participant.wire.json import Malformed, decode, encode

Park = Callable[[str, bytes], str]


def sound(market: MarketState, result: JobResult) -> JobResult:
    """The result of a job on this state; one that is done and no decision on it is an error, as if it had raised."""
    if result.outcome != "done":
        return result
    try:
        decision = decode(result.body, Decision)
    except Malformed as fault:
        return JobResult(result.id, "error", reason=f"its answer: {fault}")
    if (decision.scrip, decision.snapshot_id) != (market.scrip, market.snapshot_id):
        about = f"{decision.scrip}, snapshot {decision.snapshot_id[:8]}"
        return JobResult(result.id, "error", reason=f"its answer is a decision on {about}, which it was not asked for")
    return result


def verdict(given: DecisionInput, result: JobResult, park: Park) -> Decision:
    """The decision that a sound result holds, or that there is none and why; an error is parked, and says where."""
    if result.outcome == "done":
        return decode(result.body, Decision)
    none = undecided(given.market_state, result)
    if result.outcome == "timeout":
        return none
    return replace(none, reason=f"{none.reason} {park(none.decision_id, encode(given))}")


def park(home: Path, name: str, given: bytes) -> str:
    """Save the input of a job under the home, whole or not at all; the sentence says how it is run again by hand."""
    file = home / "parked" / f"{name}.json"
    by_home = f"--home {shlex.quote(str(home))}"
    try:
        file.parent.mkdir(exist_ok=True)
        write_whole(file, given)
    except OSError as fault:
        why = f"Its input could not be saved at {file} ({fault.strerror})"
        return f"{why}; again by hand, from the log: participant decide {name} {by_home}"
    return f"Again by hand: participant decide --input {shlex.quote(str(file))} {by_home}"
