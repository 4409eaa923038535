"""Days that may move a scrip, and whether one is so near that nothing is opened."""

import datetime

from participant.core.rulebook import ONE_DAY, SHUT_DAYS_MAX
from participant.core.rulerows import Confidence, Event
from participant.core.strategy import Case, Figures, Gate

AHEAD_DAYS = 400  # as far as a known event is looked for


def events(case: Case, first: datetime.date, last: datetime.date) -> list[Event]:
    """The events of the rules and of the scrip's own row from one day to another, in their order."""
    own = [Event(e.day, e.name, e.source, Confidence.HIGH) for e in case.scrip.events if first <= e.day <= last]
    known = [*own, *case.rules.events(case.scrip.symbol, first, last)]
    return sorted(known, key=lambda event: (event.day, event.name))


def next_event(case: Case) -> Event | None:
    """The next event from today on; None where none is known, which does not say that there is none."""
    ahead = events(case, case.day, case.day + AHEAD_DAYS * ONE_DAY)
    return ahead[0] if ahead else None


def near_event(case: Case) -> Event | None:
    """The event in whose blackout today lies: so many sessions before it, its day, and so many sessions after."""
    weights = case.weights
    if weights.blackout == "off":
        return None
    reach = (weights.blackout_sessions_before + weights.blackout_sessions_after + 1) * SHUT_DAYS_MAX * ONE_DAY
    near = events(case, case.day - reach, case.day + reach)
    return next((event for event in near if _is_near(case, event.day)), None)


def _is_near(case: Case, day: datetime.date) -> bool:
    is_ahead = day >= case.day
    sessions = case.weights.blackout_sessions_before if is_ahead else case.weights.blackout_sessions_after
    for _ in range(sessions):
        day = _towards_today(case, day)
    return day == case.day


def _towards_today(case: Case, day: datetime.date) -> datetime.date:
    """The next session on the way from a day to today; where the calendar is not known yet, the next weekday."""
    step = -ONE_DAY if day > case.day else ONE_DAY
    while day != case.day:
        day += step
        is_known = case.rules.is_calendar_known(day)
        if case.rules.session(day) is not None if is_known else day.isoweekday() <= 5:
            break
    return day


def blackout_gate(case: Case) -> Gate:
    """Whether nothing is opened for the sake of an event, which is named with its source."""
    event = near_event(case)
    if event is None:
        return Gate("event")
    figures: Figures = {"blackout_event": event.name, "blackout_day": event.day.isoformat()}
    return Gate("event", f"{told(event)} is near: nothing is opened", event.day.isoformat(), None, figures)


def closing_event(case: Case) -> Gate:
    """Whether what is held is closed for the sake of an event."""
    event = near_event(case) if case.weights.blackout == "close" else None
    return Gate("event", f"{told(event)} is near" if event else "", event.day.isoformat() if event else None)


def told(event: Event) -> str:
    """An event for a sentence, with its source, and how far that goes where it may well be otherwise."""
    doubt = ", low confidence" if event.confidence is Confidence.LOW else ""
    return f"{event.name} on {event.day} ({event.source}{doubt})"
