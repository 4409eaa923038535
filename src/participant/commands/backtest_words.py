"""The words of `participant backtest`: its subcommands and their options."""

import argparse
from pathlib import Path
from typing import Any

from participant.commands.words import capital, day, names, setting


def add(command: argparse.ArgumentParser, common: argparse.ArgumentParser) -> None:
    """Say what can be played and what can be made of it; each subcommand names its function for `run`."""
    what: Any = command.add_subparsers(metavar="WHAT", required=True)  # its class is no public name of argparse
    recorded = argparse.ArgumentParser(add_help=False)
    recorded.add_argument("--underlying", type=names, required=True, metavar="A,B", help="underlyings, NIFTY")
    recorded.add_argument("--data", type=Path, action="append", required=True, metavar="PATH", help="recorded (repeat)")
    recorded.add_argument("--from", dest="first", type=day, required=True, metavar="DAY", help="the first day")
    recorded.add_argument("--to", dest="last", type=day, required=True, metavar="DAY", help="the last day")
    played = what.add_parser("covered-call", parents=[recorded, common], help="play the covered call")
    played.set_defaults(run="backtest:run")
    played.add_argument("--capital", type=capital, required=True, metavar="RUPEES", help="what it begins with")
    played.add_argument("--weights", type=setting, nargs="+", default=[], metavar="KEY=VALUE", help="iv_rank_min=0.3")
    played.add_argument("--out", type=Path, metavar="DIR", help="a new folder (default: a temporary one)")
    played.add_argument("--latency", type=float, default=0.0, metavar="S", help="how long an order is on its way")
    played.add_argument("--check-lookahead", action="store_true", help="also change the future: no decision may change")
    studied = what.add_parser("overwrite", parents=[recorded, common], help="the call at the money, cycle by cycle")
    studied.set_defaults(run="backtest:study")
    given = what.add_parser("orders", parents=[common], help="orders of a file through the books, without a brain")
    given.set_defaults(run="backtest_orders:run")
    given.add_argument("file", type=Path, metavar="FILE", help="contracts, quotes, orders, official prices (TOML)")
    told = what.add_parser("report", parents=[common], help="the tear sheet of a saved result")
    told.set_defaults(run="backtest:report")
    told.add_argument("folder", type=Path, metavar="DIR", help="what --out was")
    told.add_argument("--html", type=Path, metavar="FILE", help="where the page goes (default: DIR/sheet.html)")
