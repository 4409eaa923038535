# What other kernels may use of a ladder without a detour through Python; ladder_plain says what it means.

cdef struct Half:  # keys ascending, the best last: prices of the bids, negative prices of the asks
    long long* keys
    long long* sizes
    long long* orders
    Py_ssize_t count
    long long cut

cdef struct Guard:  # what stands of somebody's orders, by side; `follow` stops at rows that may matter to them
    long long best[2]  # keys; NOWHERE, which is under all, where there is none
    long long worst[2]
    long long ahead[2]  # a size under this one, between best and worst, matters

cdef class Ladder:
    cdef readonly Py_ssize_t levels_max
    cdef readonly bint is_valid
    cdef Half[2] halves
    cdef long long misfits  # counted by `follow`
    cdef Py_ssize_t follow(
        self, long long* times, signed char* actions, signed char* sides, long long* prices, long long* sizes,
        Py_ssize_t i, Py_ssize_t count, long long until, Guard* guard,
    ) noexcept
    cdef int put(self, long long side, long long action, long long price, long long size, long long orders) noexcept
    cdef int shift(self, long long side, long long price, long long size, long long orders) noexcept
    cdef long long size_at(self, long long side, long long price) noexcept
    cdef int order(self) noexcept
    cdef void empty(self, bint is_valid) noexcept
    cdef void become(self, Ladder other) noexcept
