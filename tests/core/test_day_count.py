"""Business time by hand, on a week with a holiday, and what must hold of it whenever."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.core.day_count import NIGHT, SESSION, SHUT_DAY, business_years
from participant.core.pricing import years_to
from participant.core.rulebook import OutsideRules
from participant.core.session import SECOND, at_time
from tests.core.worlds import RULES

MONDAY = datetime.date(2026, 9, 21)
FRIDAY, NEXT_MONDAY = datetime.date(2026, 9, 25), datetime.date(2026, 9, 28)
TUESDAY = datetime.date(2026, 9, 22)
BEFORE_GANDHI, AFTER_GANDHI = datetime.date(2026, 10, 1), datetime.date(2026, 10, 5)  # a holiday on a Friday
MUHURAT = datetime.date(2026, 11, 8)  # a Sunday
instants = st.integers(at_time(datetime.date(2026, 2, 2), 9, 0), at_time(datetime.date(2026, 11, 20), 18, 0))


def days(since: int, until: int) -> float:
    return business_years(RULES, since, until) * 252


def open_at(day: datetime.date) -> int:
    session = RULES.session(day)
    assert session is not None
    return session.open_at


def close_at(day: datetime.date) -> int:
    session = RULES.session(day)
    assert session is not None
    return session.close_at


def test_a_day_from_close_to_close_is_a_session_and_a_night() -> None:
    assert days(close_at(MONDAY), close_at(TUESDAY)) == pytest.approx(SESSION + NIGHT) == pytest.approx(1.0)


def test_within_a_session_and_within_a_night_time_runs_evenly() -> None:
    assert days(open_at(MONDAY), (open_at(MONDAY) + close_at(MONDAY)) // 2) == pytest.approx(SESSION / 2)
    assert days(close_at(MONDAY), (3 * close_at(MONDAY) + open_at(TUESDAY)) // 4) == pytest.approx(NIGHT / 4)


def test_a_weekend_weighs_two_shut_days_more_than_a_night_and_a_long_one_three() -> None:
    assert days(close_at(FRIDAY), open_at(NEXT_MONDAY)) == pytest.approx(NIGHT + 2 * SHUT_DAY)
    assert days(close_at(BEFORE_GANDHI), open_at(AFTER_GANDHI)) == pytest.approx(NIGHT + 3 * SHUT_DAY)


def test_a_short_session_weighs_by_its_length() -> None:
    session = RULES.session(MUHURAT)
    assert session is not None
    share = (session.close_at - session.open_at) / (22_500 * SECOND)
    assert 0 < share < 0.25
    assert days(session.open_at, session.close_at) == pytest.approx(SESSION * share)


def test_a_weekend_counts_far_less_than_in_calendar_time() -> None:
    since, until = at_time(FRIDAY, 15, 30), at_time(NEXT_MONDAY, 15, 30)
    assert business_years(RULES, since, until) < 0.6 * years_to(until, since)


@given(instants, instants, instants)
def test_business_time_adds_up_and_never_runs_back(a: int, b: int, c: int) -> None:
    a, b, c = sorted((a, b, c))
    assert business_years(RULES, a, c) == pytest.approx(business_years(RULES, a, b) + business_years(RULES, b, c))
    assert business_years(RULES, b, a) == 0.0


def test_a_year_of_business_time_is_near_one() -> None:
    since, until = at_time(datetime.date(2025, 1, 1), 15, 30), at_time(datetime.date(2025, 12, 31), 15, 30)
    assert business_years(RULES, since, until) == pytest.approx(1.0, abs=0.02)


def test_next_years_sessions_are_not_guessed() -> None:
    with pytest.raises(OutsideRules, match="trading calendar"):
        business_years(RULES, at_time(MONDAY, 12, 0), at_time(datetime.date(2031, 1, 31), 15, 30))
