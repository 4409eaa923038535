"""The frames of FIX messages and their fields, in plain Python: the first half of `reader_plain`."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from participant.wire.fix.codec import BODY_MAX, FIELDS_MAX
from participant.wire.fix.dictionary import DATA_OF, Fault

BEGIN = re.compile(rb"8=FIX([.0-9T]{1,8})(\x01|\||\^A)9=")
BEGIN_MAX = 17
KEPT = BEGIN_MAX - 1  # a beginning that is not whole yet is at most so long
_LENGTH = re.compile(rb"[0-9]{0,9}")
_TRAILER = re.compile(rb"10=[0-9]{3}")
_FIELD = re.compile(rb"([1-9][0-9]{0,4})=")
_DATA = frozenset(DATA_OF.values())


class Refusal(Exception):
    """A message is refused: the Fault, the tag (0: none) and the byte of the message at which it lies."""

    def __init__(self, fault: int, tag: int, at: int) -> None:
        super().__init__(fault, tag, at)
        self.found = (at, int(fault), tag)


class Unfinished(Exception):
    """The bytes end before the message does."""


class Token(NamedTuple):
    tag: int
    value: bytes
    at: int


class Frame(NamedTuple):
    """A message whose frame is right, with SOH again: where its body begins, and its end in the bytes it stood in."""

    data: bytes
    body_at: int
    trailer_at: int
    end: int


def framed(data: bytes, at: int) -> Frame:
    """The message whose BEGIN stands there; Refusal where its frame is wrong, Unfinished where it is not all there."""
    begin = BEGIN.match(data, at)
    assert begin
    version, mark = begin.groups()
    if version not in (b".4.2", b".4.4"):
        raise Refusal(Fault.VERSION, 0, 2)
    head = begin.end() - at - len(mark) + 1
    digits = _LENGTH.match(data, begin.end())
    assert digits
    if digits.end() + len(mark) > len(data):
        raise Unfinished
    length = int(digits[0] or b"0")
    if not data.startswith(mark, digits.end()) or not 1 <= length <= BODY_MAX:
        raise Refusal(Fault.LENGTH, 0, head)
    body_at = head + len(digits[0]) + 1
    trailer_at = body_at + length
    restored, end = _restored(data, at, trailer_at, mark)
    if restored[trailer_at - 1] != 1 or not _TRAILER.match(restored, trailer_at) or restored[-1] != 1:
        raise Refusal(Fault.TRAILER, 0, trailer_at)
    if sum(restored[:trailer_at]) & 255 != int(restored[trailer_at + 3 : trailer_at + 6]):
        raise Refusal(Fault.CHECKSUM, 0, trailer_at)
    return Frame(restored, body_at, trailer_at, end)


def _restored(data: bytes, at: int, trailer_at: int, mark: bytes) -> tuple[bytes, int]:
    """The message with SOH for its separators, and where it ends in the bytes. A log may lack the last separator."""
    total = trailer_at + 6
    if mark == b"\x01":
        if at + total + 1 > len(data):
            raise Unfinished
        return data[at : at + total + 1], at + total + 1
    inner = BEGIN.search(data, at + 1, at + 2 * total + BEGIN_MAX)
    limit = inner.start() if inner else len(data)  # or a log of beginnings would be copied from each of them
    end = min(at + total, limit)
    restored = data[at:end].replace(mark, b"\x01")
    while len(restored) < total and end < limit:
        end = min(end + total - len(restored), limit)
        restored = data[at:end].replace(mark, b"\x01")
    if restored.endswith(b"^") and mark == b"^A" and data.startswith(mark, end - 1):
        end += 1
        restored = data[at:end].replace(mark, b"\x01")
    if len(restored) < total:
        if inner:
            raise Refusal(Fault.CUT, 0, 0)
        raise Unfinished
    if data.startswith(mark, end):
        end += len(mark)
    return restored + b"\x01", end


def tokens(frame: Frame) -> Iterator[Token]:
    """The fields from MsgType on, raw data by their length."""
    data, at, count = frame.data, frame.body_at, 0
    waits = (0, 0)  # the field that said how many bytes of raw data follow, and how many
    while at < frame.trailer_at:
        if count == FIELDS_MAX:
            raise Refusal(Fault.FIELDS, 0, at)
        found = _FIELD.match(data, at, frame.trailer_at)
        if not found:
            raise Refusal(Fault.TAG, 0, at)
        tag, start = int(found[1]), found.end()
        end = data.index(b"\x01", start)
        if waits[0] or tag in _DATA:
            if DATA_OF.get(waits[0]) != tag:
                raise Refusal(Fault.DATA, waits[0] or tag, at)
            end = start + waits[1]
            if end >= frame.trailer_at or data[end] != 1:
                raise Refusal(Fault.DATA_LENGTH, waits[0], at)
        if end == start:
            raise Refusal(Fault.EMPTY, tag, at)
        value = data[start:end]
        waits = (tag, _data_length(tag, value, at)) if tag in DATA_OF else (0, 0)
        yield Token(tag, value, at)
        at, count = end + 1, count + 1
    if waits[0]:
        raise Refusal(Fault.DATA, waits[0], at)


def _data_length(tag: int, value: bytes, at: int) -> int:
    if len(value) > 9 or not value.isdigit() or int(value) > BODY_MAX:
        raise Refusal(Fault.DATA_LENGTH, tag, at)
    return int(value)
