"""A day as its feeds told it, played again: the venue says instant by instant what the desk believed then."""

import datetime
import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from participant.core.ids import digest
from participant.core.market import Down, LookBack, Mark, Provenance, Tick, Ticks
from participant.core.providers import Belief
from participant.core.scrip import Contract
from participant.history import heard
from participant.history.official import NOTHING, Official
from participant.history.pages import BadData
from participant.history.synthetic import Instant

SEED_DIGITS = 12


class HeardMarket:
    """One recorded day of the scrips in `symbols` (None: of all). Each mark of whoever was believed is an instant.

    Where nobody said who was believed, it is the provider that ended most instants. BadData where nothing can be
    played.
    """

    step_s = 0  # its instants are those that were recorded

    def __init__(
        self, folder: Path, day: datetime.date, symbols: Sequence[str] | None = None, official: Official = NOTHING
    ) -> None:
        self._folder, self.day, self._official = folder, day, official
        self._known = heard.known(folder, day)
        self._of = {r.scrip: r for r in self._known.references if symbols is None or r.scrip in symbols}
        self.symbols = tuple(self._of)
        self._wanted = {*self._of, *(c.key for r in self._of.values() for c in r.contracts)}
        if not self._of:
            there = ", ".join(r.scrip for r in self._known.references) or "nothing"
            raise BadData(f"{folder / str(day)} has {there}, and nothing of {', '.join(symbols or ())}")
        if self._last_at is None:
            raise BadData(f"{folder / str(day)}: no instant of the day was heard to its end: nothing can be played")

    @cached_property
    def seed(self) -> int:
        """A number made of all that the day is played from: another recording has another."""
        name = hashlib.blake2b(digest(self._known, self.symbols).encode())
        for file in heard.quote_files(self._folder, self.day):
            with file.open("rb") as opened:
                name.update(hashlib.file_digest(opened, "blake2b").digest())
        return int(name.hexdigest()[:SEED_DIGITS], 16)

    def contracts(self) -> tuple[Contract, ...]:
        """The master of the day, as the desk had it."""
        return tuple(contract for known in self._of.values() for contract in known.contracts)

    def look_back(self, symbol: str) -> LookBack:
        """What was known of the sessions before."""
        return self._of[symbol].look_back

    def provenance(self, symbol: str) -> Provenance:
        """What of it no exchange quoted, as it was then: a market that was made or derived stays so."""
        return self._of[symbol].provenance

    def notes(self) -> tuple[str, ...]:
        """That the day is a recording, and what it lacks."""
        said = [f"played from what the feeds said, recorded in {self._folder / str(self.day)}"]
        if not self._known.is_sealed:
            said.append("the recording is not sealed: it may have been cut off")
        if not self.settlements():
            said.append("the recording has no official prices: what would settle tonight does not")
        if missing := heard.lost(self._folder, self.day):
            said.append(f"the recording lacks {missing:,} rows and frames that could not be written")
        return tuple(said)

    def settlements(self) -> dict[str, int]:
        """The official prices that the desk settled at; those of a series beside it, where it kept none."""
        return dict(self._known.settlements) or self._official.prices(self.day)

    def instants(self) -> Iterator[Instant]:
        """The day, instant by instant; whatever its end, the last one is the last."""
        telling = _Telling(self._wanted)
        for event in heard.events(self._folder, self.day):
            name = event.provider
            if isinstance(event, Ticks):
                telling.hear(name, event.ticks, is_whole=event.is_snapshot)
            elif isinstance(event, Down):
                telling.void(name)
            elif isinstance(event, Mark) and event.at > telling.at and name == self._teller(event.received_at):
                yield Instant(event.at, telling.said(name, event.at), event.at == self._last_at)

    @cached_property
    def _beliefs(self) -> tuple[Belief, ...]:
        believed = tuple(b for b in self._known.believed if b.since)
        if believed:
            return believed
        ended = Counter(mark.provider for mark in self._marks).most_common(1)
        return (Belief(ended[0][0] if ended else "", 1, "ended most instants"),)

    def _teller(self, at: int) -> str:
        """Who was believed then; what was said before anybody was is the first one's."""
        n = bisect_right(self._beliefs, at, key=lambda belief: belief.since)
        return self._beliefs[max(0, n - 1)].provider

    @cached_property
    def _last_at(self) -> int | None:
        return max((m.at for m in self._marks if m.provider == self._teller(m.received_at)), default=None)

    @cached_property
    def _marks(self) -> list[Mark]:
        return heard.marks(self._folder, self.day)


class _Telling:
    """The books of the providers, what each has said since its last mark, and what has been told of it all."""

    def __init__(self, wanted: set[str]) -> None:
        self.at, self._last = 0, ""
        self._wanted = wanted
        self._books: dict[str, dict[str, Tick]] = {}
        self._news: dict[str, dict[str, Tick]] = {}
        self._told: dict[str, Tick] = {}

    def hear(self, name: str, ticks: Sequence[Tick], *, is_whole: bool) -> None:
        said = {tick.contract: tick for tick in ticks if tick.contract in self._wanted}
        if is_whole:
            self._books[name] = {}
            self._last = "" if name == self._last else self._last
        self._books.setdefault(name, {}).update(said)
        self._news.setdefault(name, {}).update(said)

    def void(self, name: str) -> None:
        self._books.pop(name, None)
        self._news.pop(name, None)

    def said(self, name: str, at: int) -> tuple[Tick, ...]:
        """What is new with an instant: of another teller than last, or of a whole book, all in which it differs."""
        book, news = self._books.get(name, {}), self._news.pop(name, {})
        if name != self._last:
            dark = {key: Tick(key, 0, 0, 0, 0, 0, at) for key in sorted(self._told.keys() - book.keys())}
            news = dark | {key: tick for key, tick in book.items() if tick != self._told.get(key)}
        self.at, self._last = at, name
        self._told.update(news)
        return tuple(news.values())
