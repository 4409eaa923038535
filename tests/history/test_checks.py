"""What of recorded pages may be traded on, and why the rest may not."""

import datetime
from typing import Any

import pytest
from msgspec.structs import asdict, replace

from participant.config import load_rules
from participant.core.market import SECOND
from participant.core.scrip import Kind
from participant.core.session import at_time
from participant.history.checks import Findings, screen
from participant.history.official import NOTHING, Official
from participant.history.pages import Cell, Doubted, Page
from participant.history.units import Scale, move_max_bp

RULES = load_rules()
FRIDAY = datetime.date(2019, 4, 12)
NEXT = datetime.date(2019, 4, 18)
NINE = at_time(FRIDAY, 9, 30)
SPOT = 116_000_000
MINUTE = 60 * SECOND
STRIKES = range(115_000_000, 117_500_001, 500_000)


def fair(kind: Kind, strike: int) -> Cell:
    """A quote on a smooth chain, half a rupee wide, one lot on either side."""
    away = (SPOT - strike) if kind is Kind.CALL else (strike - SPOT)
    time_value = 1_000_000 - abs(SPOT - strike) // 4
    bid = max(0, away) + max(10_000, time_value)
    return Cell(kind, strike, bid, bid + 5_000, 75, 75)


CELLS = tuple(fair(kind, strike) for strike in STRIKES for kind in (Kind.CALL, Kind.PUT))


def page(at: int = NINE, **changes: Any) -> Page:
    return replace(Page(at, "NIFTY", NEXT, SPOT, CELLS, len(STRIKES), "by hand"), **changes)


def apart(*pages: Page, official: Official = NOTHING) -> dict[str, int]:
    """The rows that are kept apart, by reason."""
    found = Findings()
    accepted = list(screen(pages, RULES, found, official))
    rows = sum(of.rows for of in found.days.values())
    bad: dict[str, int] = {}
    for of in found.days.values():
        for reason, count in of.bad_rows.items():
            bad[reason] = bad.get(reason, 0) + count
    assert rows == sum(p.rows for p in pages), "no row is lost"
    assert sum(p.rows for p in accepted) == rows - sum(bad.values())
    return bad


def test_an_honest_page_is_taken_as_it_is() -> None:
    assert apart(page()) == {}
    assert list(screen([page()], RULES, Findings())) == [page()]


# --- pages ---


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (page(at_time(datetime.date(2019, 4, 17), 11, 0)), "holiday polled"),
        (page(at_time(datetime.date(2019, 4, 13), 11, 0)), "weekend polled"),
        (page(at_time(FRIDAY, 9, 0)), "before the open"),
        (page(at_time(FRIDAY, 15, 37)), "after the close"),
        (page(spot=0), "no spot"),
        (page(expiry=datetime.date(2019, 4, 11)), "wrong expiry"),
        (page(expiry=datetime.date(2019, 4, 16)), "wrong expiry"),
        (page(cells=()), "no quotes"),
        (page(cells=tuple(replace(c, bid=0, ask=0, bid_size=0, ask_size=0) for c in CELLS)), "no quotes"),
        (page(cells=tuple(replace(c, bid_size=1, ask_size=2) for c in CELLS)), "sizes are no whole lots: wrong units?"),
        (page(at_time(datetime.date(2003, 4, 11), 11, 0)), "outside the rulebook"),
    ],
)
def test_a_page_that_cannot_be_of_an_open_market_is_kept_apart(one: Page, reason: str) -> None:
    assert apart(one) == {reason: len(STRIKES)}


def test_a_page_in_which_some_sizes_are_in_other_units_is_kept_apart() -> None:
    mixed = tuple(replace(c, bid_size=1, ask_size=1) if i % 5 == 0 else c for i, c in enumerate(CELLS))
    assert apart(page(cells=mixed)) == {"sizes are no whole lots: wrong units?": len(STRIKES)}
    one = tuple(replace(c, bid_size=1) if i == 0 else c for i, c in enumerate(CELLS))
    assert apart(page(cells=one)) == {}, "an odd lot is no other unit"


def test_units_that_were_taken_for_lots_are_kept_apart() -> None:
    deep = tuple(replace(c, bid_size=75 * 75, ask_size=2 * 75 * 75) for c in CELLS)
    assert apart(page(cells=deep)) == {"sizes are lots of lots: wrong units?": len(STRIKES)}
    assert apart(page(cells=tuple(replace(c, bid_size=75 * (i + 1)) for i, c in enumerate(CELLS)))) == {}


@pytest.mark.parametrize("every", [2, 4])
def test_a_page_in_which_some_sizes_were_taken_for_lots_is_kept_apart(every: int) -> None:
    sizes = [75 * (1 + 7 * i % 19) for i in range(len(CELLS))]
    plain = tuple(replace(c, bid_size=z, ask_size=z + 75) for c, z in zip(CELLS, sizes, strict=True))
    assert apart(page(cells=plain)) == {}
    mixed = tuple(
        replace(c, bid_size=c.bid_size * 75, ask_size=c.ask_size * 75) if i // 2 % every == 0 else c
        for i, c in enumerate(plain)
    )
    assert apart(page(cells=mixed)) == {"some sizes are lots of lots: mixed units?": len(STRIKES)}


def test_twenty_lots_of_twenty_are_a_round_number_and_no_other_unit() -> None:
    def of(*lots: int) -> Page:
        sizes = tuple(replace(c, bid_size=20 * lots[i % len(lots)], ask_size=20) for i, c in enumerate(CELLS))
        return replace(page(cells=sizes), symbol="BANKNIFTY")

    assert apart(of(20, 20, 40, 15)) == {}, "six of ten sizes of a real page were whole lots of lots"
    round_numbers = tuple(replace(c, bid_size=400, ask_size=120 if i % 6 else 800) for i, c in enumerate(CELLS))
    assert apart(replace(page(cells=round_numbers), symbol="BANKNIFTY")) == {}
    mixed = tuple(
        replace(c, bid_size=60 * (20 if i % 2 else 1), ask_size=60 * (20 if i % 2 else 1)) for i, c in enumerate(CELLS)
    )
    assert apart(replace(page(cells=mixed), symbol="BANKNIFTY")) == {
        "some sizes are lots of lots: mixed units?": len(STRIKES)
    }


# --- units of prices ---


def official(close: int = SPOT, volatility: float = 0.21, day: datetime.date = FRIDAY) -> Official:
    """What was published on the day before."""
    eve = day - datetime.timedelta(days=1)
    return Official(closes={"NIFTY": {eve: close}}, volatilities={eve: volatility} if volatility else {})


def scaled(by: float, spot_by: float | None = None) -> Page:
    """All of a page in another unit, or its spot alone (`spot_by`, `by` 1)."""
    cells = tuple(replace(c, strike=round(c.strike * by), bid=round(c.bid * by), ask=round(c.ask * by)) for c in CELLS)
    return page(spot=round(SPOT * (spot_by or by)), cells=cells)


@pytest.mark.parametrize("by", [100, 0.01, 1.15, 1 / 1.15])
def test_a_page_in_another_unit_is_kept_apart_by_the_last_official_close(by: float) -> None:
    reason = {"far from the last official close: wrong units?": len(STRIKES)}
    assert apart(scaled(by), official=official()) == reason
    assert apart(scaled(1, by), official=official()) == reason
    assert apart(page(), official=official()) == {}


@pytest.mark.parametrize("by", [100, 0.01])
def test_a_spot_outside_its_strikes_is_of_another_unit(by: float) -> None:
    assert apart(scaled(1, by)) == {"spot outside its strikes: wrong units?": len(STRIKES)}


PAISE = tuple(replace(c, bid=c.bid * 100, ask=c.ask * 100) for c in CELLS)


@pytest.mark.parametrize("one", [scaled(1.15), scaled(1 / 1.15), page(cells=PAISE)])
def test_a_page_of_which_a_quarter_cannot_be_is_kept_apart_whole(one: Page) -> None:
    kept: list[tuple[Page, str]] = []
    found = Findings(sink=lambda page, why: kept.append((page, why)))
    assert list(screen([one], RULES, found)) == []
    assert kept == [(one, "more than a quarter of its quotes cannot be: wrong units?")], "once, with all its rows"
    (of,) = found.days.values()
    assert (of.pages, of.quotes, of.bad_quotes) == (0, 0, {})


@pytest.mark.parametrize(
    ("day", "volatility", "move"),
    [
        ("2020-03-13", 0.4116, -0.108), ("2020-03-13", 0.4116, 0.06), ("2020-03-23", 0.671, -0.167),
        ("2024-06-04", 0.2094, -0.096), ("2025-04-07", 0.1376, -0.051), ("2015-08-24", 0.17115, -0.069),
        ("2013-09-05", 0.3111, 0.095), ("2020-03-23", 0.0, -0.199),
    ],
)  # fmt: skip
def test_no_day_of_a_crash_is_taken_for_another_unit(day: str, volatility: float, move: float) -> None:
    on = datetime.date.fromisoformat(day)
    one = page(at_time(on, 11, 0), spot=round(SPOT * (1 + move)))
    assert Scale(RULES, official(SPOT, volatility, on)).far_spot(one) == ""


def test_how_far_a_spot_may_lie_goes_by_the_volatility_known_before() -> None:
    limits = {volatility: move_max_bp(official(SPOT, volatility), FRIDAY) for volatility in (0.0, 0.12, 0.25, 0.6)}
    assert limits == {0.0: 2_000, 0.12: 1_200, 0.25: 1_417, 0.6: 2_000}


def test_an_official_close_of_the_day_itself_or_of_long_ago_is_no_measure() -> None:
    for days in (0, 8):
        known = Official(closes={"NIFTY": {FRIDAY - datetime.timedelta(days=days): SPOT * 2}})
        assert apart(page(), official=known) == {}


def test_a_market_that_moves_before_the_open_is_in_another_time_zone() -> None:
    early = [page(at_time(FRIDAY, 4, 15 * i), spot=SPOT + 500 * i) for i in range(4)]
    later = [page(NINE + i * MINUTE, spot=SPOT + 9_000 + 500 * i) for i in range(3)]
    assert apart(*early, *later) == {
        "before the open": 2 * len(STRIKES),
        "moves before the open: wrong time zone?": 5 * len(STRIKES),
    }
    assert apart(*early[:2], *later) == {"before the open": 2 * len(STRIKES)}


def test_two_replies_under_one_stamp_are_kept_apart() -> None:
    mixed = Doubted(**asdict(page(NINE + MINUTE, spot=SPOT + 500)), doubt="two spots at one moment")
    assert apart(page(), mixed, page(NINE + 2 * MINUTE, spot=SPOT + 1_000)) == {"two spots at one moment": len(STRIKES)}


def test_last_fridays_prices_under_another_date_are_kept_apart() -> None:
    monday = datetime.date(2019, 4, 15)
    weekend = page(at_time(datetime.date(2019, 4, 13), 10, 0))
    stale, later = page(at_time(monday, 9, 20)), page(at_time(monday, 9, 45))
    fresh = replace(page(at_time(monday, 10, 0)), spot=SPOT + 500)
    assert apart(page(), weekend, stale, later, fresh) == {
        "weekend polled": len(STRIKES),
        "repeats a page before": 2 * len(STRIKES),
    }


def test_a_page_that_stood_still_while_its_inferred_expiry_moved_on_is_stale() -> None:
    monthly = datetime.date(2019, 4, 25)
    assert apart(page(), page(NINE + 15 * MINUTE, expiry=monthly)) == {"repeats a page before": len(STRIKES)}


def test_two_scrips_may_look_alike() -> None:
    assert apart(page(), replace(page(NINE + MINUTE, cells=CELLS[:2]), symbol="BANKNIFTY")) != {
        "repeats a page before": len(STRIKES)
    }


def test_a_page_that_was_cut_while_it_stood_still_is_stale() -> None:
    fresh = page(NINE + 30 * MINUTE, spot=SPOT + 500)
    cut = page(NINE + 45 * MINUTE, cells=CELLS[:-2], rows=3)
    assert apart(page(at_time(FRIDAY, 9, 7)), page(), fresh, cut) == {
        "before the open": len(STRIKES),
        "repeats a page before": len(STRIKES) + 3,
    }


def test_a_source_that_goes_back_to_an_older_page_is_not_believed() -> None:
    steps = [page(NINE + i * MINUTE, spot=SPOT + 500 * i) for i in range(5)]
    back = page(NINE + 9 * MINUTE, spot=SPOT + 500)
    assert apart(*steps, back) == {"repeats a page before": len(STRIKES)}
    tuesday = at_time(datetime.date(2019, 4, 15), 9, 30)
    assert apart(*steps, replace(back, at=tuesday)) == {"repeats a page before": len(STRIKES)}


def test_quotes_that_stand_while_the_spot_moves_are_a_new_page() -> None:
    assert apart(page(), page(NINE + MINUTE, spot=SPOT + 500)) == {}


def test_a_page_from_before_the_one_before_it_is_kept_apart() -> None:
    assert apart(page(), page(NINE - MINUTE, spot=SPOT + 500)) == {"time goes backwards": len(STRIKES)}


def test_a_second_page_of_the_same_moment_is_kept_apart() -> None:
    assert apart(page(), page(spot=SPOT + 500)) == {"twice at one time": len(STRIKES)}


def test_a_spot_that_leaps_is_kept_apart_and_the_next_one_is_not() -> None:
    half = tuple(replace(cell, strike=cell.strike // 2) for cell in CELLS)
    leap, back = page(NINE + MINUTE, spot=SPOT // 2, cells=half), page(NINE + 2 * MINUTE, spot=SPOT + 500)
    assert apart(page(), leap, back) == {"spot out of line": len(STRIKES)}


def test_a_spot_that_leaps_overnight_is_believed_on_the_second_day() -> None:
    half = tuple(replace(cell, strike=cell.strike // 2) for cell in CELLS)
    after = [
        page(at_time(datetime.date(2019, 4, day), 10, 0), spot=SPOT // 2 + day, cells=half) for day in (15, 16, 18)
    ]
    assert apart(page(), *after) == {"spot out of line": len(STRIKES)}


def test_an_expiry_of_next_year_may_still_be_moved() -> None:
    at = at_time(datetime.date(2025, 10, 28), 11, 0)
    listed = page(
        at, expiry=datetime.date(2026, 3, 31), cells=tuple(replace(c, bid_size=75, ask_size=75) for c in CELLS)
    )
    assert apart(listed) == {}, "31 March 2026 became a holiday, and the expiry the 30th"


def test_what_is_kept_apart_is_handed_on_with_its_reason() -> None:
    kept: list[tuple[Page, str]] = []
    found = Findings(sink=lambda one, why: kept.append((one, why)))
    assert list(screen([page(spot=0)], RULES, found)) == []
    assert kept == [(page(spot=0), "no spot")]


# --- quotes (what cannot be honest: test_bounds.py) ---


def test_bad_quotes_are_emptied_counted_and_handed_on_and_the_rest_of_the_page_stands() -> None:
    kept: list[tuple[Page, str]] = []
    found = Findings(sink=lambda one, why: kept.append((one, why)))
    crossed = replace(CELLS[0], bid=CELLS[0].ask + 500)
    (good,) = screen([page(cells=(crossed, *CELLS[1:]))], RULES, found)
    assert good == page(cells=(replace(CELLS[0], bid=0, ask=0, bid_size=0, ask_size=0), *CELLS[1:]))
    assert kept == [(page(cells=(crossed,), rows=0), "crossed")], "with no rows of its own: those are the page's"
    (of,) = found.days.values()
    assert (of.bad_quotes, of.quotes, of.contracts) == ({"crossed": 1}, len(CELLS) - 1, len(CELLS))


def test_sizes_of_modelled_quotes_and_far_expiries_are_not_doubted() -> None:
    odd = tuple(replace(c, bid_size=1, ask_size=1) for c in CELLS)
    assert apart(page(cells=odd, is_modelled=True)) == {}


# --- gaps ---


def test_expiries_that_are_polled_one_after_another_leave_no_gap() -> None:
    weekly, monthly = NEXT, datetime.date(2019, 4, 25)
    found = Findings()
    polled = [
        page(NINE + (15 * i + j) * MINUTE, expiry=expiry, spot=SPOT + 500 * (2 * i + j))
        for i in range(4)
        for j, expiry in enumerate((weekly, monthly))
    ]
    assert len(list(screen(polled, RULES, found))) == 8
    (of,) = found.days.values()
    assert (of.gaps_s, of.waits_s) == ([], [15 * 60] * 3)


def test_a_wait_of_more_than_twice_the_usual_is_a_gap() -> None:
    minutes = [0, 15, 30, 45, 90, 105]
    found = Findings()
    list(screen([page(NINE + m * MINUTE, spot=SPOT + 500 * m) for m in minutes], RULES, found))
    (of,) = found.days.values()
    assert of.gaps_s == [45 * 60.0]
    assert of.pages == 6
