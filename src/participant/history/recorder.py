"""Writes what the feeds say into the folder of its day, beside the desk: on a thread of its own, within bounds."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from threading import Condition, Thread

from participant.core.market import FeedEvent, Ticks
from participant.history.heard import FRAMES, QUOTES, Frame, frames_of, has_parts, quotes_of
from participant.history.heard_parts import write_part
from participant.history.recorder_lock import Hold

PART_ROWS, PART_BYTES = 100_000, 16_000_000
WAITING_PARTS_MAX = 4  # so many parts' worth may wait for the disk; what comes beyond is counted, and not kept
FLUSH_EVERY_S = 10.0
BEGUN_ANEW = "the recorder was begun anew: what came since the part before is missing"
CLOSE_MAX_S = 4.0  # less than a supervisor waits before it kills


class Recorder:
    """Takes what was said and never waits: what finds no room, or cannot be written, is counted in the recording.

    A part is written every `flush_every_s`, or when there is enough for one; a recorder that is killed loses what came
    since the last. The folder is its own until it ends: BadData where another records into it.
    """

    def __init__(self, place: Path, flush_every_s: float = FLUSH_EVERY_S) -> None:
        self._place, self._flush_every_s = place, flush_every_s
        self._events: list[FeedEvent] = []
        self._frames: list[Frame] = []
        self._rows = self._bytes = 0
        self._hold = Hold(place)
        self._lost = Counter({BEGUN_ANEW: 1} if self._hold.was_left or has_parts(place) else {})
        self._hold.writing()
        self._moved = Condition()
        self._is_closed = False
        quotes_of((), {})  # what this imports takes a second, and could not be had any more as the process ends
        self._thread = Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def hear(self, events: Sequence[FeedEvent]) -> None:
        """What a feed said, in order of arrival."""
        rows = sum(len(e.ticks) + 1 if isinstance(e, Ticks) else 1 for e in events)
        with self._moved:
            if self._rows + rows > WAITING_PARTS_MAX * PART_ROWS and self._events:
                self._lost["came faster than it could be written"] += rows
                return
            self._events += events
            self._rows += rows
            if self._rows >= PART_ROWS:
                self._moved.notify()

    def frame(self, provider: str, received_at: int, data: bytes) -> None:
        """A message as it came; `received_at` in ns."""
        with self._moved:
            if self._bytes + len(data) > WAITING_PARTS_MAX * PART_BYTES:
                self._lost["frames came faster than they could be written"] += 1
                return
            self._frames.append((provider, received_at, data))
            self._bytes += len(data)
            if self._bytes >= PART_BYTES:
                self._moved.notify()

    def close(self) -> None:
        """Write what is left, and end. What comes afterwards is not kept."""
        with self._moved:
            self._is_closed = True
            self._moved.notify()
        self._thread.join(CLOSE_MAX_S)
        if self._thread.is_alive():
            sys.stderr.write(f"participant: the recording in {self._place} lacks its end: not written in time\n")

    def _is_due(self) -> bool:
        return self._is_closed or self._rows >= PART_ROWS or self._bytes >= PART_BYTES

    def _run(self) -> None:
        is_closed = False
        while not is_closed:
            with self._moved:
                self._moved.wait_for(self._is_due, self._flush_every_s)
                is_closed, events, frames, lost = self._is_closed, self._events, self._frames, self._lost
                self._events, self._frames, self._rows, self._bytes, self._lost = [], [], 0, 0, Counter()
            self._write(events, frames, lost)
        if self._lost:
            lost, self._lost = self._lost, Counter()
            self._write((), (), lost)
        if not self._lost:
            self._hold.ended()
        self._hold.release()

    def _write(self, events: Sequence[FeedEvent], frames: Sequence[Frame], lost: Counter[str]) -> None:
        try:
            if frames:
                write_part(self._place, FRAMES, frames_of(frames))
                frames = ()
            if events or lost:
                write_part(self._place, QUOTES, quotes_of(events, lost))
        except (OSError, ValueError, OverflowError) as fault:
            # A disk that is full may be given room, a number that no column holds is one word: the day goes on.
            sys.stderr.write(f"participant: the recording in {self._place} lacks a part: {fault}\n")
            with self._moved:
                self._lost.update(lost)
                self._lost["could not be written"] += len(events) + len(frames)
