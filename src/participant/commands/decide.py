"""`participant decide`: one decision by hand or by a platform, from a job's input or from the log."""

import sys
from argparse import Namespace
from pathlib import Path

from msgspec import Struct

from participant.adapters.archives.jsonl import JsonlArchive
from participant.analysis.lookup import Found, lookup
from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.given import VARIABLE, given_input, is_given
from participant.commands.people import rules_of
from participant.core.rulebook import OutsideRules
from participant.core.strategies.table import UnknownStrategy
from participant.links.parts import PartMissing
from participant.links.whole import write_whole
from participant.plugins import load_plugins
from participant.stages.decide import run
from participant.wire.json import Malformed


class Logged(Struct, frozen=True):
    """Where a logged decision was found."""

    day: str
    found: Found


def decide(args: Namespace) -> int:
    """Run one brain job here and print its decision; status 1 where the log holds another for the same input."""
    is_named = bool(args.decision) + bool(args.input)
    if is_named == 2 or not (is_named or is_given(args)):
        raise Refused(f"decide: name a decision of the log, or --input FILE, and not both; or set {VARIABLE}")
    load_plugins()
    logged = find(args, "decide") if args.decision else None
    given = logged.found.given if logged else given_input(args)
    if args.save:
        _write(args.save, given + b"\n", "--save")
    try:
        again = run(given, rules_of(args))
    except (Malformed, UnknownStrategy, OutsideRules) as fault:
        raise Refused(f"decide: {fault}") from fault
    if args.output:
        _write(args.output, again, "--output")
    else:
        sys.stdout.write(again.decode() + "\n")
    if logged is None:
        return DONE
    is_same, outcome = again == logged.found.logged, logged.found.outcome
    told = "equal to the byte" if is_same else "it differs" if outcome == "decided" else f"the log says {outcome}"
    if not args.quiet:
        sys.stderr.write(f"{logged.day}, {logged.found.decision_id}: {told}\n")
    return DONE if is_same or outcome != "decided" else NEEDS_A_PERSON


def _write(file: Path, body: bytes, option: str) -> None:
    try:
        write_whole(file, body)
    except OSError as fault:
        raise Refused(f"decide: {file} cannot be written: {fault.strerror}; choose another {option}") from fault


def find(args: Namespace, command: str) -> Logged:
    """The newest day's decision whose id begins as asked; raises Refused where none does, or several."""
    folder, begins = args.home / "decisions", args.decision
    archive = JsonlArchive(folder)
    for day in sorted((file.name.partition(".")[0] for file in folder.glob("*-*-??.jsonl")), reverse=True):
        try:
            found = lookup(archive.read(day), begins)
        except PartMissing as missing:
            raise Refused(f"{command}: {folder}/{day}.jsonl: {missing}; restore its parts from a copy") from None
        if len({one.decision_id for one in found}) > 1:
            raise Refused(f"{command}: {len(found)} decisions of {day} begin with {begins}: give more digits")
        if found:
            return Logged(day, found[0])
    raise Refused(f"{command}: no decision of {folder} begins with {begins}")
