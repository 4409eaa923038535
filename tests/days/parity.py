"""`python -m tests.days.parity FOLDER SET [--symbols A,B] [--eager]`: the same days by the desk and by the backtest.

The desk trades in lockstep over sockets and files, the backtest in one process over memory: decisions, fills and cash
must be the same to the byte. Ends with status 1 where one differs.
"""

import argparse
import json
import sys
import tempfile
from contextlib import closing
from itertools import groupby, zip_longest
from pathlib import Path
from typing import Any

from msgspec.structs import asdict

from participant.adapters.stores.sqlite import SqliteStore
from participant.config import Desk
from participant.core.account import Account
from participant.core.books import Fill
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Weights
from participant.history.recordings import days_in, is_wholly_apart, open_recordings
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.research.result import Result, load
from participant.wire.json import decode
from tests.days.__main__ import EAGER, OFFICIAL
from tests.desk.runs import log_of, participant

OBJECTS = ("scrip", "marketState", "currentPositionInfo", "decisionInfo")


HOURS_S = 36_000.0


def differences(home: Path, result: Result) -> list[str]:
    """What the two have not in common: a line each, none where they are the same."""
    days = {day: list(rows) for day, rows in groupby(result.rows("decisions"), key=lambda row: row["day"])}
    found = [d for day, rows in days.items() for d in _of_day(home, day, rows)]
    live = {path.stem for path in (home / "decisions").glob("????-??-??.jsonl")}
    found += [f"{day}: decided by one of the two alone" for day in sorted(live ^ days.keys())]
    with closing(SqliteStore(home / "books.sqlite", is_durable=True)) as books:
        fills = [fill for row in books.rows("fills") if (fill := decode(row.value, Fill)).quantity]
        account = books.get("account", "account")
    ours = {row["order_id"]: _fill(row) for row in result.rows("fills")}
    theirs = {fill.order_id: _live_fill(fill) for fill in fills}
    found += [f"fill {k}: {theirs.get(k)} | {ours.get(k)}" for k in ours | theirs if ours.get(k) != theirs.get(k)]
    assert account is not None
    cash = [row["cash"] for row in result.rows("equity") if not row["scrip"]][-1]
    if decode(account.value, Account).cash != cash:
        found.append(f"cash: {decode(account.value, Account).cash} | {cash}")
    return found


def _of_day(home: Path, day: str, rows: list[dict[str, Any]]) -> list[str]:
    theirs = [line.rstrip(b"\n").decode() for line in log_of(home, day)]
    ours = [_line(row) for row in rows]
    pairs = zip_longest(theirs, ours, fillvalue="")
    return [f"{day}, decision {n}: {_apart(a, b)}" for n, (a, b) in enumerate(pairs, 1) if a != b]


def _line(row: dict[str, Any]) -> str:
    """The row as the log has it."""
    texts = (row["scripRow"], *(row[name] for name in OBJECTS[1:]))
    return "{" + ",".join(f'"{name}":{text}' for name, text in zip(OBJECTS, texts, strict=True)) + "}"


def _apart(a: str, b: str) -> str:
    """Where two lines part, with a little of both."""
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    return f"...{a[max(0, at - 60) : at + 60]} | ...{b[max(0, at - 60) : at + 60]}"


def _fill(row: dict[str, Any]) -> tuple[object, ...]:
    names = ("decision_id", "at", "scrip", "contract", "side", "quantity", "price", "charges")
    return tuple(row[name] for name in names)


def _live_fill(fill: Fill) -> tuple[object, ...]:
    key, price = fill.contract.key, fill.value * PRICE_UNITS_PER_PAISA // fill.quantity
    return fill.decision_id, fill.at, fill.scrip, key, fill.side.value, fill.quantity, price, fill.charges


def config_of(symbols: tuple[str, ...], weights: Weights) -> str:
    """The settings by which the desk trades what the backtest plays."""
    changed = {k: v for k, v in asdict(weights).items() if v != getattr(Weights(), k)}
    told = "".join(f"{key} = {json.dumps(value)}\n" for key, value in changed.items())
    weighed = f"[watchlist.weights]\n{told}" if told else ""
    return "".join(f'[[watchlist]]\nsymbol = "{symbol}"\n{weighed}\n' for symbol in symbols)


def compare(folder: Path, data: list[Path], span: Span, strategy: CoveredCall) -> list[str]:
    """Trade and backtest a span in `folder`, and say what differs."""
    (folder / "desk.toml").write_text(config_of(strategy.underlyings, strategy.weights))
    sources = [word for path in data for word in ("--data", path)]
    dates = f"{span.first}..{span.last}"
    ended = participant(
        folder, "trade", "--lockstep", "--quiet", "--home", "home", "--config", "desk.toml", *sources, "--date", dates,
        limit_s=HOURS_S,
    )  # fmt: skip
    result = backtest(strategy, data, span, Desk().capital, folder / "run")
    # A day of which nothing, or nothing of one scrip, can be played is a person's to look at: there that is status 1.
    is_apart = any(is_wholly_apart(note.note) for note in result.summary.data.notes)
    status = {"done": int(is_apart), "partly": 1}.get(result.summary.status)
    said = f"trade ended with {ended.status}, the backtest is {result.summary.status}: {ended.err.strip()[-300:]}"
    found = [] if ended.status == status else [said]
    return found + differences(folder / "home", result)


def main() -> int:
    """Compare one recorded set, every day of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.days.parity")
    parser.add_argument("folder", type=Path)
    parser.add_argument("set")
    parser.add_argument("--symbols", default="NIFTY,BANKNIFTY")
    parser.add_argument("--eager", action="store_true")
    args = parser.parse_args()
    data = [args.folder.resolve() / args.set, args.folder.resolve() / OFFICIAL]
    days = days_in(open_recordings(data[:1]))
    strategy = CoveredCall(tuple(args.symbols.split(",")), EAGER if args.eager else Weights())
    with tempfile.TemporaryDirectory() as made:
        found = compare(Path(made), data, Span(min(days), max(days)), strategy)
        result = load(Path(made) / "run")
    counts = result.summary.counts
    sys.stdout.write(f"{args.set}: {counts['days']} days, {counts['decisions']} decisions, {counts['fills']} fills, ")
    sys.stdout.write(f"{len(found)} differences\n" + "".join(f"    {line}\n" for line in found[:20]))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
