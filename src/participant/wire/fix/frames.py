"""FIX messages in a stream of bytes: found, verified, their header read; their other fields only when asked for.

A broken frame is told from an unfinished one, and costs exactly itself: reading goes on at the next frame's first byte.
Any version is framed, so that the session can say that it is the wrong one.
"""

import re
from zlib import adler32

from msgspec import Struct

from participant.wire.fix.codec import BODY_MAX, FIELDS_MAX, Message
from participant.wire.fix.dictionary import DATA_OF
from participant.wire.json import Malformed

TRAILER_SIZE = 7  # 10=ddd and its SOH
BEGIN_MAX = 17
LENGTH_MAX = 5
FAULTS_MAX = 500  # broken frames that one call looks at: each may cost the time of a whole message
FRAME_MAX = BEGIN_MAX + LENGTH_MAX + 1 + BODY_MAX + TRAILER_SIZE

_NEXT = re.compile(rb"8=(FIX[.T0-9]{1,8})\x019=")
_PART = re.compile(rb"8(=(F(I(X([.T0-9]{0,8}|[.T0-9]{1,8}\x01(9)?))?)?)?)?")
_LENGTH = re.compile(rb"([0-9]{1,5})\x01")
_TRAILER = re.compile(rb"10=[0-9]{3}\x01")
_LATER = re.compile(rb"\x0110=[0-9]{3}\x018=FIX[.T0-9]{1,8}\x019=")
_FIELD = re.compile(rb"(-?[0-9]{1,6})=")

# Raw data (90, 212) ends the quick look: its bytes may be anything.
QUICK = {b"%d" % tag: tag for tag in (34, 35, 43, 49, 50, 52, 56, 57, 97, 115, 116, 122, 128, 129, 142, 143, 144, 145)}
_NEEDED = (34, 49, 52, 56)
_DATA = frozenset(DATA_OF.values())


class Frame(Struct, frozen=True):
    """One message whose frame is right. `head` has the header's fields by tag, `seq` is -1 where there is none."""

    raw: bytes
    version: str
    msg_type: str
    seq: int
    head: dict[int, str]
    body_at: int

    def get(self, tag: int) -> str:
        """A field of the header, or an empty string."""
        return self.head.get(tag, "")

    def message(self) -> Message:
        """All fields from MsgType on, in order; Malformed where they cannot be told apart."""
        return Message(self.msg_type, self.seq, _fields(self.raw, self.body_at))


class Garbled(Struct, frozen=True):
    """Bytes that are no message, and why. They are skipped, and no sequence number is used up."""

    reason: str


def split(buffer: bytes) -> tuple[list[Frame | Garbled], bytes]:
    """The frames that are whole, in order, and the bytes of the unfinished one (fewer than FRAME_MAX).

    After FAULTS_MAX broken ones all the rest is left.
    """
    found: list[Frame | Garbled] = []
    at = faults = 0
    while at < len(buffer) and faults < FAULTS_MAX:
        item, end = framed(buffer, at)
        if item is None:
            break
        found.append(item)
        faults += isinstance(item, Garbled)
        at = end
    return found, buffer[at:]


def framed(buffer: bytes, at: int) -> tuple[Frame | Garbled | None, int]:
    """What begins at byte `at` and where it ends; None, and `at`, while it is unfinished."""
    begin = _NEXT.match(buffer, at)
    if begin is None:
        is_begun = len(buffer) - at < BEGIN_MAX and _PART.fullmatch(buffer, at)
        return (None, at) if is_begun else _skip(buffer, at, "it does not begin with 8=FIX and 9=")
    length = _LENGTH.match(buffer, begin.end())
    if length is None:
        digits = buffer[begin.end() :]
        if len(digits) <= LENGTH_MAX and (not digits or digits.isdigit()):
            return None, at
        return _skip(buffer, at, "its BodyLength is no number in bounds")
    if not 0 < int(length[1]) <= BODY_MAX:
        return _skip(buffer, at, "its BodyLength is no number in bounds")
    trailer = length.end() + int(length[1])
    if len(buffer) < trailer + TRAILER_SIZE:
        # A length that was damaged upwards would wait for bytes that belong to others: the next frame gives it away.
        return (
            _skip(buffer, at, "its BodyLength overruns the next message") if _LATER.search(buffer, at) else (None, at)
        )
    if buffer[trailer - 1] != 1 or not _TRAILER.fullmatch(buffer, trailer, trailer + TRAILER_SIZE):
        return _skip(buffer, at, "its BodyLength does not lead to its CheckSum")
    if _sum(buffer, at, trailer) & 255 != int(buffer[trailer + 3 : trailer + 6]):
        _, end = _skip(buffer, at, "")
        return Garbled("its CheckSum is wrong"), min(end, trailer + TRAILER_SIZE)
    end = trailer + TRAILER_SIZE
    return _headed(buffer[at:end], begin[1].decode(), length.end() - at), end


def _sum(buffer: bytes, at: int, end: int) -> int:
    """The sum of these bytes: the low half of Adler-32, less 1, is that of up to 257 bytes, and much faster."""
    return sum((adler32(buffer[start : min(start + 256, end)]) & 0xFFFF) - 1 for start in range(at, end, 256))


def _skip(buffer: bytes, at: int, reason: str) -> tuple[Garbled, int]:
    """Past one broken frame: to the next beginning, or to where one may still be arriving."""
    found = _NEXT.search(buffer, at + 1)
    if found:
        return Garbled(reason), found.start()
    tail = max(at + 1, len(buffer) - BEGIN_MAX + 1)
    starts = (at for at in range(tail, len(buffer)) if buffer[at] == 0x38 and _PART.fullmatch(buffer, at))
    return Garbled(reason), next(starts, len(buffer))


def _headed(raw: bytes, version: str, body_at: int) -> Frame | Garbled:
    """A frame with its header: a quick look at what usually stands first, and all fields where that is not enough."""
    if not raw.startswith(b"35=", body_at):
        return Garbled("its third field is not MsgType")
    head = quick_head(raw, body_at)
    if any(tag not in head for tag in _NEEDED):
        try:
            for tag, value in _fields(raw, body_at):
                head.setdefault(tag, value)
        except Malformed as error:
            return Garbled(str(error))
    seq = head.get(34)
    if seq is not None and not (len(seq) <= 9 and seq.isascii() and seq.isdigit()):
        return Garbled("its MsgSeqNum is no number in bounds")
    return Frame(raw, version, head[35], -1 if seq is None else int(seq), head, body_at)


def quick_head(raw: bytes, at: int) -> dict[int, str]:
    """The fields of the header that stand in front of all others, from MsgType at byte `at` on."""
    head: dict[int, str] = {}
    end = len(raw) - TRAILER_SIZE
    while at < end:
        equals = raw.find(b"=", at, at + 4)
        tag = QUICK.get(raw[at:equals]) if equals > 0 else None
        if tag is None:
            break
        soh = raw.find(b"\x01", equals)
        head.setdefault(tag, raw[equals + 1 : soh].decode("latin-1"))
        at = soh + 1
    return head


def _fields(raw: bytes, at: int) -> tuple[tuple[int, str], ...]:
    """All fields up to the CheckSum, raw data by their length; a field may be empty, which the session judges."""
    end = len(raw) - TRAILER_SIZE
    fields: list[tuple[int, str]] = []
    length = 0  # of the raw data that follow
    while at < end:
        found = _FIELD.match(raw, at, end)
        if found is None:
            raise Malformed(f"a field is not tag=value: {raw[at : min(at + 32, end)]!r}")
        if len(fields) == FIELDS_MAX:
            raise Malformed(f"it has more than {FIELDS_MAX} fields")
        tag, start = int(found[1]), found.end()
        at = raw.index(b"\x01", start)
        if tag in _DATA and length:
            at = start + length
            if at >= end or raw[at] != 1:
                raise Malformed(f"tag {tag} does not end where its length says")
        value = raw[start:at].decode("latin-1")
        fields.append((tag, value))
        length = int(value) if tag in DATA_OF and value.isascii() and value.isdigit() and len(value) <= 5 else 0
        at += 1
    return tuple(fields)
