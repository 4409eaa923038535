"""How good a recorded day is, in figures."""

import datetime

import pytest

from participant.config import load_rules
from participant.core.market import SECOND
from participant.core.pricing import price
from participant.core.scrip import Kind
from participant.core.session import at_time
from participant.history.checks import HOLIDAY
from participant.history.official import NOTHING, Official
from participant.history.pages import Cell, Page
from participant.history.quality import Measuring, Quality, out_of_line, parity_forwards, sessions_missing

DAY, EXPIRY = datetime.date(2019, 4, 12), datetime.date(2019, 4, 25)
NINE = at_time(DAY, 9, 30)
SPOT, FORWARD = 116_000_000, 116_300_000
STRIKES = range(112_000_000, 120_500_000, 500_000)


def cells(sigma: float = 0.16, spread: int = 20_000) -> tuple[Cell, ...]:
    """A chain without a flaw: calls and puts at one volatility around the forward."""
    found = []
    for strike in STRIKES:
        for kind in (Kind.CALL, Kind.PUT):
            middle = round(price(kind is Kind.CALL, FORWARD, strike, 13 / 365, sigma))
            found.append(Cell(kind, strike, middle - spread // 2, middle + spread // 2, 75, 75))
    return tuple(found)


def page(minute: int = 0, of: tuple[Cell, ...] = cells(), *, is_modelled: bool = False) -> Page:
    return Page(NINE + minute * 60 * SECOND, "NIFTY", EXPIRY, SPOT, of, len(of), "by hand", is_modelled)


def measured(*pages: Page, official: Official = NOTHING) -> Quality:
    measuring = Measuring(official)
    for one in pages:
        measuring.see(one)
    return measuring.measured("NIFTY", DAY)


def test_a_chain_without_a_flaw_has_none() -> None:
    of = measured(page())
    assert (of.pages, of.quotes, of.one_sided, of.volatilities_out) == (1, 2 * len(STRIKES), 0, 0)
    assert of.residual_bp == pytest.approx(0, abs=1e-3)
    assert of.volatilities > 10
    assert of.spread is not None
    assert 0.001 < of.spread < 0.05


def test_a_strike_that_says_another_forward_shows_as_a_residual() -> None:
    shifted = tuple(
        Cell(c.kind, c.strike, c.bid + 1_160_000, c.ask + 1_160_000, 75, 75)
        if c.kind is Kind.CALL and c.strike > SPOT else c
        for c in cells()
    )  # fmt: skip
    forwards = parity_forwards(page(of=shifted))
    assert max(forwards) - min(forwards) == pytest.approx(1_160_000, abs=2)
    assert measured(page(of=shifted)).residual_bp == pytest.approx(100, abs=0.01), "1,160,000 of 116,000,000"


def test_one_volatility_out_of_line_is_one() -> None:
    smile = [0.16 + 0.1 * (i / 10) ** 2 for i in range(10)]
    assert out_of_line(smile) == 0
    assert out_of_line([*smile[:5], smile[5] + 0.1, *smile[6:]]) == 1
    assert out_of_line([0.1, 0.9]) == 0, "too few to say which"


def test_quotes_with_one_side_and_far_ones_are_told_apart() -> None:
    half = tuple(Cell(c.kind, c.strike, 0, c.ask, 0, 75) if c.kind is Kind.PUT else c for c in cells())
    of = measured(page(of=half))
    assert of.one_sided == len(STRIKES)
    assert of.residual_bp is None, "no strike is quoted on four sides"


def test_what_stands_still_is_timed_from_page_to_page() -> None:
    other = cells(sigma=0.17)
    of = measured(page(0), page(15), page(30), page(45, other), page(60, other))
    near = of.compared // 4
    assert of.still == 3 * near
    assert of.still_longest_s == 1_800


def test_a_wait_of_more_than_twice_the_usual_is_a_gap() -> None:
    of = measured(page(0), page(15), page(30), page(90), page(105))
    assert (of.gaps, of.wait_longest_s) == (1, 3_600)


def test_modelled_pages_and_missing_official_prices_are_counted() -> None:
    before = DAY - datetime.timedelta(1)
    official = Official({"NIFTY": {before: SPOT}}, {"NIFTY": {before: {EXPIRY: FORWARD}}})
    of = measured(page(is_modelled=True), official=official)
    assert (of.modelled_pages, of.has_close, of.unpriced) == (1, False, 1)


def test_a_day_of_which_nothing_is_used_is_there_all_the_same() -> None:
    of = Measuring(Official()).measured("NIFTY", DAY)
    assert (of.pages, of.spread, of.is_shut) == (0, None, False)
    assert Quality("NIFTY", DAY, bad_rows={HOLIDAY: 7}).is_shut


def test_sessions_between_the_first_and_the_last_day_are_missed_and_holidays_are_not() -> None:
    thursday, tuesday = datetime.date(2019, 4, 11), datetime.date(2019, 4, 16)
    assert sessions_missing(load_rules(), [thursday, tuesday]) == [DAY, datetime.date(2019, 4, 15)]
    assert sessions_missing(load_rules(), []) == []


def test_volatilities_of_the_last_hours_are_not_judged() -> None:
    last = Page(at_time(EXPIRY, 10, 0), "NIFTY", EXPIRY, SPOT, cells(), 1, "by hand")
    measuring = Measuring(Official())
    measuring.see(last)
    assert measuring.measured("NIFTY", EXPIRY).volatilities == 0
