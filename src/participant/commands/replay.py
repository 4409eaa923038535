"""`participant replay`: every logged decision again from its own logged input, compared byte for byte."""

import datetime
from argparse import Namespace

from participant.adapters.archives.jsonl import JsonlArchive
from participant.analysis.replay import Difference, replay_day
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.commands.people import rules_of
from participant.links.parts import PartMissing
from participant.plugins import load_plugins


def replay(args: Namespace) -> int:
    """Replay the days asked for; status 1 where a decision came out otherwise."""
    load_plugins()
    archive, rules = JsonlArchive(args.home / "decisions"), rules_of(args)
    first, last = args.date
    worst = DONE
    days = [str(first + datetime.timedelta(i)) for i in range((last - first).days + 1)]
    logged = [day for day in days if archive.count(day)]  # a span has holidays
    if not logged:
        span = str(first) if first == last else f"{first}..{last}"
        raise Refused(f"replay: {args.home}/decisions has no log of {span}; `participant trade` writes one")
    for day in logged:
        try:
            found = replay_day(archive.read(day), rules)
        except PartMissing as missing:
            files = f"{args.home}/decisions/{day}"
            told = f"{files}.jsonl, {missing} is not in {files}.parts.jsonl.gz"
            raise Refused(f"replay: {told}; restore that file from a copy") from None
        worst = max(worst, NEEDS_A_PERSON if found.differences else DONE)
        counts = f"{day}: {found.equal} decisions equal to the byte, {len(found.differences)} not"
        text = f"{counts}, {found.undecided} outcomes without a decision\n"
        say(args, text + "".join(_line(d) for d in found.differences), found)
    return worst


def _line(found: Difference) -> str:
    return f"  line {found.line}: logged {found.logged}, now {found.now}\n"
