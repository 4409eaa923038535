"""Single orders and the ladder that they add up to, in plain Python: the twin of the kernel `_by_order`."""

from collections.abc import Sequence
from enum import IntEnum

from participant.core.ladder_plain import ASK, BID, PRICE_MAX, Change, Ladder, Verdict

IS_COMPILED = False

ORDERS_MAX = 1 << 17
ORDER_SIZE_MAX = (1 << 31) - 1  # with it no level can grow beyond what a ladder holds


class OrderChange(IntEnum):
    """What a row does to an order; `CLEAR` and `GAP` are those of a ladder."""

    ADD = 0
    MODIFY = 1
    DELETE = 2
    CLEAR = 3
    GAP = 4
    EXECUTE = 5


class ByOrder:
    """The single orders of one contract, and their ladder, for feeds that tell every order.

    An order has a number of 64 bits, and orders below the ladder's cut are known as well, so that what moves up from
    there is right. One order more than `orders_max` voids all: half a market is worse than none.
    """

    def __init__(self, levels_max: int = 1_000, orders_max: int = 100_000) -> None:
        """ValueError where a limit is none that can be kept."""
        if not 0 < orders_max <= ORDERS_MAX:
            raise ValueError(f"orders_max is {orders_max}: 1 to {ORDERS_MAX} orders can be kept")
        self.orders_max = orders_max
        self.ladder = Ladder(levels_max)
        self._orders: dict[int, tuple[int, int, int]] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def order(self, number: int) -> tuple[int, int, int] | None:
        """Side, price and size of an order, `None` where it is not known."""
        return self._orders.get(number)

    def add(self, number: int, side: int, price: int, size: int) -> int:
        """A new order."""
        if side not in (BID, ASK) or not 0 < price <= PRICE_MAX or not 0 < size <= ORDER_SIZE_MAX:
            return Verdict.IMPOSSIBLE
        if not self.ladder.is_valid:
            return Verdict.WAITING
        if number in self._orders:
            return Verdict.MISFIT
        if len(self._orders) == self.orders_max:
            self.gap()
            return Verdict.FULL
        self._orders[number] = (side, price, size)
        return self._shift(side, price, size, 1)

    def modify(self, number: int, price: int, size: int) -> int:
        """Another price or size of an order; its side stays."""
        if not 0 < price <= PRICE_MAX or not 0 < size <= ORDER_SIZE_MAX:
            return Verdict.IMPOSSIBLE
        known = self._orders.get(number)
        if known is None:
            return self._missing()
        side, old_price, old_size = known
        self._orders[number] = (side, price, size)
        if price == old_price:
            return self._shift(side, price, size - old_size, 0)
        verdict = self._shift(side, price, size, 1)  # first the new place: no side seems empty in between
        self._shift(side, old_price, -old_size, -1)
        return verdict

    def delete(self, number: int) -> int:
        """An order is gone."""
        known = self._orders.pop(number, None)
        return self._missing() if known is None else self._shift(known[0], known[1], -known[2], -1)

    def execute(self, number: int, size: int) -> int:
        """So much of an order has traded."""
        if size <= 0:
            return Verdict.IMPOSSIBLE
        known = self._orders.get(number)
        if known is None or size > known[2]:
            return self._missing()
        if size == known[2]:
            return self.delete(number)
        self._orders[number] = (known[0], known[1], known[2] - size)
        return self._shift(known[0], known[1], -size, 0)

    def clear(self) -> None:
        """A snapshot begins: the orders added from here on are all there are."""
        self._orders.clear()
        self.ladder.clear()

    def gap(self) -> None:
        """Something was missed: nothing is known until a snapshot."""
        self._orders.clear()
        self.ladder.gap()

    def apply_columns(
        self,
        actions: Sequence[int],
        numbers: Sequence[int],
        sides: Sequence[int],
        prices: Sequence[int],
        sizes: Sequence[int],
    ) -> tuple[int, ...]:
        """Row by row an OrderChange; how many rows met which Verdict. Actions and sides of 8 bits, the others of 64."""
        if not len(actions) == len(numbers) == len(sides) == len(prices) == len(sizes):
            raise ValueError("the columns of orders are not of one length")
        counts = [0] * len(Verdict)
        for row in zip(actions, numbers, sides, prices, sizes, strict=True):
            counts[self._apply(*row)] += 1
        return tuple(counts)

    def _apply(self, action: int, number: int, side: int, price: int, size: int) -> int:
        if action == OrderChange.ADD:
            return self.add(number, side, price, size)
        if action == OrderChange.MODIFY:
            return self.modify(number, price, size)
        if action == OrderChange.DELETE:
            return self.delete(number)
        if action == OrderChange.EXECUTE:
            return self.execute(number, size)
        if action not in (Change.CLEAR, Change.GAP):
            return Verdict.IMPOSSIBLE
        self.clear() if action == Change.CLEAR else self.gap()
        return Verdict.TAKEN

    def _missing(self) -> int:
        return Verdict.MISFIT if self.ladder.is_valid else Verdict.WAITING

    def _shift(self, side: int, price: int, size: int, orders: int) -> int:
        verdict = self.ladder.shift(side, price, size, orders)
        if not self.ladder.is_valid:  # a side ran out of the levels that were kept
            self._orders.clear()
        return verdict
