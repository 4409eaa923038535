"""Market states and brain jobs as JSON that remembers what it was made of.

Within one process a state need not be read back from its bytes. To queues and stores they are bytes like any; what has
gone through a file or a pipe has forgotten, and is read.
"""

from msgspec import Raw, Struct
from msgspec.structs import asdict, replace

from participant.core.decision import DecisionInput, PositionInfo
from participant.core.market import Future, MarketState, Quote
from participant.core.once import once
from participant.core.scrip import Contract, Scrip
from participant.core.snapshot import chains_json, look_back_json
from participant.wire.json import Told, decode, encode


class _State(Struct, frozen=True, rename="camel"):
    snapshot_id: str
    scrip: str
    exchange_at: int
    received_at: int
    provider: str
    spot: int
    futures: tuple[Future, ...]
    chains: Raw
    look_back: Raw
    marks: tuple[str, ...]
    underlying: Quote | None
    shares: Contract | None


class _Given(Struct, frozen=True, rename="camel"):
    scrip: Raw
    market_state: Raw
    current_position_info: PositionInfo


class _Job(Struct, frozen=True):
    """What a job is made of: the state and the row, and as bytes what a strategy could change under others' eyes."""

    state: MarketState
    scrip: Scrip
    info: bytes


@once
def _row_json(scrip: Scrip) -> Raw:
    return Raw(encode(scrip))


@once
def _row(scrip: Scrip) -> Scrip:
    """A row as a job reads it. Raises Malformed."""
    return decode(bytes(_row_json(scrip)), Scrip)


def tell_state(state: MarketState) -> Told:
    """The JSON of a state."""
    made = {"chains": chains_json(state.chains), "look_back": look_back_json(state.look_back)}
    return Told(encode(_State(**asdict(state) | made)), state)


def tell_job(given: DecisionInput, state: bytes) -> bytes:
    """The JSON of a job on a state that came as these bytes."""
    if not isinstance(state, Told):
        return encode(given)
    scrip, info = given.scrip, given.current_position_info
    job = _Job(given.market_state, scrip, encode(info))
    return Told(encode(_Given(_row_json(scrip), Raw(state), info)), job)


def told_job(body: bytes) -> DecisionInput:
    """What a job is given. Raises Malformed."""
    if not (isinstance(body, Told) and isinstance(body.value, _Job)):
        return decode(body, DecisionInput)
    row = _row(body.value.scrip)
    scrip = replace(row, settings={**row.settings})
    return DecisionInput(scrip, body.value.state, decode(body.value.info, PositionInfo))
