"""`participant venue`: the simulated exchange with its providers and broker, for one made or recorded day."""

import datetime
import os
from argparse import Namespace
from pathlib import Path

import msgspec

from participant.commands.errors import Refused
from participant.commands.homes import prepare
from participant.commands.trade import PAISE
from participant.config import Config, load_config, load_rules
from participant.config import Venue as VenueSettings
from participant.history.pages import BadData
from participant.history.playing import play_day
from participant.history.recordings import WATCHLIST, open_recordings
from participant.history.synthetic import SyntheticMarket
from participant.links.parent import end_with
from participant.venue.exchange import Market
from participant.venue.server import FREE, LOCKSTEP, VenueFaults, VenueOptions, run_venue


def venue(args: Namespace) -> int:
    """Play the day until ended."""
    if args.parent is not None:
        end_with(args.parent)
    config = load_config(args.config, os.environ, lambda row: None)  # which rows a desk trades is the desk's to say
    settings = config.venue
    if args.date and args.date[0] != args.date[1]:
        raise Refused(f"--date {args.date[0]}..{args.date[1]}: a venue plays one day; start it with one")
    if args.data and not args.date:
        raise Refused("--data needs a --date: a venue plays one recorded day; name it")
    day = args.date[0] if args.date else datetime.date.fromisoformat(settings.day)
    speed = args.speed or 0.0
    market = _recorded(args, config, day) if args.data else _made(args, settings, day, speed)
    options = VenueOptions(
        host=settings.host,
        port=settings.port if args.port is None else args.port,
        fix_port=settings.fix_port if args.fix_port is None else args.fix_port,
        mode=FREE if speed else LOCKSTEP,
        speed=speed or 1.0,
        state_path=prepare(args.home) / "venue.json",
        cash=config.desk.capital * PAISE,
        faults=_faults(args.faults),
    )
    return run_venue(market, load_rules(config.desk.span_scans), options)


def _made(args: Namespace, settings: VenueSettings, day: datetime.date, speed: float) -> Market:
    step_s = args.step or (settings.step_s if not speed else min(settings.step_s, max(1, round(speed))))
    seed = settings.seed if args.seed is None else args.seed
    try:
        return SyntheticMarket(seed, day, load_rules(), args.symbols or settings.symbols, step_s)
    except (ValueError, LookupError) as fault:
        raise Refused(f"venue: {fault}") from fault


def _recorded(args: Namespace, config: Config, day: datetime.date) -> Market:
    """The recorded day, of the scrips asked for, or else of those on the watchlist."""
    symbols, where = args.symbols, "in --symbols"
    if not symbols:
        symbols, where = args.watched or tuple(scrip.symbol for scrip in config.watchlist), WATCHLIST
    try:
        market = play_day(
            open_recordings(args.data, args.mapping), day, load_rules(config.desk.span_scans), symbols, where
        )
    except (BadData, LookupError) as fault:
        raise Refused(f"venue: {fault}") from fault
    lacking = [symbol for symbol in args.symbols or () if symbol not in market.symbols]
    if lacking:
        name = f"{lacking[0]}:".casefold()
        why = "; ".join(n for n in market.notes() if n.casefold().startswith(name)) or "nothing is recorded"
        raise Refused(f"venue: --symbols {lacking[0]}: nothing of it can be traded on {day} ({why}); leave it out")
    return market


def _faults(path: Path | None) -> VenueFaults | None:
    if path is None:
        return None
    try:
        return msgspec.toml.decode(path.read_bytes(), type=VenueFaults)
    except OSError as fault:
        raise Refused(f"--faults {path} cannot be read: {fault.strerror}") from fault
    except (msgspec.DecodeError, msgspec.ValidationError) as fault:
        raise Refused(f"--faults {path}: {fault}; docs/venue.md lists what can go wrong") from fault
