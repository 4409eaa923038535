"""Single orders and their ladder: the compiled kernel and its plain twin say the same, and what orders add up to."""

import importlib
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core import by_order_plain, ladder
from participant.core.by_order_plain import ORDER_SIZE_MAX, OrderChange
from participant.core.ladder import ASK, BID, PRICE_MAX, Verdict
from tests.twins import is_compiled

KERNEL = "participant.core._by_order"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [by_order_plain, *COMPILED]
both = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)

ADD, MODIFY, DELETE, CLEAR, GAP, EXECUTE = OrderChange
Row = tuple[int, int, int, int, int]

names = st.integers(1, 12) | st.sampled_from([0, -1, 1 << 62, 12 + (1 << 32)])
usual = st.tuples(
    st.sampled_from([ADD, ADD, MODIFY, DELETE, EXECUTE]), names, st.sampled_from([BID, ASK]), st.integers(1, 8),
    st.integers(1, 5),
)  # fmt: skip
odd = st.sampled_from([-1, 0, 3, ORDER_SIZE_MAX, ORDER_SIZE_MAX + 1, PRICE_MAX, PRICE_MAX + 1])
wild = st.tuples(st.integers(-1, 6), names, st.integers(-1, 2), odd, odd)
rows = st.lists(usual | usual | usual | usual | wild, max_size=80)
limits = st.tuples(st.integers(1, 6), st.integers(1, 9))


def apply(book: Any, row: Row) -> int:
    action, number, side, price, size = row
    if action == ADD:
        return int(book.add(number, side, price, size))
    if action == MODIFY:
        return int(book.modify(number, price, size))
    if action == DELETE:
        return int(book.delete(number))
    if action == EXECUTE:
        return int(book.execute(number, size))
    if action not in (CLEAR, GAP):
        return Verdict.IMPOSSIBLE
    book.clear() if action == CLEAR else book.gap()
    return Verdict.TAKEN


def said(book: Any) -> tuple[Any, ...]:
    sides = [(book.ladder.levels(side, 99), book.ladder.reach(side)) for side in (BID, ASK)]
    orders = [book.order(number) for number in (*range(-1, 13), 1 << 62, 12 + (1 << 32))]
    return sides, orders, len(book), book.ladder.is_valid


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin is used")
@given(rows, limits)
def test_the_kernel_and_its_twin_say_the_same_after_every_row(given_rows: list[Row], most: tuple[int, int]) -> None:
    ours, twin = (kernel.ByOrder(*most) for kernel in KERNELS)
    for row in [(CLEAR, 0, 0, 0, 0), *given_rows]:
        assert apply(ours, row) == apply(twin, row), row
        assert said(ours) == said(twin), row


@both
@given(given_rows=rows, most=limits)
def test_a_batch_of_columns_is_its_rows_one_by_one(kernel: Any, given_rows: list[Row], most: tuple[int, int]) -> None:
    one, many = kernel.ByOrder(*most), kernel.ByOrder(*most)
    verdicts = [apply(one, row) for row in given_rows]
    columns = [array(code, [row[i] for row in given_rows]) for i, code in enumerate("bqbqq")]
    assert many.apply_columns(*columns) == tuple(verdicts.count(verdict) for verdict in Verdict)
    assert said(one) == said(many)


@both
@given(given_rows=rows)
def test_levels_are_the_sums_of_the_orders(kernel: Any, given_rows: list[Row]) -> None:
    book = kernel.ByOrder()
    book.clear()
    for row in given_rows:
        apply(book, row)
    orders = [book.order(number) for number in (*range(-1, 13), 1 << 62, 12 + (1 << 32))]
    there = [order for order in orders if order is not None]
    assert len(there) == len(book)
    for side in (BID, ASK):
        prices = sorted({price for of, price, _ in there if of == side}, reverse=side == BID)
        sums = [[size for of, at, size in there if (of, at) == (side, price)] for price in prices]
        assert book.ladder.levels(side, 99) == [(p, sum(s), len(s)) for p, s in zip(prices, sums, strict=True)]


@both
def test_orders_are_added_changed_executed_and_deleted(kernel: Any) -> None:
    book = kernel.ByOrder()
    assert book.add(1, BID, 100, 5) == Verdict.WAITING
    book.clear()
    assert [book.add(1, BID, 100, 5), book.add(2, BID, 100, 7), book.add(3, ASK, 102, 4)] == [Verdict.TAKEN] * 3
    assert book.add(3, ASK, 102, 4) == Verdict.MISFIT
    assert book.ladder.levels(BID, 2) == [(100, 12, 2)]
    assert book.execute(1, 2) == Verdict.TAKEN
    assert book.order(1) == (BID, 100, 3)
    assert book.execute(1, 4) == Verdict.MISFIT  # more than there is: nothing changes
    assert book.execute(1, 3) == Verdict.TAKEN
    assert book.order(1) is None
    assert book.modify(2, 101, 9) == Verdict.TAKEN
    assert book.ladder.top() == (101, 9, 102, 4)
    assert (book.delete(2), book.delete(2)) == (Verdict.TAKEN, Verdict.MISFIT)
    assert (book.ladder.top(), len(book)) == ((0, 0, 102, 4), 1)
    book.gap()
    assert (len(book), book.ladder.is_valid, book.delete(3), book.modify(3, 1, 1)) == (0, False, 1, 1)


@both
def test_an_order_moves_up_from_beyond_where_the_ladder_was_cut_off(kernel: Any) -> None:
    book = kernel.ByOrder(2)
    book.clear()
    book.add(1, ASK, 101, 1)
    book.add(2, ASK, 102, 1)
    assert book.add(3, ASK, 105, 6) == Verdict.BEYOND
    assert book.modify(3, 101, 6) == Verdict.TAKEN
    assert book.ladder.levels(ASK, 9) == [(101, 7, 2), (102, 1, 1)]


@both
def test_one_order_too_many_voids_all(kernel: Any) -> None:
    book = kernel.ByOrder(10, 2)
    book.clear()
    book.add(1, BID, 100, 5)
    book.add(2, BID, 101, 5)
    assert book.add(3, BID, 102, 5) == Verdict.FULL
    assert (len(book), book.ladder.is_valid) == (0, False)


@both
def test_what_cannot_be_is_refused(kernel: Any) -> None:
    for most in (0, (1 << 17) + 1):
        with pytest.raises(ValueError, match=f"orders_max is {most}: 1 to 131072 orders can be kept"):
            kernel.ByOrder(10, most)
    with pytest.raises(ValueError, match="a ladder keeps 1 to 4096 levels a side"):
        kernel.ByOrder(0)
    with pytest.raises(ValueError, match="the columns of orders are not of one length"):
        kernel.ByOrder().apply_columns(array("b"), array("q"), array("b"), array("q"), array("q", [1]))


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert (ladder.ByOrder is by_order_plain.ByOrder) == (not is_compiled(KERNEL))
