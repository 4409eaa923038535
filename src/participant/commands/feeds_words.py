"""The words of `participant feeds`: its subcommands and their options."""

import argparse
from typing import Any

from participant.commands.words import day


def add(command: argparse.ArgumentParser, *shared: argparse.ArgumentParser) -> None:
    """Say what can be asked of the feeds; each subcommand names its function for `run`."""
    what: Any = command.add_subparsers(metavar="WHAT", required=True)  # its class is no public name of argparse
    told = what.add_parser("report", parents=list(shared), help="a day's feed quality, and who was believed when")
    told.set_defaults(run="feeds:report")
    told.add_argument("day", nargs="?", type=day, metavar="DAY", help="a closed day (default: the latest)")
