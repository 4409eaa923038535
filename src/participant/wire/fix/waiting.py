"""What came too early: the messages beyond a gap, which wait until it is filled. Bounded in number and in bytes."""

from collections.abc import Iterator
from heapq import heappop, heappush

from participant.wire.fix.frames import Frame
from participant.wire.fix.profile import Limits


class Waiting:
    """The messages beyond a gap by number. `highest` is the highest number seen, kept or not; 0: there is no gap.

    `asked_from` tells what was asked for last; `moved_at`, when anything of it came.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._frames: dict[int, Frame] = {}
        self._order: list[int] = []  # a heap of the numbers, or each gap fill would sort them all
        self._bytes = 0
        self.highest = 0
        self.asked_from = 0
        self.moved_at = 0
        self._is_short = False

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, frame: Frame) -> None:
        """Keep a message; where there is no room it is let go, and asked for again later."""
        self.highest = max(self.highest, frame.seq)
        has_room = len(self._frames) < self._limits.waiting_max
        if (
            has_room
            and self._bytes + len(frame.raw) <= self._limits.waiting_bytes_max
            and frame.seq not in self._frames
        ):
            self._frames[frame.seq] = frame
            heappush(self._order, frame.seq)
            self._bytes += len(frame.raw)
        elif frame.seq not in self._frames:
            self._is_short = True

    def is_due(self, next_in: int) -> bool:
        """Whether the rest must be asked for again: all that found room has been taken, and more had come."""
        is_due = self._is_short and not self._frames and next_in > self.asked_from
        self._is_short = self._is_short and not is_due
        return is_due

    def take(self, seq: int) -> Frame | None:
        """The message of this number, which waits no longer."""
        frame = self._frames.pop(seq, None)
        if frame is not None:
            self._bytes -= len(frame.raw)
        while self._order and self._order[0] not in self._frames:
            heappop(self._order)
        return frame

    def before(self, seq: int) -> Iterator[Frame]:
        """Those below this number, in order; they wait no longer."""
        while self._order and self._order[0] < seq:
            frame = self.take(self._order[0])
            if frame is not None:
                yield frame

    def clear(self) -> None:
        """There is no gap."""
        self._frames.clear()
        self._order.clear()
        self._bytes = self.highest = self.asked_from = 0
        self._is_short = False
