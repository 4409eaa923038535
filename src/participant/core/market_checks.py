"""Brain checks of the market that a verdict meets: the exchange's ranges, halts and position limits, spot and forward.

Each is a pure function of a plan; `core/brain_checks.py` has them in their order. What no dated rule covers is asked of
nobody: position limits before July 2025 and of stocks went by shares of an open interest that is not known here.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import Literal

from msgspec.structs import replace

from participant.core.book_risk import DELTA, unit, unvalued
from participant.core.conduct import PositionLimit
from participant.core.market import SECOND, Chain, chain_to, levels, quoted
from participant.core.outside import OutsideRules
from participant.core.plan import Found, Plan
from participant.core.pricing import rounded
from participant.core.scrip import PRICE_UNITS_PER_PAISA, Contract, Kind
from participant.core.session import time_of
from participant.core.volatility import forward_to, parity, years_left
from participant.core.wording import apart, at_price, percent, rupees

MOMENTS: tuple[Literal["intraday", "close"], ...] = ("intraday", "close")


def price_range(plan: Plan) -> Found:
    """How much of the exchange's price range the limits use: their distance from the middle as a share of the room."""
    used = 0.0
    for leg in plan.verdict.legs:
        quote = quoted(plan.case.market, leg.contract)
        if quote is None or not quote.is_valid:
            return _unquoted(plan, leg.contract)
        room = plan.case.rules.price_range(leg.contract.kind, plan.case.day).room(quote.mid)
        used = max(used, abs(leg.limit - quote.mid) / room if room > 0 else float("inf"))
    used, most = rounded(used), plan.limits.range_share_max

    def reason() -> str:
        told, _ = apart(used, used if most is None else most)
        return f"a limit lies {told} of the exchange's price range from the middle"

    return Found(used, most, reason, is_share=True)


def _unquoted(plan: Plan, contract: Contract) -> Found:
    return Found(float("inf"), plan.limits.range_share_max, lambda: f"{contract.key} has no valid quote", is_share=True)


def aged(plan: Plan) -> str:
    """Which quote of a close is not of now, or an empty string: it would say neither why to act nor at what price."""
    found = freshness(plan)
    return "" if found.is_ok else f"{found.reason()}, over {found.limit} s"


def freshness(plan: Plan) -> Found:
    """How many seconds from the state's instant a quote of the legs is dated; one from the future is as bad as old."""
    quotes = ((leg.contract.key, quoted(plan.case.market, leg.contract)) for leg in plan.verdict.legs)
    ages = [((plan.case.at - quote.exchange_at) / SECOND, key) for key, quote in quotes if quote is not None]
    age, key = max(ages, key=lambda one: abs(one[0]), default=(0.0, ""))
    stands = f"is {age:,.10g} s old" if age >= 0 else f"is dated {-age:,.10g} s ahead"
    return Found(rounded(abs(age)), plan.case.weights.quote_age_max_s, lambda: f"the quote of {key} {stands}")


def operating_range(plan: Plan) -> Found | None:
    """How far from its close before the limit of a future lies; nothing where the close before is not known.

    That of the future is taken as its underlying's, at the basis of now.
    """
    market, rules, day = plan.case.market, plan.case.rules, plan.case.day
    close, away = _close_before(plan), []
    for leg in plan.verdict.legs:
        quote = quoted(market, leg.contract) if leg.contract.kind is Kind.FUTURE else None
        if quote is not None and quote.is_valid and close > 0 and market.spot > 0:
            away.append(abs(leg.limit / (close * quote.mid / market.spot) - 1))
    if not away:
        return None
    most = rules.operating_range(Kind.FUTURE, day)
    return Found(
        rounded(max(away)),
        most,
        lambda: f"a limit lies {percent(max(away))} from the future's close before",
        is_share=True,
        of="that close",
    )


def basis(plan: Plan) -> Found:
    """How far spot lies from what the legs' expiries say that it costs: one of the two is wrong where it is far.

    A chain without a strike near spot whose call and put are both quoted confirms nothing, even where a future is; nor
    does one that was quoted at the money too long ago, though the option that is traded is not.
    """
    spot, most = plan.case.market.spot, plan.case.weights.basis_max
    if spot <= 0:
        return Found(float("inf"), most, lambda: "the underlying has no price", is_share=True)
    chains = [chain for leg in plan.verdict.legs if (chain := _chain(plan, leg.contract)) is not None]
    unsure = next((said for chain in chains if (said := _unsure(plan, chain))), "")
    if unsure:
        return Found(float("inf"), most, lambda: unsure, is_share=True)
    away = max(((abs(level / spot - 1), name) for level, name in _levels(plan)), default=(0.0, ""))
    return Found(
        rounded(away[0]),
        most,
        lambda: f"spot at {at_price(spot)} lies {percent(away[0])} from {away[1]}",
        is_share=True,
        of="spot",
    )


def _unsure(plan: Plan, chain: Chain) -> str:
    """Why a chain does not say what its underlying costs at its expiry, or an empty string."""
    case, strikes = plan.case, levels(chain)
    if not isfinite(parity(chain, case.market.spot)):
        return f"no strike of {chain.expiry} near spot has both its call and its put quoted"
    at = bisect_left(strikes, case.market.spot)
    rows = [chain.strikes[i] for i in range(max(0, at - 1), min(at + 1, len(strikes)))]
    newest = max((quote.exchange_at for row in rows for quote in (row.call, row.put) if quote is not None), default=0)
    age, most = (case.at - newest) / SECOND, case.weights.quote_age_max_s
    return f"{chain.expiry} was quoted at the money {age:,.0f} s ago, over {most} s" if newest and age > most else ""


def _levels(plan: Plan) -> Iterator[tuple[float, str]]:
    """The futures that the legs trade, and the forwards of their options, each with its name."""
    case = plan.case
    for contract in dict.fromkeys(leg.contract for leg in plan.verdict.legs):
        quote, chain = quoted(case.market, contract), _chain(plan, contract)
        if contract.kind is Kind.FUTURE and quote is not None and quote.is_valid:
            yield quote.mid, contract.key
        if chain is not None:
            forward = forward_to(case.market, chain, years_left(case.market, chain, case.rules))
            yield forward.level, f"the forward of {chain.expiry}, {at_price(round(forward.level))} by {forward.source}"


def _chain(plan: Plan, contract: Contract) -> Chain | None:
    return chain_to(plan.case.market, contract.expiry) if contract.kind.is_option else None


def halt(plan: Plan) -> Found | None:
    """How far an index that halts the market stands from its close before; of others the state does not tell it."""
    case, close = plan.case, _close_before(plan)
    level = case.rules.halt_level(case.scrip.symbol, time_of(case.at), case.day)
    if level is None or close <= 0:
        return None
    move = abs(case.market.spot / close - 1)
    return Found(
        rounded(move),
        level,
        lambda: f"{case.scrip.symbol} stands {percent(move)} from its close before, where the market is halted",
        is_share=True,
        is_strict=True,
        of="that close",
    )


def _close_before(plan: Plan) -> int:
    closes = plan.case.market.look_back.closes
    return closes[-1] if closes else 0


def position_limit(plan: Plan) -> Found | None:
    """Options as futures equivalents, as a share of what one entity may hold in an index: net, and gross a side.

    Each counts whole, as a future does, as long as that stays within the limit; else by its delta.
    """
    rows, spot = _limits(plan), plan.case.market.spot
    if not rows:
        return None
    found = _largest_share(plan, rows, lambda c: float(spot if c.kind is Kind.CALL else -spot))
    if found.value > 1:
        found = _largest_share(plan, rows, lambda c: _delta(plan, c))
    return replace(found, value=rounded(found.value))


def _delta(plan: Plan, contract: Contract) -> float:
    return (unit(plan.case, contract) or unvalued(plan.case, contract))[DELTA]


def _limits(plan: Plan) -> list[PositionLimit]:
    """The limits of the day for the options of the book: while it runs, and at its close, to which all is carried."""
    case, rows = plan.case, []
    for kind in sorted({c.kind for c in plan.fills.contracts if c.kind.is_option}):
        for moment in MOMENTS:
            try:
                rows.append(case.rules.position_limit(case.scrip.symbol, kind, moment, case.day))
            except OutsideRules:
                continue
    return rows


def _largest_share(plan: Plan, rows: Sequence[PositionLimit], worth: Callable[[Contract], float]) -> Found:
    return max((_share_of(plan, row, worth) for row in rows), key=lambda found: found.value)


def _share_of(plan: Plan, row: PositionLimit, worth: Callable[[Contract], float]) -> Found:
    """The largest share of a limit; each order fills where that raises the side, else not."""
    long = short = high = low = 0.0
    for contract in (c for c in plan.fills.contracts if c.kind in row.kinds):
        value = worth(contract) / PRICE_UNITS_PER_PAISA
        held = value * sum(q for c, q in plan.fills.held if c == contract)
        adds = [value * q for part in (plan.fills.working, plan.fills.legs) for c, q in part if c == contract]
        up, down = held + sum(a for a in adds if a > 0), held + sum(a for a in adds if a < 0)
        long, short = long + max(0.0, up), short + max(0.0, -down)
        high, low = high + up, low + down
    net, gross = max(abs(high), abs(low)), max(long, short)
    figure, most, word = (net, row.net, "net") if net / row.net >= gross / row.gross else (gross, row.gross, "gross")

    def reason() -> str:
        moment = "the day's close" if row.moment == "close" else "the running day"
        worth = f"options would stand for futures of {rupees(round(figure))} {word}"
        return f"{worth}, {percent(figure / most)} of the limit of {moment}"

    return Found(figure / most, 1.0, reason, is_share=True, of="the limit")
