"""The watchlist of a day: the version that rules it, put down as the one it began with."""

import getpass
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import closing

from msgspec.structs import replace

from participant import app
from participant.adapters.clocks.system import SystemClock
from participant.commands.errors import Refused
from participant.config import Config, Run, with_own_events
from participant.core.ids import digest
from participant.core.scrip import Scrip
from participant.core.watched import faults
from participant.core.watchlist import Version, differences
from participant.links.watchlist import first, take, version_of
from participant.operate.wake import Blocked


def watching(run: Run) -> tuple[Run, Version]:
    """The run with the watchlist that rules its day: of the books, or the configuration's where they have none yet."""
    own = first(run.config.watchlist, getpass.getuser(), SystemClock().now())
    with closing(app.books(run)) as books:
        version = version_of(books, run.day, own)
    for part, fault in faults(version.scrips, run.config.broker.name):
        if fault:
            raise Refused(f"watchlist version {version.number}, {part} {fault}")
    return replace(run, config=with_own_events(replace(run.config, watchlist=version.scrips))), version


def begin_with(args: Namespace, run: Run, version: Version, rows: Sequence[Scrip]) -> str:
    """Put down which version the day begins with, and say it in words; `rows` are those of the configuration now."""
    with closing(app.books(run)) as books:
        if not take(books, run.day, version):
            raise Blocked(f"the watchlist of {run.day} was changed just now: say the same command again")
    told = not_taken(rows, version)
    if told and not args.quiet:
        sys.stderr.write(
            f"participant: {run.day}: the rows of the configuration are others and were not taken over: "
            f"{'; '.join(told)}; `participant watchlist import FILE --note WHY` takes them from the next session on\n"
        )
    return f"version {version.number}, {version.span}{'; the configuration has others' if told else ''}"


def not_taken(rows: Sequence[Scrip], newest: Version) -> list[str]:
    """How the configuration's rows differ from a version, where they changed since they were last taken over."""
    if digest(rows) == newest.file_hash:
        return []
    return differences(newest.scrips, rows)


def check_watched(config: Config, symbols: Sequence[str]) -> None:
    """Every scrip that is to be played must stand on the watchlist."""
    unwatched = [s for s in symbols if s not in {scrip.symbol for scrip in config.watchlist}]
    if unwatched:
        raise Refused(
            f"scrip {unwatched[0]} is not on the watchlist; `participant watchlist set {unwatched[0]} --add "
            "is_enabled=true --note WHY` adds it, and before the first day a [[watchlist]] row in participant.toml does"
        )
