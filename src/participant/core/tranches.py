"""The entry ladder: a structure that is opened in parts, over time or into ever richer volatility.

What a whole structure may be, in lots, is what is held and what margin and crash allow besides; a tranche is
`tranche_share` of it, in whole lots, at least one. The position knows how many were begun, and when a call was last
sold.
"""

from math import ceil

from msgspec import Struct

from participant.core.gates import Richness
from participant.core.margin import crash_loss
from participant.core.market import quoted
from participant.core.pricing import rounded
from participant.core.scrip import Side
from participant.core.selection import Candidate
from participant.core.session import session_seconds_since
from participant.core.sizing import Sizing, is_bought
from participant.core.strategy import Case, Figures, Gate
from participant.core.wording import apart


class Tranche(Struct, frozen=True):
    """The next part of a structure: its lots, how many a tranche has, and how many tranches are made."""

    lots: int
    step: int
    made: int

    def said(self, case: Case) -> str:
        """Which tranche it is, where there may be several."""
        most = case.weights.tranches_max
        return f"tranche {self.made + 1} of at most {most}" if most > 1 else ""

    def figures(self, case: Case) -> Figures:
        """These figures by name; a structure that is opened at once has none."""
        if case.weights.tranches_max == 1:
            return {}
        return {"lots": self.lots, "tranche_lots": self.step, "tranches_made": self.made}  # `lots` of this tranche


def tranche(case: Case, candidate: Candidate, sizing: Sizing) -> Tranche:
    """The next tranche by what is held and what may be added."""
    held = case.position.short_calls // candidate.call.lot
    # The bet on the market is limited whole: what is held is a part of it.
    whole = min(held + min(sizing.by_margin, sizing.by_crash), sizing.by_delta)
    step = max(1, ceil(rounded(whole * case.weights.tranche_share)))
    made = max(1, case.position.tranches) if held else 0  # one that was taken over was not made of tranches
    return Tranche(max(0, min(sizing.lots, step, whole - held)), step, made)


def at_risk(case: Case, candidate: Candidate) -> int:
    """What all that is held would lose (paise) from its prices of now in the crash that a structure is sized for."""
    legs = []
    for holding in case.position.holdings if is_bought(case) else ():
        quote = quoted(case.market, holding.contract)
        price = quote.touch(Side.SELL if holding.quantity > 0 else Side.BUY) if quote is not None else 0
        legs.append((holding.contract, holding.quantity, price))
    return crash_loss(legs, case.market.spot, case.weights.crash_move, candidate.atm_iv, case.at) if legs else 0


def waiting_gate(case: Case) -> Gate:
    """Whether the last tranche is long enough ago, in time of the session."""
    least, sold_at = case.weights.tranche_every_s, case.position.sold_at
    if not sold_at:
        return Gate("tranche time", limit=least)
    waited = session_seconds_since(case.rules, sold_at, case.at)
    said = f"the next tranche waits, {waited:,} of {least:,} s" if waited < least else ""
    return Gate("tranche time", said, waited, least)


def ladder_gate(case: Case, rich: Richness, part: Tranche) -> Gate:
    """Whether another tranche may be made, at the IV rank that it takes."""
    weights = case.weights
    if not part.made:
        return Gate("tranche", figures=part.figures(case))
    if not part.lots:
        return Gate("tranche", "what is held is all that margin, crash and the bet on the market allow", part.lots, 1)
    if part.made >= weights.tranches_max:
        return Gate("tranche", f"all {weights.tranches_max} tranches are made", part.made, weights.tranches_max)
    least = min(1.0, rounded(weights.iv_rank_min + part.made * weights.tranche_rank_step))
    needs, rank = apart(least, rich.iv_rank)
    said = f"tranche {part.made + 1} needs an IV rank of {needs}, it is {rank}"
    figures = part.figures(case)
    return Gate("tranche", said if rich.iv_rank < least else "", rich.iv_rank, least, figures)
