"""What a verdict must be, whatever its strategy says, before the brain looks at its risk: orders that can be sent.

A strategy may come from anybody's package. What it hands over is taken at its word in nothing that can be counted.
"""

import datetime
from collections.abc import Collection
from enum import StrEnum

from participant.core.book_risk import fills_of
from participant.core.decision import Action, Leg
from participant.core.market import MarketState, chain_to, option
from participant.core.plan import Plan, naked_units
from participant.core.scrip import Contract, Kind, Side
from participant.core.strategy import Case, Gate, Verdict

WHOLE_MAX = 2**63 - 1  # what a number of the log may be
TEXT_MAX = 10_000  # letters of a verdict's reason and figures together, their names among them; ours have some 2,000
LEGS_MAX = 500


def unsound(plan: Plan) -> str:
    """Why a verdict cannot be carried out as it stands, or an empty string."""
    case, verdict = plan.case, plan.verdict
    strange = _misshapen(verdict) or _too_large(verdict)
    if strange:
        return strange
    if verdict.action is Action.MAINTAIN:
        return "it maintains, and yet has legs" if verdict.legs else ""
    if not verdict.legs:
        return f"it is to {verdict.action}, and has no legs"
    for leg in verdict.legs:
        fault = _fault(case, leg, verdict)
        if fault:
            return f"the leg in {leg.contract.key} has {fault}"
    return _bares(plan) or _opens(plan) if verdict.action is Action.CLOSE else ""


def _misshapen(verdict: Verdict) -> str:
    """What of a verdict is not of its type; a mere word is equal to an Action or a Side, and no check would bind it."""
    if not _is(verdict, Verdict):
        return f"it is {verdict!r:.80}, no Verdict"
    if not _is(verdict.action, Action):
        return f"its action is {verdict.action!r:.80}, no Action"
    if not _is_text(verdict.reason) or not _is(verdict.figures, dict):
        return f"its reason is {verdict.reason!r:.80} and its figures are {verdict.figures!r:.80}"
    if not _are_texts(verdict.figures):
        return f"its figures are {verdict.figures!r:.80}, not all of them by name"
    if not _are_figures(verdict.figures.values()):
        name, figure = next(one for one in verdict.figures.items() if not _is_figure(one[1]))
        return f"its figure {name!r:.80} is {figure!r:.80}"
    for what, parts, kind in (("legs", verdict.legs, Leg), ("gates", verdict.gates, Gate)):
        if not _is(parts, (tuple, list)) or not {*map(type, parts)} <= {kind}:
            return f"its {what} are {parts!r:.80}, not each of them a {kind.__name__}"
    return next((f"one of its legs has {fault}" for leg in verdict.legs if (fault := _mistyped(leg))), "")


def _too_large(verdict: Verdict) -> str:
    """What of a verdict is more than the log takes of one, or an empty string."""
    texts = [figure for figure in verdict.figures.values() if type(figure) is not float and isinstance(figure, str)]
    letters = len("".join([verdict.reason, *verdict.figures, *texts]))
    if letters > TEXT_MAX:
        return f"its reason and its figures have {letters:,} letters, over {TEXT_MAX:,}"
    return f"it has {len(verdict.legs):,} legs, over {LEGS_MAX:,}" if len(verdict.legs) > LEGS_MAX else ""


def _mistyped(leg: Leg) -> str:
    """What of a leg is not of its type, or an empty string."""
    contract = leg.contract
    if not _is(contract, Contract):
        return f"the contract {contract!r:.80}, no Contract"
    if not (_is(contract.kind, Kind) and type(contract.expiry) is datetime.date and _is(contract.underlying, str)):
        return f"a contract that cannot be: {contract!r:.200}"
    if not _is(leg.side, Side):
        return f"the side {leg.side!r:.80}, no Side"
    numbers = (contract.strike, contract.lot, contract.tick, contract.freeze, leg.quantity, leg.limit, leg.margin)
    strange = [number for number in numbers if not _is_whole(number)]
    return f"the number {strange[0]!r:.80}, no whole one" if strange else ""


def _is_whole(number: object) -> bool:
    return type(number) is int and -WHOLE_MAX <= number <= WHOLE_MAX


def _is_figure(figure: object) -> bool:
    return figure is None or isinstance(figure, float) or _is_whole(figure) or _is_text(figure)


def _are_figures(figures: Collection[object]) -> bool:
    """The same of all of them; mostly they are numbers, which are looked at together."""
    others = [figure for figure in figures if type(figure) is not float]
    whole = [figure for figure in others if type(figure) is int]
    if whole and not (_is_whole(min(whole)) and _is_whole(max(whole))):
        return False
    return all(map(_is_figure, [figure for figure in others if type(figure) is not int]))


def _is_text(text: object) -> bool:
    """Whether it is a text, or a word of an enumeration, that can be logged: half of a surrogate pair cannot be."""
    if not (type(text) is str or isinstance(text, StrEnum)):
        return False
    return text.isascii() or text == text.encode(errors="replace").decode()


def _are_texts(texts: Collection[object]) -> bool:
    """The same of all of them; mostly they are plain, which is seen at once."""
    plain = [text for text in texts if type(text) is str]
    return (len(plain) == len(texts) and "".join(plain).isascii()) or all(map(_is_text, texts))


def _fault(case: Case, leg: Leg, verdict: Verdict) -> str:
    """What of a leg cannot be. A close may have part of a lot: what an exchange's change of lots has left."""
    contract = leg.contract
    if contract.underlying != case.scrip.symbol:
        return f"the underlying {contract.underlying}, not {case.scrip.symbol}"
    if case.is_over(contract):
        return f"expired on {contract.expiry}"
    if min(contract.lot, contract.tick, contract.freeze) <= 0 or contract.freeze < contract.lot:
        terms = f"lot {contract.lot}, tick {contract.tick} and freeze quantity {contract.freeze}"
        return f"{terms}, of which no order can be made"
    if verdict.action is Action.OPEN and not _has_listed_terms(case.market, contract):
        terms = f"lot {contract.lot}, tick {contract.tick} and freeze quantity {contract.freeze}"
        return f"{terms}, which are not those that the market state lists"
    if leg.quantity <= 0 or (verdict.action is Action.OPEN and leg.quantity % contract.lot):
        return f"{leg.quantity} units where a lot has {contract.lot}"
    return "" if leg.limit > 0 and leg.margin >= 0 else f"limit {leg.limit} and margin {leg.margin}"


def _is(value: object, kind: type | tuple[type, ...]) -> bool:
    return isinstance(value, kind)  # what a package hands over is of the type that it says only if it was checked


def _has_listed_terms(market: MarketState, contract: Contract) -> bool:
    """Whether an option or shares are on the terms of the market state; what it does not list has no quote to open at.

    A future that is not on its terms has no quote either.
    """
    if contract.kind is Kind.STOCK:
        return market.shares is None or contract == market.shares
    chain = chain_to(market, contract.expiry) if contract.kind.is_option else None
    return chain is None or contract == option(market.scrip, chain, contract.kind, contract.strike)


def _bares(plan: Plan) -> str:
    """A close leaves no more options without cover, at any step of it, than there are before it."""
    for kind in (Kind.CALL, Kind.PUT):
        before, after = naked_units(fills_of(plan.case, ()), kind), naked_units(plan.fills, kind)
        if after > before:
            return f"it closes, and {after:,} units of options sold would have no cover where {before:,} have none now"
    return ""


def _opens(plan: Plan) -> str:
    """A close only makes smaller what is held: as an opening under another name no check would have judged it.

    What works counts as filled where it makes the holding smaller: a second close beside it would turn it round.
    """
    left = dict(plan.fills.held)
    for contract, quantity in plan.fills.working:
        if quantity * left.get(contract, 0) < 0:
            left[contract] += quantity
    working = {contract for contract, _ in plan.fills.working}
    for contract, quantity in plan.fills.legs:
        held = left.get(contract, 0)
        if quantity * held >= 0 or abs(quantity) > abs(held):
            done = "buys" if quantity > 0 else "sells"
            told = "are left once what works has filled" if contract in working else "are held"
            return f"it closes, and {done} {abs(quantity):,} {contract.key} where {held:+,} {told}"
        left[contract] = held + quantity
    return ""
