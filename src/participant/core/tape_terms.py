"""What a tape is told, and what its rows can be. The kernel `_tape` has the same numbers as C."""

from array import array

from msgspec import Struct

from participant.core.ladder_plain import ASK, BID, LEVELS_MAX, SIZE_MAX, Change

TRADE = 5  # a row's kind beside those of `Change`: a trade against the side it names
PRICE_MAX = (1 << 40) - 1  # price times quantity stays within 64 bits
QUANTITY_MAX = (1 << 22) - 1
ORDERS_MAX = 1_024
LATENCY_MAX = 1 << 60
NEVER = 1 << 62
UNKNOWN = 1 << 60  # behind so much that no trade reaches it
USED_MAX = 256
BATCHES_MAX = 64
WAKES_MAX = 1_000

Row = tuple[int, int, int, int, int, int]  # exchange_at, received_at, kind, side, price, size
Fills = tuple["array[int]", ...]


class Terms(Struct, frozen=True):
    """How orders travel (ns), when the strategy wakes, and what is kept.

    `out_ns` to the exchange, `back_ns` from there. It wakes each `every_ns` of the market's time (0: never), when a row
    is received, when an answer is. `is_capped`: no more can stand ahead of an order than its level displays, so that
    cancels of the very last ones ahead help; without it none does. ValueError where a limit cannot be kept.
    """

    out_ns: int = 0
    back_ns: int = 0
    every_ns: int = 0
    wakes_on_feed: bool = False
    wakes_on_answer: bool = False
    is_capped: bool = False
    levels_max: int = 1_000
    orders_max: int = 64

    def __post_init__(self) -> None:
        limits = {"out_ns": (0, LATENCY_MAX), "back_ns": (0, LATENCY_MAX), "every_ns": (0, LATENCY_MAX),
                  "levels_max": (1, LEVELS_MAX), "orders_max": (1, ORDERS_MAX)}  # fmt: skip
        for name, (least, most) in limits.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} is {getattr(self, name)}: it must lie from {least} to {most}")


def can_follow(row: Row, last: tuple[int, ...]) -> bool:
    """Whether a row can be, and can stand behind one of these times."""
    exchange_at, received_at, kind, side, price, size = row
    is_level = kind <= Change.DELETE or kind == TRADE
    return (
        last[0] <= exchange_at <= received_at < NEVER
        and received_at >= last[1]
        and 0 <= kind <= TRADE
        and side in (BID, ASK)
        and (not is_level or (0 < price <= PRICE_MAX and 0 <= size <= SIZE_MAX))
    )
