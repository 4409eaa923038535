"""What order safety costs: decision to wire, and orders a second through the full protocol, every commit synced.

    python -m bench.safety [--orders N] [--rounds N]

The gateway is the real one on a real SQLite file with `synchronous=FULL`, its log chained; the broker answers from
memory at once, so what is measured is ours alone. Limits of rate and conduct are lifted. docs/speed.md has the figures.
"""

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.decision_age import share
from participant.adapters.clocks.system import SystemClock
from participant.adapters.stores.sqlite import SqliteStore
from participant.core.limits import Limits
from participant.core.market import SECOND
from participant.core.order import OrderStatus
from participant.core.scrip import Side
from participant.links.journal import JournalStore
from participant.stages.execute import Gateway
from tests.stages.floor import DAY, Floor, future

LIFTED = Limits(
    duplicate_s=0.0,
    entries_max=10**6,
    reversals_max=10**6,
    orders_day_max=10**6,
    messages_second_max=10**4,
    messages_minute_max=10**4,
    messages_day_max=10**6,
)


def floor_on_disk(folder: Path) -> Floor:
    """A trading floor whose books are a synced SQLite file with its chained log."""
    store = JournalStore(SqliteStore(folder / "books.sqlite", is_durable=True), "gateway", str(DAY), SystemClock())
    floor = Floor(store)  # type: ignore[arg-type]  # any Store will do
    floor.reprice(future(), bid_size=10**6 * 65, ask_size=10**6 * 65)
    return floor


def gateway_of(floor: Floor) -> Gateway:
    """A gateway that is past its start, when it takes the last minute for full of messages."""
    gateway = floor.gateway(limits=LIFTED)
    floor.steady.advance(120 * SECOND)
    return gateway


def decide(floor: Floor, number: int) -> None:
    """One lot of the future bought, the next time sold again."""
    floor.clock.advance(1)
    side = Side.BUY if number % 2 == 0 else Side.SELL
    floor.decide(floor.leg(future(), side, margin=1_000))


def one_by_one(folder: Path, orders: int) -> list[float]:
    """Seconds from a committed decision to its order at the broker, each decision alone."""
    floor, ages, at = floor_on_disk(folder), list[float](), [0.0]
    floor.exchange.before_place = lambda _: at.__setitem__(0, time.perf_counter())
    gateway = gateway_of(floor)
    for number in range(orders):
        decide(floor, number)
        began = time.perf_counter()
        gateway.step(0.0)
        ages.append(at[0] - began)
    _check(floor, orders)
    return ages


def all_at_once(folder: Path, orders: int) -> float:
    """Orders a second where all of the decisions wait when the gateway begins."""
    floor = floor_on_disk(folder)
    for number in range(orders):
        decide(floor, number)
    gateway = gateway_of(floor)
    began = time.perf_counter()
    gateway.step(0.0)
    took = time.perf_counter() - began
    _check(floor, orders)
    return orders / took


def _check(floor: Floor, orders: int) -> None:
    states = floor.statuses()
    if len(states) != orders or set(states) != {OrderStatus.FILLED}:
        why = sorted({o.reason for o in floor.orders() if o.reason})
        raise SystemExit(f"not all {orders} orders were filled: {why}")


def main(words: Sequence[str] | None = None) -> None:
    """Measure and say so."""
    parser = argparse.ArgumentParser(prog="python -m bench.safety")
    parser.add_argument("--orders", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(words)
    for number in range(args.rounds):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as all_:
            ages, rate = one_by_one(Path(one), args.orders), all_at_once(Path(all_), args.orders)
        p50, p99 = (1000 * share(ages, part) for part in (0.5, 0.99))
        print(f"round {number}: decision to wire p50 {p50:.2f} ms, p99 {p99:.2f} ms; {rate:.0f} orders a second")


if __name__ == "__main__":
    main()
