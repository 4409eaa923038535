"""The measured strategy as a plug-in of ours: IV and greeks of the whole chain by the deciding kernel, each time."""

import datetime
from array import array
from math import isfinite

from bench.chain_strategy import Calls, Spread, chosen, is_to_close
from participant.core.account import Account
from participant.core.chain_columns import middles
from participant.core.decision import Action, Leg
from participant.core.market import MarketState, option, quoted
from participant.core.position import Position
from participant.core.pricing import Options, implied_volatilities, values
from participant.core.rulebook import Rulebook
from participant.core.scrip import Kind, Scrip, Side
from participant.core.session import Phase, phase
from participant.core.strategy import Case, Figures, Plugin, Verdict, maintain
from participant.core.volatility import parity, years_left
from participant.research.backtest import CoveredCall

NAME = "measured_spread"


def measured_spread(
    scrip: Scrip, market: MarketState, position: Position, account: Account, rules: Rulebook
) -> Verdict:
    """Open, close or maintain the call spread of one scrip."""
    case = Case(scrip, market, position, account, rules)
    figures = Figures(spot=market.spot)
    calls = deltas_of(case)
    if phase(rules, case.at) is not Phase.OPEN:
        return maintain("the market is not open", figures)
    if position.working:
        return maintain("orders are working", figures)
    if position.holdings:
        held = sorted(position.holdings, key=lambda h: h.quantity)
        spread = Spread(held[0].contract.expiry, held[-1].contract.strike, held[0].contract.strike)
        if case.day == spread.expiry or not is_to_close(spread, calls):
            return maintain("held", figures)
        return Verdict(Action.CLOSE, "its delta is over the stop", figures, _legs(case, spread, (Side.BUY, Side.SELL)))
    spread = chosen(case.day, calls) if position.entered_on != case.day else None
    if spread is None:
        return maintain("nothing to open", figures)
    return Verdict(Action.OPEN, "a spread", figures, _legs(case, spread, (Side.SELL, Side.BUY))[::-1])


def _legs(case: Case, spread: Spread, sides: tuple[Side, Side]) -> tuple[Leg, ...]:
    """One lot of the call that is sold and of its wing, at the touch."""
    chain = next(chain for chain in case.market.chains if chain.expiry == spread.expiry)
    found = []
    for strike, side in zip((spread.short, spread.wing), sides, strict=True):
        contract = option(case.scrip.symbol, chain, Kind.CALL, strike)
        quote = quoted(case.market, contract)
        found.append(Leg(contract, side, chain.lot, quote.touch(side) if quote is not None else 0))
    return tuple(found)


def deltas_of(case: Case) -> list[Calls]:
    """IV and greeks of every option of the state, from the middles of valid quotes: the calls' deltas by expiry."""
    market, prices, strikes = case.market, list[memoryview](), list[memoryview]()
    is_call, forwards, years, known = bytearray(), array("d"), array("d"), list[tuple[datetime.date, int]]()
    for chain in market.chains:
        left, forward = years_left(market, chain, case.rules), parity(chain, market.spot)
        if left > 0 and isfinite(forward):
            columns, m = middles(chain), len(chain.strikes)
            prices.append(columns[0])
            strikes.append(columns[1])
            is_call += b"\1" * m + bytes(m)
            forwards += array("d", (forward,)) * (2 * m)
            years += array("d", (left,)) * (2 * m)
            known.append((chain.expiry, m))
    n, all_strikes = len(is_call), memoryview(b"".join(strikes)).cast("d")
    options = Options(is_call, forwards, all_strikes, years)
    sigmas, faults, out = array("d", bytes(8 * n)), bytearray(n), array("d", bytes(48 * n))
    implied_volatilities(options, memoryview(b"".join(prices)).cast("d"), sigmas, faults)
    values(options, sigmas, out)
    deltas, begin, found = memoryview(out)[n : 2 * n], 0, list[Calls]()
    for expiry, m in known:
        found.append(Calls(expiry, all_strikes[begin : begin + m], deltas[begin : begin + m]))
        begin += 2 * m
    return found


class MeasuredSpread(CoveredCall, frozen=True):
    """What `backtest` is given: the rows of the watchlist name the measured strategy."""

    @property
    def rows(self) -> list[Scrip]:
        """The watchlist that it is decided on."""
        return [Scrip(symbol, strategy=NAME, decide_every_s=1) for symbol in self.underlyings]


PLUGIN = Plugin(measured_spread, version=1)
