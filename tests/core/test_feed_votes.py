"""Where providers differ: who is outvoted, from when on, and where nobody is."""

import pytest
from msgspec.structs import replace

from participant.core.board import Board
from participant.core.feed_contracts import Universe
from participant.core.feed_rules import Arbitration
from participant.core.feed_votes import Apart, Split, compare, is_tied, lost, outvoted
from participant.core.market import SECOND, Tick

T0 = 1_795_580_000 * SECOND
RULE = Arbitration(apart_min=2)
OF = Universe({"N": None}, {"N": "N", "a": "N", "b": "N"}, {"a": 500, "b": 500})  # type: ignore[dict-item]  # no contract is looked up


def board(name: str, at_s: float = 0.0, **mids: int) -> Board:
    at = T0 + int(at_s * SECOND)
    ticks = {k: Tick(k, mid - 500, mid + 500, 75, 75, 0, at) for k, mid in mids.items()}
    if "N" in mids:
        ticks["N"] = Tick("N", 0, 0, 0, 0, mids["N"], at)
    return Board(name, ticks, at, at, T0, is_standing=True, changed=frozenset(mids))


def split(after_s: float, *boards: Board, since: Split | None = None) -> Split:
    return compare({"N": boards}, since.apart if since else {}, T0 + int(after_s * SECOND), RULE, OF)


@pytest.mark.parametrize(
    ("told", "against"),
    [
        ({"one": 100, "two": 100, "three": 120}, ["three"]),
        ({"one": 100, "two": 120, "three": 121}, ["one"]),
        ({"one": 100, "two": 110, "three": 120}, ["one", "two", "three"]),
        ({"one": 100, "two": 120}, ["one", "two"]),
        ({"one": 100, "two": 104, "three": 108}, []),
    ],
)
def test_two_of_three_outvote_the_third_and_two_outvote_nobody(told: dict[str, int], against: list[str]) -> None:
    assert outvoted(told, 5) == against


def test_who_differs_for_long_on_enough_contracts_has_lost() -> None:
    told = {"one": 1_020_000, "two": 1_000_000, "three": 1_000_000}
    boards = [board(name, a=mid, b=mid) for name, mid in told.items()]
    first = split(0, *boards)
    assert (first.wrong, first.lost) == ({}, {})
    held = split(0.5, *boards, since=first)
    assert (held.wrong, held.lost) == ({"one": {"a", "b"}}, {})
    assert list(lost(split(2, *boards, since=first), RULE, OF)) == [("one", "was outvoted on 2 contracts, a the first")]
    assert list(lost(split(2, *(replace(b, ticks={"a": b.ticks["a"]}) for b in boards), since=first), RULE, OF)) == []


def test_an_underlying_alone_is_enough() -> None:
    boards = board("one", N=101_000_000), board("two", N=100_000_000), board("three", N=100_000_000)
    assert [name for name, _ in lost(split(2, *boards, since=split(0, *boards)), RULE, OF)] == ["one"]


@pytest.mark.parametrize("apart_s", [1.9, -2.9])
def test_a_wrong_clock_is_no_way_out_of_the_vote_on_an_index(apart_s: float) -> None:
    def told(at_s: float) -> list[Board]:
        wrong = board("one", at_s + apart_s, N=101_000_000)
        return [wrong, board("two", at_s, N=100_000_000), board("three", at_s, N=100_000_000)]

    assert [name for name, _ in lost(split(2, *told(2), since=split(0, *told(0))), RULE, OF)] == ["one"]
    late = [board("one", -3.1, N=101_000_000), *told(0)[1:]]
    assert split(2, *late, since=split(0, *late)).lost == {}, "it may only not have come yet"


def test_with_two_left_that_differ_nobody_has_lost_and_it_is_tied() -> None:
    boards = board("one", N=101_000_000), board("two", N=100_000_000)
    found = split(2, *boards, since=split(0, *boards))
    assert (list(lost(found, RULE, OF)), is_tied(found, RULE, OF)) == ([], True)
    assert found.wrong == {"one": {"N"}, "two": {"N"}}


def test_a_jump_in_words_of_the_same_moment_is_doubted_at_once() -> None:
    boards = board("one", a=2_000_000), board("two", a=1_000_000), board("three", a=1_000_000)
    assert split(0, *boards).wrong == {"one": {"a"}}


def test_a_word_that_is_older_is_not_compared() -> None:
    boards = board("one", 0, a=1_020_000), board("two", 1.5, a=1_000_000), board("three", 1.5, a=1_000_000)
    assert split(2, *boards).apart == {}


def test_who_says_what_another_said_before_is_only_late() -> None:
    before = {"a": Apart(T0, {"one": (1_000_000, 1_000_000), "two": (1_020_000, 1_000_000)})}
    later = board("one", a=1_020_000), board("two", a=1_040_000)
    found = compare({"N": later}, before, T0 + 9 * SECOND, RULE, OF)
    assert found.apart["a"].since == T0 + 9 * SECOND
    shifted = board("one", a=1_100_000), board("two", a=1_040_000)
    assert compare({"N": shifted}, before, T0 + 9 * SECOND, RULE, OF).apart["a"].since == T0
