"""Recorded sets and catalogues, measured day by day (`quality.py`), with what was kept apart and what is missing."""

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from participant.core.rulebook import Rulebook
from participant.core.session import day_of
from participant.history import catalogue
from participant.history.official import Official
from participant.history.pages import BadData, Page
from participant.history.quality import Measuring, Quality, sessions_missing
from participant.history.readers import Source
from participant.history.survey import Days, Surveyor


class Measured(Struct, frozen=True):
    """Every scrip's day; rows that became no page, by reason; days of a catalogue that cannot be read, and why; files
    left aside; and by scrip the sessions between its first and its last day of which nothing can be used.
    """

    days: tuple[Quality, ...]
    left_out: dict[str, int]
    damaged: tuple[str, ...]
    aside: tuple[str, ...]
    missing: dict[str, tuple[datetime.date, ...]]


class Gauge:
    """Measures one place after the other; `begun` is called as a scrip's day begins."""

    def __init__(self, official: Official, rules: Rulebook, begun: Callable[[], None]) -> None:
        self._official, self._rules, self._begun = official, rules, begun
        self._surveyor = Surveyor(official, rules)
        self._days, self._left_out, self._damaged = list[Quality](), dict[str, int](), list[str]()

    def source(self, source: Source, days: Days | None) -> None:
        """A file of chains or a folder. Raises BadData where it cannot be read."""
        measuring, begun = Measuring(self._official), set[tuple[str, datetime.date]]()

        def keep(page: Page) -> None:
            name = (page.symbol, day_of(page.at))
            if name not in begun:
                begun.add(name)
                self._begun()
            measuring.see(page)

        self._surveyor.keep = keep
        survey = self._surveyor.survey(source, days)
        for reason, rows in survey.left_out.items():
            self._left_out[reason] = self._left_out.get(reason, 0) + rows
        for of in survey.days:
            told = (of.rows, of.bad_rows, of.bad_quotes, of.error_bp, of.how)
            self._add(measuring.measured(of.symbol, of.day), *told)

    def catalogue(self, folder: Path, names: Sequence[tuple[str, datetime.date]]) -> None:
        """These days of a catalogue, with the counts of their imports; one that cannot be read is named."""
        told = {(one.symbol, one.day): one for one in catalogue.imports(folder)}
        accepted = set(catalogue.days(folder))
        for name in names:
            self._begun()
            measuring, newest = Measuring(self._official), dict[datetime.date, Page]()
            try:
                for page in catalogue.read_day(folder, *name) if name in accepted else ():
                    measuring.see(page)
                    newest[page.expiry] = page
            except BadData as fault:
                self._damaged.append(str(fault))
                continue
            done, error = told.get(name), self._surveyor.error(*name, newest)
            counts = (done.rows, done.apart, done.bad_quotes) if done is not None else (0, {}, {})
            self._add(measuring.measured(*name), *counts, *error)

    def measured(self, aside: Sequence[str]) -> Measured:
        """All of it, by scrip and day."""
        days = sorted(self._days, key=lambda of: (of.symbol, of.day))
        missing = {}
        for symbol in dict.fromkeys(of.symbol for of in days):
            used = [of.day for of in days if of.symbol == symbol and of.pages]
            missing[symbol] = tuple(sessions_missing(self._rules, used))
        return Measured(tuple(days), self._left_out, tuple(self._damaged), tuple(aside), missing)

    def _add(
        self, seen: Quality, rows: int, bad_rows: dict[str, int], bad_quotes: dict[str, int], *error: object
    ) -> None:
        error_bp, how = error
        self._days.append(
            replace(seen, rows=rows, bad_rows=bad_rows, bad_quotes=bad_quotes, future_error_bp=error_bp, future_how=how)
        )
