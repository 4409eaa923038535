"""Whether a structure that is held stays, and what closing it takes. It is judged as one, never by one of its legs."""

from collections.abc import Callable, Generator
from math import isfinite, nan

from msgspec import Struct
from msgspec.structs import replace

from participant.core.blackout import closing_event
from participant.core.charges import charges
from participant.core.decision import Action, Leg
from participant.core.entries import Held, further, sell
from participant.core.expiry_day import ExpiryDay, expiry_day, short_of, shortfall_gate
from participant.core.gates import Richness
from participant.core.margin import margin
from participant.core.market import Future
from participant.core.position import Holding, unrealised
from participant.core.pricing import price, rounded
from participant.core.rolling import Measured, due_at, earliest_next, measured_held
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Kind, Side, money
from participant.core.selection import chains_of, cover_of
from participant.core.sizing import share_of_capital
from participant.core.strategy import Case, Figures, Gate, Verdict, ask, maintain
from participant.core.volatility import atm_iv, forward_to, years_left
from participant.core.wording import at_price, counted, rupees


class SquareOff(Struct, frozen=True):
    """What decides on buying a call back: its price against the level (prices), and cost against carrying (paise)."""

    ask: int
    level: int
    cost: int
    carry: float

    @property
    def is_due(self) -> bool:
        """Nominal in price, and cheaper to buy back than to carry."""
        return self.ask <= self.level and self.cost < self.carry

    @property
    def figures(self) -> Figures:
        """These figures by name."""
        return {
            "call_ask": self.ask,
            "square_off_level": self.level,
            "buy_back_paise": self.cost,
            "carry_paise": self.carry,
        }


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
        """The futures that are held, as quoted."""
        mine = {h.contract.key for h in held(self.case, Kind.FUTURE)}
        return tuple(f for f in self.case.market.futures if f.contract.key in mine)


def hold(case: Case, figures: Figures, rich: Richness) -> Verdict:
    """Maintain the structure, or act on the first rule that speaks."""
    missing = unquoted(case, Kind.CALL, Kind.FUTURE)
    if missing:
        unasked = (Gate(name, is_reached=False) for name in HOLDING[1:])
        return maintain(missing, figures, (Gate("quotes", missing), *unasked))
    it = _priced(case, figures, rich)
    asked = ask(_rules(it), HOLDING)
    if asked.said:
        name = next(gate.name for gate in asked.gates if gate.said)
        verdict = ACTS[name](it, asked.said)
        return replace(verdict, gates=(*asked.gates, *verdict.gates))
    if case.weights.tranches_max > 1:
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


HOLDING = ("quotes", "stop", "event", "expiry day", "roll", "square-off", "excess cover")


def _rules(it: Structure) -> Generator[Gate, None, None]:
    yield Gate("quotes")
    said = f"the structure stands at {rupees(it.result)}, its stop is {rupees(it.stop)}"
    yield Gate("stop", said if it.result <= it.stop else "", it.result, it.stop)
    yield closing_event(it.case)
    yield shortfall_gate(it.case, it.last_day)
    yield Gate("roll", _due(it)[1])
    off = it.offs[0]
    yield Gate("square-off", _nominal(off) if all(off.is_due for off in it.offs) else "", off.ask, off.level)
    excess = it.case.position.cover - it.case.position.short_calls
    yield Gate(
        "excess cover", f"{excess:,} units of cover that no call stands against" if excess > 0 else "", excess, 0
    )


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
    chains = chains_of(case, since)
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
    quote = case.market.quote(call.contract.key)
    return "" if quote is not None and quote.is_valid else f"{call.contract.key} is asked and not bid"


def _close_part(it: Structure, call: Holding, why: str) -> Verdict:
    """Close a call with as much of the cover."""
    units = -call.quantity
    legs = (
        Leg(call.contract, Side.BUY, units, closing_price(it.case, call)),
        *closing_legs(it.case, Kind.FUTURE, units),
    )
    return Verdict(Action.CLOSE, f"buy the call back, then sell the cover: {why}", it.figures, legs)


def _close(it: Structure, why: str) -> Verdict:
    case, position = it.case, it.case.position
    legs = closing_legs(case, Kind.CALL, position.short_calls) + closing_legs(case, Kind.FUTURE, position.cover)
    return Verdict(Action.CLOSE, f"buy the call back, then sell the cover: {why}", it.figures, legs)


def _sell_excess(it: Structure, why: str) -> Verdict:
    excess = it.case.position.cover - it.case.position.short_calls
    return Verdict(Action.CLOSE, f"sell {why}", it.figures, closing_legs(it.case, Kind.FUTURE, excess))


ACTS: dict[str, Callable[[Structure, str], Verdict]] = {
    "stop": _close,
    "event": _close,
    "expiry day": _close,
    "roll": _roll,
    "square-off": _close,
    "excess cover": _sell_excess,
}


def held(case: Case, kind: Kind) -> list[Holding]:
    """The holdings of one kind, earliest expiry first."""
    return [h for h in sorted(case.position.holdings, key=lambda h: h.contract) if h.contract.kind is kind]


def unquoted(case: Case, *kinds: Kind) -> str:
    """Why what is held of these kinds cannot be priced, or an empty string."""
    for kind in kinds:
        for holding in held(case, kind):
            if closing_price(case, holding) == 0:
                return f"{holding.contract.key} is held and has no valid quote"
    return ""


def closing_price(case: Case, holding: Holding) -> int:
    """The price at which a holding can be closed now: the bid if long, the ask if short; 0 where nobody quotes it."""
    quote = case.market.quote(holding.contract.key)
    return quote.touch(Side.SELL if holding.quantity > 0 else Side.BUY) if quote is not None else 0


def structure_result(case: Case) -> int:
    """What the structure would have brought (paise) since the book was flat, closed now; without closing charges."""
    marks = {h.contract: closing_price(case, h) for h in case.position.holdings}
    return case.position.structure_result + unrealised(case.position, lambda contract: marks[contract])


def square_off(case: Case, call: Holding) -> SquareOff:
    """What speaks for buying a call back.

    Carrying is expected to cost what the call is worth by Black-76 at its chain's at-the-money IV, the expectation of
    what is paid at expiry, and interest at `carry_cost_rate` until then on the margin that the structure ties up.
    """
    weights, units, ask = case.weights, -call.quantity, closing_price(case, call)
    sold = call.cost * PRICE_UNITS_PER_PAISA // call.quantity
    level = max(weights.square_off_ticks * call.contract.tick, int(weights.square_off_share * sold))
    value = money(ask, units)
    cost = value + charges(case.rules.charge_rates(case.day), call.contract, Side.BUY, value).total
    return SquareOff(ask, level, cost, carrying(case, call))


def carrying(case: Case, call: Holding) -> float:
    """What carrying a call to its expiry is expected to cost, in whole paise; `nan` where its chain shows no IV."""
    chain = next(c for c in case.market.chains if c.expiry == call.contract.expiry)  # the call's quote is from it
    years = years_left(case.market, chain, case.rules)
    forward = forward_to(case.market, chain, years).level
    iv = atm_iv(chain, forward, years)
    if not isfinite(iv):
        return nan
    worth = price(True, forward, call.contract.strike, years, iv) * -call.quantity / PRICE_UNITS_PER_PAISA
    legs = [(h.contract, h.quantity) for h in case.position.holdings]
    tied = margin(case.rules.margin_rates(case.scrip.symbol, case.day), legs, round(forward), iv, case.at)
    return float(round(rounded(worth + tied * case.weights.carry_cost_rate * years)))


def closing_legs(case: Case, kind: Kind, units: int) -> tuple[Leg, ...]:
    """The legs that close so many units of what is held of a kind, earliest expiry first, at the far touch."""
    side = Side.BUY if kind is Kind.CALL else Side.SELL
    legs = []
    for holding in held(case, kind):
        quantity = min(units, abs(holding.quantity))
        if quantity > 0:
            legs.append(Leg(holding.contract, side, quantity, closing_price(case, holding)))
            units -= quantity
    return tuple(legs)


def _nominal(off: SquareOff) -> str:
    return (
        f"the call is asked {at_price(off.ask)}, at or under {at_price(off.level)}; buying it back costs "
        f"{rupees(off.cost)}, carrying it to expiry is expected to cost {rupees(round(off.carry))}"
    )


def _held_sentence(it: Structure) -> str:
    call, off, days = it.calls[0], it.offs[0], it.measures[0].days
    lots = counted(-call.quantity // call.contract.lot, "lot")
    ahead = "expires today: carried to expiry and settled" if days <= 0 else f"{counted(days, 'day')} to expiry"
    return (
        f"hold {lots} of {call.contract.key}: {ahead}; structure at {rupees(it.result)}; the call is asked "
        f"{at_price(off.ask)}, {_why_not_bought_back(off)}{short_of(it.last_day)}"
    )


def _why_not_bought_back(off: SquareOff) -> str:
    if off.ask > off.level:
        return f"square-off at {at_price(off.level)}"
    if not isfinite(off.carry):
        return "nominal, but without an IV in its chain carrying it cannot be priced"
    return f"nominal, but buying it back costs {rupees(off.cost)}, carrying it {rupees(round(off.carry))}"
