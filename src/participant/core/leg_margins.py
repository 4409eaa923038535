"""What the legs of a verdict add to the margin by the brain's own reckoning, whatever its strategy says of them.

The book is margined as one portfolio before the legs and after each of them, in their order: what is needed on the way
must be there as well. It is valued as the sizing of a structure is: at the price of a future that it trades, else at
the forward of its options, and at the highest volatility at the money of the options that it trades and holds.
"""

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan

from msgspec.structs import replace

from participant.core.decision import Leg
from participant.core.delivery import delivery_margin
from participant.core.margin import scan_in
from participant.core.market import Chain, chain_to, quoted
from participant.core.pricing import rounded
from participant.core.scrip import Contract, Kind, Side, money
from participant.core.strategy import Case
from participant.core.volatility import atm_iv, forward_to, strike_iv, years_left

Book = Mapping[Contract, int]


def with_own_margins(case: Case, legs: Sequence[Leg]) -> tuple[Leg, ...] | None:
    """The legs, each with a margin (paise) that together are no less than the book asks for after it.

    None where there is no price or no volatility to reckon with.
    """
    book = {h.contract: h.quantity for h in case.position.holdings}
    needed = _needed(case, legs)
    if needed is None:
        return None
    before = needed(book) if book else 0
    paid = given = most = 0
    own = []
    for leg in legs:
        held = book.get(leg.contract, 0)
        book[leg.contract] = held + leg.side.sign * leg.quantity
        paid += _paid_for(leg, held)
        most = max(most, paid + needed(book) - before)
        own.append(replace(leg, margin=max(leg.margin, most - given)))
        given += own[-1].margin
    return tuple(own)


def _paid_for(leg: Leg, held: int) -> int:
    """What shares or an option bought cost (paise): room that nobody else can have until it is paid.

    Not where it buys back what was sold: its margin, in which it counts at what it is worth now, falls by as much.
    """
    if leg.side is Side.SELL or leg.contract.kind is Kind.FUTURE:
        return 0
    more = leg.quantity if leg.contract.kind is Kind.STOCK else max(0, held + leg.quantity) - max(0, held)
    return money(leg.limit, more)


def not_in_use(case: Case, legs: Sequence[Leg]) -> int:
    """What the book as it is asks for now beyond the margin (paise) in use for it, reckoned as that of the legs is.

    What is in use was reckoned when the book last changed or a day ended; in a storm it asks for more since.
    """
    book = {h.contract: h.quantity for h in case.position.holdings}
    needed = _needed(case, legs) if book else None
    return max(0, needed(book) - case.account.used.get(case.scrip.symbol, 0)) if needed is not None else 0


def _needed(case: Case, legs: Sequence[Leg]) -> Callable[[Book], int] | None:
    """What asks of a book of what is held and of what the legs trade how much margin it needs."""
    held, traded = [h.contract for h in case.position.holdings], [leg.contract for leg in legs]
    level, sigma = _level(case, [*traded, *held]), dearest(case, [*traded, *held])  # a price of what is traded first
    if level <= 0 or not isfinite(sigma):
        return None
    rates = case.rules.margin_rates(case.scrip.symbol, case.day)
    # All at once: what is not held yet, or no more, counts with a quantity of 0.
    scanned = tuple(c for c in dict.fromkeys([*held, *traded]) if c.kind is not Kind.STOCK)
    scan = scan_in(case.market, rates, scanned, (level, sigma))

    def needed(book: Book) -> int:
        due = delivery_margin(case.rules, [*book.items()], case.market.spot, case.day)
        return due + scan.margin(tuple(book.get(c, 0) for c in scanned))

    return needed


def _level(case: Case, contracts: Sequence[Contract]) -> int:
    """What stands for the underlying's price: the first future that is quoted, else the first option's forward."""
    quotes = (quoted(case.market, c) for c in contracts if c.kind is Kind.FUTURE)
    level = next((quote.mid for quote in quotes if quote is not None and quote.is_valid), 0)
    chains = (chain_to(case.market, c.expiry) for c in contracts if c.kind.is_option)
    chain = next((chain for chain in chains if chain is not None), None)
    if level or chain is None:
        return level or case.market.spot
    return round(forward_to(case.market, chain, years_left(case.market, chain, case.rules)).level)


def dearest(case: Case, contracts: Sequence[Contract]) -> float:
    """The highest volatility at the money of the options that are traded and held, else of all that are listed.

    An option without one goes by its own, or by the look-back's last; `nan` where one of them has none of these.
    """
    sigmas = [_at_the_money(case, c) for c in contracts if c.kind.is_option]
    if sigmas:
        return max(sigmas, key=lambda sigma: (not isfinite(sigma), sigma))
    known = [sigma for chain in case.market.chains if isfinite(sigma := _of_chain(case, chain))]
    return max(known, default=_last(case))


def _at_the_money(case: Case, contract: Contract) -> float:
    chain = chain_to(case.market, contract.expiry)
    if chain is None:
        return _last(case)
    level = _of_chain(case, chain)
    if isfinite(level):
        return level
    years = years_left(case.market, chain, case.rules)
    forward, quote = forward_to(case.market, chain, years).level, quoted(case.market, contract)
    own = rounded(strike_iv(contract.kind is Kind.CALL, quote, forward, contract.strike, years))
    return own if isfinite(own) else _last(case)


def _of_chain(case: Case, chain: Chain) -> float:
    years = years_left(case.market, chain, case.rules)
    return rounded(atm_iv(chain, forward_to(case.market, chain, years).level, years))


def _last(case: Case) -> float:
    history = case.market.look_back.iv30
    return history[-1] if history and history[-1] > 0 else nan
