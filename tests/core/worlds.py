"""Small worlds for tests: a NIFTY market state of flat volatility, positions in it, and an account to trade with."""

import datetime
from math import exp, sqrt

from msgspec.structs import replace

from participant.config import load_rules
from participant.core.account import Account
from participant.core.ids import digest
from participant.core.market import Chain, Future, LookBack, MarketState, Quote, Strike
from participant.core.position import Holding, Position
from participant.core.pricing import price, years_to
from participant.core.rulebook import Rulebook
from participant.core.scrip import PRICE_UNITS, Contract, Kind, money
from participant.core.session import at_time, day_of

RULES = load_rules()
DAY = datetime.date(2026, 9, 16)
NOON = at_time(DAY, 12, 0)
SPOT = 25_000 * PRICE_UNITS
CRORE = 1_00_00_000_00
SIGMA = 0.14
CARRY = 0.06
TICK = 500
STRIKES_EACH_SIDE = 50


def account(capital: int = CRORE) -> Account:
    return Account(capital, capital)


def look_back(sessions: int = 60, realised: float = 0.11, low: float = 0.10, high: float = 0.16) -> LookBack:
    """IV that climbed evenly from low to high, and closes that went up and down by the same share."""
    step = realised / sqrt(252) * sqrt(19 / 20)
    closes = tuple(round(SPOT * exp(step / 2 * (-1) ** i)) for i in range(sessions))
    span = max(1, sessions - 1)
    return LookBack(closes, tuple(low + (high - low) * i / span for i in range(sessions)))


def chain_state(
    at: int = NOON,
    *,
    day: datetime.date = DAY,
    spot: int = SPOT,
    sigma: float = SIGMA,
    spread: float = 0.01,
    lots_shown: int = 20,
    history: LookBack | None = None,
    rules: Rulebook = RULES,
) -> MarketState:
    """The whole market of NIFTY at one flat volatility. `spread` is that of options, as a share of their middle."""
    size = lots_shown * 65
    chains = tuple(_chain(at, expiry, spot, sigma, spread, size, rules) for expiry in rules.expiries("NIFTY", day))
    futures = []
    for expiry in rules.future_expiries("NIFTY", day):
        middle = round(forward_at(at, expiry, spot, rules) / 1000) * 1000
        contract = Contract("NIFTY", expiry, Kind.FUTURE, 0, 65, 1000, 1800)
        futures.append(Future(contract, Quote(middle - 1000, middle + 1000, size, size, at)))
    back = look_back() if history is None else history
    content = (at, spot, futures, chains, back)
    return MarketState(digest(*content), "NIFTY", at, at, "made", spot, tuple(futures), chains, back)


def forward_at(at: int, expiry: datetime.date, spot: int, rules: Rulebook = RULES) -> float:
    return spot * exp(CARRY * years_to(rules.expiry_at(expiry), at))


def _chain(at: int, expiry: datetime.date, spot: int, sigma: float, spread: float, size: int, rules: Rulebook) -> Chain:
    years, forward = years_to(rules.expiry_at(expiry), at), forward_at(at, expiry, spot, rules)
    step = rules.strike_step("NIFTY", day_of(at))
    middle = round(spot / step) * step
    rows = []
    for i in range(-STRIKES_EACH_SIDE, STRIKES_EACH_SIDE + 1):
        strike = middle + i * step
        call, put = (
            quote_round(price(is_call, forward, strike, years, sigma), spread, size, at) for is_call in (True, False)
        )
        rows.append(Strike(strike, call, put))
    return Chain(expiry, 65, TICK, 1800, tuple(rows))


def quote_round(middle: float, spread: float, size: int, at: int) -> Quote:
    """A quote round a middle: ticks outward, a tick wide at least, and no bid where none is left."""
    bid = int(middle * (1 - spread / 2)) // TICK * TICK
    ask = max(bid + TICK, -(int(-middle * (1 + spread / 2)) // TICK * TICK))
    return Quote(bid, ask, size if bid else 0, size, at)


def with_quote(state: MarketState, key: str, **changes: int) -> MarketState:
    """The state with one contract's quote changed; `gone=1` takes an option's quote away."""
    futures = tuple(
        replace(f, quote=replace(f.quote, **changes)) if f.contract.key == key else f for f in state.futures
    )
    wanted = {c.key: (c.expiry, c.strike, c.kind) for c, _ in state.options()}.get(key)
    chains = state.chains
    if wanted is not None:
        chains = tuple(_with_cell(c, wanted[1], wanted[2], changes) if c.expiry == wanted[0] else c for c in chains)
    return replace(state, futures=futures, chains=chains, snapshot_id=digest(state.snapshot_id, key, changes))


def _with_cell(chain: Chain, strike: int, kind: Kind, changes: dict[str, int]) -> Chain:
    rows = []
    for row in chain.strikes:
        held = row.call if kind is Kind.CALL else row.put
        if row.strike != strike or held is None:
            rows.append(row)
            continue
        quote = None if changes.get("gone") else replace(held, **changes)
        rows.append(replace(row, call=quote) if kind is Kind.CALL else replace(row, put=quote))
    return replace(chain, strikes=tuple(rows))


def future(state: MarketState, i: int = 0) -> Contract:
    return state.futures[i].contract


def call(state: MarketState, expiry: datetime.date, strike: int) -> Contract:
    chain = next(c for c in state.chains if c.expiry == expiry)
    return Contract(state.scrip, expiry, Kind.CALL, strike, chain.lot, chain.tick, chain.freeze)


def holding(contract: Contract, quantity: int, at_price: int) -> Holding:
    """So many units (short is negative), bought or sold at a price."""
    return Holding(contract, quantity, money(at_price, quantity))


def position(*holdings: Holding, entered_on: datetime.date | None = None, alone_since: int = 0) -> Position:
    return Position("NIFTY", holdings, entered_on=entered_on, cover_alone_since=alone_since)
