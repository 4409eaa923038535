"""`participant replay`: every logged decision again from its own logged input, compared byte for byte."""

import datetime
from argparse import Namespace

from participant.adapters.archives.jsonl import JsonlArchive
from participant.analysis.replay import Difference, replay_day
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_rules


def replay(args: Namespace) -> int:
    """Replay the days asked for; status 1 where a decision came out otherwise."""
    archive, rules = JsonlArchive(args.home / "decisions"), load_rules()
    first, last = args.date
    worst = DONE
    for i in range((last - first).days + 1):
        day = str(first + datetime.timedelta(i))
        lines = archive.read(day)
        if not lines:
            raise Refused(f"replay: {args.home}/decisions has no log of {day}; `participant trade` writes one")
        found = replay_day(lines, rules)
        worst = max(worst, NEEDS_A_PERSON if found.differences else DONE)
        counts = f"{day}: {found.equal} decisions equal to the byte, {len(found.differences)} not"
        text = f"{counts}, {found.undecided} outcomes without a decision\n"
        say(args, text + "".join(_line(d) for d in found.differences), found)
    return worst


def _line(found: Difference) -> str:
    return f"  line {found.line}: logged {found.logged}, now {found.now}\n"
