"""Runs of messages in plain Python: the twin of the kernel `_runs`, and its oracle in the tests."""

from collections.abc import Iterable

from participant.wire.fix.frames import Frame, framed, quick_head
from participant.wire.fix.time import moment

IS_COMPILED = False

HEADER = frozenset({34, 35, 49, 52, 56})


class Runs:
    """Finds messages that follow each other by their numbers and whose headers say nothing but what is expected.

    `version` and the names are those of the session, `kinds` the MsgTypes that count; `apart_ns` is how far SendingTime
    may be from ours (0: it may be any).
    """

    def __init__(self, version: str, names: tuple[str, str], kinds: Iterable[str], apart_ns: int) -> None:
        self._version, self._names = version, names
        self._kinds = frozenset(kinds)
        self._apart_ns = apart_ns

    def find(self, data: bytes, at: int, seq: int, utc: int) -> tuple[int, int]:
        """How many there are from byte `at` on, the first with number `seq`, and where they end. `utc`: our ns UTC."""
        count = 0
        while True:
            item, end = framed(data, at)
            if not isinstance(item, Frame) or not self._is_plain(item, seq + count, utc):
                return count, at
            count, at = count + 1, end

    def _is_plain(self, frame: Frame, seq: int, utc: int) -> bool:
        head = quick_head(frame.raw, frame.body_at)
        if frame.version != self._version or frame.seq != seq or frame.msg_type not in self._kinds:
            return False
        if head.keys() != HEADER or (head[49], head[56]) != self._names:
            return False
        try:
            apart = abs(moment(head[52]) - utc)
        except ValueError:
            return False
        return not self._apart_ns or apart <= self._apart_ns
