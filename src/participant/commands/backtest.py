"""`participant backtest`: recorded days in one process: a strategy into a saved result, or the call at the money."""

from argparse import Namespace
from collections.abc import Sequence

import msgspec

from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.core.scrip import PRICE_UNITS, Weights
from participant.core.session import day_of
from participant.core.wording import counted
from participant.history.pages import BadData
from participant.history.recordings import open_recordings
from participant.research.backtest import CoveredCall, backtest
from participant.research.days import Span
from participant.research.lookahead import check_lookahead
from participant.research.overwrite import Cycle
from participant.research.overwrite import study as study_cycles
from participant.research.result import load
from participant.research.sheet import Sheet
from participant.research.sheet_page import page
from participant.research.sheet_text import figures, summary

COLUMNS = f"{'scrip':<10} {'sold on':<11} {'expiry':<10}" + "".join(
    f"{name:>{width}}" for name, width in (("spot", 11), ("strike", 11), ("bid", 11), ("close", 11),
                                           ("index", 10), ("call", 10), ("covered", 10))
)  # fmt: skip


def run(args: Namespace) -> int:
    """Play the days asked for and say what came of them; status 1 where a day was not played, or a decision leaks."""
    strategy = CoveredCall(args.underlying, _weights(args.weights), args.latency)
    span = Span(args.first, args.last)
    try:
        result = backtest(strategy, args.data, span, args.capital, args.out)
        checked = check_lookahead(strategy, args.data, span, args.capital) if args.check_lookahead else None
    except BadData as fault:
        raise Refused(f"backtest: {fault}") from fault
    told = msgspec.to_builtins(result.summary) | ({"lookahead": checked} if checked else {})
    say(args, f"{result}\n{checked}" if checked else str(result), told)
    return NEEDS_A_PERSON if result.summary.status != "done" or (checked and checked.leaks) else DONE


def study(args: Namespace) -> int:
    """Show every cycle of the call at the money in points; status 1 where one could not be settled."""
    try:
        recordings = open_recordings(args.data)
        cycles = study_cycles(recordings, args.underlying, (args.first, args.last), load_rules())
    except BadData as fault:
        raise Refused(f"backtest: {fault}") from fault
    lines = [COLUMNS, *(_line(cycle) for cycle in cycles), ""]
    lines += [_sum(symbol, [c for c in cycles if c.symbol == symbol]) for symbol in args.underlying]
    say(args, "\n".join(lines), cycles)
    return DONE if all(cycle.close is not None for cycle in cycles) else NEEDS_A_PERSON


def report(args: Namespace) -> int:
    """Write the tear sheet of a saved result as a page, and show it in short."""
    target = args.html or args.folder / "sheet.html"
    try:
        sheet = Sheet(load(args.folder))
        target.write_text(page(sheet), encoding="utf-8")
    except BadData as fault:
        raise Refused(f"backtest: {fault}") from fault
    except OSError as fault:
        raise Refused(f"backtest: {target} cannot be written: {fault.strerror}; choose another with --html") from fault
    say(args, f"{summary(sheet)}\n\npage: {target}", figures(sheet))
    return DONE


def _line(cycle: Cycle) -> str:
    known = (cycle.spot, cycle.strike, cycle.bid, cycle.close)
    prices = "".join(f"{price / PRICE_UNITS:>11.2f}" if price is not None else f"{'-':>11}" for price in known)
    made = "".join(f"{_points(price):>10}" for price in (cycle.index, cycle.call, cycle.covered))
    model = "  modelled quote" if cycle.is_modelled else ""
    return f"{cycle.symbol:<10} {day_of(cycle.sold_at)}  {cycle.expiry}{prices}{made}{model}"


def _points(price: int | None) -> str:
    return "-" if price is None else f"{price / PRICE_UNITS:+,.2f}"


def _sum(symbol: str, cycles: Sequence[Cycle]) -> str:
    """What the settled cycles made together, and what is to be known of the others."""
    index = sum(cycle.index or 0 for cycle in cycles)
    covered = sum(cycle.covered or 0 for cycle in cycles)
    made = f"index {_points(index)}, covered call {_points(covered)} points, without charges"
    left = [cycle for cycle in cycles if cycle.close is None]
    said = f"{symbol}: {counted(len(cycles) - len(left), 'settled cycle')}: {made}"
    for cycle in left:
        most = _points(cycle.bid + cycle.strike - cycle.spot)
        said += f"; {cycle.expiry} has no official close, the covered call makes {most} there at most"
    return said


def _weights(settings: list[tuple[str, str]]) -> Weights:
    """The weights that ship, with these laid over them."""
    try:
        return msgspec.convert(dict(settings), Weights, strict=False)
    except msgspec.ValidationError as fault:
        raise Refused(f"backtest: --weights: {fault}; docs/settings.md lists every weight") from fault
