"""Recorded days at the cadence of their index, a value a second, with the option bars of each minute.

On 25 October and 1 November 2022 the recorded index stands still at times, for up to seven minutes: a provider that
failed. `gaps` finds where; the other providers are given the values between, so that there is somebody to switch to.
"""

import datetime
from functools import cache
from itertools import pairwise
from pathlib import Path

from msgspec.structs import replace
from pyarrow import parquet

from participant.config import load_rules
from participant.core.market import SECOND, Tick
from participant.core.scrip import PRICE_UNITS
from participant.history.recordings import load_day, open_recordings
from participant.history.synthetic import Instant
from tests.failover.tape import Tape, recorded

FOLDER, INDEX = "nse_minute_bars", "NIFTY_spot_1s_2022-10-25_to_2022-11-03.parquet"
DAYS = ("2022-10-25", "2022-11-01", "2022-11-03")
GAP_S = 10
BEFORE_S, AFTER_S = 20, 25


@cache
def day(data: Path, name: str) -> Tape:
    """The day, the options of each minute among the seconds of the index."""
    market = load_day(open_recordings([data / FOLDER]), datetime.date.fromisoformat(name), load_rules())
    whole = recorded(market)
    options = {i.at: tuple(t for t in i.ticks if not t.last) for i in whole.beats}
    first, last = whole.beats[0].at, whole.beats[-1].at
    spots = [(at, tick) for at, tick in _spots(data, name) if first <= at <= last]
    moments = sorted({at for at, _ in spots} | options.keys())
    said = dict(spots)
    beats = [Instant(at, (*([said[at]] if at in said else []), *options.get(at, ())), is_last=False) for at in moments]
    return Tape(whole.references, tuple(beats), 60.0)


def _spots(data: Path, name: str) -> list[tuple[int, Tick]]:
    rows = parquet.read_table(data / FOLDER / INDEX).to_pylist()
    mine = [(int(r["ts_ist"].timestamp()) * SECOND, r["price"]) for r in rows if str(r["ts_ist"].date()) == name]
    return [(at, Tick("NIFTY", 0, 0, 0, 0, round(price * PRICE_UNITS), at)) for at, price in mine]


def gaps(tape: Tape) -> list[tuple[int, int]]:
    """Where the recorded index was silent for GAP_S or longer: from its last value to its next."""
    times = [b.at for b in tape.beats if any(t.last for t in b.ticks)]
    return [(a, b) for a, b in pairwise(times) if b - a >= GAP_S * SECOND]


def window(tape: Tape, start: int, end: int) -> Tape:
    """The stretch from `start` to `end`; its first beat says the whole book as it was then."""
    book: dict[str, Tick] = {}
    for beat in (b for b in tape.beats if b.at <= start):
        book.update({t.contract: t for t in beat.ticks})
    first = Instant(start, tuple(book.values()), is_last=False)
    return Tape(tape.references, (first, *(b for b in tape.beats if start < b.at <= end)), tape.apart_s)


def filled(tape: Tape, gap: tuple[int, int]) -> Tape:
    """The tape with the index going on through its gap, a value a second."""
    spots = {b.at: next((t for t in b.ticks if t.last), None) for b in tape.beats}
    low, high = spots[gap[0]], spots[gap[1]]
    assert low is not None
    assert high is not None
    beats = {b.at: b for b in tape.beats}
    for at in range(gap[0] + SECOND, gap[1], SECOND):
        share = (at - gap[0]) / (gap[1] - gap[0])
        # It moves a little to and fro, as an index does, on its way from the one value to the other.
        value = low.last + round((high.last - low.last) * share) + 500 * (at // SECOND % 7 + 1)
        tick = replace(low, last=value, exchange_at=at)
        of = beats.get(at, Instant(at, (), is_last=False))
        beats[at] = Instant(at, (tick, *of.ticks), is_last=False)
    return Tape(tape.references, tuple(beats[at] for at in sorted(beats)), tape.apart_s)
