"""`participant margin`: what a portfolio needs by the clearing corporation's file, beside our own estimate of it."""

import os
from argparse import Namespace

from participant.commands.errors import DONE, Refused
from participant.commands.output import say
from participant.config import load_config, load_rules
from participant.core.rulebook import OutsideRules
from participant.core.wording import at_price, percent, rupees
from participant.history.pages import BadData
from participant.history.spn import Required, required


def show(args: Namespace) -> int:
    """The margin of these legs by the file, and how far off our estimate is."""
    legs = args.legs
    if len({contract.underlying for contract, _ in legs}) > 1 or len({contract for contract, _ in legs}) < len(legs):
        raise Refused("margin: name legs of one underlying, each contract once: every underlying is margined by itself")
    try:
        found = required(args.file, legs, load_rules(load_config(args.config, os.environ).desk.span_scans))
    except (BadData, OutsideRules) as fault:
        raise Refused(f"margin: {fault}") from fault
    say(args, f"{_by_file(found)}\n{_by_us(found)}", found)
    return DONE


def _by_file(found: Required) -> str:
    parts = f"SPAN {rupees(found.span)}, exposure {rupees(found.exposure)} (by our rules: the file has none)"
    return f"{found.symbol} by the file of {found.day}: {rupees(found.total)} = {parts}"


def _by_us(found: Required) -> str:
    if found.estimate is None or found.volatility is None:
        return "no estimate: the file has no call at the money that implies a volatility"
    off = f", {percent(found.estimate / found.total - 1)} off" if found.total else ""
    stands_on = f"{at_price(found.level)} and {percent(found.volatility)} a year"
    return f"our estimate: {rupees(found.estimate)}{off}, at {stands_on}"
