"""The ladder of price levels: the compiled kernel and its plain twin say the same, and what a book in dicts says."""

import importlib
import sys
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import participant.core
from participant.core import ladder, ladder_plain
from participant.core.kernels import choose
from participant.core.ladder import ASK, BID, LEVELS_MAX, PRICE_MAX, SIZE_MAX, Change, Verdict
from tests.twins import is_compiled

KERNEL = "participant.core._ladder"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [ladder_plain, *COMPILED]
both = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)

NEW, CHANGE, DELETE, CLEAR, GAP = Change
Row = tuple[int, int, int, int, int]

numbers = st.integers(-1, 40) | st.sampled_from([PRICE_MAX, PRICE_MAX + 1, SIZE_MAX, SIZE_MAX + 1, -(1 << 63)])
near = st.tuples(
    st.sampled_from([BID, ASK]), st.sampled_from([NEW, NEW, CHANGE, DELETE]), st.integers(1, 30), st.integers(0, 9),
    st.integers(0, 3),
)  # fmt: skip
rare = st.tuples(st.sampled_from([BID, ASK]), st.sampled_from([CLEAR, CLEAR, GAP]), *[st.just(0)] * 3)
wild = st.tuples(st.integers(-1, 2), st.integers(-1, 6), numbers, numbers, numbers)
rows = st.lists(near | near | near | near | rare | wild, max_size=80)
sizes = st.integers(1, 12)


def said(one: Any) -> tuple[Any, ...]:
    """All that a ladder says."""
    sides = [
        (one.levels(side, 100), one.levels(side, 2), one.reach(side), one.size_to(side, 15)) for side in (BID, ASK)
    ]
    flags = (one.is_valid, one.is_crossed, one.is_locked)
    return one.top(), sides, flags, [one.imbalance(n) for n in (-1, 0, 1, 3)], one.micro_price()


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin is used")
@given(rows, sizes)
def test_the_kernel_and_its_twin_say_the_same_after_every_row(given_rows: list[Row], levels_max: int) -> None:
    ours, twin = (kernel.Ladder(levels_max) for kernel in KERNELS)
    for row in [(0, CLEAR, 0, 0, 0), *given_rows]:
        assert ours.apply(*row) == twin.apply(*row), row
        assert said(ours) == said(twin), row


@both
@given(given_rows=rows, levels_max=sizes)
def test_a_batch_of_columns_is_its_rows_one_by_one(kernel: Any, given_rows: list[Row], levels_max: int) -> None:
    one, many = kernel.Ladder(levels_max), kernel.Ladder(levels_max)
    verdicts = [one.apply(*row[:4]) for row in given_rows]
    columns = [array(code, [row[i] for row in given_rows]) for i, code in enumerate("bbqq")]
    assert many.apply_columns(*columns) == tuple(verdicts.count(verdict) for verdict in Verdict)
    assert said(one) == said(many)


@both
@given(given_rows=rows, levels_max=sizes)
def test_what_stands_is_what_a_book_in_dicts_holds(kernel: Any, given_rows: list[Row], levels_max: int) -> None:
    one = kernel.Ladder(levels_max)
    one.clear()
    books: list[dict[int, tuple[int, int]]] = [{}, {}]
    for side, action, price, size, orders in given_rows:
        verdict = one.apply(side, action, price, size, orders)
        if action in (CLEAR, GAP) or not one.is_valid:
            books = [{}, {}]
        elif verdict != Verdict.IMPOSSIBLE and (action == DELETE or not size):
            books[side].pop(price, None)
        elif verdict != Verdict.IMPOSSIBLE:
            books[side][price] = (size, orders)
        for of, book in enumerate(books):
            whole = sorted(((p, *kept) for p, kept in book.items()), reverse=of == BID)
            cut = one.reach(of)
            better = [level for level in whole if not cut or (level[0] > cut if of == BID else level[0] < cut)]
            assert one.levels(of, LEVELS_MAX) == (better if one.is_valid else [])
            assert len(better) <= levels_max
            assert cut or better == whole


@both
def test_a_ladder_is_void_until_a_snapshot_and_after_a_gap(kernel: Any) -> None:
    one = kernel.Ladder()
    assert not one.is_valid
    assert one.apply(BID, NEW, 100, 5) == Verdict.WAITING
    one.clear()
    assert one.apply(BID, NEW, 100, 5, 2) == Verdict.TAKEN
    assert one.apply(ASK, CHANGE, 103, 7) == Verdict.MISFIT  # it stands, but something before it was missed
    assert one.top() == (100, 5, 103, 7)
    one.gap()
    assert (one.is_valid, one.top(), one.levels(BID, 9)) == (False, (0, 0, 0, 0), [])
    assert one.apply(BID, NEW, 100, 5) == Verdict.WAITING
    assert one.apply(BID, CLEAR, 0, 0) == Verdict.TAKEN
    assert one.apply(BID, NEW, 99, 1) == Verdict.TAKEN
    assert one.top() == (99, 1, 0, 0)  # replaced, not merged


@both
def test_a_full_side_is_cut_off_and_says_where(kernel: Any) -> None:
    one = kernel.Ladder(2)
    one.clear()
    for price in (103, 101, 102):
        assert one.apply(ASK, NEW, price, 1) == Verdict.TAKEN
    assert (one.levels(ASK, 9), one.reach(ASK), one.reach(BID)) == ([(101, 1, 0), (102, 1, 0)], 103, 0)
    assert one.apply(ASK, NEW, 104, 1) == Verdict.BEYOND
    assert one.apply(ASK, DELETE, 103, 0) == Verdict.BEYOND
    assert one.apply(ASK, DELETE, 101, 0) == Verdict.TAKEN
    assert one.is_valid
    assert one.apply(ASK, DELETE, 102, 0) == Verdict.TAKEN  # the last that was known: nobody knows the next
    assert not one.is_valid


@both
def test_the_figures_of_a_ladder(kernel: Any) -> None:
    one = kernel.Ladder()
    one.clear()
    for row in ((BID, 100, 30), (BID, 99, 10), (ASK, 102, 10), (ASK, 105, 50)):
        one.apply(row[0], NEW, row[1], row[2])
    assert one.size_to(ASK, 101) == 0
    assert one.size_to(ASK, 104) == 10
    assert one.size_to(ASK, 105) == 60
    assert one.size_to(BID, 99) == 40
    assert one.imbalance() == 0.5
    assert one.imbalance(2) == -0.2
    assert one.micro_price() == 101  # 101.5: nearer to the side of which there is less


@both
def test_a_crossed_or_locked_ladder_says_so_and_shows_what_there_is(kernel: Any) -> None:
    one = kernel.Ladder()
    one.clear()
    one.apply(BID, NEW, 100, 3)
    assert (one.is_crossed, one.is_locked, one.micro_price()) == (False, False, 0)
    one.apply(ASK, NEW, 100, 4)
    assert (one.is_crossed, one.is_locked, one.micro_price()) == (False, True, 0)
    one.apply(ASK, NEW, 98, 5)
    assert (one.is_crossed, one.is_locked, one.micro_price(), one.top()) == (True, False, 0, (100, 3, 98, 5))


@both
def test_what_cannot_be_is_refused(kernel: Any) -> None:
    for most in (0, -1, LEVELS_MAX + 1):
        with pytest.raises(ValueError, match=f"levels_max is {most}: a ladder keeps 1 to 4096 levels a side"):
            kernel.Ladder(most)
    one = kernel.Ladder()
    with pytest.raises(ValueError, match="side is 2: 0 are the bids, 1 the asks"):
        one.levels(2, 1)
    with pytest.raises(ValueError, match="side is -1: 0 are the bids, 1 the asks"):
        one.size_to(-1, 5)
    with pytest.raises(ValueError, match="side is 7: 0 are the bids, 1 the asks"):
        one.reach(7)
    with pytest.raises(ValueError, match="the columns of a ladder are not of one length"):
        one.apply_columns(array("b", [0]), array("b", [0]), array("q", [1]), array("q"))


@both
def test_a_ladder_of_all_its_levels_holds_their_whole_size(kernel: Any) -> None:
    one = kernel.Ladder(LEVELS_MAX)
    one.clear()
    for price in range(1, LEVELS_MAX + 1):
        assert one.apply(BID, NEW, price, SIZE_MAX) == Verdict.TAKEN
    assert one.size_to(BID, 1) == LEVELS_MAX * SIZE_MAX
    assert one.imbalance(LEVELS_MAX) == 1.0


def test_the_compiled_ladder_is_used_where_it_was_built() -> None:
    assert (ladder.Ladder is ladder_plain.Ladder) == (not is_compiled(KERNEL))


def test_without_a_kernel_that_can_be_imported_its_twin_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(participant.core, "_ladder", raising=False)
    monkeypatch.setitem(sys.modules, KERNEL, None)  # importing it now fails
    assert choose(ladder._load, ladder_plain) is ladder_plain
