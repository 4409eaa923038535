"""Runs a command and turns what it may raise into one line and an exit status."""

import sys
import traceback
from argparse import Namespace
from collections.abc import Callable

from participant.commands.errors import FAULT, NEEDS_A_PERSON, WRONG_USE, Refused
from participant.config import BadConfig
from participant.core.strategies.table import UnknownStrategy
from participant.links.keys import BadKey
from participant.operate.desk import No
from participant.operate.supervisor import TooManyRestarts
from participant.operate.trade import Stopped
from participant.operate.wake import Blocked, NotReady
from participant.plugins import BadPlugin
from participant.ports import LeaseHeld, StoreBroken
from participant.wire.json import Malformed
from participant.wire.limits import BadLimits
from participant.wire.rules import BadRules

BAD_INPUT = (
    Refused, No, BadConfig, BadKey, BadLimits, BadPlugin, BadRules, NotReady, StoreBroken, LeaseHeld, Malformed,
    UnknownStrategy,
)  # fmt: skip
BROKEN = (TooManyRestarts, TimeoutError, ConnectionError)


def run(command: Callable[[Namespace], int], args: Namespace) -> int:
    """The command's own status, or 2 for what a person can mend, 3 for what broke."""
    try:
        return command(args)
    except BAD_INPUT as fault:
        sys.stderr.write(f"participant: {fault}\n")
        return WRONG_USE
    except (Stopped, Blocked) as fault:
        sys.stderr.write(f"participant: {fault}\n")
        return NEEDS_A_PERSON
    except BROKEN as fault:
        sys.stderr.write(f"participant: {fault}\n")
        return FAULT
    except Exception as fault:  # noqa: BLE001 # a fault of ours keeps its traceback, and a status that no finding has
        traceback.print_exc()
        sys.stderr.write(f"participant: a fault of this program: {type(fault).__name__}: {fault}\n")
        return FAULT
