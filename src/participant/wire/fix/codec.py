"""FIX 4.4 as bytes: tag=value fields framed by BodyLength and CheckSum, every size bounded.

A broken frame is told from an unfinished one, and costs exactly itself: reading goes on at the next frame's first byte.
Data fields that may hold a SOH (95/96 and their like) are not spoken here.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct

from participant.wire.fix.time import timestamp

SOH = "\x01"
BEGIN = b"8=FIX.4.4\x019="
TRAILER_SIZE = 7  # 10=ddd and its SOH
BODY_MAX = 65_536
FIELDS_MAX = 1_000
LENGTH_DIGITS_MAX = 5

_TRAILER = re.compile(rb"10=[0-9]{3}\x01")
_NEXT = re.compile(rb"8=FIX\.4\.4\x019=")


class Message(Struct, frozen=True):
    """One message as it came: type, sequence number (0: none was given) and all fields from tag 35 on, in order."""

    msg_type: str
    seq: int
    fields: tuple[tuple[int, str], ...]

    def get(self, tag: int) -> str:
        """The first value of a tag, or an empty string."""
        for name, value in self.fields:
            if name == tag:
                return value
        return ""


class Garbled(Struct, frozen=True):
    """A frame that cannot be read, and why. It is skipped, and its sequence number stays unused."""

    reason: str


class Body(Struct, frozen=True):
    """What follows a message's header, ready for the wire, so that it is encoded once for many receivers."""

    msg_type: str
    data: bytes
    total: int


class Header(Struct, frozen=True):
    """What differs from receiver to receiver. `sent_at` is ns UTC."""

    sender: str
    target: str
    seq: int
    sent_at: int
    is_possdup: bool = False


def body(msg_type: str, fields: Iterable[tuple[int, str]] = ()) -> Body:
    """A body from its fields; ValueError where a value is empty or would break the frame."""
    parts = []
    for tag, value in fields:
        if not value or SOH in value:
            raise ValueError(f"tag {tag} cannot hold {value!r}")
        parts.append(f"{tag}={value}{SOH}")
    return body_of(msg_type, "".join(parts))


def body_of(msg_type: str, text: str) -> Body:
    """A body from fields that are already written, each with its SOH."""
    data = text.encode("ascii")
    return Body(msg_type, data, sum(data))


def encode(header: Header, content: Body) -> bytes:
    """The whole frame of a message."""
    possdup = f"43=Y{SOH}" if header.is_possdup else ""
    head = (
        f"35={content.msg_type}{SOH}49={header.sender}{SOH}56={header.target}{SOH}34={header.seq}{SOH}"
        f"{possdup}52={timestamp(header.sent_at)}{SOH}"
    ).encode("ascii")
    front = BEGIN + b"%d\x01" % (len(head) + len(content.data)) + head
    return b"%b%b10=%03d\x01" % (front, content.data, (sum(front) + content.total) & 255)


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
