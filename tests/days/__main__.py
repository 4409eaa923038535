"""`python -m tests.days FOLDER [--eager] [--only NAME] [--table FILE]`: every recorded day through the desk.

Each data set is one desk that goes on from day to day; where what it holds could not be settled on the next recorded
day, a new one begins, and that is said. Ends with status 1 where something was found that must never be.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path

from msgspec.structs import replace

from participant.config import load_rules
from participant.core.rulebook import OutsideRules
from participant.core.scrip import Scrip, Weights
from participant.history.pages import BadData
from participant.history.recordings import days_in, load_day, open_recordings
from tests.days.desk import INDICES, InlineDesk, Told
from tests.days.table import by_day

# Each set with the strikes that its own collector polled; the official series go with every one of them.
SETS = (
    "nse_chain_2018_10_to_2019_04",
    "nse_chain_multi_expiry_2019_06",
    "nse_stock_chain_2019_06",
    "nse_json_chain_2025",
    "nse_json_chain_2025/raw_json",
    "nse_minute_bars",
    "nse_minute_chain_2026",
    "nse_5min_chain_2026_02",
)
OFFICIAL = "nse_daily_official"
# Opens wherever there is anything to open on, so that the rest of the way is gone as well.
EAGER = Weights(
    iv_rank_min=0.0, iv_over_realised_min=0.0, look_back_sessions_min=2, spread_max=0.2, days_to_expiry_min=1
)

# No future of a stock is recorded, nor published: shares are its cover.
EAGER_STOCK = replace(EAGER, cover="stock")


def run_set(folder: Path, name: str, weights: Weights, of_stocks: Weights) -> list[Told]:
    """Every day of one set, in order, by the weights of indices and those of stocks."""
    rules, recordings = load_rules(), open_recordings([folder / name, folder / OFFICIAL])
    desk: InlineDesk | None = None
    told: list[Told] = []
    for day in sorted(days_in(recordings)):
        try:
            rules.session(day)  # a day before the rules begin cannot be played
            market = load_day(recordings, day, rules)
        except (BadData, OutsideRules) as why:
            told.append(Told(day=str(day), refusals=Counter({f"not played: {str(why)[:80]}": 1})))
            continue
        rows = [replace(Scrip(s), weights=weights if s in INDICES else of_stocks) for s in market.symbols]
        stranded = desk.stranded(market) if desk is not None else []
        if desk is None or stranded:
            desk = InlineDesk(rows, rules)
        desk.watchlist |= {row.symbol: row for row in rows}
        found = desk.play(market)
        if stranded:
            found.refusals[f"begun anew: {len(stranded)} contracts could not be settled"] += 1
        told.append(found)
    return told


def table(name: str, told: list[Told]) -> str:
    """A set in one line, and its reasons below."""
    played = [t for t in told if t.symbols]
    sums = [sum(getattr(t, field) for t in played) for field in ("decisions", "opens", "closes", "fills", "breaks")]
    lines = [f"| {name} | {len(played)} of {len(told)} | " + " | ".join(f"{n:,}" for n in sums) + " |"]
    return "\n".join(lines)


def _say(*lines: str) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.stdout.flush()


def main() -> int:
    """Run the sets and print what became of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.days")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--eager", action="store_true", help="open wherever there is anything to open on")
    parser.add_argument("--only", default="", help="one set")
    parser.add_argument("--table", type=Path, help="a Markdown file for a line a day and group of scrips")
    args = parser.parse_args()
    faults, days = 0, dict[str, list[Told]]()
    for name in SETS:
        if args.only and name != args.only:
            continue
        began = time.monotonic()
        weights = (EAGER, EAGER_STOCK) if args.eager else (Weights(), Weights())
        told = days[name] = run_set(args.folder, name, *weights)
        _say(f"{table(name, told)} {time.monotonic() - began:.0f} s")
        for field in ("refusals", "denied"):
            counted: Counter[str] = sum((getattr(t, field) for t in told), Counter())
            _say(*(f"    {count:>6,}  {field}: {reason}" for reason, count in counted.most_common(14)))
        found = [fault for t in told for fault in t.faults]
        _say(*(f"    FAULT {fault}" for fault in found[:10]))
        faults += len(found)
        if args.table:  # after each set: a run that is stopped leaves what it has
            args.table.write_text(by_day(days, sys.argv[1:]), encoding="utf-8")
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
