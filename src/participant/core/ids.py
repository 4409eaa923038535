"""Ids are functions of their inputs, so that a replay repeats them and a redelivery changes nothing."""

from hashlib import blake2b

import msgspec

_encoder = msgspec.json.Encoder(order="deterministic")


def canonical(value: object) -> bytes:
    """The one byte form of a value that ids and hashes are taken over (JSON, keys in order)."""
    return _encoder.encode(value)


def digest(*parts: object) -> str:
    """32 hex digits (blake2b, 128 bits) over the canonical bytes of `parts`."""
    return blake2b(canonical(parts), digest_size=16).hexdigest()
