"""How a command ends that Ctrl-C has stopped, wherever it was."""

import signal
import sys

from participant.commands.errors import NEEDS_A_PERSON


def stopped() -> int:
    """Say so in one line; the status.

    CPython ends by the signal where the interrupt left a text that it ran, though it was caught, until it runs another.
    Named tuples and data classes are made from such texts: without this it would depend on where the imports were.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who presses twice would only spoil the end
    eval("0")  # noqa: S307 # a constant, and any will do
    sys.stderr.write("participant: stopped; run the same command again to go on\n")
    return NEEDS_A_PERSON
