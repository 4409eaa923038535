"""Ids are functions of their inputs, so that a replay repeats them and a redelivery changes nothing."""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec


def _as_array(value: object) -> tuple[object, ...]:
    if isinstance(value, Sequence):
        return tuple(value)
    raise TypeError(f"no JSON is known of {type(value)}")


ENCODER = msgspec.json.Encoder(order="deterministic", enc_hook=_as_array)


def canonical(value: object) -> bytes:
    """The one byte form of a value that ids and hashes are taken over (JSON, keys in order)."""
    return ENCODER.encode(value)


def digest(*parts: object) -> str:
    """32 hex digits (blake2b, 128 bits) over the canonical bytes of `parts`."""
    return blake2b(canonical(parts), digest_size=16).hexdigest()
