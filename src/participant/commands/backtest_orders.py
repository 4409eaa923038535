"""`participant backtest orders FILE`: what orders of a file make, through the books alone."""

from argparse import Namespace

from participant.commands.errors import DONE, NEEDS_A_PERSON, Refused
from participant.commands.output import say
from participant.config import load_rules
from participant.core.scrip import PRICE_UNITS
from participant.history.pages import BadData
from participant.research.orders import Outcome, held_in_words, play_orders

COLUMNS = f"{'day':<11}{'what':<10}{'contract':<26}{'units':>8}{'price':>13}{'cash':>18}{'charges':>13}"


def run(args: Namespace) -> int:
    """Play a file of orders and say what came of it; status 1 where something is left to be looked at."""
    try:
        outcome = play_orders(args.file, load_rules())
    except BadData as fault:
        raise Refused(f"backtest: {fault}") from fault
    say(args, "\n".join(_lines(outcome)), outcome)
    return NEEDS_A_PERSON if outcome.notes else DONE


def _money(paise: int) -> str:
    """Of whatever currency the file is in, to the last hundredth."""
    return f"{paise / 100:,.2f}"


def _lines(outcome: Outcome) -> list[str]:
    """A line a movement, and what is left."""
    moved = [
        f"{x.day:<11}{x.kind:<10}{x.contract:<26}{x.quantity:>+8,}{x.price / PRICE_UNITS:>13,.2f}{_money(x.cash):>18}"
        f"{_money(x.charges):>13}"
        for x in outcome.lines
    ]
    said = [
        f"worth {_money(outcome.worth)} of {_money(outcome.capital)}: cash {_money(outcome.cash)} after charges of "
        f"{_money(outcome.charges)}; {held_in_words(outcome.held)}"
    ]
    return [COLUMNS, *moved, *said, *outcome.notes]
