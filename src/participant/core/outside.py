"""Rows found by their day, and what is said where none covers it: nothing is guessed."""

import datetime
from collections.abc import Sequence
from typing import TypeVar

from participant.core.rulerows import Dated

ONE_DAY = datetime.timedelta(days=1)


class OutsideRules(LookupError):
    """Asked beyond what the rules know: what was asked, what is known, and how to mend it."""


Row = TypeVar("Row", bound=Dated)


def row_on(rows: Sequence[Row], day: datetime.date, what: str, file: str) -> Row:
    """The first of these rows that is in force on a day; raises OutsideRules, with the spans that are known."""
    for row in rows:
        if row.holds(day):
            return row
    if not rows:
        raise OutsideRules(f"no rule for {what}: add a row to rules/{file}")
    raise OutsideRules(f"no rule for {what} on {day}; known: {_known(rows)}: add a row to rules/{file}")


def _known(rows: Sequence[Dated]) -> str:
    """The spans that rows cover, rows that follow one another as one."""
    spans: list[tuple[datetime.date, datetime.date | None]] = []
    for row in sorted(rows, key=lambda row: row.since):
        if spans and (spans[-1][1] is None or row.since <= spans[-1][1] + ONE_DAY):
            spans[-1] = (spans[-1][0], row.until)
        else:
            spans.append((row.since, row.until))
    return ", ".join(f"{since} to {until or 'further notice'}" for since, until in spans)
