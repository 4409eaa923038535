"""Whether a structure that is held stays, and what closing it takes. It is judged as one, never by one of its legs."""

from collections.abc import Callable, Generator

from msgspec import Struct
from msgspec.structs import replace

from participant.core.blackout import closing_event
from participant.core.book_risk import fills_of
from participant.core.cover import covers, delivery_due, sellable, to_write_against
from participant.core.decision import Action, Leg
from participant.core.entries import Held, further, sell
from participant.core.expiry_day import ExpiryDay, expiry_day, short_of, shortfall_gate
from participant.core.gates import Richness
from participant.core.market import Future, quoted
from participant.core.plan import naked_units
from participant.core.position import Holding
from participant.core.rolling import Measured, due_at, earliest_next, measured_held
from participant.core.scrip import Kind, Side
from participant.core.selection import chains_of, cover_of
from participant.core.sizing import is_bought, share_of_capital
from participant.core.square_off import SquareOff, square_off
from participant.core.strategy import Case, Figures, Gate, Verdict, ask, maintain
from participant.core.structure import closing_legs, closing_price, held, selling_legs, structure_result, unquoted
from participant.core.wording import at_price, counted, rupees


class Structure(Struct, frozen=True):
    """A cover and the calls written against it, priced: what the rules of holding are asked about."""

    case: Case
    rich: Richness
    figures: Figures
    result: int
    stop: int
    calls: tuple[Holding, ...]
    offs: tuple[SquareOff, ...]
    measures: tuple[Measured, ...]
    last_day: ExpiryDay | None

    @property
    def covers(self) -> tuple[Future, ...]:
        """The first cover that is held, as quoted: what further calls are sold against."""
        first = to_write_against(self.case)
        return (next((f for f in self.case.market.futures if f.contract == first.contract), first),)


def hold(case: Case, figures: Figures, rich: Richness) -> Verdict:
    """Maintain the structure, or act on the first rule that speaks."""
    missing = unquoted(case, Kind.CALL, Kind.FUTURE, Kind.STOCK)
    if missing:
        unasked = (Gate(name, is_reached=False) for name in HOLDING[1:])
        return maintain(missing, figures, (Gate("quotes", missing), *unasked))
    it = _priced(case, figures, rich)
    asked = ask(_rules(it), HOLDING)
    if asked.said:
        name = next(gate.name for gate in asked.gates if gate.said)
        verdict = ACTS[name](it, asked.said)
        return replace(verdict, gates=(*asked.gates, *verdict.gates))
    if case.weights.tranches_max > 1 and is_bought(case):
        verdict = further(case, it.figures, rich, it.covers)
        said = verdict.reason if verdict.action is Action.OPEN else f"{_held_sentence(it)}; {verdict.reason}"
        return replace(verdict, reason=said, gates=(*asked.gates, *verdict.gates))
    return maintain(_held_sentence(it), it.figures, asked.gates)


def _priced(case: Case, figures: Figures, rich: Richness) -> Structure:
    calls = tuple(held(case, Kind.CALL))
    offs = tuple(square_off(case, call) for call in calls)
    measures = tuple(measured_held(case, call, closing_price(case, call)) for call in calls)
    result, stop = structure_result(case), -share_of_capital(case, case.weights.structure_loss_share_max)
    last_day = expiry_day(case, calls)
    figures = figures | {"structure_result_paise": result, "structure_stop_paise": stop} | offs[0].figures
    figures = figures | measures[0].figures | (last_day.figures if last_day else {})
    return Structure(case, rich, figures, result, stop, calls, offs, measures, last_day)


HOLDING = ("quotes", "stop", "delivery", "cover ends", "event", "expiry day", "roll", "square-off", "excess cover")


def _rules(it: Structure) -> Generator[Gate, None, None]:
    yield Gate("quotes")
    said = f"the structure stands at {rupees(it.result)}, its stop is {rupees(it.stop)}"
    yield Gate("stop", said if it.result <= it.stop else "", it.result, it.stop)
    yield Gate("delivery", delivery_due(it.case))
    yield Gate("cover ends", _cover_ends(it.case))
    yield closing_event(it.case)
    yield shortfall_gate(it.case, it.last_day)
    yield Gate("roll", _due(it)[1])
    off = it.offs[0]
    yield Gate("square-off", off.nominal if all(off.is_due for off in it.offs) else "", off.ask, off.level)
    excess = sum(leg.quantity for leg in _excess(it.case))
    said = f"{excess:,} units of cover that no call stands against"
    yield Gate("excess cover", said if excess > 0 else "", excess, 0)


def _cover_ends(case: Case) -> str:
    """Why calls that outlive their cover are bought back on its last day, or an empty string.

    No rule here sells such a call; a person may have taken one over.
    """
    first = covers(case.position)[0].contract
    naked = naked_units(fills_of(case, ()), Kind.CALL) if first.expiry <= case.day else 0
    return f"{first.key} ends today, and {naked:,} units of calls outlive their cover" if naked else ""


def _due(it: Structure) -> tuple[int, str]:
    """Which call a rule of rolling speaks for, and why; the reason is empty where none does."""
    said = ((i, due_at(it.case, measure)) for i, measure in enumerate(it.measures))
    return next(((i, why) for i, why in said if why), (0, ""))


def _roll(it: Structure, why: str) -> Verdict:
    """Buy the call back and sell the next against the same cover; where that cannot be, do as `after_call` says."""
    case, call = it.case, it.calls[_due(it)[0]]
    units, figures = -call.quantity, it.figures | {"rolled": call.contract.key}
    buy = Leg(call.contract, Side.BUY, units, closing_price(case, call))
    since = earliest_next(case, call)
    chains = [chain for chain in chains_of(case) if chain.expiry >= since]
    if chains and all(cover_of(chain, it.covers) is None for chain in chains):
        return _close_part(it, call, f"{why}; the cover expires before every call that could be sold next")
    sale = sell(case, figures, it.rich, Held(it.covers, units, since))
    shut = _unrollable(case, call, sale)
    if not shut:
        reason = f"roll {call.contract.key}: {why}; buy {units:,} back at {at_price(buy.limit)}, then {sale.reason}"
        return Verdict(Action.OPEN, reason, sale.figures, (buy, *sale.legs), sale.gates)
    why = f"{why}; it cannot be rolled: {shut}"
    if case.weights.after_call == "resell":
        return Verdict(Action.CLOSE, f"buy the call back, the cover waits: {why}", sale.figures, (buy,), sale.gates)
    return replace(_close_part(it, call, why), figures=sale.figures, gates=sale.gates)


def _unrollable(case: Case, call: Holding, sale: Verdict) -> str:
    """Why a call cannot be rolled into what would be sold, or an empty string."""
    if sale.action is not Action.OPEN:
        return sale.reason
    if sale.legs[0].contract == call.contract:
        return "the call that would be sold is the one that is held"
    quote = quoted(case.market, call.contract)
    return "" if quote is not None and quote.is_valid else f"{call.contract.key} is asked and not bid"


def _close_part(it: Structure, call: Holding, why: str) -> Verdict:
    """Close a call with as much of the cover that was bought."""
    units = -call.quantity
    buy = Leg(call.contract, Side.BUY, units, closing_price(it.case, call))
    return _closed(it, (buy,), selling_legs(it.case, min(units, sellable(it.case.position))), why)


def _close(it: Structure, why: str) -> Verdict:
    position = it.case.position
    buys = closing_legs(it.case, Kind.CALL, position.short_calls)
    return _closed(it, buys, selling_legs(it.case, sellable(position)), why)


def _closed(it: Structure, buys: tuple[Leg, ...], sales: tuple[Leg, ...], why: str) -> Verdict:
    reason = f"buy the call back{', then sell the cover' if sales else ''}: {why}"
    return Verdict(Action.CLOSE, reason, it.figures, buys + sales)


def _sell_excess(it: Structure, why: str) -> Verdict:
    return Verdict(Action.CLOSE, f"sell {why}", it.figures, _excess(it.case))


def _excess(case: Case) -> tuple[Leg, ...]:
    """What sells the cover that was bought and that no call stands against."""
    units = case.position.cover - case.position.short_calls
    return selling_legs(case, min(units, sellable(case.position))) if units > 0 else ()


ACTS: dict[str, Callable[[Structure, str], Verdict]] = {
    "stop": _close,
    "delivery": _close,
    "cover ends": _close,
    "event": _close,
    "expiry day": _close,
    "roll": _roll,
    "square-off": _close,
    "excess cover": _sell_excess,
}


def _held_sentence(it: Structure) -> str:
    call, off, days = it.calls[0], it.offs[0], it.measures[0].days
    lots = counted(-call.quantity // call.contract.lot, "lot")
    ahead = "expires today: carried to expiry and settled" if days <= 0 else f"{counted(days, 'day')} to expiry"
    return (
        f"hold {lots} of {call.contract.key}: {ahead}; structure at {rupees(it.result)}; the call is asked "
        f"{at_price(off.ask)}, {off.why_not}{short_of(it.last_day)}"
    )
