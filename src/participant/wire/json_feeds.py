"""What the JSON providers say, whatever their shape: one numbered stream, snapshots of it, and a beat in quiet times.

Every diff, mark and held takes the next number of its provider. A snapshot carries the number of the last one that it
contains, comes in parts, and holds the mark of the instant that it shows. A beat repeats the last number, so that a
loss at the end of the stream is noticed. A message is at most MESSAGE_MAX bytes.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Meta, Struct

from participant.core.market import Tick
from participant.wire.json import Malformed

MESSAGE_MAX = 65_536
INSTRUMENTS_A_MESSAGE = 400

Count = Annotated[int, Meta(ge=0, le=2**53)]


class Says(StrEnum):
    """The kinds of message."""

    MASTER = "master"
    SNAPSHOT = "snapshot"
    DIFF = "diff"
    MARK = "mark"
    HELD = "held"
    BEAT = "beat"


class Word(Struct, frozen=True):
    """One message of a provider. `part` of `parts` is a snapshot's; `unknown` counts instruments it had no name for."""

    says: Says
    seq: int = 0
    ticks: tuple[Tick, ...] = ()
    at: int = 0
    is_last: bool = False
    part: int = 1
    parts: int = 1
    unknown: int = 0


class Writer(Protocol):
    """A provider's side of a shape: values in, whole messages out."""

    def master(self) -> list[bytes]:
        """What must be said first on a connection."""

    def write(self, word: Word) -> bytes:
        """The message that says a word."""


class Reader(Protocol):
    """A reader's side of a shape, one a connection."""

    request: str

    def read(self, data: str | bytes) -> Word:
        """The word that a message says; Malformed where it cannot be read. `request` asks for a snapshot."""


T = TypeVar("T")


def unpack(decoder: msgspec.json.Decoder[T], data: str | bytes) -> T:
    """The value of a message; Malformed where it is too long, no JSON or of another shape."""
    if len(data) > MESSAGE_MAX:
        raise Malformed(f"a message of {len(data)} bytes, of at most {MESSAGE_MAX}")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Malformed(f"a message cannot be read: {error}") from error


def portions(ticks: Sequence[Tick]) -> list[tuple[Tick, ...]]:
    """Ticks in portions that fit into a message each; one empty portion where there are none."""
    starts = range(0, max(1, len(ticks)), INSTRUMENTS_A_MESSAGE)
    return [tuple(ticks[start : start + INSTRUMENTS_A_MESSAGE]) for start in starts]


def whole(seq: int, ticks: Sequence[Tick], at: int, is_last: bool) -> list[Word]:
    """The snapshot of a book as it stands at instant `at` (ns UTC), after word number `seq`."""
    pieces = portions(ticks)
    return [
        Word(Says.SNAPSHOT, seq, piece, at, is_last, part, len(pieces)) for part, piece in enumerate(pieces, start=1)
    ]
