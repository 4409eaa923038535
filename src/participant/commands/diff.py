"""`participant decisions diff`: which logged decisions another build or other weights would make otherwise."""

import datetime
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from msgspec import Struct, convert

from participant.adapters.archives.jsonl import JsonlArchive
from participant.analysis.diff import BadSide, Brain, Change, Compared, Settings, Side, as_logged, compare, here
from participant.analysis.logged import Field, Logged, logged
from participant.commands.decisions import span_of
from participant.commands.errors import DONE, Refused
from participant.commands.logged_days import days_logged, parts_told
from participant.commands.output import say
from participant.commands.people import rules_of, run_of
from participant.config import load_config
from participant.core.decision import Leg
from participant.core.notices import KOLKATA
from participant.core.rulebook import OutsideRules
from participant.core.scrip import PRICE_UNITS
from participant.core.session import SECOND
from participant.core.strategies.table import UnknownStrategy
from participant.plugins import load_plugins
from participant.wire.json import Malformed
from participant.wire.watchlist import parse_value

SHOWN_MAX = 6  # fields of a change for people; --json has them all


class Found(Struct, frozen=True):
    """What a comparison found: how many inputs, how many outcomes without a decision, and each changed decision."""

    compared: int
    undecided: int
    changed: tuple[Change, ...]


def diff(args: Namespace) -> int:
    """Decide the logged inputs on both sides and say exactly which decisions differ, and in which fields."""
    load_plugins()
    weights, against = settings(args.weights), settings(args.against)
    with ExitStack() as open_ones:
        after = _side(args, args.brain, weights, open_ones)
        if args.against_brain or against:
            before = _side(args, args.against_brain, against, open_ones)
        else:  # what other weights change, this same brain says; what another build changes, the log
            before = _side(args, args.brain, {}, open_ones) if weights else as_logged
        found = _collected(compared(args, before, after))
    shown = [line for change in found.changed for line in _lines(change)]
    counts = f"{found.compared:,} decisions on both sides, {len(found.changed):,} changed"
    say(args, "\n".join([*shown, f"{counts}, {found.undecided:,} outcomes without a decision"]), found)
    return DONE


def settings(words: Sequence[tuple[str, str]]) -> Settings:
    """Settings by name, their values as TOML has them."""
    return {name: parse_value(value) for name, value in words}


def compared(args: Namespace, before: Side, after: Side) -> Iterator[Compared]:
    """Every logged decision that is asked for, on both sides. Raises Refused."""
    try:
        for day, lines in logs(args, "diff"):
            yield from compare(day, lines, before, after)
    except (BadSide, Malformed, OutsideRules, UnknownStrategy) as fault:
        raise Refused(f"decisions diff: {fault}") from None


def logs(args: Namespace, command: str) -> Iterator[tuple[str, Iterator[Logged]]]:
    """The days that are asked for, each with its lines, of one scrip where one is named. Raises Refused."""
    archive, span = JsonlArchive(args.home / "decisions"), span_of(args, command)
    days = days_logged(args.home, span)
    if not days:
        raise Refused(f"decisions {command}: {args.home}/decisions has no log of a day that was asked for")
    for day in days:
        with parts_told(args.home, day, f"decisions {command}"):
            yield day, (one for one in logged(archive.read(day)) if args.scrip in {None, one.record.scrip.symbol})


def _side(args: Namespace, folder: Path | None, chosen: Settings, open_ones: ExitStack) -> Side:
    if folder is None:
        return here(rules_of(args), chosen)
    try:
        return open_ones.enter_context(closing(Brain(folder, _span_scans(args), chosen)))
    except BadSide as fault:
        raise Refused(f"decisions diff: {fault}") from None


def _span_scans(args: Namespace) -> str:
    is_of_home = args.config is None and (args.home / "run.json").exists()
    config = run_of(args.home).config if is_of_home else load_config(args.config, {})
    return config.desk.span_scans


def _collected(each: Iterator[Compared]) -> Found:
    both = undecided = 0
    changes = []
    for one in each:
        both, undecided = both + one.is_decided, undecided + (not one.is_decided)
        changes += [one.change] if one.change else []
    return Found(both, undecided, tuple(changes))


def _lines(change: Change) -> Iterator[str]:
    at = datetime.datetime.fromtimestamp(change.decided_for / SECOND, KOLKATA)
    yield f"{at:%Y-%m-%d %H:%M:%S} {change.scrip}, line {change.line}:"
    first = [field for field in change.fields if "." not in field.name]
    figures = [field for field in change.fields if "." in field.name]
    yield from (f"  {_told(field)}" for field in (*first, *figures)[:SHOWN_MAX])
    left = [field.name for field in (*first, *figures)[SHOWN_MAX:]]
    if left:
        yield f"  and in {len(left)} more: {', '.join(left)}"


def _told(field: Field) -> str:
    word = _legs if field.name == "legs" else str
    before, after = (_short(word(side)) if side else "nothing" for side in (field.before, field.after))
    return f"{field.name}: {before} -> {after}"


def _legs(legs: object) -> str:
    each = convert(legs, tuple[Leg, ...])
    return ", then ".join(f"{x.side} {x.quantity:,} {x.contract.key} at {x.limit / PRICE_UNITS:,.2f}" for x in each)


def _short(text: str) -> str:
    return text if len(text) <= 160 else f"{text[:157]}..."
