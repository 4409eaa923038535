"""How many messages may go to the broker: place, modify and cancel together, over sliding windows.

Readings are of a steady clock (ns). One that goes back counts as no time passed, so nothing is ever freed by it.
"""

from msgspec import Struct
from msgspec.structs import replace

from participant.core.limits import Limits
from participant.core.market import SECOND

MINUTE = 60 * SECOND


class Bucket(Struct, frozen=True):
    """When the messages of the last minute went, oldest first, how many went today, and the latest reading."""

    sent: tuple[int, ...]
    today: int
    at: int


def started(now: int, limits: Limits, today: int) -> Bucket:
    """The bucket of a gateway that has just started: what it did before is not known, so its last second was full."""
    return Bucket((now,) * limits.messages_second_max, today, now)


def wait(bucket: Bucket, now: int, limits: Limits, *, is_halt: bool = False) -> int | None:
    """How long (ns) the next message must wait: 0 for not at all, None where the day's messages are used up.

    Some of each window are kept for a halt's cancels, which the day's count does not stop either.
    """
    kept = 0 if is_halt else limits.messages_kept_for_cancels
    if not is_halt and bucket.today >= limits.messages_day_max - kept:
        return None
    now = max(now, bucket.at)
    second = _wait(bucket.sent, now, SECOND, limits.messages_second_max - kept)
    return max(second, _wait(bucket.sent, now, MINUTE, limits.messages_minute_max - kept))


def _wait(sent: tuple[int, ...], now: int, window: int, most: int) -> int:
    """How long until fewer than `most` went within the window that ends then."""
    if most < 1:
        return window
    return max(0, sent[-most] + window - now) if len(sent) >= most else 0


def spend(bucket: Bucket, now: int) -> Bucket:
    """The bucket after one more message."""
    now = max(now, bucket.at)
    recent = tuple(at for at in bucket.sent if now - at < MINUTE)
    return replace(bucket, sent=(*recent, now), today=bucket.today + 1, at=now)
