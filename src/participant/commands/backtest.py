"""`participant backtest`: a strategy on recorded days, in one process, into a saved result."""

from argparse import Namespace

import msgspec

from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.core.scrip import Weights
from participant.history.pages import BadData
from participant.research.backtest import CoveredCall, Span, backtest


def run(args: Namespace) -> int:
    """Play the days asked for and say what came of them; status 1 where a day could not be played."""
    strategy = CoveredCall(args.underlying, _weights(args.weights))
    try:
        result = backtest(strategy, args.data, Span(args.first, args.last), args.capital, args.out)
    except BadData as fault:
        raise Refused(f"backtest: {fault}") from fault
    say(args, str(result), result.summary)
    return DONE if result.summary.status == "done" else NEEDS_A_PERSON


def _weights(settings: list[tuple[str, str]]) -> Weights:
    """The weights that ship, with these laid over them."""
    try:
        return msgspec.convert(dict(settings), Weights, strict=False)
    except msgspec.ValidationError as fault:
        raise Refused(f"backtest: --weights: {fault}; docs/settings.md lists every weight") from fault
