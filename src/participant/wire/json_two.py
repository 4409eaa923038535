"""The second provider's shape, after Indian retail WebSockets: instrument tokens, rupees in numbers, milliseconds.

A master of instruments comes first and maps each token to its contract:

    {"type":"instruments","data":[{"token":1002,"name":"NIFTY","expiry":"2026-12-29","strike":25000.0,"kind":"CE"}]}
    {"type":"full","seq":41,"part":1,"parts":1,"ts":1798518600000,"last":false,"data":[QUOTE, ...]}
    {"type":"diff","seq":42,"data":[{"token":1002,"bid":101.05,"ask":101.5,"bid_qty":650,"ask_qty":130,"ts":...}]}
    {"type":"mark","seq":43,"ts":1798518660000,"last":false}    {"type":"held","seq":44}    {"type":"beat","seq":44}
"""

import datetime
from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec
from msgspec import Struct

from participant.core.market import Tick
from participant.core.scrip import PRICE_UNITS, Contract, Kind, contract_key
from participant.wire.json import Malformed
from participant.wire.json_feeds import INSTRUMENTS_A_MESSAGE, Count, Says, Word, unpack
from participant.wire.rupees import rupees

MILLISECOND = 1_000_000
TOKEN_FIRST = 1_001
TOKENS_MAX = 100_000
RUPEES_MAX = 10**9

_TYPES: dict[Says, Literal["instruments", "full", "diff", "mark", "held", "beat"]] = {
    Says.MASTER: "instruments",
    Says.SNAPSHOT: "full",
    Says.DIFF: "diff",
    Says.MARK: "mark",
    Says.HELD: "held",
    Says.BEAT: "beat",
}
_SAYS = {name: says for says, name in _TYPES.items()}


_NOTHING = Decimal(0)


class _Instrument(Struct, omit_defaults=True):
    token: Count
    name: str
    kind: Literal["INDEX", "FUT", "CE", "PE", "EQ"]
    expiry: datetime.date | None = None
    strike: Decimal = _NOTHING


class _Quote(Struct, omit_defaults=True):
    token: Count
    ts: Count
    bid: Decimal = _NOTHING
    ask: Decimal = _NOTHING
    bid_qty: Count = 0
    ask_qty: Count = 0
    last_price: Decimal = _NOTHING


class _Instruments(Struct, tag_field="type", tag="instruments"):
    data: tuple[_Instrument, ...]


class _Said(Struct, omit_defaults=True):
    type: Literal["instruments", "full", "diff", "mark", "held", "beat"]
    seq: Count = 0
    ts: Count = 0
    last: bool = False
    part: Count = 1
    parts: Count = 1
    data: tuple[_Quote, ...] = ()


class _Type(Struct):
    type: Literal["instruments", "full", "diff", "mark", "held", "beat"]


# Rupees are written as the JSON numbers that people write, with no digit more.
_encoder = msgspec.json.Encoder(decimal_format="number")
_type = msgspec.json.Decoder(_Type)
_instruments = msgspec.json.Decoder(_Instruments)
_said = msgspec.json.Decoder(_Said)


class TwoWriter:
    """The provider's side: tokens by the order of the master, those of the underlyings first."""

    def __init__(self, contracts: Sequence[Contract], underlyings: Sequence[str] = ()) -> None:
        symbols = sorted({*underlyings, *(c.underlying for c in contracts)})
        rows = [_Instrument(TOKEN_FIRST + n, s, "INDEX") for n, s in enumerate(symbols)]
        rows += [
            _Instrument(TOKEN_FIRST + n, c.underlying, c.kind.value, c.expiry, _rupees(c.strike))
            for n, c in enumerate(contracts, start=len(symbols))
        ]
        self._rows = rows
        self._tokens = dict(zip([*symbols, *(c.key for c in contracts)], (row.token for row in rows), strict=True))

    def master(self) -> list[bytes]:
        """All instruments and their tokens."""
        starts = range(0, len(self._rows), INSTRUMENTS_A_MESSAGE)
        pieces = [tuple(self._rows[start : start + INSTRUMENTS_A_MESSAGE]) for start in starts]
        return [_encoder.encode(_Instruments(piece)) for piece in pieces]

    def write(self, word: Word) -> bytes:
        """The message that says a word."""
        data = tuple(self._quote(t) for t in word.ticks)
        said = _Said(
            _TYPES[word.says], word.seq, word.at // MILLISECOND, word.is_last, word.part, word.parts, data
        )  # fmt: skip
        return _encoder.encode(said)

    def _quote(self, tick: Tick) -> _Quote:
        at = tick.exchange_at // MILLISECOND
        sides = (_rupees(tick.bid), _rupees(tick.ask), tick.bid_size, tick.ask_size)
        return _Quote(self._tokens[tick.contract], at, *sides, _rupees(tick.last))


class TwoReader:
    """A reader's side; it learns the tokens of its connection."""

    request = '{"a":"full"}'

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def read(self, data: str | bytes) -> Word:
        """The word that a message says; ticks of tokens that no master named are counted and left out."""
        kind = _SAYS[unpack(_type, data).type]
        if kind is Says.MASTER:
            self._learn(unpack(_instruments, data).data)
            return Word(kind)
        said = unpack(_said, data)
        known = [q for q in said.data if q.token in self._names]
        ticks = tuple(self._tick(q) for q in known)
        unknown = len(said.data) - len(known)
        return Word(kind, said.seq, ticks, said.ts * MILLISECOND, said.last, said.part, said.parts, unknown)

    def _learn(self, rows: Sequence[_Instrument]) -> None:
        if len(self._names) + len(rows) > TOKENS_MAX:
            raise Malformed(f"a master of more than {TOKENS_MAX} instruments")
        self._names.update({row.token: _name(row) for row in rows})

    def _tick(self, quote: _Quote) -> Tick:
        bid, ask, last = _price(quote.bid), _price(quote.ask), _price(quote.last_price)
        at = quote.ts * MILLISECOND
        return Tick(self._names[quote.token], bid, ask, quote.bid_qty, quote.ask_qty, last, at)


def _name(row: _Instrument) -> str:
    if row.kind == "INDEX":
        return row.name
    if row.expiry is None:
        raise Malformed(f"instrument {row.token} is a {row.kind} without an expiry")
    return contract_key(row.name, row.expiry, Kind(row.kind), _price(row.strike))


def _rupees(price: int) -> Decimal:
    return Decimal(rupees(price)) if price else _NOTHING


def _price(value: Decimal) -> int:
    """Rupees as a price, exactly."""
    if not value.is_finite() or not 0 <= value <= RUPEES_MAX:
        raise Malformed(f"{str(value)[:32]} is not a price in rupees")
    price = int(value * PRICE_UNITS)
    if price != value * PRICE_UNITS:
        raise Malformed(f"{str(value)[:32]} rupees are finer than 1/{PRICE_UNITS}")
    return price
