# What a compiled strategy may use of a tape without a detour through Python; tape_plain says what it means.

from cpython.buffer cimport Py_buffer
from participant.core._ladder cimport Guard, Ladder

cdef struct Placed:
    long long number  # 0: the slot is free
    long long side
    long long price
    long long left  # at the exchange
    long long known_left  # as the strategy knows
    long long ahead
    bint is_ioc
    bint is_over
    bint is_cancelling

cdef struct Said:  # a request on its way to the exchange, or an answer on its way back
    long long at
    long long number
    long long quantity
    long long price
    int what

cdef struct Line:  # first in, first out
    Said* items
    Py_ssize_t head
    Py_ssize_t count
    Py_ssize_t room

cdef struct Used:  # what our orders took of a level that stands as it was
    long long side
    long long price
    long long displayed
    long long taken

cdef class Strategy:
    cdef int wake(self, Tape tape) except? -1

cdef class Batch:
    cdef Py_buffer[6] views
    cdef int held
    cdef Py_ssize_t count
    cdef long long* exchange_at
    cdef long long* received_at
    cdef long long* prices
    cdef long long* sizes
    cdef signed char* kinds
    cdef signed char* sides
    cdef Py_ssize_t bad_row(self, long long first_exchange_at, long long first_received_at) noexcept

cdef class Tape:
    cdef readonly long long now
    cdef readonly long long position
    cdef readonly object cash
    cdef readonly Ladder ladder
    cdef readonly long long wakes
    cdef Ladder exchange
    cdef object strategy
    cdef Strategy compiled
    cdef long long out_ns
    cdef long long back_ns
    cdef long long every_ns
    cdef bint wakes_on_feed
    cdef bint wakes_on_answer
    cdef bint is_capped
    cdef Py_ssize_t orders_max
    cdef Placed* orders
    cdef Py_ssize_t* live[2]
    cdef Py_ssize_t counts[2]
    cdef Guard guard  # what our resting orders are to be warned of
    cdef Used used[256]
    cdef Py_ssize_t used_count
    cdef Line requests
    cdef Line answers
    cdef list waiting
    cdef Batch current
    cdef Py_ssize_t row
    cdef Py_ssize_t local_row
    cdef Py_ssize_t look_row  # at which our view becomes a copy of the exchange's; -1: nowhere
    cdef long long last_exchange_at
    cdef long long last_received_at
    cdef long long next_beat
    cdef long long numbers
    cdef long long instant
    cdef bint is_pending
    cdef bint is_touched
    cdef bint is_replaced
    cdef bint has_begun
    cdef bint is_finished
    cdef long long* fills  # seven numbers each
    cdef Py_ssize_t fill_count
    cdef Py_ssize_t fill_room
    cdef Py_ssize_t slots  # in use, or free again
    cdef long long wakes_here
    cdef Py_ssize_t _slot(self, long long number) noexcept
    cdef int _run(self, long long horizon) except? -1
    cdef long long _next_wake(self) noexcept
    cdef int _wake_at(self, long long at) except? -1
    cdef void _receive(self, long long until) noexcept
    cdef int _hear(self, long long until) except? -1
    cdef int _advance(self, long long until, long long requests_until) except? -1
    cdef void _plan_look(self, long long at) noexcept
    cdef int _rows(self, long long until) except? -1
    cdef int _rows_to(self, Py_ssize_t end, long long until) except? -1
    cdef void _regard(self, long long side) noexcept
    cdef void _note(self, long long side, long long kind, long long price, long long size) noexcept
    cdef int _settle(self) except? -1
    cdef void _look_again(self) noexcept
    cdef int _arrive(self, Py_ssize_t slot, long long at) except? -1
    cdef long long _key(self, long long side, Py_ssize_t place) noexcept
    cdef int _take(self, Py_ssize_t slot, long long at, bint is_maker) except? -1
    cdef long long _use(self, long long side, long long price, long long displayed, long long wanted) noexcept
    cdef int _trade(self, long long side, long long price, long long size, long long at) except? -1
    cdef int _fill(self, Py_ssize_t slot, long long quantity, long long price, long long at, bint is_maker) except? -1
    cdef bint _remove(self, Py_ssize_t slot) noexcept
    cdef int _end(self, long long number, long long at) except? -1
    cpdef long long submit(self, long long side, long long price, long long quantity, bint is_ioc=*) except? -1
    cpdef bint cancel(self, long long number) except? -1
    cpdef long long left(self, long long number) except? -1
