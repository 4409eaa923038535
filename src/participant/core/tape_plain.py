"""Depth and trades replayed against our orders in plain Python: the twin of the kernel `_tape`, and its oracle.

It goes from one time to the next; at each, in this order: what happens at the exchange, resting orders against the
ladder as it stands then, orders that arrive, what we receive, the strategy. `_tape` says the same, quicker.
"""

from array import array
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from participant.core.ladder_plain import ASK, BID, Change, Ladder, Verdict
from participant.core.scrip import money
from participant.core.tape_terms import (
    BATCHES_MAX,
    NEVER,
    PRICE_MAX,
    QUANTITY_MAX,
    TRADE,
    UNKNOWN,
    USED_MAX,
    WAKES_MAX,
    Fills,
    Row,
    Terms,
    can_follow,
)  # fmt: skip

IS_COMPILED = False


class _Placed:
    """An order of ours: `left` at the exchange, `known_left` as the strategy knows, `ahead` of it in its queue."""

    def __init__(self, side: int, price: int, quantity: int, is_ioc: bool) -> None:
        self.side, self.price, self.is_ioc = side, price, is_ioc
        self.left = self.known_left = quantity
        self.ahead = 0
        self.is_cancelling = False

    @property
    def key(self) -> int:
        return self.price if self.side == BID else -self.price


class Tape:
    """An exchange, our orders there, and our own delayed view of it: `ladder`, `position` (units), `cash` (paise).

    `strategy(tape)` is called when the `terms` say; `now` is then the time (ns), and `submit`, `cancel` send requests
    that arrive `out_ns` later. `misfits` counts rows that did not fit the ladder, `wakes` the calls of the strategy.
    """

    def __init__(self, strategy: Callable[["Tape"], Any], terms: Terms) -> None:
        self.ladder, self._exchange = Ladder(terms.levels_max), Ladder(terms.levels_max)
        self.now = self.position = self.cash = self.misfits = self.wakes = 0
        self._strategy, self._terms = strategy, terms
        self._orders: dict[int, _Placed] = {}
        self._resting: list[int] = []
        self._used: dict[tuple[int, int], list[int]] = {}  # (side, price) -> displayed, taken
        self._requests: deque[tuple[int, int, bool]] = deque()
        self._answers: deque[tuple[int, int, int, int]] = deque()  # at, number, quantity (0: it is over), price
        self._coming: deque[Row] = deque()
        self._received: deque[Row] = deque()
        self._ends: deque[int] = deque()  # when the last row of each batch is received
        self._last, self._number, self._wakes_here = (0, 0), 0, 0
        self._beat: int | None = None
        self._is_replaced = self._is_finished = self._has_begun = False
        self._fills: list[tuple[int, ...]] = []

    # --- what the strategy may do -------------------------------------------------------------------------------------

    def submit(self, side: int, price: int, quantity: int, is_ioc: bool = False) -> int:
        """Ask for an order of `quantity` units with a limit `price`: its number; 0 where `orders_max` are on their way
        or at the exchange. What `is_ioc` does not take on arrival is over. ValueError for what no order can be.
        """
        if side not in (BID, ASK) or not 0 < price <= PRICE_MAX or not 0 < quantity <= QUANTITY_MAX:
            raise ValueError(f"no order can be so: side {side}, price {price}, quantity {quantity}")
        if len(self._orders) == self._terms.orders_max:
            return 0
        self._number += 1
        self._orders[self._number] = _Placed(side, price, quantity, is_ioc)
        self._requests.append((self.now + self._terms.out_ns, self._number, False))
        return self._number

    def cancel(self, number: int) -> bool:
        """Ask for an order's end; False where it is known to be over, or its end is asked for already."""
        order = self._orders.get(number)
        if order is None or order.is_cancelling:
            return False
        order.is_cancelling = True
        self._requests.append((self.now + self._terms.out_ns, number, True))
        return True

    def left(self, number: int) -> int:
        """What of an order has not filled, as far as the strategy knows; 0 when it is over."""
        order = self._orders.get(number)
        return order.known_left if order else 0

    # --- what the caller does -----------------------------------------------------------------------------------------

    def play(self, columns: Sequence[Sequence[int]]) -> None:
        """The next rows in six columns: happened at, received at (ns; neither goes back), a `Change` or TRADE, side,
        price, size. Kinds and sides have 8 bits, the others 64. ValueError, and nothing done, where a row cannot be, or
        where 64 batches have not been received yet.
        """
        if self._is_finished:
            raise ValueError("the tape is finished: nothing follows its end")
        if len(set(map(len, columns))) > 1:
            raise ValueError("the columns of a tape are not of one length")
        rows: list[Row] = list(zip(*columns, strict=True))
        if not rows:
            return
        last = self._last
        for i, row in enumerate(rows):
            if not can_follow(row, last):
                raise ValueError(f"row {i} cannot be: its times go back, or no kind, side, price or size is so")
            last = row[:2]
        while len(self._ends) > 1 and self._ends[0] < self._last[0]:
            self._ends.popleft()
        if len(self._ends) >= BATCHES_MAX:
            raise ValueError(f"{BATCHES_MAX} batches have not been received when the next one happens")
        self._ends.append(last[1])
        if not self._has_begun:
            self._has_begun = True
            self.now = rows[0][0]
            self._beat = self.now + self._terms.every_ns if self._terms.every_ns else None
        self._last = last
        self._coming.extend(rows)
        self._received.extend(rows)
        self._run(last[0])

    def finish(self) -> None:
        """No more rows: the rest is received, and the last answers heard."""
        if self._has_begun and not self._is_finished:
            self._run(self._last[1] + 1)
            self._hear(NEVER)
        self._is_finished = True

    def take_fills(self) -> Fills:
        """The fills since the last call in columns: order, side, price, units, 1 if it rested, at, known at (ns)."""
        fills, self._fills = self._fills, []
        return tuple(array("q", [fill[i] for fill in fills]) for i in range(7))

    # --- time ---------------------------------------------------------------------------------------------------------

    def _run(self, horizon: int) -> None:
        """All that is due before the horizon. What happens at it may not be all there yet."""
        while (at := self._next()) < horizon:
            self._happen(at)
            while self._requests and self._requests[0][0] == at:
                self._arrive(*self._requests.popleft())
            is_due = at == self._beat
            while self._received and self._received[0][1] <= at:
                _, _, kind, side, price, size = self._received.popleft()
                is_due |= self._terms.wakes_on_feed
                if kind != TRADE:
                    self.ladder.apply(side, kind, price, size)
            is_due |= self._terms.wakes_on_answer and bool(self._answers) and self._answers[0][0] == at
            if is_due:
                self._wake(at)

    def _next(self) -> int:
        """When something is due next."""
        due = [row[0][at] for row, at in ((self._coming, 0), (self._received, 1)) if row]
        due += [line[0][0] for line in (self._requests,) if line]
        if self._terms.wakes_on_answer and self._answers:
            due.append(self._answers[0][0])
        if self._beat is not None:
            due.append(self._beat)
        return min(due, default=NEVER)

    def _wake(self, at: int) -> None:
        self._hear(at)
        self._wakes_here = self._wakes_here + 1 if at == self.now else 1
        if self._wakes_here > WAKES_MAX:
            raise ValueError(f"the strategy was woken {WAKES_MAX} times at {at}: without latency it answers itself")
        self.now = at
        self.wakes += 1
        if self._beat == at:
            self._beat = at + self._terms.every_ns
        self._strategy(self)

    def _hear(self, until: int) -> None:
        while self._answers and self._answers[0][0] <= until:
            _, number, quantity, price = self._answers.popleft()
            order = self._orders[number]
            sign = 1 if order.side == BID else -1
            self.position += sign * quantity
            self.cash -= sign * money(price, quantity)
            order.known_left -= quantity
            if not quantity or not order.known_left:
                del self._orders[number]

    # --- at the exchange ----------------------------------------------------------------------------------------------

    def _happen(self, at: int) -> None:
        """The rows of an instant, one by one, and then what rests against what stands."""
        has_changed = False
        while self._coming and self._coming[0][0] == at:
            _, _, kind, side, price, size = self._coming.popleft()
            if kind == TRADE:
                self._trade(side, price, size, at)
                continue
            self.misfits += self._exchange.apply(side, kind, price, size) == Verdict.MISFIT
            has_changed = True
            self._is_replaced |= kind in (Change.CLEAR, Change.GAP)
            used = self._used.get((side, price))
            if kind <= Change.DELETE and used and used[0] != (0 if kind == Change.DELETE else size):
                del self._used[side, price]
        if has_changed and self._exchange.is_valid:
            self._settle(at)

    def _settle(self, at: int) -> None:
        if self._is_replaced:
            self._used = {of: used for of, used in self._used.items() if self._displayed(*of) == used[0]}
            self._is_replaced = False
        for number in self._resting if self._terms.is_capped else ():
            order = self._orders[number]
            order.ahead = min(order.ahead, self._shown(order))
        for number in list(self._resting):
            self._take(number, at, is_maker=True)

    def _displayed(self, side: int, price: int) -> int:
        return self._exchange.size_to(side, price) - self._exchange.size_to(side, price + (1 if side == BID else -1))

    def _shown(self, order: _Placed) -> int:
        """What is displayed at an order's price; where that is not known, more than all that can be."""
        cut = self._exchange.reach(order.side)
        is_beyond = cut > 0 and order.key <= (cut if order.side == BID else -cut)
        return UNKNOWN if is_beyond or not self._exchange.is_valid else self._displayed(order.side, order.price)

    def _arrive(self, at: int, number: int, is_cancel: bool) -> None:
        if is_cancel:
            if number in self._resting:
                self._resting.remove(number)
                self._answers.append((at + self._terms.back_ns, number, 0, 0))
            return
        order = self._orders[number]
        self._take(number, at, is_maker=False)
        if order.left and order.is_ioc:
            self._answers.append((at + self._terms.back_ns, number, 0, 0))
        elif order.left:
            before = [self._orders[n].ahead for n in self._resting if self._is_beside(n, order)]
            order.ahead = max([self._shown(order), *before])
            self._resting.append(number)
            # Bids before asks, better prices first, and then as they came.
            self._resting.sort(key=lambda n: (self._orders[n].side, -self._orders[n].key, n))

    def _is_beside(self, number: int, order: _Placed) -> bool:
        return (self._orders[number].side, self._orders[number].price) == (order.side, order.price)

    def _take(self, number: int, at: int, *, is_maker: bool) -> None:
        """Fill against the displayed levels opposite, a resting order at its own limit; never where they cross."""
        order, exchange = self._orders[number], self._exchange
        side = 1 - order.side
        if exchange.is_crossed or exchange.is_locked:
            return
        for price, displayed, _ in exchange.levels(side, exchange.levels_max):
            is_reached = price <= order.price if side == ASK else price >= order.price
            if not is_reached or not order.left:
                return
            if (side, price) not in self._used and len(self._used) == USED_MAX:
                continue
            used = self._used.setdefault((side, price), [displayed, 0])
            quantity = min(order.left, displayed - used[1])
            used[1] += quantity
            self._fill(number, quantity, order.price if is_maker else price, at, is_maker)

    def _trade(self, side: int, price: int, size: int, at: int) -> None:
        """A trade consumes what stands in front of our orders at its price, and then them."""
        key = price if side == BID else -price
        for number in [n for n in self._resting if self._orders[n].side == side and self._orders[n].key >= key]:
            order = self._orders[number]
            ahead = order.ahead if order.key == key else 0
            quantity = min(order.left, max(0, size - ahead))
            if order.key == key:
                order.ahead = max(0, ahead - size)
            size -= quantity
            self._fill(number, quantity, order.price, at, is_maker=True)

    def _fill(self, number: int, quantity: int, price: int, at: int, is_maker: bool) -> None:
        if not quantity:
            return
        order, known_at = self._orders[number], at + self._terms.back_ns
        order.left -= quantity
        self._answers.append((known_at, number, quantity, price))
        self._fills.append((number, order.side, price, quantity, is_maker, at, known_at))
        if not order.left and number in self._resting:
            self._resting.remove(number)
