"""One decision out of a log: what it was given, and what was logged of it."""

from collections.abc import Iterable

from msgspec import Raw, Struct

from participant.core.decision import Decision
from participant.core.strategies.table import must_be_there
from participant.links.jobs import read_job
from participant.links.parts import unpack, whole
from participant.wire.json import decode, encode


class Found(Struct, frozen=True):
    """A logged decision: its id and outcome, the input as a brain job gets it, and the logged decision, both JSON."""

    decision_id: str
    outcome: str
    given: bytes
    logged: bytes


class _Written(Struct, rename="camel"):
    decision_info: Raw


class _Given(Struct, rename="camel"):
    scrip: Raw
    market_state: Raw
    current_position_info: Raw


class _Named(Struct, rename="camel"):
    decision_id: str


def lookup(records: Iterable[tuple[bytes, bytes]], begins: str) -> list[Found]:
    """The decisions of a day's log whose id begins so, in their order.

    Raises PartMissing, Malformed and UnknownStrategy.
    """
    parts: dict[str, Raw] = {}
    found = []
    for line, pack in records:
        parts.update((part.id, part.part) for part in unpack(pack))
        logged = bytes(decode(line, _Written).decision_info)
        if not decode(logged, _Named).decision_id.startswith(begins):
            continue
        record, info = whole(line, parts), decode(logged, Decision)
        must_be_there(read_job(record)[0].scrip, info.reason)
        found.append(Found(info.decision_id, info.outcome, encode(decode(record, _Given)), logged))
    return found
