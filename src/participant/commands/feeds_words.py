"""The words of `participant feeds` and `participant record`: subcommands and options."""

import argparse
from pathlib import Path
from typing import Any

from participant.commands.words import day


def add(command: argparse.ArgumentParser, *shared: argparse.ArgumentParser) -> None:
    """Say what can be asked of the feeds; each subcommand names its function for `run`."""
    what: Any = command.add_subparsers(metavar="WHAT", required=True)  # its class is no public name of argparse
    told = what.add_parser("report", parents=list(shared), help="a day's feed quality, and who was believed when")
    told.set_defaults(run="feeds:report")
    told.add_argument("day", nargs="?", type=day, metavar="DAY", help="a closed day (default: the latest)")


def record(command: argparse.ArgumentParser) -> None:
    """Say what `participant record` takes."""
    command.set_defaults(run="record:record")
    command.add_argument("--venue", required=True, metavar="URL", help="a venue that runs by itself (--speed)")
    command.add_argument("--into", required=True, type=Path, metavar="DIR", help="where the days lie, a folder each")
