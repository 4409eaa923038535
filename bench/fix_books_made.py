"""The session of bench/fix_books.py: books of 20 levels a side, whole (35=W), and then as they change (35=X)."""

import random

SYMBOLS = [f"NIFTY-20261229-{strike}CE" for strike in range(23_000, 25_000, 100)]
LEVELS, SPAN, FEWEST = 20, 30, 4  # levels a side that are shown; how far from the middle they change; never fewer
REQUEST = "1"
Session = tuple[list[bytes], list[bytes]]  # 35=W, and then 35=X


def framed(body: str) -> bytes:
    text = body.replace("|", "\x01").encode()
    front = b"8=FIX.4.4\x019=%d\x01%b" % (len(text), text)
    return front + b"10=%03d\x01" % (sum(front) & 255)


class Venue:
    """Books of 20 levels a side that change: a full side loses its worst level first, and no side meets the other."""

    def __init__(self, seed: int = 7) -> None:
        self.chance, self.seq = random.Random(seed), 0
        self.middles = {symbol: self.chance.randrange(2_000, 6_000) for symbol in SYMBOLS}  # in ticks of 5 paise
        self.sides: dict[str, tuple[dict[int, int], dict[int, int]]] = {symbol: ({}, {}) for symbol in SYMBOLS}

    def message(self, kind: str, fields: str, entries: list[str]) -> bytes:
        self.seq += 1
        clock = f"{4 + self.seq // 3_600_000:02d}:{self.seq // 60_000 % 60:02d}:{self.seq // 1000 % 60:02d}"
        millis = f"{clock}.{self.seq % 1000:03d}"
        head = f"35={kind}|34={self.seq}|49=VENUE|52=20261130-{millis}|56=DESK|262={REQUEST}|{fields}"
        first, *rest = entries
        stamped = [first + f"272=20261130|273={millis}|", *rest]  # the others have the time of the one before
        return framed(f"{head}268={len(entries)}|{''.join(stamped)}")

    def level(self, symbol: str, side: int, at: int) -> str:
        size, orders = 75 * self.chance.randrange(1, 90), self.chance.randrange(1, 40)
        self.sides[symbol][side][at] = size
        return f"270={at // 20}.{at % 20 * 5:02d}|271={size}|346={orders}|"

    def snapshot(self, symbol: str) -> bytes:
        middle = self.middles[symbol]
        entries = [
            f"269={side}|" + self.level(symbol, side, middle + (1 + n) * (2 * side - 1))
            for n in range(LEVELS) for side in (0, 1)
        ]  # fmt: skip
        return self.message("W", f"55={symbol}|", entries)

    def increment(self) -> bytes:
        """6 to 10 entries of two to four instruments, those of one together."""
        count, several = self.chance.randrange(6, 11), self.chance.sample(SYMBOLS, self.chance.randrange(2, 5))
        named = sorted([*several, *self.chance.choices(several, k=count - len(several))])
        return self.message("X", "", [self.change(symbol) for symbol in named])

    def change(self, symbol: str) -> str:
        side = self.chance.randrange(2)
        away = 2 * side - 1
        if self.middles[symbol] - away not in self.sides[symbol][1 - side] and self.chance.random() < 1 / 8:
            self.middles[symbol] -= away  # towards the other side, whose best level stands further off
        book = self.sides[symbol][side]
        near = min(self.chance.randrange(SPAN), self.chance.randrange(SPAN))  # the near levels change most
        at = self.middles[symbol] + (1 + near) * away
        if at not in book and len(book) == LEVELS:
            at = max(book, key=lambda price: price * away)
        if at in book and len(book) > FEWEST and (len(book) == LEVELS or self.chance.random() < 1 / 3):
            del book[at]
            return f"279=2|269={side}|55={symbol}|270={at // 20}.{at % 20 * 5:02d}|"
        return f"279={int(at in book)}|269={side}|55={symbol}|" + self.level(symbol, side, at)


def made(count: int) -> tuple[list[bytes], list[bytes]]:
    """The 35=W of all instruments, and so many 35=X."""
    venue = Venue()
    return [venue.snapshot(symbol) for symbol in SYMBOLS], [venue.increment() for _ in range(count)]
