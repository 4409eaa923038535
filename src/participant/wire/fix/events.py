"""What a FIX session tells its owner."""

from typing import TypeAlias

from msgspec import Struct

from participant.wire.fix.frames import Frame, Garbled


class LoggedOn(Struct, frozen=True):
    """The session stands: the counterpart's Logon. It comes again where the counterpart resets both sequences."""

    frame: Frame


class Received(Struct, frozen=True):
    """An application message, or a session-level Reject of one of ours: in order, and never the same number twice."""

    frame: Frame


class Run(Struct, frozen=True):
    """Many messages of the profile's `runs` that were received in a row, as their bytes, the first with number `first`.

    Each is one that Received would tell: in its turn, its frame and its header right.
    """

    data: bytes
    first: int
    count: int


class Gapped(Struct, frozen=True):
    """The numbers from `first` to `last` were missing, and have been asked for."""

    first: int
    last: int


class Filled(Struct, frozen=True):
    """The counterpart will not send these numbers. `is_asked`: we had missed them (Gapped came before)."""

    first: int
    last: int
    is_asked: bool


class Over(Struct, frozen=True):
    """The session is over, and why: what is still unsent may go, then the connection is closed."""

    reason: str


Event: TypeAlias = LoggedOn | Received | Run | Gapped | Filled | Garbled | Over
