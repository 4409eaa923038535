"""Selling a call: the gates in their order, and the legs. With its cover bought first, or against one that is held."""

import datetime
from collections.abc import Generator, Sequence

from msgspec import Struct

from participant.core.blackout import blackout_gate
from participant.core.cover import to_buy
from participant.core.decision import Action, Leg
from participant.core.gates import VOLATILITY, Richness, age_gate, credit, credit_gate, spread_gate, volatility_gates
from participant.core.market import Future
from participant.core.pricing import rounded, years_to
from participant.core.rolling import due_at, measured
from participant.core.scrip import Kind, Side, money
from participant.core.selection import Candidate, basis_of, choose, days_to, figures_of
from participant.core.signals import Score, score, score_gate
from participant.core.sizing import (
    Costs,
    Margins,
    Sizing,
    costs_of,
    is_bought,
    margin_room,
    shown_lots,
    size,
    told_of_display,
)
from participant.core.strategy import Asked, Case, Figures, Gate, Verdict, ask, maintain
from participant.core.tranches import at_risk, ladder_gate, tranche, waiting_gate
from participant.core.wording import at_price, counted, rupees

CALL = (*VOLATILITY, "event", "call", "lasting", "quote age", "spread")
ENTRY = (*CALL, "displayed", "lots", "tranche", "credit", "score")
SALE = (*CALL, "displayed", "margin", "credit", "score")


class Deal(Struct, frozen=True):
    """A call that passed every gate: so many units of it, what they bring and cost, in a sentence."""

    candidate: Candidate
    units: int
    needed: Margins
    said: str


def enter(case: Case, figures: Figures, rich: Richness) -> Verdict:
    """Buy the cover, then sell the call, if every gate passes."""
    return _bought(ask(_entry(case, rich, to_buy(case)), ENTRY), figures)


def further(case: Case, figures: Figures, rich: Richness, covers: tuple[Future, ...]) -> Verdict:
    """Open the next tranche of a structure that is held, on one of the covers that it has, if every gate passes."""

    def rules() -> Generator[Gate, None, Deal]:
        yield waiting_gate(case)
        return (yield from _entry(case, rich, covers))

    return _bought(ask(rules(), ("tranche time", *ENTRY)), figures)


def _bought(asked: Asked[Deal], figures: Figures) -> Verdict:
    figures = figures | asked.figures
    if asked.found is None:
        return maintain(asked.said, figures, asked.gates)
    deal, cover = asked.found, asked.found.candidate.cover
    legs = (
        Leg(cover.contract, Side.BUY, deal.units, cover.quote.ask, deal.needed.cover),
        Leg(deal.candidate.call, Side.SELL, deal.units, deal.candidate.quote.bid, deal.needed.call),
    )
    reason = f"buy {deal.units:,} {cover.contract.key} at {at_price(cover.quote.ask)}, then sell {deal.said}"
    return Verdict(Action.OPEN, reason, figures, legs, asked.gates)


def _entry(case: Case, rich: Richness, covers: Sequence[Future] | str) -> Generator[Gate, None, Deal]:
    candidate, found = yield from _call(case, rich, covers)
    costs = costs_of(case, candidate, case.position.holdings)
    sizing = size(case, candidate, costs, at_risk(case, candidate))
    yield _displayed(case, sizing)
    yield Gate("lots", "" if sizing.lots else f"no lot passes {sizing.why}", sizing.lots, 1)
    part = tranche(case, candidate, sizing)
    yield ladder_gate(case, rich, part)
    lots = part.lots
    needed, earned = costs.margins(lots), credit(case, candidate, lots, is_cover_held=False)
    gate = credit_gate(case, earned)
    figures = gate.figures | _exposure(case, candidate, lots, costs)
    yield Gate(gate.name, gate.said, gate.value, gate.limit, figures)
    yield score_gate(case, found)
    said = (
        f"{_sale(case, candidate, lots * candidate.call.lot)}; {rich.beside(candidate)}; "
        f"net credit {rupees(earned.net)} after {rupees(earned.charges)} of charges; "
        f"{counted(lots, 'lot')}, {part.said(case) or f'bound by {sizing.why}'}"
    )
    return Deal(candidate, lots * candidate.call.lot, needed, said)


class Held(Struct, frozen=True):
    """A cover that is held: its futures as quoted, the units that calls are sold against, and the earliest expiry."""

    futures: tuple[Future, ...]
    units: int
    since: datetime.date = datetime.date.min


def _call(
    case: Case, rich: Richness, covers: Sequence[Future] | str, since: datetime.date = datetime.date.min
) -> Generator[Gate, None, tuple[Candidate, Score]]:
    """The gates up to the call, and its score: rich volatility, one that can be chosen, quoted just now and tightly."""
    yield from volatility_gates(case, rich)
    yield blackout_gate(case)
    candidate = covers if isinstance(covers, str) else choose(case, covers, since)
    while isinstance(candidate, str):  # a rule that speaks is the last one asked
        yield Gate("call", candidate)
    found = score(case, rich, candidate)
    yield Gate("call", "", candidate.call.key, None, figures_of(case, candidate) | found.figures)
    soon = due_at(case, measured(case, candidate))
    yield Gate("lasting", f"{candidate.call.key} would be rolled at once: {soon}" if soon else "")
    yield age_gate(case, candidate)
    yield spread_gate(case, candidate)
    return candidate, found


def _displayed(case: Case, sizing: Sizing) -> Gate:
    least = case.weights.displayed_lots_min
    said = f"{told_of_display(sizing.by_display)}, under {counted(least, 'lot')}" if sizing.by_display < least else ""
    return Gate("displayed", said, sizing.by_display, least, sizing.figures)


def _exposure(case: Case, candidate: Candidate, lots: int, costs: Costs) -> Figures:
    """Margin, loss in a crash, and how much of the cover's basis decays until the call expires (all paise)."""
    cover, share, needed = candidate.cover.contract, 0.0, costs.margins(lots)
    if cover.kind is Kind.FUTURE:
        share = candidate.years / years_to(case.rules.expiry_at(cover.expiry), case.at)
    return {
        "margin_paise": needed.peak,
        "margin_cover_paise": needed.cover,
        "crash_loss_paise": costs.crash(lots),
        "basis_decay_paise": money(round(rounded(basis_of(case, candidate) * share)), lots * candidate.call.lot),
    }


def _sale(case: Case, candidate: Candidate, units: int) -> str:
    days = counted(days_to(case, candidate.call.expiry), "day")
    return f"{units:,} {candidate.call.key} at {at_price(candidate.quote.bid)} (delta {candidate.delta:.2f}, {days})"


# --- against a cover that is held -------------------------------------------------------------------------------------


def sell(case: Case, figures: Figures, rich: Richness, cover: Held) -> Verdict:
    """Sell a call a lot of a cover that is held, all at once, if the gates pass."""
    asked = ask(_against(case, rich, cover), SALE)
    figures = figures | asked.figures
    if asked.found is None:
        return maintain(asked.said, figures, asked.gates)
    deal = asked.found
    leg = Leg(deal.candidate.call, Side.SELL, deal.units, deal.candidate.quote.bid, deal.needed.call)
    return Verdict(Action.OPEN, f"sell {deal.said}", figures, (leg,), asked.gates)


def _against(case: Case, rich: Richness, cover: Held) -> Generator[Gate, None, Deal]:
    candidate, found = yield from _call(case, rich, cover.futures, cover.since)
    lots, shown, costs = cover.units // candidate.call.lot, shown_lots(case, candidate), costs_of(case, candidate)
    if not is_bought(case):  # what a person holds need not be written against as a whole
        gate = _lots_of_cover(lots, size(case, candidate, costs))
        yield gate
        lots = min(lots, int(gate.value or 0))
    units = lots * candidate.call.lot
    needed, earned = costs.margins(lots), credit(case, candidate, lots, is_cover_held=True)
    figures = earned.figures | _exposure(case, candidate, lots, costs)
    few = f"displayed size: {counted(shown, 'lot')} of {candidate.call.key} at the bid, the cover is {lots:,}"
    yield Gate("displayed", "" if 0 < lots <= shown else few, shown, lots, figures)
    room = margin_room(case)
    dear = f"the call needs {rupees(needed.call)} of margin, {rupees(room)} are left"
    yield Gate("margin", dear if needed.call > room else "", needed.call, room)
    yield credit_gate(case, earned)
    yield score_gate(case, found)
    said = (
        f"{_sale(case, candidate, units)} against the cover held; {rich.beside(candidate)}; "
        f"net credit {rupees(earned.net)} after {rupees(earned.charges)} of charges"
    )
    return Deal(candidate, units, needed, said)


def _lots_of_cover(whole: int, sizing: Sizing) -> Gate:
    """How many lots of a declared cover may be written against; all of it is the most."""
    lots = min(whole, sizing.lots)
    why = f"the cover, {counted(whole, 'lot')}" if whole <= sizing.lots else sizing.why
    figures = sizing.figures | {"lots_by_cover": whole, "lots": lots}
    return Gate("lots", "" if lots else f"no lot passes {why}", lots, 1, figures)
