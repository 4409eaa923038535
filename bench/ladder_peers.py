"""What bench/ladder.py runs in the environment of nautilus_trader: prints one line of JSON.

All ways take the same updates in turn, round after round. The top of the book is read after every update, but in batch.
"""

import json
import random
import sys
import time
from array import array
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, OrderBookDelta, OrderBookDeltas
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity
from sortedcontainers import SortedDict

from participant.core import _ladder, ladder_plain

NAME = InstrumentId.from_str("NIFTY.NSE")
SPAN, TICK, FROM = 30, 500, 2_500_000  # levels a side that move; prices in 1/10,000
Update = tuple[int, int, int, int]


def made(count: int, seed: int = 7) -> list[Update]:
    """Updates of both sides within 30 levels of a middle that wanders; a third of those of a standing level end it."""
    chance, middle, books, updates = random.Random(seed), FROM // TICK, ({}, {}), []
    while len(updates) < count:
        middle += chance.choice((-1, 0, 0, 0, 0, 0, 0, 0, 0, 1))
        side = chance.randrange(2)
        level = middle - chance.randrange(SPAN) if side == 0 else middle + 1 + chance.randrange(SPAN)
        book, opposite = books[side], books[1 - side]
        crossed = [at for at in opposite if (at <= level if side == 0 else at >= level)]
        for at in crossed:  # what a wandering middle leaves behind goes first
            del opposite[at]
            updates.append((1 - side, 2, at * TICK, 0))
        if level in book and chance.random() < 1 / 3:
            del book[level]
            updates.append((side, 2, level * TICK, 0))
            continue
        updates.append((side, int(level in book), level * TICK, 75 * chance.randrange(1, 40)))
        book[level] = updates[-1][3]
    return updates[:count]


def delta(update: Update, at: int) -> OrderBookDelta:
    side, action, price, size = update
    what = (BookAction.ADD, BookAction.UPDATE, BookAction.DELETE)[action]
    order = BookOrder(
        OrderSide.BUY if side == 0 else OrderSide.SELL, Price(price / 10_000, 2), Quantity(size, 0), price
    )
    return OrderBookDelta(NAME, what, order, 0, at, at, at)


class SortedBook:
    """What one writes without a library for books."""

    def __init__(self) -> None:
        self.sides = (SortedDict(), SortedDict())

    def apply(self, side: int, action: int, price: int, size: int) -> None:
        if action == 2:
            self.sides[side].pop(price, None)
        else:
            self.sides[side][price] = size

    def top(self) -> tuple[int, int, int, int]:
        bids, asks = self.sides
        bid, ask = bids.peekitem(-1) if bids else (0, 0), asks.peekitem(0) if asks else (0, 0)
        return (*bid, *ask)


def new_ladder(kernel: Any) -> Any:
    ladder = kernel.Ladder()
    ladder.clear()
    return ladder


def ours(kernel: Any, updates: list[Update]) -> None:
    ladder = new_ladder(kernel)
    apply, top = ladder.apply, ladder.top
    for side, action, price, size in updates:
        apply(side, action, price, size)
        top()


def ours_in_batch(kernel: Any, columns: list[Any]) -> None:
    new_ladder(kernel).apply_columns(*columns)


def in_sorted_dicts(updates: list[Update]) -> None:
    book = SortedBook()
    for update in updates:
        book.apply(*update)
        book.top()


def new_book() -> OrderBook:
    return OrderBook(NAME, BookType.L2_MBP)


def nautilus(deltas: list[OrderBookDelta]) -> None:
    book = new_book()
    apply, bid, ask = book.apply_delta, book.best_bid_price, book.best_ask_price
    for one in deltas:
        apply(one)
        bid()
        ask()


def nautilus_from_numbers(updates: list[Update]) -> None:
    book = new_book()
    for at, update in enumerate(updates):
        book.apply_delta(delta(update, at))
        book.best_bid_price()
        book.best_ask_price()


def in_units(price: Price | None) -> int:
    return round(float(price) * 10_000) if price else 0


def is_equal(updates: list[Update], deltas: list[OrderBookDelta]) -> bool:
    """Whether all books have the same best prices after every update and the same levels at last."""
    compiled, twin, peer, plain = new_ladder(_ladder), new_ladder(ladder_plain), new_book(), SortedBook()
    for update, one in zip(updates, deltas, strict=True):
        for book in (compiled, twin, plain):
            book.apply(*update)
        peer.apply_delta(one)
        top = compiled.top()
        best = (in_units(peer.best_bid_price()), in_units(peer.best_ask_price()))
        if not top == twin.top() == plain.top() or best != (top[0], top[2]):
            return False
    levels = [[(price, size) for price, size, _ in compiled.levels(side, 4096)] for side in (0, 1)]
    theirs = [[(in_units(one.price), round(one.size())) for one in side] for side in (peer.bids(), peer.asks())]
    return levels == theirs


def timed(ways: dict[str, Callable[[], None]], updates: int, rounds: int) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, way in ways.items():
            began = time.perf_counter()
            way()
            spent[name].append((time.perf_counter() - began) / updates * 1e9)
    return {name: times[1:] for name, times in spent.items()}


def main() -> None:
    asked = json.loads(sys.argv[1])
    updates = made(asked["updates"])
    deltas = [delta(update, at) for at, update in enumerate(updates)]
    whole = OrderBookDeltas(NAME, deltas)
    columns = [array(code, [update[i] for update in updates]) for i, code in enumerate("bbqq")]
    ways = {
        "ours, compiled": lambda: ours(_ladder, updates),
        "nautilus, apply_delta and top": lambda: nautilus(deltas),
        "ours, compiled: columns": lambda: ours_in_batch(_ladder, columns),
        "nautilus, apply_deltas of all": lambda: new_book().apply_deltas(whole),
        "ours, plain twin": lambda: ours(ladder_plain, updates),
        "nautilus, from numbers": lambda: nautilus_from_numbers(updates),
        "SortedDict": lambda: in_sorted_dicts(updates),
    }
    result = {"version": version("nautilus_trader"), "updates": len(updates), "is_equal": is_equal(updates, deltas)}
    print(json.dumps(result | {"ns": timed(ways, len(updates), asked["rounds"])}))


if __name__ == "__main__":
    main()
