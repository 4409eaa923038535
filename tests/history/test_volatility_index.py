"""The volatility index of recorded chains beside the India VIX that the exchange published of the same days."""

import datetime

import pytest

from bench.volatility import compared, last_before_close, published, recordings
from participant.config import load_rules
from participant.history.recordings import load_day
from tests.history.recorded import DATA, needs_data

POINTS = 0.15  # all 18 days lie within 0.12; the last snapshot is up to ten minutes older than the close


@needs_data
@pytest.mark.parametrize(
    ("day", "near_days"),
    [
        (datetime.date(2025, 10, 15), 13),
        (datetime.date(2025, 10, 23), 5),  # three sessions before the month ends
        (datetime.date(2025, 10, 24), 32),  # two: the next month is the near one
        (datetime.date(2025, 10, 28), 28),  # the day it ends
        (datetime.date(2025, 11, 7), 18),
    ],
)
def test_the_index_from_the_chain_is_the_published_one_within_a_few_hundredths(
    day: datetime.date, near_days: int
) -> None:
    rules = load_rules()
    state = last_before_close(load_day(recordings(DATA), day, rules), day, rules)
    assert state is not None
    row = compared(state, published(DATA)[day], rules)
    assert row is not None
    assert row.near_days == pytest.approx(near_days, abs=0.1)
    assert row.ours == pytest.approx(row.published, abs=POINTS)
