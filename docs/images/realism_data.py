"""What docs/images/realism.py compares: option chains and series of returns, recorded and made, in one shape."""

import csv
import datetime
import gzip
import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import exp, isfinite, log, sqrt
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
import pyarrow.parquet as pq

from participant.config import load_rules
from participant.core.market import Tick
from participant.core.pricing import greeks, implied_volatility
from participant.core.scrip import PRICE_UNITS, Kind
from participant.history import paths
from participant.history.synthetic import SyntheticMarket

ROOT = Path(__file__).parents[2]
DATA = Path(os.environ.get("PARTICIPANT_DATA") or ROOT.parent / "shared" / "data")
IST = datetime.timezone(datetime.timedelta(minutes=330))
YEAR_S = 365 * 86_400
CLOSE = datetime.time(15, 30)
MOMENTS = (11 * 60, 14 * 60)  # minutes of the day at which a chain is looked at
NEAR_MINUTES = 45
MUHURAT = datetime.date(2025, 10, 21)
NIFTY_LOT = 75  # of all the recorded expiries that are looked at
BANKNIFTY_LOTS = (40, 20, datetime.date(2018, 11, 1))  # before, and of expiries from
VIX_OVER_ATM = 1.09  # India VIX over the 30-day at-the-money IV: it counts the wings
# The made days, of seeds 1, 2, 3 ...; the seeds and lengths of the paths.
DAYS = [
    datetime.date(2026, month, day)
    for month, day in (
        *((2, 4), (3, 5), (3, 20), (4, 8), (5, 12), (6, 3)),
        *((7, 7), (8, 13), (9, 22), (10, 8), (11, 26), (12, 4)),
    )
]
PATHS, SESSIONS = range(1, 9), 1_750
MINUTE_PATHS, MINUTE_SESSIONS = range(1, 5), 100

Quote = tuple[float, float, float, float]  # bid, ask (rupees), their sizes (units)
Rows = dict[float, list[Quote]]  # by strike: the call's and the put's
NONE: Quote = (0.0, 0.0, 0.0, 0.0)


class Option(NamedTuple):
    """An out-of-the-money option: deviations from the forward, |delta|, IV, and its quote with sizes in lots."""

    x: float
    delta: float
    iv: float
    bid: float
    ask: float
    lots: tuple[float, float]

    @property
    def is_quoted(self) -> bool:
        return 0 < self.bid < self.ask

    @property
    def spread(self) -> float:
        return 2 * (self.ask - self.bid) / (self.ask + self.bid)


class Board(NamedTuple):
    """An expiry of one scrip at one moment."""

    group: str
    at: datetime.datetime
    days: float
    is_monthly: bool
    spot: float
    atm: float
    options: list[Option]


# --- boards -----------------------------------------------------------------------------------------------------------


def board(group: str, at: datetime.datetime, expiry: datetime.date, seen: tuple[float, Rows, int]) -> Board | None:
    """A page as a board; none where parity at the strike nearest spot or the IV at the money cannot be had."""
    spot, rows, lot = seen
    years = (datetime.datetime.combine(expiry, CLOSE, IST) - at).total_seconds() / YEAR_S
    whole = [k for k, sides in rows.items() if min(sides[0][:2] + sides[1][:2]) > 0]
    if years <= 0 or not whole or not spot or abs(min(whole, key=lambda k: abs(k - spot)) / spot - 1) > 0.01:
        return None
    near = min(whole, key=lambda k: abs(k - spot))
    call, put = rows[near]
    forward = near + (call[0] + call[1] - put[0] - put[1]) / 2
    found = [(k, k > forward, rows[k][k <= forward]) for k in sorted(rows)]
    ivs = {k: implied_volatility(c, (q[0] + q[1]) / 2, forward, k, years) for k, c, q in found if 0 < q[0] < q[1]}
    known = {k: iv for k, iv in ivs.items() if isfinite(iv)}
    low, high = max((k for k in known if k <= forward), default=0), min((k for k in known if k > forward), default=0)
    if not low or not high or high / low > 1.02:
        return None
    atm = known[low] + (forward - low) / (high - low) * (known[high] - known[low])
    options = []
    for k, is_call, (bid, ask, bid_size, ask_size) in found:
        iv = known.get(k, float("nan"))
        delta = abs(greeks(is_call, forward, k, years, iv).delta) if k in known else float("nan")
        x = log(k / forward) / (atm * sqrt(years))
        options.append(Option(x, delta, iv, bid, ask, (bid_size / lot, ask_size / lot)))
    is_monthly = (expiry + datetime.timedelta(days=7)).month != expiry.month
    return Board(group, at, years * 365, is_monthly, spot, atm, options)


def chosen(pages: dict[tuple[datetime.datetime, str], list[tuple]]) -> Iterator[tuple[datetime.datetime, str, list]]:
    """The pages of each session nearest to MOMENTS; one that repeats the page before it is left out."""
    days, sessions = defaultdict(list), india_vix()  # collectors poll on holidays too
    for at, expiry in pages:
        if at.date() in sessions and at.date() != MUHURAT:
            days[at.date(), expiry].append(at)
    before: dict[str, list] = {}
    for (_, expiry), times in sorted(days.items()):
        for moment in MOMENTS:
            at = min(times, key=lambda t: abs(t.hour * 60 + t.minute - moment))
            if abs(at.hour * 60 + at.minute - moment) > NEAR_MINUTES:
                continue
            page = [row[2:] for row in pages[at, expiry]]
            if page != before.get(expiry):
                before[expiry] = page
                yield at, expiry, page


def recorded(file: str, columns: Sequence[str]) -> Iterator[tuple[datetime.datetime, str, list]]:
    table = pq.read_table(DATA / file, columns=["ts_ist", "expiry", *columns])
    pages = defaultdict(list)
    for row in zip(*(column.to_pylist() for column in table.columns), strict=True):
        pages[row[0], row[1]].append(tuple(value or 0 for value in row))
    yield from chosen(pages)


def boards_2019(group: str, file: str) -> Iterator[Board | None]:
    """Both chains of 2018-19: the near expiry, and the several of June 2019."""
    sides = [f"{side}_{name}" for side in ("call", "put") for name in ("bid", "ask", "bid_qty", "ask_qty")]
    for at, day, page in recorded(file, ["spot", "strike", *sides]):
        expiry = datetime.date.fromisoformat(day)
        lot = BANKNIFTY_LOTS[expiry >= BANKNIFTY_LOTS[2]] if group.startswith("BANK") else NIFTY_LOT
        rows = {row[1]: [row[2:6], row[6:]] for row in page}
        yield board(group, at, expiry, (page[0][0], rows, lot))


def boards_2025() -> Iterator[Board | None]:
    names = ["underlying", "strike", "cp", "bid", "ask", "bid_qty", "ask_qty"]
    for at, day, page in recorded("nse_json_chain_2025/nifty_chain_2025-10-13_to_2025-11-07.parquet", names):
        rows: Rows = defaultdict(lambda: [NONE, NONE])
        for row in page:
            rows[row[1]][row[2] == "PE"] = row[3:]
        yield board("NIFTY 2025", at, datetime.date.fromisoformat(day), (max(row[0] for row in page), rows, NIFTY_LOT))


def boards_made() -> Iterator[Board | None]:
    rules = load_rules()
    for seed, day in enumerate(DAYS, 1):
        market = SyntheticMarket(seed, day, rules, ("NIFTY", "BANKNIFTY"), 7_200)
        book: dict[str, Tick] = {}
        for i, instant in zip(range(3), market.instants(), strict=False):
            book.update({tick.contract: tick for tick in instant.ticks})
            if i:
                yield from boards_of(market, book, datetime.datetime.fromtimestamp(instant.at / 1e9, IST))


def boards_of(market: SyntheticMarket, book: dict[str, Tick], at: datetime.datetime) -> Iterator[Board | None]:
    pages: dict[tuple[str, datetime.date, int], Rows] = defaultdict(lambda: defaultdict(lambda: [NONE, NONE]))
    for c in market.contracts():
        t = book[c.key]
        if c.kind is not Kind.FUTURE:
            quote = (t.bid / PRICE_UNITS, t.ask / PRICE_UNITS, t.bid_size, t.ask_size)
            pages[c.underlying, c.expiry, c.lot][c.strike / PRICE_UNITS][c.kind is Kind.PUT] = quote
    for (symbol, expiry, lot), rows in pages.items():
        yield board(f"made {symbol}", at, expiry, (book[symbol].last / PRICE_UNITS, rows, lot))


# --- daily and minute series ------------------------------------------------------------------------------------------


class Daily(NamedTuple):
    """Log returns by the day; 30-day volatility at each close (India VIX, or made IV x VIX_OVER_ATM)."""

    returns: np.ndarray
    volatility: np.ndarray


def lines(file: str) -> Iterator[dict[str, str]]:
    with gzip.open(DATA / file, "rt", encoding="utf-8-sig") as text:
        yield from csv.DictReader(text)


def india_vix() -> dict[datetime.date, float]:
    return {
        datetime.datetime.strptime(row["Date"], "%d-%b-%Y").date(): float(row["Close"]) / 100  # noqa: DTZ007 - a date
        for row in lines("nse_daily_official/india_vix_daily.csv.gz")
    }


def daily_real() -> Daily:
    vix = india_vix()
    spot = {
        datetime.date.fromisoformat(row["date"]): log(float(row["spot_close"]) / float(row["spot_prev"]))
        for row in lines("nse_daily_official/fovolt_volatility.csv.gz")
        if row["symbol"] == "NIFTY"
    }
    days = sorted(day for day in spot if day in vix and day.year < 2020)
    return Daily(np.array([spot[d] for d in days]), np.array([vix[d] for d in days]))


def daily_made() -> list[Daily]:
    base, year = paths.profile_of("NIFTY").volatility, 30 / 365
    found = []
    for seed in PATHS:
        walks = list(paths.walks(seed, "NIFTY", [paths.FULL_SESSION_S] * (SESSIONS - paths.LOOK_BACK)))
        closes = [log(np.mean([exp(p.spot) for p in walk.points[-3:]])) for walk in walks]
        ends = [paths.total_variance(base, walk.points[-1], year * paths.SESSIONS_PER_YEAR) for walk in walks]
        found.append(Daily(np.diff(closes), np.sqrt(np.array(ends)[1:] / year) * VIX_OVER_ATM))
    return found


class Minutes(NamedTuple):
    """Log returns of each session's 375 minutes, and over each night."""

    sessions: list[np.ndarray]
    nights: np.ndarray


def minutes_real() -> Minutes:
    days = defaultdict(list)
    for row in lines("nse_index_minute/NIFTY_1m_2024-01_to_08.csv.gz"):
        if "09:15" <= row["Time"] <= "15:29":
            days[row["Date"]].append((float(row["Open"]), float(row["Close"])))
    whole = [bars for _, bars in sorted(days.items()) if len(bars) == 375]
    nights = [log(after[0][0] / before[-1][1]) for before, after in pairwise(whole)]
    return Minutes([np.diff(np.log([bars[0][0], *(b[1] for b in bars)])) for bars in whole], np.array(nights))


def minutes_2022() -> Minutes:
    """From the index each second, 25 October to 3 November 2022."""
    days: dict[datetime.date, dict[int, float]] = defaultdict(dict)
    for row in pq.read_table(DATA / "nse_minute_bars/NIFTY_spot_1s_2022-10-25_to_2022-11-03.parquet").to_pylist():
        minute = row["ts_ist"].hour * 60 + row["ts_ist"].minute
        if 9 * 60 + 15 <= minute < 15 * 60 + 30:
            days[row["ts_ist"].date()].setdefault(-1, row["price"])
            days[row["ts_ist"].date()][minute] = row["price"]
    whole = [[price for _, price in sorted(day.items())] for _, day in sorted(days.items()) if len(day) == 376]
    nights = [log(after[0] / before[-1]) for before, after in pairwise(whole)]
    return Minutes([np.diff(np.log(prices)) for prices in whole], np.array(nights))


def minutes_made() -> Minutes:
    times = [paths.STEPS * i / 375 for i in range(376)]
    sessions, nights = [], []
    for seed in MINUTE_PATHS:
        walks = list(paths.walks(seed, "NIFTY", [paths.FULL_SESSION_S] * MINUTE_SESSIONS))[-MINUTE_SESSIONS:]
        for i, walk in enumerate(walks):
            sessions.append(np.diff(list(paths.fine(walk, times, Random(f"{seed}/{i}")))))
            nights.append(walk.points[0].spot - walks[i - 1].points[-1].spot if i else 0.0)
    return Minutes(sessions, np.array(nights))
