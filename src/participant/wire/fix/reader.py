"""FIX as normalised JSON and as typed values, by the compiled kernel or by its plain twin (`kernels`).

`docs/fix.md` says which fields there are. A message is read whole or refused with its reason: nothing is guessed.
"""

from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from participant.core import kernels
from participant.wire.fix import reader_plain
from participant.wire.fix.dictionary import reason_of
from participant.wire.fix.values import Message

__all__ = ["Portion", "Reader", "Refused", "decode", "read"]


def _load() -> Any:
    from participant.wire.fix import _reader

    return _reader


_kernel = kernels.choose(_load, reader_plain)

if TYPE_CHECKING:
    Reader = reader_plain.Reader
else:
    Reader = _kernel.Reader

_values: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


class Refused(Struct, frozen=True):
    """A message that is not read: why, where it begins in the bytes that were given, and which byte of it is at fault.

    A byte of a message from a log is counted as if its separators were SOH, as the sender's BodyLength does.
    """

    reason: str
    offset: int
    byte: int


class Portion(Struct, frozen=True):
    """What `read` found: a JSON line each of so many messages, those that are refused, and what became of the bytes."""

    lines: bytes
    messages: int
    refused: tuple[Refused, ...]
    skipped: int
    used: int


def read(reader: Reader, data: bytes, is_last: bool = False) -> Portion:
    """The messages in these bytes, whatever stands between them: `skipped` bytes. What is not whole yet is not `used`.

    Separators are SOH, or | or ^A as logs print them.
    """
    lines, messages, refused, skipped, used = reader.lines(data, is_last)
    return Portion(
        lines,
        messages,
        tuple(Refused(reason_of(fault, tag), offset, byte) for offset, byte, fault, tag in refused),
        skipped,
        used,
    )


def decode(reader: Reader, message: bytes) -> Message | Refused:
    """The values of one whole message."""
    found = reader.json(message)
    if isinstance(found, bytes):
        return _values.decode(found)
    byte, fault, tag = found
    return Refused(reason_of(fault, tag), 0, byte)
