"""`participant replay`: every logged decision again from its own logged input, compared byte for byte."""

import datetime
from argparse import Namespace
from collections.abc import Sequence

from participant.adapters.archives.jsonl import JsonlArchive
from participant.analysis.replay import Difference, Replay, replay_day
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.logged_days import days_logged, parts_told
from participant.commands.output import say
from participant.commands.people import rules_of
from participant.plugins import load_plugins


def replay(args: Namespace) -> int:
    """Replay the days asked for, or every day of the log; status 1 where a decision came out otherwise."""
    load_plugins()
    archive, rules = JsonlArchive(args.home / "decisions"), rules_of(args)
    first, last = args.date or (datetime.date.min, datetime.date.max)
    days = days_logged(args.home, (first, last))
    if not days:
        span = "any day" if args.date is None else str(first) if first == last else f"{first}..{last}"
        raise Refused(f"replay: {args.home}/decisions has no log of {span}; `participant trade` writes one")
    replays = []
    for day in days:
        with parts_told(args.home, day, "replay"):
            found = replay_day(archive.read(day), rules, day)
        replays.append(found)
        say(args, _told(found) + "".join(map(_line, found.differences)), found)
    if len(days) > 1 and not args.json:
        say(args, _total(replays), None)
    return NEEDS_A_PERSON if any(found.differences for found in replays) else DONE


def _told(found: Replay) -> str:
    counts = f"{found.day}: {found.equal} decisions equal to the byte, {len(found.differences)} not"
    return f"{counts}, {found.undecided} outcomes without a decision\n"


def _total(replays: Sequence[Replay]) -> str:
    equal, differ = sum(r.equal for r in replays), sum(len(r.differences) for r in replays)
    return f"{len(replays)} days: {equal} of {equal + differ} decisions equal to the byte\n"


def _line(found: Difference) -> str:
    where = f" (in {', '.join(found.fields)})" if found.fields else ""
    return f"  line {found.line}: logged {found.logged}, now {found.now}{where}\n"
