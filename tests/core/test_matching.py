"""How orders fill, and what an exchange refuses."""

import datetime

from hypothesis import given
from hypothesis import strategies as st

from participant.core.market import Quote
from participant.core.matching import Entry, Execution, OrderRequest, Taken, match, refusal
from participant.core.scrip import Contract, Kind, Side

BUY, SELL = Side.BUY, Side.SELL
QUOTE = Quote(bid=1000, ask=1100, bid_size=130, ask_size=195, exchange_at=1)
CALL = Contract("NIFTY", datetime.date(2026, 12, 29), Kind.CALL, 250_000_000, 65, 500, 1755)


def buy(number: int, limit: int, left: int = 65, *, is_resting: bool = False) -> Entry:
    return Entry(number, BUY, limit, left, is_resting)


def sell(number: int, limit: int, left: int = 65, *, is_resting: bool = False) -> Entry:
    return Entry(number, SELL, limit, left, is_resting)


def test_an_arriving_order_that_can_trade_fills_at_the_touch() -> None:
    assert match([buy(1, 1200)], QUOTE)[0] == [Execution(1, 65, 1100)]
    assert match([sell(1, 900)], QUOTE)[0] == [Execution(1, 65, 1000)]


def test_an_order_that_does_not_reach_the_touch_fills_nothing() -> None:
    assert match([buy(1, 1099), sell(2, 1001)], QUOTE)[0] == []


def test_a_resting_order_fills_at_its_own_limit_even_when_the_touch_is_better() -> None:
    assert match([buy(1, 1200, is_resting=True)], QUOTE)[0] == [Execution(1, 65, 1200)]
    assert match([sell(1, 900, is_resting=True)], QUOTE)[0] == [Execution(1, 65, 900)]


def test_no_more_than_the_displayed_size_fills() -> None:
    executions, taken = match([buy(1, 1100, 260)], QUOTE)
    assert executions == [Execution(1, 195, 1100)]
    assert taken == Taken(QUOTE, 0, 195)


def test_what_was_taken_is_not_there_again_until_that_side_changes() -> None:
    _, taken = match([buy(1, 1100, 130)], QUOTE)
    assert match([buy(2, 1100, 130)], QUOTE, taken)[0] == [Execution(2, 65, 1100)]
    again = Quote(1005, 1100, 65, 195, 2)
    assert match([buy(2, 1100, 130)], again, taken)[0] == [Execution(2, 65, 1100)]
    refilled = Quote(1000, 1100, 130, 130, 2)
    assert match([buy(2, 1100, 130)], refilled, taken)[0] == [Execution(2, 130, 1100)]


def test_the_better_price_goes_first_and_then_the_older_order() -> None:
    executions, _ = match([buy(3, 1100, 65), buy(2, 1100, 65), buy(4, 1150, 130)], QUOTE)
    assert executions == [Execution(4, 130, 1100), Execution(2, 65, 1100)]
    executions, _ = match([sell(3, 1000, 65), sell(2, 1000, 65), sell(4, 950, 65)], QUOTE)
    assert executions == [Execution(4, 65, 1000), Execution(2, 65, 1000)]


def test_nothing_fills_against_a_crossed_or_a_locked_quote() -> None:
    for bid in (1100, 1150):
        assert match([buy(1, 2000), sell(2, 10)], Quote(bid, 1100, 65, 65, 1))[0] == []


def test_one_side_is_enough_for_those_who_need_only_it() -> None:
    assert match([buy(1, 1100), sell(2, 1)], Quote(0, 1100, 0, 65, 1))[0] == [Execution(1, 65, 1100)]


def test_a_planned_partial_fill_stays_within_its_cap() -> None:
    assert match([Entry(1, BUY, 1100, 195, fill_max=65)], QUOTE)[0] == [Execution(1, 65, 1100)]


def test_an_exchange_refuses_what_is_not_a_proper_order() -> None:
    good = OrderRequest("t", CALL.key, BUY, 65, 1000)
    assert refusal(CALL, good) == ""
    assert "unknown contract" in refusal(None, good)
    for request, reason in (
        (OrderRequest("t", CALL.key, BUY, 65, 1001), "tick"),
        (OrderRequest("t", CALL.key, BUY, 65, 0), "above zero"),
        (OrderRequest("t", CALL.key, BUY, 65, -500), "above zero"),
        (OrderRequest("t", CALL.key, BUY, 64, 1000), "lot"),
        (OrderRequest("t", CALL.key, BUY, 0, 1000), "lot"),
        (OrderRequest("t", CALL.key, BUY, -65, 1000), "lot"),
        (OrderRequest("t", CALL.key, BUY, 1820, 1000), "freeze"),
    ):
        assert reason in refusal(CALL, request)


ENTRIES = st.lists(
    st.builds(
        Entry,
        number=st.integers(1, 10_000),
        side=st.sampled_from(Side),
        limit=st.integers(1, 50),
        left=st.integers(1, 20),
        is_resting=st.booleans(),
        fill_max=st.integers(0, 5),
    ),
    max_size=6,
    unique_by=lambda e: e.number,
)
QUOTES = st.builds(
    Quote,
    bid=st.integers(0, 50),
    ask=st.integers(0, 50),
    bid_size=st.integers(0, 30),
    ask_size=st.integers(0, 30),
    exchange_at=st.integers(0, 3),
)


@given(ENTRIES, st.lists(QUOTES, max_size=5))
def test_whatever_comes_no_order_fills_beyond_its_limit_its_quantity_or_the_size(
    entries: list[Entry], quotes: list[Quote]
) -> None:
    taken: Taken | None = None
    left = {e.number: e.left for e in entries}
    by_number = {e.number: e for e in entries}
    for quote in quotes:
        standing = [Entry(e.number, e.side, e.limit, left[e.number], True, e.fill_max) for e in entries]
        executions, taken = match([e for e in standing if e.left], quote, taken)
        for execution in executions:
            entry = by_number[execution.number]
            left[execution.number] -= execution.quantity
            assert execution.quantity > 0
            assert entry.side.sign * (entry.limit - execution.price) >= 0
        assert min(left.values(), default=0) >= 0
        assert taken.of_bid <= quote.bid_size
        assert taken.of_ask <= quote.ask_size
