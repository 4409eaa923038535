# cython: language_level=3, cdivision=True
"""The strategies of bench/replay.py in one source: in Python as it stands, and compiled by Cython against `_tape.pxd`.

`Maker` quotes one lot at the best bid and one at the best ask, cancels what no longer stands there, keeps within five
lots, and takes a lot with the larger side now and then. `Crossing` follows two averages of the middle, by the touch.
"""

import cython
from cython import double, longlong
from cython.cimports.participant.core._tape import Strategy, Tape

LOT = cython.declare(longlong, 75)
FAR = cython.declare(longlong, 1 << 39)


@cython.cclass
class Maker(Strategy):
    wakes: longlong
    numbers: longlong[2]
    prices: longlong[2]

    @cython.cfunc
    @cython.exceptval(-1)
    def wake(self, tape: Tape) -> cython.int:
        bids: cython.Py_ssize_t = tape.ladder.halves[0].count
        asks: cython.Py_ssize_t = tape.ladder.halves[1].count
        if not bids or not asks:
            return 0
        bid: longlong = tape.ladder.halves[0].keys[bids - 1]
        ask: longlong = -tape.ladder.halves[1].keys[asks - 1]
        self.wakes += 1
        self.quote(tape, 0, bid)
        self.quote(tape, 1, ask)
        side: cython.int = 0 if tape.ladder.halves[0].sizes[bids - 1] > tape.ladder.halves[1].sizes[asks - 1] else 1
        if self.wakes % 64 == 0 and (1 - 2 * side) * tape.position < 5 * LOT:
            tape.submit(side, bid if side else ask, LOT, True)
        return 0

    @cython.cfunc
    @cython.exceptval(-1)
    def quote(self, tape: Tape, side: cython.int, best: longlong) -> cython.int:
        is_wanted: cython.bint = (1 - 2 * side) * tape.position < 5 * LOT
        if self.numbers[side] and not tape.left(self.numbers[side]):
            self.numbers[side] = 0
        if self.numbers[side]:
            if self.prices[side] != best or not is_wanted:
                tape.cancel(self.numbers[side])
        elif is_wanted:
            self.numbers[side] = tape.submit(side, best, LOT)
            self.prices[side] = best
        return 0


@cython.cclass
class Crossing(Strategy):
    fast: double
    slow: double
    held: cython.int

    def __cinit__(self):
        self.fast = self.slow = 0.0

    @cython.cfunc
    @cython.exceptval(-1)
    def wake(self, tape: Tape) -> cython.int:
        bids: cython.Py_ssize_t = tape.ladder.halves[0].count
        asks: cython.Py_ssize_t = tape.ladder.halves[1].count
        if not bids or not asks:
            return 0
        middle: double = (tape.ladder.halves[0].keys[bids - 1] - tape.ladder.halves[1].keys[asks - 1]) / 20_000.0
        if not self.slow:
            self.fast = self.slow = middle
        self.fast += 0.02 * (middle - self.fast)
        self.slow += 0.005 * (middle - self.slow)
        wanted: cython.int = 1 if self.fast > self.slow else -1
        if wanted != self.held:
            tape.submit(0 if wanted > 0 else 1, FAR if wanted > 0 else 1, LOT if not self.held else 2 * LOT, True)
            self.held = wanted
        return 0
