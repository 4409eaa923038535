"""The command line: names and options only; each command's code is imported when it is called."""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from participant.commands import backtest_words, convert_words, feeds_words, watchlist_words
from participant.commands.decisions_words import decisions as _decisions
from participant.commands.interrupted import stopped
from participant.commands.words import count as _count
from participant.commands.words import day as _day
from participant.commands.words import days as _days
from participant.commands.words import leg as _leg
from participant.commands.words import names as _names
from participant.commands.words import port as _port
from participant.commands.words import price as _price
from participant.commands.words import seconds as _seconds
from participant.commands.words import shares as _shares
from participant.commands.words import speed as _speed
from participant.commands.words import time as _time
from participant.commands.words import units as _units
from participant.commands.words import word as _word

DESCRIPTION = "An autonomous options desk that one person can leave alone. Paper by default; not advice."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status (0 clean, 1 needs a person, 2 wrong use, 3 fault)."""
    try:
        args = parser().parse_args(arguments)
        if not hasattr(args, "run"):
            parser().print_help()
            return 2
        return _guarded(args)
    except KeyboardInterrupt:
        return stopped()


def _guarded(args: argparse.Namespace) -> int:
    """Bad input and a broken world end in one line on stderr; a fault of ours keeps its traceback."""
    from participant.commands import guard

    module, name = args.run.split(":")
    return guard.run(getattr(importlib.import_module(f"participant.commands.{module}"), name), args)


class OneLine(argparse.ArgumentParser):
    """Says what is wrong with the words of a command in one line."""

    def error(self, message: str) -> NoReturn:
        """End with status 2: what is wrong, and where to read what is right."""
        self.exit(2, f"{self.prog}: {message}; `{self.prog} --help` shows what it takes\n")


def parser() -> argparse.ArgumentParser:
    """All commands and options; the names are fixed, options mean the same everywhere."""
    whole = OneLine("participant", description=DESCRIPTION)
    whole.add_argument("--version", action="version", version=_version())
    commands = whole.add_subparsers(metavar="COMMAND")
    home, common, market = _home(), _common(), _market()
    add = commands.add_parser
    _run(add("init", help="write a commented participant.toml here"), "init:init")
    trade = _run(add("trade", parents=[home, common, market], help="run the desk for a day"), "trade:trade")
    trade.add_argument("--venue", metavar="URL", help="trade on a venue that runs already instead of starting one")
    trade.add_argument("--shadow", action="store_true", help="read the broker's account, decide, and send nothing")
    trade.add_argument("--record", type=Path, metavar="DIR", help="record what the feeds say, a folder a day")
    _venue(add("venue", parents=[home, common, market], help="the simulated exchange over sockets"))
    _decisions(commands, home, common)
    _catalogue(commands, common)
    backtest_words.add(add("backtest", help="recorded days in one process: covered-call, overwrite, report"), common)
    sign_in = _run(add("login", parents=[common], help="the broker's session of the day"), "login:login")
    sign_in.add_argument("request_token", nargs="?", metavar="TOKEN", help="what Kite's page gave (default: asked for)")
    sign_in.add_argument("--check", action="store_true", help="only prove the session: orders, quotes, updates")
    _convert(add("convert", parents=[common], help="FIX messages of a log as lines of JSON"))
    feeds_words.record(add("record", parents=[common], help="what the feeds of a venue say, as Parquet by day"))
    _people(commands, home, common)
    _trust(commands, home, common)
    _books(commands, home, common)
    watchlist_words.add(add("watchlist", help="what is decided on: list, show, set, import, export"), home, common)
    hidden = _run(add("process", parents=[home]), "process:process")  # without help: `trade` starts these by itself
    hidden.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    hidden.add_argument("name", choices=("ingest", "dispatch", "gateway", "desk", "breaker"))
    _run(add("brain", parents=[home]), "brain:brain")  # the same
    return whole


def _venue(venue: OneLine) -> None:
    _run(venue, "venue:venue")
    venue.add_argument("--port", type=_port, help="HTTP port (0: any free one)")
    venue.add_argument("--fix-port", type=_port, help="FIX port (0: any free one)")
    venue.add_argument("--parent", type=int, help=argparse.SUPPRESS)
    venue.add_argument("--watched", type=_names, help=argparse.SUPPRESS)


def _catalogue(commands: "argparse._SubParsersAction[OneLine]", common: OneLine) -> None:
    add = commands.add_parser(
        "catalogue", help="recorded days in one format: import, list, check, make"
    ).add_subparsers(metavar="WHAT", required=True)
    reads = OneLine(add_help=False)
    reads.add_argument("paths", type=Path, nargs="+", metavar="PATH", help="files and folders of recorded days")
    reads.add_argument("--mapping", type=Path, metavar="FILE", help="what the columns mean (TOML)")
    reads.add_argument("--date", type=_days, metavar="DAY[..DAY]", help="trading days (default: all)")
    reads.add_argument("--symbols", type=_names, metavar="NAME[,NAME]", help="underlyings (default: all)")
    bring_in = _run(add.add_parser("import", parents=[reads, common], help="screen and import"), "catalogue:bring_in")
    bring_in.add_argument("--into", type=Path, required=True, metavar="DIR", help="the catalogue's folder")
    show = _run(add.add_parser("list", parents=[common], help="what a catalogue holds"), "catalogue:show")
    show.add_argument("folder", type=Path, metavar="DIR", help="the catalogue's folder")
    _run(add.add_parser("check", parents=[reads, common], help="read and screen, write nothing"), "catalogue:check")
    report = add.add_parser("report", parents=[reads, common], help="how good recorded days are: a page with plots")
    _run(report, "catalogue_report:report").add_argument(
        "--out", type=Path, metavar="FILE", help="the page (default: data-quality.html here)"
    )
    terms = _run(
        add.add_parser("terms", parents=[common], help="import brokers' contract masters"), "catalogue_terms:terms"
    )
    terms.add_argument("files", type=Path, nargs="+", metavar="FILE", help="masters of Kite, Upstox or ICICI Breeze")
    terms.add_argument("--on", type=_day, required=True, metavar="DAY", help="the day that they are of")
    terms.add_argument("--into", type=Path, required=True, metavar="DIR", help="the catalogue's folder")
    make = _run(add.add_parser("make", parents=[common], help="days of the made market"), "catalogue_make:make")
    make.add_argument("--into", type=Path, required=True, metavar="DIR", help="the folder, which is made")
    make.add_argument("--date", type=_days, required=True, metavar="DAY[..DAY]", help="trading days of 2026")
    make.add_argument("--symbols", type=_names, default=("NIFTY",), metavar="A,B", help="underlyings (default NIFTY)")
    make.add_argument("--step", type=_count, default=900, metavar="S", help="seconds between pages (default 900)")
    make.add_argument("--seed", type=int, default=1, help="another seed is another market (default 1)")


def _convert(convert: OneLine) -> None:
    _run(convert, "convert:convert")
    convert.add_argument("file", nargs="?", metavar="FILE|-", help="a log of FIX messages, or - for what is piped in")
    convert_words.add(convert)
    convert.add_argument("--out", type=Path, metavar="FILE", help="where the lines go (default: standard output)")
    convert.add_argument("--rejects", type=Path, metavar="FILE", help="messages that are refused, each with its reason")
    convert.add_argument("--decimals", type=int, choices=range(9), default=4, help="of prices (default 4)")
    convert.add_argument("--drop-other", action="store_true", help="leave out fields that the tables do not know")


def _trust(commands: "argparse._SubParsersAction[OneLine]", home: OneLine, common: OneLine) -> None:
    log = commands.add_parser("log", help="the hash-chained log: verify").add_subparsers(metavar="WHAT", required=True)
    verify = _run(log.add_parser("verify", parents=[home, common], help="recompute all of it"), "log:verify_log")
    verify.add_argument("day", nargs="?", type=_day, metavar="DAY", help="a trading day (default: all that are closed)")
    verify.add_argument("--key", type=Path, metavar="FILE", help="the public key to trust (default DIR/desk.pub)")
    rules = commands.add_parser("rules", help="the dated rules of the market: show, check").add_subparsers(
        metavar="WHAT", required=True
    )
    show = _run(rules.add_parser("show", parents=[common], help="every rule in force on a day"), "rules:show")
    show.add_argument("symbol", metavar="SCRIP", help="an underlying, NIFTY")
    show.add_argument("day", type=_day, metavar="DAY", help="a day, 2026-11-24")
    check = _run(rules.add_parser("check", parents=[common], help="compare them with others'"), "rules_check:check")
    check.add_argument("--master", type=Path, metavar="FILE", help="a contract master: Kite, Upstox, ICICI Breeze")
    check.add_argument("--on", type=_day, metavar="DAY", help="the day that the master is of")
    margin = _run(commands.add_parser("margin", parents=[common], help="a margin by a SPAN file"), "margin:show")
    margin.add_argument("file", type=Path, metavar="FILE", help="a .spn file of the clearing corporation")
    margin.add_argument("legs", type=_leg, nargs="+", metavar="CONTRACT=UNITS", help="NIFTY-20260630-23700CE=-65")
    limits = commands.add_parser("limits", help="signed limits: check, sign").add_subparsers(
        metavar="WHAT", required=True
    )
    _run(limits.add_parser("check", parents=[common], help="read and verify what would be in force"), "limits:check")
    sign = _run(limits.add_parser("sign", parents=[common], help="sign limits.toml"), "limits:sign")
    sign.add_argument("--key", type=Path, metavar="FILE", help="the private key (default participant.key beside it)")


def _people(commands: "argparse._SubParsersAction[OneLine]", *shared: OneLine) -> None:
    add = commands.add_parser
    halt = _run(add("halt", parents=list(shared), help="pull the breaker: nothing is sent any more"), "halt:halt")
    halt.add_argument("--reduce-only", action="store_true", help="still let orders pass that lower the risk")
    halt.add_argument("--sever", action="store_true", help="also end every connection to the broker until resume")
    halt.add_argument(
        "--wait-s", type=_seconds, default=30.0, help="how long to wait for the broker's book to be quiet"
    )
    resume = _run(add("resume", parents=list(shared), help="let orders pass again"), "halt:resume")
    resume.add_argument("--scrip", metavar="NAME", help="enable this scrip again that a control has disabled")
    for one in (halt, resume):
        one.add_argument("--reason", default="asked for on the command line", help="goes into the log")
    _run(add("status", parents=list(shared), help="the state of everything"), "people:status")
    _desk(add("desk", help="tickets: list, show, ack, claim, found, fill, reject, close; adopt-cover"), *shared)
    config = add("config", help="the configuration: check").add_subparsers(metavar="WHAT", required=True)
    _run(
        config.add_parser("check", parents=list(shared), help="read it and print every setting"), "people:check_config"
    )


def _desk(desk: OneLine, *shared: OneLine) -> None:
    add = desk.add_subparsers(metavar="WHAT", required=True).add_parser
    named = OneLine(add_help=False)
    named.add_argument("ticket", metavar="ID", help="the first digits of the ticket's id")
    by = OneLine(add_help=False)
    by.add_argument("--by", metavar="NAME", help="who does it (default: the login's name)")
    reason = OneLine(add_help=False)
    reason.add_argument("--reason", required=True, help="goes into the books")
    _run(add("list", parents=list(shared), help="open tickets"), "desk:list_tickets")
    _run(add("show", parents=[named, *shared], help="one ticket whole, with the evidence of now"), "desk:show")
    _run(add("ack", parents=[named, by, *shared], help="you have seen it: nobody else is called"), "desk:ack")
    claim = _run(add("claim", parents=[named, by, *shared], help="you do it by hand, and nobody else"), "desk:take")
    claim.add_argument("--unchecked", action="store_true", help="even where the broker's book leaves a doubt")
    found = _run(add("found", parents=[named, by, *shared], help="which of the broker's orders it is"), "desk:found")
    fill = _run(add("fill", parents=[named, by, *shared], help="enter what filled by hand"), "desk:fill")
    fill.add_argument("--quantity", type=_units, required=True, metavar="UNITS", help="units, not lots")
    fill.add_argument("--price", type=_price, required=True, metavar="RUPEES", help="average price of one unit")
    for one in (found, fill):
        one.add_argument("--broker-order-id", type=_word, required=True, metavar="ID", help="as the broker names it")
    fill.add_argument("--at", type=_time, metavar="HH:MM[:SS]", help="when it filled, IST (default: now)")
    _run(add("reject", parents=[named, by, reason, *shared], help="it is not going to be done"), "desk:reject")
    _run(add("close", parents=[named, by, reason, *shared], help="it is settled otherwise"), "desk:close")
    held = _run(add("adopt-cover", parents=[by, *shared], help="what you hold as cover, in all"), "desk:adopt_cover")
    held.add_argument("scrip", metavar="SCRIP", help="the underlying that it covers, NIFTY")
    held.add_argument("--name", required=True, metavar="SYMBOL", help="what is held, NIFTYBEES")
    held.add_argument("--units", required=True, type=_shares, metavar="N", help="how many in all; 0: none any more")
    held.add_argument("--ratio", type=_units, default=1, metavar="N", help="how many make one unit of the scrip")
    held.add_argument("--note", required=True, help="goes into the books: cost, account, why")


def _books(commands: "argparse._SubParsersAction[OneLine]", *shared: OneLine) -> None:
    add = commands.add_parser
    feeds_words.add(add("feeds", help="the providers of market data: report"), *shared)
    _run(add("positions", parents=list(shared), help="what is held, at the newest marks"), "books:positions")
    tradebook = _run(add("tradebook", parents=list(shared), help="a day's fills and book events"), "books:tradebook")
    tradebook.add_argument("--day", type=_day, metavar="DAY", help="a trading day (default: the latest)")
    reconcile = _run(add("reconcile", parents=list(shared), help="compare with the broker now"), "books:reconcile")
    reconcile.add_argument("--adopt", metavar="CONTRACT", help="take the broker's position (or `cash`) over")
    reconcile.add_argument("--reason", default="asked for on the command line", help="goes into the books")
    note = add("note", help="the broker's contract note: import").add_subparsers(metavar="WHAT", required=True)
    bring_in = _run(note.add_parser("import", parents=list(shared), help="compare its charges"), "note:bring_in")
    bring_in.add_argument("file", type=Path, metavar="FILE", help="CSV or JSON, a row an order or a contract")
    bring_in.add_argument("--mapping", type=Path, metavar="FILE", help="what its columns are called (TOML)")
    report = _run(add("report", parents=list(shared), help="a day as it ended: show, sign"), "report:show")
    report.add_argument("what", nargs="*", metavar="[sign] DAY", help="a closed day (default: the latest)")
    report.add_argument("--html", action="store_true", help="write the page and say where it lies")
    report.add_argument("--by", metavar="NAME", help="who signs")
    report.add_argument("--note", default="", help="what the signer wants to say")


def _run(command: OneLine, function: str) -> OneLine:
    command.set_defaults(run=function)
    return command


def _home() -> OneLine:
    shared = OneLine(add_help=False)
    shared.add_argument("--home", type=Path, default=Path("var"), metavar="DIR", help="books and logs (default ./var)")
    return shared


def _common() -> OneLine:
    shared = OneLine(add_help=False)
    shared.add_argument("--config", type=Path, metavar="FILE", help="configuration (default ./participant.toml)")
    shared.add_argument("--json", action="store_true", help="machine-readable output")
    shared.add_argument("--quiet", action="store_true", help="only errors")
    return shared


def _market() -> OneLine:
    shared = OneLine(add_help=False)
    shared.add_argument("--date", type=_days, metavar="DAY[..DAY]", help="trading days (default: the next made one)")
    pace = shared.add_mutually_exclusive_group()
    pace.add_argument("--speed", type=_speed, metavar="N", help="run freely at N times real time")
    pace.add_argument("--lockstep", action="store_true", help="the market waits for the desk (default)")
    shared.add_argument("--seed", type=int, help="the made market's seed")
    shared.add_argument("--symbols", type=_names, metavar="A,B", help="underlyings, of --data or of the made market")
    shared.add_argument("--step", type=_count, metavar="S", help="seconds of market time between instants")
    shared.add_argument(
        "--data",
        type=Path,
        action="append",
        metavar="PATH",
        help="recorded days: files, folders or a catalogue (repeat)",
    )
    shared.add_argument("--mapping", type=Path, metavar="FILE", help="what the columns of --data mean (TOML)")
    shared.add_argument("--faults", type=Path, metavar="FILE", help="what shall go wrong at the venue (TOML)")
    return shared


def _version() -> str:
    from participant import __version__

    return __version__


if __name__ == "__main__":
    sys.exit(main())
