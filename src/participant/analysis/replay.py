"""A logged decision again, from its own logged input: equal to the byte, or what differs."""

from collections.abc import Iterable, Mapping

from msgspec import Raw, Struct

from participant.core.decision import Decision
from participant.core.rulebook import Rulebook
from participant.core.strategies.table import must_be_there
from participant.links.jobs import read_job
from participant.links.parts import PartMissing, unpack, whole
from participant.stages.decide import run
from participant.wire.json import decode


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

    Raises PartMissing, Malformed and UnknownStrategy.
    """
    equal = undecided = 0
    differences = []
    parts: dict[str, Raw] = {}
    for number, (line, pack) in enumerate(records, 1):
        parts.update((part.id, part.part) for part in unpack(pack))
        record, written = _record(number, line, parts), bytes(decode(line, _Written).decision_info)
        logged = decode(written, Decision)
        if logged.outcome != "decided":
            undecided += 1
            continue
        must_be_there(read_job(record)[0].scrip, logged.reason)
        answer = run(record, rules)
        if answer == written:
            equal += 1
        else:
            again = decode(answer, Decision)
            differences.append(Difference(number, _short(logged, again.build_id), _short(again, again.build_id)))
    return Replay(equal, undecided, tuple(differences))


def _record(number: int, line: bytes, parts: Mapping[str, Raw]) -> bytes:
    try:
        return whole(line, parts)
    except PartMissing as missing:
        raise PartMissing(f"line {number}: {missing}") from None


def _short(decision: Decision, ours: str) -> str:
    build = "this build" if decision.build_id == ours else f"build {decision.build_id[:8]}"
    return f"{decision.action} by {build}, rules {decision.rules_hash[:8]}: {decision.reason}"
