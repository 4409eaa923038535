"""Every `except` on the order path, and whether the tests of this run reached it: `python -m tests.excepts`.

Most catastrophes come from errors that were signalled and mishandled (Yuan et al., OSDI 2014): a handler that no test
has entered counts as broken. It reads the coverage data that `make test` leaves, and fails where one was not reached.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from coverage import CoverageData
from msgspec import Struct

from tests.source import PACKAGE

ORDER_PATH = (
    "core",
    "stages",
    "adapters/brokers",
    "adapters/leases",
    "adapters/stores",
    "links/ask.py",
    "links/books.py",
    "links/breaks.py",
    "links/broker_book.py",
    "links/broker_side.py",
    "links/claims.py",
    "links/evidence.py",
    "links/http_link.py",
    "links/journal.py",
    "links/kite_link.py",
    "links/ledger.py",
    "links/lease.py",
    "links/limits.py",
    "links/openalgo_link.py",
    "links/outbox.py",
    "links/pace.py",
    "links/planes.py",
    "links/postbacks.py",
    "links/secrets.py",
    "links/shadow.py",
    "links/sqlite.py",
    "links/update_stream.py",
    "commands/halt.py",
    "operate/brokers.py",
    "operate/desk.py",
    "operate/quiet.py",
    "wire/broker.py",
    "wire/json.py",
    "wire/kite.py",
    "wire/openalgo.py",
)


class Handler(Struct, frozen=True):
    """One `except`: where it stands, what it catches, and whether its first line was run."""

    place: str
    caught: str
    is_reached: bool


def handlers(data: CoverageData) -> Iterator[Handler]:
    """All of them, by file and line."""
    for file in files():
        run = set(data.lines(str(file)) or ())
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler):
                caught = ast.unparse(node.type) if node.type else "anything"
                body = {line for one in node.body for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
                # A body of nothing but `pass` or a text is compiled away: then the line of the `except` itself counts.
                lines = body | {node.lineno} if isinstance(node.body[0], ast.Pass) else body
                yield Handler(f"{file.relative_to(PACKAGE)}:{node.lineno}", caught, bool(lines & run))


def files() -> list[Path]:
    """The source files of the order path."""
    named = [PACKAGE / name for name in ORDER_PATH]
    return sorted(file for one in named for file in ([one] if one.suffix else one.rglob("*.py")))


def main() -> int:
    """Print the list; 1 where a handler was not reached."""
    data = CoverageData()
    data.read()
    found = list(handlers(data))
    for handler in found:
        print(f"{'reached    ' if handler.is_reached else 'NOT REACHED'}  {handler.place:48s} {handler.caught}")
    missed = sum(not handler.is_reached for handler in found)
    print(f"{len(found)} handlers on the order path, {missed} not reached")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
