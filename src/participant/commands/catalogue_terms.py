"""`participant catalogue terms`: brokers' contract masters as the terms of a day, compared with the rulebook."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.core.mastercheck import compare_master
from participant.core.rulebook import OutsideRules, Rulebook
from participant.core.rulecheck import Difference
from participant.history.pages import BadData
from participant.history.terms import keep_terms
from participant.wire.json import Malformed
from participant.wire.masters import MasterFile, parse_master


class Brought(Struct, frozen=True):
    """A master that was imported: whose, how many contracts of which underlyings, and how it differs from the rules."""

    file: str
    broker: str
    contracts: int
    underlyings: tuple[str, ...]
    is_new: bool
    differences: tuple[Difference, ...]


def terms(args: Namespace) -> int:
    """Import masters; status 1 where one differs from the rulebook and nothing explains it."""
    rules = load_rules()
    brought = [_bring_in(args, file, rules) for file in args.files]
    say(args, "\n".join(_lines(args, brought)), tuple(brought))
    unexplained = any(not one.explained for master in brought for one in master.differences)
    return NEEDS_A_PERSON if unexplained else DONE


def _bring_in(args: Namespace, file: Path, rules: Rulebook) -> Brought:
    try:
        master = parse_master(file.read_bytes())
        expired = sorted(one.expiry for one in master.listings if one.expiry < args.on)
        if expired:
            raise Refused(f"catalogue: {file} has contracts that expired on {expired[0]}: it is not of {args.on}")
        found = compare_master(rules, master.listings, master.freezes, args.on)
        is_new = keep_terms(args.into, args.on, master)
    except OSError as fault:
        raise Refused(f"catalogue: {file} or {args.into}: {fault.strerror}") from fault
    except (Malformed, OutsideRules, BadData) as fault:
        raise Refused(f"catalogue: {file}: {fault}") from fault
    return Brought(str(file), master.broker, len(master.listings), _names(master), is_new, tuple(found))


def _names(master: MasterFile) -> tuple[str, ...]:
    return tuple(sorted({one.underlying for one in master.listings}))


def _lines(args: Namespace, brought: Sequence[Brought]) -> Iterator[str]:
    for one in brought:
        names = ", ".join(one.underlyings[:8]) + (" ..." if len(one.underlyings) > 8 else "")
        how = "imported" if one.is_new else "there already"
        yield f"{one.broker}, {args.on}: {one.contracts:,} contracts of {names}: {how}"
        for found in one.differences:
            mark = " " if found.explained else "!"
            times = f" ({found.count:,} times)" if found.count > 1 else ""
            yield f"  {mark} {found.subject}: {found.said}{times}"
