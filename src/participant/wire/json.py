"""Values to JSON bytes and back: the one encoding of queues, books and the decision log."""

from functools import lru_cache
from typing import Self, TypeVar

import msgspec

from participant.core.ids import ENCODER

T = TypeVar("T")


class Malformed(ValueError):
    """Bytes that are not what they should be: what was expected, and what stands there."""


class Told(bytes):
    """The JSON of a frozen value, which it remembers: see `wire/told.py`."""

    value: object

    def __new__(cls, body: bytes, value: object) -> Self:
        """These bytes, made of this value."""
        told = super().__new__(cls, body)
        told.value = value
        return told

    def __deepcopy__(self, memo: object) -> Self:
        """Neither bytes nor value ever change."""
        return self


def encode(value: object) -> bytes:
    """The JSON of a value; equal values give equal bytes."""
    return ENCODER.encode(value)


@lru_cache(maxsize=256)
def decode_once(body: bytes, kind: type[T]) -> T:
    """The same of small rows that are read again and again: equal bytes give one value, which nobody may change."""
    return decode(body, kind)


def decode(body: bytes, kind: type[T]) -> T:
    """The value in these bytes; raises Malformed with the place of the fault."""
    if type(body) is Told and type(body.value) is kind:
        return body.value
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"no {getattr(kind, '__name__', kind)}: {fault} in {body[:80]!r}") from fault
