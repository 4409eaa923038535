"""`participant decisions what-if`: what other weights would have decided on the logged states, and made of it."""

import datetime
from argparse import Namespace
from collections.abc import Iterator

from participant.analysis.diff import BadSide
from participant.analysis.logged import Logged
from participant.analysis.what_if import Act, Outcome, WhatIf
from participant.analysis.what_if import what_if as played
from participant.commands.diff import logs, settings
from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.commands.people import rules_of
from participant.core.notices import KOLKATA
from participant.core.rulebook import OutsideRules
from participant.core.session import SECOND
from participant.core.strategies.table import UnknownStrategy
from participant.core.wording import counted, rupees
from participant.plugins import load_plugins
from participant.wire.json import Malformed

RULE = (
    "Both sides by one rule: what is decided fills at once at the prices seen, what is left is worth its last middle; "
    "docs/analytics.md says what that leaves out."
)


def what_if(args: Namespace) -> int:
    """Decide the logged states with other weights, each on what came of the last, beside the logged ones."""
    load_plugins()
    chosen = settings(args.weights)
    if not chosen:
        raise Refused("decisions what-if: say what is to be otherwise: --weights iv_rank_min=0.3")
    try:
        found = played(_lines(args), chosen, rules_of(args))
    except (BadSide, Malformed, OutsideRules, UnknownStrategy) as fault:
        raise Refused(f"decisions what-if: {fault}") from None
    if not found:
        raise Refused(f"decisions what-if: the log has no decision of {args.scrip}")
    say(args, "\n".join(_told(found)), found)
    return DONE


def _lines(args: Namespace) -> Iterator[Logged]:
    return (one for _, lines in logs(args, "what-if") for one in lines)


def _told(found: list[WhatIf]) -> Iterator[str]:
    for one in found:
        yield f"{one.logged.scrip}, {counted(one.logged.decisions, 'decision')}:"
        yield from _side("with the logged weights", one.logged)
        yield from _side("with these", one.other)
        yield f"  difference: {rupees(one.difference)}"
    if len(found) > 1:
        yield f"all: difference {rupees(sum(one.difference for one in found))}"
    yield RULE


def _side(name: str, side: Outcome) -> Iterator[str]:
    held = ", ".join(f"{units:+,} {key}" for key, units in side.held.items()) or "nothing"
    yield f"  {name}: {rupees(side.result)} after {rupees(side.charges)} of charges; at the end it holds {held}"
    yield f"    {counted(side.as_logged, 'decision')} as in the log; {len(side.acts)} asked for orders"
    yield from (f"    {_act(act)}" for act in side.acts)


def _act(act: Act) -> str:
    at = datetime.datetime.fromtimestamp(act.at / SECOND, KOLKATA)
    return f"{at:%Y-%m-%d %H:%M:%S} {act.action}: {act.reason}"
