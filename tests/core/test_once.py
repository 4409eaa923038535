"""What is asked of a frozen value again is answered from before, and never of another's answers."""

import pytest
from msgspec import Struct
from msgspec.structs import replace

from participant.core.once import ANSWERS_MAX, kept, once

ASKED: list[int] = []


class Value(Struct, frozen=True, dict=True):
    base: int

    @once
    def plus(self, more: int) -> int:
        """The sum."""
        ASKED.append(more)
        if more < 0:
            raise ValueError("less")
        return self.base + more


def test_an_answer_is_worked_out_once_for_equal_arguments_and_for_each_value_anew() -> None:
    ASKED.clear()
    one = Value(1)
    assert [one.plus(2), one.plus(2), one.plus(3), Value(10).plus(2), replace(one, base=5).plus(2)] == [3, 3, 4, 12, 7]
    assert ASKED == [2, 3, 2, 2]


class Base(Struct, frozen=True, dict=True):
    base: int

    @kept
    def twice(self) -> int:
        """Twice as much."""
        ASKED.append(self.base)
        return 2 * self.base


def test_a_kept_property_is_worked_out_once_for_each_value_and_tells_what_it_is() -> None:
    ASKED.clear()
    one = Base(3)
    assert [one.twice, one.twice, replace(one, base=4).twice] == [6, 6, 8]
    assert ASKED == [3, 4]
    assert Base.twice.__doc__ == "Twice as much."


def test_what_is_raised_is_not_kept() -> None:
    ASKED.clear()
    one = Value(1)
    for _ in range(2):
        with pytest.raises(ValueError, match="less"):
            one.plus(-1)
    assert ASKED == [-1, -1]


def test_answers_are_forgotten_before_they_fill_the_memory() -> None:
    one = Value(1)
    for more in range(ANSWERS_MAX + 5):
        assert one.plus(more) == 1 + more
    assert max(len(kept) for kept in one.__dict__.values()) <= ANSWERS_MAX


def test_equality_and_docstring_stay_those_of_the_value_and_of_the_function() -> None:
    one, other = Value(1), Value(1)
    one.plus(2)
    assert one == other
    assert hash(one) == hash(other)
    assert Value.plus.__doc__ == "The sum."
