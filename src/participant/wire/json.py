"""Values to JSON bytes and back: the one encoding of queues, books and the decision log."""

from typing import TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="deterministic")


class Malformed(ValueError):
    """Bytes that are not what they should be: what was expected, and what stands there."""


def encode(value: object) -> bytes:
    """The JSON of a value; equal values give equal bytes."""
    return _encoder.encode(value)


def decode(body: bytes, kind: type[T]) -> T:
    """The value in these bytes; raises Malformed with the place of the fault."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
        raise Malformed(f"no {getattr(kind, '__name__', kind)}: {fault} in {body[:80]!r}") from fault
