"""What the desk would hold if everything on the wire filled in the worst way; a reducing order is never refused here.

Every figure is a sum of what each order adds, so the worst of all subsets of fills is found without trying them:
what raises it is counted in, what lowers it is not counted on. Orders of unknown fate count in full.
"""

from math import isfinite, pi, sqrt

from participant.core.ask import Ask, Finding, is_uncovered, left, worst_cover, worst_loss_filling
from participant.core.market import quoted
from participant.core.order import Order
from participant.core.pricing import greeks, implied_volatility, years_to
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind, Side, money
from participant.core.session import day_of, usual_close


def covered(ask: Ask) -> Finding | None:
    """Cover is never less than the options sold, whichever working and unknown orders fill. A buy takes none away."""
    if not is_uncovered(ask):
        return None
    cover, sold = worst_cover(ask)
    kind = "puts" if ask.order.contract.kind is Kind.PUT else "calls"
    return Finding(f"{sold} units of {kind} would stand against {cover} of cover", {kind: sold, "cover": cover})


def size(ask: Ask) -> Finding | None:
    """What the order adds to stays within the limit of lots even if everything working fills; a close adds nothing."""
    kind, side, lot = ask.order.contract.kind, ask.order.side, ask.lot
    after = {c: side.sign * q for c, q in ask.held.items() if c.kind is kind}
    for one in ask.wire:
        if one.contract.kind is kind and one.side is side:
            after[one.contract] = after.get(one.contract, 0) + left(one)
    if after.get(ask.order.contract, 0) <= 0:
        return None
    units = sum(q for q in after.values() if q > 0)
    if units > ask.limits.lots_max * lot:
        said = f"{units} units of {kind} exceed {ask.limits.lots_max} lots of {lot}"
        return Finding(said, {"units": units, "lot": lot})
    return None


def short_options(ask: Ask) -> Finding | None:
    """No more options are sold than the limit of lots, if every sell fills and no buy does; a close sells none."""
    order = ask.order
    if order.side is Side.BUY or not order.contract.kind.is_option:
        return None
    after = {c: q for c, q in ask.held.items() if c.kind.is_option}
    for one in ask.wire:
        if one.side is Side.SELL and one.contract.kind.is_option:
            after[one.contract] = after.get(one.contract, 0) - left(one)
    short = sum(max(0, -q) for q in after.values()) if after.get(order.contract, 0) < 0 else 0
    if short > ask.limits.short_lots_max * order.contract.lot:
        said = f"{short} units of options would be sold, the limit is {ask.limits.short_lots_max} lots"
        return Finding(said, {"short": short, "lot": order.contract.lot})
    return None


def cumulative(ask: Ask) -> Finding | None:
    """What is on the wire stays within its limits: of all scrips and of this one in value, of its expiry in lots."""
    if ask.is_reducing:
        return None
    order, most = ask.order, ask.limits
    everything = sum(_worth(o) for o in ask.others) + _worth(order)
    mine = sum(_worth(o) for o in ask.wire)
    units = sum(left(o) for o in ask.wire if o.contract.expiry == order.contract.expiry)
    figures = {"open_value": everything, "open_value_scrip": mine, "open_units": units, "lot": ask.lot}
    if everything > most.open_value_max:
        return Finding(f"orders of {everything} paise would be open, the limit is {most.open_value_max}", figures)
    if mine > most.open_value_scrip_max:
        return Finding(f"orders of {mine} paise would be open in {order.scrip}", figures)
    if units > most.open_lots_max * ask.lot:
        return Finding(f"orders of {units} units would be open in one expiry of {order.scrip}", figures)
    return None


def _worth(order: Order) -> int:
    return money(order.limit, left(order))


def scenario(ask: Ask) -> Finding | None:
    """The worst loss over moves of a fifth either way stays within its limit, however the orders on the wire fill."""
    if ask.is_reducing:
        return None
    if ask.spot <= 0:
        return Finding("the underlying has no price", {"spot": ask.spot})
    loss = worst_loss_filling(ask.held, ask.wire, ask.spot)
    if loss > ask.limits.scenario_loss_max:
        said = f"a move of a fifth could lose {loss}, the limit is {ask.limits.scenario_loss_max} paise"
        return Finding(said, {"loss": loss, "spot": ask.spot})
    return None


def sensitivity(ask: Ask) -> Finding | None:
    """Net delta (its value) and vega (a point of volatility), in paise, stay within limits however orders fill.

    Without a quote to imply a volatility from, an option counts with the most that it can have.
    """
    if ask.is_reducing:
        return None
    if ask.spot <= 0:
        return Finding("the underlying has no price", {"spot": ask.spot})
    delta, vega = worst_greeks(ask)
    figures = {"delta_value": delta, "vega": vega}
    if delta > ask.limits.delta_value_max:
        return Finding(f"net delta could be worth {delta}, the limit is {ask.limits.delta_value_max} paise", figures)
    if vega > ask.limits.vega_max:
        return Finding(f"net vega could be {vega}, the limit is {ask.limits.vega_max} paise a point", figures)
    return None


def worst_greeks(ask: Ask) -> tuple[int, int]:
    """The largest |delta| (the underlying's value) and |vega| (a point), in paise, over every subset of fills."""
    units = [(c, q) for c, q in ask.held.items()]
    adds = [(o.contract, o.side.sign * left(o)) for o in ask.wire]
    of = {c: unit_greeks(ask, c) for c, _ in (*units, *adds)}
    worst = []
    for which in (0, 1):
        base = sum(q * of[c][which] for c, q in units)
        moves = [q * of[c][which] for c, q in adds]
        up, down = sum(m for m in moves if m > 0), sum(m for m in moves if m < 0)
        worst.append(max(abs(base + up), abs(base + down)))
    paise_of_delta = ask.spot / PRICE_UNITS_PER_PAISA
    return round(worst[0] * paise_of_delta), round(worst[1] / PRICE_UNITS_PER_PAISA)


def unit_greeks(ask: Ask, contract: Contract) -> tuple[float, float]:
    """Delta and vega (price units a point of volatility) of one unit."""
    if not contract.kind.is_option:
        return 1 / (contract.lot if contract.kind is Kind.STOCK else 1), 0.0
    is_call, forward, strike = contract.kind is Kind.CALL, float(ask.spot), float(contract.strike)
    years = years_to(usual_close(contract.expiry), ask.now)
    quote = quoted(ask.market, contract) if ask.market is not None else None
    sigma = float("nan")
    if quote is not None and quote.is_valid:
        sigma = implied_volatility(is_call, float(quote.mid), forward, strike, years)
    if not isfinite(sigma) or years <= 0:
        return (1.0 if is_call else -1.0), forward * sqrt(years / (2 * pi)) / 100
    found = greeks(is_call, forward, strike, years, sigma)
    return found.delta, found.vega / 100


def margin(ask: Ask) -> Finding | None:
    """What is reserved for the order and all else stays within the share of capital that may serve as margin.

    The share is smaller where the order's contract expires today. Nothing that reduces is refused for money.
    """
    if ask.is_reducing or ask.is_closing:
        return None
    missing = max(0, ask.order.margin - ask.account.reserved.get(ask.order.order_id, 0))
    committed, room = ask.account.committed + missing, _room(ask)
    if committed > room:
        figures = {"committed": committed, "room": room, "missing": missing}
        return Finding(f"{committed} paise of margin would be committed, {room} may be", figures)
    return None


def _room(ask: Ask) -> int:
    """What margin may be committed in all (paise)."""
    limits = ask.limits
    is_last_day = ask.order.contract.expiry == day_of(ask.now)
    share = limits.margin_expiry_share_max if is_last_day else limits.margin_share_max
    return min(ask.account.cash, int(share * ask.account.capital))


def broker_margin(ask: Ask) -> Finding | None:
    """What the broker says that the whole decision needs fits beside all else; if it cannot say, our estimate serves.

    With `margin_by_broker` it does not, and what the broker does not say is refused.
    """
    if not ask.is_for_broker:
        return None
    if ask.broker_need is None:
        said = f"the broker does not say what margin it needs: {ask.broker_why}"
        return Finding(said) if ask.limits.margin_by_broker else None
    reserved = sum(ask.account.reserved.get(o.order_id, 0) for o in ask.siblings)
    committed, room = ask.account.committed - reserved + ask.broker_need, _room(ask)
    if committed > room:
        figures = {"committed": committed, "room": room, "broker_need": ask.broker_need}
        return Finding(f"{committed} paise of margin would be committed by the broker's figure, {room} may be", figures)
    return None
