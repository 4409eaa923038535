# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
"""Single orders and the ladder that they add up to, as a compiled kernel; `by_order_plain` is its twin.

Import `ladder`, never this file. Orders lie in a table of slots by their number; a slot of size 0 is free, and what
stood behind one that becomes free moves up. A number beyond 64 bits raises OverflowError.
"""

import cython
from cython import Py_ssize_t, address, bint, cast, cfunc, inline, longlong, p_longlong, pointer, ulonglong
from cython.cimports.cpython.buffer import Py_buffer, PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.mem import PyMem_Calloc, PyMem_Free
from cython.cimports.libc.string import memset
from cython.cimports.participant.core._ladder import Ladder

IS_COMPILED = bool(cython.compiled)

# The numbers of `ladder_plain` and `by_order_plain`, as C has them.
PRICE_MAX = cython.declare(longlong, (1 << 52) - 1)
ORDER_SIZE_MAX = cython.declare(longlong, (1 << 31) - 1)
ORDERS_MAX = cython.declare(longlong, 1 << 17)
TAKEN = cython.declare(cython.int, 0)
WAITING = cython.declare(cython.int, 1)
MISFIT = cython.declare(cython.int, 2)
IMPOSSIBLE = cython.declare(cython.int, 4)
FULL = cython.declare(cython.int, 5)
SPREAD = cython.declare(ulonglong, 0x9E3779B97F4A7C15)  # scatters numbers that follow each other (Fibonacci hashing)

Slot = cython.struct(number=longlong, side=longlong, price=longlong, size=longlong)


@cython.final
@cython.cclass
class ByOrder:
    """The single orders of one contract, and their ladder: what each method does, `by_order_plain` says."""

    ladder = cython.declare(Ladder, visibility="readonly")
    orders_max = cython.declare(Py_ssize_t, visibility="readonly")
    slots: pointer(Slot)
    count: Py_ssize_t
    mask: Py_ssize_t
    shift_by: cython.int

    def __cinit__(self, levels_max: longlong = 1_000, orders_max: longlong = 100_000):
        if not 0 < orders_max <= ORDERS_MAX:
            raise ValueError(f"orders_max is {orders_max}: 1 to {ORDERS_MAX} orders can be kept")
        self.ladder = Ladder(levels_max)
        self.orders_max = orders_max
        self.shift_by = 64
        room: Py_ssize_t = 1
        while room < 2 * orders_max:  # half of the table stays free
            room *= 2
            self.shift_by -= 1
        self.mask = room - 1
        self.slots = cast(pointer(Slot), PyMem_Calloc(room, cython.sizeof(Slot)))
        if not self.slots:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self.slots)

    def __len__(self):
        return self.count

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def _home(self, number: longlong) -> Py_ssize_t:
        return cast(Py_ssize_t, (cast(ulonglong, number) * SPREAD) >> self.shift_by)

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def _find(self, number: longlong) -> pointer(Slot):
        """The slot of an order, or the free one in which it would lie."""
        at: Py_ssize_t = self._home(number)
        while self.slots[at].size and self.slots[at].number != number:
            at = (at + 1) & self.mask
        return self.slots + at

    @cfunc
    @cython.exceptval(check=False)
    def _free(self, slot: pointer(Slot)) -> cython.void:
        hole: Py_ssize_t = slot - self.slots
        at: Py_ssize_t = (hole + 1) & self.mask
        while self.slots[at].size:
            if ((at - self._home(self.slots[at].number)) & self.mask) >= ((at - hole) & self.mask):
                self.slots[hole] = self.slots[at]
                hole = at
            at = (at + 1) & self.mask
        self.slots[hole].size = 0
        self.count -= 1

    @cfunc
    @cython.exceptval(check=False)
    def _empty(self, is_valid: bint) -> cython.void:
        if self.count:
            memset(self.slots, 0, (self.mask + 1) * cython.sizeof(Slot))
        self.count = 0
        self.ladder.empty(is_valid)

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def _shift(self, side: longlong, price: longlong, size: longlong, orders: longlong) -> cython.int:
        verdict: cython.int = self.ladder.shift(side, price, size, orders)
        if not self.ladder.is_valid:  # a side ran out of the levels that were kept
            self._empty(False)
        return verdict

    @cfunc
    @cython.exceptval(check=False)
    def _missing(self) -> cython.int:
        return MISFIT if self.ladder.is_valid else WAITING

    @cfunc
    @cython.exceptval(check=False)
    def _add(self, number: longlong, side: longlong, price: longlong, size: longlong) -> cython.int:
        if side & ~1 or not 0 < price <= PRICE_MAX or not 0 < size <= ORDER_SIZE_MAX:
            return IMPOSSIBLE
        if not self.ladder.is_valid:
            return WAITING
        slot: pointer(Slot) = self._find(number)
        if slot.size:
            return MISFIT
        if self.count == self.orders_max:
            self._empty(False)
            return FULL
        slot.number = number
        slot.side = side
        slot.price = price
        slot.size = size
        self.count += 1
        return self._shift(side, price, size, 1)

    @cfunc
    @cython.exceptval(check=False)
    def _modify(self, number: longlong, price: longlong, size: longlong) -> cython.int:
        if not 0 < price <= PRICE_MAX or not 0 < size <= ORDER_SIZE_MAX:
            return IMPOSSIBLE
        slot: pointer(Slot) = self._find(number)
        if not slot.size:
            return self._missing()
        was: Slot = slot[0]
        slot.price = price
        slot.size = size
        if price == was.price:
            return self._shift(was.side, price, size - was.size, 0)
        verdict: cython.int = self._shift(was.side, price, size, 1)  # first the new place: no side seems empty
        self._shift(was.side, was.price, -was.size, -1)
        return verdict

    @cfunc
    @cython.exceptval(check=False)
    def _delete(self, number: longlong) -> cython.int:
        slot: pointer(Slot) = self._find(number)
        if not slot.size:
            return self._missing()
        was: Slot = slot[0]
        self._free(slot)
        return self._shift(was.side, was.price, -was.size, -1)

    @cfunc
    @cython.exceptval(check=False)
    def _execute(self, number: longlong, size: longlong) -> cython.int:
        if size <= 0:
            return IMPOSSIBLE
        slot: pointer(Slot) = self._find(number)
        if size > slot.size:  # also where there is none
            return self._missing()
        if size == slot.size:
            return self._delete(number)
        slot.size -= size
        return self._shift(slot.side, slot.price, -size, 0)

    @cfunc
    @cython.exceptval(check=False)
    def _apply(self, action: longlong, number: longlong, side: longlong, price: longlong, size: longlong) -> cython.int:
        if action == 0:
            return self._add(number, side, price, size)
        if action == 1:
            return self._modify(number, price, size)
        if action == 2:
            return self._delete(number)
        if action == 5:
            return self._execute(number, size)
        if action not in (3, 4):
            return IMPOSSIBLE
        self._empty(action == 3)
        return TAKEN

    def order(self, number: longlong):
        slot: pointer(Slot) = self._find(number)
        return (slot.side, slot.price, slot.size) if slot.size else None

    def add(self, number: longlong, side: longlong, price: longlong, size: longlong):
        return self._add(number, side, price, size)

    def modify(self, number: longlong, price: longlong, size: longlong):
        return self._modify(number, price, size)

    def delete(self, number: longlong):
        return self._delete(number)

    def execute(self, number: longlong, size: longlong):
        return self._execute(number, size)

    def clear(self):
        self._empty(True)

    def gap(self):
        self._empty(False)

    def apply_columns(self, actions, numbers, sides, prices, sizes):
        view: Py_buffer[5]
        held: cython.int = 0
        counts: longlong[6]
        i: Py_ssize_t
        try:
            for column in (actions, sides, numbers, prices, sizes):
                PyObject_GetBuffer(column, address(view[held]), PyBUF_SIMPLE)
                held += 1
            count: Py_ssize_t = view[0].len
            for i in range(1, 5):
                if view[i].len != (count if i == 1 else 8 * count):
                    raise ValueError("the columns of orders are not of one length")
            action: pointer(cython.schar) = cast(pointer(cython.schar), view[0].buf)
            side: pointer(cython.schar) = cast(pointer(cython.schar), view[1].buf)
            number: p_longlong = cast(p_longlong, view[2].buf)
            price: p_longlong = cast(p_longlong, view[3].buf)
            size: p_longlong = cast(p_longlong, view[4].buf)
            for i in range(6):
                counts[i] = 0
            for i in range(count):
                counts[self._apply(action[i], number[i], side[i], price[i], size[i])] += 1
            return (counts[0], counts[1], counts[2], counts[3], counts[4], counts[5])
        finally:
            while held > 0:
                held -= 1
                PyBuffer_Release(address(view[held]))
