"""Where in the trading day an instant lies."""

import datetime
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from participant.config import load_rules
from participant.core.rulebook import OutsideRules
from participant.core.session import SECOND, Phase, at_time, day_of, phase, session_seconds_since

RULES = load_rules()
FRIDAY, MONDAY, HOLIDAY, WEDNESDAY = date(2026, 11, 20), date(2026, 11, 23), date(2026, 11, 24), date(2026, 11, 25)
IST = datetime.timezone(datetime.timedelta(hours=5, minutes=30))


@given(st.datetimes(timezones=st.just(IST)))
def test_wall_times_and_instants_agree_with_the_librarys_clock(wall: datetime.datetime) -> None:
    wall = wall.replace(microsecond=0)
    at = at_time(wall.date(), wall.hour, wall.minute, wall.second)
    assert at == int(wall.timestamp()) * SECOND
    assert day_of(at) == wall.date()


def test_the_indian_day_begins_at_half_past_six_in_the_evening_before_in_utc() -> None:
    midnight = at_time(FRIDAY, 0, 0)
    assert datetime.datetime.fromtimestamp(midnight / SECOND, datetime.UTC).time() == datetime.time(18, 30)
    assert (day_of(midnight - 1), day_of(midnight)) == (date(2026, 11, 19), FRIDAY)


def test_a_day_goes_from_closed_to_closed_by_the_rulebooks_hours() -> None:
    changes = [(9, 0, Phase.PRE_OPEN), (9, 15, Phase.OPEN), (15, 40, Phase.POST_CLOSE), (16, 0, Phase.CLOSED)]
    before = Phase.CLOSED
    for hour, minute, after in changes:
        at = at_time(FRIDAY, hour, minute)
        assert (phase(RULES, at - 1), phase(RULES, at)) == (before, after)
        before = after


def test_the_close_moves_with_the_date() -> None:
    closes = {date(2026, 7, 31): (15, 30), date(2026, 8, 3): (15, 40), date(2026, 12, 7): (15, 45)}
    for day, (hour, minute) in closes.items():
        at = at_time(day, hour, minute)
        assert (phase(RULES, at - 1), phase(RULES, at)) == (Phase.OPEN, Phase.POST_CLOSE)


@pytest.mark.parametrize("day", [date(2026, 11, 22), HOLIDAY], ids=["Sunday", "holiday"])
def test_a_day_without_a_session_is_closed_all_day(day: date) -> None:
    assert {phase(RULES, at_time(day, hour, 0)) for hour in range(24)} == {Phase.CLOSED}


def test_only_open_time_counts_between_two_instants() -> None:
    since = at_time(FRIDAY, 15, 30)
    assert session_seconds_since(RULES, since, at_time(FRIDAY, 15, 35)) == 300
    assert session_seconds_since(RULES, since, at_time(MONDAY, 9, 0)) == 600
    assert session_seconds_since(RULES, since, at_time(MONDAY, 9, 20)) == 600 + 300
    # Monday has 6 hours 25 minutes; Tuesday is a holiday.
    assert session_seconds_since(RULES, since, at_time(WEDNESDAY, 9, 15)) == 600 + 23_100
    assert session_seconds_since(RULES, at_time(HOLIDAY, 1, 0), at_time(HOLIDAY, 23, 0)) == 0


def test_no_time_passes_backwards() -> None:
    assert session_seconds_since(RULES, at_time(FRIDAY, 12, 0), at_time(FRIDAY, 11, 0)) == 0
    assert session_seconds_since(RULES, at_time(MONDAY, 12, 0), at_time(FRIDAY, 11, 0)) == 0


def test_time_that_the_calendar_does_not_know_is_not_counted_but_refused() -> None:
    with pytest.raises(OutsideRules, match=r"the trading calendar on 1970-01-01"):
        session_seconds_since(RULES, 0, at_time(FRIDAY, 12, 0))
    with pytest.raises(OutsideRules, match=r"2027-01-01; known: 2018-01-01 to 2026-12-31: add a row to rules/calendar"):
        phase(RULES, at_time(date(2027, 1, 1), 12, 0))
