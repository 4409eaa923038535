"""The commands by which a run starts its processes."""

import datetime
import os
import sys
from argparse import Namespace

from participant.config import Config


def venue_command(args: Namespace, day: datetime.date, config: Config) -> list[str]:
    """A venue that plays the day as the options of `trade` ask for it."""
    options = ["--home", str(args.home), "--date", str(day), "--parent", str(os.getpid())]
    options += ["--watched", ",".join(scrip.symbol for scrip in config.watchlist)]
    options += [word for path in args.data or () for word in ("--data", str(path))]
    for name in ("config", "seed", "symbols", "step", "faults", "mapping"):
        value = getattr(args, name)
        if value is not None:
            options += [f"--{name}", ",".join(value) if isinstance(value, tuple) else str(value)]
    options += ["--speed", str(args.speed)] if args.speed else ["--lockstep"]
    return command("venue", *options)


def command(*words: str) -> list[str]:
    """This program with these words."""
    return [sys.executable, "-m", "participant", *words]
