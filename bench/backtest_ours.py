"""What bench/backtest.py runs for our own figures, in a process of its own: prints one line of JSON."""

import json
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.chain_plugin import NAME, PLUGIN, MeasuredSpread
from bench.made_year import SYMBOL, sessions
from bench.sampling import Sampler
from participant.config import load_rules
from participant.core.rulebook import Rulebook
from participant.core.strategies.table import STRATEGIES
from participant.research.backtest import backtest
from participant.research.days import Span
from participant.research.engine import InlineDesk
from participant.research.result import Result

CAPITAL = 10_000_000


# The innermost of these at work has the time; what they call of stores, queues and JSON counts with them.
PARTS = {
    **dict.fromkeys(("history/catalogue", "history/sheets", "history/recordings"), "Parquet to pages"),
    **dict.fromkeys(("history/recorded", "history/derived", "history/cells"), "pages to instants, futures derived"),
    "core/chain_columns": "columns to chains and back",
    **dict.fromkeys(("stages/ingest", "core/market", "core/ids", "wire/told"), "ingest: state, its id and its JSON"),
    **dict.fromkeys(("chain_plugin", "chain_strategy", "core/pricing"), "the strategy: IV, greeks, choice"),
    "core/volatility": "the strategy: IV, greeks, choice",
    **dict.fromkeys(
        ("core/brain", "core/brain_checks", "core/book_risk", "core/plan", "core/margin"), "risk and margin"
    ),
    **dict.fromkeys(("links/parts", "links/decision_log"), "the decision log"),
    "stages/dispatch": "dispatch and commit",
    **dict.fromkeys(("stages/execute", "links/evidence", "links/ask", "links/claims"), "gateway"),
    "operate/breaker": "breaker",
    **dict.fromkeys(
        ("stages/reconcile", "links/broker_side", "core/breaks", "core/books"), "books beside the broker's"
    ),
    **dict.fromkeys(("stages/book", "links/ledger"), "booking"),
    **dict.fromkeys(("research/backtest", "research/tables", "research/result", "research/days"), "the result"),
    "research/engine": "the day's course",
}


PEAKS = list[float]()  # the most memory (MB) that was used up to each day's end


class _Desk(InlineDesk):
    """A desk that notes its process' peak of memory at the end of each day."""

    def forget(self) -> None:
        super().forget()
        PEAKS.append(peak_mb())


class WatchedSpread(MeasuredSpread, frozen=True):
    """The measured strategy on a desk that is watched."""

    is_plain: bool = False  # every quote is played as a tick of its own

    def desk(self, rules: Rulebook, capital: int) -> InlineDesk:
        """The desk, on the fast path or on the plain one."""
        desk = _Desk(self.rows, rules, capital)
        desk.is_plain = self.is_plain
        return desk


def peak_mb() -> float:
    """The most memory that this process ever used."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Play the first days of a made year; the words: its folder, how many days, and what is asked for."""
    folder, days, asked = Path(sys.argv[1]), int(sys.argv[2]), set(sys.argv[3:])
    STRATEGIES[NAME] = PLUGIN
    span = Span(sessions(load_rules())[0], sessions(load_rules())[days - 1])
    strategy, sampler = WatchedSpread((SYMBOL,), is_plain="plain" in asked), Sampler(PARTS)
    with tempfile.TemporaryDirectory() as out:
        cpu, wall = time.process_time(), time.perf_counter()
        if "sampled" in asked:
            with sampler:
                result = backtest(strategy, [folder], span, CAPITAL, Path(out, "run"))
        else:
            result = backtest(strategy, [folder], span, CAPITAL, Path(out, "run"))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        print(json.dumps({
            "cpu_s": cpu, "wall_s": wall, "decisions": result.summary.counts["decisions"], **flows(result),
            "peak_mb": peak_mb(), "peaks": PEAKS,
            "shares": sampler.shares if "sampled" in asked else {},
        }))  # fmt: skip


def flows(result: Result) -> dict[str, Any]:
    """Every fill and settlement, and the cash at the end with the charges given back (paise)."""
    fills = [[row[k] for k in ("day", "contract", "side", "quantity", "price")] for row in result.rows("fills")]
    charges = sum(row["charges"] for row in result.rows("fills"))
    ended = [[r["day"], r["contract"], r["amount"]] for r in result.rows("events") if r["kind"] == "expired"]
    cash = [row["cash"] for row in result.rows("equity") if not row["scrip"]][-1]
    other = sorted({r["kind"] for r in result.rows("events")} - {"expired"})
    return {"fills": fills, "ended": ended, "cash": cash + charges - CAPITAL * 100, "charges": charges, "other": other}


if __name__ == "__main__":
    main()
