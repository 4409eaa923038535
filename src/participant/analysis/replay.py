"""A logged decision again, from its own logged input: equal to the byte, or what differs."""

from collections.abc import Iterable, Mapping

from msgspec import Raw, Struct

from participant.core.brain import decide
from participant.core.decision import Decision, DecisionRecord
from participant.core.rulebook import Rulebook
from participant.links.parts import PartMissing, unpack, whole
from participant.wire.json import decode, encode


class Difference(Struct, frozen=True):
    """A decision that came out otherwise, and why it may have."""

    line: int
    logged: str
    now: str


class Replay(Struct, frozen=True):
    """What the replay of a day found."""

    equal: int
    undecided: int
    differences: tuple[Difference, ...]


class _Written(Struct, rename="camel"):
    decision_info: Raw


def replay_day(records: Iterable[tuple[bytes, bytes]], rules: Rulebook) -> Replay:
    """Decide every line of a day's log, each with its pack of parts, again under these rules.

    Raises PartMissing and Malformed.
    """
    equal = undecided = 0
    differences = []
    parts: dict[str, Raw] = {}
    for number, (line, pack) in enumerate(records, 1):
        parts.update((part.id, part.part) for part in unpack(pack))
        record = _record(number, line, parts)
        if record.decision_info.outcome != "decided":
            undecided += 1
            continue
        info = record.current_position_info
        again = decide(record.scrip, record.market_state, info.position, info.account, rules)
        if encode(again) == bytes(decode(line, _Written).decision_info):
            equal += 1
        else:
            differences.append(
                Difference(number, _short(record.decision_info, again.build_id), _short(again, again.build_id))
            )
    return Replay(equal, undecided, tuple(differences))


def _record(number: int, line: bytes, parts: Mapping[str, Raw]) -> DecisionRecord:
    try:
        return decode(whole(line, parts), DecisionRecord)
    except PartMissing as missing:
        raise PartMissing(f"line {number}: {missing}") from None


def _short(decision: Decision, ours: str) -> str:
    build = "this build" if decision.build_id == ours else f"build {decision.build_id[:8]}"
    return f"{decision.action} by {build}, rules {decision.rules_hash[:8]}: {decision.reason}"
