"""The decisions of a log one after the other, each with all that it was made from; and how two decisions differ."""

from collections.abc import Iterable, Iterator, Mapping

from msgspec import Raw, Struct, to_builtins

from participant.core.decision import Decision, DecisionInput, DecisionRecord
from participant.links.jobs import read_job
from participant.links.parts import PartMissing, unpack, whole
from participant.wire.json import decode

# What names a decision, its build and its rules: another build has others in every decision, changed or not.
NAMES = frozenset({"decisionId", "buildId", "rulesHash"})


class Logged(Struct, frozen=True):
    """A line of a day's log: its number, its whole record, also as bytes, and those of the decision as it was logged.

    A row of the watchlist that cannot be stands in the record with all that could be read of it (`links/jobs.py`).
    """

    line: int
    record: DecisionRecord
    body: bytes
    decision: bytes

    @property
    def given(self) -> DecisionInput:
        """What was decided on."""
        return DecisionInput(self.record.scrip, self.record.market_state, self.record.current_position_info)


class Field(Struct, frozen=True):
    """A field of a decision on both sides; `figures.iv_rank` is one of its figures."""

    name: str
    before: object
    after: object


class _Written(Struct, rename="camel"):
    decision_info: Raw


def logged(records: Iterable[tuple[bytes, bytes]]) -> Iterator[Logged]:
    """The lines of a day's log, each with its pack of parts. Raises PartMissing, with the line, and Malformed."""
    parts: dict[str, Raw] = {}
    for number, (line, pack) in enumerate(records, 1):
        parts.update((part.id, part.part) for part in unpack(pack))
        body, written = _body(number, line, parts), bytes(decode(line, _Written).decision_info)
        given, _ = read_job(body)
        info = (given.scrip, given.market_state, given.current_position_info, decode(written, Decision))
        yield Logged(number, DecisionRecord(*info), body, written)


def _body(number: int, line: bytes, parts: Mapping[str, Raw]) -> bytes:
    try:
        return whole(line, parts)
    except PartMissing as missing:
        raise PartMissing(f"line {number}: {missing}") from None


def changed_fields(before: bytes, after: bytes) -> tuple[Field, ...]:
    """The fields in which two decisions (JSON) differ, but for those that only name them."""
    if before == after:
        return ()
    old, new = (_flat(decode(side, Decision)) for side in (before, after))
    names = dict.fromkeys((*old, *new))
    return tuple(
        Field(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n) or (n in old) != (n in new)
    )


def _flat(decision: Decision) -> dict[str, object]:
    told: dict[str, object] = {n: v for n, v in to_builtins(decision).items() if n not in NAMES}
    figures = told.pop("figures")
    assert isinstance(figures, dict)
    return {**told, **{f"figures.{name}": figures[name] for name in sorted(figures)}}
