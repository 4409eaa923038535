"""The tape: the compiled kernel and its plain twin say the same of any rows, orders and latencies, in any batches."""

import importlib
from array import array
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from participant.core import tape, tape_plain
from participant.core.ladder import ASK, BID, Change
from participant.core.tape import TRADE, Terms
from tests.twins import is_compiled

KERNEL = "participant.core._tape"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
KERNELS = [tape_plain, *COMPILED]
both = pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.__name__)

NEW, CHANGE, DELETE, CLEAR, GAP = Change
Row = tuple[int, int, int, int, int, int]
Do = tuple[int, int, int, int, bool]

prices, units, sides = st.integers(96, 104), st.integers(1, 6), st.sampled_from([BID, ASK])
levels = st.tuples(st.sampled_from([NEW, CHANGE, CHANGE, DELETE]), sides, prices, st.integers(0, 6))
sound = st.builds(
    lambda kind, side, far, size: (kind, side, 100 - far if side == BID else 101 + far, size),
    st.sampled_from([NEW, CHANGE, DELETE]), sides, st.integers(0, 3), units,
)  # fmt: skip
trades = st.tuples(st.just(TRADE), sides, prices, st.integers(1, 9))
rare = st.tuples(st.sampled_from([CLEAR, CLEAR, GAP]), st.just(BID), st.just(0), st.just(0))
whats = st.one_of(sound, sound, sound, levels, trades, trades, trades, rare)
steps = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), whats), max_size=60)
acts = st.tuples(st.integers(0, 4), sides, prices, units, st.booleans())
scripts = st.lists(st.lists(acts, max_size=3), max_size=12)
terms = st.builds(
    Terms, out_ns=st.integers(0, 5), back_ns=st.integers(0, 5),
    every_ns=st.one_of(st.integers(0, 4), st.integers(20, 60)), wakes_on_feed=st.booleans(),
    wakes_on_answer=st.booleans(), is_capped=st.booleans(), levels_max=st.sampled_from([2, 4, 100]),
    orders_max=st.integers(1, 5),
)  # fmt: skip


def rows_of(given_steps: Sequence[tuple[int, int, tuple[int, int, int, int]]]) -> list[Row]:
    """Rows whose times never go back, behind a snapshot."""
    rows: list[Row] = [(10, 11, CLEAR, BID, 0, 0), (10, 11, NEW, BID, 100, 4), (10, 11, NEW, ASK, 101, 4)]
    for later, latency, what in given_steps:
        at = rows[-1][0] + later
        rows.append((at, max(at + latency, rows[-1][1]), *what))
    return rows


def columns_of(rows: Sequence[Row]) -> list[Any]:
    return [array(code, [row[i] for row in rows]) for i, code in enumerate("qqbbqq")]


class Script:
    """Does at each wake what is next on its list, and notes all that it sees."""

    def __init__(self, script: Sequence[Sequence[Do]]) -> None:
        self.script, self.seen, self.numbers = list(script), list[Any](), list[int]()

    def __call__(self, one: Any) -> None:
        lefts = [one.left(number) for number in self.numbers]
        sides = [one.ladder.levels(side, 9) for side in (BID, ASK)]
        self.seen.append((one.now, sides, one.ladder.is_valid, one.position, one.cash, lefts))
        for what, side, price, quantity, is_ioc in self.script.pop(0) if self.script else ():
            if what < 3 or not self.numbers:
                self.numbers.append(one.submit(side, price, quantity, is_ioc))
            else:
                self.seen.append(one.cancel(self.numbers[price % len(self.numbers)]))


def played(kernel: Any, batches: Sequence[Sequence[Row]], script: Sequence[Sequence[Do]], given_terms: Terms) -> Any:
    strategy = Script(script)
    one = kernel.Tape(strategy, given_terms)
    fills = list[Any]()
    for batch in batches:
        one.play(columns_of(batch))
        fills += zip(*one.take_fills(), strict=True)
    one.finish()
    fills += zip(*one.take_fills(), strict=True)
    view = [one.ladder.levels(side, 9) for side in (BID, ASK)], one.ladder.is_valid
    return fills, strategy.seen, strategy.numbers, view, one.misfits, one.wakes, one.position, one.cash


@pytest.mark.skipif(not COMPILED, reason="no kernel is compiled: its twin is used")
@settings(max_examples=400)
@given(steps, scripts, terms)
def test_the_kernel_and_its_twin_say_the_same(given_steps: Any, script: Any, given_terms: Terms) -> None:
    rows = rows_of(given_steps)
    ours, twin = (played(kernel, [rows], script, given_terms) for kernel in KERNELS)
    assert ours == twin


@both
@given(given_steps=steps, script=scripts, given_terms=terms, cuts=st.lists(st.integers(0, 63), max_size=6))
def test_how_rows_are_cut_into_batches_changes_nothing(
    kernel: Any, given_steps: Any, script: Any, given_terms: Terms, cuts: list[int]
) -> None:
    rows = rows_of(given_steps)
    ends = [0, *sorted(cuts), len(rows)]
    batches = [rows[a:b] for a, b in pairwise(ends)]
    assert played(kernel, batches, script, given_terms) == played(kernel, [rows], script, given_terms)


def test_the_compiled_kernel_is_used_where_it_was_built() -> None:
    assert (tape.Tape is tape_plain.Tape) == (not is_compiled(KERNEL))
