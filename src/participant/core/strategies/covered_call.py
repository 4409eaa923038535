"""The covered call: a cover, and a call sold against each lot of it into rich volatility, carried towards expiry.

In this order, nothing is done outside the open session, while orders work or with an odd lot; calls without cover are
bought back; a structure is held, rolled, added to or closed (`holding`); a cover that stands alone is sold or written
against again; and a flat book may open (`entries`), at most once a session.
"""

from collections.abc import Generator

from msgspec.structs import replace

from participant.core.account import Account
from participant.core.blackout import closing_event
from participant.core.cover import covers, sellable, to_write_against
from participant.core.decision import Action
from participant.core.entries import Held, enter, sell
from participant.core.gates import Richness, richness
from participant.core.held import write
from participant.core.holding import hold
from participant.core.market import MarketState
from participant.core.position import Holding, Position
from participant.core.rulebook import Rulebook
from participant.core.scrip import Kind, Scrip, Weights
from participant.core.session import Phase, phase, session_seconds_since
from participant.core.signals import score
from participant.core.sizing import share_of_capital
from participant.core.strategy import Case, Figures, Gate, Verdict, ask, maintain
from participant.core.structure import closing_legs, selling_legs, structure_result, unquoted
from participant.core.wording import rupees


def covered_call(scrip: Scrip, market: MarketState, position: Position, account: Account, rules: Rulebook) -> Verdict:
    """Open, close or maintain the covered call of one scrip."""
    case = Case(scrip, market, position, account, rules)
    if market.spot <= 0:
        unpriced = Gate("spot", "the underlying has no price", market.spot)
        return maintain(unpriced.said, {"spot": market.spot}, (unpriced,))
    rich = richness(case)
    figures: Figures = {
        "spot": market.spot,
        **rich.figures,
        "cover_units": position.cover,
        "call_units_sold": position.short_calls,
    }
    asked = ask(_standing(case), STANDING)
    verdict = maintain(asked.said, figures) if asked.said else _decided(case, figures, rich)
    return replace(verdict, figures=_scored(case, rich, verdict.figures), gates=(*asked.gates, *verdict.gates))


def _scored(case: Case, rich: Richness, figures: Figures) -> Figures:
    """The figures with the score: that of the call where one was chosen, else that before there is one."""
    return figures if "score" in figures else score(case, rich).figures | figures


STANDING = ("market open", "orders", "what is held")


def _standing(case: Case) -> Generator[Gate, None, None]:
    """What must be so before anything is done, but for calls that have no cover: they are bought back."""
    now, position = phase(case.rules, case.at), case.position
    yield Gate("market open", "" if now is Phase.OPEN else f"the market is not open: {now}", str(now))
    yield Gate("orders", f"orders are working: {_working(position)}" if position.working else "")
    strange = _strange(position, case.weights)
    yield Gate("what is held", f"{strange}: a person must look at it" if strange else "")


def _decided(case: Case, figures: Figures, rich: Richness) -> Verdict:
    position = case.position
    if position.short_calls > position.cover:
        return _cover_up(case, figures)
    if position.short_calls:
        return hold(case, figures, rich)
    if position.cover:
        return _cover_alone(case, figures, rich)
    if position.entered_on == case.day:
        said = "one entry a session, and today's has been made"
        return maintain(said, figures, (Gate("first today", said, case.day.isoformat()),))
    return enter(case, figures, rich)


def _working(position: Position) -> str:
    return ", ".join(f"{w.quantity:+,} {w.contract.key}" for w in position.working)


def _strange(position: Position, weights: Weights) -> str:
    """Why what is held is not to be traded by a machine, or an empty string."""
    if position.odd_lots:
        odd = (f"{h.quantity:+,} {h.contract.key} are no whole lots of {h.contract.lot}" for h in position.odd_lots)
        return ", ".join(odd)
    if position.adopted and weights.cover != "held":
        return f'cover is declared, and the weight says cover = "{weights.cover}", not "held"'
    return "what is held is no covered call" if any(map(_is_stray, position.holdings)) else ""


def _is_stray(holding: Holding) -> bool:
    """Whether a holding is no part of a covered call: each alone, for a long call beside a sold one hides both."""
    kind = holding.contract.kind
    return kind is Kind.PUT or (holding.quantity > 0) is (kind is Kind.CALL)


def _cover_up(case: Case, figures: Figures) -> Verdict:
    """Calls without full cover must never be: buy back those that have none, before anything else."""
    excess = case.position.short_calls - case.position.cover
    missing, legs = unquoted(case, Kind.CALL), closing_legs(case, Kind.CALL, excess)
    if not legs:
        return maintain(f"{excess:,} units of calls have no cover, and {missing}", figures)
    units = sum(leg.quantity for leg in legs)
    bare = " that have no cover" if units == excess else f": {excess:,} of them have no cover"
    left = f", and {missing}" if units < excess else ""
    return Verdict(Action.CLOSE, f"buy back {units:,} units of calls{bare}{left}", figures, legs)


# --- a cover that stands alone ----------------------------------------------------------------------------------------


def _cover_alone(case: Case, figures: Figures, rich: Richness) -> Verdict:
    """Sell the cover, or with `after_call = resell` write a new call against it while it may stand alone.

    One that a person holds is never sold: the next call is written against it.
    When its call has expired the next open session is the first that gets here; otherwise this is at once.
    """
    if not sellable(case.position):
        return write(case, figures, rich)
    waited = session_seconds_since(case.rules, case.position.cover_alone_since, case.at)
    figures = figures | {"cover_alone_s": waited}
    missing = unquoted(case, Kind.FUTURE, Kind.STOCK)
    if missing:
        return maintain(missing, figures)
    result, stop = structure_result(case), -share_of_capital(case, case.weights.structure_loss_share_max)
    stopped = f"the structure stands at {rupees(result)}, its stop is {rupees(stop)}" if result <= stop else ""
    gates: tuple[Gate, ...] = (Gate("stop", stopped, result, stop), closing_event(case))
    why = next((gate.said for gate in gates if gate.said), "")
    if not why and case.weights.after_call == "resell" and not _is_last_day(case):
        verdict = _resell(case, figures, rich)
        verdict, gates = replace(verdict, gates=(*gates, *verdict.gates)), (*gates, *verdict.gates)
        if verdict.action is Action.OPEN:
            return verdict
        limit = case.weights.cover_alone_max_s
        if waited <= limit:
            return replace(verdict, reason=f"the cover waits for a call, {waited:,} of {limit:,} s: {verdict.reason}")
        figures, why = verdict.figures, f"it stood alone for {waited:,} s, over {limit:,} s; {verdict.reason}"
    units, why = sellable(case.position), why or "no call stands against it"
    legs = selling_legs(case, units)
    return Verdict(Action.CLOSE, f"sell the cover, {units:,} units: {why}", figures, legs, gates)


def _is_last_day(case: Case) -> bool:
    """Whether the cover itself ends today: a stock's future would have its shares taken and paid for."""
    return covers(case.position)[0].contract.expiry <= case.day


def _resell(case: Case, figures: Figures, rich: Richness) -> Verdict:
    """Sell a call a lot of the cover that is held, all at once, if the gates pass."""
    return sell(case, figures, rich, Held((to_write_against(case),), case.position.cover))
