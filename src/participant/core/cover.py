"""What a call is written against: a future, shares that are bought for it, or shares that a person holds already."""

from collections.abc import Sequence

from participant.core.delivery import ends_physical
from participant.core.market import Future, MarketState, Quote, quoted
from participant.core.position import Holding, Position
from participant.core.scrip import Contract, Kind
from participant.core.strategy import Case

NEAR_DAYS = 7  # before that nobody asks how a contract ends; no run of holidays is longer


def mark(state: MarketState | None, contract: Contract) -> int | None:
    """The middle of a contract's valid quote; shares that nobody quotes are worth their part of the underlying."""
    quote = quoted(state, contract) if state is not None else None
    if quote is not None and quote.is_valid:
        return quote.mid
    return state.spot // contract.lot if state is not None and contract.kind is Kind.STOCK else None


def to_buy(case: Case) -> Sequence[Future] | str:
    """What may be bought as cover now, as it is quoted; or why nothing may."""
    if case.weights.cover == "future":
        return case.market.futures
    if case.weights.cover == "held":
        return f"no cover is declared: `participant desk adopt-cover {case.scrip.symbol}` says what is held"
    shares, quote = case.market.shares, case.market.underlying
    if shares is None or quote is None:
        return f"{case.scrip.symbol} has no shares that are quoted: its cover can be a future, or what is held already"
    return (Future(shares, quote),)


def to_write_against(case: Case) -> Future:
    """The first cover that is held, as it is quoted.

    What a person holds is worth its part of the underlying, quoted or not.
    """
    first = covers(case.position)[0].contract
    if first.kind is Kind.STOCK and case.position.adopted:
        value = case.market.spot // first.lot
        return Future(first, Quote(value, value, 0, 0, case.at))
    return Future(first, quoted(case.market, first) or Quote(0, 0, 0, 0, 0))


def covers(position: Position) -> list[Holding]:
    """The holdings that are cover: futures, earliest first, then shares."""
    mine = [h for h in position.holdings if not h.contract.kind.is_option]
    return sorted(mine, key=lambda h: (h.contract.kind is Kind.STOCK, h.contract))


def unpaid_of(position: Position, holding: Holding) -> int:
    """What of a holding's cost (paise) the account never paid: a future's, and that of what a person has declared."""
    if holding.contract.kind is Kind.STOCK and position.adopted:
        return holding.cost * position.adopted // holding.quantity
    return holding.cost if holding.contract.kind is Kind.FUTURE else 0


def declared_cost(position: Position) -> int:
    """What the shares that a person has declared are held at (paise)."""
    return sum(unpaid_of(position, h) for h in position.holdings if h.contract.kind is Kind.STOCK)


def sellable(position: Position) -> int:
    """Units of cover that the desk has bought and may sell: what a person has declared is theirs."""
    return sum(h.contract.covers(bought(position, h)) for h in covers(position))


def bought(position: Position, holding: Holding) -> int:
    """How much of a holding the desk has bought: all that a person has not declared."""
    return holding.quantity - (position.adopted if holding.contract.kind is Kind.STOCK else 0)


# --- calls that end by delivery ---------------------------------------------------------------------------------------


def delivery_due(case: Case) -> str:
    """Why calls that end by delivery are bought back now, or an empty string.

    Without the shares to deliver no call is carried to its last day, nor over the night before it in the money: the
    exchange would buy the shares in by auction. With them it is for the weight `deliver` to say.
    """
    ending = [h for h in case.position.holdings if h.contract.kind is Kind.CALL and _ends_by_delivery(case, h.contract)]
    if not ending:
        return ""
    first = min(h.contract.expiry for h in ending)
    calls = [h for h in ending if h.contract.expiry == first]
    name, units = calls[0].contract.key, -sum(h.quantity for h in calls)
    is_in, is_today = any(case.market.spot >= h.contract.strike for h in calls), first <= case.day
    if units > case.position.shares:
        said = f"{name} ends by delivery of {units:,} shares, and {max(0, case.position.shares):,} are held"
        return said if is_today or (is_in and case.rules.next_session(case.day) >= first) else ""
    if is_today and is_in and not case.weights.deliver:
        return f"{name} is in the money on its last day, and its shares are not to be delivered"
    return ""


def _ends_by_delivery(case: Case, contract: Contract) -> bool:
    is_near = (contract.expiry - case.day).days <= NEAR_DAYS
    return is_near and ends_physical(case.rules, contract) is not False  # where no rule says it, it may
