"""`participant record`: what the feeds of a venue say on a day, without a desk."""

import datetime
import os
import time
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing
from urllib.parse import urlsplit

from participant import app
from participant.adapters.brokers.http import HttpBroker
from participant.adapters.clocks.venue import LOCKSTEP, VenueClock
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import Run, load_config
from participant.core.market import Reference
from participant.operate.providers import check_feeds
from participant.operate.recording import (
    begin_recording,
    check_recording,
    listen,
    recorded,
    recorder_of,
    seal,
    told,
)
from participant.operate.trade import start_market, stop_signals
from participant.operate.wake import ask_venue
from participant.ports import BrokerDown

SETTLED_WITHIN_S = 70.0  # of the market's time: a venue closes its day a minute after the last instant
ASK_EVERY_S = 0.5


def record(args: Namespace) -> int:
    """Listen until the day is over, and seal it; status 1 where it was stopped before, or something is missing."""
    config = load_config(args.config, os.environ, lambda row: None)  # which rows a desk trades is the desk's to say
    check_feeds(config, tells_left_out=False)
    info = ask_venue(args.venue, config.desk.request_timeout_s)
    session, day = info.session, datetime.date.fromisoformat(info.session.day)
    if session.mode == LOCKSTEP:
        raise Refused(f"--venue {args.venue} waits for a desk: `participant trade --record {args.into}` records that")
    check_recording(args.into, day)
    folder, host = args.into.resolve(), urlsplit(args.venue).hostname or config.venue.host
    run = Run("", day, args.venue, host, session.fix_port, session.speed, config, record=str(folder))
    begin_recording(run, info.references)
    is_whole = _listen(run, info.references, stop_signals())
    done = seal(folder, day, (), _settlements(run)) if is_whole else recorded(folder, day)
    say(args, told(done), done)
    return DONE if is_whole and not done.lost else NEEDS_A_PERSON


def _listen(run: Run, references: Sequence[Reference], stops: list[int]) -> bool:
    recorder = recorder_of(run)
    feeds = app.feeds(run, VenueClock(run.venue_url), references, recorder)
    start_market(run.venue_url)
    try:
        return listen(feeds, lambda: stops, run.config.desk.stall_max_s)
    finally:
        for feed in feeds.values():
            feed.close()
        if recorder is not None:
            recorder.close()


def _settlements(run: Run) -> dict[str, int]:
    """The official prices once they are out; none where they do not come in time."""
    until = time.monotonic() + SETTLED_WITHIN_S / max(run.speed, 1.0) + run.config.desk.request_timeout_s
    with closing(HttpBroker(run.venue_url, run.config.desk.request_timeout_s)) as broker:
        while (prices := _asked(broker)) is None and time.monotonic() < until:
            time.sleep(ASK_EVERY_S)
    return prices or {}


def _asked(broker: HttpBroker) -> dict[str, int] | None:
    try:
        return broker.settlements()
    except BrokerDown:
        return None  # the venue may have ended with its day: what is missing is said when the day is played
