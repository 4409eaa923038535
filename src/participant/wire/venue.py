"""How a venue is asked about itself and steered: JSON over HTTP, beside its broker's API."""

from msgspec import Struct


class ClockRow(Struct, frozen=True):
    """The venue's time `at` (ns), and how many seconds of it pass in a wall second: 0 in lockstep and before start."""

    day: str
    at: int
    speed: float
    mode: str


class Release(Struct, frozen=True, forbid_unknown_fields=True):
    """Instant `at` (ns) is closed: a venue in lockstep may show the next one."""

    at: int


class SessionRow(Struct, frozen=True, rename="camel"):
    """What the venue plays: the day, how, which underlyings, and what a person should know of its data."""

    day: str
    mode: str
    speed: float
    symbols: tuple[str, ...]
    seed: int
    is_over: bool
    fix_port: int
    notes: tuple[str, ...] = ()
