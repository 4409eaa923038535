"""A decision record in two: a line to read, and its bulky parts, each stored once and named by its content.

The line keeps the record's four objects. Where a part was stands `{"part": id}`, beside what tells people which it is:
a scrip's symbol, a chain's expiry. A part is the JSON of what it stands for; only chains are written in another form.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import accumulate
from typing import Generic, TypeVar

from msgspec import Raw, Struct
from msgspec.structs import asdict, astuple, replace

from participant.core.chain_columns import columns
from participant.core.decision import Decision, DecisionInput
from participant.core.ids import digest
from participant.core.market import Chain, LookBack, Quote, Strike
from participant.core.once import once
from participant.core.scrip import Contract, Scrip
from participant.core.snapshot import look_back_json
from participant.wire.json import decode, encode

LEVEL = 6
GZIP = 31  # zlib's number for a gzip frame; it holds no time and no name


class PartMissing(Exception):
    """A line refers to a part that is not at hand."""


class Part(Struct, frozen=True):
    """A piece of a record's JSON. `id` is a digest of `kind` and `part`."""

    id: str
    kind: str
    part: Raw


# --- a record whose bulky parts are bytes: references in a line, what they stand for in a record ----------------------


class _Market(Struct, frozen=True, rename="camel"):
    snapshot_id: str
    scrip: str
    exchange_at: int
    received_at: int
    provider: str
    spot: int
    futures: Raw
    chains: Raw
    look_back: Raw
    marks: tuple[str, ...]
    underlying: Quote | None
    shares: Contract | None = None


class _Info(Struct, frozen=True):
    position: Raw
    account: Raw


class LogLine(Struct, frozen=True, rename="camel"):
    """A record of the decision log, as far as it is not bytes."""

    scrip: Raw
    market_state: _Market
    current_position_info: _Info
    decision_info: Raw


class Split(Struct, frozen=True):
    """What a decision is made from: references, and the parts in the order in which a line refers to them."""

    scrip: Raw
    market: _Market
    info: _Info
    parts: tuple[Part, ...]

    def line(self, decision: Decision) -> bytes:
        """The line of the log that says what was decided."""
        return encode(LogLine(self.scrip, self.market, self.info, _raw(decision)))


class _Ref(Struct, frozen=True):
    part: str


class _ScripRef(Struct, frozen=True):
    symbol: str
    part: str


class _ChainRef(Struct, frozen=True):
    expiry: date
    part: str


class _MarketRefs(Struct, frozen=True, rename="camel"):
    futures: _Ref
    chains: tuple[_Ref, ...]
    look_back: _Ref


class _InfoRefs(Struct, frozen=True):
    position: _Ref
    account: _Ref


class _Refs(Struct, frozen=True, rename="camel"):
    """A line as far as it refers to parts."""

    scrip: _Ref
    market_state: _MarketRefs
    current_position_info: _InfoRefs


# --- a chain in columns: a third of its JSON, and packed two thirds of that -------------------------------------------


class _Units(Struct, frozen=True):
    strike: int
    price: int
    size: int
    age: int


# Numbers as they are read, JSON as it is written; a strike is always there.
Column = TypeVar("Column")
Strikes = TypeVar("Strikes")
Read = Sequence[int | None]


class _Quotes(Struct, Generic[Column], frozen=True, rename="camel"):
    """A column a field, a row a strike; null in each where nobody quotes. `spread` is ask less bid."""

    bid: Column
    spread: Column
    bid_size: Column
    ask_size: Column
    age: Column


class _Columns(Struct, Generic[Column, Strikes], frozen=True):
    """A chain. Numbers count `units`; `strikes` are the lowest and the steps from there; `age` goes back from `newest`.

    A unit is what divides all its numbers: a tick, a lot or more of it.
    """

    expiry: date
    lot: int
    tick: int
    freeze: int
    newest: int
    units: _Units
    strikes: Strikes
    call: _Quotes[Column]
    put: _Quotes[Column]


SIDE = b'{"bid":%b,"spread":%b,"bidSize":%b,"askSize":%b,"age":%b}'
UNITS = b'{"strike":%d,"price":%d,"size":%d,"age":%d}'
COLUMNS = b'{"expiry":"%b","lot":%d,"tick":%d,"freeze":%d,"newest":%d,"units":%b,"strikes":%b,"call":%b,"put":%b}'


def _columns_json(chain: Chain) -> Raw:
    """The JSON of a chain's `_Columns`, whose columns come as JSON: their frame is put around them."""
    newest, units, steps, calls, puts = columns(chain)
    head = (str(chain.expiry).encode(), chain.lot, chain.tick, chain.freeze, newest)
    return Raw(COLUMNS % (*head, UNITS % units, steps, SIDE % calls, SIDE % puts))


def _chain(read: _Columns[Read, Sequence[int]]) -> Chain:
    strikes = (count * read.units.strike for count in accumulate(read.strikes))
    calls, puts = (_quotes(side, read) for side in (read.call, read.put))
    rows = tuple(Strike(*row) for row in zip(strikes, calls, puts, strict=True))
    return Chain(read.expiry, read.lot, read.tick, read.freeze, rows)


def _quotes(side: _Quotes[Read], read: _Columns[Read, Sequence[int]]) -> list[Quote | None]:
    price, size, age, newest = read.units.price, read.units.size, read.units.age, read.newest
    return [
        Quote(bid * price, (bid + spread) * price, bid_size * size, ask_size * size, newest - back * age)
        if bid is not None
        else None
        for bid, spread, bid_size, ask_size, back in zip(*astuple(side), strict=True)
    ]


# --- apart and together -----------------------------------------------------------------------------------------------


def split(given: DecisionInput) -> Split:
    """What a decision is made from, apart; the decision itself has no bulky parts."""
    parts: list[Part] = []

    def ref(part: Part) -> str:
        parts.append(part)
        return part.id

    state, info = given.market_state, given.current_position_info
    scrip = _raw(_ScripRef(given.scrip.symbol, ref(_scrip(given.scrip))))
    bulky = {
        "futures": _raw(_Ref(ref(_made("futures", state.futures)))),
        "chains": _raw([_ChainRef(c.expiry, ref(_of("chain", _columns_json(c)))) for c in state.chains]),
        "look_back": _raw(_Ref(ref(_look_back(state.look_back)))),
    }
    position, account = (_raw(_Ref(ref(_made(kind, value)))) for kind, value in asdict(info).items())
    return Split(scrip, _Market(**asdict(state) | bulky), _Info(position, account), tuple(parts))


def _of(kind: str, body: Raw) -> Part:
    return Part(digest(kind, body), kind, body)


def _made(kind: str, value: object) -> Part:
    return _of(kind, _raw(value))


@once
def _scrip(value: Scrip) -> Part:
    return _made("scrip", value)


@once
def _look_back(value: LookBack) -> Part:
    return _of("lookBack", look_back_json(value))


def whole(line: bytes, parts: Mapping[str, Raw]) -> bytes:
    """The record as it was decided, to the byte. Raises PartMissing, and Malformed for what is no line of the log."""

    def part(ref: Raw) -> Raw:
        return _part(decode(bytes(ref), _Ref).part, parts)

    read = decode(line, LogLine)
    market, info = read.market_state, read.current_position_info
    chains = [_part(c.part, parts) for c in decode(bytes(market.chains), list[_ChainRef])]
    market = replace(
        market,
        futures=part(market.futures),
        chains=_raw([_chain(decode(bytes(c), _Columns[Read, Sequence[int]])) for c in chains]),
        look_back=part(market.look_back),
    )
    return encode(LogLine(part(read.scrip), market, _Info(part(info.position), part(info.account)), read.decision_info))


def refs(line: bytes) -> list[str]:
    """The ids of the parts that a line refers to, each once. Raises Malformed for what is no line of the log."""
    read = decode(line, _Refs)
    market, info = read.market_state, read.current_position_info
    every = (read.scrip, market.futures, *market.chains, market.look_back, info.position, info.account)
    return list(dict.fromkeys(ref.part for ref in every))


def pack(parts: Iterable[Part]) -> bytes:
    """Parts as gzipped lines of JSON: equal parts give equal bytes, and packs that follow one another are one file."""
    packing = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
    return packing.compress(b"".join(encode(part) + b"\n" for part in parts)) + packing.flush()


def unpack(packed: bytes) -> list[Part]:
    """The parts of one pack. Raises Malformed."""
    return [decode(line, Part) for line in zlib.decompress(packed, GZIP).splitlines()]


def _part(name: str, parts: Mapping[str, Raw]) -> Raw:
    if name not in parts:
        raise PartMissing(f"its part {name}")
    return parts[name]


def _raw(value: object) -> Raw:
    return Raw(encode(value))
