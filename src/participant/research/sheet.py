"""All that a tear sheet says of a saved result, gathered: days, months, statistics, attribution, decisions, data."""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from msgspec import Struct

from participant.history.pages import BadData
from participant.research import statistics
from participant.research.outcomes import ENDINGS, Written, covers_held, index_part, written
from participant.research.result import Result
from participant.research.statistics import ALONE, BESIDE, Drawdown, Interval

GREEKS = ("delta", "gamma", "vega", "theta")
ENDS = frozenset(("expired", "delivered", "refusal"))
SERIES = {"worth": "the desk", "cover_alone": "cover alone", "overwrite": "overwrite"}
DERIVED = re.compile(r"derived by (\w+): ([+-][\d.]+) basis points")
Row = Mapping[str, Any]


class Line(NamedTuple):
    """A statistic of one series: what it is, what it came to, and how sure that is."""

    name: str
    value: float | None
    interval: Interval | None


class Month(NamedTuple):
    """A month and its returns by series."""

    month: str
    returns: Mapping[str, float]


class Mark(NamedTuple):
    """A decision, an expiry or a refusal on the price chart: `level` in rupees, 0 where it has none; `at` a day."""

    kind: str
    day: str
    level: float
    text: str


class Sold(Struct):
    """All option contracts of a scrip together (paise)."""

    scrip: str
    contracts: int = 0
    received: int = 0
    paid_back: int = 0
    given_up: int = 0
    endings: Counter[str] = Counter()


class Sheet:
    """A result, and what is worked out of it, each when it is asked for."""

    def __init__(self, result: Result) -> None:
        self.folder, self.of, self.gain = result.folder, result.summary, result.gain
        rows = list(result.rows("equity"))
        self.whole = [row for row in rows if not row["scrip"]]
        self.of_scrips = {s: [row for row in rows if row["scrip"] == s] for s in result.summary.scrips}
        self.fills, self.events = list(result.rows("fills")), list(result.rows("events"))
        self.decisions = [_decision(row) for row in result.rows("decisions")]
        if "overwrite" not in self.whole[0] or (self.fills and "value" not in self.fills[0]):
            raise BadData(f"{result.folder} was saved by an earlier version: run the backtest again")

    @cached_property
    def days(self) -> list[str]:
        """The days that were played."""
        return [row["day"] for row in self.whole]

    @cached_property
    def series(self) -> dict[str, list[int]]:
        """The worth at every close, of the desk and its benchmarks; one that is not always known is left out."""
        found = {name: [row[name] for row in self.whole] for name in SERIES}
        return {name: worths for name, worths in found.items() if None not in worths and min(worths) > 0}

    @cached_property
    def returns(self) -> dict[str, list[float]]:
        """From the capital that the desk began with over every close; a benchmark begins at the first close."""
        begun = {
            name: [*([self.of.capital] if name == "worth" else []), *worths] for name, worths in self.series.items()
        }
        return {name: statistics.returns(worths) for name, worths in begun.items()}

    @cached_property
    def lines(self) -> dict[str, list[Line]]:
        """The statistics of each series on its own."""
        found = {}
        for name, rs in self.returns.items():
            sure = statistics.intervals([rs], ALONE)
            found[name] = [Line(what, of(rs) if rs else None, sure.get(what)) for what, of in ALONE.items()]
        return found

    @cached_property
    def beside(self) -> dict[str, list[Line]]:
        """The desk's statistics beside each of the others, on the days after the first close."""
        found = {}
        for name, others in self.returns.items():
            mine = self.returns["worth"][-len(others) :] if others else []
            if name != "worth" and mine:
                sure = statistics.intervals([mine, others], BESIDE)
                found[name] = [Line(what, of(mine, others), sure.get(what)) for what, of in BESIDE.items()]
        return found

    @cached_property
    def drawdowns(self) -> dict[str, Drawdown]:
        """The deepest drawdown of each series, from the capital on for the desk."""
        return {
            name: statistics.drawdown([*([self.of.capital] if name == "worth" else []), *worths])
            for name, worths in self.series.items()
        }

    @cached_property
    def months(self) -> list[Month]:
        """Each month's return, from the last close of the month before."""
        last = {name: self.of.capital if name == "worth" else worths[0] for name, worths in self.series.items()}
        found = []
        for month in sorted({day[:7] for day in self.days}):
            place = max(i for i, day in enumerate(self.days) if day[:7] == month)
            ends = {name: worths[place] for name, worths in self.series.items()}
            found.append(Month(month, {name: end / last[name] - 1 for name, end in ends.items()}))
            last = ends
        return found

    # --- what made the gain --------------------------------------------------------------------------------------

    @cached_property
    def written(self) -> list[Written]:
        """Every option contract that was sold."""
        rolls = frozenset(row["decision_id"] for row in self.decisions if row["rolled"])
        return written(self.fills, self.events, rolls)

    @cached_property
    def attribution(self) -> dict[str, int]:
        """The gain by what made it (paise): the parts add up to it."""
        made = Counter[str]()
        for one in self.written:
            made.update(one.made)
        totals = self.of.totals
        premium, cover = totals.get("premium", 0), totals.get("cover", 0)
        index = index_part(self.fills, self.events, self._spots)
        return {
            **{f"premium of calls {name}": made[name] for name in ENDINGS},
            "premium of calls still held": premium - sum(made.values()),
            "cover: the underlying's move": index,
            "cover: basis, spread and roll": cover - index,
            "charges": totals.get("charges", 0),
        }

    @cached_property
    def _spots(self) -> dict[tuple[str, str], int]:
        """The underlying's price by decision, by day, and at the last close (the day empty)."""
        found = {(row["day"], scrip): row["spot"] for scrip, rows in self.of_scrips.items() for row in rows}
        found |= {("", scrip): rows[-1]["spot"] for scrip, rows in self.of_scrips.items() if rows}
        on = {row["decision_id"]: row for row in self.decisions}
        for fill in self.fills:
            spot = on[fill["decision_id"]]["spot"] if fill["decision_id"] in on else 0
            found[fill["decision_id"], fill["scrip"]] = spot or found[fill["day"], fill["scrip"]]
        return found

    @cached_property
    def sold(self) -> list[Sold]:
        """The calls by scrip: what was received for them and what was given up."""
        found = {scrip: Sold(scrip, endings=Counter()) for scrip in self.of.scrips}
        for one in self.written:
            mine = found[one.scrip]
            mine.contracts += 1
            mine.received += one.received
            mine.paid_back += one.paid_back
            mine.given_up += one.given_up
            mine.endings[one.ending] += 1
        return list(found.values())

    @cached_property
    def exposure(self) -> list[float]:
        """The cover's worth at spot as a share of the book's, at every close."""
        held = covers_held(self.fills, self.events, self.days)
        spots, found = self._spots, list[float]()
        for row in self.whole:
            paise = sum(units * spots[row["day"], scrip] / 100 for scrip, units in held[row["day"]].items() if units)
            found.append(paise / row["worth"] if row["worth"] > 0 else 0.0)
        return found

    # --- decisions and data --------------------------------------------------------------------------------------

    def marks(self, scrip: str) -> list[Mark]:
        """What happened on a scrip: opens, closes, rolls, expiries, and what the gateway refused."""
        found = [
            Mark("roll" if row["rolled"] else row["action"], row["day"], row["spot"] / 1e4, row["reason"])
            for row in self.decisions
            if row["scrip"] == scrip and row["action"] != "maintain"
        ]
        mine = [row for row in self.events if row["scrip"] == scrip and row["kind"] in ENDS]
        return [*found, *(Mark(row["kind"], row["day"], row["price"] / 1e4, row["text"]) for row in mine)]

    @cached_property
    def derived_errors(self) -> dict[str, list[float]]:
        """How far derived futures lay from their official closes (basis points, without sign), by the derivation."""
        found: dict[str, list[float]] = {}
        for note in self.of.data.notes:
            if seen := DERIVED.search(note.note):
                found.setdefault(seen[1], []).append(abs(float(seen[2])))
        return {how: sorted(errors) for how, errors in found.items()}

    @cached_property
    def notes(self) -> list[tuple[int, str, str]]:
        """The notes on the data by their kind: how many days, the first day, and how the first one reads."""
        kinds: dict[str, list[Any]] = {}
        for note in self.of.data.notes:
            if not DERIVED.search(note.note):
                kinds.setdefault(re.sub(r"[\d.,-]*\d[\d.,-]*", "#", note.note), []).append(note)
        return sorted(((len(of), of[0].day, of[0].note) for of in kinds.values()), key=lambda one: -one[0])

    @cached_property
    def modelled(self) -> dict[str, tuple[int, int]]:
        """Of the fills of options and of covers: how many, and of how many the quote was modelled or derived."""
        found = {}
        for name, rows in (("options", self._fills_of(is_cover=False)), ("covers", self._fills_of(is_cover=True))):
            found[name] = (len(rows), sum(row["is_modelled"] for row in rows))
        return found

    def _fills_of(self, *, is_cover: bool) -> list[Row]:
        return [row for row in self.fills if row["contract"].endswith(("CE", "PE")) != is_cover]

    @cached_property
    def unseen(self) -> Sequence[str]:
        """The days that were played for their official prices alone."""
        decided = {row["day"] for row in self.decisions}
        return [day for day in self.days if day not in decided]


def _decision(row: Row) -> dict[str, Any]:
    """What the sheet shows of a decision: the rest of its objects is let go of."""
    figures = json.loads(row["decisionInfo"])["figures"]
    kept = {name: row[name] for name in ("decision_id", "at", "day", "scrip", "action", "reason", "strike", "expiry")}
    spot = figures.get("spot")
    return {**kept, "spot": spot if isinstance(spot, int) else 0, "rolled": bool(figures.get("rolled"))}
