"""What is said to a ResendRequest: kept messages again, gap fills for all others, a portion at a time."""

from collections import deque
from collections.abc import Iterator

from participant.wire.fix.codec import Body, body
from participant.wire.fix.numbers import SessionStore


class Again:
    """A message that is sent under a number that is used: its content and, unless it is a gap fill, its first time."""

    __slots__ = ("content", "first_sent_at", "seq")

    def __init__(self, seq: int, content: Body, first_sent_at: int = 0) -> None:
        self.seq, self.content, self.first_sent_at = seq, content, first_sent_at


class Resends:
    """The ranges of numbers that were asked for, in the order of asking."""

    def __init__(self, store: SessionStore, portion: int) -> None:
        self._store, self._portion = store, portion
        self._ranges: deque[tuple[int, int]] = deque()

    def __len__(self) -> int:
        return len(self._ranges)

    def ask(self, first: int, last: int) -> None:
        """These numbers are wanted; all of them were sent."""
        if (first, last) not in self._ranges:
            self._ranges.append((first, last))

    def clear(self) -> None:
        """Nothing is wanted any more."""
        self._ranges.clear()

    def portion(self) -> Iterator[Again]:
        """The next messages, as far as one portion goes."""
        if not self._ranges:
            return
        at, last = self._ranges.popleft()
        kept = self._store.kept(at, last, self._portion)
        for message in kept:
            if message.seq > at:
                yield fill(at, message.seq)
            yield Again(message.seq, message.content, message.sent_at)
            at = message.seq + 1
        if len(kept) == self._portion and at <= last:
            self._ranges.appendleft((at, last))
        elif at <= last:
            yield fill(at, last + 1)


def fill(seq: int, new: int) -> Again:
    """A gap fill: the numbers from `seq` to before `new` hold nothing that is sent again."""
    return Again(seq, body("4", [(123, "Y"), (36, str(new))]))
