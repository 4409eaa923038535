"""Made days as a catalogue: what a backtest can be tried on where nothing is recorded.

The chains are pages of the synthetic market (docs/synthetic.md), marked as a model's. Beside them lie the official
series that a look-back, a future's basis and every settlement are read from.
"""

import csv
import datetime
import os
import shutil
from collections.abc import Generator, Iterator, Sequence
from itertools import groupby
from pathlib import Path

from msgspec import Struct

from participant.core.market import Tick
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind
from participant.history import catalogue, paths
from participant.history.pages import BadData, Cell, Page
from participant.history.synthetic import SyntheticMarket
from participant.wire.rupees import rupees

ONE_DAY = datetime.timedelta(days=1)
VOLATILITY_OF = "NIFTY"  # whose 30-day volatility India VIX is
CLOSES = ("date", "symbol", "spot_close", "spot_prev", "sigma_underlying")
FUTURES = ("date", "symbol", "expiry", "close", "open_interest", "stated_lot")
VOLATILITIES = ("Date", "Open", "High", "Low", "Close", "Prev. Close", "% Change")
Line = Sequence[object]


class Making(Struct, frozen=True):
    """What is to be made: the days (both ends within), a page of each expiry every `step_s` seconds."""

    seed: int
    symbols: tuple[str, ...]
    first: datetime.date
    last: datetime.date
    step_s: int


def make_days(folder: Path, making: Making, rules: Rulebook) -> Generator[datetime.date, None, None]:
    """Make day after day, each of which is said once it is made; the folder stands when all of them are.

    BadData where the folder is there, or the rules or the synthetic market know no such days.
    """
    if folder.exists():
        raise BadData(f"{folder} is there already: name another folder")
    days = [day for day in _days(making.first, making.last) if _is_session(rules, day)]
    if not days:
        raise BadData(f"{making.first}..{making.last} has no trading day that the rules know")
    beside = folder.with_name(f"{folder.name}.unfinished")
    try:
        (beside / catalogue.OFFICIAL).mkdir(parents=True)
    except FileExistsError:
        raise BadData(f"{beside} is left of an earlier call, or another one makes it now: remove it first") from None
    try:
        yield from _make(beside, making, rules, days)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)  # where it was not finished


def _make(folder: Path, making: Making, rules: Rulebook, days: Sequence[datetime.date]) -> Iterator[datetime.date]:
    official = Series(rules, [*_eve(rules, days[0]), *days][0])
    for day in [*_eve(rules, days[0]), *days]:
        try:
            market = SyntheticMarket(making.seed, day, rules, _with_volatility(making.symbols), making.step_s)
        except ValueError as fault:
            raise BadData(str(fault)) from None
        official.add(market)
        if day not in days:
            continue
        by_symbol: dict[str, list[Page]] = {}
        for page in _pages(market, making.symbols):
            by_symbol.setdefault(page.symbol, []).append(page)
        for symbol, pages in by_symbol.items():
            rows = sum(page.rows for page in pages)
            done = catalogue.Import(symbol, day, pages[0].source, len(pages), rows, {}, {})
            catalogue.write_day(folder, done, pages, ())
        yield day
    official.write(folder / catalogue.OFFICIAL)


def _with_volatility(symbols: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*symbols, VOLATILITY_OF)))


def _days(first: datetime.date, last: datetime.date) -> Iterator[datetime.date]:
    return (first + i * ONE_DAY for i in range((last - first).days + 1))


def _is_session(rules: Rulebook, day: datetime.date) -> bool:
    return rules.is_calendar_known(day) and rules.session(day) is not None


def _eve(rules: Rulebook, day: datetime.date) -> list[datetime.date]:
    """The session before a day, if it can be made: its futures are those that are sure to trade on the day."""
    before = next(iter(_sessions_before(rules, day)))
    return [before] if before >= paths.ORIGIN else []


def _sessions_before(rules: Rulebook, day: datetime.date) -> Iterator[datetime.date]:
    """The sessions before a day, the newest first."""
    while True:
        day -= ONE_DAY
        if _is_session(rules, day):
            yield day


# --- chains -----------------------------------------------------------------------------------------------------------


def _pages(market: SyntheticMarket, symbols: Sequence[str]) -> Iterator[Page]:
    """Every expiry of these scrips at every instant, as a collector would have polled it."""
    contracts = [c for c in market.contracts() if c.kind is not Kind.FUTURE and c.underlying in symbols]
    source = f"made from seed {market.seed}"
    board: dict[str, Tick] = {}
    for instant in market.instants():
        board.update((tick.contract, tick) for tick in instant.ticks)
        live = (c for c in contracts if c.key in board and (board[c.key].bid or board[c.key].ask))
        for (symbol, expiry), some in groupby(live, key=lambda c: (c.underlying, c.expiry)):
            cells = tuple(_cell(contract, board[contract.key]) for contract in some)
            yield Page(instant.at, symbol, expiry, board[symbol].last, cells, len(cells), source, is_modelled=True)


def _cell(contract: Contract, tick: Tick) -> Cell:
    return Cell(contract.kind, contract.strike, tick.bid, tick.ask, tick.bid_size, tick.ask_size, tick.last)


# --- official series --------------------------------------------------------------------------------------------------


class Series:
    """The official series of made days as files: what the `first` day looks back on, and what every day added."""

    def __init__(self, rules: Rulebook, first: datetime.date) -> None:
        self.rules, self.first = rules, first
        self.closes: list[Line] = [CLOSES]
        self.futures: list[Line] = [FUTURES]
        self.volatilities: list[Line] = [VOLATILITIES]

    def add(self, market: SyntheticMarket) -> None:
        """A day's settlement prices, and 30-day volatility as it was at the close before."""
        prices = market.settlements()
        for symbol in market.symbols:
            back = market.look_back(symbol)
            before = _before(self.rules, market.day, len(back.closes) if market.day == self.first else 1)
            if market.day == self.first:
                self.closes += [_closed(d, symbol, close) for d, close in zip(before, back.closes, strict=True)]
            self.closes.append(_closed(market.day, symbol, prices[symbol]))
            if symbol == VOLATILITY_OF:
                ends = zip(before, back.iv30[-len(before) :], strict=True)
                self.volatilities += [(f"{d:%d-%b-%Y}", "", "", "", f"{100 * end:.4f}", "", "") for d, end in ends]
        self.futures += [
            (market.day, c.underlying, c.expiry, rupees(prices[c.key]), "", c.lot)
            for c in market.contracts()
            if c.kind is Kind.FUTURE
        ]

    def write(self, folder: Path) -> None:
        """A file each; the folder is made where it is not there."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in ("closes", "futures", "volatilities"):
            with (folder / f"{name}.csv").open("w", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(getattr(self, name))


def _closed(day: datetime.date, symbol: str, close: int) -> Line:
    return (day, symbol, rupees(close), "", "")


def _before(rules: Rulebook, day: datetime.date, count: int) -> list[datetime.date]:
    """So many sessions before a day, oldest first."""
    newest = [earlier for _, earlier in zip(range(count), _sessions_before(rules, day), strict=False)]
    return newest[::-1]
