"""Events: what the rules and a user know of them, and what is not opened for their sake."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from participant.config import load_rules
from participant.core.blackout import blackout_gate, events, near_event, next_event
from participant.core.brain import decide
from participant.core.decision import Action
from participant.core.rulerows import Confidence, EventDays
from participant.core.scrip import OwnEvent, Scrip, Weights
from participant.core.session import at_time
from participant.core.strategy import Case
from tests.core.worlds import DAY, RULES, account, chain_state, position

RULES_AS_SHIPPED = load_rules()


def case(day: date, *own: OwnEvent, **weights: Any) -> Case:
    state = replace(chain_state(), exchange_at=at_time(day, 12, 0))
    return Case(Scrip("NIFTY", weights=Weights(**weights), events=own), state, position(), account(), RULES)


def near(day: date, event: date, **weights: Any) -> bool:
    """Whether a day lies in the blackout of one event."""
    return near_event(case(day, OwnEvent(event, "results"), **weights)) is not None


def test_the_known_events_of_a_span_come_in_their_order_with_their_source() -> None:
    found = RULES_AS_SHIPPED.events("NIFTY", date(2024, 6, 1), date(2024, 8, 8))
    assert [(event.day.isoformat(), event.name) for event in found] == [
        ("2024-06-04", "general election results"),
        ("2024-06-07", "RBI policy"),
        ("2024-07-23", "Union Budget"),
        ("2024-08-08", "RBI policy"),
    ]
    assert all(len(event.source) > 10 for event in found)


def test_an_event_of_one_scrip_is_not_anothers() -> None:
    row = EventDays(
        since=DAY, until=DAY, source="made up", confidence=Confidence.LOW, name="split", days=(DAY,), symbol="INFY"
    )
    rules = replace(RULES, event_days=(row,))
    assert [event.name for event in rules.events("INFY", DAY, DAY)] == ["split"]
    assert rules.events("NIFTY", DAY, DAY) == ()


def test_a_scrips_own_events_stand_among_the_others() -> None:
    one = case(DAY, OwnEvent(date(2027, 1, 30), "results", "the exchange's notice"))
    found = events(one, DAY, date(2027, 2, 1))
    assert [(event.name, event.source) for event in found] == [
        ("results", "the exchange's notice"),
        ("Union Budget", "the custom since 2017, not announced yet"),
    ]
    first = next_event(one)
    assert first is not None
    assert first.name == "results"


@pytest.mark.parametrize(
    ("day", "before", "after", "is_near"),
    [
        ("2026-09-16", 0, 0, True),
        ("2026-09-15", 0, 0, False),
        ("2026-09-15", 1, 0, True),
        ("2026-09-11", 1, 0, False),
        ("2026-09-11", 2, 0, True),  # the 14th is a holiday, and a weekend lies before it
        ("2026-09-17", 0, 0, False),
        ("2026-09-17", 0, 1, True),
        ("2026-09-18", 0, 1, False),
        ("2026-09-21", 0, 3, True),
    ],
)
def test_the_blackout_is_counted_in_sessions(day: str, before: int, after: int, is_near: bool) -> None:
    counts = {"blackout_sessions_before": before, "blackout_sessions_after": after}
    assert near(date.fromisoformat(day), DAY, **counts) is is_near


def test_an_event_beyond_the_known_calendar_is_counted_in_weekdays() -> None:
    assert near(date(2026, 12, 31), date(2027, 1, 4), blackout_sessions_before=2)
    assert not near(date(2026, 12, 31), date(2027, 1, 4), blackout_sessions_before=1)


def test_an_event_on_a_day_without_a_session_keeps_out_of_the_session_before() -> None:
    assert near(date(2026, 9, 11), date(2026, 9, 13), blackout_sessions_before=1)
    assert not near(date(2026, 9, 11), date(2026, 9, 13), blackout_sessions_before=0)


def test_in_a_blackout_nothing_opens_and_the_event_is_named_with_its_source() -> None:
    scrip = Scrip("NIFTY", events=(OwnEvent(DAY + timedelta(days=1), "results", "the exchange's notice"),))
    decision = decide(scrip, chain_state(), position(), account(), RULES)
    assert (decision.action, decision.legs) == (Action.MAINTAIN, ())
    assert decision.reason == "results on 2026-09-17 (the exchange's notice) is near: nothing is opened"
    assert (decision.figures["blackout_event"], decision.figures["blackout_day"]) == ("results", "2026-09-17")
    off = replace(scrip, weights=Weights(blackout="off"))
    assert decide(off, chain_state(), position(), account(), RULES).action is Action.OPEN


def test_an_event_of_low_confidence_says_so() -> None:
    row = EventDays(since=DAY, until=DAY, source="hearsay", confidence=Confidence.LOW, name="Budget", days=(DAY,))
    one = replace(case(DAY), rules=replace(RULES, event_days=(row,)))
    assert blackout_gate(one).said == f"Budget on {DAY} (hearsay, low confidence) is near: nothing is opened"
