"""What can go wrong at a broker, as one value: by shares drawn from a seed, or planned request by request.

The in-memory broker carries it out and the venue takes it over its control route, so that one fault means the same in
the seeded simulation and over real sockets.
"""

from enum import StrEnum

from msgspec import Struct

from participant.core.ids import digest


class FaultKind(StrEnum):
    """What happens to one request (an order placed, modified or cancelled)."""

    NONE = ""
    REFUSE = "refuse"  # rejected for good, and shown so in the book
    THROTTLE = "throttle"  # turned away before it was looked at: it may be sent again
    LOSE = "lose"  # timed out, and nothing was done
    ACCEPT_SILENTLY = "accept silently"  # done, but the answer timed out
    ACCEPT_LATE = "accept late"  # timed out, and done `late_s` seconds of venue time afterwards


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """The fault of one request. `fill_lots_max` (0: no limit) caps what an order fills at one quote."""

    kind: FaultKind = FaultKind.NONE
    late_s: int = 0
    fill_lots_max: int = 0


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    """How often what goes wrong (shares of 1, drawn from `seed`), or by `plan`: the n-th request from now on, from 1.

    `hang_s` is how long (wall seconds) a broker over HTTP holds a request that times out before it answers.
    """

    seed: int = 0
    refuse: float = 0.0
    throttle: float = 0.0
    lose: float = 0.0
    accept_silently: float = 0.0
    accept_late: float = 0.0
    late_max_s: int = 170
    partial: float = 0.0
    update_drop: float = 0.0
    update_duplicate: float = 0.0
    update_reorder: float = 0.0
    books_down: float = 0.0
    hang_s: float = 0.0
    plan: dict[int, Fault] = {}


def draw(faults: Faults, what: str, number: int) -> float:
    """A number in [0, 1) that depends on the seed, on what is drawn and on its number alone."""
    return int(digest(faults.seed, what, number)[:8], 16) / 2**32


def fault_of(faults: Faults, number: int) -> Fault:
    """What goes wrong with the request of this number."""
    if number in faults.plan:
        return faults.plan[number]
    lots = 1 if draw(faults, "partial", number) < faults.partial else 0
    drawn = draw(faults, "request", number)
    for kind, share in (
        (FaultKind.REFUSE, faults.refuse),
        (FaultKind.THROTTLE, faults.throttle),
        (FaultKind.LOSE, faults.lose),
        (FaultKind.ACCEPT_SILENTLY, faults.accept_silently),
        (FaultKind.ACCEPT_LATE, faults.accept_late),
    ):
        if drawn < share:
            late_s = 1 + int(draw(faults, "late", number) * faults.late_max_s)
            return Fault(kind, min(late_s, faults.late_max_s) if kind is FaultKind.ACCEPT_LATE else 0, lots)
        drawn -= share
    return Fault(fill_lots_max=lots)
