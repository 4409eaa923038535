"""What was decided on each recorded day, a line a day and group of scrips, as a page of the documents."""

import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tests.days.desk import Counts, Told

HEAD = (
    "# Every recorded day, day by day\n\n"
    "Made by `python -m tests.days {words}` at commit {commit}; "
    "[assurance](assurance.md#the-strategy-on-every-recorded-day) says what the run is, and sums it up. "
    "A line is a day and a group of scrips: an index, or all stocks of the set.\n"
    "**{wrong} decision on a crossed, locked, empty or stale quote, call without cover or break with the broker** in "
    "{played} days of {sets} sets; no exception, for one would have ended the run.\n"
    "Fills are orders filled; `denied` are orders that the gateway did not send, by control; the last column has why "
    "nothing was done, figures left out as `…`.\n"
)
COLUMNS = (
    "| day | scrips | decisions | opens | closes | fills | denied | nothing was done, for |\n"
    "|---|---|--:|--:|--:|--:|---|---|"
)
REASON_MAX = 60


def by_day(days: Mapping[str, Sequence[Told]], words: Sequence[str]) -> str:
    """The page of these sets; `words` are those of the command."""
    every = [told for one in days.values() for told in one]
    wrong, played = sum(len(told.faults) for told in every), sum(bool(told.symbols) for told in every)
    head = HEAD.format(words=" ".join(words), commit=_commit(), wrong=wrong or "No", played=played, sets=len(days))
    return "\n".join([head, *(line for name, told in days.items() for line in _set(name, told))]) + "\n"


def _set(name: str, days: Sequence[Told]) -> Iterator[str]:
    yield from (f"## {name}", "", COLUMNS)
    for told in days:
        if not told.symbols:
            yield f"| {told.day} | | | | | | | {_reasons(told.refusals)} |"
        for group, counts in sorted(told.groups.items()):
            yield _line(told.day, group, counts)
    yield ""


def _line(day: str, group: str, of: Counts) -> str:
    numbers = " | ".join(f"{n:,}" for n in (of.decisions, of.opens, of.closes, of.fills))
    return f"| {day} | {group} | {numbers} | {_reasons(of.denied)} | {_reasons(of.refusals)} |"


def _reasons(counts: Counter[str]) -> str:
    return "; ".join(f"{count:,} {_short(reason)}" for reason, count in counts.most_common())


def _short(reason: str) -> str:
    said = reason.replace("|", "/")
    return said if len(said) <= REASON_MAX else said[:REASON_MAX].rsplit(" ", 1)[0] + " …"


def _commit() -> str:
    return subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
