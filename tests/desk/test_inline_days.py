"""Recorded days through the whole desk in one process (`python -m tests.days` runs them all): what must hold."""

import datetime

from participant.config import load_rules
from participant.core.scrip import Scrip
from participant.history.recordings import load_day, open_recordings
from tests.days.__main__ import EAGER, OFFICIAL
from tests.days.desk import InlineDesk
from tests.history.recorded import DATA, needs_data


@needs_data
def test_an_eager_desk_opens_carries_and_settles_on_recorded_days_without_a_break_or_a_bare_call() -> None:
    """11, 12, 15, 16, 18 (an expiry) and 22 April 2019.

    What is closed on the last page of the 18th is closed at once, at that page's prices.
    """
    rules, recordings = load_rules(), open_recordings([DATA / "nse_chain_2018_10_to_2019_04", DATA / OFFICIAL])
    desk = InlineDesk([Scrip(symbol, weights=EAGER) for symbol in ("NIFTY", "BANKNIFTY")], rules)
    days = [desk.play(load_day(recordings, datetime.date(2019, 4, d), rules)) for d in (11, 12, 15, 16, 18, 22)]
    assert [day.faults for day in days] == [[]] * 6
    assert [day.breaks for day in days] == [0] * 6
    assert all(day.decisions for day in days)
    assert sum(day.opens for day in days) > 0
    assert sum(day.fills for day in days) >= 2
    assert (days[-2].closes, days[-2].denied) == (1, {})
    assert days[-1].closes > 0
    assert not days[-1].denied
    ended = datetime.date(2019, 4, 18)
    assert all(h.contract.expiry > ended for p in desk.positions() for h in p.holdings)
