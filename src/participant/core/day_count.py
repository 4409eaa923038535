"""How much time lies between two instants: calendar time, which decides, and business time, which knows the sessions.

Calendar time is `pricing.years_to`, actual/365: every hour counts alike, open or shut. Business time counts variance as
it comes. A usual session weighs SESSION, the gap to the next one NIGHT and SHUT_DAY more for each day between on which
the market stays shut; 252 of a session and its night are a year. Within a session and within a gap it runs evenly.

The weights were measured: on minutes of NIFTY and BANKNIFTY from January to August 2024 (without the three days round
the election count) 31 and 33 % of the variance of a day and its night came overnight, and a gap of more than a day
brought 1.3 and 1.1 times that of a plain night, on 2.5 days more (docs/volatility.md; K. French and R. Roll, *Stock
return variances*, 1986, found the same on New York).
"""

import datetime

from participant.core.session import SECOND, Calendar, Session, day_of

SESSION = 0.7
NIGHT = 0.3
SHUT_DAY = 0.03
SESSIONS_PER_YEAR = 252
# 09:15 to 15:30. A shorter session (Muhurat, a drill on a Saturday) weighs by its length, a longer one is as usual.
USUAL_SESSION_NS = 22_500 * SECOND


def business_years(rules: Calendar, since: int, until: int) -> float:
    """Business time between two instants (ns UTC) in years; 0 where `until` is not after `since`.

    Raises OutsideRules for days whose calendar is not known: the sessions of next year are not guessed.
    """
    if until <= since:
        return 0.0
    total, before, shut = 0.0, _last_before(rules, since), 0
    day = day_of(before.close_at)
    while before.close_at < until:
        day += datetime.timedelta(days=1)
        session = rules.session(day)
        if session is None:
            shut += 1
            continue
        gap = NIGHT + SHUT_DAY * shut
        total += gap * _share(before.close_at, session.open_at, since, until)
        total += _weight(session) * _share(session.open_at, session.close_at, since, until)
        before, shut = session, 0
    return total / SESSIONS_PER_YEAR


def _last_before(rules: Calendar, at: int) -> Session:
    """The last session that was closed at an instant."""
    day = day_of(at)
    while True:
        session = rules.session(day)
        if session is not None and session.close_at <= at:
            return session
        day -= datetime.timedelta(days=1)


def _weight(session: Session) -> float:
    return SESSION * min(1.0, (session.close_at - session.open_at) / USUAL_SESSION_NS)


def _share(begin: int, end: int, since: int, until: int) -> float:
    """How much of the span from begin to end lies between the two instants."""
    return max(0, min(end, until) - max(begin, since)) / (end - begin)
