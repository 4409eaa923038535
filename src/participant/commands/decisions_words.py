"""The words of the commands that read logged decisions: names and options only, for the command line."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from participant.commands.words import day, days, setting

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[Any]
Parser = argparse.ArgumentParser


def decisions(commands: "Commands", home: Parser, common: Parser) -> None:
    """`replay`, `decide`, `explain`, and what is asked of many decisions at once."""
    add = commands.add_parser
    replay = add("replay", parents=[home, common], help="decide logged days again, byte for byte")
    replay.set_defaults(run="replay:replay")
    replay.add_argument("date", nargs="?", type=days, metavar="DAY[..DAY]", help="trading days (default: all)")
    decide = add("decide", parents=[home, common], help="one decision by hand, from its input")
    decide.set_defaults(run="decide:decide")
    decide.add_argument("decision", nargs="?", metavar="ID", help="a logged decision, by the first digits of its id")
    decide.add_argument("--input", type=Path, metavar="FILE", help="a job's input (JSON); - reads it from stdin")
    decide.add_argument("--output", type=Path, metavar="FILE", help="where the decision goes (default: stdout)")
    decide.add_argument("--save", type=Path, metavar="FILE", help="also write the input that was decided on")
    explain = add("explain", parents=[home, common], help="why a decision came out as it did")
    explain.set_defaults(run="explain:explain")
    explain.add_argument("decision", metavar="ID", help="a logged decision, by the first digits of its id")
    _many(add("decisions", help="all logged decisions: ask, query, diff, what-if, seal"), home, common)


def _many(command: Parser, home: Parser, common: Parser) -> None:
    add = command.add_subparsers(metavar="WHAT", required=True).add_parser
    ask = add(
        "ask",
        parents=[home, common, _log(), _scrip()],
        help="a question by its name; without one, those that there are",
    )
    ask.set_defaults(run="decisions:named")
    ask.add_argument("name", nargs="?", metavar="NAME", help="why-nothing, refusals, slippage, in-the-money, ...")
    diff = add("diff", parents=[home, common, _span(), _scrip()], help="which decisions another side makes otherwise")
    diff.set_defaults(run="diff:diff")
    _weights(diff, "--weights", "what is set otherwise: iv_rank_min=0.3 strategy=NAME limits.lots_max=5")
    _weights(diff, "--against", "what the other side sets (default: as logged)")
    diff.add_argument("--brain", type=Path, metavar="DIR", help="another version: a checkout (default: this one)")
    diff.add_argument("--against-brain", type=Path, metavar="DIR", help="the version of the other side")
    other = add("what-if", parents=[home, common, _span(), _scrip()], help="what other weights would have made")
    other.set_defaults(run="what_if:what_if")
    _weights(other, "--weights", "what is set otherwise: iv_rank_min=0.3 strategy=NAME")
    seal = add("seal", parents=[home, common, _span()], help="seal days that no desk has sealed")
    seal.set_defaults(run="decisions:seal")
    query = add("query", parents=[home, common, _log()], help="ask in SQL: the views decisions and orders")
    query.set_defaults(run="decisions:query")
    query.add_argument("sql", metavar="SQL", help="one SELECT; - reads it from stdin")


def _log() -> Parser:
    shared = Parser(add_help=False, parents=[_span()])
    shared.add_argument("--log", metavar="WHERE", help="a folder or s3://BUCKET/PREFIX (default: of the home)")
    shared.add_argument("--csv", action="store_true", help="comma-separated values, names first")
    return shared


def _scrip() -> Parser:
    shared = Parser(add_help=False)
    shared.add_argument("--scrip", type=str.upper, metavar="NAME", help="of this scrip alone")
    return shared


def _weights(command: Parser, name: str, what: str) -> None:
    command.add_argument(name, type=setting, nargs="+", default=[], metavar="KEY=VALUE", help=what)


def _span() -> Parser:
    shared = Parser(add_help=False)
    shared.add_argument("--day", type=day, metavar="DAY", help="this day alone (default: all)")
    shared.add_argument("--from", dest="first", type=day, metavar="DAY", help="from this day on")
    shared.add_argument("--to", dest="last", type=day, metavar="DAY", help="up to this day")
    return shared
