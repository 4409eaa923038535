"""A ladder of price levels in plain Python: the twin of the kernel `_ladder`, and its oracle in the tests."""

from bisect import bisect_left, insort
from collections.abc import Sequence
from enum import IntEnum

IS_COMPILED = False

BID, ASK = 0, 1
PRICE_MAX = (1 << 52) - 1
SIZE_MAX = (1 << 48) - 1  # the sizes of all levels together stay within 64 bits
LEVELS_MAX = 4_096
NOWHERE = -(1 << 62)  # under every key: a side of which nothing was ever cut off

Levels = list[tuple[int, int, int]]


class Change(IntEnum):
    """What a row does to a level: the numbers of FIX (tag 279), and two of ours.

    `CLEAR` begins a snapshot: what was there is gone, and the rows that follow are the whole. `GAP` voids the ladder.
    """

    NEW = 0
    CHANGE = 1
    DELETE = 2
    CLEAR = 3
    GAP = 4


class Verdict(IntEnum):
    """What became of a row."""

    TAKEN = 0
    WAITING = 1  # the ladder is void and waits for a snapshot
    MISFIT = 2  # of a level or an order that is not there, or is already: something before it was missed
    BEYOND = 3  # it lies where the ladder was cut off
    IMPOSSIBLE = 4  # no price, size, side or action can be so
    FULL = 5  # an order more than may be kept: all is void now


_NEW, _DELETE = int(Change.NEW), int(Change.DELETE)  # plain numbers, which compare in a fifth of the time


class _Half:
    """One side. A key is a price, of the asks its negative: the highest key is the best, and stands last."""

    def __init__(self) -> None:
        self.keys: list[int] = []
        self.levels: dict[int, tuple[int, int]] = {}  # key -> size, orders
        self.cut = NOWHERE  # all that is better is known; nothing from here on

    def put(self, key: int, size: int, orders: int, levels_max: int) -> bool:
        """Set a level. A side that is full loses its worst level; whether the new one found its place."""
        if key not in self.levels:
            if len(self.keys) == levels_max:
                self.cut = min(self.keys[0], key)
                if key == self.cut:
                    return False
                self.remove(self.keys[0])
            insort(self.keys, key)
        self.levels[key] = (size, orders)
        return True

    def remove(self, key: int) -> None:
        del self.keys[bisect_left(self.keys, key)]
        del self.levels[key]


class Ladder:
    """The price levels of one contract: void at first and after a gap, until a snapshot replaces the whole.

    It keeps `levels_max` levels a side. A full side is cut off at its worst level: what lies better is exact, what lies
    there or worse is not followed any more, and a side that runs out of levels so voids the ladder. A crossed or locked
    state is shown as it is. Sides are 0 (bid) and 1 (ask); prices are 1/10,000, sizes units.
    """

    def __init__(self, levels_max: int = 1_000) -> None:
        """ValueError where so many levels are not kept."""
        if not 0 < levels_max <= LEVELS_MAX:
            raise ValueError(f"levels_max is {levels_max}: a ladder keeps 1 to {LEVELS_MAX} levels a side")
        self.levels_max = levels_max
        self.is_valid = False
        self._halves = (_Half(), _Half())

    # --- what happens to it -------------------------------------------------------------------------------------------

    def apply(self, side: int, action: int, price: int, size: int, orders: int = 0) -> int:
        """What a Change does to the level at `price`: its `size` (0: it is gone) and count of `orders`; a Verdict.

        A change of a level that is not there is set all the same, and is a MISFIT.
        """
        is_row = side in (BID, ASK) and 0 <= action <= _DELETE
        if is_row and 0 < price <= PRICE_MAX and 0 <= size <= SIZE_MAX and 0 <= orders <= SIZE_MAX:
            if not self.is_valid:
                return Verdict.WAITING
            return self._set(side, action, price, 0 if action == _DELETE else size, orders)
        if action not in (Change.CLEAR, Change.GAP):
            return Verdict.IMPOSSIBLE
        self.clear() if action == Change.CLEAR else self.gap()
        return Verdict.TAKEN

    def _set(self, side: int, action: int, price: int, size: int, orders: int) -> int:
        half, key = self._halves[side], price if side == BID else -price
        if key <= half.cut:
            return Verdict.BEYOND
        is_known = key in half.levels
        if size:
            if not half.put(key, size, orders, self.levels_max):
                return Verdict.BEYOND
            return Verdict.TAKEN if is_known or action == _NEW else Verdict.MISFIT
        if not is_known:
            return Verdict.MISFIT
        half.remove(key)
        if not half.keys and half.cut != NOWHERE:
            self.gap()  # what stands next was cut off once, and nobody knows it
        return Verdict.TAKEN

    def shift(self, side: int, price: int, size: int, orders: int) -> int:
        """Add to a level's size and count of orders, or take from them: it is gone when either is used up."""
        if not self.is_valid:
            return Verdict.WAITING
        there = self._halves[side].levels.get(price if side == BID else -price, (0, 0))
        total, count = there[0] + size, there[1] + orders
        is_left = total > 0 and count > 0
        return self._set(side, _NEW, price, total if is_left else 0, count if is_left else 0)

    def apply_columns(
        self, sides: Sequence[int], actions: Sequence[int], prices: Sequence[int], sizes: Sequence[int]
    ) -> tuple[int, ...]:
        """`apply` row by row; how many rows met which Verdict. Sides and actions of 8 bits, the others of 64.

        ValueError, and nothing done, where the columns differ in length.
        """
        if not len(sides) == len(actions) == len(prices) == len(sizes):
            raise ValueError("the columns of a ladder are not of one length")
        counts = [0] * len(Verdict)
        for row in zip(sides, actions, prices, sizes, strict=True):
            counts[self.apply(*row)] += 1
        return tuple(counts)

    def clear(self) -> None:
        """A snapshot begins: the levels applied from here on are all there are."""
        self._halves = (_Half(), _Half())
        self.is_valid = True

    def gap(self) -> None:
        """Something was missed: nothing is known until a snapshot."""
        self._halves = (_Half(), _Half())
        self.is_valid = False

    # --- what it says -------------------------------------------------------------------------------------------------

    def top(self) -> tuple[int, int, int, int]:
        """Bid, its size, ask, its size; 0 where a side is empty, and everywhere while the ladder is void."""
        bids, asks = self._halves
        bid = bids.keys[-1] if bids.keys else 0
        ask = asks.keys[-1] if asks.keys else 0
        return bid, bids.levels[bid][0] if bid else 0, -ask, asks.levels[ask][0] if ask else 0

    def levels(self, side: int, most: int) -> Levels:
        """Price, size and count of orders of the best `most` levels, best first."""
        half = self._halves[_checked(side)]
        best = half.keys[: -most - 1 : -1] if most > 0 else []
        return [(key if side == BID else -key, *half.levels[key]) for key in best]

    def size_to(self, side: int, price: int) -> int:
        """The size of all levels at `price` or better: what an order with this limit could take of the side."""
        half, worst = self._halves[_checked(side)], price if side == BID else -price
        return sum(half.levels[key][0] for key in half.keys[bisect_left(half.keys, worst) :])

    def reach(self, side: int) -> int:
        """The price at which the side was cut off; 0 if it never was, and all of it is known."""
        cut = self._halves[_checked(side)].cut
        return 0 if cut == NOWHERE else abs(cut)

    @property
    def is_crossed(self) -> bool:
        """The best bid is higher than the best ask."""
        bid, _, ask, _ = self.top()
        return bid > ask > 0

    @property
    def is_locked(self) -> bool:
        """The best bid is the best ask."""
        bid, _, ask, _ = self.top()
        return bid == ask > 0

    def imbalance(self, levels: int = 1) -> float:
        """(bids - asks) / (bids + asks), in sizes of the best levels: -1 all is asked, 1 all is bid; 0 of nothing."""
        bids, asks = (sum(size for _, size, _ in self.levels(side, levels)) for side in (BID, ASK))
        return (bids - asks) / (bids + asks) if bids + asks else 0.0

    def micro_price(self) -> int:
        """The middle weighted by the sizes opposite, rounded down; 0 without two sides, or where they meet."""
        bid, bid_size, ask, ask_size = self.top()
        return (bid * ask_size + ask * bid_size) // (bid_size + ask_size) if 0 < bid < ask else 0


def _checked(side: int) -> int:
    if side not in (BID, ASK):
        raise ValueError(f"side is {side}: 0 are the bids, 1 the asks")
    return side
