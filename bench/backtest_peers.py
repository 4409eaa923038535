"""What bench/backtest.py runs in nautilus_trader's environment: the same days and strategy, prints one line of JSON.

The engine is used as its documentation shows for data beyond memory: a day of quotes is added, run and cleared, the
strategy stays. At the last quote of an instant the strategy works out IV and greeks of the whole chain, by nautilus'
own compiled function or (`kernel`) by ours, sends market orders that fill at the touch and carries what is not closed.
"""

import datetime
import importlib.util
import json
import math
import resource
import sys
import time
from array import array
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.config import LoggingConfig, StrategyConfig
from nautilus_trader.core.nautilus_pyo3 import imply_vol_and_greeks
from nautilus_trader.model.currencies import INR
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, AssetClass, OmsType, OptionKind, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import OptionContract
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bench.chain_strategy import Calls, Spread, chosen, is_to_close

YEAR_NS = 365 * 86_400 * 10**9
NSE = Venue("NSE")
UNITS = 10_000
Contract = tuple[datetime.date, int, str]


class ChainConfig(StrategyConfig, frozen=True):
    """Nothing of its own: what it trades is handed over."""


class ChainStrategy(Strategy):
    """Keeps the newest quote of each contract, and at each instant's end decides on the whole chain."""

    def __init__(self, greeks: Any) -> None:
        super().__init__(ChainConfig())
        self.solve = greeks
        self.market: Day | None = None
        self.quotes: dict[InstrumentId, QuoteTick] = {}
        self.held: Spread | None = None
        self.fills: list[tuple[str, str, str, int, int]] = []
        self.entered_on: datetime.date | None = None
        self.instants = 0

    def on_start(self) -> None:
        self.begin(self.market, self.market.instruments.values())

    def begin(self, market: "Day", news: Iterable[OptionContract]) -> None:
        """A day's contracts, those not known before subscribed to."""
        self.market = market
        for instrument in news:
            self.subscribe_quote_ticks(instrument.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        self.quotes[tick.instrument_id] = tick
        if tick.instrument_id == self.market.last_id:
            self.decide(tick.ts_event)

    def decide(self, at: int) -> None:
        self.instants += 1
        market = self.market
        spot = market.spots[at]
        calls = [of for expiry in market.chains if (of := self.deltas(expiry, spot, at)) is not None]
        if not market.opens <= at < market.closes:
            return
        if self.held is not None:
            if market.day != self.held.expiry and is_to_close(self.held, calls):
                self.trade(self.held, (("short", OrderSide.BUY), ("wing", OrderSide.SELL)))
                self.held = None
            return
        spread = chosen(market.day, calls) if self.entered_on != market.day else None
        if spread is not None:
            self.trade(spread, (("wing", OrderSide.BUY), ("short", OrderSide.SELL)))
            self.held, self.entered_on = spread, market.day

    def trade(self, spread: Spread, sides: tuple[tuple[str, OrderSide], ...]) -> None:
        for name, side in sides:
            instrument = self.market.instruments[spread.expiry, getattr(spread, name), "CE"]
            order = self.order_factory.market(instrument.id, side, Quantity.from_int(int(instrument.lot_size)))
            self.submit_order(order)

    def on_order_filled(self, event: Any) -> None:
        side = "buy" if event.order_side == OrderSide.BUY else "sell"
        key = event.instrument_id.symbol.value
        price = round(event.last_px.as_double() * UNITS)
        self.fills.append((str(self.market.day), key, side, int(event.last_qty), price))

    def deltas(self, expiry: datetime.date, spot: int, at: int) -> Calls | None:
        """The deltas of an expiry's calls; IV and greeks are worked out of its puts as well."""
        strikes, ids = self.market.chains[expiry]
        years = (self.market.ends[expiry] - at) / YEAR_NS
        if years <= 0:
            return None
        middles = [self.middle(one) for one in ids]
        m = len(strikes)
        forward = parity(strikes, self.quotes, ids, spot)
        return None if math.isnan(forward) else Calls(expiry, strikes, self.solve(m, middles, forward, strikes, years))

    def middle(self, one: InstrumentId) -> float:
        quote = self.quotes.get(one)
        if quote is None:
            return math.nan
        bid, ask = quote.bid_price.as_double(), quote.ask_price.as_double()
        return (bid + ask) / 2 if 0 < bid < ask and quote.bid_size and quote.ask_size else math.nan


def parity(strikes: list[int], quotes: dict[InstrumentId, QuoteTick], ids: list[InstrumentId], spot: int) -> float:
    """The forward in rupees as ours reads it: the median of strike + call - put of the 8 strikes nearest spot."""
    m, found = len(strikes), list[tuple[float, float]]()
    near = sorted(range(m), key=lambda i: (abs(strikes[i] - spot), strikes[i]))
    for i in near:
        if len(found) == 8 or abs(strikes[i] - spot) > 0.05 * spot:
            break
        pair = quotes.get(ids[i]), quotes.get(ids[m + i])
        if pair[0] is None or pair[1] is None:
            continue
        sides = [(q.bid_price.as_double(), q.ask_price.as_double()) for q in pair]
        if all(0 < bid < ask for bid, ask in sides):
            (cb, ca), (pb, pa) = sides
            found.append((strikes[i] / UNITS + (cb + ca) / 2 - (pb + pa) / 2, 1.0 / (ca - cb + pa - pb)))
    found.sort()
    half, below = math.fsum(weight for _, weight in found) / 2, 0.0
    for i, (level, weight) in enumerate(found):
        below += weight
        share = float(f"{below / half:.9e}")
        if share == 1 and i + 1 < len(found):
            return (level + found[i + 1][0]) / 2
        if share >= 1:
            return level
    return math.nan


def theirs(m: int, middles: list[float], forward: float, strikes: list[int], years: float) -> list[float]:
    """By nautilus' own compiled function, option by option: Black-Scholes without carry on the forward is Black-76."""
    deltas = []
    for i, middle in enumerate(middles):
        is_call, strike = i < m, strikes[i % m] / UNITS
        least = max(0.0, forward - strike if is_call else strike - forward)
        # What has no volatility ends the whole process there (a panic in Rust): it is not asked.
        if least < middle < (forward if is_call else strike):
            delta = imply_vol_and_greeks(forward, 0.0, 0.0, is_call, strike, years, middle, 1.0).delta
        else:
            delta = math.nan
        if is_call:
            deltas.append(delta)
    return deltas


def ours(path: str) -> Any:
    """By our kernel over the whole chain at once: the fastest that a user of nautilus could be given."""
    spec = importlib.util.spec_from_file_location("_pricing", path)
    assert spec is not None
    assert spec.loader is not None
    kernel = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kernel)

    def greeks(m: int, middles: list[float], forward: float, strikes: list[int], years: float) -> list[float]:
        n = 2 * m
        of = (array("B", [1] * m + [0] * m), array("d", [forward]) * n, array("d", [k / UNITS for k in strikes] * 2))
        options = (*of, array("d", [years]) * n)
        sigmas, faults, out = array("d", bytes(8 * n)), bytearray(n), array("d", bytes(48 * n))
        kernel.implied_volatilities(options, array("d", middles), sigmas, faults)
        kernel.values_of(options, sigmas, out)
        return out[n : n + m].tolist()

    return greeks


class Day:
    """A day of the catalogue: its contracts, and its quotes as nautilus takes them."""

    def __init__(self, file: Path, terms: dict[str, Any], known: dict[Contract, OptionContract]) -> None:
        self.day = datetime.date.fromisoformat(file.stem)
        self.opens, self.closes, lots, tick = terms["opens"], terms["closes"], terms["lots"], terms["tick"]
        self.ends = {datetime.date.fromisoformat(day): at for day, at in terms["ends"].items()}
        names = ("at", "expiry", "strike", "kind", "spot", "bid", "ask", "bid_size", "ask_size")
        table = pq.read_table(file, columns=list(names), read_dictionary=["kind"])
        columns = {name: table.column(name).to_pylist() for name in names}
        self.rows = table.num_rows
        self.spots = dict(zip(columns["at"], columns["spot"], strict=True))
        one = table.filter(pc.equal(table["at"], columns["at"][0]))
        keys = list(zip(*(one.column(name).to_pylist() for name in ("expiry", "strike", "kind")), strict=True))
        self.instruments = {key: known.get(key) or option(key, lots[str(key[0])], tick) for key in keys}
        ids = {key: of.id for key, of in self.instruments.items()}
        self.last_id = ids[keys[-1]]
        self.chains = {e: chain(e, ids) for e in sorted({key[0] for key in keys})}
        self.quotes = quotes(columns, ids)


def option(key: Contract, lot: int, tick: int) -> OptionContract:
    expiry, strike, kind = key
    name = f"NIFTY-{expiry:%Y%m%d}-{strike // UNITS}{kind}"
    ends = int(datetime.datetime(expiry.year, expiry.month, expiry.day, 23, 59, tzinfo=datetime.UTC).timestamp())
    return OptionContract(
        InstrumentId(Symbol(name), NSE), Symbol(name), AssetClass.INDEX, INR, 2, Price(tick / UNITS, 2),
        Quantity.from_int(1), Quantity.from_int(lot), "NIFTY", OptionKind.CALL if kind == "CE" else OptionKind.PUT,
        Price(strike / UNITS, 2), 0, ends * 10**9, 0, 0, Decimal(0), Decimal(0), Decimal(0), Decimal(0),
    )  # fmt: skip


def chain(expiry: datetime.date, ids: dict[Contract, InstrumentId]) -> tuple[list[int], list[InstrumentId]]:
    strikes = sorted({key[1] for key in ids if key[0] == expiry})
    return strikes, [ids[expiry, strike, kind] for kind in ("CE", "PE") for strike in strikes]


def quotes(columns: dict[str, list[Any]], ids: dict[Contract, InstrumentId]) -> list[QuoteTick]:
    """By nautilus' quickest maker of quotes, from whole numbers at its fixed precision."""
    scale, whole = round(Price(1, 0).raw / UNITS), Quantity.from_int(1).raw
    rows = zip(
        *(columns[n] for n in ("at", "expiry", "strike", "kind", "bid", "ask", "bid_size", "ask_size")), strict=True
    )
    return [
        QuoteTick.from_raw(ids[e, k, kind], bid * scale, ask * scale, 2, 2, bs * whole, asz * whole, 0, 0, at, at)
        for at, e, k, kind, bid, ask, bs, asz in rows
    ]


def settled(strategy: ChainStrategy, market: Day, close: int) -> list[tuple[str, str, int, int]]:
    """What of the spread ends tonight: its worth at the official close (price), as our settlement has it, and units."""
    held, day = strategy.held, str(market.day)
    if held is None or held.expiry != market.day:
        return []
    strategy.held, found = None, []
    for strike, sign in ((held.wing, 1), (held.short, -1)):
        of = market.instruments[held.expiry, strike, "CE"]
        found.append((day, of.id.symbol.value, max(0, close - strike), sign * int(of.lot_size)))
    return found


def main() -> None:
    asked = json.loads(sys.argv[1])
    config = BacktestEngineConfig(
        trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True), run_analysis=False,
    )  # fmt: skip
    engine = BacktestEngine(config)
    engine.add_venue(NSE, OmsType.NETTING, AccountType.MARGIN, [Money(10_000_000, INR)], base_currency=INR)
    strategy = ChainStrategy(ours(asked["kernel"]) if asked["kernel"] else theirs)
    known: dict[Contract, OptionContract] = {}
    ended: list[tuple[str, str, int, int]] = []
    rows, run_s, whole_s = 0, 0.0, time.process_time()
    for name, terms in asked["days"].items():
        market = Day(Path(asked["folder"]) / f"{name}.parquet", terms, known)
        news = {key: of for key, of in market.instruments.items() if key not in known}
        known |= news
        for instrument in news.values():
            engine.add_instrument(instrument)
        if rows:
            strategy.begin(market, news.values())
        else:
            strategy.market = market
            engine.add_strategy(strategy)
        engine.add_data(market.quotes, sort=False)
        began = time.process_time()
        engine.run(streaming=True)
        run_s += time.process_time() - began
        engine.clear_data()
        rows += market.rows
        ended += settled(strategy, market, terms["close"])
        market.quotes.clear()
    whole_s = time.process_time() - whole_s
    print(json.dumps({
        "rows": rows, "run_s": run_s, "whole_s": whole_s, "instants": strategy.instants, "fills": strategy.fills,
        "ended": ended,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }))  # fmt: skip


if __name__ == "__main__":
    main()
