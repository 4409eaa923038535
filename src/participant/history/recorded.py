"""A recorded day as an exchange plays it: pages become instants, covers are derived, and the rest is official.

No recorded set quotes futures or stocks, so these are derived (`history/derived.py`) and marked so. Pages that a
collector polled in one round are one instant, at the last of them. Nothing settles at a last seen price: what
has no official price of the day and would need one tonight is not in the day's master.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import chain, repeat

from msgspec import Struct
from msgspec.structs import replace

from participant.core.ids import digest
from participant.core.in_force import doubtful
from participant.core.market import SECOND, LookBack, Provenance, Tick
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, contract_key, shares_of
from participant.core.session import at_time
from participant.history.bhavcopy import PLAYED
from participant.history.cells import by_symbol, chains_of, listed_of, options_on
from participant.history.derived import DerivedFuture, Round, Terms, closed, derive, error_bp, stock_quote
from participant.history.official import Official
from participant.history.pages import Cell, Page, newest, rounds
from participant.history.synthetic import Instant
from participant.history.terms import NO_TERMS, DayTerms

CLOSES = "one page, of the day's closes: quotes are modelled around them, and nothing is known of the hours before"
HELD_S = 20  # twice that is less than a quote may be old, and than the desk waits to decide again
SEED_DIGITS = 12
DERIVED_LOTS = 20  # the size shown at a derived quote: stated, not seen
STOCK_DERIVED = "the stock's own quote derived"  # a mark of the market state
INDICES = ("NIFTY", "BANKNIFTY", "FINNIFTY", "MIDCPNIFTY", "NIFTYNXT50")  # no index can be bought itself


class Recording(Struct, frozen=True):
    """What a day is played from: its screened pages by symbol, the look-backs, and what is to be said of them.

    Of the scrips in `adjusted` a corporate action has changed contracts that were listed before. `terms` are those of
    the day by brokers' masters, which go before the rulebook's.
    """

    pages: Mapping[str, Sequence[Page]]
    look_backs: Mapping[str, LookBack]
    notes: tuple[str, ...] = ()
    adjusted: frozenset[str] = frozenset()
    terms: DayTerms = NO_TERMS


class RecordedMarket:
    """One recorded day of some underlyings, an instant for every round of pages."""

    step_s = 0  # its instants are those that were recorded

    def __init__(self, day: datetime.date, recording: Recording, official: Official, rules: Rulebook) -> None:
        self.day = day
        self.symbols = tuple(sorted(recording.pages))
        self._recording, self._official, self._rules = recording, official, rules

    @cached_property
    def seed(self) -> int:
        """A number made of all that the day is played from: another recording has another."""
        pages = [[replace(p, cells=tuple(p.cells)) for p in mine] for mine in self._recording.pages.values()]
        names = [*pages, self._recording.look_backs, self.settlements()]
        return int(digest(*names)[:SEED_DIGITS], 16)

    def contracts(self) -> tuple[Contract, ...]:
        """The master of the day, made of what is recorded and listed, in the steps of the rulebook."""
        return tuple(contract for symbol in self.symbols for contract in self._master[symbol])

    def pages(self, symbol: str) -> Sequence[Page]:
        """What is recorded of a scrip, screened; nothing on a day of which only official prices are known."""
        return self._recording.pages.get(symbol, ())

    @property
    def adjusted(self) -> frozenset[str]:
        """The scrips of which contracts that were listed before are others by now."""
        return self._recording.adjusted

    def look_back(self, symbol: str) -> LookBack:
        """What was known of the sessions before."""
        return self._recording.look_backs.get(symbol, LookBack())

    def provenance(self, symbol: str) -> Provenance:
        """What no exchange quoted: covers, modelled quotes, and a volatility that is another's."""
        look_back = self.look_back(symbol)
        marks = ["recorded"]
        marks += ["covers derived"] if self._futures(symbol) else []
        marks += [STOCK_DERIVED] if symbol not in INDICES else []
        marks += ["quotes modelled"] if any(p.is_modelled for p in self._recording.pages[symbol]) else []
        if look_back.published:
            marks += [f"IV {'of' if look_back.iv30 else 'unknown for want of'} {look_back.published}"]
        return Provenance(tuple(marks), tuple(c.key for c in self._futures(symbol)))

    def notes(self) -> tuple[str, ...]:
        """What was left out, how covers were derived and how far off that was, whose volatility stands in."""
        said = list(self._recording.notes)
        for symbol in self.symbols:
            marks = self.provenance(symbol).marks
            said.append(f"{symbol}: {', '.join(marks)}")
            said += [f"{symbol}: {CLOSES}"] * self._is_close
            brokers = {t.broker for c in self._master[symbol] if (t := self._recording.terms.of.get(c.key))}
            said += [f"{symbol}: lots and ticks by the master of {', '.join(sorted(brokers))}"] * bool(brokers)
            said += [f"{future.key} {text}" for future in self._futures(symbol) if (text := self._error(future))]
            said += [*self._uncovered(symbol), *self._unsettled(symbol), *self._margined(symbol)]
        doubts = doubtful(self._rules, self.symbols, self.day)
        return (*said, *(f"rule of low confidence: {doubt}" for doubt in doubts))

    def instants(self) -> Iterator[Instant]:
        """The day, round by round; a day of which nothing is recorded has its close alone."""
        return self._played(self._option_ticks)

    def sheets(self) -> Iterator[Instant]:
        """The same day, its options as whole chains instead of ticks: what they make of a market state is the same."""
        listed = {symbol: listed_of(self._master[symbol]) for symbol in self.symbols}
        for pages, instant in zip(chain(self._rounds, repeat(())), self._played(_no_ticks), strict=False):
            chains = {symbol: chains_of(listed[symbol], mine) for symbol, mine in by_symbol(pages).items()}
            yield replace(instant, chains=chains)

    def _played(self, options: Callable[[str, Sequence[Page]], Iterable[Tick]]) -> Iterator[Instant]:
        session = self._rules.session(self.day)
        if not self._rounds and session is not None:
            yield Instant(session.close_at, (), True)
        shown: set[str] = set()
        for i, pages in enumerate(self._rounds):
            at = newest(pages).at
            said = [
                tick
                for symbol, mine in by_symbol(pages).items()
                for tick in chain(self._ticks(symbol, mine, at), options(symbol, mine))
            ]
            # A strike that no page has shown yet is not known of: it goes dark only once it was there.
            ticks = tuple(tick for tick in said if tick.bid or tick.ask or tick.last or tick.contract in shown)
            shown |= {tick.contract for tick in ticks}
            yield Instant(at, ticks, i == len(self._rounds) - 1 and not self._is_close)
        if self._is_close:
            # What is decided on the one page of a day is traded on it: the cover first, then the call.
            at = newest(self._rounds[0]).at
            yield Instant(at + HELD_S * SECOND, (), False)
            yield Instant(at + 2 * HELD_S * SECOND, (), True)

    def settlements(self) -> dict[str, int]:
        """The official prices, of what is played and of all else that may be held."""
        return self._official.prices(self.day)

    # --- the master ----------------------------------------------------------------------------------------------

    @cached_property
    def _master(self) -> dict[str, tuple[Contract, ...]]:
        return {s: (*self._listed(s), *self._options(s), *self._shares(s)) for s in self.symbols}

    @cached_property
    def _covers(self) -> dict[str, list[Contract]]:
        return {s: [c for c in mine if c.kind is Kind.FUTURE] for s, mine in self._master.items()}

    def _futures(self, symbol: str) -> list[Contract]:
        return self._covers[symbol]

    def _listed(self, symbol: str) -> Iterator[Contract]:
        """Futures that were listed the session before and that settle at an official price tonight.

        Whether there is such a price, a matter of the recording, is asked beforehand; what it is, never.
        """
        settled = self._official.futures(symbol, self.day)
        for expiry in self._official.listed(symbol, self.day):
            if expiry in settled:
                yield self._contract(symbol, expiry, Kind.FUTURE, 0)

    def _options(self, symbol: str) -> Iterator[Contract]:
        """What is on the day's pages, by expiry, strike, call before put; no state shows a strike before its page."""
        settles_today = self._official.close(symbol, self.day) is not None
        for expiry, strike, kind in sorted(options_on(self._recording.pages[symbol])):
            if expiry > self.day or settles_today:
                yield self._contract(symbol, expiry, kind, strike)

    def _shares(self, symbol: str) -> Iterator[Contract]:
        """The stock's own shares; the exchange fixes their tick and that of its futures alike."""
        if symbol not in INDICES:
            yield shares_of(symbol, self._tick(symbol, Kind.FUTURE), self._freeze(symbol))

    def _contract(self, symbol: str, expiry: datetime.date, kind: Kind, strike: int) -> Contract:
        freeze, term = self._freeze(symbol), self._recording.terms.of.get(contract_key(symbol, expiry, kind, strike))
        if term is not None:
            return Contract(symbol, expiry, kind, strike, term.lot, term.tick, freeze)
        lot = self._rules.lot(symbol, expiry, self.day)
        return Contract(symbol, expiry, kind, strike, lot, self._tick(symbol, kind), freeze)

    def _freeze(self, symbol: str) -> int:
        return self._recording.terms.freezes.get(symbol) or self._rules.freeze(symbol, self.day)

    def _tick(self, symbol: str, kind: Kind) -> int:
        return self._rules.tick(symbol, kind, self._recording.pages[symbol][0].spot, self.day)

    def _unsettled(self, symbol: str) -> list[str]:
        if self._official.close(symbol, self.day) is not None:
            return []
        return [f"{symbol} has no official close on {self.day}: what would settle tonight is not in the master"]

    def _margined(self, symbol: str) -> list[str]:
        """By which scan ranges its margin goes, where a file of published ones was named."""
        scan = self._rules.scan(symbol, self.day)
        if scan is not None:
            ranges = f"{scan.price_scan:.2%} of the price and {scan.volatility_scan:.0%} of volatility"
            return [f"{symbol}: margins by the published scan ranges of the day, {ranges} ({scan.source})"]
        return [f"{symbol}: no scan range was published for the day, margins by the rules"] * bool(self._rules.scans)

    def _uncovered(self, symbol: str) -> list[str]:
        """Which futures are listed and not in the master, or that none is listed."""
        listed, known = self._official.listed(symbol, self.day), {future.expiry for future in self._futures(symbol)}
        if not listed:
            return [f"{symbol}: no cover, no future is listed in the official series"]
        lacking = ", ".join(contract_key(symbol, expiry, Kind.FUTURE) for expiry in listed if expiry not in known)
        return [f"{lacking}: listed, but without an official price on {self.day}: not in the master"] if lacking else []

    # --- instants ------------------------------------------------------------------------------------------------

    @property
    def _is_close(self) -> bool:
        """Whether the day is the closes of a bhavcopy and nothing else: they stand a little longer."""
        at = at_time(self.day, *PLAYED)
        return len(self._rounds) == 1 and all(page.is_modelled and page.at == at for page in self._rounds[0])

    @cached_property
    def _rounds(self) -> list[list[Page]]:
        return list(rounds(page for symbol in self.symbols for page in self._recording.pages[symbol]))

    def _ticks(self, symbol: str, pages: Sequence[Page], at: int) -> Iterator[Tick]:
        """What a round says of a scrip itself and its futures, each page at its own time."""
        spot, seen_at = newest(pages).spot, {page.expiry: page.at for page in pages}
        own = (0, 0, 0, 0)
        if symbol not in INDICES:
            bid, ask = stock_quote(spot, self._tick(symbol, Kind.FUTURE))
            size = DERIVED_LOTS * self._rules.lot(symbol, pages[0].expiry, self.day)
            own = (bid, ask, size, size)
        yield Tick(symbol, *own, spot, at)
        futures = {future.expiry: future for future in self._futures(symbol)}
        for derived in self._derived(symbol, pages, at):
            future = futures[derived.expiry]
            size = DERIVED_LOTS * future.lot
            told_at = seen_at.get(derived.expiry, at) if derived.how == "parity" else at
            yield Tick(future.key, derived.bid, derived.ask, size, size, 0, told_at)

    def _option_ticks(self, symbol: str, pages: Sequence[Page]) -> Iterator[Tick]:
        """What a round says of a scrip's options, each page at its own time; those that its pages lack go dark."""
        seen_at = {page.expiry: page.at for page in pages}
        cells = {(p.expiry, c.strike, c.kind): c for p in pages for c in p.cells}
        for contract in self._master[symbol]:
            if contract.expiry in seen_at and contract.kind is not Kind.FUTURE:
                cell = cells.get(
                    (contract.expiry, contract.strike, contract.kind), Cell(contract.kind, contract.strike)
                )
                yield Tick(contract.key, cell.bid, cell.ask, cell.bid_size, cell.ask_size, 0, seen_at[contract.expiry])

    def _derived(self, symbol: str, pages: Sequence[Page], at: int) -> list[DerivedFuture]:
        expiries = [future.expiry for future in self._futures(symbol)]
        tick, spot = self._tick(symbol, Kind.FUTURE), newest(pages).spot
        if self._is_close:  # of this one instant the future's own price is told, as those of the options are
            closes = self._official.futures(symbol, self.day)
            return closed({expiry: closes[expiry] for expiry in expiries}, spot, tick)
        seen = Round(symbol, at, spot, tuple(pages))
        return derive(expiries, seen, self._official, Terms(tick, self._rules.expiry_at))

    def _error(self, future: Contract) -> str:
        """How far the last derived quote of the day lies from the official close, or nothing."""
        for pages in reversed(self._rounds):
            mine = [page for page in pages if page.symbol == future.underlying]
            found = self._derived(future.underlying, mine, newest(mine).at) if mine else []
            for derived in (d for d in found if d.expiry == future.expiry):
                if derived.how == "close":
                    return "quoted around its own close"
                official = self._official.futures(future.underlying, self.day)[future.expiry]
                error = error_bp(derived.bid, derived.ask, official)
                return f"derived by {derived.how}: {error:+.1f} basis points from the official close at the end"
        return ""


def _no_ticks(symbol: str, pages: Sequence[Page]) -> Iterable[Tick]:
    return ()
