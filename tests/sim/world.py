"""A small made market for the simulation: three scrips, one expiry, rich volatility, a path drawn from a seed."""

import datetime
import math
import random
from collections.abc import Iterator

from participant.config import load_rules
from participant.core.market import LookBack, Quote, Reference, Tick
from participant.core.pricing import price
from participant.core.scrip import Contract, Kind, Scrip, Weights, contract_key
from participant.core.session import at_time

DAY = datetime.date(2026, 11, 25)
EXPIRY = datetime.date(2026, 12, 29)
RULES = load_rules()
MINUTE = 60_000_000_000
START = at_time(DAY, 10, 0)
SIGMA = 0.22
SYMBOLS = {"NIFTY": (24_000, 65, 100), "BANKNIFTY": (54_000, 30, 200), "RELIANCE": (1_400, 500, 10)}


def look_back(spot: int) -> LookBack:
    """Eighty quiet sessions, so that today's volatility is rich against them."""
    closes = tuple(spot + (spot // 400 if i % 2 else 0) for i in range(80))
    return LookBack(closes, tuple(0.10 + 0.001 * (i % 40) for i in range(80)))


def contracts(symbol: str) -> tuple[Contract, ...]:
    """A future and eleven strikes of calls and puts."""
    spot, lot, step = SYMBOLS[symbol]
    freeze = lot * (2 if symbol == "BANKNIFTY" else 20)  # so that some decisions are sliced
    made = [Contract(symbol, EXPIRY, Kind.FUTURE, 0, lot, 1000, freeze)]
    for i in range(-3, 8):
        strike = (spot + i * step * (spot // (step * 60))) * 10_000
        made += [Contract(symbol, EXPIRY, kind, strike, lot, 500, freeze) for kind in (Kind.CALL, Kind.PUT)]
    return tuple(made)


REFERENCES = tuple(Reference(s, contracts(s), look_back(SYMBOLS[s][0] * 10_000)) for s in SYMBOLS)
CONTRACTS = tuple(c for r in REFERENCES for c in r.contracts)
BY_KEY = {c.key: c for c in CONTRACTS}


def watchlist(rng: random.Random) -> dict[str, Scrip]:
    """Weights that open at once and close before long, so that a short day holds whole lives of structures."""
    weights = Weights(
        iv_rank_min=0.3,
        spread_max=0.2,
        structure_loss_share_max=rng.choice([0.000_01, 0.000_3, 0.01]),
        crash_loss_share_max=0.05,
        margin_share_max=rng.choice([0.4, 0.9]),
        after_call=rng.choice(["flatten", "resell"]),
        cover_alone_max_s=300,
    )
    return {s: Scrip(s, weights=weights) for s in SYMBOLS}


def instants(rng: random.Random, count: int) -> Iterator[tuple[int, tuple[Tick, ...]]]:
    """The instants of a day, a minute apart: every quote anew at each."""
    spots = {s: spot * 1.0 for s, (spot, _, _) in SYMBOLS.items()}
    for i in range(count):
        at = START + i * MINUTE
        ticks: list[Tick] = []
        for symbol in SYMBOLS:
            spots[symbol] *= math.exp(rng.gauss(0, 0.001))
            ticks += _ticks(symbol, spots[symbol], at, rng)
        yield at, tuple(ticks)


def _ticks(symbol: str, spot: float, at: int, rng: random.Random) -> Iterator[Tick]:
    yield Tick(symbol, 0, 0, 0, 0, round(spot * 10_000), at)
    years = 34 / 365
    for contract in contracts(symbol):
        fair = spot * 1.004
        if contract.kind is not Kind.FUTURE:
            fair = price(contract.kind is Kind.CALL, fair, contract.strike / 10_000, years, SIGMA)
        half = max(1, round(fair * 0.004 * 10_000 / contract.tick / 2)) * contract.tick
        half = contract.tick if contract.kind is Kind.FUTURE else half
        mid = max(2 * half, round(fair * 10_000 / contract.tick) * contract.tick)
        lots = rng.randint(1, 12)
        yield Tick(contract.key, mid - half, mid + half, lots * contract.lot, lots * contract.lot, 0, at)


def quotes(ticks: tuple[Tick, ...]) -> dict[str, Quote]:
    """What the exchange sees: every tick as a quote, an index as one without spread."""
    return {t.contract: Quote(t.bid or t.last, t.ask or t.last, t.bid_size, t.ask_size, t.exchange_at) for t in ticks}


def settlements(ticks: tuple[Tick, ...]) -> dict[str, int]:
    """The official prices after the last instant."""
    last = {t.contract: t.last or (t.bid + t.ask) // 2 for t in ticks}
    return {k: last[k] for s in SYMBOLS for k in (s, contract_key(s, EXPIRY, Kind.FUTURE))}
