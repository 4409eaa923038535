"""The made events of bench/replay.py: depth and trades of one contract, and quotes of another."""

import random
from array import array

TICK, MIDDLE, LOT, LEVELS = 500, 2_500_000 // 500, 75, 10  # prices in 1/10,000; levels in ticks
MS = 1_000_000
NEW, CHANGE, DELETE, CLEAR, TRADE = 0, 1, 2, 3, 5
START = 1_700_000_000_000_000_000
Columns = list[array]


class Market:
    """Ten levels a side about a middle that trades move. Each row has an instant of its own; no state crosses."""

    def __init__(self, seed: int) -> None:
        self.chance, self.at, self.heard = random.Random(seed), START, START
        self.books: list[dict[int, int]] = [{}, {}]
        self.rows: list[tuple[int, int, int, int, int, int]] = [(START, START, CLEAR, 0, 0, 0)]
        for side in (0, 1):
            for far in range(LEVELS):
                self.set(side, self.level(side, MIDDLE + side, far), self.size())

    def size(self) -> int:
        return LOT * self.chance.randint(1, 40)

    @staticmethod
    def level(side: int, best: int, far: int) -> int:
        return best - far if side == 0 else best + far

    def best(self, side: int) -> int:
        return max(self.books[0]) if side == 0 else min(self.books[1])

    def say(self, kind: int, side: int, level: int, size: int) -> None:
        self.at += self.chance.randint(MS // 5, 2 * MS)
        self.heard = max(self.heard + 1, self.at + MS + self.chance.randint(0, MS // 5))
        self.rows.append((self.at, self.heard, kind, side, level * TICK, size))

    def set(self, side: int, level: int, size: int) -> None:
        book = self.books[side]
        if size:
            self.say(CHANGE if level in book else NEW, side, level, size)
            book[level] = size
        else:
            self.say(DELETE, side, level, 0)
            del book[level]

    def trade(self, side: int) -> None:
        """A trade against the best of a side; what is used up is refilled behind, and the other side follows."""
        best = self.best(side)
        there = self.books[side][best]
        size = min(there, self.size()) if self.chance.random() < 0.7 else there
        self.say(TRADE, side, best, size)
        self.set(side, best, there - size)
        if size == there:
            self.set(side, self.level(side, self.best(side), LEVELS - 1), self.size())
            self.set(1 - side, self.level(1 - side, self.best(side), 1), self.size())
            far = [at for at in self.books[1 - side] if abs(at - self.best(1 - side)) >= LEVELS]
            for at in far:
                self.set(1 - side, at, 0)

    def step(self) -> None:
        side, draw = self.chance.randrange(2), self.chance.random()
        if draw < 0.08:
            self.trade(side)
            return
        far = min(int(self.chance.expovariate(0.4)), LEVELS - 1)
        level = self.level(side, self.best(side), far)
        if draw < 0.2 and level in self.books[side] and far:
            self.set(side, level, 0)
        else:
            self.set(side, level, self.size())


def columns_of(rows: list[tuple[int, ...]]) -> Columns:
    """Exchange and received times (ns), kinds, sides, prices, sizes."""
    return [array(code, [row[i] for row in rows]) for i, code in enumerate("qqbbqq")]


def depth(count: int, seed: int = 5) -> Columns:
    market = Market(seed)
    while len(market.rows) < count:
        market.step()
    return columns_of(market.rows[:count])


def quotes(count: int, seed: int = 6) -> list[tuple[int, int, int, int, int]]:
    """At (ns), bid, ask, their sizes: one a millisecond exactly, received at once."""
    chance, bid, found = random.Random(seed), MIDDLE, []
    for i in range(count):
        bid = max(bid + chance.choice((-1, 0, 0, 1)), 1_000)
        ask = bid + chance.choice((1, 1, 1, 2))
        found.append((START + i * MS, bid * TICK, ask * TICK, LOT * chance.randint(4, 40), LOT * chance.randint(4, 40)))
    return found


def rows_of_quotes(given: list[tuple[int, int, int, int, int]]) -> Columns:
    """The same as rows: a quote's new levels, behind the end of those that it replaces."""
    rows: list[tuple[int, ...]] = [(START, START, CLEAR, 0, 0, 0)]
    held = [0, 0]
    for at, *quote in given:
        gone = [side for side in (0, 1) if held[side] and held[side] != quote[side]]
        rows.extend((at, at, DELETE, side, held[side], 0) for side in gone)
        for side in (0, 1):
            rows.append((at, at, CHANGE if held[side] == quote[side] else NEW, side, quote[side], quote[2 + side]))
            held[side] = quote[side]
    return columns_of(rows)
