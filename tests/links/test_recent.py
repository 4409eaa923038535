"""A reading that serves several looks: never too old, never after it was dropped, never one that failed."""

import pytest

from participant.adapters.clocks.virtual import VirtualClock
from participant.core.market import SECOND
from participant.links.recent import Recent
from participant.ports import BrokerDown


class Source:
    """Gives 1, 2, 3 ..., each reading taking `takes_ns` of the clock."""

    def __init__(self, clock: VirtualClock, takes_ns: int = 0) -> None:
        self.clock, self.takes_ns, self.read, self.is_down = clock, takes_ns, 0, False

    def __call__(self) -> int:
        self.clock.advance(self.takes_ns)
        if self.is_down:
            raise BrokerDown("down")
        self.read += 1
        return self.read


def test_a_reading_serves_until_it_is_too_old_or_dropped() -> None:
    clock = VirtualClock(5)
    recent = Recent(Source(clock), 0.5, clock.now)
    assert [recent.get(), recent.get()] == [1, 1]
    clock.advance(SECOND // 2 - 1)
    assert recent.get() == 1
    clock.advance(1)
    assert recent.get() == 2
    recent.drop()
    assert recent.get() == 3


def test_a_reading_is_as_old_as_the_question_not_as_the_answer() -> None:
    clock = VirtualClock(0)
    recent = Recent(Source(clock, takes_ns=SECOND), 0.5, clock.now)
    assert [recent.get(), recent.get()] == [1, 2]


def test_a_reading_that_failed_is_none_and_what_stood_before_it_is_gone() -> None:
    clock = VirtualClock(0)
    source = Source(clock)
    recent = Recent(source, 0.5, clock.now)
    recent.get()
    clock.advance(SECOND)
    source.is_down = True
    with pytest.raises(BrokerDown):
        recent.get()
    source.is_down = False
    assert recent.get() == 2
