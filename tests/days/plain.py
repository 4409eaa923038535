"""`python -m tests.days.plain FOLDER [--only SET]`: recorded days by the backtest's fast path and by its plain one.

On the plain path every quote is a tick of its own, as at a desk. All tables of both runs, the four objects of every
decision among them, must be the same to the byte. Ends with status 1 where one differs, or of a set none is played.
"""

import argparse
import datetime
import sys
import tempfile
from pathlib import Path

from participant.core.rulebook import Rulebook
from participant.core.scrip import Weights
from participant.history import readers
from participant.history.pages import BadData
from participant.history.recordings import open_recordings
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.research.engine import InlineDesk
from participant.research.result import TABLES
from tests.days.__main__ import EAGER, EAGER_STOCK, OFFICIAL, SETS
from tests.days.desk import INDICES

CAPITAL = 1_000_000_000  # paise


class Plain(CoveredCall, frozen=True):
    """The strategy, played quote by quote."""

    def desk(self, rules: Rulebook, capital: int) -> InlineDesk:
        desk = super().desk(rules, capital)
        desk.is_plain = True
        return desk


def compare(data: list[Path], span: Span, strategy: tuple[tuple[str, ...], Weights]) -> str:
    """What a span comes to by both paths, in a line; it ends with DIFFERENT and the tables that are not the same."""
    names, weights = strategy
    with tempfile.TemporaryDirectory() as made:
        try:
            fast = backtest(CoveredCall(names, weights), data, span, CAPITAL, Path(made) / "fast")
            plain = backtest(Plain(names, weights), data, span, CAPITAL, Path(made) / "plain")
        except BadData as why:
            return f"{span.first} to {span.last}, {', '.join(names)}: not played: {why}"
        apart = [name for name in TABLES if not fast.table(name).equals(plain.table(name))]
        apart += ["summary"] if fast.summary != plain.summary else []
        counts = fast.summary.counts
    told = ", ".join(f"{counts[name]:,} {name}" for name in ("days", "decisions", "fills"))
    return f"{span.first} to {span.last}, {len(names)} scrips: {told}{': DIFFERENT: ' * bool(apart)}{', '.join(apart)}"


def parts(source: Path) -> list[tuple[Span, tuple[tuple[str, ...], Weights]]]:
    """The months of a set, the indices and the stocks of each apart."""
    found: dict[tuple[int, int, bool], tuple[set[datetime.date], set[str]]] = {}
    for one in open_recordings([source]).sources:
        for day, symbol in readers.days_of(one):
            days, symbols = found.setdefault((day.year, day.month, symbol in INDICES), (set(), set()))
            days.add(day)
            symbols.add(symbol)
    return [
        (Span(min(days), max(days)), (tuple(sorted(symbols)), EAGER if is_index else EAGER_STOCK))
        for (_, _, is_index), (days, symbols) in sorted(found.items())
    ]


def main() -> int:
    """Compare every set, or one."""
    parser = argparse.ArgumentParser(prog="python -m tests.days.plain")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=SETS)
    args = parser.parse_args()
    status = 0
    for name in [args.only] if args.only else SETS:
        data = [args.folder.resolve() / name, args.folder.resolve() / OFFICIAL]
        told = []
        for span, strategy in parts(data[0]):
            told.append(compare(data, span, strategy))
            sys.stdout.write(f"{name}: {told[-1]}\n")
            sys.stdout.flush()
        status |= any("DIFFERENT" in said for said in told) or all("not played" in said for said in told)
    return status


if __name__ == "__main__":
    sys.exit(main())
