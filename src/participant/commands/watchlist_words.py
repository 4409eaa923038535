"""The words of `participant watchlist`: its subcommands and their options."""

import argparse
from pathlib import Path
from typing import Any

from participant.commands.words import day, setting


def add(watchlist: argparse.ArgumentParser, *shared: argparse.ArgumentParser) -> None:
    """Say what can be asked of the watchlist; each subcommand names its function for `run`."""
    what: Any = watchlist.add_subparsers(metavar="WHAT", required=True)  # its class is no public name of argparse
    add, change = what.add_parser, argparse.ArgumentParser(add_help=False)
    change.add_argument("--from", dest="since", type=day, metavar="DAY", help="a later session (default: the next)")
    change.add_argument("--by", metavar="NAME", help="who does it (default: the login's name)")
    change.add_argument("--note", required=True, help="why; it is kept with the version")
    _run(add("list", parents=list(shared), help="the newest version, and all by their heads"), "watchlist:show_list")
    show = _run(add("show", parents=list(shared), help="every setting of a scrip, and its changes"), "watchlist:show")
    put = _run(add("set", parents=[change, *shared], help="change settings of a scrip"), "watchlist:change")
    for one in (show, put):
        one.add_argument("symbol", metavar="SCRIP", help="an underlying, NIFTY")
    put.add_argument("settings", type=setting, nargs="+", metavar="KEY=VALUE", help="target_delta=0.2")
    put.add_argument("--add", action="store_true", help="put a scrip there that does not stand on it yet")
    bring_in = _run(
        add("import", parents=[change, *shared], help="take a file's rows in the place of all"), "watchlist:bring_in"
    )
    bring_in.add_argument("file", type=Path, nargs="?", metavar="FILE", help="TOML with [[watchlist]] rows")
    bring_in.add_argument("--shipped", action="store_true", help="NIFTY, BANKNIFTY and their constituents instead")
    out = _run(add("export", parents=list(shared), help="write the newest version as TOML"), "watchlist:write_out")
    out.add_argument("file", type=Path, nargs="?", metavar="FILE", help="a new file (default: print it)")


def _run(command: argparse.ArgumentParser, function: str) -> argparse.ArgumentParser:
    command.set_defaults(run=function)
    return command
