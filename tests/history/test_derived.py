"""Derived quotes: parity at one strike, a basis that fades, a stock at its spot; and the look-backs before a day."""

import datetime
from math import isnan, nan

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from participant.core.market import LookBack
from participant.core.scrip import Kind
from participant.core.session import at_time
from participant.core.volatility import realised
from participant.history.derived import (
    DerivedFuture,
    Life,
    Round,
    Terms,
    derive,
    error_bp,
    from_basis,
    from_parity,
    look_back,
    nearest_row,
    own_look_back,
    stock_quote,
)
from participant.history.official import Basis, Official
from participant.history.official_files import read_official
from participant.history.pages import Cell, Page
from tests.history.recorded import DATA, needs_data

DAY, BEFORE = datetime.date(2019, 4, 12), datetime.date(2019, 4, 11)
WEEKLY, APRIL, MAY = datetime.date(2019, 4, 18), datetime.date(2019, 4, 25), datetime.date(2019, 5, 30)
NOON = at_time(DAY, 12, 0)
TICK = 500


def rupees(value: float) -> int:
    return round(value * 10_000)


def call(strike: float, bid: float, ask: float) -> Cell:
    return Cell(Kind.CALL, rupees(strike), rupees(bid), rupees(ask), 75, 75)


def put(strike: float, bid: float, ask: float) -> Cell:
    return Cell(Kind.PUT, rupees(strike), rupees(bid), rupees(ask), 75, 75)


def closing(day: datetime.date) -> int:
    return at_time(day, 15, 30)


def page(expiry: datetime.date, *cells: Cell) -> Page:
    return Page(NOON, "NIFTY", expiry, rupees(11_640), cells, len(cells), "made")


OFFICIAL = Official(
    closes={"NIFTY": {BEFORE: rupees(11_600)}},
    boards={"NIFTY": {BEFORE: {APRIL: rupees(11_628), MAY: rupees(11_698)}}},
    volatilities={BEFORE: 0.209575},
)
TERMS = Terms(TICK, closing)


# --- parity -----------------------------------------------------------------------------------------------------------


def test_parity_buys_the_call_and_sells_the_put() -> None:
    quote = from_parity(call(11_650, 120.0, 121.0), put(11_650, 98.5, 99.25), rupees(11_650), TICK)
    # bid = 11650 + 120.00 - 99.25, ask = 11650 + 121.00 - 98.50
    assert quote == (rupees(11_670.75), rupees(11_672.5))


def test_parity_is_rounded_outwards_to_ticks_and_at_least_one_wide() -> None:
    sides = call(100, 5.01, 5.02), put(100, 3.01, 3.02)
    assert from_parity(*sides, rupees(100), TICK) == (rupees(101.95), rupees(102.05))
    narrow = Cell(Kind.CALL, 1_000_000, 50_000, 50_001), Cell(Kind.PUT, 1_000_000, 30_000, 30_001)
    assert from_parity(*narrow, 1_000_000, TICK) == (rupees(101.95), rupees(102.05))
    assert from_parity(*narrow, 1_000_000, 1) == (1_019_999, 1_020_001)


def test_a_discount_moves_the_future_away_from_the_strike() -> None:
    sides = call(11_600, 150.0, 150.5), put(11_600, 100.0, 100.5)
    plain = from_parity(*sides, rupees(11_600), TICK)
    discounted = from_parity(*sides, rupees(11_600), TICK, 0.99)
    assert plain == (rupees(11_649.5), rupees(11_650.5))
    assert discounted == (rupees(11_650), rupees(11_651.05))


@pytest.mark.parametrize(
    "sides",
    [
        (call(100, 0, 5), put(100, 3, 4)),
        (call(100, 5, 0), put(100, 3, 4)),
        (call(100, 5, 6), put(100, 0, 4)),
        (call(100, 5, 6), put(100, 3, 0)),
        (call(100, 6, 6), put(100, 3, 4)),
        (call(100, 5, 6), put(100, 4, 3)),
    ],
    ids=["no call bid", "no call ask", "no put bid", "no put ask", "locked", "crossed"],
)
def test_a_missing_or_crossed_side_gives_no_parity(sides: tuple[Cell, Cell]) -> None:
    assert from_parity(*sides, rupees(100), TICK) is None
    assert nearest_row(sides, rupees(100)) is None


def test_the_one_strike_nearest_spot_with_all_four_sides_is_taken() -> None:
    cells = [
        call(11_600, 150, 151), put(11_600, 110, 111),
        call(11_650, 120, 121), put(11_650, 0, 140),
        call(11_700, 95, 96), put(11_700, 155, 156),
        call(13_000, 1, 2), put(13_000, 1300, 1400),
    ]  # fmt: skip
    assert nearest_row(cells, rupees(11_660)) == (cells[4], cells[5])
    assert nearest_row(cells, rupees(11_640)) == (cells[0], cells[1])
    assert nearest_row(cells, rupees(11_650)) == (cells[0], cells[1])  # as near as the other: the lower


def test_a_strike_far_from_spot_says_nothing_of_the_future() -> None:
    cells = [call(11_500, 150, 151), put(11_500, 110, 111)]
    assert nearest_row(cells, rupees(11_600)) is not None
    assert nearest_row(cells, rupees(11_620)) is None


prices = st.integers(1, 30_000_000)


@given(st.integers(1, 1_000_000_000), prices, prices, st.integers(1, 10_000), st.integers(1, 10_000))
def test_parity_is_never_crossed_and_lies_on_ticks(strike: int, bid: int, other: int, wide: int, tick: int) -> None:
    sides = Cell(Kind.CALL, strike, bid, bid + wide), Cell(Kind.PUT, strike, other, other + wide)
    quote = from_parity(*sides, strike, tick)
    assert quote is not None
    expect_on_ticks(quote, tick)
    if strike + bid - other - wide >= 0:
        assert quote[0] <= strike + bid - other - wide
        assert quote[1] >= strike + bid + wide - other


def expect_on_ticks(quote: tuple[int, int], tick: int) -> None:
    bid, ask = quote
    assert bid >= 0
    assert ask >= bid + tick
    assert bid % tick == 0
    assert ask % tick == 0


# --- basis, stocks ----------------------------------------------------------------------------------------------------


def test_a_basis_fades_in_a_straight_line_to_nothing_at_expiry() -> None:
    basis = Basis(BEFORE, rupees(11_628), rupees(11_600))
    spot = rupees(11_640)
    then, end = closing(BEFORE), closing(APRIL)
    assert from_basis(spot, basis, Life(then, then, end), TICK) == (rupees(11_667.4), rupees(11_668.6))
    assert from_basis(spot, basis, Life(then, (then + end) // 2, end), TICK) == (rupees(11_653.4), rupees(11_654.6))
    assert from_basis(spot, basis, Life(then, end, end), TICK) == (rupees(11_639.4), rupees(11_640.6))
    assert from_basis(spot, basis, Life(then, end + 1, end), TICK) == (rupees(11_639.4), rupees(11_640.6))


def test_a_future_may_cost_less_than_its_underlying() -> None:
    basis = Basis(BEFORE, rupees(11_570), rupees(11_600))
    then, end = closing(BEFORE), closing(APRIL)
    quote = from_basis(rupees(11_640), basis, Life(then, (then + end) // 2, end), TICK)
    assert quote == (rupees(11_624.4), rupees(11_625.6))


def test_a_stock_is_quoted_around_its_spot_at_least_a_tick_on_either_side() -> None:
    assert stock_quote(rupees(2_000), TICK) == (rupees(1_999.6), rupees(2_000.4))
    assert stock_quote(rupees(100), TICK) == (rupees(99.95), rupees(100.05))
    assert stock_quote(rupees(0.02), TICK) == (0, rupees(0.1))


@given(
    st.integers(100_000, 1_000_000_000),
    st.integers(-5_000_000, 5_000_000),
    st.integers(0, 90 * 86_400),
    st.integers(1, 10_000),
)
def test_a_quote_from_spot_is_never_crossed_and_lies_on_ticks(spot: int, points: int, second: int, tick: int) -> None:
    then = closing(BEFORE)
    life = Life(then, then + second * 1_000_000_000, closing(MAY))
    quote = from_basis(spot, Basis(BEFORE, spot + points, spot), life, tick)
    expect_on_ticks(quote, tick)
    assert min(spot, spot + points) - spot // 10_000 - 2 * tick <= quote[0] or quote[0] == 0
    assert quote[1] <= max(spot, spot + points) + spot // 10_000 + 2 * tick + 1
    expect_on_ticks(stock_quote(spot, tick), tick)


# --- all futures of a moment ------------------------------------------------------------------------------------------


def test_a_future_comes_by_parity_where_its_options_are_there_else_by_its_basis() -> None:
    weekly = page(WEEKLY, call(11_650, 80, 81), put(11_650, 85, 86))
    april = page(APRIL, call(11_650, 120, 121), put(11_650, 98.5, 99.25))
    seen = Round("NIFTY", NOON, rupees(11_640), (weekly, april))
    by_parity, by_basis = derive((MAY, APRIL), seen, OFFICIAL, TERMS)
    assert by_parity == DerivedFuture(APRIL, rupees(11_670.75), rupees(11_672.5), "parity")
    life = Life(closing(BEFORE), NOON, closing(MAY))
    quote = from_basis(rupees(11_640), Basis(BEFORE, rupees(11_698), rupees(11_600)), life, TICK)
    assert by_basis == DerivedFuture(MAY, *quote, "basis")


def test_a_page_without_a_quoted_strike_near_spot_leaves_the_basis() -> None:
    seen = Round("NIFTY", NOON, rupees(11_640), (page(APRIL, call(11_650, 120, 121), put(11_650, 0, 99)),))
    assert [f.how for f in derive((APRIL,), seen, OFFICIAL, TERMS)] == ["basis"]


def test_what_cannot_be_derived_is_left_out() -> None:
    seen = Round("NIFTY", NOON, rupees(11_640))
    assert derive((APRIL,), seen, Official(), TERMS) == []
    assert derive((WEEKLY,), seen, OFFICIAL, TERMS) == []
    assert derive((APRIL,), Round("NIFTY", NOON, 0), OFFICIAL, TERMS) == []
    expired = Round("NIFTY", closing(APRIL) + 1, rupees(11_640))
    assert derive((APRIL,), expired, OFFICIAL, TERMS) == []


def test_an_error_is_that_of_the_middle_in_basis_points_of_the_official_close() -> None:
    assert error_bp(rupees(10_009), rupees(10_011), rupees(10_000)) == 10.0
    assert error_bp(rupees(9_994), rupees(9_996), rupees(10_000)) == -5.0


# --- look-backs -------------------------------------------------------------------------------------------------------


def test_a_look_back_names_the_published_index_and_its_day() -> None:
    known = look_back(OFFICIAL, "NIFTY", DAY)
    assert known == LookBack((rupees(11_600),), (0.209575,), "India VIX of 2019-04-11")
    late = look_back(OFFICIAL, "NIFTY", MAY)
    assert late == LookBack(published="India VIX")


def test_india_vix_is_named_as_a_proxy_for_every_index_but_its_own() -> None:
    assert look_back(OFFICIAL, "BANKNIFTY", DAY).published == "India VIX of 2019-04-11 (a proxy: NIFTY's)"
    assert look_back(Official(), "BANKNIFTY", DAY) == LookBack(published="India VIX (a proxy: NIFTY's)")


def test_india_vix_stands_without_official_closes_and_realised_volatility_is_then_unknown() -> None:
    known = look_back(replace(OFFICIAL, closes={}), "NIFTY", DAY)
    assert known == LookBack((), (0.209575,), "India VIX of 2019-04-11")
    assert isnan(realised(known.closes))


def test_an_own_look_back_is_in_order_ends_at_a_hole_and_leaves_out_what_is_not_known() -> None:
    days = [datetime.date(2019, 6, d) for d in (3, 14, 18, 21)]
    closes = dict(zip(reversed(days), (40, 30, 20, 10), strict=True))
    ivs = dict(zip(days, (0.1, 0.2, nan, 0.4), strict=True))
    assert own_look_back(closes, ivs) == LookBack((20, 30, 40), (0.2, 0.4))
    assert own_look_back({}, {}) == LookBack()


# --- recorded days ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published() -> Official:
    return read_official([DATA / "nse_daily_official"])


@needs_data
@pytest.mark.parametrize(
    ("day", "symbol", "volatility", "ratio"),
    [
        (DAY, "NIFTY", 0.0964, 2.17),
        (DAY, "BANKNIFTY", 0.1407, 1.49),
        (datetime.date(2019, 1, 21), "NIFTY", 0.1203, 1.38),
        (datetime.date(2019, 1, 22), "NIFTY", 0.1009, 1.80),
    ],
)
def test_realised_volatility_before_recorded_days_is_known(
    published: Official, day: datetime.date, symbol: str, volatility: float, ratio: float
) -> None:
    known = look_back(published, symbol, day)
    assert realised(known.closes) == pytest.approx(volatility, abs=0.0001)
    assert known.iv30[-1] / realised(known.closes) == pytest.approx(ratio, abs=0.005)


@needs_data
def test_realised_volatility_stays_unknown_after_a_hole_of_the_series(published: Official) -> None:
    known = look_back(published, "NIFTY", datetime.date(2019, 6, 13))
    assert isnan(realised(known.closes))
    assert len(known.iv30) == 250


@needs_data
def test_a_recorded_page_by_parity_lies_near_the_official_close_of_the_future(published: Official) -> None:
    import pyarrow.parquet as pq

    path = DATA / "nse_chain_2018_10_to_2019_04" / "NIFTY_near_expiry.parquet"
    on, expiry = datetime.date(2019, 1, 21), datetime.date(2019, 1, 31)
    at = at_time(on, 15, 25)
    columns = ["ts_ist", "spot", "strike", "call_bid", "call_ask", "put_bid", "put_ask"]
    moment = datetime.datetime.fromtimestamp(at / 1e9, datetime.UTC)
    rows = pq.read_table(path, columns=columns, filters=[("ts_ist", "=", moment)]).to_pylist()
    cells = [
        make(row["strike"], row[f"{name}_bid"] or 0, row[f"{name}_ask"] or 0)
        for row in rows
        for name, make in (("call", call), ("put", put))
    ]
    spot = rupees(rows[0]["spot"])
    shown = Page(at, "NIFTY", expiry, spot, tuple(cells), len(rows), "recorded")
    listed = published.listed("NIFTY", on)
    near, middle, far = derive(listed, Round("NIFTY", at, spot, (shown,)), published, TERMS)
    closes = published.futures("NIFTY", on)
    assert (near.how, middle.how, far.how) == ("parity", "basis", "basis")
    assert error_bp(near.bid, near.ask, closes[near.expiry]) == pytest.approx(-5.5, abs=0.1)
    assert error_bp(middle.bid, middle.ask, closes[middle.expiry]) == pytest.approx(6.1, abs=0.1)
    assert error_bp(far.bid, far.ask, closes[far.expiry]) == pytest.approx(6.2, abs=0.1)
