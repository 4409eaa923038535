"""The iron condor: a call and a put sold out of the money, and further out a wing bought for each, of one expiry.

What it can lose is known before: the wider of the two widths less the credit. It opens into rich volatility alone,
sized by that loss, and closes at a share of the credit won, at a multiple of it lost, or some days before expiry. No
option is ever sold without its wing: wings are bought first and sold last.
"""

from collections.abc import Generator, Iterator
from itertools import pairwise
from math import isfinite
from typing import Annotated

from msgspec import Meta, Struct

from participant.core.account import Account
from participant.core.blackout import blackout_gate, near_event
from participant.core.charges import charges
from participant.core.decision import Action, Leg
from participant.core.gates import VOLATILITY, Richness, richness, volatility_gates
from participant.core.margin import margin
from participant.core.market import SECOND, Chain, MarketState, Quote, option, quoted
from participant.core.position import Holding, Position
from participant.core.pricing import greeks, rounded
from participant.core.rulebook import Rulebook
from participant.core.scrip import Contract, Kind, Scrip, Side, money
from participant.core.selection import days_to
from participant.core.session import Phase, phase
from participant.core.sizing import margin_room, share_of_capital
from participant.core.strategy import Case, Figures, Gate, Plugin, Verdict, ask, maintain, own_settings
from participant.core.volatility import atm_iv, forward_to, middle, strike_iv, years_left
from participant.core.wording import at_price, counted, percent, rupees

Share = Annotated[float, Meta(gt=0.0, le=1.0)]
Multiple = Annotated[float, Meta(gt=0.0, le=100.0)]


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """What a person tunes beside the row's weights. README.md says what each is a share of."""

    short_delta: Annotated[float, Meta(gt=0.0, lt=0.5)] = 0.20
    delta_error_max: Share = 0.06
    wing_share: Share = 0.01
    wing_spread_max: Share = 0.10
    loss_share_max: Share = 0.005
    credit_share_min: Share = 0.15
    profit_share: Share = 0.5
    stop_multiple: Multiple = 1.5
    close_days: Annotated[int, Meta(ge=1, le=30)] = 2


class Priced(Struct, frozen=True):
    """An option with its quote, and its delta where it is one that may be sold."""

    contract: Contract
    quote: Quote
    delta: float = 0.0

    @property
    def spread(self) -> float:
        """Its spread as a share of its middle."""
        return rounded((self.quote.ask - self.quote.bid) / middle(self.quote))


class Condor(Struct, frozen=True):
    """Four options of one expiry, the forward and IV they are margined at, and how far both deltas are off together."""

    call_wing: Priced
    put_wing: Priced
    call: Priced
    put: Priced
    forward: int
    iv: float
    error: float

    @property
    def steps(self) -> tuple[tuple[Priced, Side], ...]:
        """What is done, in an order that is never naked: the wings first."""
        wings = (self.call_wing, Side.BUY), (self.put_wing, Side.BUY)
        return (*wings, (self.call, Side.SELL), (self.put, Side.SELL))

    @property
    def width(self) -> int:
        """The wider of the two distances from a short strike to its wing: all that one unit can lose, as a price."""
        call, put = (one.contract.strike for one in (self.call, self.put))
        return max(self.call_wing.contract.strike - call, put - self.put_wing.contract.strike)


def iron_condor(scrip: Scrip, market: MarketState, position: Position, account: Account, rules: Rulebook) -> Verdict:
    """Open, close or maintain the iron condor of one scrip."""
    case, own = Case(scrip, market, position, account, rules), own_settings(scrip, Settings)
    now, figures = phase(rules, case.at), Figures(spot=market.spot)
    if now is not Phase.OPEN:
        return maintain(f"the market is not open: {now}", figures)
    if position.working:
        return maintain(f"{counted(len(position.working), 'order')} of it still work", figures)
    strange = [h.contract.key for h in position.holdings if not h.contract.strike or h in position.odd_lots]
    if strange:
        return maintain(f"{strange[0]} is no whole part of an iron condor: a person must look at it", figures)
    if position.holdings:
        return _hold(case, own, figures)
    if position.entered_on == case.day:
        return maintain("one entry a session, and today's has been made", figures)
    return _enter(case, own, richness(case), figures)


# --- opening ----------------------------------------------------------------------------------------------------------

ENTRY = (*VOLATILITY, "event", "strikes", "quote age", "spread", "lots", "credit")


def _enter(case: Case, own: Settings, rich: Richness, figures: Figures) -> Verdict:
    asked = ask(_gates(case, own, rich), ENTRY)
    figures = figures | rich.figures | asked.figures
    if asked.found is None:
        return maintain(asked.said, figures, asked.gates)
    condor, lots = asked.found
    units = lots * condor.call.contract.lot
    steps = zip(condor.steps, _margins(case, condor, units), strict=True)
    legs = tuple(Leg(one.contract, side, units, one.quote.touch(side), more) for (one, side), more in steps)
    told = ", ".join(f"{leg.side} {leg.contract.key} at {at_price(leg.limit)}" for leg in legs)
    why = f"IV rank {percent(rich.iv_rank)}, {rich.iv_over_realised:.2f} times realised"
    loss = money(condor.width, units) - _net(case, condor, units)
    reason = f"{units:,} units: {told}; {why}; it can lose {rupees(loss)}"
    return Verdict(Action.OPEN, reason, figures, legs, asked.gates)


def _gates(case: Case, own: Settings, rich: Richness) -> Generator[Gate, None, tuple[Condor, int]]:
    yield from volatility_gates(case, rich)
    yield blackout_gate(case)
    condor = _choose(case, own)
    while condor is None:  # a gate that speaks is the last one asked
        days = f"{case.weights.days_to_expiry_min}-{case.weights.days_to_expiry_max} days"
        yield Gate("strikes", f"no expiry within {days} has a call and a put near delta {own.short_delta} with wings")
    figures = {"call_delta": condor.call.delta, "put_delta": condor.put.delta, "width_price": condor.width}
    yield Gate("strikes", "", condor.call.contract.key, None, dict(figures))
    age = rounded(max((case.at - one.quote.exchange_at for one, _ in condor.steps), key=abs) / SECOND)
    old = f"a quote is {abs(age):,.0f} s {'old' if age >= 0 else 'ahead of now'}, over {case.weights.quote_age_max_s} s"
    yield Gate("quote age", old if abs(age) > case.weights.quote_age_max_s else "", age, case.weights.quote_age_max_s)
    yield _spread(case, own, condor)
    limits = _limits(case, own, condor)
    lots, by = min((count, name) for name, count in limits.items())
    counts: Figures = {f"lots_by_{name}": count for name, count in limits.items()}
    unset = next((n for n in ("expiry_share_max", "lots_max") if getattr(case.scrip.limits, n) is None), "")
    yield Gate("lots", "" if lots > 0 else f"no lot fits: {f'{unset} is not set' if unset else by}", lots, 1, counts)
    units = lots * condor.call.contract.lot
    net, least = _net(case, condor, units), int(own.credit_share_min * money(condor.width, units))
    poor = f"the credit after charges, {rupees(net)}, is under {rupees(least)}"
    yield Gate("credit", poor if net < least else "", net, least, {"net_credit_paise": net, "lots": lots})
    return condor, lots


def _spread(case: Case, own: Settings, condor: Condor) -> Gate:
    """Whether the spread that is widest for its limit is acceptable: wings are cheap, and their spreads wide for it."""
    most = {Side.BUY: own.wing_spread_max, Side.SELL: case.weights.spread_max}
    one, side = max(condor.steps, key=lambda step: step[0].spread - most[step[1]])
    said = f"the spread of {one.contract.key} is {percent(one.spread)}, over {percent(most[side])}"
    return Gate("spread", said if one.spread > most[side] else "", one.spread, most[side])


def _choose(case: Case, own: Settings) -> Condor | None:
    """The condor whose short deltas are nearest their target, of equals the earliest; None where there is none."""
    weights = case.weights
    least = max(own.close_days + 1, weights.days_to_expiry_min)
    chains = [c for c in case.market.chains if least <= days_to(case, c.expiry) <= weights.days_to_expiry_max]
    found = [condor for chain in chains if (condor := _of_chain(case, own, chain)) is not None]
    return min(found, key=lambda condor: condor.error, default=None)


def _of_chain(case: Case, own: Settings, chain: Chain) -> Condor | None:
    years = years_left(case.market, chain, case.rules)
    forward = forward_to(case.market, chain, years).level
    iv = atm_iv(chain, forward, years)
    calls, puts = ([*_out(case, chain, kind, forward, years)] for kind in (Kind.CALL, Kind.PUT))
    if not (isfinite(iv) and calls and puts):
        return None

    def error(one: Priced) -> float:
        return rounded(abs(abs(one.delta) - own.short_delta))

    call, put = min(calls, key=error), min(puts, key=error)
    reach = round(case.market.spot * own.wing_share)
    call_wing = next((one for one in calls if one.contract.strike >= call.contract.strike + reach), None)
    put_wing = next((one for one in reversed(puts) if one.contract.strike <= put.contract.strike - reach), None)
    if max(error(call), error(put)) > own.delta_error_max or call_wing is None or put_wing is None:
        return None
    return Condor(call_wing, put_wing, call, put, round(forward), rounded(iv), rounded(error(call) + error(put)))


def _out(case: Case, chain: Chain, kind: Kind, forward: float, years: float) -> Iterator[Priced]:
    """The options of one kind that are out of the money and validly quoted, lowest strike first."""
    is_call = kind is Kind.CALL
    for row in chain.strikes:
        quote = row.call if is_call else row.put
        if quote is not None and quote.is_valid and (row.strike > forward) is is_call:
            iv = strike_iv(is_call, quote, forward, row.strike, years)
            if isfinite(iv):
                delta = rounded(greeks(is_call, forward, row.strike, years, iv).delta)
                yield Priced(option(case.scrip.symbol, chain, kind, row.strike), quote, delta)


# --- what it costs, and how much of it --------------------------------------------------------------------------------


def _net(case: Case, condor: Condor, units: int) -> int:
    """What so many units bring at the touch (paise) after the charges of entering."""
    rates, net = case.rules.charge_rates(case.day), 0
    for one, side in condor.steps:
        value = money(one.quote.touch(side), units)
        net -= side.sign * value + charges(rates, one.contract, side, value).total
    return net


def _margins(case: Case, condor: Condor, units: int) -> list[int]:
    """What each step adds (paise) to the most that was needed before it: margin, and what is paid for the wings."""
    rates, held, most = case.rules.margin_rates(case.scrip.symbol, case.day), list[tuple[Contract, int]](), [0]
    for one, side in condor.steps:
        held.append((one.contract, side.sign * units))
        paid = sum(money(wing.quote.touch(Side.BUY), units) for wing, _ in condor.steps[: min(2, len(held))])
        most.append(max(most[-1], paid + margin(rates, held, condor.forward, condor.iv, case.at)))
    return [after - before for before, after in pairwise(most)]


def _limits(case: Case, own: Settings, condor: Condor) -> dict[str, int]:
    """The lots that each limit allows: of loss, margin, what expires on one day, and the sizes shown."""
    lot, limits, day = condor.call.contract.lot, case.scrip.limits, condor.call.contract.expiry.isoformat()
    loss = money(condor.width, lot) - _net(case, condor, lot)
    sold = money(condor.call.contract.strike + condor.put.contract.strike, lot)
    expiring = share_of_capital(case, limits.expiry_share_max or 0.0) - case.account.others.short.get(day, 0)
    shown = min(one.quote.bid_size if side is Side.SELL else one.quote.ask_size for one, side in condor.steps)
    return {
        "loss": share_of_capital(case, own.loss_share_max) // max(1, loss),
        "margin": margin_room(case) // max(1, sum(_margins(case, condor, lot))),
        "expiring": expiring // sold,
        "displayed": int(shown * case.weights.displayed_share_max) // lot,
        "lots_max": limits.lots_max or 0,
    }


# --- holding and closing ----------------------------------------------------------------------------------------------

SHAPE = ((Kind.PUT, True), (Kind.PUT, False), (Kind.CALL, False), (Kind.CALL, True))  # by strike, bought or sold


def _hold(case: Case, own: Settings, figures: Figures) -> Verdict:
    position = case.position
    no_ask = [h.contract.key for h in position.holdings if h.quantity < 0 and not _price(case, h)]
    if no_ask:
        return maintain(f"{no_ask[0]} is sold and nobody offers it", figures)
    legs = _closing(case)
    if not legs:
        return maintain("nobody bids for the wings that are left: they are carried to their expiry", figures)
    credit = -sum(h.cost for h in position.holdings)
    result = position.structure_result + credit + sum(money(_price(case, h), h.quantity) for h in position.holdings)
    left = min(days_to(case, h.contract.expiry) for h in position.holdings)
    figures = figures | {"credit_paise": credit, "result_paise": result, "days": left}
    why = _why(case, own, (credit, result, left))
    if not why:
        return maintain(f"held at {rupees(result)} of {rupees(credit)}, {counted(left, 'day')} left", figures)
    return Verdict(Action.CLOSE, f"close it: {why}; it stands at {rupees(result)}", figures, legs)


def _why(case: Case, own: Settings, found: tuple[int, int, int]) -> str:
    """Why it is closed now, or an empty string."""
    credit, result, left = found
    if not _is_whole(case.position):
        return "only a part of it is held"
    if result <= -own.stop_multiple * credit:
        return f"it lost over {own.stop_multiple:g} times its credit of {rupees(credit)}"
    if left <= own.close_days:
        return f"{counted(left, 'day')} to expiry, at or under {own.close_days}"
    if result >= own.profit_share * credit:
        return f"{percent(own.profit_share)} of its credit of {rupees(credit)} is won"
    event = near_event(case) if case.weights.blackout == "close" else None
    return f"{event.name} is near" if event is not None else ""


def _is_whole(position: Position) -> bool:
    """Whether what is held is a put and a call sold, each with a wing further out, of one expiry and one size."""
    held = sorted(position.holdings, key=lambda h: (h.contract.strike, h.contract.kind is Kind.CALL))
    shape = tuple((h.contract.kind, h.quantity > 0) for h in held)
    return shape == SHAPE and len({(h.contract.expiry, abs(h.quantity)) for h in held}) == 1


def _closing(case: Case) -> tuple[Leg, ...]:
    """Buy back what is sold, then sell the wings that somebody bids for; the rest of them is worth nothing."""
    held = sorted(case.position.holdings, key=lambda h: h.quantity)
    return tuple(Leg(h.contract, _way_out(h), abs(h.quantity), at) for h in held if (at := _price(case, h)))


def _way_out(held: Holding) -> Side:
    return Side.BUY if held.quantity < 0 else Side.SELL


def _price(case: Case, held: Holding) -> int:
    """The price that closes a holding now; 0 where nobody is there to trade with."""
    quote = quoted(case.market, held.contract)
    return quote.touch(_way_out(held)) if quote is not None else 0


STRATEGY = Plugin(iron_condor, version=4, settings=Settings)
