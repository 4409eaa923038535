# cython: language_level=3, cdivision=True, boundscheck=False, wraparound=False
# budget: one loop over rows with all that it touches in one module, so that the compiler sees through it
"""Depth and trades replayed against our orders, as a compiled kernel; `tape_plain` is its twin. Import `tape` instead.

The twin goes from one time to the next and does what is due. Here the exchange runs ahead to the strategy's next wake,
or to the next order that arrives, past rows that matter to no order of ours, and the delayed ladder is copied from its
own in passing, or follows; what comes of it is the same.
`_tape.pxd` declares what a compiled strategy may use.
"""

from array import array

import cython
from cython import Py_ssize_t, address, bint, cast, cfunc, inline, longlong, p_longlong, pointer
from cython.cimports.cpython.buffer import PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cython.cimports.cpython.mem import PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cython.cimports.libc.string import memmove
from cython.cimports.participant.core._ladder import Half, Ladder

IS_COMPILED = bool(cython.compiled)

# The numbers of `ladder_plain` and `tape_terms`, as C has them.
DELETE = cython.declare(longlong, 2)
CLEAR = cython.declare(longlong, 3)
TRADE = cython.declare(longlong, 5)
PRICE_MAX = cython.declare(longlong, (1 << 40) - 1)
SIZE_MAX = cython.declare(longlong, (1 << 48) - 1)
QUANTITY_MAX = cython.declare(longlong, (1 << 22) - 1)
ORDERS_MAX = cython.declare(longlong, 1024)
LATENCY_MAX = cython.declare(longlong, 1 << 60)
NEVER = cython.declare(longlong, (1 << 62))
NOWHERE = cython.declare(longlong, -(1 << 62))
UNKNOWN = cython.declare(longlong, 1 << 60)  # behind so much that no trade reaches it
USED_MAX = cython.declare(Py_ssize_t, 256)
ANSWERS_MAX = cython.declare(Py_ssize_t, 1 << 20)
BATCHES_MAX = cython.declare(Py_ssize_t, 64)
WAKES_MAX = cython.declare(longlong, 1000)
COPY_ROWS = cython.declare(Py_ssize_t, 8)  # a copy of a ladder takes as long as about so many rows of it,
COPIED_A_ROW = cython.declare(Py_ssize_t, 16)  # and one more for each so many levels
MISFIT = cython.declare(cython.int, 2)
ASKED = cython.declare(cython.int, 0)  # requests
CANCEL = cython.declare(cython.int, 1)
FILL = cython.declare(cython.int, 2)  # answers
END = cython.declare(cython.int, 3)


@cython.cclass
class Strategy:
    """What a compiled strategy extends; `wake` may do all that one in Python may."""

    @cfunc
    @cython.exceptval(-1)
    def wake(self, tape: Tape) -> cython.int:
        return 0


@cython.final
@cython.cclass
class Batch:
    """Six columns, held while they are read."""

    def __cinit__(self, columns):
        exchange_at, received_at, kinds, sides, prices, sizes = columns
        for column in (exchange_at, received_at, prices, sizes, kinds, sides):
            PyObject_GetBuffer(column, address(self.views[self.held]), PyBUF_SIMPLE)
            self.held += 1
        self.count = self.views[4].len
        i: Py_ssize_t
        for i in range(6):
            if self.views[i].len != (self.count if i > 3 else 8 * self.count):
                raise ValueError("the columns of a tape are not of one length")
        self.exchange_at = cast(p_longlong, self.views[0].buf)
        self.received_at = cast(p_longlong, self.views[1].buf)
        self.prices = cast(p_longlong, self.views[2].buf)
        self.sizes = cast(p_longlong, self.views[3].buf)
        self.kinds = cast(pointer(cython.schar), self.views[4].buf)
        self.sides = cast(pointer(cython.schar), self.views[5].buf)

    def __dealloc__(self):
        while self.held > 0:
            self.held -= 1
            PyBuffer_Release(address(self.views[self.held]))

    @cfunc
    @cython.exceptval(check=False)
    def bad_row(self, first_exchange_at: longlong, first_received_at: longlong) -> Py_ssize_t:
        """The first row that cannot follow the one before it, or cannot be; -1 where there is none."""
        exchange_at: longlong = first_exchange_at
        received_at: longlong = first_received_at
        i: Py_ssize_t
        bad: longlong = 0
        for i in range(self.count):
            bad |= _badness(self, i, exchange_at, received_at)
            exchange_at = self.exchange_at[i]
            received_at = self.received_at[i]
        if bad >= 0:
            return -1
        i = 0
        while i < self.count and _badness(self, i, first_exchange_at, first_received_at) >= 0:
            first_exchange_at = self.exchange_at[i]
            first_received_at = self.received_at[i]
            i += 1
        return i


@cfunc
@inline
@cython.exceptval(check=False)
def _badness(batch: Batch, i: Py_ssize_t, exchange_at: longlong, received_at: longlong) -> longlong:
    """Below zero where a row cannot be, or cannot follow these times: a sum of signs, so that no branch is taken.

    Times are judged as a sign of their difference, which is one: both lie between 0 and NEVER, or are judged bad first.
    """
    at: longlong = batch.exchange_at[i]
    heard: longlong = batch.received_at[i]
    kind: longlong = batch.kinds[i]
    side: longlong = batch.sides[i]
    price: longlong = batch.prices[i]
    size: longlong = batch.sizes[i]
    is_level: longlong = -cast(longlong, (kind <= DELETE) | (kind == TRADE))
    bad: longlong = at | (at - exchange_at) | (heard - received_at) | (heard - at) | (NEVER - 1 - heard) | heard
    bad |= kind | (TRADE - kind) | side | (1 - side)
    return bad | (((price - 1) | (PRICE_MAX - price) | size | (SIZE_MAX - size)) & is_level)


@cfunc
@cython.exceptval(-1)
def _push(line: pointer(Line), what: cython.int, at: longlong, number: longlong) -> Py_ssize_t:
    """One more at the end of a line, and its place there. What has left it at its head makes room."""
    if line.head + line.count == line.room:
        if line.head:
            memmove(line.items, line.items + line.head, line.count * cython.sizeof(Said))
            line.head = 0
        else:
            if line.room >= ANSWERS_MAX:
                raise ValueError(f"more than {ANSWERS_MAX} answers are on their way")
            room: Py_ssize_t = max(64, 2 * line.room)
            items: pointer(Said) = cast(pointer(Said), PyMem_Realloc(line.items, room * cython.sizeof(Said)))
            if not items:
                raise MemoryError
            line.items = items
            line.room = room
    place: Py_ssize_t = line.head + line.count
    line.items[place].at = at
    line.items[place].what = what
    line.items[place].number = number
    line.items[place].quantity = line.items[place].price = 0
    line.count += 1
    return place


@cfunc
@inline
@cython.exceptval(check=False)
def _next(line: pointer(Line)) -> longlong:
    """When the first in a line arrives."""
    return line.items[line.head].at if line.count else NEVER


@cfunc
@inline
@cython.exceptval(check=False)
def _best(ladder: Ladder, side: longlong) -> longlong:
    half: pointer(Half) = address(ladder.halves[side])
    return half.keys[half.count - 1] if half.count else NOWHERE


@cfunc
@cython.exceptval(check=False)
def _shown(ladder: Ladder, side: longlong, price: longlong) -> longlong:
    """The size displayed at a price; where that is not known, more than all that can be."""
    half: pointer(Half) = address(ladder.halves[side])
    return UNKNOWN if not ladder.is_valid or (-price if side else price) <= half.cut else ladder.size_at(side, price)


@cython.final
@cython.cclass
class Tape:
    """An exchange and our delayed view of it: what each method does, `tape_plain` says."""

    def __cinit__(self, strategy, terms):
        self.ladder = Ladder(terms.levels_max)
        self.exchange = Ladder(terms.levels_max)
        self.compiled = strategy if isinstance(strategy, Strategy) else None
        self.strategy = strategy
        if callable(strategy):  # a method is bound once: else Python looks it up and binds it at each wake
            bound = strategy.__call__
            if getattr(bound, "__func__", None) is type(strategy).__call__:
                self.strategy = bound
        self.out_ns = terms.out_ns
        self.back_ns = terms.back_ns
        self.every_ns = terms.every_ns
        self.wakes_on_feed = terms.wakes_on_feed
        self.wakes_on_answer = terms.wakes_on_answer
        self.is_capped = terms.is_capped
        self.orders_max = terms.orders_max
        self.orders = cast(pointer(Placed), PyMem_Calloc(self.orders_max, cython.sizeof(Placed)))
        self.live[0] = cast(pointer(Py_ssize_t), PyMem_Malloc(2 * self.orders_max * cython.sizeof(Py_ssize_t)))
        if not self.orders or not self.live[0]:
            raise MemoryError
        self.live[1] = self.live[0] + self.orders_max
        self.cash = 0
        self.waiting = []
        self.next_beat = NEVER
        self.look_row = -1
        self.guard.best[0] = self.guard.best[1] = NOWHERE

    def __dealloc__(self):
        PyMem_Free(self.orders)
        PyMem_Free(self.live[0])
        PyMem_Free(self.requests.items)
        PyMem_Free(self.answers.items)
        PyMem_Free(self.fills)

    @property
    def misfits(self):
        return self.exchange.misfits

    # --- what the strategy may do -------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(check=False)
    def _slot(self, number: longlong) -> Py_ssize_t:
        i: Py_ssize_t
        for i in range(self.slots):
            if self.orders[i].number == number:
                return i
        return -1

    @cython.ccall
    @cython.exceptval(-1)
    def submit(self, side: longlong, price: longlong, quantity: longlong, is_ioc: bint = False) -> longlong:
        if side & ~1 or not 0 < price <= PRICE_MAX or not 0 < quantity <= QUANTITY_MAX:
            raise ValueError(f"no order can be so: side {side}, price {price}, quantity {quantity}")
        slot: Py_ssize_t = self._slot(0)
        if slot < 0:
            if self.slots == self.orders_max:
                return 0
            slot = self.slots
            self.slots += 1
        order: pointer(Placed) = self.orders + slot
        self.numbers += 1
        order.number = self.numbers
        order.side = side
        order.price = price
        order.left = order.known_left = quantity
        order.is_ioc = is_ioc
        order.ahead = 0
        order.is_over = order.is_cancelling = False
        _push(address(self.requests), ASKED, self.now + self.out_ns, order.number)
        return order.number

    @cython.ccall
    @cython.exceptval(-1)
    def cancel(self, number: longlong) -> bint:
        slot: Py_ssize_t = self._slot(number) if number > 0 else -1
        if slot < 0 or self.orders[slot].is_cancelling:
            return False
        self.orders[slot].is_cancelling = True
        _push(address(self.requests), CANCEL, self.now + self.out_ns, number)
        return True

    @cython.ccall
    @cython.exceptval(-1)
    def left(self, number: longlong) -> longlong:
        slot: Py_ssize_t = self._slot(number) if number > 0 else -1
        return 0 if slot < 0 else self.orders[slot].known_left

    # --- what the caller does -----------------------------------------------------------------------------------------

    def play(self, columns):
        if self.is_finished:
            raise ValueError("the tape is finished: nothing follows its end")
        batch: Batch = Batch(columns)
        if not batch.count:
            return
        bad: Py_ssize_t = batch.bad_row(self.last_exchange_at, self.last_received_at)
        if bad >= 0:
            raise ValueError(f"row {bad} cannot be: its times go back, or no kind, side, price or size is so")
        if len(self.waiting) >= BATCHES_MAX:
            raise ValueError(f"{BATCHES_MAX} batches have not been received when the next one happens")
        self.waiting.append(batch)
        self.current = batch
        self.row = 0
        self.last_exchange_at = batch.exchange_at[batch.count - 1]
        self.last_received_at = batch.received_at[batch.count - 1]
        if not self.has_begun:
            self.has_begun = True
            self.now = batch.exchange_at[0]
            if self.every_ns:
                self.next_beat = self.now + self.every_ns
        self._run(self.last_exchange_at)

    def finish(self):
        if self.has_begun and not self.is_finished:
            self._settle()
            self._run(self.last_received_at + 1)
            self._hear(NEVER)
        self.is_finished = True

    def take_fills(self):
        rows = array("q")
        if self.fill_count:
            rows.frombytes(cast(cython.p_char, self.fills)[: 7 * self.fill_count * cython.sizeof(longlong)])
        self.fill_count = 0
        return tuple([rows[i::7] for i in range(7)])

    # --- time ---------------------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(-1)
    def _run(self, horizon: longlong) -> cython.int:
        """Do all that is due before the horizon, and the rows at it."""
        wake: longlong
        while True:
            wake = self._next_wake()
            self._plan_look(min(wake, horizon - 1))
            if wake < horizon:
                self._advance(wake, wake)
            else:
                self._advance(horizon, horizon - 1)
            if self.wakes_on_answer and _next(address(self.answers)) < min(wake, horizon):
                continue  # an answer comes before what was thought to come next
            if wake >= horizon:
                self._receive(horizon - 1)
                return 0
            self._receive(wake)
            self._hear(wake)
            self._wake_at(wake)

    @cfunc
    @cython.exceptval(check=False)
    def _next_wake(self) -> longlong:
        at: longlong = self.next_beat
        batch: Batch
        if self.wakes_on_feed and len(self.waiting):
            batch = cast(Batch, self.waiting[0])
            if self.local_row == batch.count:  # all of it is received: the next one's first row comes next
                batch = cast(Batch, self.waiting[1]) if len(self.waiting) > 1 else None
                if batch is not None:
                    at = min(at, batch.received_at[0])
            else:
                at = min(at, batch.received_at[self.local_row])
        if self.wakes_on_answer:
            at = min(at, _next(address(self.answers)))
        return at

    @cfunc
    @cython.exceptval(check=False)
    def _plan_look(self, at: longlong) -> cython.void:
        """Where our view is next looked at, after many rows: there it is copied from the exchange's as that passes.

        Not where an answer may wake the strategy earlier, nor where rows of another batch are on their way.
        """
        self.look_row = -1
        if self.wakes_on_answer or len(self.waiting) != 1:
            return
        batch: Batch = self.current
        levels: Py_ssize_t = self.exchange.halves[0].count + self.exchange.halves[1].count
        i: Py_ssize_t = max(self.row, self.local_row + COPY_ROWS + levels // COPIED_A_ROW)
        if i > batch.count or batch.received_at[i - 1] > at:
            return
        while i < batch.count and batch.received_at[i] <= at:
            i += 1
        self.look_row = i

    @cfunc
    @cython.exceptval(-1)
    def _wake_at(self, at: longlong) -> cython.int:
        self.wakes_here = self.wakes_here + 1 if at == self.now else 1
        if self.wakes_here > WAKES_MAX:
            raise ValueError(f"the strategy was woken {WAKES_MAX} times at {at}: without latency it answers itself")
        self.now = at
        self.wakes += 1
        if at == self.next_beat:
            self.next_beat += self.every_ns
        if self.compiled is not None:
            self.compiled.wake(self)
        else:
            self.strategy(self)
        return 0

    @cfunc
    @cython.exceptval(check=False)
    def _receive(self, until: longlong) -> cython.void:
        """Our own view follows."""
        ladder: Ladder = self.ladder
        while len(self.waiting):
            batch: Batch = cast(Batch, self.waiting[0])
            self.local_row = ladder.follow(
                batch.received_at,
                batch.kinds,
                batch.sides,
                batch.prices,
                batch.sizes,
                self.local_row,
                batch.count,
                until,
                cython.NULL,
            )
            if self.local_row < batch.count or len(self.waiting) == 1:
                return
            del self.waiting[0]
            self.local_row = 0

    @cfunc
    @cython.exceptval(-1)
    def _hear(self, until: longlong) -> cython.int:
        """Take in the answers that have arrived."""
        line: pointer(Line) = address(self.answers)
        while line.count and line.items[line.head].at <= until:
            said: Said = line.items[line.head]
            line.head += 1
            line.count -= 1
            order: pointer(Placed) = self.orders + self._slot(said.number)
            if said.what == FILL:
                order.known_left -= said.quantity
                sign: longlong = -1 if order.side else 1
                self.position += sign * said.quantity
                self.cash -= sign * ((said.price * said.quantity + 50) // 100)  # `scrip.money` of what is above zero
            else:
                order.known_left = 0
            if not order.known_left:
                order.number = 0
        return 0

    # --- at the exchange ----------------------------------------------------------------------------------------------

    @cfunc
    @cython.exceptval(-1)
    def _advance(self, until: longlong, requests_until: longlong) -> cython.int:
        """Rows and orders in the order in which they happen; stops short where an answer wakes the strategy earlier."""
        line: pointer(Line) = address(self.requests)
        has_request: bint
        while True:
            has_request = line.count > 0 and line.items[line.head].at <= requests_until
            self._rows(line.items[line.head].at if has_request else until)
            if self.wakes_on_answer and _next(address(self.answers)) < until:
                return 0
            if has_request or until == requests_until:
                self._settle()
                if self.wakes_on_answer and _next(address(self.answers)) < until:
                    return 0
            if not has_request:
                return 0
            said: Said = line.items[line.head]
            line.head += 1
            line.count -= 1
            if said.what == CANCEL:
                self._end(said.number, said.at)
            else:
                self._arrive(self._slot(said.number), said.at)
            if self.wakes_on_answer and _next(address(self.answers)) < until:
                return 0

    @cfunc
    @cython.exceptval(-1)
    def _rows(self, until: longlong) -> cython.int:
        """Rows up to a time. Where it is planned, our view is taken in passing."""
        if self.look_row >= 0:
            self._rows_to(self.look_row, until)
            if self.row < self.look_row:
                return 0
            self.ladder.become(self.exchange)
            self.local_row = self.look_row
            self.look_row = -1
        return self._rows_to(self.current.count, until)

    @cfunc
    @cython.exceptval(-1)
    def _rows_to(self, end: Py_ssize_t, until: longlong) -> cython.int:
        """Rows of the current batch: by the ladder alone as long as none may matter to us, else one by one."""
        batch: Batch = self.current
        ladder: Ladder = self.exchange
        i: Py_ssize_t = self.row
        at: p_longlong = batch.exchange_at
        while i < end and at[i] <= until:
            if self.is_pending and at[i] != self.instant:
                self.row = i
                self._settle()
                if self.wakes_on_answer and _next(address(self.answers)) < until:
                    return 0
            if not (self.is_pending or self.used_count or _is_met(self)):
                i = ladder.follow(
                    at, batch.kinds, batch.sides, batch.prices, batch.sizes, i, end, until, address(self.guard)
                )
                if i == end or at[i] > until:
                    break
            kind: cython.schar = batch.kinds[i]
            if kind != TRADE:
                ladder.misfits += ladder.put(batch.sides[i], kind, batch.prices[i], batch.sizes[i], 0) == MISFIT
                self._note(batch.sides[i], kind, batch.prices[i], batch.sizes[i])
                if self.is_replaced or self.is_touched or _is_met(self):
                    self.instant = at[i]
                    self.is_pending = True
            elif self.counts[batch.sides[i]]:
                self.row = i + 1
                self._trade(batch.sides[i], batch.prices[i], batch.sizes[i], at[i])
                if self.wakes_on_answer and _next(address(self.answers)) < until:
                    return 0
            i += 1
        self.row = i
        return 0

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def _note(self, side: longlong, kind: longlong, price: longlong, size: longlong) -> cython.void:
        """What a row means for what we took of a level and for our place in its queue."""
        i: Py_ssize_t
        if kind >= CLEAR:
            self.is_replaced = True
            return
        if kind == DELETE:
            size = 0
        for i in range(self.used_count):
            if self.used[i].side == side and self.used[i].price == price:
                if self.used[i].displayed != size:
                    self.used_count -= 1
                    self.used[i] = self.used[self.used_count]
                break
        if self.is_capped:
            for i in range(self.counts[side]):
                self.is_touched |= self.orders[self.live[side][i]].price == price

    @cfunc
    @cython.exceptval(-1)
    def _settle(self) -> cython.int:
        """The end of an instant: resting orders meet the ladder as it stands now."""
        if not self.is_pending:
            return 0
        self.is_pending = False
        ladder: Ladder = self.exchange
        if not ladder.is_valid:
            return 0
        if self.is_replaced or self.is_touched:
            self._look_again()
        if not _is_met(self) or ladder.order() >= 0:
            return 0
        side: cython.int
        for side in range(2):
            i: Py_ssize_t = 0
            while i < self.counts[side]:
                slot: Py_ssize_t = self.live[side][i]
                self._take(slot, self.instant, True)
                if not self.orders[slot].is_over:
                    i += 1
        return 0

    @cfunc
    @cython.exceptval(check=False)
    def _look_again(self) -> cython.void:
        """After a snapshot, or a change at our price: what still stands as it was, and the most that can be ahead."""
        i: Py_ssize_t = 0
        side: cython.int
        while self.is_replaced and i < self.used_count:
            if self.exchange.size_at(self.used[i].side, self.used[i].price) != self.used[i].displayed:
                self.used_count -= 1
                self.used[i] = self.used[self.used_count]
            else:
                i += 1
        if self.is_capped:
            for side in range(2):
                for i in range(self.counts[side]):
                    order: pointer(Placed) = self.orders + self.live[side][i]
                    order.ahead = min(order.ahead, _shown(self.exchange, side, order.price))
                self._regard(side)
        self.is_replaced = self.is_touched = False

    @cfunc
    @cython.exceptval(-1)
    def _arrive(self, slot: Py_ssize_t, at: longlong) -> cython.int:
        """An order reaches the exchange: it takes what it can, the rest stands behind all that is displayed."""
        order: pointer(Placed) = self.orders + slot
        if self.exchange.is_valid and self.exchange.order() < 0:
            self._take(slot, at, False)
        if order.is_over:
            return 0
        if order.is_ioc:
            order.is_over = True
            _push(address(self.answers), END, at + self.back_ns, order.number)
            return 0
        side: longlong = order.side
        key: longlong = -order.price if side else order.price
        order.ahead = _shown(self.exchange, side, order.price)
        place: Py_ssize_t = self.counts[side]
        while place and key > self._key(side, place - 1):
            self.live[side][place] = self.live[side][place - 1]
            place -= 1
        if place and self._key(side, place - 1) == key:  # behind our own
            order.ahead = max(order.ahead, self.orders[self.live[side][place - 1]].ahead)
        self.live[side][place] = slot
        self.counts[side] += 1
        self._regard(side)
        return 0

    @cfunc
    @cython.exceptval(check=False)
    def _regard(self, side: longlong) -> cython.void:
        """What the rows of the exchange are held against, after a change of what rests on a side."""
        ahead: longlong = 0
        i: Py_ssize_t
        if self.is_capped:
            for i in range(self.counts[side]):
                ahead = max(ahead, self.orders[self.live[side][i]].ahead)
        self.guard.ahead[side] = ahead
        self.guard.best[side] = self._key(side, 0) if self.counts[side] else NOWHERE
        self.guard.worst[side] = self._key(side, self.counts[side] - 1) if self.counts[side] else NOWHERE

    @cfunc
    @inline
    @cython.exceptval(check=False)
    def _key(self, side: longlong, place: Py_ssize_t) -> longlong:
        price: longlong = self.orders[self.live[side][place]].price
        return -price if side else price

    @cfunc
    @cython.exceptval(-1)
    def _take(self, slot: Py_ssize_t, at: longlong, is_maker: bint) -> cython.int:
        """Fill against the displayed levels opposite; a resting order at its own limit."""
        order: pointer(Placed) = self.orders + slot
        half: pointer(Half) = address(self.exchange.halves[1 - order.side])
        worst: longlong = order.price if order.side else -order.price
        sign: longlong = 1 if order.side else -1
        i: Py_ssize_t = half.count - 1
        while i >= 0 and half.keys[i] >= worst and order.left:
            price: longlong = sign * half.keys[i]
            quantity: longlong = self._use(1 - order.side, price, half.sizes[i], order.left)
            if quantity:
                self._fill(slot, quantity, order.price if is_maker else price, at, is_maker)
            i -= 1
        return 0

    @cfunc
    @cython.exceptval(check=False)
    def _use(self, side: longlong, price: longlong, displayed: longlong, wanted: longlong) -> longlong:
        """How much of a level is there for us: what we took of it is gone until its size changes."""
        i: Py_ssize_t = 0
        while i < self.used_count and not (self.used[i].side == side and self.used[i].price == price):
            i += 1
        if i == self.used_count:
            if i == USED_MAX:
                return 0
            self.used[i].side = side
            self.used[i].price = price
            self.used[i].displayed = displayed
            self.used[i].taken = 0
            self.used_count += 1
        quantity: longlong = min(wanted, displayed - self.used[i].taken)
        self.used[i].taken += quantity
        return quantity

    @cfunc
    @cython.exceptval(-1)
    def _trade(self, side: longlong, price: longlong, size: longlong, at: longlong) -> cython.int:
        """A trade consumes what stands in front of our orders at its price, and then them."""
        key: longlong = -price if side else price
        i: Py_ssize_t = 0
        while i < self.counts[side] and size and self._key(side, i) >= key:
            slot: Py_ssize_t = self.live[side][i]
            order: pointer(Placed) = self.orders + slot
            ahead: longlong = order.ahead if self._key(side, i) == key else 0
            quantity: longlong = min(order.left, max(0, size - ahead))
            if self._key(side, i) == key:
                order.ahead = max(0, ahead - size)
            if quantity:
                size -= quantity
                self._fill(slot, quantity, order.price, at, True)
            if not order.is_over:
                i += 1
        self._regard(side)
        return 0

    @cfunc
    @cython.exceptval(-1)
    def _fill(self, slot: Py_ssize_t, quantity: longlong, price: longlong, at: longlong, is_maker: bint) -> cython.int:
        order: pointer(Placed) = self.orders + slot
        order.left -= quantity
        place: Py_ssize_t = _push(address(self.answers), FILL, at + self.back_ns, order.number)
        self.answers.items[place].quantity = quantity
        self.answers.items[place].price = price
        if self.fill_count == self.fill_room:
            room: Py_ssize_t = max(256, 2 * self.fill_room)
            fills: p_longlong = cast(p_longlong, PyMem_Realloc(self.fills, 7 * room * cython.sizeof(longlong)))
            if not fills:
                raise MemoryError
            self.fills = fills
            self.fill_room = room
        fill: p_longlong = self.fills + 7 * self.fill_count
        fill[0] = order.number
        fill[1] = order.side
        fill[2] = price
        fill[3] = quantity
        fill[4] = is_maker
        fill[5] = at
        fill[6] = at + self.back_ns
        self.fill_count += 1
        if not order.left:
            order.is_over = True
            self._remove(slot)
        return 0

    @cfunc
    @cython.exceptval(check=False)
    def _remove(self, slot: Py_ssize_t) -> bint:
        """Take an order from those that rest; whether it was among them."""
        side: longlong = self.orders[slot].side
        i: Py_ssize_t
        for i in range(self.counts[side]):
            if self.live[side][i] == slot:
                self.counts[side] -= 1
                memmove(
                    self.live[side] + i, self.live[side] + i + 1, (self.counts[side] - i) * cython.sizeof(Py_ssize_t)
                )
                self._regard(side)
                return True
        return False

    @cfunc
    @cython.exceptval(-1)
    def _end(self, number: longlong, at: longlong) -> cython.int:
        """A cancel reaches the exchange; one that comes too late changes nothing."""
        slot: Py_ssize_t = self._slot(number)
        if slot >= 0 and self._remove(slot):
            self.orders[slot].is_over = True
            _push(address(self.answers), END, at + self.back_ns, number)
        return 0


@cfunc
@inline
@cython.exceptval(check=False)
def _is_met(tape: Tape) -> bint:
    """Whether one side of the ladder has reached our best order of the other; an empty side reaches nothing."""
    return -_best(tape.exchange, 1) <= tape.guard.best[0] or -_best(tape.exchange, 0) <= tape.guard.best[1]
