"""The market that the order meets: the instrument, the session, the quote, the price, the exchange's own lists."""

from participant.core.ask import Ask, Finding
from participant.core.breaker import Level
from participant.core.decision import Action
from participant.core.limits import Limits
from participant.core.market import SECOND, Quote, quoted
from participant.core.order import Order, OrderStatus
from participant.core.scrip import Contract, Kind, Side
from participant.core.session import Phase, day_of


def instrument(ask: Ask) -> Finding | None:
    """The contract stands in the master of today, its scrip on the watchlist, and it has not expired."""
    contract, day = ask.order.contract, day_of(ask.now)
    if ask.master_day != day:
        known = ask.master_day.isoformat() if ask.master_day else "none"
        return Finding(f"the contract master is not of today: {known}", {"master": known, "today": day.isoformat()})
    if not ask.is_listed:
        return Finding(f"{contract.key} is not in today's contract master", {"contract": contract.key})
    if not ask.is_watched:
        return Finding(f"{ask.order.scrip} is not on the watchlist", {"scrip": ask.order.scrip})
    is_ended = ask.session is not None and contract.expiry == day and ask.now >= ask.session.expiring_close_at
    if contract.expiry < day or is_ended:
        return Finding(f"{contract.key} has expired", {"expiry": contract.expiry.isoformat(), "now": ask.now})
    return None


def session(ask: Ask) -> Finding | None:
    """Only while the market trades, some way after the open and some way before the close."""
    if ask.phase is not Phase.OPEN:
        return Finding(f"the market is {ask.phase}", {"phase": ask.phase})
    if ask.session is None:
        return Finding("the day's session is not known")
    since, until = ask.now - ask.session.open_at, ask.session.close_at - ask.now
    figures = {"since_open_s": since / SECOND, "until_close_s": until / SECOND}
    if since < ask.limits.open_margin_s * SECOND:
        return Finding(f"the market opened {since / SECOND:g} s ago", figures)
    if until < ask.limits.close_margin_s * SECOND:
        return Finding(f"the market closes in {until / SECOND:g} s", figures)
    return None


def breaker(ask: Ask) -> Finding | None:
    """Nothing passes an open breaker; in REDUCE_ONLY only what lowers the structure's worst loss."""
    if ask.level is Level.CLOSED or (ask.level is Level.REDUCE_ONLY and ask.is_reducing):
        return None
    return Finding(f"the breaker is {ask.level.name}: {ask.level_why}", {"level": ask.level.name})


def freshness(ask: Ask) -> Finding | None:
    """Only against a valid quote no further than a minute from now; to close, the traded side's quote is enough."""
    quote = ask.quote
    if quote is None or not (quote.is_valid or (_closes(ask) and quote.touch(ask.order.side))):
        return Finding("there is no valid quote", {"bid": quote.bid if quote else 0, "ask": quote.ask if quote else 0})
    age = (ask.now - quote.exchange_at) / SECOND
    if not _is_of_now(ask, quote):
        stands = f"{age:.1f} s old" if age >= 0 else f"dated {-age:.1f} s ahead of now"
        return Finding(f"the quote is {stands}", {"age_s": age})
    return None


def _is_of_now(ask: Ask, quote: Quote) -> bool:
    """Whether a quote is of this minute: one from the future has a wrong clock, which is as bad as an old one."""
    return abs(ask.now - quote.exchange_at) <= ask.limits.quote_age_max_s * SECOND


def _closes(ask: Ask) -> bool:
    return ask.decision is not None and ask.decision.action is Action.CLOSE


def drift(ask: Ask) -> Finding | None:
    """The price has not left the one decided on by more than the collar, against us."""
    decided, limit = _decided(ask), ask.order.limit
    if _has_left(ask.order.contract, ask.order.side, decided, limit, ask.limits):
        return Finding(f"the price went from {decided} to {limit}", {"decided": decided, "limit": limit})
    return None


def together(ask: Ask) -> Finding | None:
    """Nothing opens while a later leg of its decision finds no fresh, valid quote near the price decided on."""
    if ask.decision is None or ask.decision.action is not Action.OPEN:
        return None
    for leg in ask.decision.legs[ask.order.leg + 1 :]:
        quote = quoted(ask.market, leg.contract) if ask.market is not None else None
        if quote is None or not (quote.is_valid and _is_of_now(ask, quote)):
            said = f"the leg after it, to {leg.side} {leg.contract.key}, has no fresh, valid quote"
            return Finding(said, {"contract": leg.contract.key})
        touch = quote.touch(leg.side)
        if _has_left(leg.contract, leg.side, leg.limit, touch, ask.limits):
            said = f"the leg after it, to {leg.side} {leg.contract.key}, went from {leg.limit} to {touch}"
            return Finding(said, {"contract": leg.contract.key, "decided": leg.limit, "limit": touch})
    return None


def _has_left(contract: Contract, side: Side, decided: int, price: int, limits: Limits) -> bool:
    """Whether a price has left the one decided on by more than the drift that is allowed, against us."""
    share = limits.drift_max if contract.kind.is_option else limits.drift_future_max
    return side.sign * (price - decided) > max(int(decided * share), 2 * contract.tick)


def _decided(ask: Ask) -> int:
    return ask.decision.legs[ask.order.leg].limit if ask.decision else 0


def collar(ask: Ask) -> Finding | None:
    """The limit stays near the middle of a valid quote; so many refused in a while disable the scrip.

    A close against a one-sided quote has no middle: it goes by the price that was decided on.
    """
    limit, middle, most = ask.order.limit, _middle(ask), ask.limits
    if ask.order.contract.kind.is_option:
        room = max(int(middle * most.collar_share_max), most.collar_min)
    else:
        room = int(middle * most.collar_future_share_max)
    if middle > 0 and abs(limit - middle) <= room:
        return None
    since = ask.now - int(most.collar_window_s * SECOND)
    before = sum(_is_collared(o, ask, since) for o in ask.orders)
    figures = {"limit": limit, "middle": middle, "room": room, "refused_before": before}
    said = (
        f"the limit {limit} lies more than {room} from the middle {middle}" if middle else "no middle to compare with"
    )
    return Finding(said, figures, disables=before >= most.collar_refusals_max)


def _middle(ask: Ask) -> int:
    if ask.quote is not None and ask.quote.is_valid:
        return ask.quote.mid
    return _decided(ask) if _closes(ask) and ask.quote is not None and ask.quote.touch(ask.order.side) else 0


def _is_collared(order: Order, ask: Ask, since: int) -> bool:
    is_refused = order.status is OrderStatus.DENIED and order.denied_by == "PT-05"
    return is_refused and order.scrip == ask.order.scrip and order.decided_at >= since


def price_range(ask: Ask) -> Finding | None:
    """The limit stays well inside what the exchange lets through around its reference, taken as the middle."""
    row, middle = ask.price_range, _middle(ask)
    if row is None:
        return Finding("the exchange's price range is not known")
    room = int(row.room(middle) * ask.limits.price_range_share_max)
    if middle <= 0 or abs(ask.order.limit - middle) > room:
        figures = {"limit": ask.order.limit, "middle": middle, "room": room}
        return Finding(f"the limit {ask.order.limit} leaves the exchange's range of {room} about {middle}", figures)
    return None


def banned(ask: Ask) -> Finding | None:
    """In a ban period of its underlying a stock's position may only be made smaller."""
    if not ask.is_stock or ask.is_reducing:
        return None
    if ask.bans is None and ask.limits.ban_list_required:
        return Finding("there is no ban list of today", {"scrip": ask.order.scrip})
    if ask.bans is not None and ask.order.scrip in ask.bans:
        return Finding(f"{ask.order.scrip} is in a ban period", {"scrip": ask.order.scrip})
    return None


def physical(ask: Ask) -> Finding | None:
    """Nothing is opened in a stock's contract that is to be delivered within days."""
    if not ask.is_stock or ask.is_reducing or ask.order.contract.kind is Kind.STOCK:
        return None
    if ask.sessions_left is None:
        return Finding("the sessions before its expiry are not known", {"contract": ask.order.contract.key})
    if ask.sessions_left < ask.limits.physical_sessions_min:
        said = f"it expires in {ask.sessions_left} sessions and is settled by delivery"
        return Finding(said, {"sessions_left": ask.sessions_left})
    return None
