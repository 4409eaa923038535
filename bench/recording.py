"""What a recording takes: bytes a quote on the disk, and processor time a quote, of three providers of one market.

    python -m bench.recording [--minutes N] [--data FOLDER]

The made market tells each second what is new; with --data, a recorded day tells its pages. Each provider says it 2 to
90 ms later, so received times differ. docs/recording.md says what came of it.
"""

import argparse
import datetime
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from participant.config import load_rules
from participant.core.market import SECOND, FeedEvent, Mark, Reference, Ticks
from participant.history import heard
from participant.history.recorder import PART_ROWS, Recorder
from participant.history.recordings import load_day, open_recordings
from participant.history.synthetic import Instant, SyntheticMarket
from participant.venue.exchange import Market

MADE, RECORDED = datetime.date(2026, 11, 26), datetime.date(2019, 6, 13)
CHAIN, OFFICIAL = "nse_chain_multi_expiry_2019_06", "nse_daily_official"
SYMBOLS = ("NIFTY", "BANKNIFTY")
DELAYS_MS = {"one": (2, 20), "two": (10, 60), "three": (20, 90)}
GOAL_BYTES = 20


def main(options: Sequence[str]) -> None:
    """Print a line a market."""
    words = argparse.ArgumentParser("bench.recording")
    words.add_argument("--minutes", type=int, default=10)
    words.add_argument("--data", type=Path)
    args = words.parse_args(options)
    made = SyntheticMarket(1, MADE, load_rules(), SYMBOLS, 1)
    for names in (tuple(DELAYS_MS), ("one",)):
        show("made, each second", made, islice(made.instants(), args.minutes * 60), names)
    if args.data:
        market = load_day(open_recordings([args.data / CHAIN, args.data / OFFICIAL]), RECORDED, load_rules(), SYMBOLS)
        for names in (tuple(DELAYS_MS), ("one",)):
            show(f"recorded, {RECORDED}", market, market.instants(), names)


def show(name: str, market: Market, instants: Iterable[Instant], names: Sequence[str]) -> None:
    """Record what these providers say of it, and what that took."""
    events = [event for instant in instants for event in told(instant, names)]
    quotes = sum(len(e.ticks) for e in events if isinstance(e, Ticks))
    known = [Reference(symbol, (), market.look_back(symbol)) for symbol in market.symbols]
    with tempfile.TemporaryDirectory() as folder:
        place = heard.begin(Path(folder), market.day, known)
        began = time.process_time()
        recorder = Recorder(place)
        spent = write(recorder, events)
        worked = time.process_time() - began
        _, parts = heard.size(Path(folder), market.day)
        heard.seal(Path(folder), market.day, (), {})
        _, sealed = heard.size(Path(folder), market.day)
        assert list(heard.events(Path(folder), market.day)) == events, "what is read again is not what was said"
    print(
        f"{name}: {quotes:,} quotes of {len(names)}, {sealed / quotes:.2f} bytes each sealed (goal {GOAL_BYTES}), "
        f"{parts / quotes:.2f} as parts; {worked / quotes * 1e6:.2f} us of work each, {spent / quotes * 1e9:.0f} ns of "
        "it where the feeds are polled",
        flush=True,
    )
    assert sealed / quotes <= GOAL_BYTES, "a recording takes more than the goal allows"


def write(recorder: Recorder, events: Sequence[FeedEvent]) -> float:
    """Hand them over as fast as they are written; how long the handing over took (s of this thread's work)."""
    began, rows = time.thread_time(), 0
    for event in events:
        recorder.hear((event,))
        rows += len(event.ticks) if isinstance(event, Ticks) else 1
        if rows > PART_ROWS:
            time.sleep(0.5)  # a day is not said at once: let it be written
            rows = 0
    spent = time.thread_time() - began
    recorder.close()
    return spent


def told(instant: Instant, names: Sequence[str]) -> Iterator[FeedEvent]:
    """The instant as these providers say it."""
    for name, (low, high) in ((name, DELAYS_MS[name]) for name in names):
        at = instant.at + random.Random(f"{name}/{instant.at}").randint(low * SECOND // 1000, high * SECOND // 1000)
        yield Ticks(name, at, instant.ticks)
        yield Mark(name, at, instant.at, instant.is_last)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
