"""The sweep of a halt: every working order is cancelled, and only the broker's own book says that none is left.

It needs nothing of the desk: no queue, no brain, no gateway, only the broker. What the gateway has just sent it does
not know, so it keeps the rate as a gateway does that has just started: the second before counts as full.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from participant.core.market import SECOND
from participant.core.order import OrderView
from participant.core.sighting import works
from participant.core.wording import counted
from participant.links.pace import Pace, PacedBroker
from participant.ports import Broker, BrokerBooks, BrokerDown

READS_QUIET = 2
LOOK_EVERY_S = 1.0


class Reached(Broker, BrokerBooks, Protocol):
    """A broker with its books."""


class Quiet(Struct, frozen=True):
    """What a sweep came to: how many cancels it asked for, what still works, and why it is not known.

    `is_unheard` says that no desk runs and that its broker did not answer.
    """

    is_quiet: bool
    cancels: int
    working: tuple[OrderView, ...] = ()
    why_not: str = ""
    is_unheard: bool = False


def sweep(
    broker: Reached,
    pace: Pace,
    wait_s: float,
    pause: Callable[[float], object],
    in_doubt: Callable[[], Sequence[str]] = tuple,
) -> Quiet:
    """Cancel what works until two reads of the book in a row show nothing, for `wait_s` at most; failed reads are none.

    `pause` waits so many seconds between two looks. `in_doubt` names our own orders of which it is not known what
    became: one may be on its way to the book still, so nothing is quiet before a gateway that lives has settled it.
    """
    paced, asked = PacedBroker(broker, pace), Counter[str]()
    until, empty = pace.clock.now() + int(wait_s * SECOND), 0
    working: tuple[OrderView, ...] = ()
    while True:
        try:
            working, why_not = tuple(filter(works, broker.orders())), ""
        except BrokerDown as fault:
            empty, why_not = 0, str(fault)
        else:
            empty = 0 if working else empty + 1
        doubted = "; ".join(in_doubt()) if empty >= READS_QUIET else ""
        if empty >= READS_QUIET and not doubted:
            return Quiet(is_quiet=True, cancels=asked.total())
        # Those that were asked least often go first: one that cannot be cancelled keeps none of the others waiting.
        for view in [] if why_not else sorted(working, key=lambda v: asked[v.broker_order_id]):
            if not pace.has_room(is_halt=True):
                break
            paced.cancel(view)
            asked[view.broker_order_id] += 1
        if pace.clock.now() >= until:
            why_not = why_not or (f"still working: {counted(len(working), 'order')}" if working else doubted)
            why_not = why_not or "the book was read once only"
            return Quiet(is_quiet=False, cancels=asked.total(), working=working, why_not=why_not)
        pause(LOOK_EVERY_S)
