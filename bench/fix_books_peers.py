"""What bench/fix_books.py runs in the environment of QuickFIX and nautilus_trader: prints one line of JSON.

All ways take the same session in turn, round after round: a 35=W an instrument, then 35=X; each verifies the message,
folds it into books, and hands on the top of every instrument that has changed.
"""

import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import quickfix
from nautilus_trader.model.book import OrderBook
from nautilus_trader.model.data import BookOrder, OrderBookDelta
from nautilus_trader.model.enums import BookAction, BookType, OrderSide
from nautilus_trader.model.identifiers import InstrumentId
from nautilus_trader.model.objects import Price, Quantity

from bench.fix_books_made import LEVELS, REQUEST, SYMBOLS, Session, made
from participant.core import ladder_plain
from participant.wire.fix import _books, books_plain
from participant.wire.fix.time import nanoseconds

SIDES = {"0": OrderSide.BUY, "1": OrderSide.SELL}
ACTIONS = {"0": BookAction.ADD, "1": BookAction.UPDATE, "2": BookAction.DELETE}
NO_SIZE = Quantity(0, 0)
SHARE_S = 0.2
Top = tuple[str, int, int, int, int, int]  # of an instrument: bid, its size, ask, its size, time (ns UTC)


class Ours:
    """The books of a kernel: the compiled one, or its twin."""

    def __init__(self, kernel: Any) -> None:
        self.books = kernel.Books(LEVELS)
        self.books.ask(REQUEST)
        self.fold, self.changed, self.stand = self.books.fold, self.books.changed, self.books.stand

    def whole(self, raw: bytes) -> None:
        self.fold(raw, 0)

    def change(self, raw: bytes) -> Any:
        self.fold(raw, 0)
        return self.changed()

    def tops(self, said: Any) -> list[Top]:
        return [(one.contract, one.bid, one.bid_size, one.ask, one.ask_size, one.exchange_at) for one in said]

    def levels(self, symbol: str) -> list[list[tuple[int, int]]]:
        ladder = self.books.ladder(symbol)
        return [[(price, size) for price, size, _ in ladder.levels(side, LEVELS)] for side in (0, 1)]

    def is_refused(self, raw: bytes) -> bool:
        return self.fold(raw, 0) == 0


class Theirs:
    """QuickFIX reads and nautilus_trader's books keep: what can be made before the first message comes is made then."""

    def __init__(self) -> None:
        self.rules = quickfix.DataDictionary(str(Path(sys.prefix, "share", "quickfix", "FIX44.xml")))
        self.groups = {"W": quickfix.Group(268, 269), "X": quickfix.Group(268, 279)}
        ids = {symbol: InstrumentId.from_str(f"{symbol}.VENUE") for symbol in SYMBOLS}
        self.books = {symbol: OrderBook(one, BookType.L2_MBP) for symbol, one in ids.items()}
        self.known = {symbol: (ids[symbol], book.apply_delta) for symbol, book in self.books.items()}
        self.best = {
            symbol: (book.best_bid_price, book.best_bid_size, book.best_ask_price, book.best_ask_size)
            for symbol, book in self.books.items()
        }

    def whole(self, raw: bytes) -> None:
        message, group, at = quickfix.Message(raw.decode(), self.rules, True), self.groups["W"], 0
        symbol, read = message.getField(55), group.getField
        named, apply = self.known[symbol]
        for n in range(1, int(message.getField(268)) + 1):
            message.getGroup(n, group)
            if n == 1:
                at = nanoseconds(f"{read(272)}-{read(273)}")
                self.books[symbol].clear(at)
            level = BookOrder(SIDES[read(269)], Price(float(read(270)), 2), Quantity(int(read(271)), 0), 0)
            apply(OrderBookDelta(named, BookAction.ADD, level, 0, 0, at, at))

    def stand(self) -> Any:
        return [(symbol, *[read() for read in best]) for symbol, best in self.best.items()]

    def change(self, raw: bytes) -> Any:
        message, group, at = quickfix.Message(raw.decode(), self.rules, True), self.groups["X"], 0
        read, known = group.getField, self.known
        changed = {}
        for n in range(1, int(message.getField(268)) + 1):
            message.getGroup(n, group)
            if n == 1:
                at = nanoseconds(f"{read(272)}-{read(273)}")
            action, symbol = ACTIONS[read(279)], read(55)
            named, apply = known[symbol]
            size = NO_SIZE if action is BookAction.DELETE else Quantity(int(read(271)), 0)
            level = BookOrder(SIDES[read(269)], Price(float(read(270)), 2), size, 0)
            apply(OrderBookDelta(named, action, level, 0, 0, at, at))
            changed[symbol] = self.best[symbol]
        return [
            (symbol, bid(), bid_size(), ask(), ask_size()) for symbol, (bid, bid_size, ask, ask_size) in changed.items()
        ]

    def tops(self, said: Any) -> list[Top]:
        return [
            (symbol, in_units(bid), int(bid_size), in_units(ask), int(ask_size), self.books[symbol].ts_last)
            for symbol, bid, bid_size, ask, ask_size in said
        ]

    def levels(self, symbol: str) -> list[list[tuple[int, int]]]:
        sides = self.books[symbol].bids(), self.books[symbol].asks()
        return [[(in_units(one.price), round(one.size())) for one in side] for side in sides]

    def is_refused(self, raw: bytes) -> bool:
        try:
            quickfix.Message(raw.decode(), self.rules, True)
        except quickfix.InvalidMessage:
            return True
        return False


def in_units(price: Price) -> int:
    return round(float(price) * 10_000)


Way = Ours | Theirs


def told(way: Way, session: Session) -> tuple[list[list[Top]], list[Any]]:
    """The tops after each message, and the levels at last."""
    snapshots, increments = session
    for raw in snapshots:
        way.whole(raw)
    tops = [way.tops(way.stand()), *[way.tops(way.change(raw)) for raw in increments]]
    return tops, [way.levels(symbol) for symbol in SYMBOLS]


def is_equal(ways: list[Way], session: Session) -> bool:
    """Whether all have the same tops after each message and the same levels at last, and refuse what is damaged."""
    last = session[1][-1]
    damaged = [last[:-8] + b"9" + last[-7:], last.replace(b"\x0135=", b"\x0134=0\x0135=", 1)]  # a byte; BodyLength
    damaged[1] = damaged[1][:-7] + b"10=%03d\x01" % (sum(damaged[1][:-7]) & 255)
    first, *others = [told(way, session) for way in ways]
    is_sound = all(
        0 < bid < ask and bid_size and ask_size for tops in first[0] for _, bid, bid_size, ask, ask_size, _ in tops
    )
    return (
        is_sound and all(one == first for one in others) and all(way.is_refused(raw) for way in ways for raw in damaged)
    )


def played(way: Way, session: Session) -> float:
    """Seconds of this process: others work on the same cores."""
    snapshots, increments = session
    whole, change = way.whole, way.change
    began = time.process_time()
    for raw in snapshots:
        whole(raw)
    way.stand()
    for raw in increments:
        change(raw)
    return time.process_time() - began


def timed(ways: dict[str, Callable[[], Way]], session: Session, rounds: int) -> dict[str, list[float]]:
    """Microseconds a message. In a round each way plays the session anew until it has had its share of the time."""
    messages = sum(map(len, session))
    spent: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds + 1):
        for name, new in ways.items():
            times = [played(new(), session)]
            while sum(times) < SHARE_S:
                times.append(played(new(), session))
            spent[name].append(sum(times) / len(times) / messages * 1e6)
    return {name: times[1:] for name, times in spent.items()}


def main() -> None:
    asked = json.loads(sys.argv[1])
    session = made(asked["messages"])
    books_plain.Ladder = ladder_plain.Ladder  # the twin without any compiled part
    peers = f"QuickFIX {version('quickfix')} + nautilus_trader {version('nautilus_trader')}"
    ways: dict[str, Callable[[], Way]] = {
        "ours": lambda: Ours(_books),
        "our twin": lambda: Ours(books_plain),
        peers: Theirs,
    }
    sizes = [len(raw) for part in session for raw in part]
    result = {
        "is_compiled": _books.IS_COMPILED,
        "python": sys.version.split()[0],
        "messages": len(sizes),
        "bytes": sum(sizes),
        "is_equal": is_equal([new() for new in ways.values()], session),
    }
    print(json.dumps(result | {"us": timed(ways, session, asked["rounds"])}))


if __name__ == "__main__":
    main()
