"""A logged decision again, from its own logged input: equal to the byte, or what differs."""

from collections.abc import Iterable

from msgspec import Struct

from participant.analysis.logged import changed_fields, logged
from participant.core.decision import Decision
from participant.core.rulebook import Rulebook
from participant.core.strategies.table import must_be_there
from participant.stages.decide import run
from participant.wire.json import decode


class Difference(Struct, frozen=True):
    """A decision that came out otherwise, why it may have, and in which fields; none where only its names differ."""

    line: int
    logged: str
    now: str
    fields: tuple[str, ...] = ()


class Replay(Struct, frozen=True):
    """What the replay of a day found."""

    equal: int
    undecided: int
    differences: tuple[Difference, ...]
    day: str = ""


def replay_day(records: Iterable[tuple[bytes, bytes]], rules: Rulebook, day: str = "") -> Replay:
    """Decide every line of a day's log, each with its pack of parts, again under these rules.

    Raises PartMissing, Malformed and UnknownStrategy.
    """
    equal = undecided = 0
    differences = []
    for one in logged(records):
        was = one.record.decision_info
        if was.outcome != "decided":
            undecided += 1
            continue
        must_be_there(one.record.scrip, was.reason)
        now = run(one.body, rules)
        if now == one.decision:
            equal += 1
        else:
            again, fields = decode(now, Decision), tuple(field.name for field in changed_fields(one.decision, now))
            said = (_short(was, again.build_id), _short(again, again.build_id))
            differences.append(Difference(one.line, *said, fields))
    return Replay(equal, undecided, tuple(differences), day)


def _short(decision: Decision, ours: str) -> str:
    build = "this build" if decision.build_id == ours else f"build {decision.build_id[:8]}"
    return f"{decision.action} by {build}, rules {decision.rules_hash[:8]}: {decision.reason}"
