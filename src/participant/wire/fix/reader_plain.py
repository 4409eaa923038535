"""FIX to JSON in plain Python: the twin of the kernel `_reader`, and its oracle in the tests.

A message is read in three steps, and the first fault that is met refuses it: its frame (version, BodyLength, CheckSum),
its fields, what they mean by the tables of `dictionary`. Bytes beyond ASCII are read as Latin-1, so that none is lost.
"""

import re
from typing import Any

from msgspec.json import encode

from participant.wire.fix.dictionary import (
    DIGITS_MAX,
    GROUP_MAX,
    MESSAGES,
    OTHER,
    TAGS,
    TEXT_MAX,
    Fault,
    Field,
    Kind,
    Scope,
)
from participant.wire.fix.frames_plain import BEGIN, KEPT, Frame, Refusal, Token, Unfinished, framed, tokens
from participant.wire.fix.time import nanoseconds

IS_COMPILED = False

_NUMBER = re.compile(r"(-?)([0-9]+)(?:\.([0-9]*))?", re.ASCII)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,9})?", re.ASCII)
_FIRST_NS, _LAST_NS = nanoseconds("19710101-00:00:00"), nanoseconds("22620101-00:00:00")

Portion = tuple[bytes, int, list[tuple[int, int, int, int]], int, int]


class Reader:
    """Reads messages as JSON. Prices get `decimals` decimals (4: the house's); `keeps_other` keeps unknown fields."""

    def __init__(self, decimals: int = 4, keeps_other: bool = True) -> None:
        """ValueError where prices cannot have so many decimals."""
        if not 0 <= decimals <= 8:
            raise ValueError(f"decimals is {decimals}: prices have 0 to 8")
        self.decimals = decimals
        self.keeps_other = keeps_other

    def json(self, message: bytes) -> bytes | tuple[int, int, int]:
        """The JSON of one whole message; else the byte of the message at which it is refused, the Fault, the tag."""
        try:
            if not BEGIN.match(message):
                raise Refusal(Fault.BEGIN, 0, 0)
            frame = framed(message, 0)
            if frame.end != len(message):
                raise Refusal(Fault.BEGIN, 0, len(frame.data))
            return encode(_Walk(self, frame).read())
        except Unfinished:
            return (0, int(Fault.CUT), 0)
        except Refusal as refusal:
            return refusal.found

    def lines(self, data: bytes, is_last: bool) -> Portion:
        """The messages in these bytes, one JSON line each, whatever stands between them.

        Lines, how many; of each refused: where it begins, the byte of it, the Fault, the tag; how many bytes were of no
        message; how many are done with. What is not whole yet is left, unless `is_last`.
        """
        lines: list[bytes] = []
        refused: list[tuple[int, int, int, int]] = []
        at = skipped = 0
        while begin := BEGIN.search(data, at):
            skipped += begin.start() - at
            at, end = begin.start(), begin.end()
            try:
                frame = framed(data, at)
                end = frame.end
                lines.append(encode(_Walk(self, frame).read()) + b"\n")
            except Unfinished:
                if not is_last:
                    return b"".join(lines), len(lines), refused, skipped, at
                refused.append((at, 0, int(Fault.CUT), 0))
            except Refusal as refusal:
                refused.append((at, *refusal.found))
            at = end
        end = len(data) if is_last else max(at, len(data) - KEPT)
        return b"".join(lines), len(lines), refused, skipped + end - at, end


class _Open:
    """A scope that is being read: a message, or the entries of a group of which so many were counted."""

    def __init__(self, scope: Scope, into: dict[str, Any], tag: int = 0, count: int = 1) -> None:
        self.scope, self.into, self.tag, self.count = scope, into, tag, count
        self.entries: list[dict[str, Any]] = []
        self.day = self.clock = ""

    def finish(self) -> None:
        """Write the time of an entry, which stands in two fields."""
        if self.day and self.clock:
            self.into["at"] = nanoseconds(f"{self.day}-{self.clock}")
        elif self.day:
            self.into["date"] = self.day
        elif self.clock:
            self.into["time"] = nanoseconds(f"19700101-{self.clock}")
        self.day = self.clock = ""


class _Walk:
    """One message on its way to JSON: the scopes that are open, the outermost first."""

    def __init__(self, reader: Reader, frame: Frame) -> None:
        self.reader = reader
        self.frame = frame
        self.open: list[_Open] = []
        self.unknown: list[tuple[int, str, int]] = []

    def read(self) -> dict[str, Any]:
        first, *others = tokens(self.frame)
        if first.tag != 35:
            raise Refusal(Fault.TYPE, 0, first.at)
        msg_type = first.value.decode("latin-1")
        scope = MESSAGES.get(msg_type, OTHER)
        said: dict[str, Any] = {"kind": scope.name, "version": self.frame.data[2:9].decode()}
        if scope is OTHER:
            said["msgType"] = msg_type
        self.open = [_Open(scope, said)]
        for token in others:
            self._take(token)
        while len(self.open) > 1:
            self._close(self.frame.trailer_at)
        if self.unknown and self.reader.keeps_other:
            said["other"] = self.unknown
        return said

    def _take(self, token: Token) -> None:
        field = self._field(token)
        if field is None:
            nth = len(self.open[1].entries) if len(self.open) > 1 else 0
            self.unknown.append((token.tag, token.value.decode("latin-1"), nth))
            return
        here = self.open[-1]
        if len(self.open) > 1 and token.tag == here.scope.first:
            if len(here.entries) == here.count:
                raise Refusal(Fault.MORE, here.tag, token.at)
            here.finish()
            here.into = {}
            here.entries.append(here.into)
        if field.kind is Kind.STRAY:
            raise Refusal(Fault.STRAY, token.tag, token.at)
        if (
            field.name in here.into
            or (field.kind is Kind.DAY and here.day)
            or (field.kind is Kind.CLOCK and here.clock)
        ):
            raise Refusal(Fault.TWICE, token.tag, token.at)
        self._write(here, field, token)

    def _field(self, token: Token) -> Field | None:
        """What the tag is in the innermost scope that knows it; the scopes within that one are at their end."""
        if token.tag >= TAGS:
            knowing = -1
        else:
            depths = range(len(self.open) - 1, -1, -1)
            knowing = next((depth for depth in depths if token.tag in self.open[depth].scope.fields), -1)
        here = self.open[-1]
        if len(self.open) > 1 and not here.entries and token.tag != here.scope.first:
            raise Refusal(Fault.FIRST, token.tag, token.at)
        if knowing < 0:
            return None
        while len(self.open) > knowing + 1:
            self._close(token.at)
        return self.open[-1].scope.fields[token.tag]

    def _close(self, at: int) -> None:
        here = self.open.pop()
        if len(here.entries) < here.count:
            raise Refusal(Fault.SHORT, here.tag, at)
        here.finish()

    def _write(self, here: _Open, field: Field, token: Token) -> None:
        text = token.value.decode("latin-1")
        if field.kind is Kind.GROUP:
            count = _count(token)
            entered = _Open(field.group or OTHER, {}, token.tag, count)
            here.into[field.name] = entered.entries
            if count:
                self.open.append(entered)
        elif field.kind is Kind.DAY:
            here.day = _checked(token, f"{text}-00:00:00", text)
        elif field.kind is Kind.CLOCK:
            if not _CLOCK.fullmatch(text):
                raise Refusal(Fault.TIME, token.tag, token.at)
            here.clock = text
        else:
            here.into[field.name] = self._value(field, token, text)

    def _value(self, field: Field, token: Token, text: str) -> object:
        if field.kind is Kind.TEXT:
            return text
        if field.kind is Kind.WORD:
            return field.words.get(text, text)
        if field.kind is Kind.TIME:
            return nanoseconds(_checked(token, text, text))
        if field.kind is Kind.FLAG:
            if text not in {"Y", "N"}:
                raise Refusal(Fault.FLAG, token.tag, token.at)
            return text == "Y"
        return _number(field.kind, token, text, self.reader.decimals)


def _count(token: Token) -> int:
    if len(token.value) > 9 or not token.value.isdigit() or int(token.value) > GROUP_MAX:
        raise Refusal(Fault.COUNT, token.tag, token.at)
    return int(token.value)


def _checked(token: Token, moment: str, text: str) -> str:
    """The text, if the moment that it says is one."""
    try:
        is_moment = _FIRST_NS <= nanoseconds(moment) < _LAST_NS
    except ValueError:
        is_moment = False
    if not is_moment:
        raise Refusal(Fault.TIME, token.tag, token.at)
    return text


def _number(kind: Kind, token: Token, text: str, decimals: int) -> int | str:
    found = _NUMBER.fullmatch(text) if len(text) <= TEXT_MAX else None
    if not found or (kind is Kind.NUMBER and "." in text):
        raise Refusal(Fault.NUMBER, token.tag, token.at)
    sign, whole, part = found[1], found[2].lstrip("0"), (found[3] or "").rstrip("0")
    if kind is Kind.DECIMAL:
        return text
    places = decimals if kind is Kind.PRICE else 0
    if sign and kind is not Kind.PRICE:
        raise Refusal(Fault.NEGATIVE, token.tag, token.at)
    if len(part) > places:
        raise Refusal(Fault.FINE if kind is Kind.PRICE else Fault.WHOLE, token.tag, token.at)
    if len(whole) + places > DIGITS_MAX:
        raise Refusal(Fault.NUMBER, token.tag, token.at)
    return int(f"{sign}{whole}{part.ljust(places, '0')}" if whole or part else "0")
