"""The walking desk's plain frames, FIX 4.4 alone and all fields at once: the oracle of `wire/fix/frames`."""

import re
from functools import lru_cache

from msgspec import Struct

from participant.wire.fix.codec import BODY_MAX, FIELDS_MAX, SOH, Message

BEGIN = b"8=FIX.4.4\x019="
TRAILER_SIZE = 7  # 10=ddd and its SOH
LENGTH_DIGITS_MAX = 5

_TRAILER = re.compile(rb"10=[0-9]{3}\x01")
_NEXT = re.compile(rb"8=FIX\.4\.4\x019=")


class Garbled(Struct, frozen=True):
    """A frame that cannot be read, and why. It is skipped, and its sequence number stays unused."""

    reason: str


def split(buffer: bytes) -> tuple[list[Message | Garbled], bytes]:
    """The frames that are whole, in order, and the bytes of the unfinished one (at most a frame's length)."""
    found: list[Message | Garbled] = []
    at = 0
    while at < len(buffer):
        item, end = _frame(buffer, at)
        if item is None:
            break
        found.append(item)
        at = end
    return found, buffer[at:]


def _frame(buffer: bytes, at: int) -> tuple[Message | Garbled | None, int]:
    """What begins at `at` and where it ends; None while it is unfinished."""
    if not BEGIN.startswith(buffer[at : at + len(BEGIN)]):
        return _skip(buffer, at, "it does not begin with 8=FIX.4.4 and 9=")
    digits_at = at + len(BEGIN)
    soh = buffer.find(b"\x01", digits_at, digits_at + LENGTH_DIGITS_MAX + 1)
    if soh < 0:
        if len(buffer) > digits_at + LENGTH_DIGITS_MAX:
            return _skip(buffer, at, "its BodyLength is too long")
        return None, at
    digits = buffer[digits_at:soh]
    if not digits.isdigit() or not 0 < int(digits) <= BODY_MAX:
        return _skip(buffer, at, "its BodyLength is no number in bounds")
    trailer = soh + 1 + int(digits)
    if len(buffer) < trailer + TRAILER_SIZE:
        # A length that was damaged upwards would wait for bytes that belong to others: the next frame gives it away.
        return (None, at) if _next(buffer, at) < 0 else _skip(buffer, at, "its BodyLength overruns the next message")
    if buffer[trailer - 1] != 1 or not _TRAILER.fullmatch(buffer, trailer, trailer + TRAILER_SIZE):
        return _skip(buffer, at, "its BodyLength does not lead to its CheckSum")
    if sum(buffer[at:trailer]) & 255 != int(buffer[trailer + 3 : trailer + 6]):
        _, end = _skip(buffer, at, "")
        return Garbled("its CheckSum is wrong"), min(end, trailer + TRAILER_SIZE)
    return _message(buffer[soh + 1 : trailer - 1]), trailer + TRAILER_SIZE


def _skip(buffer: bytes, at: int, reason: str) -> tuple[Garbled, int]:
    """Past one broken frame: to the next beginning, or to where one may still be arriving."""
    end = _next(buffer, at)
    if end < 0:
        tails = (buffer.rfind(b"8", max(at + 1, len(buffer) - len(BEGIN) + 1)), len(buffer))
        end = next(t for t in tails if t > 0 and BEGIN.startswith(buffer[t:]))
    return Garbled(reason), end


def _next(buffer: bytes, at: int) -> int:
    found = _NEXT.search(buffer, at + 1)
    return found.start() if found else -1


def _message(data: bytes) -> Message | Garbled:
    if not data.isascii():
        return Garbled("it is not ASCII")
    parts = data.decode("ascii").split(SOH)
    if len(parts) > FIELDS_MAX:
        return Garbled(f"it has more than {FIELDS_MAX} fields")
    fields = []
    for part in parts:
        tag, _, value = part.partition("=")
        number = _tag(tag)
        if not number or not value:
            return Garbled(f"a field is not tag=value: {part[:32]!r}")
        fields.append((number, value))
    if fields[0][0] != 35:
        return Garbled("its third field is not MsgType")
    seq = next((value for tag, value in fields[:8] if tag == 34), "0")
    if len(seq) > 9 or not seq.isdecimal():
        return Garbled("its MsgSeqNum is no number in bounds")
    return Message(fields[0][1], int(seq), tuple(fields))


@lru_cache(maxsize=1_024)
def _tag(text: str) -> int:
    """The number of a tag, 0 where it is none."""
    return int(text) if text.isdecimal() and len(text) <= 5 and text[0] != "0" else 0
