"""What bench/replay.py runs in the environment of the peers: prints one line of JSON.

Two tasks, each of all candidates in turn, round after round; seconds are of the processor, as others use the machine,
too. `queue`: depth and trades with delayed views, latency of orders both ways and queues, beside hftbacktest. `touch`:
quotes and orders at the touch with latency, beside nautilus.
"""

import json
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from itertools import pairwise
from typing import Any

import compiled_strategies
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel, LatencyModel
from nautilus_trader.config import LoggingConfig
from nautilus_trader.model.currencies import INR
from nautilus_trader.model.data import QuoteTick
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import Equity
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy

from bench import replay_made as made
from bench.replay_hft import BACK_NS, EVERY_NS, OUT_NS, Found, events_of, hftbacktest
from bench.replay_made import LOT, MS
from participant.core import _tape, tape_plain
from participant.core.tape_terms import Terms

QUEUE = Terms(OUT_NS, BACK_NS, EVERY_NS, is_capped=True, levels_max=100)
TOUCH = Terms(2 * MS, 2 * MS, wakes_on_feed=True, levels_max=10)
BATCH = 1 << 17  # rows played at a time, as from a file
FAR = 1 << 39


# --- ours -------------------------------------------------------------------------------------------------------------


class Maker:
    """`Maker` of replay_strategies in Python."""

    def __init__(self) -> None:
        self.wakes, self.numbers, self.prices = 0, [0, 0], [0, 0]

    def __call__(self, tape: Any) -> None:
        bid, bid_size, ask, ask_size = tape.ladder.top()
        if not bid or not ask:
            return
        self.wakes += 1
        for side, best in ((0, bid), (1, ask)):
            is_wanted = (1 - 2 * side) * tape.position < 5 * LOT
            if self.numbers[side] and not tape.left(self.numbers[side]):
                self.numbers[side] = 0
            if self.numbers[side]:
                if self.prices[side] != best or not is_wanted:
                    tape.cancel(self.numbers[side])
            elif is_wanted:
                self.numbers[side], self.prices[side] = tape.submit(side, best, LOT), best
        if self.wakes % 64 == 0:
            side = 0 if bid_size > ask_size else 1
            if (1 - 2 * side) * tape.position < 5 * LOT:
                tape.submit(side, ask if side == 0 else bid, LOT, True)


class Crossing:
    """`Crossing` of replay_strategies in Python."""

    def __init__(self) -> None:
        self.fast = self.slow = 0.0
        self.held = 0

    def middle(self, middle: float) -> int:
        """Which side to take, 0 for none."""
        if not self.slow:
            self.fast = self.slow = middle
        self.fast += 0.02 * (middle - self.fast)
        self.slow += 0.005 * (middle - self.slow)
        wanted = 1 if self.fast > self.slow else -1
        return 0 if wanted == self.held else wanted

    def __call__(self, tape: Any) -> None:
        bid, _, ask, _ = tape.ladder.top()
        if not bid or not ask:
            return
        wanted = self.middle((bid + ask) / 20_000.0)
        if wanted:
            quantity = 2 * LOT if self.held else LOT
            tape.submit(0 if wanted > 0 else 1, FAR if wanted > 0 else 1, quantity, True)
            self.held = wanted


def ours(kernel: Any, strategy: Callable[[], Any], terms: Terms, batches: Sequence[made.Columns]) -> Found:
    tape = kernel.Tape(strategy(), terms)
    fills, began = [], time.process_time()
    for batch in batches:
        tape.play(batch)
        fills.append(tape.take_fills())
    tape.finish()
    spent = time.process_time() - began
    fills = [fill for part in (*fills, tape.take_fills()) for fill in zip(*part, strict=True)]
    return {"s": spent, "fills": len(fills), "position": tape.position, "cash": tape.cash / 100, "list": fills}


def in_batches(columns: made.Columns) -> list[made.Columns]:
    return [[column[i : i + BATCH] for column in columns] for i in range(0, len(columns[0]), BATCH)]


# --- nautilus_trader --------------------------------------------------------------------------------------------------


class NautilusCrossing(Strategy):
    """`Crossing` again."""

    def __init__(self, instrument: Equity) -> None:
        super().__init__()
        self.instrument, self.rule, self.filled = instrument, Crossing(), []

    def on_start(self) -> None:
        self.subscribe_quote_ticks(self.instrument.id)

    def on_quote_tick(self, tick: QuoteTick) -> None:
        rule = self.rule
        wanted = rule.middle((tick.bid_price.as_double() + tick.ask_price.as_double()) / 2)
        if wanted:
            quantity = Quantity.from_int(2 * LOT if rule.held else LOT)
            side = OrderSide.BUY if wanted > 0 else OrderSide.SELL
            self.submit_order(self.order_factory.market(self.instrument.id, side, quantity))
            rule.held = wanted

    def on_order_filled(self, event: Any) -> None:
        sign = 1 if event.order_side == OrderSide.BUY else -1
        self.filled.append((sign * int(event.last_qty), event.last_px.as_double()))


def nautilus(ticks: list[QuoteTick], instrument: Equity) -> Found:
    config = BacktestEngineConfig(trader_id=TraderId("BENCH-001"), logging=LoggingConfig(bypass_logging=True),
                                  run_analysis=False)  # fmt: skip
    engine = BacktestEngine(config)
    engine.add_venue(
        venue=Venue("NSE"), oms_type=OmsType.NETTING, account_type=AccountType.MARGIN, base_currency=INR,
        starting_balances=[Money(1e12, INR)], latency_model=LatencyModel(TOUCH.out_ns), fill_model=FillModel(),
    )  # fmt: skip
    engine.add_instrument(instrument)
    strategy = NautilusCrossing(instrument)
    engine.add_strategy(strategy)
    engine.add_data(ticks)
    began = time.process_time()
    engine.run()
    spent = time.process_time() - began
    filled = strategy.filled
    engine.dispose()
    return {"s": spent, "fills": len(filled), "position": sum(units for units, _ in filled),
            "cash": -sum(units * price for units, price in filled)}  # fmt: skip


def instrument() -> Equity:
    return Equity(InstrumentId(Symbol("NIFTY"), Venue("NSE")), Symbol("NIFTY"), INR, 2, Price(0.05, 2),
                  Quantity.from_int(1), 0, 0)  # fmt: skip


def ticks_of(quotes: list[tuple[int, ...]], of: Equity) -> list[QuoteTick]:
    return [
        QuoteTick(of.id, Price(bid / 10_000, 2), Price(ask / 10_000, 2), Quantity(bid_size, 0), Quantity(ask_size, 0),
                  at, at)
        for at, bid, ask, bid_size, ask_size in quotes
    ]  # fmt: skip


# --- both -------------------------------------------------------------------------------------------------------------


def timed(ways: dict[str, tuple[int, Callable[[], Found]]], rounds: int) -> dict[str, Found]:
    """Of each candidate the seconds of every round but the first, and what came of it; `every` thins out slow ones."""
    found: dict[str, Found] = {name: {"s": []} for name in ways}
    for round_ in range(rounds + 1):
        for name, (every, way) in ways.items():
            if round_ % every and round_ != 1:
                continue
            result = way()
            spent = result.pop("s")
            found[name] |= result
            if round_:
                found[name]["s"].append(spent)
    return found


def queue(count: int, rounds: int) -> Found:
    columns = made.depth(count)
    batches, events = in_batches(columns), events_of(columns)
    ways = {
        "ours, compiled strategy": (1, lambda: ours(_tape, compiled_strategies.Maker, QUEUE, batches)),
        "hftbacktest, ROIVector": (1, lambda: hftbacktest(events, "ROIVectorMarketDepthBacktest")),
        "ours, strategy in Python": (1, lambda: ours(_tape, Maker, QUEUE, batches)),
        "hftbacktest, HashMap": (1, lambda: hftbacktest(events, "HashMapMarketDepthBacktest")),
        "ours, plain twin": (4, lambda: ours(tape_plain, Maker, QUEUE, batches)),
    }
    return {"rows": len(columns[0]), "ways": timed(ways, rounds)}


def touch(count: int, rounds: int) -> Found:
    quotes, one = made.quotes(count), instrument()
    batches, ticks = in_batches(made.rows_of_quotes(quotes)), ticks_of(quotes, one)
    ways = {
        "ours, compiled strategy": (1, lambda: ours(_tape, compiled_strategies.Crossing, TOUCH, batches)),
        "ours, strategy in Python": (1, lambda: ours(_tape, Crossing, TOUCH, batches)),
        "nautilus": (1, lambda: nautilus(ticks, one)),
        "ours, plain twin": (4, lambda: ours(tape_plain, Crossing, TOUCH, batches)),
    }
    return {"rows": len(quotes), "ways": timed(ways, rounds)}


def main() -> None:
    asked = json.loads(sys.argv[1])
    tasks = {"queue": queue(asked["rows"], asked["rounds"]), "touch": touch(asked["quotes"], asked["rounds"])}
    for task in tasks.values():
        lists = [way.pop("list") for way in task["ways"].values() if "list" in way]
        task["is_twin_equal"] = all(a == b for a, b in pairwise(lists))
    versions = {name: version(name) for name in ("nautilus_trader", "hftbacktest", "numba")}
    print(json.dumps({"versions": versions, "tasks": tasks}))


if __name__ == "__main__":
    main()
