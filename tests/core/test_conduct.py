"""Halts, position limits, orders by program and margins near expiry: by the day, and refused where nothing is known."""

from collections.abc import Callable
from datetime import date, time

import pytest

from participant.config import load_rules
from participant.core.limits import REGISTERED_FROM
from participant.core.outside import OutsideRules
from participant.core.scrip import Kind

RULES = load_rules()
DAY = date(2026, 11, 26)


@pytest.mark.parametrize(
    ("at", "level"),
    [(time(9, 15), 0.10), (time(14, 29, 59), 0.10), (time(14, 30), 0.15), (time(15, 20), 0.15)],
)
def test_the_move_that_halts_the_market_goes_by_the_time_of_day_and_is_that_of_a_broad_index(
    at: time, level: float
) -> None:
    assert RULES.halt_level("NIFTY", at, DAY) == RULES.halt_level("SENSEX", at, DAY) == level
    assert RULES.halt_level("BANKNIFTY", at, DAY) is None


def test_how_long_a_halt_lasts_goes_by_the_move_and_the_time_of_day() -> None:
    told = {(row.move, row.begins): (row.halt_minutes, row.auction_minutes) for row in RULES.halts}
    assert told == {
        (0.10, time(9, 0)): (45, 15),
        (0.10, time(13, 0)): (15, 15),
        (0.10, time(14, 30)): (0, 0),
        (0.15, time(9, 0)): (105, 15),
        (0.15, time(13, 0)): (45, 15),
        (0.15, time(14, 0)): (None, 0),
        (0.20, time(9, 0)): (None, 0),
    }


def test_position_limits_are_those_of_the_options_of_indices() -> None:
    close = RULES.position_limit("NIFTY", Kind.CALL, "close", DAY)
    assert (close.net, close.gross) == (1_500 * 10**9, 10_000 * 10**9)
    intraday = RULES.position_limit("BANKNIFTY", Kind.PUT, "intraday", date(2025, 10, 1))
    assert (intraday.net_crore, intraday.gross_crore) == (5_000, 10_000)


def test_orders_by_program_are_bound_since_april_2026() -> None:
    (rule,) = (row for row in RULES.algo_rules if row.holds(DAY))
    assert rule.since == date(2026, 4, 1)
    assert rule.orders_per_second_max == REGISTERED_FROM, "what signed limits are held to is the rule of the day"
    assert (rule.orders_per_second_max, rule.log_years) == (10, 5)
    assert rule.is_static_ip_required
    assert rule.is_tag_required
    assert rule.is_logged_out_daily


@pytest.mark.parametrize(
    ("symbol", "on", "is_offset"),
    [
        ("NIFTY", date(2025, 1, 31), True),
        ("NIFTY", date(2025, 2, 1), False),
        ("INFY", date(2026, 5, 4), True),
        ("INFY", date(2026, 5, 5), False),
    ],
)
def test_what_expires_stops_offsetting_later_expiries_by_the_class_of_its_underlying(
    symbol: str, on: date, is_offset: bool
) -> None:
    assert RULES.calendar_offset(symbol, on) is is_offset


def test_the_margin_before_delivery_grows_over_the_last_four_sessions() -> None:
    expiry = date(2026, 12, 29)
    assert [RULES.delivery_margin("INFY", left, expiry) for left in (6, 5, 4, 3, 2, 1, 0)] == [
        0.0, 0.0, 0.10, 0.25, 0.45, 0.70, 1.0,
    ]  # fmt: skip
    assert RULES.delivery_margin("NIFTY", 1, expiry) == 0.0


def test_a_futures_operating_range_is_a_tenth_and_an_options_no_figure() -> None:
    assert RULES.operating_range(Kind.FUTURE, DAY) == 0.10
    with pytest.raises(OutsideRules, match="the operating range of CE"):
        RULES.operating_range(Kind.CALL, DAY)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda: RULES.halt_level("NIFTY", time(10, 0), date(2017, 12, 29)),
            "market-wide halts on 2017-12-29; known: 2018",
        ),
        (
            lambda: RULES.position_limit("NIFTY", Kind.CALL, "close", date(2025, 6, 30)),
            "the position limit of NIFTY CE",
        ),
        (
            lambda: RULES.position_limit("INFY", Kind.CALL, "close", DAY),
            r"the position limit of INFY CE \(close\): add a",
        ),
        (lambda: RULES.position_limit("NIFTY", Kind.FUTURE, "close", DAY), "the position limit of NIFTY FUT"),
        (lambda: RULES.calendar_offset("SENSEX", DAY), "calendar spreads of SENSEX"),
        (
            lambda: RULES.delivery_margin("NHPC", 1, date(2019, 10, 31)),
            "delivery margins on 2019-10-31; known: 2020-10",
        ),
        (lambda: RULES.delivery_margin("INFY", -1, DAY), "INFY has expired on 2026-11-26"),
        (lambda: RULES.delivery_margin("SENSEX", 1, DAY), "SENSEX, neither an index nor a stock"),
    ],
)
def test_what_no_row_covers_is_refused(ask: Callable[[], object], said: str) -> None:
    with pytest.raises(OutsideRules, match=said):
        ask()


def test_a_stocks_margin_is_wider_than_an_indexs_on_each_day() -> None:
    for day in (date(2018, 1, 1), date(2019, 6, 13), date(2022, 11, 3), DAY):
        stock, index = RULES.margin_rates("INFY", day), RULES.margin_rates("NIFTY", day)
        assert stock.price_scan_min > index.price_scan_min
        assert stock.volatility_scan_min > index.volatility_scan_min
        assert stock.exposure > index.exposure
        assert stock.expiry_day_short_exposure == 0.0
