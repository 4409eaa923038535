"""By which rules orders fill on a tape: examples, figures reckoned by other means, and the rules of `matching`."""

import importlib
from array import array
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core import tape_plain
from participant.core.ladder import ASK, BID, Change
from participant.core.market import Quote
from participant.core.matching import Entry, Execution, match
from participant.core.scrip import Side
from participant.core.tape import TRADE, Terms
from tests.twins import is_compiled

KERNEL = "participant.core._tape"
COMPILED = [importlib.import_module(KERNEL)] if is_compiled(KERNEL) else []
both = pytest.mark.parametrize("kernel", [tape_plain, *COMPILED], ids=lambda kernel: kernel.__name__)

NEW, CHANGE, DELETE, CLEAR, GAP = Change
Row = tuple[int, int, int, int, int]  # at, kind, side, price, size; received at once
QUICK = Terms(wakes_on_feed=True)


def play(kernel: Any, rows: Sequence[Row], strategy: Callable[[Any], Any], terms: Terms = QUICK) -> list[Any]:
    """The fills: order, side, price, units, whether it rested, at, known at."""
    tape = kernel.Tape(strategy, terms)
    columns = [(row[0], *row) for row in [(1, CLEAR, BID, 0, 0), *rows]]
    tape.play([array(code, [row[i] for row in columns]) for i, code in enumerate("qqbbqq")])
    tape.finish()
    return list(zip(*tape.take_fills(), strict=True))


def at(time: int, *orders: tuple[int, int, int, bool]) -> Callable[[Any], None]:
    """A strategy that sends these orders when it wakes at a time."""

    def strategy(tape: Any) -> None:
        if tape.now == time:
            for order in orders:
                tape.submit(*order)

    return strategy


BOOK: list[Row] = [
    (2, NEW, BID, 100, 40), (2, NEW, BID, 99, 30), (2, NEW, ASK, 101, 20), (2, NEW, ASK, 103, 50),
]  # fmt: skip


@both
def test_a_taker_takes_level_by_level_and_what_is_left_rests(kernel: Any) -> None:
    later: list[Row] = [(5, CHANGE, ASK, 103, 60), (6, NEW, ASK, 102, 4), (7, TRADE, BID, 102, 3)]
    fills = play(kernel, [*BOOK, *later], at(2, (BID, 102, 30, False)))
    # 20 at 101; 10 rest at 102. An ask that comes to 102 fills 4 of them at their limit, a trade at 102 another 3.
    assert [fill[:6] for fill in fills] == [(1, BID, 101, 20, 0, 2), (1, BID, 102, 4, 1, 6), (1, BID, 102, 3, 1, 7)]


@both
def test_what_a_taker_took_is_gone_until_the_level_changes(kernel: Any) -> None:
    def strategy(tape: Any) -> None:
        tape.submit(BID, 101, 15, True)

    rows: list[Row] = [*BOOK, (3, CHANGE, ASK, 101, 20), (4, CHANGE, ASK, 101, 8), (5, DELETE, BID, 99, 0)]
    fills = play(kernel, rows, lambda tape: strategy(tape) if tape.now > 1 else None)
    assert [fill[3] for fill in fills] == [15, 5, 8]  # at 5 nothing is left of the 8


@both
@pytest.mark.parametrize(("is_capped", "filled"), [(False, 0), (True, 25)])
def test_a_resting_order_stands_behind_all_that_is_displayed(kernel: Any, is_capped: bool, filled: int) -> None:
    rows: list[Row] = [*BOOK, (3, CHANGE, BID, 100, 10), (4, TRADE, BID, 100, 35)]
    terms = Terms(wakes_on_feed=True, is_capped=is_capped)
    fills = play(kernel, rows, at(2, (BID, 100, 50, False)), terms)
    # Of the 40 in front 30 are cancelled; then 35 trade. Without the cap cancels help nobody.
    assert sum(fill[3] for fill in fills) == filled


@both
def test_orders_of_ours_at_one_price_fill_in_turn_and_share_what_trades(kernel: Any) -> None:
    rows: list[Row] = [*BOOK, (3, TRADE, BID, 100, 52), (4, TRADE, BID, 99, 5)]
    fills = play(kernel, rows, at(2, (BID, 100, 10, False), (BID, 100, 10, False)))
    # 52 less 40 in front: 10 and 2. A trade at a worse price passes through ours first, as far as its size goes.
    assert [(fill[0], fill[3], fill[5]) for fill in fills] == [(1, 10, 3), (2, 2, 3), (2, 5, 4)]


@both
def test_latency_delays_the_order_the_cancel_and_the_knowledge_of_both(kernel: Any) -> None:
    seen: list[Any] = []

    def strategy(tape: Any) -> None:
        if tape.now == 2:
            tape.submit(BID, 100, 10)
            tape.submit(BID, 99, 10)
        if tape.now == 20:
            tape.cancel(2)
        seen.append((tape.now, tape.position, tape.cash, tape.left(1), tape.left(2)))

    rows: list[Row] = [*BOOK, (7, CHANGE, BID, 100, 0), (8, TRADE, BID, 100, 15), (20, CHANGE, ASK, 103, 9)]
    rows += [(27, TRADE, BID, 99, 90), (60, CHANGE, ASK, 103, 8)]
    terms = Terms(out_ns=5, back_ns=3, every_ns=1)
    fills = play(kernel, rows, strategy, terms)
    # At 7 both arrive: nothing stands at 100 any more, 30 at 99. The cancel arrives at 25, before the trade at 27.
    assert fills == [(1, BID, 100, 10, 1, 8, 11)]
    known = {row[0]: row[1:] for row in seen}
    assert (known[10], known[11]) == ((0, 0, 10, 10), (10, -10, 0, 10))
    assert (known[27], known[28]) == ((10, -10, 0, 10), (10, -10, 0, 0))


@both
def test_nothing_fills_against_a_crossed_or_a_void_ladder(kernel: Any) -> None:
    crossed: list[Row] = [(3, NEW, ASK, 98, 5), (4, DELETE, BID, 100, 0), (5, DELETE, BID, 99, 0)]
    fills = play(kernel, [*BOOK, *crossed], at(3, (BID, 110, 100, True), (BID, 98, 3, False)))
    assert [fill[:6] for fill in fills] == [(2, BID, 98, 3, 1, 5)]  # once it is no longer crossed
    void: list[Row] = [(3, GAP, BID, 0, 0), (4, TRADE, BID, 100, 900)]
    assert play(kernel, [*BOOK, *void], at(3, (BID, 110, 5, True), (BID, 100, 5, False))) == []


@both
def test_what_lies_where_the_ladder_is_cut_off_waits_behind_more_than_can_trade(kernel: Any) -> None:
    rows: list[Row] = [*BOOK, (3, NEW, BID, 98, 1), (4, TRADE, BID, 98, 10_000)]
    terms = Terms(wakes_on_feed=True, levels_max=2)
    assert play(kernel, rows, at(3, (BID, 98, 5, False)), terms) == []


@both
def test_what_cannot_be_is_refused_with_its_row_and_nothing_is_done(kernel: Any) -> None:
    tape = kernel.Tape(lambda tape: None, QUICK)
    good = (5, 6, NEW, BID, 100, 1)
    for bad in ((4, 6, NEW, BID, 100, 1), (5, 5, NEW, BID, 100, 1), (7, 6, NEW, BID, 100, 1), (5, 6, 6, BID, 100, 1),
                (5, 6, -1, BID, 100, 1), (5, 6, NEW, 2, 100, 1), (5, 6, NEW, -1, 100, 1), (5, 6, NEW, BID, 0, 1),
                (5, 6, TRADE, BID, 1 << 40, 1), (5, 6, NEW, BID, 100, -1), (5, 1 << 62, NEW, BID, 100, 1)):  # fmt: skip
        with pytest.raises(ValueError, match="row 1 cannot be"):
            tape.play([array(code, [good[i], bad[i]]) for i, code in enumerate("qqbbqq")])
    with pytest.raises(ValueError, match="row 0 cannot be"):
        tape.play([array(code, [row]) for code, row in zip("qqbbqq", (-1, 6, NEW, BID, 100, 1), strict=True)])
    with pytest.raises(ValueError, match="not of one length"):
        tape.play([array("q", [1]), *[array(code) for code in "qbbqq"]])
    tape.play([array(code) for code in "qqbbqq"])
    tape.finish()
    assert tape.wakes == 0
    with pytest.raises(ValueError, match="the tape is finished"):
        tape.play([array(code) for code in "qqbbqq"])


@both
def test_a_strategy_that_answers_itself_without_end_and_orders_that_cannot_be_are_stopped(kernel: Any) -> None:
    def again(tape: Any) -> None:
        tape.submit(BID, 1, 1, True)

    with pytest.raises(ValueError, match="woken 1000 times at 2"):
        play(
            kernel,
            BOOK,
            lambda tape: again(tape) if tape.now > 1 else None,
            Terms(wakes_on_feed=True, wakes_on_answer=True),
        )
    for order in ((2, 100, 1), (BID, 0, 1), (BID, 1 << 40, 1), (BID, 100, 0), (ASK, 100, 1 << 22)):
        with pytest.raises(ValueError, match="no order can be so"):
            play(kernel, BOOK, at(2, (*order, False)))
    for name, value in (("out_ns", -1), ("levels_max", 0), ("orders_max", 1025)):
        with pytest.raises(ValueError, match=f"{name} is {value}: it must lie from"):
            Terms(**{name: value})  # type: ignore[arg-type] # numbers, all of them


@both
def test_batches_that_nobody_has_received_are_bounded(kernel: Any) -> None:
    tape = kernel.Tape(lambda tape: None, QUICK)
    for i in range(64):
        tape.play([array(code, [n]) for code, n in zip("qqbbqq", (i, 10_000, CLEAR, BID, 0, 0), strict=True)])
    with pytest.raises(ValueError, match="64 batches have not been received"):
        tape.play([array(code, [n]) for code, n in zip("qqbbqq", (64, 10_000, CLEAR, BID, 0, 0), strict=True)])


# --- reckoned by other means ------------------------------------------------------------------------------------------

bids = st.tuples(st.sampled_from([NEW, CHANGE, DELETE]), st.just(BID), st.integers(97, 100), st.integers(1, 9))
asks = st.tuples(st.sampled_from([NEW, CHANGE, DELETE]), st.just(ASK), st.integers(101, 104), st.integers(1, 9))
sold = st.tuples(st.just(TRADE), st.just(BID), st.integers(99, 100), st.integers(1, 9))
happening = st.lists(st.tuples(st.integers(0, 2), bids | asks | sold | sold), min_size=5, max_size=50)


def rows_of(steps: Any) -> list[Row]:
    rows, time = list[Row](), 2
    for later, what in steps:
        time += later
        rows.append((time, *what))
    return rows


def book_at(rows: Sequence[Row], time: int, side: int) -> dict[int, int]:
    book = dict[int, int]()
    for when, kind, of, price, size in rows:
        if when <= time and of == side and kind <= DELETE:
            book[price] = 0 if kind == DELETE else size
    return book


@both
@given(steps=happening, quantity=st.integers(1, 30), out_ns=st.integers(0, 9), back_ns=st.integers(0, 9))
def test_a_resting_order_fills_by_what_traded_since_it_came_less_what_stood_there(
    kernel: Any, steps: Any, quantity: int, out_ns: int, back_ns: int
) -> None:
    rows = rows_of(steps)
    arrives, end = 1 + out_ns, rows[-1][0]
    fills = play(kernel, rows, at(1, (BID, 99, quantity, False)), Terms(out_ns, back_ns, wakes_on_feed=True))
    traded = sum(size for when, kind, _, price, size in rows if when > arrives and kind == TRADE and price == 99)
    stood = book_at(rows, arrives, BID).get(99, 0)
    assert sum(fill[3] for fill in fills) == (min(quantity, max(0, traded - stood)) if arrives <= end else 0)
    assert all(fill[6] - fill[5] == back_ns for fill in fills)


@both
@given(steps=happening, quantities=st.lists(st.integers(1, 9), min_size=1, max_size=4), out_ns=st.integers(0, 40))
def test_takers_together_take_what_is_displayed_up_to_their_limit(
    kernel: Any, steps: Any, quantities: list[int], out_ns: int
) -> None:
    rows = rows_of(steps)
    orders = [(BID, 103, quantity, True) for quantity in quantities]
    fills = play(kernel, rows, at(1, *orders), Terms(out_ns, wakes_on_feed=True))
    there = sorted((p, n) for p, n in book_at(rows, 1 + out_ns, ASK).items() if p <= 103 and n)
    units = [price for price, size in there for _ in range(size)][: sum(quantities)]
    assert [fill[2] for fill in fills for _ in range(fill[3])] == (units if 1 + out_ns <= rows[-1][0] else [])


@both
@given(steps=happening, latencies=st.lists(st.integers(0, 5), min_size=50, max_size=50))
def test_the_strategy_sees_what_it_has_received_and_no_more(kernel: Any, steps: Any, latencies: list[int]) -> None:
    rows, heard = rows_of(steps), list[int]()
    for row, latency in zip(rows, latencies, strict=False):
        heard.append(max(row[0] + latency, heard[-1] if heard else 0))
    seen: dict[int, Any] = {}

    def look(tape: Any) -> None:
        seen[tape.now] = [{price: size for price, size, _ in tape.ladder.levels(side, 99)} for side in (BID, ASK)]

    tape = kernel.Tape(look, QUICK)
    whole = [(1, 1, CLEAR, BID, 0, 0), *((row[0], at, *row[1:]) for row, at in zip(rows, heard, strict=True))]
    tape.play([array(code, [row[i] for row in whole]) for i, code in enumerate("qqbbqq")])
    tape.finish()
    assert seen.keys() == {1, *heard}
    for time, sides in seen.items():
        received = [(at, *row[1:]) for row, at in zip(rows, heard, strict=True)]
        assert sides == [{p: n for p, n in book_at(received, time, side).items() if n} for side in (BID, ASK)]


# --- and by `matching` ------------------------------------------------------------------------------------------------

quotes = st.lists(
    st.tuples(st.integers(96, 102), st.integers(98, 104), st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=20
)
asked = st.lists(st.tuples(st.integers(0, 19), st.sampled_from([BID, ASK]), st.integers(95, 105), st.integers(1, 12)))


@both
@given(given_quotes=quotes, orders=asked)
def test_what_quotes_alone_can_say_fills_as_matching_says(kernel: Any, given_quotes: Any, orders: Any) -> None:
    rows, held = list[Row](), [0, 0]
    for i, quote in enumerate(given_quotes):
        rows += [(2 + i, DELETE, side, held[side], 0) for side in (BID, ASK) if held[side] not in (0, quote[side])]
        rows += [(2 + i, NEW, side, quote[side], quote[2 + side]) for side in (BID, ASK)]
        held = list(quote[:2])

    def strategy(tape: Any) -> None:
        for when, side, price, quantity in orders:
            if tape.now == 2 + when:
                tape.submit(side, price, quantity)

    fills = play(kernel, rows, strategy, Terms(wakes_on_feed=True, orders_max=1024))
    assert [(fill[0], fill[3], fill[2]) for fill in fills] == _by_matching(given_quotes, orders)


def _by_matching(given_quotes: Any, orders: Any) -> list[tuple[int, int, int]]:
    """Each quote meets what rests, and then every order that arrives."""
    found, resting, taken, number = list[Execution](), dict[int, Entry](), None, 0
    for i, (bid, ask, bid_size, ask_size) in enumerate(given_quotes):
        quote = Quote(bid, ask, bid_size, ask_size, 2 + i)
        rounds = [list(resting.values())]
        for _, side, price, quantity in [order for order in orders if order[0] == i]:
            number += 1
            rounds.append([Entry(number, Side.BUY if side == BID else Side.SELL, price, quantity)])
        for entries in rounds:
            executions, taken = match(entries, quote, taken)
            found += executions
            resting |= {entry.number: _left(entry, executions) for entry in entries}
            resting = {of: entry for of, entry in resting.items() if entry.left}
    return [(e.number, e.quantity, e.price) for e in found]


def _left(entry: Entry, executions: Sequence[Execution]) -> Entry:
    filled = sum(e.quantity for e in executions if e.number == entry.number)
    return Entry(entry.number, entry.side, entry.limit, entry.left - filled, is_resting=True)
