"""The settings by which providers are judged: what counts as a fault, for how long, and how belief may move."""

from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import replace

NEVER_S = 1e10
WAITS = (
    "silence_max_s", "index_still_max_s", "stock_still_max_s", "near_still_max_s", "far_still_max_s", "crossed_max_s",
    "apart_max_s", "ahead_max_s",
)  # fmt: skip
Seconds = Annotated[float, Meta(ge=0.0, le=1e10)]
Share = Annotated[float, Meta(ge=0.0, le=1.0)]
Count = Annotated[int, Meta(ge=1)]


class Arbitration(Struct, frozen=True, forbid_unknown_fields=True):
    """When a provider is at fault, and how belief moves. `_s` is seconds of market time, shares are fractions.

    `snapshot_every_ms`: the least time between two instants of which states are made, unless the market waits for us.
    """

    silence_max_s: Seconds = 3.0
    well_before_return_s: Seconds = 60.0
    return_apart_s: Seconds = 300.0
    switches_max: Count = 3
    switches_within_s: Seconds = 900.0
    index_still_max_s: Seconds = 2.0
    stock_still_max_s: Seconds = 5.0
    near_still_max_s: Seconds = 3.0
    far_still_max_s: Seconds = 60.0
    near_share: Share = 0.03
    crossed_max_s: Seconds = 2.0
    jump_share: Share = 0.2
    jump_within_s: Seconds = 10.0
    confirm_after_s: Seconds = 0.25
    odd_share_max: Share = 0.01
    odd_min: Count = 3
    odd_within_s: Seconds = 4.0
    apart_ticks: Count = 3
    apart_share: Share = 0.005
    apart_hold_s: Seconds = 0.5
    apart_max_s: Seconds = 2.0
    apart_min: Count = 3
    frozen_max_s: Seconds = 10.0
    frozen_ticks_min: Count = 20
    ahead_max_s: Seconds = 2.0
    backwards_max_s: Seconds = 60.0
    snapshot_every_ms: Annotated[int, Meta(ge=0, le=10_000)] = 100


def at_speed(rule: Arbitration, speed: float) -> Arbitration:
    """The rule of a market that runs `speed` times as fast as ours: what is a moment of the machine's time is not late.

    What arrives 1.5 s of wall time apart counts as said at once, so no wait is shorter, but that for a jump to be
    confirmed and that before a doubtful contract is left out: a quarter of a second.
    """
    least = {"confirm_after_s": 0.25 * speed, "apart_hold_s": 0.25 * speed} | dict.fromkeys(WAITS, 1.5 * speed)
    return replace(rule, **{name: max(getattr(rule, name), at_least) for name, at_least in least.items()})


def in_lockstep(rule: Arbitration) -> Arbitration:
    """The rule where the market waits for us: all said the same instant, so a difference is one at once.

    Nothing is late or still, for whoever ended the instant is well; what all providers say alike is the market's own.
    """
    never = ("silence_max_s", "index_still_max_s", "stock_still_max_s", "near_still_max_s", "far_still_max_s",
             "frozen_max_s", "ahead_max_s", "backwards_max_s")  # fmt: skip
    at_once = (
        "well_before_return_s",
        "return_apart_s",
        "crossed_max_s",
        "confirm_after_s",
        "apart_hold_s",
        "apart_max_s",
    )
    return replace(
        rule,
        **dict.fromkeys(never, NEVER_S),
        **dict.fromkeys(at_once, 0.0),
        odd_share_max=1.0,
        switches_max=1_000_000,
    )
