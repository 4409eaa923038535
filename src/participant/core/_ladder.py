# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
# budget: one module, so that the compiler sees through a row: split, each costs calls
"""A ladder of price levels as a compiled kernel; `ladder_plain` is its twin. Import `ladder`, never this file.

`_ladder.pxd` declares what other kernels may call directly. A number beyond 64 bits raises OverflowError.
"""

import cython
from cython import Py_ssize_t, address, bint, cast, cfunc, inline, longlong, p_longlong, pointer
from cython.cimports.cpython.buffer import Py_buffer, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.mem import PyMem_Free, PyMem_Malloc
from cython.cimports.libc.string import memcpy

IS_COMPILED = bool(cython.compiled)

# The numbers of `ladder_plain`, as C has them.
PRICE_MAX = cython.declare(longlong, (1 << 52) - 1)
SIZE_MAX = cython.declare(longlong, (1 << 48) - 1)
LEVELS_MAX = cython.declare(longlong, 4096)
NOWHERE = cython.declare(longlong, -(1 << 62))
NEW = cython.declare(longlong, 0)
DELETE = cython.declare(longlong, 2)
CLEAR = cython.declare(longlong, 3)
GAP = cython.declare(longlong, 4)
TAKEN = cython.declare(cython.int, 0)
WAITING = cython.declare(cython.int, 1)
MISFIT = cython.declare(cython.int, 2)
BEYOND = cython.declare(cython.int, 3)
IMPOSSIBLE = cython.declare(cython.int, 4)
NEAR = cython.declare(Py_ssize_t, 32)  # levels from the top that are looked at eight by eight, without a guess


@cfunc
@inline
@cython.exceptval(check=False)
def _place(half: pointer(Half), key: longlong) -> Py_ssize_t:
    """How many keys are at or under this one: its level, if it is there, is the last of them."""
    keys: p_longlong = half.keys
    high: Py_ssize_t = half.count
    low: Py_ssize_t = 0
    while high >= 8 and high > half.count - NEAR:
        last: p_longlong = keys + high - 8
        above: Py_ssize_t = (last[0] > key) + (last[1] > key) + (last[2] > key) + (last[3] > key)
        above += (last[4] > key) + (last[5] > key) + (last[6] > key) + (last[7] > key)
        high -= above
        if above < 8:
            return high
    if high < 8:
        while high > 0 and keys[high - 1] > key:
            high -= 1
        return high
    while low < high:
        at: Py_ssize_t = (low + high) >> 1
        if keys[at] > key:
            high = at
        else:
            low = at + 1
    return low


@cfunc
@inline
@cython.exceptval(check=False)
def _open(half: pointer(Half), at: Py_ssize_t) -> cython.void:
    """Make room for a level behind `at` others. Few stand behind: most of what happens, happens near the top."""
    i: Py_ssize_t = half.count
    while i > at:
        half.keys[i] = half.keys[i - 1]
        half.sizes[i] = half.sizes[i - 1]
        half.orders[i] = half.orders[i - 1]
        i -= 1
    half.count += 1


@cfunc
@inline
@cython.exceptval(check=False)
def _close(half: pointer(Half), at: Py_ssize_t) -> cython.void:
    """Take out the level behind `at` others."""
    i: Py_ssize_t
    half.count -= 1
    for i in range(at, half.count):
        half.keys[i] = half.keys[i + 1]
        half.sizes[i] = half.sizes[i + 1]
        half.orders[i] = half.orders[i + 1]


@cfunc
@inline
@cython.exceptval(check=False)
def _insert(
    half: pointer(Half), at: Py_ssize_t, levels_max: Py_ssize_t, key: longlong, size: longlong, orders: longlong
) -> cython.int:
    """A level that was not there, behind `at` others. A side that is full loses its worst level."""
    if key <= half.cut:
        return BEYOND
    if not size:
        return MISFIT
    if half.count == levels_max:
        if not at:
            half.cut = key
            return BEYOND
        half.cut = half.keys[0]
        _close(half, 0)
        at -= 1
    _open(half, at)
    half.keys[at] = key
    half.sizes[at] = size
    half.orders[at] = orders
    return TAKEN


@cfunc
def _half(ladder: Ladder, side: longlong) -> pointer(Half):
    if side not in (0, 1):
        raise ValueError(f"side is {side}: 0 are the bids, 1 the asks")
    return address(ladder.halves[side])


@cfunc
@inline
@cython.exceptval(check=False)
def _set(
    ladder: Ladder, side: longlong, action: longlong, price: longlong, size: longlong, orders: longlong
) -> cython.int:
    """`put` of what is possible, in a valid ladder."""
    half: pointer(Half) = address(ladder.halves[side])
    key: longlong = (price ^ -side) + side
    at: Py_ssize_t = _place(half, key)
    if action == DELETE:
        size = 0
    if at == 0 or half.keys[at - 1] != key:
        verdict: cython.int = _insert(half, at, ladder.levels_max, key, size, orders)
        return MISFIT if verdict == TAKEN and action != NEW else verdict
    if size:
        half.sizes[at - 1] = size
        half.orders[at - 1] = orders
        return TAKEN
    _close(half, at - 1)
    if not half.count and half.cut != NOWHERE:
        ladder.empty(False)  # what stands next was cut off once, and nobody knows it
    return TAKEN


@cfunc
@inline
@cython.exceptval(check=False)
def _matters(guard: pointer(Guard), side: longlong, key: longlong, size: longlong) -> bint:
    """Whether a level may matter to orders: without a branch, as it seldom does."""
    is_among: bint = (key <= guard.best[side]) & (key >= guard.worst[side]) & (size < guard.ahead[side])
    return is_among | (-key <= guard.best[1 - side])


@cfunc
@inline
@cython.exceptval(check=False)
def _follow(
    ladder: Ladder,
    times: p_longlong,
    actions: pointer(cython.schar),
    sides: pointer(cython.schar),
    prices: p_longlong,
    sizes: p_longlong,
    i: Py_ssize_t,
    count: Py_ssize_t,
    until: longlong,
    guard: pointer(Guard),
    is_guarded: bint,
) -> Py_ssize_t:
    """`Ladder.follow`, compiled once with a guard and once without."""
    while i < count and times[i] <= until:
        side: longlong = sides[i]
        action: longlong = actions[i]
        key: longlong = (prices[i] ^ -side) + side  # negative of the asks, without a branch
        if action > DELETE:
            if is_guarded and (action <= GAP or key <= guard.best[side]):
                return i
            if action <= GAP:
                ladder.empty(action == CLEAR)
        elif is_guarded and _matters(guard, side, key, sizes[i] & -cast(longlong, action != DELETE)):
            return i
        elif ladder.is_valid:
            ladder.misfits += _set(ladder, side, action, prices[i], sizes[i], 0) == MISFIT
        i += 1
    return i


@cython.final
@cython.cclass
class Ladder:
    """The price levels of one contract, kept from updates: what each method does, `ladder_plain` says."""

    def __cinit__(self, levels_max: longlong = 1_000):
        if not 0 < levels_max <= LEVELS_MAX:
            raise ValueError(f"levels_max is {levels_max}: a ladder keeps 1 to {LEVELS_MAX} levels a side")
        room: p_longlong = cast(p_longlong, PyMem_Malloc(6 * levels_max * cython.sizeof(longlong)))
        if not room:
            raise MemoryError
        i: Py_ssize_t
        for i in range(2):
            self.halves[i].keys = room + 3 * i * levels_max
            self.halves[i].sizes = self.halves[i].keys + levels_max
            self.halves[i].orders = self.halves[i].sizes + levels_max
        self.levels_max = levels_max
        self.empty(False)

    def __dealloc__(self):
        PyMem_Free(self.halves[0].keys)  # one piece holds all

    # --- for other kernels --------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(check=False)
    def empty(self, is_valid: bint) -> cython.void:
        self.halves[0].count = self.halves[1].count = 0
        self.halves[0].cut = self.halves[1].cut = NOWHERE
        self.is_valid = is_valid

    @cfunc
    @cython.exceptval(check=False)
    def put(self, side: longlong, action: longlong, price: longlong, size: longlong, orders: longlong) -> cython.int:
        if not NEW <= action <= DELETE or side & ~1 or not 0 < price <= PRICE_MAX:
            if action in (CLEAR, GAP):
                self.empty(action == CLEAR)
                return TAKEN
            return IMPOSSIBLE
        if size & ~SIZE_MAX or orders & ~SIZE_MAX:  # also what is below zero
            return IMPOSSIBLE
        if not self.is_valid:
            return WAITING
        return _set(self, side, action, price, size, orders)

    @cfunc
    @cython.exceptval(check=False)
    def follow(
        self,
        times: p_longlong,
        actions: pointer(cython.schar),
        sides: pointer(cython.schar),
        prices: p_longlong,
        sizes: p_longlong,
        i: Py_ssize_t,
        count: Py_ssize_t,
        until: longlong,
        guard: pointer(Guard),
    ) -> Py_ssize_t:
        """Rows that are known to be possible, as `put` one by one, from `i` on up to a time; where the next one stands.

        It stops short of a row that may matter to orders: a trade that reaches them, a level that meets them from the
        other side, one among their prices with less than is ahead of them, and where there are any, CLEAR and GAP. No
        guard: no orders.
        Actions beyond GAP are trades and change no ladder. `misfits` counts.
        """
        if guard and (guard.best[0] != NOWHERE or guard.best[1] != NOWHERE):
            return _follow(self, times, actions, sides, prices, sizes, i, count, until, guard, True)
        return _follow(self, times, actions, sides, prices, sizes, i, count, until, guard, False)

    @cfunc
    @cython.exceptval(check=False)
    def become(self, other: Ladder) -> cython.void:
        """All that another says that keeps as many levels."""
        side: cython.int
        for side in range(2):
            ours: pointer(Half) = address(self.halves[side])
            theirs: pointer(Half) = address(other.halves[side])
            length: cython.size_t = theirs.count * cython.sizeof(longlong)
            memcpy(ours.keys, theirs.keys, length)
            memcpy(ours.sizes, theirs.sizes, length)
            memcpy(ours.orders, theirs.orders, length)
            ours.count = theirs.count
            ours.cut = theirs.cut
        self.is_valid = other.is_valid

    @cfunc
    @cython.exceptval(check=False)
    def shift(self, side: longlong, price: longlong, size: longlong, orders: longlong) -> cython.int:
        half: pointer(Half) = address(self.halves[side])
        key: longlong = -price if side else price
        at: Py_ssize_t = _place(half, key)
        if at > 0 and half.keys[at - 1] == key:
            size += half.sizes[at - 1]
            orders += half.orders[at - 1]
        is_left: bint = size > 0 and orders > 0
        return self.put(side, NEW, price, size if is_left else 0, orders if is_left else 0)

    @cfunc
    @cython.exceptval(check=False)
    def size_at(self, side: longlong, price: longlong) -> longlong:
        """The size of the level at this price, 0 where there is none."""
        half: pointer(Half) = address(self.halves[side])
        key: longlong = -price if side else price
        at: Py_ssize_t = _place(half, key)
        return half.sizes[at - 1] if at > 0 and half.keys[at - 1] == key else 0

    @cfunc
    @cython.exceptval(check=False)
    def order(self) -> cython.int:
        """-1 where the best bid is under the best ask or a side is empty, 0 where they meet, 1 where they cross."""
        bids: pointer(Half) = address(self.halves[0])
        asks: pointer(Half) = address(self.halves[1])
        if not bids.count or not asks.count:
            return -1
        apart: longlong = bids.keys[bids.count - 1] + asks.keys[asks.count - 1]
        return (apart > 0) - (apart < 0)

    # --- what happens to it -------------------------------------------------------------------------------------------

    def apply(self, side: longlong, action: longlong, price: longlong, size: longlong, orders: longlong = 0):
        return self.put(side, action, price, size, orders)

    def apply_columns(self, sides, actions, prices, sizes):
        view: Py_buffer[4]
        held: cython.int = 0
        counts: longlong[5]
        i: Py_ssize_t
        try:
            for column in (sides, actions, prices, sizes):
                PyObject_GetBuffer(column, address(view[held]), PyBUF_SIMPLE)
                held += 1
            count: Py_ssize_t = view[0].len
            if view[1].len != count or view[2].len != 8 * count or view[3].len != 8 * count:
                raise ValueError("the columns of a ladder are not of one length")
            side: pointer(cython.schar) = cast(pointer(cython.schar), view[0].buf)
            action: pointer(cython.schar) = cast(pointer(cython.schar), view[1].buf)
            price: p_longlong = cast(p_longlong, view[2].buf)
            size: p_longlong = cast(p_longlong, view[3].buf)
            for i in range(5):
                counts[i] = 0
            for i in range(count):
                counts[self.put(side[i], action[i], price[i], size[i], 0)] += 1
            return (counts[0], counts[1], counts[2], counts[3], counts[4], 0)
        finally:
            while held > 0:
                held -= 1
                PyBuffer_Release(address(view[held]))

    def clear(self):
        self.empty(True)

    def gap(self):
        self.empty(False)

    # --- what it says -------------------------------------------------------------------------------------------------

    def top(self):
        bids: pointer(Half) = address(self.halves[0])
        asks: pointer(Half) = address(self.halves[1])
        bid: Py_ssize_t = bids.count - 1
        ask: Py_ssize_t = asks.count - 1
        return (
            bids.keys[bid] if bid >= 0 else 0,
            bids.sizes[bid] if bid >= 0 else 0,
            -asks.keys[ask] if ask >= 0 else 0,
            asks.sizes[ask] if ask >= 0 else 0,
        )

    def levels(self, side: longlong, most: longlong):
        half: pointer(Half) = _half(self, side)
        last: Py_ssize_t = max(half.count - most, 0) if most > 0 else half.count
        sign: longlong = -1 if side else 1
        return [(sign * half.keys[i], half.sizes[i], half.orders[i]) for i in range(half.count - 1, last - 1, -1)]

    def size_to(self, side: longlong, price: longlong):
        half: pointer(Half) = _half(self, side)
        worst: longlong = -price if side else price
        i: Py_ssize_t = half.count - 1
        total: longlong = 0
        while i >= 0 and half.keys[i] >= worst:
            total += half.sizes[i]
            i -= 1
        return total

    def reach(self, side: longlong):
        half: pointer(Half) = _half(self, side)
        return 0 if half.cut == NOWHERE else abs(half.cut)

    @property
    def is_crossed(self):
        return self.order() > 0

    @property
    def is_locked(self):
        return self.order() == 0

    def imbalance(self, levels: longlong = 1):
        total: longlong[2]
        side: Py_ssize_t
        i: Py_ssize_t
        for side in range(2):
            half: pointer(Half) = address(self.halves[side])
            total[side] = 0
            for i in range(max(half.count - levels, 0) if levels > 0 else half.count, half.count):
                total[side] += half.sizes[i]
        bids: object = total[0]  # a whole number of Python, whose quotient is rounded once
        asks: object = total[1]
        return (bids - asks) / (bids + asks) if bids + asks else 0.0

    def micro_price(self):
        bid, bid_size, ask, ask_size = self.top()
        return (bid * ask_size + ask * bid_size) // (bid_size + ask_size) if 0 < bid < ask else 0
