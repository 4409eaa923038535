"""What a FIX session must remember when its connection is gone: its sequence numbers and what it may send again."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from participant.wire.fix.codec import Body

KEPT_MAX = 1_000_000


class Numbers(Struct, frozen=True):
    """The next number to be sent and the next one expected."""

    next_out: int = 1
    next_in: int = 1


class Kept(Struct, frozen=True):
    """A message that may be sent again: its number, its content, and when (ns UTC) it was sent first."""

    seq: int
    content: Body
    sent_at: int


class SessionStore(Protocol):
    """The memory of one session. What a method has taken is there after a crash."""

    def numbers(self) -> Numbers:
        """Where both sequences stand."""
        ...

    def sent(self, seq: int, kept: Kept | None) -> None:
        """Number `seq` is used, before its bytes leave; with the message where it may be sent again."""
        ...

    def expected(self, next_in: int) -> None:
        """All before `next_in` has been dealt with."""
        ...

    def unread(self, seq: int) -> int:
        """The message expected, of this number, came and cannot be read: how often by now, over all connections."""
        ...

    def kept(self, first: int, last: int, most: int) -> list[Kept]:
        """The first `most` messages of these numbers that may be sent again, in order."""
        ...

    def reset(self) -> None:
        """Both sequences begin at 1 again, and what was kept is forgotten."""
        ...

    def close(self) -> None:
        """The connection is gone: another may take up the session."""
        ...


# The store of the session with this counterpart; None where it is unknown, or has a session already.
Claim = Callable[[str], SessionStore | None]


class MemoryNumbers:
    """A SessionStore that lives as long as its process, for sessions that begin at 1 each time, and for tests."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self._kept_max = kept_max
        self._numbers = Numbers()
        self._unread = (0, 0)  # which number, how often
        self._kept: list[Kept] = []

    def numbers(self) -> Numbers:
        """Where both sequences stand."""
        return self._numbers

    def sent(self, seq: int, kept: Kept | None) -> None:
        """Number `seq` is used."""
        self._numbers = Numbers(seq + 1, self._numbers.next_in)
        if kept is not None:
            self._kept.append(kept)
            if len(self._kept) > self._kept_max + self._kept_max // 8:  # not one by one, which would move all each time
                del self._kept[: -self._kept_max]

    def expected(self, next_in: int) -> None:
        """All before `next_in` has been dealt with."""
        self._numbers = Numbers(self._numbers.next_out, next_in)

    def unread(self, seq: int) -> int:
        """This number came and cannot be read."""
        which, count = self._unread
        self._unread = (seq, count + 1 if which == seq else 1)
        return self._unread[1]

    def kept(self, first: int, last: int, most: int) -> list[Kept]:
        """The first `most` messages of these numbers that may be sent again, in order."""
        begin = bisect_left(self._kept, first, key=lambda kept: kept.seq)
        return [kept for kept in self._kept[begin : begin + most] if kept.seq <= last]

    def reset(self) -> None:
        """Both sequences begin at 1 again."""
        self._numbers, self._unread = Numbers(), (0, 0)
        self._kept.clear()

    def close(self) -> None:
        """It stays as it is, for the next connection."""
