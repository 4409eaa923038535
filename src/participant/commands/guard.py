"""Runs a command and turns what it may raise into one line and an exit status."""

import sys
import traceback
from argparse import Namespace
from collections.abc import Callable

from participant.commands.errors import FAULT, NEEDS_A_PERSON, WRONG_USE

# By name: to import what may raise them takes three times as long as most commands do.
ENDS = {
    "participant.commands.errors.Refused": WRONG_USE,
    "participant.config.BadConfig": WRONG_USE,
    "participant.core.strategies.table.UnknownStrategy": WRONG_USE,
    "participant.links.keys.BadKey": WRONG_USE,
    "participant.operate.desk.No": WRONG_USE,
    "participant.operate.wake.NotReady": WRONG_USE,
    "participant.plugins.BadPlugin": WRONG_USE,
    "participant.ports.LeaseHeld": WRONG_USE,
    "participant.ports.StoreBroken": WRONG_USE,
    "participant.wire.json.Malformed": WRONG_USE,
    "participant.wire.limits.BadLimits": WRONG_USE,
    "participant.wire.rules.BadRules": WRONG_USE,
    "participant.operate.trade.Stopped": NEEDS_A_PERSON,
    "participant.operate.wake.Blocked": NEEDS_A_PERSON,
    "participant.operate.supervisor.TooManyRestarts": FAULT,
    "builtins.TimeoutError": FAULT,
    "builtins.ConnectionError": FAULT,
}


def run(command: Callable[[Namespace], int], args: Namespace) -> int:
    """The command's own status, or 2 for what a person can mend, 3 for what broke."""
    try:
        return command(args)
    except Exception as fault:  # noqa: BLE001 # a fault of ours keeps its traceback, and a status that no finding has
        kinds = (f"{kind.__module__}.{kind.__qualname__}" for kind in type(fault).__mro__)
        status = next((ENDS[kind] for kind in kinds if kind in ENDS), None)
        if status is not None:
            sys.stderr.write(f"participant: {fault}\n")
            return status
        traceback.print_exc()
        sys.stderr.write(f"participant: a fault of this program: {type(fault).__name__}: {fault}\n")
        return FAULT
