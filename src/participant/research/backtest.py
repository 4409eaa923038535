"""The backtest: recorded days, one after the other, through the whole desk in one process, into a saved result."""

import datetime
import gc
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from participant.config import load_rules
from participant.core.account import BookRisk
from participant.core.brain import BUILD_ID
from participant.core.decision import Decision
from participant.core.rulebook import Rulebook
from participant.core.scrip import Scrip, Weights
from participant.core.wording import counted
from participant.history.pages import BadData
from participant.history.recorded import RecordedMarket
from participant.history.recordings import open_recordings
from participant.research.days import Days, Span
from participant.research.engine import InlineDesk
from participant.research.overwrite import Overwrite
from participant.research.result import Data, Note, Result, ResultWriter, Row, Summary
from participant.research.tables import decisions_of, event, events_of, fills_of, parts_of_result
from participant.stages.reconcile import Closed

GREEKS = ("delta", "gamma", "vega", "theta")
NOTHING_HELD = BookRisk()


GAPS_SHOWN = 5
LATENCY_MAX_S = 60.0  # beyond it is no latency of a network


class CoveredCall(Struct, frozen=True):
    """The covered call on some underlyings, with the weights that differ from those that ship.

    Its orders reach the exchange `latency_s` seconds after they are sent, and meet the quotes of then.
    """

    underlyings: tuple[str, ...]
    weights: Weights = Weights()
    latency_s: float = 0.0

    def desk(self, rules: Rulebook, capital: int) -> InlineDesk:
        """A desk that trades it, with `capital` paise."""
        desk = InlineDesk(self.rows, rules, capital)
        desk.latency_s = self.latency_s
        return desk

    @property
    def rows(self) -> list[Scrip]:
        """The watchlist that it is decided on."""
        return [Scrip(symbol, weights=self.weights) for symbol in self.underlyings]


def backtest(
    strategy: CoveredCall, data: Sequence[Path | str], span: Span, capital: int, out: Path | str | None = None
) -> Result:
    """Play every recorded day of the span; `capital` in rupees, `out` a new folder (default: a temporary one).

    Raises BadData where nothing can be played, or `out` cannot be written or holds a result.
    """
    if span.first > span.last:
        raise BadData(f"the first day, {span.first}, lies after the last, {span.last}")
    if capital <= 0 or not strategy.underlyings:
        raise BadData(f"nothing to play: capital {capital}, underlyings {', '.join(strategy.underlyings) or 'none'}")
    if len({*strategy.underlyings}) < len(strategy.underlyings):
        raise BadData(f"an underlying is named twice: {', '.join(strategy.underlyings)}")
    if not 0 <= strategy.latency_s <= LATENCY_MAX_S:
        raise BadData(f"a latency of {strategy.latency_s:g} s: it lies between 0 and {LATENCY_MAX_S:g}")
    fault = strategy.weights.fault
    if fault:
        raise BadData(f"weights: {fault}")
    days, rules = Days(open_recordings([Path(path) for path in data]), strategy.underlyings, span), load_rules()
    folder = Path(out) if out is not None else Path(tempfile.mkdtemp(prefix="backtest-"))
    run = Run(strategy, rules, days, ResultWriter(folder), capital * 100)
    gc.freeze()  # what is there now stays to the end: it need not be searched for cycles again and again
    try:
        for day in _shown(days.all):
            if not run.day(day):
                break
    finally:
        gc.unfreeze()
    return run.finish(span, tuple(map(str, data)))


def _shown(days: Sequence[datetime.date]) -> Iterable[datetime.date]:
    """The days, with a bar and the time that is left where a person is looking."""
    if not sys.stderr.isatty():
        return days
    from rich.console import Console
    from rich.progress import track

    return track(days, "playing", console=Console(stderr=True), transient=True)


class Run:
    """A run under way: the desk, and what is summed up of its days."""

    def __init__(self, strategy: CoveredCall, rules: Rulebook, days: Days, writer: ResultWriter, capital: int) -> None:
        self.strategy, self.days, self.writer = strategy, days, writer
        self.desk = strategy.desk(rules, capital)
        self.worth = self.peak = capital
        self.notes, self.status = list[Note](), "done"
        self.totals, self.counts, self.made = Counter[str](), Counter[str](), Counter[str]()
        self.overwrites = {s: Overwrite(s, days.recordings.official, rules) for s in strategy.underlyings}
        self.first_spot: dict[str, int] = {}
        self.first_growth: dict[str, float] = {}
        self.spot: dict[str, int] = {}

    def day(self, day: datetime.date) -> bool:
        """Play a day, or pass over it; False where the run ends before it, because of what is held."""
        ahead = self.days.look(self.desk, day)
        if ahead.ends:
            self._skip(day, f"the run ends before it: {ahead.why}")
            self.status = "stopped"
        elif ahead.why:
            self._skip(day, ahead.why)
        elif ahead.market is not None:
            self._add(ahead.market, self.desk.play(ahead.market))
            self.desk.forget()
        return not ahead.ends

    def _skip(self, day: datetime.date, why: str) -> None:
        self.notes.append(Note(str(day), "", f"not played: {why}"))
        self.writer.add("events", [event(str(day), "not played", why)])
        self.counts["days not played"] += 1
        self.status = "partly" if self.status == "done" else self.status

    def _add(self, market: RecordedMarket, closed: Closed) -> None:
        books = self.desk.books
        rows, parts, decisions = decisions_of(books, closed.day)
        fills, events = fills_of(books, market), list(events_of(self.desk, closed))
        totals, made = parts_of_result(books, closed, market)
        self.totals.update(totals)
        self.made.update(made)
        self.counts.update({"days": 1, "decisions": len(rows), "fills": len(fills)})
        self.counts.update(f"{decision.action.value} decisions" for decision in decisions)
        self.notes += [Note(closed.day, _scrip(note, market), note) for note in market.notes()]
        self.spot |= {d.scrip: spot for d in decisions if isinstance(spot := d.figures.get("spot"), int)}
        self.spot |= {s: p for s, p in closed.settlements.items() if s in self.strategy.underlyings}
        self.worth = closed.worth
        self.peak = max(self.peak, self.worth)
        for symbol, walk in self.overwrites.items():
            walk.see(market.day, market.pages(symbol))
        scrips = [self._scrip(closed.day, s, self._risk(s, decisions)) for s in self.strategy.underlyings]
        equity = [self._whole(closed.day, scrips), *scrips]
        for name, news in zip(
            ("decisions", "parts", "fills", "events", "equity"), (rows, parts, fills, events, equity), strict=True
        ):
            self.writer.add(name, news)

    def _risk(self, symbol: str, decisions: Sequence[Decision]) -> BookRisk | None:
        """That of the scrip's last decision: 0 where nothing is held, None where something is and none was made."""
        if not any(p.scrip == symbol and p.holdings for p in self.desk.positions()):
            return NOTHING_HELD
        known = [d.risk for d in decisions if d.scrip == symbol and d.risk is not None]
        return known[-1] if known else None

    def _whole(self, day: str, scrips: Sequence[Row]) -> Row:
        account = self.desk.account()
        return {
            "day": day,
            "scrip": "",
            "cash": account.cash,
            "worth": self.worth,
            "margin": account.committed,
            "free": account.free,
            "drawdown": self.peak - self.worth,
            **{name: _sum(row[name] for row in scrips) for name in ("cover_alone", "overwrite", *GREEKS)},
            "spot": 0,
        }

    def _scrip(self, day: str, symbol: str, risk: BookRisk | None) -> Row:
        return {
            "day": day,
            "scrip": symbol,
            "cash": 0,
            "worth": self.made[symbol],
            "margin": self.desk.account().used.get(symbol, 0),
            "free": 0,
            "drawdown": 0,
            "cover_alone": self._cover_alone(symbol),
            "overwrite": self._overwrite(symbol),
            **{name: getattr(risk, name) if risk is not None else None for name in GREEKS},
            "spot": self.spot.get(symbol, 0),
        }

    def _overwrite(self, symbol: str) -> int | None:
        """The same share with the call at the money sold against it, from the first close after the first sale."""
        share, growth = self.desk.capital // len(self.strategy.underlyings), self.overwrites[symbol].growth
        if growth is None:
            return None if self.first_growth.get(symbol) else share
        return round(share * growth / self.first_growth.setdefault(symbol, growth))

    def _cover_alone(self, symbol: str) -> int:
        """An equal share of the capital, as if it had been in the underlying since the first close that is known."""
        share, now = self.desk.capital // len(self.strategy.underlyings), self.spot.get(symbol, 0)
        first = self.first_spot.setdefault(symbol, now) if now else 0
        return share * now // first if first else share

    def finish(self, span: Span, paths: tuple[str, ...]) -> Result:
        """The summary, and the end of the files."""
        if not self.counts["days"]:
            self.writer.close()
            why = self.notes[0].note if self.notes else "no recorded day is a trading day"
            raise BadData(f"no day from {span.first} to {span.last} could be played: {why}")
        rules = self.desk.rules
        self._tell_gaps(rules)
        self._tell_unsettled(span)
        return self.writer.finish(
            Summary(
                strategy="covered_call",
                scrips=self.strategy.underlyings,
                since=str(span.first),
                until=str(span.last),
                capital=self.desk.capital,
                worth=self.worth,
                weights={row.symbol: asdict(row.weights) for row in self.desk.watchlist.values()},
                rules_hash=rules.content_hash,
                build_id=BUILD_ID,
                data=Data(paths, tuple(self.notes)),
                totals=dict(self.totals),
                counts=dict(self.counts),
                status=self.status,
                latency_s=self.strategy.latency_s,
            )
        )

    def _tell_gaps(self, rules: Rulebook) -> None:
        """The sessions of the span that no file has: nothing was decided on them."""
        lacking = {symbol: self.days.lacking(symbol, rules) for symbol in self.strategy.underlyings}
        for symbol, gaps in lacking.items():
            if gaps:
                shown = ", ".join(map(str, gaps[:GAPS_SHOWN])) + (", ..." if len(gaps) > GAPS_SHOWN else "")
                said = f"{symbol}: nothing is recorded of {counted(len(gaps), 'session')} of the span: {shown}"
                self.notes.append(Note(str(gaps[0]), symbol, said))
        if all_gaps := {day for gaps in lacking.values() for day in gaps}:
            self.counts["sessions not recorded"] = len(all_gaps)

    def _tell_unsettled(self, span: Span) -> None:
        """What expired within the span after the last day that was played: its last mark is no settlement."""
        held = [h.contract for p in self.desk.positions() for h in p.holdings]
        over = sorted((c.expiry, c.key) for c in held if c.expiry <= span.last)
        if over and self.status != "stopped":
            day, names = str(over[0][0]), ", ".join(key for _, key in over)
            why = f"{names} expired by {span.last}, and no day that could be played settles it at an official price"
            self.notes.append(Note(day, "", f"not settled: {why}"))
            self.writer.add("events", [event(day, "not settled", why)])
            self.status = "stopped"


def _sum(parts: Iterable[Any]) -> int | None:
    """All together (paise); None where one is not known."""
    known = list(parts)
    return None if None in known else sum(known)


def _scrip(note: str, market: RecordedMarket) -> str:
    """Whose note it is, where it begins with a scrip."""
    return next((symbol for symbol in market.symbols if note.startswith(f"{symbol}:")), "")
