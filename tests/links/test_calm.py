"""The pace of reading: by a clock of the test, never by waiting."""

from participant.links.calm import Calm


class Time:
    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


def test_each_turn_comes_so_long_after_the_one_before_and_who_is_late_waits_for_nothing() -> None:
    time = Time()
    turn = Calm(0.25, time.clock, time.sleep)
    turn()
    turn()
    turn()
    assert (time.slept, time.now) == ([0.25, 0.25], 100.5)
    time.now += 10
    turn()
    turn()
    assert (time.slept, time.now) == ([0.25, 0.25, 0.25], 110.75), "what was not used is not saved up"
